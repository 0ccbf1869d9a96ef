/* memcpy, memmove and memset by words, as a chip's ROM has them: Debian's picolibc for rv32imc goes byte by byte, a fifth of a step. */
#include "memory.h"

#include <stdint.h>

/* Unsigned words that may be parts of anything. */
typedef uint32_t __attribute__((__may_alias__)) Word;

#define WORD sizeof(Word)

static uint32_t offset(const void *at) {
    return (uint32_t)((uintptr_t)at % WORD);
}

/* From the lowest byte on: where `to` is below `from` they may overlap. */
static void *forward(void *start, const void *source, size_t count) {
    uint8_t *to = start;
    const uint8_t *from = source;
    if (offset(to) == offset(from)) {
        for (; count && offset(to); count--) *to++ = *from++;
        Word *words = (Word *)(void *)to;
        const Word *source_words = (const Word *)(const void *)from;
        for (; count >= WORD; count -= WORD) *words++ = *source_words++;
        to = (uint8_t *)words;
        from = (const uint8_t *)source_words;
    }
    for (; count >= WORD; count -= WORD, to += WORD, from += WORD) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
        to[3] = from[3];
    }
    for (; count; count--) *to++ = *from++;
    return start;
}

/* From the highest byte on: where `to` is above `from` they may overlap. */
static void *backward(void *start, const void *source, size_t count) {
    uint8_t *to = (uint8_t *)start + count;
    const uint8_t *from = (const uint8_t *)source + count;
    if (offset(to) == offset(from)) {
        for (; count && offset(to); count--) *--to = *--from;
        Word *words = (Word *)(void *)to;
        const Word *source_words = (const Word *)(const void *)from;
        for (; count >= WORD; count -= WORD) *--words = *--source_words;
        to = (uint8_t *)words;
        from = (const uint8_t *)source_words;
    }
    for (; count; count--) *--to = *--from;
    return start;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    return forward(to, from, count);
}

void *memmove(void *to, const void *from, size_t count) {
    return (uintptr_t)to <= (uintptr_t)from ? forward(to, from, count) : backward(to, from, count);
}

void *memset(void *start, int byte, size_t count) {
    uint8_t *to = start;
    for (; count && offset(to); count--) *to++ = (uint8_t)byte;
    Word *words = (Word *)(void *)to;
    for (const uint32_t four = (uint8_t)byte * 0x01010101u; count >= WORD; count -= WORD) *words++ = four;
    to = (uint8_t *)words;
    for (; count; count--) *to++ = (uint8_t)byte;
    return start;
}

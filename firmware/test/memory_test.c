/* The emulated board's memcpy, memmove and memset (ports/qemu-rv32/memory.c) beside libc's: each small size at each alignment, each overlap. */
#include "check.h"

#include <stdlib.h>

void *memory_copy(void *restrict to, const void *restrict from, size_t count);
void *memory_move(void *to, const void *from, size_t count);
void *memory_set(void *start, int byte, size_t count);

#define LONGEST 40
#define ALIGNMENTS 8
#define ROOM (LONGEST + 2 * ALIGNMENTS)

static uint8_t wanted[ROOM], found[ROOM];

static void fill(void) {
    for (size_t i = 0; i < ROOM; i++) wanted[i] = found[i] = (uint8_t)(i * 37 + 11);
}

static void a_copy_of_each_size_and_alignment(void) {
    uint8_t from[ROOM];
    for (size_t i = 0; i < ROOM; i++) from[i] = (uint8_t)(i * 91 + 5);
    for (size_t count = 0; count <= LONGEST; count++) {
        for (size_t to = 0; to < ALIGNMENTS; to++) {
            for (size_t at = 0; at < ALIGNMENTS; at++) {
                fill();
                memcpy(wanted + to, from + at, count);
                CHECK(memory_copy(found + to, from + at, count) == found + to, "%zu bytes", count);
                CHECK(memcmp(wanted, found, ROOM) == 0, "%zu bytes from %zu to %zu", count, at, to);
            }
        }
    }
}

static void bytes_that_overlap(void) {
    for (size_t count = 0; count <= LONGEST; count++) {
        for (size_t to = 0; to + count <= ROOM; to++) {
            for (size_t at = 0; at + count <= ROOM; at++) {
                fill();
                memmove(wanted + to, wanted + at, count);
                CHECK(memory_move(found + to, found + at, count) == found + to, "%zu bytes", count);
                CHECK(memcmp(wanted, found, ROOM) == 0, "%zu bytes from %zu to %zu", count, at, to);
            }
        }
    }
}

static void each_size_and_alignment_filled(void) {
    static const int bytes[] = {0, 0x5a, 0xff, -1, 0x1a5};
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        for (size_t count = 0; count <= LONGEST; count++) {
            for (size_t to = 0; to < ALIGNMENTS; to++) {
                fill();
                memset(wanted + to, bytes[i], count);
                CHECK(memory_set(found + to, bytes[i], count) == found + to, "%zu bytes", count);
                CHECK(memcmp(wanted, found, ROOM) == 0, "%zu bytes of %d to %zu", count, bytes[i], to);
            }
        }
    }
}

/* Of the heap exactly: a sanitizer sees a word too many. */
static void nothing_outside_is_touched(void) {
    for (size_t count = 1; count <= LONGEST; count++) {
        uint8_t *from = malloc(count);
        uint8_t *to = malloc(count);
        if (!from || !to) abort();
        memory_set(from, (int)count, count);
        memory_copy(to, from, count);
        memory_move(to, to + 1, count - 1);
        memory_move(from + 1, from, count - 1);
        CHECK(memcmp(to, from, count) == 0, "%zu bytes", count);
        free(from);
        free(to);
    }
}

int main(void) {
    check_begin("a copy of each size and alignment is libc's");
    a_copy_of_each_size_and_alignment();
    check_end();
    check_begin("bytes that overlap are moved as libc does");
    bytes_that_overlap();
    check_end();
    check_begin("each size and alignment is filled as libc does");
    each_size_and_alignment_filled();
    check_end();
    check_begin("nothing outside is read or written");
    nothing_outside_is_touched();
    check_end();
    return CHECK_STATUS();
}

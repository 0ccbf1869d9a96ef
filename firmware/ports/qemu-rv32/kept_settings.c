#include "kept_settings.h"

#include "crc32.h"

#include <stddef.h>

#define MAGIC 0x53423254 /* "T2BS" */

/* Words of a slot's header, in front of its text. */
enum { HEADER_MAGIC, HEADER_SEQUENCE, HEADER_LENGTH, HEADER_CHECK, HEADER_WORDS };

_Static_assert(KEPT_HEADER_BYTES == HEADER_WORDS * sizeof(uint32_t), "the header of a slot");

static volatile uint32_t *slot_at(uint32_t *memory, uint32_t slot) {
    return memory + slot * (KEPT_SETTINGS_BYTES / 2 / sizeof(uint32_t));
}

static uint8_t *text_of(uint32_t *memory, uint32_t slot) {
    return (uint8_t *)(memory + slot * (KEPT_SETTINGS_BYTES / 2 / sizeof(uint32_t)) + HEADER_WORDS);
}

static uint32_t check_of(uint32_t sequence, const uint8_t *text, uint32_t length) {
    uint8_t head[8];
    for (uint32_t i = 0; i < 4; i++) {
        head[i] = (uint8_t)(sequence >> 8 * i & 0xff);
        head[4 + i] = (uint8_t)(length >> 8 * i & 0xff);
    }
    return ~crc32_add(crc32_add(CRC32_BEGUN, head, sizeof head), text, length);
}

static int is_whole(uint32_t *memory, uint32_t slot) {
    const volatile uint32_t *header = slot_at(memory, slot);
    uint32_t length = header[HEADER_LENGTH];
    if (header[HEADER_MAGIC] != MAGIC || length > KEPT_TEXT_BYTES) return 0;
    return header[HEADER_CHECK] == check_of(header[HEADER_SEQUENCE], text_of(memory, slot), length);
}

/* The slot in force, or -1. */
static int newest(uint32_t *memory) {
    int whole[2] = {is_whole(memory, 0), is_whole(memory, 1)};
    if (whole[0] && whole[1]) return slot_at(memory, 1)[HEADER_SEQUENCE] - slot_at(memory, 0)[HEADER_SEQUENCE] < 1u << 31 ? 1 : 0;
    return whole[0] ? 0 : whole[1] ? 1 : -1;
}

const uint8_t *kept_settings(uint32_t *memory, uint32_t *length) {
    int slot = newest(memory);
    if (slot < 0) return NULL;
    *length = slot_at(memory, (uint32_t)slot)[HEADER_LENGTH];
    return text_of(memory, (uint32_t)slot);
}

static uint32_t free_slot(uint32_t *memory) {
    return newest(memory) == 0 ? 1 : 0;
}

uint8_t *kept_room(uint32_t *memory) {
    uint32_t slot = free_slot(memory);
    slot_at(memory, slot)[HEADER_MAGIC] = 0;
    return text_of(memory, slot);
}

void kept_settle(uint32_t *memory, uint32_t length) {
    uint32_t slot = free_slot(memory);
    int before = newest(memory);
    uint32_t sequence = before < 0 ? 1 : slot_at(memory, (uint32_t)before)[HEADER_SEQUENCE] + 1;
    volatile uint32_t *header = slot_at(memory, slot);
    header[HEADER_SEQUENCE] = sequence;
    header[HEADER_LENGTH] = length;
    header[HEADER_CHECK] = check_of(sequence, text_of(memory, slot), length);
    __asm__ volatile("" ::: "memory"); /* the text is there before the header says so */
    header[HEADER_MAGIC] = MAGIC;
}

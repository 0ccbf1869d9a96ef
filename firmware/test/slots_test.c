/* Slots of modules: what is whole, which one is started, and what becomes of one that is no good. */

#include "check.h"
#include "slots.h"

#include <stdlib.h>

enum { BYTES = 300, CAPACITY = 512 };

typedef struct {
    uint8_t flash[SLOTS][CAPACITY];
    SlotState states[SLOTS];
    Slots slots;
} Board;

static void fill(uint8_t *to, uint32_t bytes, uint32_t seed) {
    for (uint32_t i = 0; i < bytes; i++) to[i] = (uint8_t)(seed = seed * 1103515245u + 12345u, seed >> 16);
}

/* A module of its own bytes, as an update writes it. */
static void flash(Board *board, int slot, uint32_t sequence) {
    uint8_t *at = board->flash[slot];
    fill(at + SLOT_HEADER_BYTES, BYTES, sequence);
    slots_header(at, at + SLOT_HEADER_BYTES, BYTES, sequence);
}

/* The board starts: what it says of both slots, and which one it takes. */
static int start(Board *board) {
    for (int i = 0; i < SLOTS; i++) (void)slots_read(&board->slots.slots[i], board->flash[i], CAPACITY);
    slots_open(&board->slots, board->states);
    int slot = slots_choose(&board->slots);
    if (slot >= 0) slots_started(&board->slots, slot);
    return slot;
}

static Board board;

static void fresh(const char *name, uint32_t first, uint32_t second) {
    check_begin(name);
    board = (Board){.flash = {{0}}};
    memset(board.flash, 0xff, sizeof board.flash);
    memset(board.states, 0xa5, sizeof board.states); /* memory that was never written */
    if (first) flash(&board, 0, first);
    if (second) flash(&board, 1, second);
}

static void test_whole(void) {
    static uint8_t at[CAPACITY];
    Slot slot;
    check_begin("a slot is whole at its own length alone, and cut at every byte it is none");
    fill(at + SLOT_HEADER_BYTES, BYTES, 7);
    slots_header(at, at + SLOT_HEADER_BYTES, BYTES, 5);
    CHECK(slots_read(&slot, at, CAPACITY) && slot.module == at + SLOT_HEADER_BYTES && slot.bytes == BYTES && slot.sequence == 5, "%s", slot.error);
    for (uint32_t length = 0; length < SLOT_HEADER_BYTES + BYTES; length++) {
        uint8_t *cut = malloc(length ? length : 1); /* of its own length, so that a sanitizer sees a read behind it */
        if (!cut) abort();
        memcpy(cut, at, length);
        CHECK(!slots_read(&slot, cut, length) && !slot.module && slot.error, "taken at %u bytes", (unsigned)length);
        free(cut);
        static uint8_t erased[CAPACITY];
        memset(erased, 0xff, sizeof erased);
        memcpy(erased, at, length);
        CHECK(!slots_read(&slot, erased, CAPACITY) || memcmp(at, erased, sizeof at) == 0, "taken with %u bytes written", (unsigned)length);
    }
    check_end();

    check_begin("a slot that is too small for the signed header of a deployed module holds none");
    for (uint32_t length = SLOT_HEADER_BYTES; length < SLOT_HEADER_BYTES + SLOT_SIGNED_BYTES; length++) {
        uint8_t *small = malloc(length); /* of its own length, so that a sanitizer sees a read before or behind it */
        if (!small) abort();
        memset(small, 0xff, length);
        slots_deployed_header(small, small + SLOT_HEADER_BYTES, 0, 5);
        CHECK(!slots_read(&slot, small, length) && strstr(slot.error, "longer than the slot"), "%u: %s", (unsigned)length, slot.error);
        free(small);
    }
    check_end();

    check_begin("every flipped bit is found");
    for (uint32_t bit = 0; bit < (SLOT_HEADER_BYTES + BYTES) * 8; bit++) {
        at[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        CHECK(!slots_read(&slot, at, CAPACITY), "bit %u", (unsigned)bit);
        at[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    check_end();

    check_begin("a length over the slot is refused, whatever it is");
    for (uint32_t bytes = CAPACITY - SLOT_HEADER_BYTES + 1; bytes; bytes = bytes * 2) {
        for (int i = 0; i < 4; i++) at[4 + i] = (uint8_t)(bytes >> (8 * i));
        CHECK(!slots_read(&slot, at, CAPACITY) && strstr(slot.error, "longer than the slot"), "%u: %s", (unsigned)bytes, slot.error);
    }
    check_end();
}

static void test_choice(void) {
    fresh("a board without a module says so", 0, 0);
    CHECK(start(&board) == -1, "started");
    check_end();

    fresh("the newest runs", 7, 8);
    CHECK(start(&board) == 1, "the older");
    check_end();

    fresh("the newest runs when the sequence has gone round", 1, UINT32_MAX);
    CHECK(start(&board) == 0, "the older");
    check_end();

    fresh("one that is damaged is passed over", 7, 8);
    board.flash[1][100] ^= 1;
    CHECK(start(&board) == 0 && strstr(board.slots.slots[1].error, "cut off or damaged"), "%s", board.slots.slots[1].error);
    check_end();

    fresh("one that is refused is left for the last good one, and stays left after resets", 7, 8);
    int slot = start(&board);
    CHECK(slots_other(&board.slots, slot), "there is no other");
    slots_refused(&board.slots, slot);
    CHECK(slots_choose(&board.slots) == 0 && slots_wait(&board.slots, 0) == 0, "not at once");
    for (int i = 0; i < 5; i++) CHECK(start(&board) == 0, "again");
    check_end();

    fresh("one that traps while it is new is left at once", 7, 8);
    slots_failed(&board.slots, start(&board));
    CHECK(start(&board) == 0, "again");
    check_end();

    fresh("one that proved itself is tried three times, each after a longer wait", 7, 8);
    for (uint32_t i = 1; i <= SLOTS_FAILURES; i++) {
        CHECK(start(&board) == 1, "left after %u", (unsigned)i - 1);
        if (i == 1) slots_proved(&board.slots, 1);
        slots_failed(&board.slots, 1);
        CHECK(slots_wait(&board.slots, 1) == 500u << i, "%u ms", (unsigned)slots_wait(&board.slots, 1));
    }
    CHECK(start(&board) == 0, "a fourth time");
    check_end();

    fresh("a minute in order makes good what was before", 7, 8);
    for (int i = 0; i < 20; i++) {
        CHECK(start(&board) == 1, "left after %d", i);
        slots_proved(&board.slots, 1);
        slots_failed(&board.slots, 1);
    }
    check_end();

    fresh("power cuts soon after the start leave a new one at the third", 7, 8);
    for (int i = 0; i < SLOTS_FAILURES; i++) CHECK(start(&board) == 1, "left after %d", i);
    CHECK(start(&board) == 0, "never left");
    check_end();

    fresh("power cuts never leave one that proved itself, and lengthen no wait", 7, 8);
    slots_proved(&board.slots, start(&board));
    for (int i = 0; i < 300; i++) CHECK(start(&board) == 1 && slots_wait(&board.slots, 1) == 0, "after %d", i);
    slots_failed(&board.slots, 1);
    CHECK(start(&board) == 1 && slots_wait(&board.slots, 1) == 1000, "left at its first trap");
    check_end();

    fresh("one that proved itself and then fails again and again is left, also with power cuts between", 7, 8);
    slots_proved(&board.slots, start(&board));
    for (int i = 0; i < SLOTS_FAILURES; i++) {
        (void)start(&board);
        CHECK(start(&board) == 1, "left after %d", i);
        slots_failed(&board.slots, 1);
    }
    CHECK(start(&board) == 0, "never left");
    check_end();

    fresh("one that ends in order again and again, as a sleeper does, proved itself: a trap does not leave it", 7, 8);
    for (int i = 0; i < 1000; i++) slots_ended(&board.slots, start(&board));
    CHECK(start(&board) == 1, "left before");
    slots_failed(&board.slots, 1);
    CHECK(board.states[1].fate == SLOT_PROVED && start(&board) == 1, "left");
    check_end();

    fresh("an end in order makes good what was before", 7, 8);
    for (int i = 0; i < 20; i++) {
        for (int cut = 1; cut < SLOTS_FAILURES; cut++) CHECK(start(&board) == 1, "left after %d", i);
        slots_ended(&board.slots, start(&board));
        CHECK(slots_wait(&board.slots, 1) == 0, "%u ms", (unsigned)slots_wait(&board.slots, 1));
        CHECK(board.states[1].fate == SLOT_NEW, "proved though never %d in a row", SLOTS_ENDS);
    }
    check_end();

    fresh("fewer ends in order than that leave it new, and an end without a start is none", 7, 8);
    for (int i = 1; i < SLOTS_ENDS; i++) slots_ended(&board.slots, start(&board));
    for (int i = 0; i < 5; i++) slots_ended(&board.slots, 1);
    slots_failed(&board.slots, start(&board));
    CHECK(start(&board) == 0, "again");
    check_end();

    fresh("an update of the module that was left is tried", 7, 8);
    slots_refused(&board.slots, start(&board));
    flash(&board, 1, 9);
    CHECK(start(&board) == 1, "the older");
    check_end();

    fresh("the same module, written again, is tried again", 7, 8);
    slots_refused(&board.slots, start(&board));
    flash(&board, 1, 9);
    fill(board.flash[1] + SLOT_HEADER_BYTES, BYTES, 8);
    slots_header(board.flash[1], board.flash[1] + SLOT_HEADER_BYTES, BYTES, 9);
    CHECK(start(&board) == 1, "the older");
    check_end();

    fresh("the only module is tried for ever, at last once a minute", 7, 0);
    for (int i = 0; i < 300; i++) {
        CHECK(start(&board) == 0 && !slots_other(&board.slots, 0), "given up after %d", i);
        slots_failed(&board.slots, 0);
    }
    CHECK(slots_wait(&board.slots, 0) == SLOTS_WAIT_MS, "%u ms", (unsigned)slots_wait(&board.slots, 0));
    check_end();

    fresh("when both are no good they take turns", 7, 8);
    int turns[SLOTS] = {0};
    for (int i = 0; i < 20; i++) {
        slot = start(&board);
        turns[slot]++;
        slots_failed(&board.slots, slot);
    }
    CHECK(turns[0] == 10 && turns[1] == 10, "%d and %d", turns[0], turns[1]);
    check_end();
}

int main(void) {
    test_whole();
    test_choice();
    return CHECK_STATUS();
}

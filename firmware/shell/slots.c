#include "slots.h"

#include "crc32.h"

#include <stddef.h>
#include <string.h>

static const uint8_t flashed_magic[4] = {'2', 'b', 'm', '1'};
static const uint8_t deployed_magic[4] = {'2', 'b', 'm', '2'};
static const uint8_t signed_magic[4] = {'T', '2', 'B', 'M'};

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(value >> (8 * i));
}

uint32_t slots_check(const uint8_t *module, uint32_t bytes, uint32_t sequence) {
    uint8_t head[8];
    put32(head, bytes);
    put32(head + 4, sequence);
    return ~crc32_add(crc32_add(CRC32_BEGUN, head, sizeof head), module, bytes);
}

static void put_header(uint8_t *to, const uint8_t magic[4], const uint8_t *module, uint32_t bytes, uint32_t sequence) {
    memcpy(to, magic, 4);
    put32(to + 4, bytes);
    put32(to + 8, sequence);
    put32(to + 12, slots_check(module, bytes, sequence));
}

void slots_header(uint8_t to[SLOT_HEADER_BYTES], const uint8_t *module, uint32_t bytes, uint32_t sequence) {
    put_header(to, flashed_magic, module, bytes, sequence);
}

void slots_deployed_header(uint8_t to[SLOT_HEADER_BYTES], const uint8_t *module, uint32_t bytes, uint32_t sequence) {
    put_header(to, deployed_magic, module, bytes, sequence);
}

bool slots_read(Slot *slot, const uint8_t *at, uint32_t capacity) {
    *slot = (Slot){.error = "holds no module"};
    if (capacity < SLOT_HEADER_BYTES) return false;
    bool is_deployed = memcmp(at, deployed_magic, sizeof deployed_magic) == 0;
    if (!is_deployed && memcmp(at, flashed_magic, sizeof flashed_magic) != 0) return false;
    uint32_t headers = is_deployed ? SLOT_HEADER_BYTES + SLOT_SIGNED_BYTES : SLOT_HEADER_BYTES;
    uint32_t bytes = get32(at + 4);
    uint32_t sequence = get32(at + 8);
    uint32_t check = get32(at + 12);
    slot->error = "holds a module that is longer than the slot: it was written to a smaller one, or is damaged; flash it again";
    if (capacity < headers || bytes > capacity - headers) return false;
    slot->error = "holds a module that is cut off or damaged: its check is wrong; flash it again";
    if (slots_check(at + SLOT_HEADER_BYTES, bytes, sequence) != check) return false;
    const uint8_t *tail = is_deployed ? at + capacity - SLOT_SIGNED_BYTES : NULL;
    slot->error = "holds a deployed module without its signed header: deploy it again";
    if (is_deployed && memcmp(tail, signed_magic, sizeof signed_magic) != 0) return false;
    *slot = (Slot){.module = at + SLOT_HEADER_BYTES, .bytes = bytes, .sequence = sequence, .check = check};
    if (is_deployed) {
        slot->deployed = tail;
        slot->version = (uint32_t)tail[8] << 24 | (uint32_t)tail[9] << 16 | (uint32_t)tail[10] << 8 | (uint32_t)tail[11];
    }
    return true;
}

static void fail(Slots *slots, int slot) {
    SlotState *state = &slots->states[slot];
    if (state->failures < UINT8_MAX) state->failures++;
    state->trial = 0;
    state->ends = 0;
}

void slots_open(Slots *slots, SlotState *states) {
    slots->states = states;
    for (int i = 0; i < SLOTS; i++) {
        const Slot *slot = &slots->slots[i];
        if (!slot->module || states[i].check != slot->check || states[i].fate > SLOT_LEFT) states[i] = (SlotState){.check = slot->check};
    }
    for (int i = 0; i < SLOTS; i++) {
        if (!states[i].trial) continue;
        if (states[i].fate == SLOT_PROVED) { /* the power went, as it does */
            states[i].trial = 0;
            continue;
        }
        fail(slots, i);
        if (states[i].failures >= SLOTS_FAILURES && slots_other(slots, i)) states[i].fate = SLOT_LEFT;
    }
}

/* Modules that were not left come first, then the newest. The sequence counts round. */
static bool is_better(const Slots *slots, int one, int than) {
    bool left = slots->states[one].fate == SLOT_LEFT;
    if (left != (slots->states[than].fate == SLOT_LEFT)) return !left;
    /* All were left: the one that failed less often in a row, so that they take turns. */
    if (left && slots->states[one].failures != slots->states[than].failures) return slots->states[one].failures < slots->states[than].failures;
    return (int32_t)(slots->slots[one].sequence - slots->slots[than].sequence) > 0;
}

int slots_choose(const Slots *slots) {
    int best = -1;
    for (int i = 0; i < SLOTS; i++) {
        if (slots->slots[i].module && (best < 0 || is_better(slots, i, best))) best = i;
    }
    return best >= 0 && slots->factory && slots->states[best].fate == SLOT_LEFT ? -1 : best;
}

bool slots_other(const Slots *slots, int slot) {
    if (slots->factory) return true;
    for (int i = 0; i < SLOTS; i++) {
        if (i != slot && slots->slots[i].module && slots->states[i].fate != SLOT_LEFT) return true;
    }
    return false;
}

uint32_t slots_wait(const Slots *slots, int slot) {
    uint32_t failures = slots->states[slot].failures;
    if (failures == 0) return 0;
    uint32_t wait = failures > 6 ? SLOTS_WAIT_MS : 500u << failures;
    return wait < SLOTS_WAIT_MS ? wait : SLOTS_WAIT_MS;
}

void slots_started(Slots *slots, int slot) {
    slots->states[slot].trial = 1;
    slots->connected = false;
}

void slots_connected(Slots *slots) {
    slots->connected = true;
}

bool slots_on_trial(const Slots *slots, int slot) {
    return slots->slots[slot].deployed && slots->states[slot].fate == SLOT_NEW;
}

bool slots_overdue(const Slots *slots, int slot, uint32_t ran) {
    return slots_on_trial(slots, slot) && !slots->connected && ran >= (slots->trial_ms ? slots->trial_ms : UPDATE_TRIAL_MS);
}

void slots_proved(Slots *slots, int slot) {
    if (slots_on_trial(slots, slot) && !slots->connected) return;
    slots->states[slot].fate = SLOT_PROVED;
    slots->states[slot].failures = 0;
    slots->states[slot].trial = 0;
    slots->states[slot].ends = 0;
}

void slots_refused(Slots *slots, int slot) {
    fail(slots, slot);
    slots->states[slot].fate = SLOT_LEFT;
}

void slots_failed(Slots *slots, int slot) {
    SlotState *state = &slots->states[slot];
    fail(slots, slot);
    if (state->fate != SLOT_PROVED || state->failures >= SLOTS_FAILURES) state->fate = SLOT_LEFT;
}

bool slots_ended(Slots *slots, int slot) {
    SlotState *state = &slots->states[slot];
    if (!state->trial) return false; /* it proved itself in this run */
    if (slots_on_trial(slots, slot) && !slots->connected) {
        fail(slots, slot);
        if (state->failures < SLOTS_FAILURES || !slots_other(slots, slot)) return false;
        state->fate = SLOT_LEFT;
        return true;
    }
    state->trial = 0;
    state->failures = 0;
    if (++state->ends >= SLOTS_ENDS) slots_proved(slots, slot);
    return false;
}

#include "modules.h"

#include "console.h"
#include "engine.h"
#include "flash.h"
#include "memory_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LATE_MAGIC 0x4c415445u  /* "LATE" */
#define FAULT_MAGIC 0x4641554cu /* "FAUL" */

/* Between a fault and the start after it, where nothing else makes it wait. */
#define FAULT_WAIT_MS 1000

#define STACK_END (RAM + RAM_BYTES - STACK_BYTES)

typedef struct {
    SlotState states[SLOTS];
    uint32_t reset; /* LATE_MAGIC: by the watchdog; FAULT_MAGIC: by a fault; else somehow else */
    int32_t slot;
    char running[16];
    uint32_t cause;
    uint32_t at;
    uint32_t value;
} Remembered;

_Static_assert(sizeof(Remembered) <= REMEMBERED_BYTES, "what is remembered has more bytes than memory_map.h gives it");

static Slots slots;

static Remembered *remembered(void) {
    return (Remembered *)(uintptr_t)REMEMBERED;
}

static void read_slot(int i, uint32_t at, uint32_t capacity) {
    uint32_t bytes;
    const uint8_t *bare = flash_region(at, capacity, &bytes);
    Slot *slot = &slots.slots[i];
    if (bare) *slot = (Slot){.module = bare, .bytes = bytes, .check = slots_check(bare, bytes, 0)};
    else if (!slots_read(slot, (const uint8_t *)(uintptr_t)at, capacity) && slot->error[0] && *(const uint32_t *)(uintptr_t)at) {
        console_say("slot %d %s", i, slot->error);
    }
}

/* What the image was linked with is the only one there is. */
static void take_compiled(const char *name) {
    const uint8_t *bytes = (const uint8_t *)name;
    slots.slots[0] = (Slot){.module = bytes, .check = slots_check(bytes, (uint32_t)strlen(name), 0)};
}

static void read_slots(void) {
    static const uint32_t places[SLOTS][2] = {{FLASH_MODULE, FLASH_MODULE_BYTES}, {FLASH_FALLBACK, FLASH_FALLBACK_BYTES}};
    if (engine_compiled(0)) take_compiled(engine_compiled(0));
    else for (int i = 0; i < SLOTS; i++) read_slot(i, places[i][0], places[i][1]);
}

static void say_fault(const Remembered *before) {
    bool stack = before->value - (STACK_END - STACK_GUARD_BYTES) < STACK_GUARD_BYTES;
    console_say("the firmware failed at %08" PRIx32 ": %s %" PRIu32 ", %08" PRIx32 "; the board was reset", before->at,
                stack ? "its stack is full, cause" : "cause", before->cause, before->value);
}

int modules_open(uint32_t *wait) {
    read_slots();
    *wait = 0;
    Remembered *before = remembered();
    slots_open(&slots, before->states);
    uint32_t reset = before->reset;
    before->reset = 0;
    if (reset == FAULT_MAGIC) {
        say_fault(before);
        int slot = slots_choose(&slots);
        *wait = slot < 0 ? 0 : slots_wait(&slots, slot);
        if (*wait < FAULT_WAIT_MS) *wait = FAULT_WAIT_MS;
    } else if (reset == LATE_MAGIC) {
        before->running[sizeof before->running - 1] = 0;
        char words[100];
        (void)snprintf(words, sizeof words, "%s: runs too long: no answer when the board's watchdog came, which reset the board", before->running);
        if (!before->running[0]) console_say("the board stood still and was reset by its watchdog");
        else if (!modules_say(before->slot == 1 ? 1 : 0, words)) return -1;
        else *wait = slots_wait(&slots, slots_choose(&slots));
    }
    return slots_choose(&slots);
}

Slots *modules_slots(void) {
    return &slots;
}

void modules_late(int slot, const char *running) {
    Remembered *now = remembered();
    if (slot >= 0 && running[0]) slots_failed(&slots, slot);
    now->reset = LATE_MAGIC;
    now->slot = slot;
    (void)strncpy(now->running, running, sizeof now->running - 1);
    now->running[sizeof now->running - 1] = 0;
}

void modules_fault(int slot, const char *running, uint32_t cause, uint32_t at, uint32_t value) {
    Remembered *now = remembered();
    if (slot >= 0 && running[0]) slots_failed(&slots, slot);
    now->reset = FAULT_MAGIC;
    now->cause = cause;
    now->at = at;
    now->value = value;
}

bool modules_say(int slot, const char *words) {
    int next = slots_choose(&slots);
    char module[40];
    if (engine_compiled(0)) (void)snprintf(module, sizeof module, "the module %s", engine_compiled(0));
    else (void)snprintf(module, sizeof module, "the module in slot %d", slot);
    if (next != slot) console_say("%s: %s; the board goes on with the one in slot %d", module, words, next);
    else if (!engine_compiled(0) && !slots.slots[1 - slot].module) {
        console_say("%s: %s", module, words);
        return false;
    } else console_say("%s: %s; it is started again in %u s", module, words, (unsigned)(slots_wait(&slots, slot) / 1000));
    return true;
}

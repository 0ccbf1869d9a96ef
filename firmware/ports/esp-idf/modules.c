#include "modules.h"

#include "console.h"
#include "engine.h"
#include "kept.h"

#include "esp_system.h"

#include <stdio.h>
#include <string.h>

static Slots slots;
static Remembered *remembered;
static ModulesFlash flash;
static SlotState in_flash[SLOTS];

static void read_slots(void) {
    const void *mapped;
    esp_partition_mmap_handle_t handle;
    const esp_partition_t *partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, MODULES_PARTITION);
    if (!partition || esp_partition_mmap(partition, 0, partition->size, ESP_PARTITION_MMAP_DATA, &mapped, &handle) != ESP_OK) {
        console_say("the partition \"" MODULES_PARTITION "\" cannot be read; flash the partition table of this release");
        return;
    }
    flash = (ModulesFlash){.partition = partition, .mapped = mapped, .capacity = partition->size / SLOTS};
    for (int i = 0; i < SLOTS; i++) {
        const uint8_t *at = flash.mapped + (uint32_t)i * flash.capacity;
        bool written = at[0] != 0xff || at[1] != 0xff || at[2] != 0xff || at[3] != 0xff;
        if (!slots_read(&slots.slots[i], at, flash.capacity) && slots.slots[i].error && written) console_say("slot %d %s", i, slots.slots[i].error);
    }
}

/* What was compiled in is the only one there is. */
static void take_compiled(const char *name) {
    const uint8_t *bytes = (const uint8_t *)name;
    slots.slots[0] = (Slot){.module = bytes, .check = slots_check(bytes, (uint32_t)strlen(name), 0)};
}

/* After a power cut, what NVS knows. */
static void recall(void) {
    SlotState kept[SLOTS];
    bool known = kept_read(KEPT_SLOTS, kept, sizeof kept) == sizeof kept;
    for (int i = 0; i < SLOTS; i++) {
        SlotState *state = &remembered->states[i];
        if (known && state->check == 0) *state = kept[i];
        in_flash[i] = known && kept[i].check == state->check ? kept[i] : (SlotState){.check = 0};
    }
}

static void say_reset(bool late, const char *running) {
    if (late) console_say("%s: runs too long: no answer when the board's watchdog came, which reset the board", running[0] ? running : "the board");
    else if (esp_reset_reason() == ESP_RST_PANIC) console_say("the firmware failed, and the board was reset; what it printed before says where");
    else if (esp_reset_reason() == ESP_RST_BROWNOUT) console_say("the supply's voltage fell too low, and the board was reset; take a shorter cable or a stronger supply");
}

int modules_open(Remembered *from) {
    remembered = from;
    if (engine_compiled(0)) take_compiled(engine_compiled(0));
    else read_slots();
    recall();
    bool late = remembered->late != 0;
    int slot = remembered->slot;
    slots_open(&slots, remembered->states);
    say_reset(late, remembered->running);
    if (late && remembered->running[0] && slot >= 0 && slot < SLOTS && slots.slots[slot].module) slots_failed(&slots, slot);
    remembered->late = 0;
    remembered->slot = -1;
    remembered->running[0] = 0;
    modules_keep();
    return slots_choose(&slots);
}

Slots *modules_slots(void) {
    return &slots;
}

const ModulesFlash *modules_flash(void) {
    return &flash;
}

/* Of a deployed module that is on trial each start and each end: power that goes does not let it start for ever. Of others what became of them. */
static bool is_news(int slot) {
    const SlotState *state = &slots.states[slot];
    return slots_on_trial(&slots, slot) ? memcmp(&in_flash[slot], state, sizeof *state) != 0 : in_flash[slot].fate != state->fate;
}

void modules_keep(void) {
    bool changed = false;
    for (int i = 0; i < SLOTS; i++) {
        if (!is_news(i)) continue;
        changed = true;
        in_flash[i] = slots.states[i];
    }
    remembered_keep();
    /* Should the flash not take it, it is known until the power goes. */
    if (changed) (void)kept_write(KEPT_SLOTS, slots.states, sizeof(SlotState) * SLOTS);
}

static void say(int slot, const char *words) {
    int next = slots_choose(&slots);
    unsigned wait = next < 0 ? 0 : (unsigned)(slots_wait(&slots, next) / 1000);
    if (next == slot) console_say("the module in slot %d: %s; it is started again in %u s", slot, words, wait);
    else console_say("the module in slot %d: %s; the board goes on with slot %d", slot, words, next);
}

void modules_refused(int slot, const char *words) {
    slots_refused(&slots, slot);
    modules_keep();
    say(slot, words);
}

void modules_failed(int slot, const char *words) {
    slots_failed(&slots, slot);
    modules_keep();
    say(slot, words);
}

void modules_ended(int slot, const char *words) {
    uint8_t before = slots.states[slot].fate;
    (void)slots_ended(&slots, slot);
    modules_keep();
    if (before != SLOT_LEFT && slots.states[slot].fate == SLOT_LEFT) say(slot, words);
}

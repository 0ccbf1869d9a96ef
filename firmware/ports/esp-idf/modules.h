/* The modules of the board: the two slots of the data partition `modules`, each half of it, or the module that is compiled in.
 *
 * - The partition is mapped once: wasm3 reads a module where it is. Its address stays.
 * - What becomes of a module is kept in memory that a reset does not take (remembered.h), and what outlives a power cut in NVS: written when a fate changes,
 *   and with each start of a deployed module that is on trial. */
#ifndef TWOBYTE_MODULES_H
#define TWOBYTE_MODULES_H

#include "remembered.h"
#include "slots.h"

#include "esp_partition.h"

#define MODULES_PARTITION "modules"

/* modules_open(remembered): reads the slots; says what the watchdog or a fault ended. The slot to start, or -1 when there is none. */
int modules_open(Remembered *remembered);

/* modules_slots(): call modules_keep after a change. */
Slots *modules_slots(void);
void modules_keep(void);

/* modules_flash(): where the slots are. */
typedef struct {
    const esp_partition_t *partition; /* NULL: there is none, or the module is compiled in */
    const uint8_t *mapped;
    uint32_t capacity; /* of one slot */
} ModulesFlash;

const ModulesFlash *modules_flash(void);

/* modules_refused, modules_failed(slot, words): what became of it, said with what comes next. */
void modules_refused(int slot, const char *words);
void modules_failed(int slot, const char *words);

/* modules_ended(slot, words): in order; `words` of a module on trial that is left for it. */
void modules_ended(int slot, const char *words);

#endif

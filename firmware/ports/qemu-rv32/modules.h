/* The modules in the emulated board's flash, as the two slots of slots.h, or the one that is compiled in, as if slot 0 held it; what is known of
 * them outlives a reset (REMEMBERED of memory_map.h). */
#ifndef TWOBYTE_RV32_MODULES_H
#define TWOBYTE_RV32_MODULES_H

#include "slots.h"

/* modules_open(wait): looks at both slots, says what is wrong with one, and why the machine was reset, if the watchdog or a fault did it: then the
 * start is to wait for so many ms. The slot to start, or -1. */
int modules_open(uint32_t *wait);

/* modules_slots(): of which this is the state. */
Slots *modules_slots(void);

/* modules_late(slot, running): the watchdog came, within this export of the module or with "" elsewhere: remembered for the next start. */
void modules_late(int slot, const char *running);

/* modules_fault(slot, running, cause, at, value): the firmware failed, within this export of the module or with "" elsewhere: remembered for the next
 * start, which tells. It looks at nothing that could be what failed. */
void modules_fault(int slot, const char *running, uint32_t cause, uint32_t at, uint32_t value);

/* modules_say(slot, words): what is wrong with this module, and what follows. True: a start with another one, or the same, is to follow; always
 * where the module is compiled in. */
bool modules_say(int slot, const char *words);

#endif

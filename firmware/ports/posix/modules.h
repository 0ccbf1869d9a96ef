/* The posix board's modules: the file that the key `module` names, and the last good one of `fallback`, as the two slots of slots.h.
 *
 * - A file is read once, at start, into pages that stand for a chip's flash: the heap holds none of it, and a file that is written anew meanwhile
 *   changes nothing. It has no slot's header: who writes a file checks it, and a file system keeps it; that it is a whole module is seen by the engine.
 * - What becomes of them is known to this process alone: the next start begins with `module` again. `fallback` counts as proved. */
#ifndef TWOBYTE_MODULES_H
#define TWOBYTE_MODULES_H

#include "settings.h"
#include "slots.h"

typedef struct {
    const char *paths[SLOTS];
    Slots slots;
    SlotState states[SLOTS];
} Modules;

/* modules_open(modules, settings): reads the files. False, after a word about each that cannot be read, when there is none. */
bool modules_open(Modules *modules, const Settings *settings);

/* modules_next(modules): the slot to start, or -1 when all that there are were left. */
int modules_next(const Modules *modules);

/* modules_refused, modules_failed: the module of `slot` is not taken, or trapped or ran too long, with these words; says what follows. */
void modules_refused(Modules *modules, int slot, const char *words);
void modules_failed(Modules *modules, int slot, const char *words);

#endif

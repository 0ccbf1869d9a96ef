/* The posix board's modules: the file that the key `module` names, and the last good one of `fallback`, as the two slots of slots.h; before them,
 * with the key `modules`, those that were deployed (deployed.h).
 *
 * - A file is read once, at start, into pages that stand for a chip's flash: the heap holds none of it, and a file that is written anew meanwhile
 *   changes nothing. It has no slot's header: who writes a file checks it, and a file system keeps it; that it is a whole module is seen by the engine.
 * - What becomes of these two is known to this process alone: the next start begins with `module` again. `fallback` counts as proved. What becomes of
 *   deployed ones outlives it.
 * - A module is known by a number: 0 and 1 the files, MODULES_DEPLOYED and above the slots. */
#ifndef TWOBYTE_MODULES_H
#define TWOBYTE_MODULES_H

#include "deployed.h"
#include "settings.h"
#include "slots.h"

#define MODULES_DEPLOYED SLOTS

typedef struct {
    const char *paths[SLOTS];
    Slots slots;
    SlotState states[SLOTS];
    Deployed deployed;
    char name[300]; /* of what modules_name was asked for last */
} Modules;

/* modules_open(modules, settings): reads the files. False, after a word about each that cannot be read, when there is none. */
bool modules_open(Modules *modules, const Settings *settings);

/* modules_next(modules): the module to start, or -1 when all that there are were left. */
int modules_next(const Modules *modules);

/* modules_slot, modules_name, modules_wait: of a module its slot, its name for messages, and the ms to wait before it is started. */
const Slot *modules_slot(const Modules *modules, int number);
const char *modules_name(Modules *modules, int number);
uint32_t modules_wait(const Modules *modules, int number);

/* modules_begins(modules, number): it is the next one, before the rest that modules_wait answers: nothing that is deployed meanwhile takes its place.
 * modules_updated(modules): one was deployed since then, and is to be started in its place. */
void modules_begins(Modules *modules, int number);
bool modules_updated(const Modules *modules);

/* modules_started(modules, number): it is started. modules_connected(modules, number): it reached its broker. */
void modules_started(Modules *modules, int number);
void modules_connected(Modules *modules, int number);

/* modules_ran(modules, number, ms): so long since its start. False: it was deployed, its time is over, and it has not reached its broker.
 * `wait` becomes less where it has to be asked earlier. */
bool modules_ran(Modules *modules, int number, int64_t ms, int64_t *wait);

/* modules_on_trial(modules, number): it was deployed and did not prove itself yet. */
bool modules_on_trial(const Modules *modules, int number);

/* modules_ended(modules, number): in order. */
void modules_ended(Modules *modules, int number);

/* modules_refused, modules_failed: this module is not taken, or trapped or ran too long, with these words; says what follows. */
void modules_refused(Modules *modules, int number, const char *words);
void modules_failed(Modules *modules, int number, const char *words);

/* modules_close(modules): lets go of the file of deployed ones. */
void modules_close(Modules *modules);

#endif

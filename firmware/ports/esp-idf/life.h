/* The lives of modules, one after another: load, start, the loop, and what becomes of each. */
#ifndef TWOBYTE_LIFE_H
#define TWOBYTE_LIFE_H

#include "imports.h"
#include "remembered.h"
#include "sleep.h"

/* life_slot(): the slot that is started next or runs, -1: none. life_slot_set(slot): what modules_open answered. */
int life_slot(void);
void life_slot_set(int slot);

/* life_run(board, remembered, sleep, tell): until the board is to start anew: the host asked for it, or a new module is there. `tell` says what the board is.
 * A deep sleep does not return. */
void life_run(Board *board, Remembered *remembered, Sleep sleep, void (*tell)(bool configured));

#endif

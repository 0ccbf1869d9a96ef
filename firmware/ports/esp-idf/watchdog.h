/* ESP-IDF's task watchdog over the board's loop. A module that takes no turns of loops and does not end is ended by a reset; which export ran is noted in memory
 * that the reset does not take, and told by the next start. */
#ifndef TWOBYTE_WATCHDOG_H
#define TWOBYTE_WATCHDOG_H

#include "remembered.h"
#include "shell.h"

/* Until it comes, and the longest that the loop waits: it has to be fed between. */
#define WATCHDOG_MS 8000
#define WATCHDOG_WAIT_MS 3000

/* watchdog_open(remembered): from now on; both stay where they are. By the loop's task. False: there is none. */
bool watchdog_open(Remembered *remembered, const Shell *shell);

/* watchdog_feed(): in each round of the loop, and within what takes long. */
void watchdog_feed(void);

#endif

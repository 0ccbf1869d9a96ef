/* The watchdog of the posix board: a timer of this thread's processor time, so an idle board has no ticks, that leaves a call of the module which
 * does not end. Under wasm3 the turns of loops end nearly all of them first; this is for what takes no turns, and for other engines. */
#ifndef TWOBYTE_WATCHDOG_H
#define TWOBYTE_WATCHDOG_H

#include "shell.h"

#include <setjmp.h>

/* Processor time between two ticks: SHELL_TICKS of them are 1 s. */
#define WATCHDOG_TICK_MS 125

/* Where to go on when a call was left: sigsetjmp here, with the signal mask, before watchdog_watch. What follows is shell_left. */
extern sigjmp_buf watchdog_exit;

/* watchdog_watch(shell): from now on; with NULL no longer. By the thread that runs the module. Where the system gives no timer, it says so, once. */
void watchdog_watch(Shell *shell);

#endif

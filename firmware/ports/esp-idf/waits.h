/* How the loop waits: with poll(2) for sockets, and for what other tasks tell.
 *
 * - On a chip what is told makes an eventfd readable, so nothing is looked at in vain and the chip can sleep.
 * - On IDF's linux target a task that waits in a system call keeps the simulated processor: there poll only looks, a tick long each time. */
#ifndef TWOBYTE_WAITS_H
#define TWOBYTE_WAITS_H

#include <sys/poll.h>
#include <stdbool.h>
#include <stdint.h>

/* waits_open(): once, before anything else here. False: there is no eventfd to be had. */
bool waits_open(void);

/* waits_tell(): ends the wait that is under way, or the next one. From any task, not from an interrupt. */
void waits_tell(void);

/* waits_for(polls, count, ms): until one of them is ready, something was told, or `ms` (0 and more) are over. polls[count] is used, too. Fills revents. */
void waits_for(struct pollfd *polls, int count, int64_t ms);

#endif

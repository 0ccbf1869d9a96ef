/* The line (shell/line.h) over the console's device: console lines and events, clock and commands, and the broker's stream or datagrams where the broker
 * is reached by the line. IDF's own log comes as console lines, too.
 *
 * - Where the host does not read, texts are dropped and counted; the board never waits for it longer than TEXTS_WAIT_MS in a round of its loop. */
#ifndef TWOBYTE_WIRE_H
#define TWOBYTE_WIRE_H

#include "line.h"

/* wire_open(boot): once; `boot` as of line_init. False: the console's driver could not be installed. */
bool wire_open(uint32_t boot);

Line *wire_line(void);

/* wire_carry(): takes what came and sends what it can; in each round of the loop. */
void wire_carry(void);

/* wire_wait(ms): of the milliseconds that the loop would wait, how many it may. */
int64_t wire_wait(int64_t ms);

/* wire_drain(ms): until all that was said is on its way, at most `ms`. */
void wire_drain(int64_t ms);

#endif

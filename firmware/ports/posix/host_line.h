/* The posix board's console: a serial port, a pseudo-terminal among them, with the line of docs/serial.md on it. Beside standard output and standard
 * error it carries events and words to a host, and from it commands and uploads; and the link where the broker's address is mqtt+line://.
 *
 * - One for the process. A port that cannot be opened, or goes away, is tried again every HOST_LINE_AGAIN_MS, and that is told once.
 * - Nothing waits for it: texts that nobody takes are dropped and counted by the line.
 * - Costs what a Line costs, and nothing of the heap. */
#ifndef TWOBYTE_HOST_LINE_H
#define TWOBYTE_HOST_LINE_H

#include "line.h"

#include <poll.h>

#define HOST_LINE_AGAIN_MS 2000

/* host_line_open(address, boot): PATH or PATH@BAUD (115200); `boot` is random. NULL, or what is wrong with the address. */
const char *host_line_open(const char *address, uint32_t boot);

/* host_line(): NULL while there is none. */
Line *host_line(void);

/* host_line_carry(): moves what is there between the port and the line, both ways; opens the port when it is time. Never waits. */
void host_line_carry(void);

/* host_line_wants(poll): what to wait for; host_line_wait(wait): the milliseconds that poll may wait, at most `wait`. host_line_carry follows poll. */
void host_line_wants(struct pollfd *poll);
int64_t host_line_wait(int64_t wait);

/* host_line_say(kind, text, length): queues a text, and sends what the port takes. */
void host_line_say(LineText kind, const char *text, uint32_t length);

/* host_line_drain(ms): until everything is sent, at most so long. */
void host_line_drain(int64_t ms);

#endif

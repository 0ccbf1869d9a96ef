/* A terminal device as one end of a serial line: eight bits, no parity, one stop bit, no flow control of either kind; bytes and nothing else. */
#ifndef TWOBYTE_TERMINAL_H
#define TWOBYTE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#define TERMINAL_BAUDS "9600, 19200, 38400, 57600, 115200, 230400, 460800 or 921600"

/* terminal_speed(baud): whether a terminal can have it (TERMINAL_BAUDS). */
bool terminal_speed(uint32_t baud);

/* terminal_open(path, baud): a file descriptor that never blocks, or a negated errno: ENOTTY of what is no terminal, EINVAL of one without this speed. */
int terminal_open(const char *path, uint32_t baud);

/* terminal_fault(error): an errno of terminal_open in words. */
const char *terminal_fault(int error);

#endif

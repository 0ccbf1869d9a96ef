/* The board's one UART with the line on it (shell/line.h): link, console, events and the host's wishes. */
#ifndef TWOBYTE_WIRE_H
#define TWOBYTE_WIRE_H

#include "line.h"

/* wire_init(boot): `boot` is a random number. */
void wire_init(uint32_t boot);

/* wire_line(): for line_open and the others; wire_carry follows each of them. */
Line *wire_line(void);

/* wire_carry(): moves what is there between the UART and the line, both ways. Never waits. */
void wire_carry(void);

/* wire_wait(ms): wire_carry until something came, or the line or the caller has a deadline. */
void wire_wait(int64_t ms);

/* wire_drain(ms): until everything is sent, at most so long. */
void wire_drain(int64_t ms);

#endif

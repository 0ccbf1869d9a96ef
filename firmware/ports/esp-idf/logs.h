/* IDF's own log as lines of the console. Any task may log; the loop takes the lines.
 *
 * - Lines wait in LOGS_BYTES; one that finds no room is lost. A line is cut at LOG_LINE_BYTES.
 * - What is logged from an interrupt, or by a panic, does not come here: the console's own output prints it, between the line's frames. */
#ifndef TWOBYTE_LOGS_H
#define TWOBYTE_LOGS_H

#include <stdbool.h>
#include <stdint.h>

#define LOGS_BYTES 1024
#define LOG_LINE_BYTES 160

/* logs_open(): from now on. False: there was no memory for it. */
bool logs_open(void);

/* logs_take(to, capacity): the next line, without its end and colours; its length, 0 when there is none. */
uint32_t logs_take(char *to, uint32_t capacity);

/* logs_plain(text, length): takes colours and what is no character out of a line, in place; its new length. */
uint32_t logs_plain(char *text, uint32_t length);

#endif

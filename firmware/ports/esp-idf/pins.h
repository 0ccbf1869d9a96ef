/* Numbers of a setting, blanks between them: pins, a clock. */
#ifndef TWOBYTE_PINS_H
#define TWOBYTE_PINS_H

#include <stdbool.h>
#include <stdint.h>

/* pins_read(text, to, capacity): how many there are, at most `capacity`; -1 when there are more, or something is no number from 0 to 10 million. */
int32_t pins_read(const char *text, int32_t *to, int32_t capacity);

#endif

/* Pins: the numbers of a setting, and whether the settings' readings need those that the board has anyway. */
#ifndef TWOBYTE_PINS_H
#define TWOBYTE_PINS_H

#include "settings.h"

#include <stdbool.h>
#include <stdint.h>

/* pins_read(text, to, capacity): numbers with blanks between them, pins or a clock: how many there are, at most `capacity`; -1 when there are more, or something is no number from 0 to 10 million. */
int32_t pins_read(const char *text, int32_t *to, int32_t capacity);

/* pins_wanted(settings, drivers): whether one of reading_1 to reading_8 is of one of these drivers, the last of which is NULL. */
bool pins_wanted(const Settings *settings, const char *const *drivers);

#endif

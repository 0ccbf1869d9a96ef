/* Signed modules for the slot that does not run (shell/update.h), by MQTT through the module or by the line: into the partition of modules, judged with PSA. Without
 * the setting public_key every one is refused; a board whose module is compiled in, or that has no such partition, refuses them, too, and says so. */
#ifndef TWOBYTE_UPDATES_H
#define TWOBYTE_UPDATES_H

#include "line.h"
#include "settings.h"

/* updates_open(settings, line): after modules_open. False, with a sentence in `error`, when the key is none. */
bool updates_open(const Settings *settings, Line *line, char *error, uint32_t capacity);

/* updates_begins(slot), updates_connected(), updates_leave(slot, why), updates_complete(): as update.h's; good before updates_open and without it: nothing
 * is complete then. */
void updates_begins(int slot);
void updates_connected(void);
void updates_leave(int slot, const char *why);
bool updates_complete(void);

/* updates_take(message, length), updates_answer(to, capacity): the imports. */
int32_t updates_take(const uint8_t *message, int32_t length);
int32_t updates_answer(uint8_t *to, int32_t capacity);

#endif

/* Signed modules for the slot that does not run (shell/update.h), by MQTT through the module or by the line: into the partition of modules, judged with PSA. Without
 * the setting public_key every one is refused. */
#ifndef TWOBYTE_UPDATES_H
#define TWOBYTE_UPDATES_H

#include "line.h"
#include "settings.h"
#include "update.h"

/* updates_open(settings, line): after modules_open. False, with a sentence in `error`, when the key is none. */
bool updates_open(const Settings *settings, Line *line, char *error, uint32_t capacity);

/* updates(): what update.h's functions take; modules.c keeps what they change. */
Update *updates(void);

#endif

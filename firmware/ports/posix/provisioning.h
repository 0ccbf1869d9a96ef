/* Settings that a host uploads by the console: they take the place of the --config file, whole or not at all, and count from the next start on.
 *
 * - They are tried first, with the command line that this process has: what would not start is refused with the sentence that a start would say.
 * - The file is written beside the old one, synchronized, and takes its name; only its owner can read it. */
#ifndef TWOBYTE_PROVISIONING_H
#define TWOBYTE_PROVISIONING_H

#include "line.h"
#include "settings.h"

/* provisioning_open(line, settings, count, arguments): takes uploads of settings by this line; all stay where they are. */
void provisioning_open(Line *line, const Settings *settings, int count, char **arguments);

#endif

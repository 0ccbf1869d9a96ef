/* The board's settings and certificates: read from the flash at start, taken over the line (shell/text_upload.h) and kept there.
 *
 * - Until settings were provisioned, the board has built-in ones, for a first reading by the cable alone: boards/cable.conf.
 * - Settings that do not parse are refused with the parser's sentence, and those before stay. What was taken counts from the next start.
 * - A text has at most KEPT_BYTES. Costs one Settings more than the board's own, and a text, while it comes. */
#ifndef TWOBYTE_PROVISIONED_H
#define TWOBYTE_PROVISIONED_H

#include "line.h"
#include "settings.h"
#include "secure.h"

/* provisioned_read(settings): what is kept, or else the built-in ones, into `settings`. False: they are refused, and settings->error says why. */
bool provisioned_read(Settings *settings);

/* provisioned_built_in(): whether provisioned_read found nothing that was provisioned. */
bool provisioned_built_in(void);

/* provisioned_identity(): the certificates that are kept. */
const Identity *provisioned_identity(void);

/* provisioned_take(line): takes uploads of settings, authority, certificate and key from now on. */
void provisioned_take(Line *line);

#endif

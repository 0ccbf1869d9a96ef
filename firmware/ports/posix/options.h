/* The posix board's command line. */
#ifndef TWOBYTE_OPTIONS_H
#define TWOBYTE_OPTIONS_H

#include "settings.h"

/* What options_read answers but an exit status. */
enum { OPTIONS_COMPLETE = -1, OPTIONS_UNCONFIGURED = -2 };

/* options_read(settings, count, arguments): the command line, and the files it names. OPTIONS_COMPLETE; OPTIONS_UNCONFIGURED with --console, when the
 * --config file is absent, wrong or not all: settings->error says why; or the exit status, after a word about what is wrong. */
int options_read(Settings *settings, int count, char **arguments);

/* options_try(settings, count, arguments, text, length): the same with this text in place of the --config file. False: settings->error says why. */
bool options_try(Settings *settings, int count, char **arguments, const char *text, uint32_t length);

/* options_value(count, arguments, name): the last value of the option, or NULL. */
const char *options_value(int count, char **arguments, const char *name);

#endif

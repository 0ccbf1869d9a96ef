/* The command line of the posix board, which comes to settings; its words to people are told by the console. */
#ifndef TWOBYTE_OPTIONS_H
#define TWOBYTE_OPTIONS_H

#include "settings.h"

/* options_read(settings, count, arguments): -1 when the board can go on, else the exit status. */
int options_read(Settings *settings, int count, char **arguments);

#endif

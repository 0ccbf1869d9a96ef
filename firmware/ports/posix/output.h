/* The posix board's events go to standard output, its words to standard error; each line is one write, nothing is buffered. Both go
 * to the host at the console, too (host_line.h). */
#ifndef TWOBYTE_OUTPUT_H
#define TWOBYTE_OUTPUT_H

#include <stdbool.h>

/* output_gone(): whether nobody reads standard output any more. */
bool output_gone(void);

#endif

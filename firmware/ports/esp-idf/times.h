/* The wall's clock. A chip keeps it through deep sleep and a restart, not through a power cut. */
#ifndef TWOBYTE_TIMES_H
#define TWOBYTE_TIMES_H

#include <stdint.h>

/* Who is asked where the settings name no time_server. */
#define TIMES_SERVER "pool.ntp.org"

/* times_ask(server): begins asking a time server, NULL: TIMES_SERVER. Once, when the network stack runs. The text stays where it is. */
void times_ask(const char *server);

/* times_set(seconds): the host says what time it is. */
void times_set(uint32_t seconds);

/* times_unix(): seconds since 1970 UTC, 0 while they are not known. */
int32_t times_unix(void);

#endif

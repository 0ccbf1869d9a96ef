/* How the board saves power, by the setting `power`: `on` (or nothing), `light`, or `deep`.
 *
 * - light: between two rounds of the loop the chip sleeps by itself (tickless idle, the radio in modem sleep); connections stay. The USB Serial/JTAG is
 *   gone while it sleeps, a UART loses what comes then.
 * - deep: after a reading the module flushes its journal, and the chip is off until the next is due. Memory is lost but for what remembered.h and NVS keep;
 *   the module needs a journal. */
#ifndef TWOBYTE_SLEEP_H
#define TWOBYTE_SLEEP_H

#include <stdbool.h>
#include <stdint.h>

/* A deep sleep that is shorter costs more than it saves: the start and Wi-Fi take 1 to 3 s. */
#define SLEEP_LEAST_MS 10000

typedef enum { SLEEP_NEVER, SLEEP_LIGHT, SLEEP_DEEP, SLEEP_UNKNOWN } Sleep;

/* sleep_named(name): of the setting; NULL is SLEEP_NEVER. */
Sleep sleep_named(const char *name);

/* sleep_ms(interval, awake): how long to sleep, so that readings begin `interval` ms after each other; 0: it is not worth it. */
int64_t sleep_ms(int64_t interval, int64_t awake);

/* sleep_deep(ms): does not return. Who has something to keep has kept it. */
_Noreturn void sleep_deep(int64_t ms);

/* sleep_restart(): does not return. */
_Noreturn void sleep_restart(void);

#endif

/* The board's random numbers: xorshift128 (Marsaglia), begun from the seed in flash, the clock and the timer. For delays and identifiers,
 * not for keys. */
#ifndef TWOBYTE_RANDOM_H
#define TWOBYTE_RANDOM_H

#include <stdint.h>

void random_init(void);

/* random_next(): 32 random bits. */
uint32_t random_next(void);

#endif

/* What the heap holds, for the board's first and last words. Of a chip all of it counts: Wi-Fi, lwIP and TLS, too. */
#ifndef TWOBYTE_HEAP_H
#define TWOBYTE_HEAP_H

#include <stdint.h>

/* heap_open(): from here on. By the loop's task, whose allocations are counted. */
void heap_open(void);

/* heap_bytes(): in use more than at heap_open. heap_allocations(): of the loop's task, since then; lwIP's within its sockets are among them. */
uint64_t heap_bytes(void);
uint64_t heap_allocations(void);

#endif

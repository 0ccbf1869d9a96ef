/* Counts what the shell, wasm3 and this port take from the heap: their calls are linked through --wrap, those inside libc
 * (getaddrinfo's, for example) are not. Bytes are what the allocator hands out, rounded as it rounds. Built with sanitizers, both
 * figures are 0. */
#ifndef TWOBYTE_HEAP_H
#define TWOBYTE_HEAP_H

#include <stdint.h>

/* heap_bytes(): bytes in use now. */
uint64_t heap_bytes(void);

/* heap_allocations(): calls of malloc, calloc and realloc since the process began. */
uint64_t heap_allocations(void);

#endif

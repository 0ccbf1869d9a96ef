/* malloc, calloc, realloc and free over one array of HEAP_BYTES: first fit, free neighbours are joined, 4 bytes in front of each block.
 *
 * - Blocks are rounded to 8 bytes, and are at addresses that 8 divides.
 * - A block grows and shrinks where it is when that is possible.
 * - A call looks at each block once at most: there are some hundred. No call comes after the start of a module. */
#ifndef TWOBYTE_HEAP_H
#define TWOBYTE_HEAP_H

#include <stdint.h>

/* heap_bytes(): bytes in use now, with what stands in front of each block. */
uint64_t heap_bytes(void);

/* heap_most(): the most that were in use at a time. */
uint64_t heap_most(void);

/* heap_allocations(): calls of malloc, calloc and realloc since the machine started. */
uint64_t heap_allocations(void);

#endif

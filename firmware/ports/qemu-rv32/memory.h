/* What memory.c defines; a test, which has libc's beside them, gives them other names. */
#ifndef TWOBYTE_MEMORY_H
#define TWOBYTE_MEMORY_H

#include <stddef.h>

#ifdef MEMORY_TESTED
#define memcpy memory_copy
#define memmove memory_move
#define memset memory_set
#endif

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *start, int byte, size_t count);

#endif

#include "heap.h"

#ifdef HEAP_UNCOUNTED /* sanitizers bring an allocator of their own */

uint64_t heap_bytes(void) {
    return 0;
}

uint64_t heap_allocations(void) {
    return 0;
}

#else

#include <malloc.h>
#include <stddef.h>

static uint64_t bytes;
static uint64_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

static void *counted(void *block) {
    allocations++;
    if (block) bytes += malloc_usable_size(block);
    return block;
}

void *__wrap_malloc(size_t size) {
    return counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
    return counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size) {
    size_t before = malloc_usable_size(old);
    void *block = __real_realloc(old, size);
    if (block || size == 0) bytes -= before;
    return counted(block);
}

void __wrap_free(void *old) {
    bytes -= malloc_usable_size(old);
    __real_free(old);
}

uint64_t heap_bytes(void) {
    return bytes;
}

uint64_t heap_allocations(void) {
    return allocations;
}

#endif

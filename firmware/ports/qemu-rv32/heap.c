#include "heap.h"

#include "heap_size.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* In front of each block: its bytes with this word, a multiple of 8, and in the lowest bit whether it is taken. A block of 0 bytes ends the heap. */
typedef uint32_t Header;

#define TAKEN 1u
#define LEAST 8u

/* The word in front of the first block is at 4, so that the block is at 8. */
static _Alignas(8) uint8_t heap[HEAP_BYTES];
static bool ready;
static uint32_t bytes;
static uint32_t most;
static uint32_t allocations;

static Header *first(void) {
    Header *header = (Header *)(void *)(heap + sizeof(Header));
    if (!ready) {
        ready = true;
        *header = HEAP_BYTES - 8;
        *(Header *)(void *)(heap + HEAP_BYTES - sizeof(Header)) = TAKEN;
    }
    return header;
}

static uint32_t size_of(const Header *header) {
    return *header & ~TAKEN;
}

static Header *behind(Header *header) {
    return (Header *)(void *)((uint8_t *)header + size_of(header));
}

static Header *header_of(void *block) {
    return (Header *)block - 1;
}

/* Joins a free block with the free ones behind it. */
static void join(Header *header) {
    for (Header *next = behind(header); !(*next & TAKEN); next = behind(header)) *header += *next;
}

/* Takes `size` bytes of a free block that has them; what is left over stays free. */
static void take(Header *header, uint32_t size) {
    uint32_t left = *header - size;
    if (left >= LEAST) {
        *header = size;
        *behind(header) = left;
    }
    *header |= TAKEN;
    bytes += size_of(header);
    if (bytes > most) most = bytes;
}

/* Bytes of a block for `size` of the caller's, 0: too many. */
static uint32_t rounded(size_t size) {
    return size > HEAP_BYTES ? 0 : ((uint32_t)size + (uint32_t)sizeof(Header) + 7) & ~7u;
}

static void *find(size_t size) {
    uint32_t wanted = rounded(size);
    for (Header *header = first(); wanted && size_of(header); header = behind(header)) {
        if (*header & TAKEN) continue;
        join(header);
        if (*header < wanted) continue;
        take(header, wanted);
        return header + 1;
    }
    return NULL;
}

void *malloc(size_t size) {
    allocations++;
    return find(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    if (size && count > HEAP_BYTES / size) return NULL;
    void *block = find(count * size);
    if (block) memset(block, 0, count * size);
    return block;
}

void free(void *block) {
    if (!block) return;
    Header *header = header_of(block);
    bytes -= size_of(header);
    *header &= ~TAKEN;
}

void *realloc(void *old, size_t size) {
    allocations++;
    if (!old) return find(size);
    Header *header = header_of(old);
    uint32_t before = size_of(header);
    uint32_t wanted = rounded(size);
    if (!wanted) return NULL;
    bytes -= before;
    *header = before;
    join(header);
    if (*header >= wanted) {
        take(header, wanted);
        return old;
    }
    take(header, before); /* nothing moved: it can be as it was */
    void *block = find(size);
    if (!block) return NULL;
    memcpy(block, old, before - sizeof(Header));
    free(old);
    return block;
}

uint64_t heap_bytes(void) {
    return bytes;
}

uint64_t heap_most(void) {
    return most;
}

uint64_t heap_allocations(void) {
    return allocations;
}

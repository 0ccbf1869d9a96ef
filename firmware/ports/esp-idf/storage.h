/* The journal's records, in a partition of NVS of their own: key → bytes.
 *
 * - NVS writes the new record before it takes the old one away, and finds the whole one after a power cut: a record is replaced at once or not at all.
 * - Wear is spread over the partition; one write of a small record is some 3 entries of 32 bytes.
 * - NVS allocates while it writes; the board does not. */
#ifndef TWOBYTE_STORAGE_H
#define TWOBYTE_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#define STORAGE_PARTITION "journal"
#define STORAGE_RECORD_BYTES 4000

/* storage_open(): once. NULL, or why there is none. A partition that was never written is made ready. */
const char *storage_open(void);

/* storage_write, storage_read: the imports. */
int32_t storage_write(int32_t key, const uint8_t *data, int32_t length);
int32_t storage_read(int32_t key, uint8_t *to, int32_t capacity);

#endif

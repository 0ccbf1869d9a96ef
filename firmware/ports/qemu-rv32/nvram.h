/* The emulated board's storage: records by key (docs/boundary.md, "Records") in memory that outlives a reset, as NVRAM does.
 *
 * - Two halves, each with a log of records; the valid half of the higher epoch counts. A write appends: the words behind a record's first
 *   one are written before it, and the word behind the record says already that the log ends there. A cut between any two stores therefore
 *   leaves the record whole or not begun, and what was acknowledged is there.
 * - When the half is full, the records that count are copied to the other, whose header is written last. A cut leaves one of the two.
 * - The newest record of a key counts, one of no bytes removes it. Nothing is held in RAM but where the log ends: a read looks through the
 *   log, a copy through it once for each of its records. At start only do modules read.
 * - A record has two checks. When its bytes are damaged it answers them, whose own check tells the module, and never an older version. A flipped bit
 *   of its header is mended by nvram_open. When more of the header is damaged nobody knows whose it was: that is told, the log goes on at the next
 *   header that is whole, and the record before it of that key, if there is one still, counts again, also one that was removed.
 * - A store is a word. Memory that loses stores which came back (a cache, a flash controller) is not for this file. */
#ifndef TWOBYTE_NVRAM_H
#define TWOBYTE_NVRAM_H

#include <stdbool.h>
#include <stdint.h>

#define NVRAM_HEADER_BYTES 16 /* of each record */
#define NVRAM_RECORD_BYTES 8192 /* the linear memory of a module on this board */

typedef struct {
    volatile uint32_t *words; /* NULL: there is none */
    uint32_t half_words;
    uint32_t half;  /* 0 or 1 */
    uint32_t epoch; /* of the half; salts the checks, so that nothing of an earlier log counts */
    uint32_t end;   /* word of the half where the next record goes */
    uint32_t damaged; /* records whose bytes or header are not as they were written, found, and perhaps mended, by nvram_open */
} Nvram;

/* nvram_open(storage, memory, bytes): finds the log, or begins one. `bytes` is a multiple of 8. */
void nvram_open(Nvram *storage, volatile uint32_t *memory, uint32_t bytes);

/* nvram_write, nvram_read: what the imports store_write and store_read answer. A storage that is not open has no room and no records. */
int32_t nvram_write(Nvram *storage, int32_t key, const uint8_t *data, int32_t length);
int32_t nvram_read(const Nvram *storage, int32_t key, uint8_t *to, int32_t capacity);

/* nvram_put(storage, at, value): every store goes through here; the power-cut test has one of its own. */
#ifdef NVRAM_TESTED
void nvram_put(volatile uint32_t *at, uint32_t value);
#endif

#endif

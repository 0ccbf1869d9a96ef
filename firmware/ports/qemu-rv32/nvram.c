#include "nvram.h"

#include "contract.h"

#include <stddef.h>
#include <string.h>

/* A half begins with HALF_MAGIC, its epoch and the check of both, twice: a damaged word does not bring the older half back. */
#define HALF_MAGIC 0x4c483254u
#define TITLE_WORDS 3u
#define HALF_WORDS (2 * TITLE_WORDS)
/* A record: its magic with 16 bits of check over the next two words, key, length, check of key, length and bytes; then the bytes, rounded to words. */
#define RECORD_MAGIC 0x52320000u
#define RECORD_WORDS (NVRAM_HEADER_BYTES / 4u)

#ifndef NVRAM_TESTED
static void nvram_put(volatile uint32_t *at, uint32_t value) {
    *at = value;
}
#endif

/* CRC-32 (IEEE 802.3), a bit at a time: a record is short. */
static uint32_t check_word(uint32_t check, uint32_t word) {
    check ^= word;
    for (int bit = 0; bit < 32; bit++) check = check >> 1 ^ (check & 1 ? 0xedb88320u : 0);
    return check;
}

static volatile uint32_t *half_at(const Nvram *storage, uint32_t half) {
    return storage->words + half * storage->half_words;
}

static uint32_t words_of(uint32_t length) {
    return (length + 3) / 4;
}

static uint32_t header_word(uint32_t epoch, uint32_t key, uint32_t length) {
    uint32_t check = check_word(check_word(check_word(~epoch, key), length), 0);
    return RECORD_MAGIC | (check >> 16 ^ (check & 0xffff));
}

/* Whether these first words of a header are whole, and the record ends within the half. */
static bool is_header(const Nvram *storage, uint32_t at, const uint32_t words[3]) {
    if ((words[0] & 0xffff0000u) != RECORD_MAGIC) return false;
    if (words[2] > NVRAM_RECORD_BYTES || at + RECORD_WORDS + words_of(words[2]) >= storage->half_words) return false;
    return words[0] == header_word(storage->epoch, words[1], words[2]);
}

static bool is_record(const Nvram *storage, uint32_t at) {
    if (at + RECORD_WORDS >= storage->half_words) return false;
    const volatile uint32_t *record = half_at(storage, storage->half) + at;
    return is_header(storage, at, (uint32_t[]){record[0], record[1], record[2]});
}

/* The second check covers the header, too: it tells whether a header was mended to what it was. */
static uint32_t check_begun(uint32_t epoch, uint32_t key, uint32_t length) {
    return check_word(check_word(epoch, key), length);
}

static bool is_check(const Nvram *storage, uint32_t at, uint32_t key, uint32_t length) {
    const volatile uint32_t *record = half_at(storage, storage->half) + at;
    uint32_t check = check_begun(storage->epoch, key, length);
    for (uint32_t i = 0; i < words_of(length); i++) check = check_word(check, record[RECORD_WORDS + i]);
    return record[3] == check;
}

static bool is_sound(const Nvram *storage, uint32_t at) {
    const volatile uint32_t *record = half_at(storage, storage->half) + at;
    return is_check(storage, at, record[1], record[2]);
}

/* Mends a header with one flipped bit: else the key's record before it would count again. */
static bool mend(const Nvram *storage, uint32_t at) {
    if (at + RECORD_WORDS >= storage->half_words) return false;
    volatile uint32_t *record = half_at(storage, storage->half) + at;
    for (uint32_t bit = 0; bit < 96; bit++) {
        uint32_t words[3] = {record[0], record[1], record[2]};
        words[bit / 32] ^= 1u << bit % 32;
        if (!is_header(storage, at, words) || !is_check(storage, at, words[1], words[2])) continue;
        nvram_put(record + bit / 32, words[bit / 32]);
        return true;
    }
    return false;
}

/* The word behind the record at `at`. */
static uint32_t behind(const Nvram *storage, uint32_t at) {
    return at + RECORD_WORDS + words_of(half_at(storage, storage->half)[at + 2]);
}

/* The first record at `at` or after it, or where the log ends: a damaged header is stepped over word by word. */
static uint32_t record_from(const Nvram *storage, uint32_t at) {
    if (at >= storage->half_words || half_at(storage, storage->half)[at] == 0) return storage->end;
    while (at < storage->end && !is_record(storage, at)) at++;
    return at;
}

/* The newest record of `key`, or 0. */
static uint32_t newest(const Nvram *storage, uint32_t key, uint32_t from) {
    uint32_t found = 0;
    for (uint32_t at = record_from(storage, from); at < storage->end; at = record_from(storage, behind(storage, at))) {
        if (half_at(storage, storage->half)[at + 1] == key) found = at;
    }
    return found;
}

static uint32_t title_check(uint32_t epoch) {
    return check_word(check_word(~0u, HALF_MAGIC), epoch);
}

/* Makes `half` no half, with an empty log. */
static void clear(const Nvram *storage, uint32_t half) {
    nvram_put(half_at(storage, half), 0);
    nvram_put(half_at(storage, half) + TITLE_WORDS, 0);
    nvram_put(half_at(storage, half) + HALF_WORDS, 0);
}

/* Makes `half` the valid one; its records are there already. */
static void settle(Nvram *storage, uint32_t half, uint32_t epoch, uint32_t end) {
    for (uint32_t i = 0; i < 2; i++) {
        volatile uint32_t *title = half_at(storage, half) + i * TITLE_WORDS;
        nvram_put(title + 1, epoch);
        nvram_put(title + 2, title_check(epoch));
        nvram_put(title, HALF_MAGIC);
    }
    storage->half = half;
    storage->epoch = epoch;
    storage->end = end;
}

/* The half's first title that is whole, or NULL. */
static const volatile uint32_t *title_of(const Nvram *storage, uint32_t half) {
    for (uint32_t i = 0; i < 2; i++) {
        const volatile uint32_t *title = half_at(storage, half) + i * TITLE_WORDS;
        if (title[0] == HALF_MAGIC && title[2] == title_check(title[1])) return title;
    }
    return NULL;
}

void nvram_open(Nvram *storage, volatile uint32_t *memory, uint32_t bytes) {
    *storage = (Nvram){.words = memory, .half_words = bytes / 8};
    const volatile uint32_t *titles[2] = {title_of(storage, 0), title_of(storage, 1)};
    if (!titles[0] && !titles[1]) {
        clear(storage, 0);
        settle(storage, 0, 1, HALF_WORDS);
        return;
    }
    storage->half = titles[1] && (!titles[0] || titles[1][1] - titles[0][1] < 1u << 31) ? 1 : 0;
    storage->epoch = titles[storage->half][1];
    uint32_t end = HALF_WORDS;
    storage->end = storage->half_words;
    const volatile uint32_t *words = half_at(storage, storage->half);
    while (end < storage->half_words && words[end] != 0) {
        if (is_record(storage, end)) {
            if (!is_sound(storage, end)) storage->damaged++;
            end = behind(storage, end);
            continue;
        }
        storage->damaged++;
        if (mend(storage, end)) {
            end = behind(storage, end);
            continue;
        }
        uint32_t next = end;
        while (next < storage->half_words && !is_record(storage, next)) next++;
        if (next == storage->half_words) {
            nvram_put(half_at(storage, storage->half) + end, 0); /* nothing whole comes after it */
            break;
        }
        end = next;
    }
    storage->end = end;
}

static uint32_t word_of(const uint8_t *data, uint32_t left) {
    uint32_t word = 0;
    memcpy(&word, data, left < 4 ? left : 4);
    return word;
}

/* Writes a record at the end of `half`; its first word last. */
static void append(volatile uint32_t *words, uint32_t epoch, uint32_t at, uint32_t key, const uint8_t *data, uint32_t length) {
    volatile uint32_t *record = words + at;
    uint32_t count = words_of(length);
    uint32_t check = check_begun(epoch, key, length);
    nvram_put(record + RECORD_WORDS + count, 0); /* there the log will end */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = word_of(data + 4 * i, length - 4 * i);
        check = check_word(check, word);
        nvram_put(record + RECORD_WORDS + i, word);
    }
    nvram_put(record + 1, key);
    nvram_put(record + 2, length);
    nvram_put(record + 3, check);
    nvram_put(record, header_word(epoch, key, length));
}

/* Copies the record at `at` as it is, damage and all; answers where the next one goes. */
static uint32_t copy(const Nvram *storage, uint32_t at, volatile uint32_t *to, uint32_t epoch, uint32_t end) {
    const volatile uint32_t *record = half_at(storage, storage->half) + at;
    uint32_t count = words_of(record[2]);
    uint32_t check = check_begun(epoch, record[1], record[2]);
    bool sound = is_sound(storage, at);
    nvram_put(to + end + RECORD_WORDS + count, 0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = record[RECORD_WORDS + i];
        check = check_word(check, word);
        nvram_put(to + end + RECORD_WORDS + i, word);
    }
    nvram_put(to + end + 1, record[1]);
    nvram_put(to + end + 2, record[2]);
    nvram_put(to + end + 3, sound ? check : ~check);
    nvram_put(to + end, header_word(epoch, record[1], record[2]));
    return end + RECORD_WORDS + count;
}

/* Copies what counts to the other half. False when `more` words would not fit behind it: nothing changed then. */
static bool rewrite(Nvram *storage, uint32_t more) {
    uint32_t needed = HALF_WORDS + more;
    uint32_t half = 1 - storage->half;
    volatile uint32_t *to = half_at(storage, half);
    const volatile uint32_t *from = half_at(storage, storage->half);
    for (uint32_t pass = 0; pass < 2; pass++) {
        uint32_t end = HALF_WORDS;
        if (pass == 1) clear(storage, half); /* no half until it is whole */
        for (uint32_t at = record_from(storage, HALF_WORDS); at < storage->end; at = record_from(storage, behind(storage, at))) {
            if (from[at + 2] == 0 || newest(storage, from[at + 1], at) != at) continue;
            if (pass == 1) end = copy(storage, at, to, storage->epoch + 1, end);
            else needed += RECORD_WORDS + words_of(from[at + 2]);
        }
        if (pass == 0 && needed >= storage->half_words) return false;
        if (pass == 1) settle(storage, half, storage->epoch + 1, end);
    }
    return true;
}

int32_t nvram_write(Nvram *storage, int32_t key, const uint8_t *data, int32_t length) {
    if (!storage->words || length < 0 || length > NVRAM_RECORD_BYTES) return -STORE_FULL;
    uint32_t count = RECORD_WORDS + words_of((uint32_t)length);
    uint32_t spare = length ? RECORD_WORDS : 0; /* a removal always finds room */
    if (storage->end + count + spare >= storage->half_words && !rewrite(storage, count + spare)) return -STORE_FULL;
    append(half_at(storage, storage->half), storage->epoch, storage->end, (uint32_t)key, data, (uint32_t)length);
    storage->end += count;
    return 0;
}

int32_t nvram_read(const Nvram *storage, int32_t key, uint8_t *to, int32_t capacity) {
    uint32_t at = storage->words ? newest(storage, (uint32_t)key, HALF_WORDS) : 0;
    if (!at) return -1;
    const volatile uint32_t *record = half_at(storage, storage->half) + at;
    uint32_t length = record[2];
    if (length == 0) return -1;
    for (uint32_t i = 0; i < length && (int32_t)i < capacity; i += 4) {
        uint32_t word = record[RECORD_WORDS + i / 4];
        uint32_t left = (capacity < (int32_t)length ? (uint32_t)capacity : length) - i;
        memcpy(to + i, &word, left < 4 ? left : 4);
    }
    return (int32_t)length;
}

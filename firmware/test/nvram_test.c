/* The storage of boards without a file system (ports/qemu-rv32/nvram.h): the power is cut at each of its stores, and each of its bits flips. */
#include "check.h"
#include "contract.h"
#include "nvram.h"

#include <setjmp.h>
#include <stdlib.h>

#define WORDS 256 /* small, so that it is rewritten often */
#define KEYS 6
#define STEPS 120
#define LONGEST 60

static uint32_t memory[WORDS];
static Nvram storage;
static long stores_left = -1; /* until the power is cut; -1: never */
static jmp_buf cut;

void nvram_put(volatile uint32_t *at, uint32_t value) {
    if (stores_left == 0) longjmp(cut, 1);
    if (stores_left > 0) stores_left--;
    *at = value;
}

/* What the storage has to hold: lengths and a number that the bytes follow from. */
typedef struct {
    int32_t length;
    uint32_t number;
} Record;

static void fill(uint8_t *to, Record record) {
    for (int32_t i = 0; i < record.length; i++) to[i] = (uint8_t)(record.number * 31 + (uint32_t)i * 7);
}

static bool holds(int32_t key, Record record) {
    uint8_t wanted[LONGEST];
    uint8_t found[LONGEST];
    fill(wanted, record);
    int32_t length = nvram_read(&storage, key, found, LONGEST);
    return record.length ? length == record.length && memcmp(found, wanted, (size_t)length) == 0 : length == -1;
}

/* Step `number` of a story that is the same each time: which key, and what it is to hold. */
static Record step_of(uint32_t number, int32_t *key) {
    uint32_t noise = number * 2654435761u;
    *key = (int32_t)((noise >> 8) % KEYS) * 65536 + 1;
    return (Record){(noise >> 20) % 5 == 0 ? 0 : (int32_t)((noise >> 12) % LONGEST) + 1, number};
}

/* Whether what is read is `record` but for one bit of its bytes, as a module sees by its own check. */
static bool is_flipped(int32_t key, Record record) {
    uint8_t wanted[LONGEST];
    uint8_t found[LONGEST];
    fill(wanted, record);
    if (record.length == 0 || nvram_read(&storage, key, found, LONGEST) != record.length) return false;
    int bits = 0;
    for (int32_t i = 0; i < record.length; i++) bits += __builtin_popcount((unsigned)(wanted[i] ^ found[i]));
    return bits == 1;
}

static Record held[KEYS];
static uint32_t done; /* steps that were acknowledged */

static bool tell_story(void) {
    for (; done < STEPS; done++) {
        int32_t key;
        uint8_t data[LONGEST];
        Record record = step_of(done, &key);
        fill(data, record);
        if (nvram_write(&storage, key, data, record.length) != 0) return false;
        held[key / 65536] = record;
    }
    return true;
}

static void switch_on(void) {
    stores_left = -1;
    nvram_open(&storage, memory, sizeof memory);
}

static void test_cuts(void) {
    check_begin("a cut before any store: what was acknowledged is there, what was not is there or not at all");
    memset(memory, 0xa5, sizeof memory);
    switch_on();
    CHECK(tell_story() && storage.epoch > 5, "the story is too short: epoch %u", (unsigned)storage.epoch);
    for (long n = 0;; n++) {
        memset(memory, 0xa5, sizeof memory);
        memset(held, 0, sizeof held);
        done = 0;
        stores_left = n;
        if (setjmp(cut) == 0) {
            nvram_open(&storage, memory, sizeof memory);
            bool fine = tell_story();
            CHECK(fine, "no room at step %u", (unsigned)done);
            break; /* that was all of its stores */
        }
        switch_on();
        CHECK(storage.damaged == 0, "%u damaged after %ld stores", (unsigned)storage.damaged, n);
        int32_t key = -1;
        Record begun = step_of(done, &key);
        for (int32_t i = 0; i < KEYS; i++) {
            bool there = holds(i * 65536 + 1, held[i]) || (i == key / 65536 && holds(key, begun));
            CHECK(there, "key %d after %ld stores, %u steps", (int)i, n, (unsigned)done);
        }
        CHECK(tell_story(), "it does not go on after %ld stores", n);
        for (int32_t i = 0; i < KEYS; i++) CHECK(holds(i * 65536 + 1, held[i]), "key %d at the end, cut after %ld", (int)i, n);
    }
    check_end();
}

static uint32_t whole[WORDS];

static void test_damage(void) {
    check_begin("a flipped bit costs the bytes of one record at most and is told; no record is another's, older than it was, or back after its removal");
    memset(memory, 0, sizeof memory);
    memset(held, 0, sizeof held);
    done = 0;
    switch_on();
    CHECK(tell_story(), "no room");
    uint8_t data[LONGEST];
    fill(data, (Record){9, STEPS});
    CHECK(nvram_write(&storage, 1, data, 9) == 0 && nvram_write(&storage, 1, NULL, 0) == 0, "no room");
    held[0] = (Record){0, 0};
    memcpy(whole, memory, sizeof memory);
    uint32_t told = 0;
    for (uint32_t bit = 0; bit < WORDS * 32; bit++) {
        memcpy(memory, whole, sizeof memory);
        memory[bit / 32] ^= 1u << bit % 32;
        switch_on();
        int32_t lost = 0;
        for (int32_t i = 0; i < KEYS; i++) {
            if (holds(i * 65536 + 1, held[i])) continue;
            lost++;
            CHECK(is_flipped(i * 65536 + 1, held[i]), "bit %u: key %d is another's, or of another time", (unsigned)bit, (int)i);
        }
        CHECK(lost <= 1, "bit %u costs %d records", (unsigned)bit, (int)lost);
        CHECK(!lost || storage.damaged, "bit %u is not told", (unsigned)bit);
        told += storage.damaged > 0;
        CHECK(nvram_write(&storage, 7, (const uint8_t *)"new", 3) == 0 && nvram_read(&storage, 7, NULL, 0) == 3, "bit %u: no new record",
              (unsigned)bit);
    }
    CHECK(told > 500, "%u flips were told", (unsigned)told);
    check_end();
}

static void test_headers(void) {
    enum { AT = 6 /* the first record */, HEADER_BITS = NVRAM_HEADER_BYTES * 8 };
    const uint8_t first[] = "one";
    const uint8_t second[] = "another";
    uint8_t found[LONGEST];
    check_begin("two flipped bits of a header are told and cost that record; nothing is made of them that was never written");
    memset(memory, 0, sizeof memory);
    switch_on();
    CHECK(nvram_write(&storage, 1, first, sizeof first) == 0 && nvram_write(&storage, 2, second, sizeof second) == 0, "no room");
    memcpy(whole, memory, sizeof memory);
    for (uint32_t one = 0; one < HEADER_BITS; one++) {
        for (uint32_t two = one + 1; two < HEADER_BITS; two++) {
            memcpy(memory, whole, sizeof memory);
            memory[AT + one / 32] ^= 1u << one % 32;
            memory[AT + two / 32] ^= 1u << two % 32;
            switch_on();
            CHECK(storage.damaged == 1, "bits %u and %u: %u told", (unsigned)one, (unsigned)two, (unsigned)storage.damaged);
            int32_t length = nvram_read(&storage, 1, found, LONGEST);
            CHECK(length == -1 || (length == sizeof first && memcmp(found, first, sizeof first) == 0), "bits %u and %u: %d bytes", (unsigned)one,
                  (unsigned)two, (int)length);
            CHECK(nvram_read(&storage, 2, found, LONGEST) == sizeof second && memcmp(found, second, sizeof second) == 0,
                  "bits %u and %u: the other record", (unsigned)one, (unsigned)two);
        }
    }
    check_end();
}

static void test_full(void) {
    uint8_t data[LONGEST] = {1};
    check_begin("a full storage says so, keeps what it has, and takes removals");
    memset(memory, 0, sizeof memory);
    switch_on();
    int32_t key = 0;
    while (nvram_write(&storage, key, data, LONGEST) == 0) key++;
    CHECK(key > 4 && nvram_write(&storage, key, data, LONGEST) == -STORE_FULL, "%d records", (int)key);
    for (int32_t i = 0; i < key; i++) CHECK(nvram_read(&storage, i, data, LONGEST) == LONGEST, "record %d", (int)i);
    for (int32_t i = 0; i < key; i++) CHECK(nvram_write(&storage, i, data, 0) == 0, "removal %d", (int)i);
    for (int32_t i = 0; i < key; i++) CHECK(nvram_read(&storage, i, data, LONGEST) == -1, "record %d is still there", (int)i);
    CHECK(nvram_write(&storage, 1, data, LONGEST) == 0, "no room after the removals");
    check_end();
}

static void test_edges(void) {
    uint8_t data[LONGEST] = {1, 2, 3, 4, 5, 6, 7};
    uint8_t to[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    check_begin("a read copies what fits and answers the whole length; without a storage there is no room and no record");
    memset(memory, 0, sizeof memory);
    switch_on();
    CHECK(nvram_write(&storage, -5, data, 7) == 0 && nvram_read(&storage, -5, to, 5) == 7, "its length");
    CHECK(memcmp(to, "\1\2\3\4\5\11\11\11", 8) == 0, "its bytes");
    CHECK(nvram_write(&storage, 1, data, -1) == -STORE_FULL && nvram_write(&storage, 1, data, NVRAM_RECORD_BYTES + 1) == -STORE_FULL,
          "lengths that are none");
    storage = (Nvram){0};
    CHECK(nvram_write(&storage, 1, data, 1) == -STORE_FULL && nvram_read(&storage, 1, to, 8) == -1, "no storage");
    check_end();
}

int main(void) {
    test_cuts();
    test_damage();
    test_headers();
    test_full();
    test_edges();
    return CHECK_STATUS();
}

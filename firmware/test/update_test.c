/* Updates over a simulated flash: what is refused, and that a good module runs wherever the power goes. */

#include "update.h"

#include "check.h"
#include "contract.h"
#include "update_modules.h"

#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>

enum { SECTOR = 512, CAPACITY = 4096, ROOM = CAPACITY - SLOT_HEADER_BYTES - UPDATE_HEADER_BYTES };

/* What a port keeps beside the modules. */
typedef struct {
    SlotState states[SLOTS];
    UpdateLeft left;
} Kept;

/* Flash, and what was kept; a power cut leaves these alone. */
static uint8_t flash[SLOTS][CAPACITY];
static Kept kept;

/* A life of the board. */
static SlotState states[SLOTS];
static UpdateLeft left;
static Slots slots;
static Update update;
static int running;
static bool factory; /* a module beside the slots */

/* The power goes at the `cut`th byte that is written or sector that is erased, 0: never. What a cut tears is half programmed. */
static long cut;
static long steps;
static jmp_buf power;
static bool broken; /* the flash takes nothing */
static bool worn;   /* nor a slot's own header */
static int erased;  /* sectors */

static void step(void) {
    if (cut && ++steps >= cut) longjmp(power, 1);
}

static bool erase(void *context, int slot, uint32_t offset, uint32_t length) {
    (void)context;
    CHECK(slot != running && offset % SECTOR == 0 && length % SECTOR == 0 && offset + length <= CAPACITY, "erases %d at %u", slot, (unsigned)offset);
    for (uint32_t at = offset; at < offset + length; at += SECTOR) {
        memset(&flash[slot][at], 0x5a, SECTOR / 2);
        step();
        memset(&flash[slot][at], 0xff, SECTOR);
        erased++;
        step();
    }
    return !broken;
}

static bool program(void *context, int slot, uint32_t offset, const uint8_t *bytes, uint32_t length) {
    (void)context;
    CHECK(slot != running && offset + length <= CAPACITY, "writes %d at %u", slot, (unsigned)offset);
    for (uint32_t i = 0; i < length && !broken && !(worn && offset == 0); i++) {
        flash[slot][offset + i] &= bytes[i] | 0x0f;
        step();
        flash[slot][offset + i] &= bytes[i];
    }
    step();
    return true;
}

/* Stand-ins of the library: they depend on every bit of what they are given. */
static bool hash(const uint8_t *bytes, uint32_t length, uint8_t to[32]) {
    uint32_t sum = 2166136261u ^ length;
    for (uint32_t i = 0; i < length; i++) sum = (sum ^ bytes[i]) * 16777619u;
    for (int i = 0; i < 32; i++) to[i] = (uint8_t)((sum = sum * 1664525u + 1013904223u) >> 24);
    return true;
}

static void sign(const uint8_t key[64], const uint8_t digest[32], uint8_t to[64]) {
    for (int i = 0; i < 64; i++) to[i] = key[i] ^ digest[i % 32];
}

static bool verify(const uint8_t key[64], const uint8_t digest[32], const uint8_t signature[64]) {
    uint8_t right[64];
    sign(key, digest, right);
    return memcmp(right, signature, sizeof right) == 0;
}

static void keep(void *context) {
    (void)context;
    step();
    memcpy(kept.states, states, sizeof states);
    kept.left = left;
    step();
}

/* Whether nothing would be forgotten if the power went now. */
static bool is_kept(void) {
    return memcmp(kept.states, states, sizeof states) == 0 && kept.left.version == left.version && strcmp(kept.left.why, left.why) == 0;
}

static const EngineImport imports[] = {{"event", "v(iii)", NULL}, {"random", "i()", NULL}};

static UpdatePort port = {.capacity = CAPACITY, .sector = SECTOR, .at = {flash[0], flash[1]}, .erase = erase, .write = program, .hash = hash,
                          .verify = verify, .keep = keep, .imports = imports, .import_count = 2};

static uint8_t key[UPDATE_KEY_BYTES] = {1, 2, 3, 4, 5};
static const uint8_t *trusted = key;

/* A module file: header and module. */
typedef struct {
    uint8_t bytes[UPDATE_HEADER_BYTES + CAPACITY];
    uint32_t length; /* of the module */
} File;

static void put32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void seal(File *file) {
    uint8_t digest[32];
    (void)hash(file->bytes, 64, digest);
    sign(key, digest, file->bytes + 64);
}

/* A module of that version and length: the imports of `begins`, then a custom section of bytes that depend on the version, 0xff among them. */
static File made(uint32_t version, uint32_t length, const uint8_t *begins, uint32_t begun) {
    File file = {.length = length};
    uint8_t *module = file.bytes + UPDATE_HEADER_BYTES;
    memcpy(module, begins, begun);
    uint32_t rest = length - begun - 3;
    module[begun] = 0; /* custom */
    module[begun + 1] = (uint8_t)(0x80 | (rest & 127));
    module[begun + 2] = (uint8_t)(rest >> 7);
    for (uint32_t i = 0; i < rest; i++) module[begun + 3 + i] = i % 700 > 600 ? 0xff : (uint8_t)(version * 31 + i * 7);
    if (rest > 3000) memset(module + begun + 3 + 1000, 0xff, 1200); /* whole sectors that look erased */
    memcpy(file.bytes, "T2BM\1\1", 6);
    put32(file.bytes + 8, version);
    put32(file.bytes + 12, length);
    (void)hash(module, length, file.bytes + 16);
    memcpy(file.bytes + 48, "node-mqtt", 9);
    seal(&file);
    return file;
}

static uint32_t good_bytes = 1500;

static File good(uint32_t version) {
    return made(version, good_bytes, module_known, sizeof module_known);
}

/* One module after another, with no reset between: the slot that is taken, -1 of none. */
static int goes_on(void) {
    running = slots_choose(&slots);
    update_begins(&update, running);
    if (running >= 0) slots_started(&slots, running);
    keep(NULL);
    return running;
}

/* The board is switched on, and knows what was kept. */
static void wakes(void) {
    for (int i = 0; i < SLOTS; i++) (void)slots_read(&slots.slots[i], flash[i], CAPACITY);
    memcpy(states, kept.states, sizeof states);
    left = kept.left;
    slots.factory = factory;
    slots_open(&slots, states);
    running = -1;
    update_open(&update, &port, &slots, trusted, &left);
}

static int start(void) {
    wakes();
    return goes_on();
}

/* It reaches its broker and runs for its minute. */
static void proves(void) {
    slots_connected(&slots);
    update_connected(&update);
    slots_proved(&slots, running);
    keep(NULL);
}

/* It traps. */
static void fails(void) {
    int slot = running;
    slots_failed(&slots, slot);
    if (states[slot].fate == SLOT_LEFT) update_leave(&update, slot, "trapped");
    else keep(NULL);
    running = -1;
}

/* It ends in order, as a board does that sleeps. */
static void ends(void) {
    if (slots_ended(&slots, running)) update_leave(&update, running, UPDATE_ENDED_UNCONNECTED);
    else keep(NULL);
}

static void flashed(int slot) {
    for (uint32_t i = 0; i < 600; i++) flash[slot][SLOT_HEADER_BYTES + i] = (uint8_t)(i * 3);
    slots_header(flash[slot], flash[slot] + SLOT_HEADER_BYTES, 600, 1);
}

/* A board whose slots are empty, with a factory's module. */
static void empty(void) {
    memset(flash, 0xff, sizeof flash);
    memset(&kept, 0, sizeof kept);
    trusted = key;
    cut = steps = 0;
    broken = false;
    factory = true;
    CHECK(start() == -1, "not the factory's");
}

/* A board with a module that was flashed, and has proved itself. */
static void flashed_board(void) {
    empty();
    factory = false;
    flashed(0);
    CHECK(start() == 0, "not the flashed one");
    slots_proved(&slots, 0);
    keep(NULL);
}

static void fresh(const char *name) {
    check_begin(name);
    flashed_board();
}

typedef struct {
    uint8_t status;
    uint32_t offset;
    char text[UPDATE_ANSWER_BYTES];
} Told;

static Told told(void) {
    uint8_t bytes[UPDATE_ANSWER_BYTES];
    int32_t length = update_answer(&update, bytes, sizeof bytes);
    Told told = {.status = 99};
    if (length < 6 || bytes[0] != UPDATE_ANSWER) return told;
    told.status = bytes[1];
    told.offset = (uint32_t)bytes[2] << 24 | (uint32_t)bytes[3] << 16 | (uint32_t)bytes[4] << 8 | bytes[5];
    memcpy(told.text, bytes + 6, (size_t)length - 6);
    return told;
}

static Told offers(const File *file) {
    uint8_t message[1 + UPDATE_HEADER_BYTES] = {UPDATE_OFFER};
    memcpy(message + 1, file->bytes, UPDATE_HEADER_BYTES);
    (void)update_take(&update, message, sizeof message);
    return told();
}

static Told sends(const File *file, uint32_t offset, uint32_t length) {
    uint8_t message[5 + UPDATE_CHUNK_BYTES + 8] = {UPDATE_CHUNK};
    put32(message + 1, offset);
    memcpy(message + 5, file->bytes + UPDATE_HEADER_BYTES + offset, length);
    (void)update_take(&update, message, (int32_t)length + 5);
    return told();
}

static Told asks(void) {
    uint8_t message = UPDATE_ASK;
    (void)update_take(&update, &message, 1);
    return told();
}

/* The whole of it in chunks of `size`; the last answer. `resumed` tells from where. */
static Told deploys(const File *file, uint32_t size, uint32_t *resumed) {
    Told answer = offers(file);
    if (resumed) *resumed = answer.offset;
    while (answer.status == UPDATE_GO_ON && answer.offset < file->length) {
        uint32_t rest = file->length - answer.offset;
        answer = sends(file, answer.offset, rest < size ? rest : size);
    }
    return answer;
}

static bool holds(int slot, const File *file) {
    return slot >= 0 && slots.slots[slot].bytes == file->length &&
           memcmp(slots.slots[slot].module, file->bytes + UPDATE_HEADER_BYTES, file->length) == 0;
}

/* A module with another in the slot that is written: what was flashed, proved like the one that runs; or one that was left. */
static void before_flashed(void) {
    File two = good(2);
    flashed_board();
    (void)deploys(&two, 256, NULL);
    CHECK(start() == 1, "no module");
    proves();
}

static void before_left(void) {
    File two = good(2);
    flashed_board();
    (void)deploys(&two, 256, NULL);
    CHECK(start() == 1, "no module");
    fails();
    CHECK(start() == 0, "not left");
}

static void test_good(void) {
    File two = good(2);
    File three = good(3);
    fresh("a module is kept, runs on trial, proves itself and is followed by the next");
    Told answer = deploys(&two, 256, NULL);
    CHECK(answer.status == UPDATE_KEPT && strcmp(answer.text, "node-mqtt version 2 is kept and starts") == 0, "%s", answer.text);
    CHECK(update_complete(&update) && is_kept() && asks().status == UPDATE_KEPT && offers(&two).status == UPDATE_KEPT, "not complete");
    CHECK(offers(&three).status == UPDATE_REFUSED, "another one is taken before the first started");
    CHECK(goes_on() == 1 && holds(1, &two) && slots_on_trial(&slots, 1), "not the new one");
    CHECK(goes_on() == 1 && !update_complete(&update), "starts itself over and over");
    CHECK(told().status == 99, "tells before it has reached its broker");
    answer = asks();
    CHECK(answer.status == UPDATE_RUNS && answer.offset == 2 && strstr(answer.text, "until it reaches its broker"), "%s", answer.text);
    slots_connected(&slots);
    update_connected(&update);
    answer = told();
    CHECK(answer.status == UPDATE_RUNS && answer.offset == 2 && strstr(answer.text, "on trial for a minute"), "%s", answer.text);
    slots_proved(&slots, 1);
    keep(NULL);
    answer = offers(&two);
    CHECK(answer.status == UPDATE_RUNS && strcmp(answer.text, "node-mqtt version 2 runs") == 0, "%s", answer.text);
    CHECK(deploys(&three, 100, NULL).status == UPDATE_KEPT && start() == 0 && holds(0, &three), "the third is not taken");
    proves();
    for (int i = 0; i < 10; i++) CHECK(start() == 0, "left");
    check_end();

    fresh("the same module signed once more goes on where it was broken off, another begins anew");
    (void)offers(&two);
    for (uint32_t at = 0; at < 768; at += 256) (void)sends(&two, at, 256);
    start();
    two.bytes[100] ^= 1;
    CHECK(offers(&two).status == UPDATE_REFUSED, "without a look at the signature");
    two.bytes[100] ^= 1;
    answer = offers(&two);
    /* bytes 601 to 699 of the section are 0xff, as erased ones are: what ends in them is written again */
    CHECK(answer.status == UPDATE_GO_ON && answer.offset > 200 && answer.offset <= 768 && answer.offset % 16 == 0, "%u", (unsigned)answer.offset);
    CHECK(sends(&two, 0, 10).offset == answer.offset, "an old chunk is taken");
    CHECK(offers(&three).offset == 0 && offers(&two).offset == 0, "the other goes on");
    CHECK(deploys(&two, 256, NULL).status == UPDATE_KEPT, "not kept");
    check_end();

    check_begin("an offer erases two sectors, however long the module, and a chunk one at most");
    good_bytes = ROOM;
    before_left();
    File long_one = good(3);
    erased = 0;
    answer = offers(&long_one);
    CHECK(answer.status == UPDATE_GO_ON && erased == 2, "%d", erased);
    while (answer.status == UPDATE_GO_ON) {
        uint32_t rest = long_one.length - answer.offset;
        erased = 0;
        answer = sends(&long_one, answer.offset, rest < 256 ? rest : 256);
        CHECK(erased <= 1, "%d", erased);
    }
    CHECK(answer.status == UPDATE_KEPT, "%s", answer.text);
    good_bytes = 1500;
    check_end();

    fresh("a chunk without a header asks for the header");
    CHECK(sends(&two, 0, 256).offset == UPDATE_AWAITS_OFFER, "taken");
    check_end();

    fresh("an upload takes the same file, and goes on where it was broken off");
    CHECK(!update_upload_begin(&update, UPDATE_HEADER_BYTES + two.length), "refused");
    for (int life = 0; life < 2; life++) {
        uint32_t until = life ? UPDATE_HEADER_BYTES + two.length : 900;
        if (life) start();
        if (life) (void)update_upload_begin(&update, UPDATE_HEADER_BYTES + two.length);
        for (uint32_t at; (at = update_upload_awaits(&update)) < until;) {
            CHECK(!update_upload_write(&update, at, two.bytes + at, until - at < 200 ? until - at : 200), "%s", update.text);
            if (life && at > 0 && at < 200) CHECK(update_upload_awaits(&update) > 300, "from the beginning: %u", (unsigned)at);
        }
        CHECK(!update_upload_end(&update) == (life == 1), "%s", update.text);
    }
    CHECK(start() == 1 && holds(1, &two), "not the new one");
    check_end();
}

/* Bytes of the file from `from` to before `to` by an upload; why it is refused, or NULL. */
static const char *uploads(const File *file, uint32_t from, uint32_t to) {
    const char *refusal = NULL;
    if (from == 0) refusal = update_upload_begin(&update, UPDATE_HEADER_BYTES + file->length);
    for (uint32_t at = from; !refusal && at < to; at += to - at < 200 ? to - at : 200) {
        refusal = update_upload_write(&update, at, file->bytes + at, to - at < 200 ? to - at : 200);
    }
    return refusal;
}

static void test_two(void) {
    File two = good(2);
    File three = good(3);
    uint32_t all = UPDATE_HEADER_BYTES + three.length;
    fresh("of two who deploy at once the newer counts, and no byte of one gets into the other's");
    (void)offers(&two);
    (void)sends(&two, 0, 256);
    CHECK(!uploads(&three, 0, 600), "%s", update.text);
    CHECK(sends(&two, 256, 256).offset == UPDATE_AWAITS_OFFER, "a chunk of the older's is taken");
    CHECK(!uploads(&three, 600, 800), "%s", update.text);
    CHECK(offers(&two).status == UPDATE_GO_ON, "not taken");
    const char *refusal = uploads(&three, 800, 900);
    CHECK(refusal && strstr(refusal, "another module was deployed"), "taken");
    CHECK(deploys(&two, 256, NULL).status == UPDATE_KEPT, "not kept");
    refusal = update_upload_end(&update);
    CHECK(refusal && strstr(refusal, "another module was deployed"), "told that it is kept");
    CHECK(goes_on() == 1 && holds(1, &two), "not the newer's");
    check_end();

    fresh("what is no message, or not signed, disturbs no upload; an upload that is not signed disturbs no deployment");
    CHECK(!uploads(&three, 0, 600), "%s", update.text);
    uint8_t message = 77;
    (void)update_take(&update, &message, 1);
    CHECK(told().status == UPDATE_REFUSED, "taken");
    two.bytes[127] ^= 1;
    CHECK(offers(&two).status == UPDATE_REFUSED, "taken");
    CHECK(!uploads(&three, 600, all) && !update_upload_end(&update), "%s", update.text);
    CHECK(goes_on() == 1 && holds(1, &three), "not the one that was uploaded");
    proves();
    File four = good(4);
    (void)offers(&four);
    CHECK(uploads(&two, 0, 600) && sends(&four, 0, 256).offset == 256, "disturbed");
    check_end();
}

static void test_refused(void) {
    static const struct {
        const char *what;
        uint32_t at;
        uint8_t flip;
        bool seals;
        const char *says;
    } headers[] = {
        {"a bad signature", 127, 1, false, "signature is not of the key"},
        {"a header changed after it was signed", 11, 1, false, "signature is not of the key"},
        {"a header that is none", 0, 1, false, "no signed module"},
        {"a header of another version", 4, 2, true, "of version 3, this board knows 1"},
        {"another boundary version", 5, 8, true, "boundary version 9, this board has 1"},
        {"no bytes at all", 14, 5, true, NULL},
        {"more bytes than a slot has", 13, 1, true, "this board takes 1 to 3952"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        File file = good(2);
        fresh(headers[i].what);
        if (!headers[i].says) put32(file.bytes + 12, 0);
        else file.bytes[headers[i].at] ^= headers[i].flip;
        if (headers[i].seals) seal(&file);
        Told answer = offers(&file);
        CHECK(answer.status == UPDATE_REFUSED && strstr(answer.text, headers[i].says ? headers[i].says : "has 0 bytes"), "%s", answer.text);
        CHECK(flash[1][0] == 0xff && flash[1][CAPACITY - 1] == 0xff && sends(&file, 0, 100).offset == UPDATE_AWAITS_OFFER, "touched");
        check_end();
    }

    File file = good(5);
    fresh("no key on the board, or no library");
    trusted = NULL;
    start();
    CHECK(strstr(offers(&file).text, "no public_key"), "taken");
    trusted = key;
    port.verify = NULL;
    start();
    CHECK(strstr(offers(&file).text, "without a library"), "taken");
    port.verify = verify;
    check_end();

    fresh("an older version, and an equal one of other bytes");
    CHECK(deploys(&file, 256, NULL).status == UPDATE_KEPT && start() == 1, "not kept");
    proves();
    File other = good(4);
    CHECK(strstr(offers(&other).text, "version 4 is older than 5"), "taken");
    other = made(5, 1501, module_known, sizeof module_known);
    CHECK(strstr(offers(&other).text, "version 5 runs, and is another module"), "taken");
    CHECK(start() == 1, "left");
    check_end();

    fresh("a signature of another key, also of the module that runs");
    (void)deploys(&file, 256, NULL);
    start();
    file.bytes[80] ^= 1;
    CHECK(strstr(offers(&file).text, "signature is not of the key"), "taken");
    file.bytes[80] ^= 1;
    CHECK(offers(&file).status == UPDATE_RUNS, "not told");
    check_end();

    fresh("bytes that were not signed, and the next attempt begins anew");
    file = good(5);
    file.bytes[UPDATE_HEADER_BYTES + 1499] ^= 1;
    CHECK(strstr(deploys(&file, 256, NULL).text, "not those that were signed"), "taken");
    file = good(5);
    uint32_t from;
    CHECK(deploys(&file, 256, &from).status == UPDATE_KEPT && from == 0, "from %u", (unsigned)from);
    check_end();

    fresh("a chunk too long, and one over the end");
    (void)offers(&file);
    CHECK(strstr(sends(&file, 0, 257).text, "takes 256 at once"), "taken");
    (void)offers(&file);
    for (uint32_t at = 0; at < 1280; at += 256) (void)sends(&file, at, 256);
    CHECK(strstr(sends(&file, 1280, 221).text, "longer than its header"), "taken");
    check_end();

    static const struct {
        const char *what;
        const uint8_t *begins;
        uint32_t begun;
        const char *says;
    } modules[] = {
        {"an import that the board does not have", module_unknown, sizeof module_unknown, "imports levitate, which this board does not have"},
        {"an import from elsewhere", module_elsewhere, sizeof module_elsewhere, "imports event, which"},
        {"an import with other types", module_types, sizeof module_types, "imports event, with other types"},
        {"an import that is no function", module_memory, sizeof module_memory, "imports event, which"},
        {"a section that is longer than the module", module_cut, sizeof module_cut, "cut off"},
        {"no WebAssembly", (const uint8_t *)"no module", 9, "no WebAssembly"},
    };
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        fresh(modules[i].what);
        file = made(2, 400, modules[i].begins, modules[i].begun);
        Told answer = deploys(&file, 256, NULL);
        CHECK(answer.status == UPDATE_REFUSED && strstr(answer.text, modules[i].says), "%s", answer.text);
        CHECK(start() == 0, "it runs");
        check_end();
    }

    fresh("a module's bytes damaged anywhere read nothing outside it");
    for (uint32_t i = 8; i < sizeof module_known; i++) {
        for (unsigned value = 0; value < 256; value++) {
            char why[UPDATE_WHY_BYTES];
            uint8_t *copy = malloc(i + 1); /* of its own length, so that a sanitizer sees a read behind it */
            if (!copy) abort();
            memcpy(copy, module_known, i + 1);
            copy[i] = (uint8_t)value;
            (void)module_imports_known(copy, i + 1, imports, 2, why, sizeof why);
            free(copy);
        }
    }
    check_end();

    fresh("a flash that takes nothing is told, and the old module runs on");
    file = good(2);
    (void)offers(&file);
    broken = true;
    CHECK(strstr(sends(&file, 0, 256).text, "flash did not take"), "taken");
    CHECK(strstr(offers(&file).text, "flash"), "taken");
    broken = false;
    CHECK(start() == 0 && deploys(&file, 256, NULL).status == UPDATE_KEPT, "not taken afterwards");
    check_end();

    fresh("a flash that does not take the slot's own header is told, and the next attempt begins anew");
    worn = true;
    CHECK(strstr(deploys(&file, 256, NULL).text, "flash did not take"), "taken");
    worn = false;
    CHECK(start() == 0 && deploys(&file, 256, &from).status == UPDATE_KEPT && from == 0, "from %u", (unsigned)from);
    check_end();

    fresh("messages that are none");
    for (int32_t length = 0; length < 130; length++) {
        uint8_t message[130] = {(uint8_t)(length % 7)};
        if ((message[0] == UPDATE_ASK && length == 1) || (message[0] == UPDATE_CHUNK && length >= 5) || length == 129) continue;
        (void)update_take(&update, message, length);
        CHECK(told().status == UPDATE_REFUSED, "%d bytes", (int)length);
    }
    check_end();
}

static void test_trial(void) {
    File two = good(2);
    File three = good(3);
    fresh("one that never reaches its broker is left, and the old one tells why");
    (void)deploys(&two, 256, NULL);
    CHECK(start() == 1, "not the new one");
    slots_proved(&slots, 1); /* its minute is over */
    CHECK(!slots_overdue(&slots, 1, UPDATE_TRIAL_MS - 1) && slots_overdue(&slots, 1, UPDATE_TRIAL_MS), "not overdue");
    slots_refused(&slots, 1);
    update_leave(&update, 1, "did not reach its broker");
    CHECK(is_kept() && start() == 0, "again");
    slots_connected(&slots);
    update_connected(&update);
    Told answer = told();
    CHECK(answer.status == UPDATE_LEFT && answer.offset == 2 && strstr(answer.text, "version 2 was left: did not reach"), "%s", answer.text);
    update_connected(&update);
    CHECK(told().status == 99 && asks().status == UPDATE_LEFT, "told twice, or not at all when asked");
    CHECK(offers(&two).status == UPDATE_GO_ON && is_kept() && left.version == 0, "forgets that it was left only until the power goes");
    CHECK(deploys(&two, 256, NULL).status == UPDATE_KEPT && start() == 1 && asks().status == UPDATE_RUNS, "not taken again");
    check_end();

    fresh("one that reached its broker is not overdue, and traps on trial leave it");
    (void)deploys(&two, 256, NULL);
    start();
    slots_connected(&slots);
    CHECK(!slots_overdue(&slots, 1, UINT32_MAX), "overdue");
    fails();
    CHECK(start() == 0, "again");
    check_end();

    fresh("three resets while it is on trial leave it, and the reason says so");
    (void)deploys(&two, 256, NULL);
    for (int i = 0; i < SLOTS_FAILURES; i++) CHECK(start() == 1, "left after %d", i);
    CHECK(start() == 0 && left.version == 2 && strstr(left.why, "reset each time"), "%s", left.why);
    check_end();

    fresh("ends in order prove one that sleeps only when it reached its broker each time");
    (void)deploys(&two, 256, NULL);
    for (int i = 0; i < SLOTS_ENDS; i++) {
        CHECK(start() == 1, "left after %d", i);
        ends();
    }
    CHECK(start() == 0 && left.version == 2 && strcmp(left.why, "ended three times without reaching its broker") == 0, "proved, or: %s", left.why);
    (void)deploys(&two, 256, NULL);
    for (int i = 0; i < SLOTS_ENDS; i++) {
        CHECK(start() == 1, "left after %d", i);
        slots_connected(&slots);
        ends();
    }
    CHECK(start() == 1 && !slots_on_trial(&slots, 1), "not proved");
    check_end();

    fresh("while one is on trial nothing takes the place of the one to go back to");
    (void)deploys(&two, 256, NULL);
    start();
    CHECK(strstr(offers(&three).text, "is on trial"), "taken");
    proves();
    CHECK(deploys(&three, 256, NULL).status == UPDATE_KEPT, "not taken");
    check_end();

    fresh("while the board rests before a start, the one that is about to start stays, and an older one is refused");
    (void)deploys(&three, 256, NULL);
    start();
    proves();
    fails();
    CHECK(slots_choose(&slots) == 1 && slots_wait(&slots, 1) > 0, "no rest");
    CHECK(offers(&two).status == UPDATE_REFUSED, "an older one is taken");
    File four = good(4);
    CHECK(deploys(&four, 256, NULL).status == UPDATE_KEPT && goes_on() == 0 && holds(0, &four) && holds(1, &three), "not taken");
    fails(); /* on trial */
    CHECK(offers(&two).status == UPDATE_REFUSED, "an older one is taken before the start");
    four = good(5);
    CHECK(deploys(&four, 256, NULL).status == UPDATE_KEPT && holds(1, &three) && holds(0, &four), "in the place of the one to go back to");
    CHECK(goes_on() == 0, "not the new one");
    check_end();

    fresh("the same after a reset, before anything has begun");
    (void)deploys(&three, 256, NULL);
    start();
    proves();
    wakes();
    CHECK(offers(&two).status == UPDATE_REFUSED, "an older one is taken");
    CHECK(deploys(&four, 256, NULL).status == UPDATE_KEPT && goes_on() == 0 && holds(1, &three), "in the place of the one to go back to");
    check_end();

    fresh("after a reset of one on trial, the one to go back to stays before anything has begun");
    (void)deploys(&three, 256, NULL);
    start();
    wakes();
    CHECK(strstr(offers(&four).text, "is on trial"), "taken");
    check_end();

    fresh("one that runs in turn, though it was left, is taken when it is offered again");
    (void)deploys(&three, 256, NULL);
    start();
    fails();
    CHECK(goes_on() == 0, "not the other");
    slots_refused(&slots, 0);
    keep(NULL);
    CHECK(start() == 1 && states[1].fate == SLOT_LEFT, "not in turn");
    CHECK(deploys(&three, 256, NULL).status == UPDATE_KEPT && goes_on() == 0 && holds(0, &three), "not taken");
    check_end();

    fresh("an upload that began while the board rests goes on when the module starts");
    (void)offers(&three);
    (void)sends(&three, 0, 256);
    CHECK(goes_on() == 0 && sends(&three, 256, 256).offset == 512, "broken off");
    check_end();

    check_begin("where both were left the older one gives way, and one that was left also while another is on trial");
    empty();
    for (uint32_t version = 2; version < 4; version++) {
        File file = good(version);
        CHECK(deploys(&file, 256, NULL).status == UPDATE_KEPT && goes_on() == (int)version - 2, "not taken");
        fails();
        CHECK(goes_on() == -1, "not the factory's");
    }
    CHECK(deploys(&four, 256, NULL).status == UPDATE_KEPT && goes_on() == 0, "not in the place of the older");
    fails();
    CHECK(goes_on() == -1, "not the factory's");
    four = good(6);
    CHECK(deploys(&four, 256, NULL).status == UPDATE_KEPT && goes_on() == 1, "not in the place of the older");
    four = good(7);
    CHECK(deploys(&four, 256, NULL).status == UPDATE_KEPT && goes_on() == 0, "not in the place of the one that was left");
    check_end();
}

/* The power goes at every byte that is written, torn, every sector that is erased, and before and after what is kept, while a module is deployed: what
 * ran runs, or the new one, whole; and the same deployment ends in the new one. */
static void cuts(const char *name, void (*before)(void), uint32_t bytes) {
    good_bytes = bytes;
    File three = good(3);
    check_begin(name);
    before();
    volatile int runs = running;
    steps = 0;
    cut = LONG_MAX;
    (void)deploys(&three, 256, NULL);
    volatile long most = steps;
    volatile uint32_t resumed = 0;
    for (volatile long at = 1; at <= most; at++) {
        before();
        steps = 0;
        cut = at;
        volatile bool is_cut = true;
        if (setjmp(power) == 0) {
            (void)deploys(&three, 256, NULL);
            is_cut = false;
        }
        cut = 0;
        CHECK(is_cut, "no cut at %ld", at);
        int slot = start();
        CHECK(slot == runs || holds(slot, &three), "slot %d after a cut at %ld", slot, at);
        if (slot != runs) continue; /* the header was written last, and whole */
        uint32_t from;
        Told answer = deploys(&three, at % 2 ? 256 : 100, &from);
        if (from > resumed) resumed = from;
        CHECK(answer.status == UPDATE_KEPT && is_kept(), "after a cut at %ld: %s", at, answer.text);
        CHECK(start() == 1 - runs && holds(running, &three), "not the new one after a cut at %ld", at);
    }
    CHECK(most > 1500 && resumed >= 768, "%ld steps, gone on at %u", most, (unsigned)resumed);
    check_end();
    good_bytes = 1500;
}

static void test_cuts(void) {
    File three = good(3);
    cuts("cut at every write over the module before: a good module runs, and the deployment goes on", before_flashed, 1500);
    cuts("cut at every write over a module that was left: it never runs again", before_left, 1500);
    cuts("cut at every write of a module that fills the slot, whole sectors of 0xff in it, over another of its size", before_left, ROOM);

    fresh("cut at every chunk, over and over: each life brings it further");
    for (int lives = 0;; lives++) {
        start();
        Told answer = offers(&three);
        for (int i = 0; i < 2 && answer.status == UPDATE_GO_ON; i++) {
            answer = sends(&three, answer.offset, three.length - answer.offset < 256 ? three.length - answer.offset : 256);
        }
        if (answer.status == UPDATE_KEPT) break;
        CHECK(lives < 40, "no end");
        if (lives >= 40) break;
    }
    CHECK(start() == 1 && holds(1, &three), "not the new one");
    check_end();
}

static void test_key(void) {
    uint8_t read[UPDATE_KEY_BYTES];
    char text[140];
    check_begin("a key is 128 hexadecimal digits, blanks around them");
    memset(text, 'a', sizeof text);
    memcpy(text, " \n0F", 4);
    text[130] = '\n';
    CHECK(update_key(read, text, 131) && read[0] == 0x0f && read[63] == 0xaa, "not read");
    CHECK(!update_key(read, text, 129) && !update_key(read, text, 132) && !update_key(read, text, 0), "read");
    text[50] = 'g';
    CHECK(!update_key(read, text, 131), "read");
    check_end();
}

int main(void) {
    test_good();
    test_two();
    test_refused();
    test_trial();
    test_cuts();
    test_key();
    return CHECK_STATUS();
}

#include "update.h"

#include "contract.h"
#include "module_imports.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_VERSION = 1, NAME_BYTES = 16, SIGNED_BYTES = 64, AT_BOUNDARY = 5, AT_VERSION = 8, AT_LENGTH = 12, AT_HASH = 16, AT_NAME = 48 };

#define PARAGRAPH 16u /* bytes that encrypted flash writes at once */

/* Whose offer counts. */
enum { BY_NOBODY, BY_MESSAGES, BY_UPLOAD };

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static void put32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(value >> (24 - 8 * i));
}

__attribute__((format(printf, 4, 5))) static void answer(Update *update, uint8_t status, uint32_t offset, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(update->text, sizeof update->text, format, arguments);
    va_end(arguments);
    update->status = status;
    update->offset = offset;
    update->answers = true;
}

static void go_on(Update *update) {
    answer(update, UPDATE_GO_ON, update->at, "%s", "");
}

/* The name in a header, as it may be shown. */
static const char *name_of(const uint8_t *header, char name[NAME_BYTES + 1]) {
    memcpy(name, header + AT_NAME, NAME_BYTES);
    name[NAME_BYTES] = 0;
    return name;
}

static const Slot *slot_of(const Update *update, int slot) {
    return &update->slots->slots[slot];
}

static const uint8_t *tail_of(const Update *update, int slot) {
    return update->port->at[slot] + update->port->capacity - UPDATE_HEADER_BYTES;
}

/* Whether both headers sign the same; signatures differ each time that something is signed. */
static bool same(const uint8_t *one, const uint8_t *other) {
    return memcmp(one, other, SIGNED_BYTES) == 0;
}

void update_open(Update *update, const UpdatePort *port, Slots *slots, const uint8_t *key, UpdateLeft *left) {
    *update = (Update){.port = port, .slots = slots, .key = key, .left = left, .running = slots_choose(slots), .slot = -1};
    left->why[UPDATE_WHY_BYTES - 1] = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (!slots->slots[i].deployed || slots->states[i].fate != SLOT_LEFT || left->version == slots->slots[i].version) continue;
        update_leave(update, i, "the board was reset each time it was started");
    }
}

void update_begins(Update *update, int slot) {
    update->running = slot;
    update->complete = update->answers = update->told = false;
}

bool update_complete(const Update *update) {
    return update->complete;
}

static void tell_running(Update *update) {
    char name[NAME_BYTES + 1];
    const Slot *slot = update->running < 0 ? NULL : slot_of(update, update->running);
    if (!slot || !slot->deployed) answer(update, UPDATE_RUNS, 0, "the module that was flashed runs");
    else {
        bool on_trial = slots_on_trial(update->slots, update->running);
        answer(update, UPDATE_RUNS, slot->version, "%s version %lu runs%s", name_of(slot->deployed, name), (unsigned long)slot->version,
               !on_trial ? "" : update->slots->connected ? ", on trial for a minute" : ", on trial until it reaches its broker");
    }
}

static void tell_left(Update *update) {
    answer(update, UPDATE_LEFT, update->left->version, "version %lu was left: %s", (unsigned long)update->left->version, update->left->why);
}

void update_connected(Update *update) {
    if (update->answers) return;
    if (update->running >= 0 && slots_on_trial(update->slots, update->running)) tell_running(update);
    else if (update->left->version && !update->told) tell_left(update);
    update->told = true;
}

void update_leave(Update *update, int slot, const char *why) {
    update->running = slots_choose(update->slots);
    if (!slot_of(update, slot)->deployed) return;
    update->left->version = slot_of(update, slot)->version;
    (void)snprintf(update->left->why, sizeof update->left->why, "%s", why);
    update->port->keep(update->port->context);
}

__attribute__((format(printf, 2, 3))) static bool refuse(Update *update, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(update->text, sizeof update->text, format, arguments);
    va_end(arguments);
    update->status = UPDATE_REFUSED;
    update->offset = 0;
    update->answers = true;
    update->slot = -1;
    return false;
}

/* Whether whoever made the header may: before that nothing of it is looked at. */
static bool trusted(Update *update, const uint8_t *header) {
    const UpdatePort *port = update->port;
    uint8_t hash[32];
    if (!port->verify || !port->hash) return refuse(update, "this board takes no modules: its firmware was built without a library for signatures");
    if (!update->key) return refuse(update, "this board takes no modules: it was given no public_key");
    if (memcmp(header, "T2BM", 4) != 0) return refuse(update, "this is no signed module: its header begins otherwise; sign it with twobyte deploy");
    if (header[4] != HEADER_VERSION) return refuse(update, "the header is of version %d, this board knows %d: deploy with the tools of its firmware's release", header[4], HEADER_VERSION);
    if (!port->hash(header, SIGNED_BYTES, hash) || !port->verify(update->key, hash, header + SIGNED_BYTES)) {
        return refuse(update, "the signature is not of the key that this board trusts: sign with the private key of its public_key");
    }
    return true;
}

/* The highest version that this board has and did not leave: what was repaired is not undone, whatever runs at the moment. */
static uint32_t newest(const Update *update) {
    uint32_t version = 0;
    for (int i = 0; i < SLOTS; i++) {
        const Slot *slot = slot_of(update, i);
        if (slot->module && update->slots->states[i].fate != SLOT_LEFT && slot->version > version) version = slot->version;
    }
    return version;
}

static bool judge(Update *update, const uint8_t *header) {
    const UpdatePort *port = update->port;
    uint32_t length = get32(header + AT_LENGTH);
    uint32_t version = get32(header + AT_VERSION);
    uint32_t room = port->capacity - SLOT_HEADER_BYTES - UPDATE_HEADER_BYTES;
    uint32_t beaten = newest(update);
    const char *place = update->running >= 0 && slot_of(update, update->running)->version == beaten ? "runs" : "is kept here";
    if (header[AT_BOUNDARY] != ABI_VERSION) {
        return refuse(update, "the module is made for boundary version %d, this board has %d: take a module of its firmware's release", header[AT_BOUNDARY], ABI_VERSION);
    }
    if (length == 0 || length > room) return refuse(update, "the module has %lu bytes, this board takes 1 to %lu", (unsigned long)length, (unsigned long)room);
    if (version < beaten) return refuse(update, "version %lu is older than %lu, which %s: deploy with a higher one", (unsigned long)version, (unsigned long)beaten, place);
    if (version == beaten) return refuse(update, "version %lu %s, and is another module: deploy with a higher one", (unsigned long)version, place);
    return true;
}

/* The slot that an offer is written to: the one that it was begun in, an empty one, one that was left, the older one; -1 when there is none to spare. */
static int target(const Update *update, const uint8_t *header) {
    int best = -1;
    int rank = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (i == update->running) continue;
        const Slot *slot = slot_of(update, i);
        int worth = slot->module ? update->slots->states[i].fate == SLOT_LEFT ? 2 : 1 : same(tail_of(update, i), header) ? 4 : 3;
        /* What runs may turn out to be no good: what it would be left for stays. */
        bool needed = worth == 1 && update->running >= 0 && update->slots->states[update->running].fate == SLOT_NEW;
        bool older = best >= 0 && worth == rank && slot->module && (int32_t)(slot->sequence - slot_of(update, best)->sequence) < 0;
        if (!needed && (worth > rank || older)) {
            best = i;
            rank = worth;
        }
    }
    return best;
}

static bool put(Update *update, int slot, uint32_t offset, const uint8_t *bytes, uint32_t length) {
    const UpdatePort *port = update->port;
    if (port->write(port->context, slot, offset, bytes, length) && memcmp(port->at[slot] + offset, bytes, length) == 0) return true;
    return refuse(update, "the board's flash did not take the module: deploy it again, and if that fails too, the flash is worn out");
}

static bool wipe(Update *update, int slot, uint32_t from, uint32_t to) {
    const UpdatePort *port = update->port;
    from = from / port->sector * port->sector;
    to = (to + port->sector - 1) / port->sector * port->sector;
    if (port->erase(port->context, slot, from, to - from)) return true;
    return refuse(update, "the board's flash could not be erased: deploy again, and if that fails too, the flash is worn out");
}

/* What is in the way is erased a sector at a time, always one ahead of where is written: so behind the last byte that was written comes a sector that is
 * erased, and what lies behind that is of another module. The first sector is erased with the offer, and the last one, which has the signed header. */

/* Where in a sector bytes of a module of that length lie, as offsets in the slot; false: nowhere. */
static bool part_of(const Update *update, uint32_t sector, uint32_t length, uint32_t *from, uint32_t *to) {
    uint32_t bytes = update->port->sector;
    uint32_t end = SLOT_HEADER_BYTES + length;
    *from = sector == 0 ? SLOT_HEADER_BYTES : sector * bytes;
    *to = end < (sector + 1) * bytes ? end : (sector + 1) * bytes;
    return *from < *to;
}

static bool is_erased(const Update *update, int slot, uint32_t from, uint32_t to) {
    const uint8_t *at = update->port->at[slot];
    while (from < to && at[from] == 0xff) from++;
    return from == to;
}

/* Where the bytes of the module end in a slot that was broken off, less a chunk, which may be torn. */
static uint32_t written(const Update *update, int slot, uint32_t length) {
    const uint8_t *module = update->port->at[slot] + SLOT_HEADER_BYTES;
    uint32_t from = 0, to = 0;
    uint32_t sector = 0;
    while (part_of(update, sector, length, &from, &to) && !is_erased(update, slot, from, to)) sector++;
    if (from < to) length = from - SLOT_HEADER_BYTES;
    while (length > 0 && module[length - 1] == 0xff) length--;
    return length <= UPDATE_CHUNK_BYTES ? 0 : (length - UPDATE_CHUNK_BYTES) / PARAGRAPH * PARAGRAPH;
}

/* Before bytes are written to these offsets of the slot: of each sector that begins among them the next one is erased. One that is erased stays as it is: a cut
 * while it is erased once more would leave what looks written. */
static bool clear_ahead(Update *update, int slot, uint32_t offset, uint32_t length) {
    uint32_t bytes = update->port->sector;
    uint32_t last = (update->port->capacity - UPDATE_HEADER_BYTES) / bytes;
    uint32_t from, to;
    if (offset == SLOT_HEADER_BYTES) offset = 0;
    for (uint32_t sector = (offset + bytes - 1) / bytes; sector * bytes < offset + length + (offset == 0 ? SLOT_HEADER_BYTES : 0); sector++) {
        if (sector + 1 >= last || !part_of(update, sector + 1, update->length, &from, &to)) continue;
        if (!is_erased(update, slot, from, to) && !wipe(update, slot, from, to)) return false;
    }
    return true;
}

/* The headers of the module before go first, so that it is none; only then what is known of it, that it was left, or it would run again after a cut. */
static bool clear(Update *update, int slot, const uint8_t *header) {
    uint32_t capacity = update->port->capacity;
    update->slots->slots[slot] = (Slot){.error = "is being written"};
    if (!wipe(update, slot, capacity - UPDATE_HEADER_BYTES, capacity) || !wipe(update, slot, 0, SLOT_HEADER_BYTES)) return false;
    update->slots->states[slot] = (SlotState){.check = 0};
    *update->left = (UpdateLeft){.version = 0};
    update->port->keep(update->port->context);
    return put(update, slot, capacity - UPDATE_HEADER_BYTES, header, UPDATE_HEADER_BYTES);
}

static void offer(Update *update, const uint8_t *header, uint8_t by) {
    int open = update->by == by ? -1 : update->slot;
    if (!trusted(update, header)) {
        update->slot = open; /* whoever cannot sign disturbs nobody */
        return;
    }
    update->slot = -1;
    update->by = by;
    for (int i = 0; i < SLOTS; i++) {
        const Slot *slot = slot_of(update, i);
        if (!slot->deployed || !same(slot->deployed, header) || update->slots->states[i].fate == SLOT_LEFT) continue;
        if (i == update->running) tell_running(update);
        else if (update->complete) answer(update, UPDATE_KEPT, slot->bytes, "the module is kept already, and starts");
        else continue;
        return;
    }
    if (update->complete) {
        (void)refuse(update, "the board is about to start another module: deploy again then");
        return;
    }
    if (!judge(update, header)) return;
    int slot = target(update, header);
    if (slot < 0) {
        (void)refuse(update, "the module that runs is on trial, and the other slot holds the one to go back to: deploy again when it proved itself");
        return;
    }
    update->length = get32(header + AT_LENGTH);
    if (!slot_of(update, slot)->module && same(tail_of(update, slot), header)) update->at = written(update, slot, update->length);
    else if (clear(update, slot, header)) update->at = 0;
    else return;
    update->slot = slot;
    go_on(update);
}

/* Refuses what was written to the slot: the tail goes, so that it is not gone on with. */
static bool drop(Update *update, int slot) {
    const UpdatePort *port = update->port;
    (void)port->erase(port->context, slot, (port->capacity - UPDATE_HEADER_BYTES) / port->sector * port->sector, port->sector);
    return false;
}

static bool finish(Update *update) {
    const UpdatePort *port = update->port;
    int slot = update->slot;
    const uint8_t *module = port->at[slot] + SLOT_HEADER_BYTES;
    const uint8_t *header = tail_of(update, slot);
    uint8_t hash[32];
    uint8_t own[SLOT_HEADER_BYTES];
    char why[UPDATE_WHY_BYTES];
    char name[NAME_BYTES + 1];
    if (!port->hash(module, update->length, hash) || memcmp(hash, header + AT_HASH, sizeof hash) != 0) {
        (void)drop(update, slot);
        return refuse(update, "the module's bytes are not those that were signed: deploy it again");
    }
    if (!module_imports_known(module, update->length, port->imports, port->import_count, why, sizeof why)) {
        (void)drop(update, slot);
        return refuse(update, "%s", why);
    }
    const Slot *other = slot_of(update, 1 - slot);
    slots_deployed_header(own, module, update->length, other->module ? other->sequence + 1 : 1);
    if (!put(update, slot, 0, own, sizeof own)) return drop(update, slot);
    Slot *taken = &update->slots->slots[slot];
    if (!slots_read(taken, port->at[slot], port->capacity)) {
        (void)drop(update, slot);
        return refuse(update, "the slot %s", taken->error);
    }
    update->slots->states[slot] = (SlotState){.check = taken->check};
    port->keep(port->context);
    update->slot = -1;
    update->complete = true;
    answer(update, UPDATE_KEPT, update->length, "%s version %lu is kept and starts", name_of(taken->deployed, name), (unsigned long)taken->version);
    return true;
}

static bool chunk(Update *update, uint32_t offset, const uint8_t *bytes, uint32_t length, uint8_t by) {
    if (update->slot < 0 || update->by != by) {
        answer(update, UPDATE_GO_ON, UPDATE_AWAITS_OFFER, "the header is awaited first");
        return true;
    }
    if (offset != update->at) {
        go_on(update);
        return true;
    }
    if (length > UPDATE_CHUNK_BYTES) return refuse(update, "a chunk has %lu bytes, this board takes %d at once", (unsigned long)length, UPDATE_CHUNK_BYTES);
    if (length > update->length - offset) return refuse(update, "the module is longer than its header says");
    int slot = update->slot;
    if (length > 0 && !(clear_ahead(update, slot, SLOT_HEADER_BYTES + offset, length) && put(update, slot, SLOT_HEADER_BYTES + offset, bytes, length))) return drop(update, slot);
    update->at += length;
    if (update->at == update->length) return finish(update);
    go_on(update);
    return true;
}

int32_t update_take(Update *update, const uint8_t *message, int32_t length) {
    int uploaded_to = update->by == BY_UPLOAD ? update->slot : -1;
    if (length == UPDATE_HEADER_BYTES + 1 && message[0] == UPDATE_OFFER) offer(update, message + 1, BY_MESSAGES);
    else if (length >= 5 && message[0] == UPDATE_CHUNK) (void)chunk(update, get32(message + 1), message + 5, (uint32_t)length - 5, BY_MESSAGES);
    else if (length == 1 && message[0] == UPDATE_ASK) {
        if (update->complete) answer(update, UPDATE_KEPT, update->length, "the new module is kept, and starts");
        else if (update->left->version) tell_left(update);
        else tell_running(update);
    } else {
        (void)refuse(update, "no message of an update: %ld bytes", (long)length);
        update->slot = uploaded_to;
    }
    return 0;
}

int32_t update_answer(Update *update, uint8_t *to, int32_t capacity) {
    if (!update->answers || capacity < 6) return 0;
    size_t length = strlen(update->text);
    if (length > (size_t)capacity - 6) length = (size_t)capacity - 6;
    to[0] = UPDATE_ANSWER;
    to[1] = update->status;
    put32(to + 2, update->offset);
    memcpy(to + 6, update->text, length);
    update->answers = false;
    return 6 + (int32_t)length;
}

const char *update_upload_begin(Update *update, uint32_t length) {
    update->uploaded = 0;
    update->upload_length = length;
    update->status = UPDATE_GO_ON;
    update->answers = false;
    if (length > UPDATE_HEADER_BYTES) return NULL;
    (void)refuse(update, "this is no signed module: it has %lu bytes", (unsigned long)length);
    update->answers = false;
    return update->text;
}

static const char taken_over[] = "another module was deployed to the board meanwhile: deploy again when that one runs";

const char *update_upload_write(Update *update, uint32_t offset, const uint8_t *bytes, uint32_t length) {
    if (update->uploaded == UPDATE_HEADER_BYTES && update->by != BY_UPLOAD) return taken_over;
    if (offset != update_upload_awaits(update)) return NULL; /* it came before */
    if (offset < UPDATE_HEADER_BYTES) {
        uint32_t part = UPDATE_HEADER_BYTES - offset < length ? UPDATE_HEADER_BYTES - offset : length;
        memcpy(update->head + offset, bytes, part);
        update->uploaded += part;
        bytes += part;
        length -= part;
        if (update->uploaded < UPDATE_HEADER_BYTES) return NULL;
        offer(update, update->head, BY_UPLOAD);
        if (update->status == UPDATE_REFUSED) {
            update->answers = false;
            return update->text;
        }
        if (update->slot >= 0 && update->at > 0) length = 0; /* it goes on further behind */
    }
    if (update->slot >= 0 && length > 0) (void)chunk(update, update->at, bytes, length, BY_UPLOAD);
    update->answers = false;
    return update->status == UPDATE_REFUSED ? update->text : NULL;
}

uint32_t update_upload_awaits(const Update *update) {
    if (update->uploaded < UPDATE_HEADER_BYTES) return update->uploaded;
    return update->slot < 0 ? update->upload_length : UPDATE_HEADER_BYTES + update->at;
}

const char *update_upload_end(Update *update) {
    if (update->uploaded == UPDATE_HEADER_BYTES && update->by != BY_UPLOAD) return taken_over;
    if (update->complete || (update->uploaded == UPDATE_HEADER_BYTES && update->status == UPDATE_RUNS)) return NULL;
    return "the module is not whole: upload it again";
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool update_key(uint8_t to[UPDATE_KEY_BYTES], const char *text, size_t length) {
    while (length > 0 && strchr(" \t\r\n", *text)) text++, length--;
    while (length > 0 && strchr(" \t\r\n", text[length - 1])) length--;
    if (length != 2 * UPDATE_KEY_BYTES) return false;
    for (size_t i = 0; i < UPDATE_KEY_BYTES; i++) {
        int high = digit(text[2 * i]);
        int low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

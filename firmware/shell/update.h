/* Takes a signed module from whoever deploys one, and writes it to the slot that does not run. docs/updates.md is the format.
 *
 * - A module comes as an offer (its header, UPDATE_HEADER_BYTES), then as chunks in order; each is answered with the offset that is awaited. The header
 *   is judged before anything is erased: key, signature, boundary, size, version. The whole is judged before it counts: SHA-256, imports.
 * - The slot: module behind SLOT_HEADER_BYTES, signed header in the last SLOT_SIGNED_BYTES, written before the module, and the slot's own header,
 *   written last: a slot that is not whole is none, wherever the power went.
 * - The offer erases two sectors, and a chunk at most the next one: an import takes no longer than that.
 * - How far it came is seen in the slot itself: after a reset the same offer goes on where the bytes end, less one chunk, which may be torn. Writing the
 *   same bytes again to where they are has to be allowed by the flash, as NOR flash does.
 * - What runs is never touched, nor the slot to go back to while what runs is on trial (slots.h).
 * - One module at a time, by messages or by an upload: the newer offer counts, unless it is refused for its signature. The older's chunks are answered by asking
 *   for its offer anew, an upload's by a refusal.
 * - No allocation, no clock; one thread; a port function returns when it is done. The port is told by update_complete that it is to start anew. */
#ifndef TWOBYTE_UPDATE_H
#define TWOBYTE_UPDATE_H

#include "engine.h"
#include "slots.h"

#define UPDATE_HEADER_BYTES SLOT_SIGNED_BYTES
#define UPDATE_KEY_BYTES 64  /* P-256, x then y */
#define UPDATE_CHUNK_BYTES 256
#define UPDATE_ANSWER_BYTES 192
#define UPDATE_WHY_BYTES 160

/* The first byte of a message. */
enum { UPDATE_OFFER = 1, UPDATE_CHUNK = 2, UPDATE_ANSWER = 3, UPDATE_ASK = 4 };

/* The second byte of an answer. Behind it four bytes: the offset that is awaited; with UPDATE_RUNS and UPDATE_LEFT the version it is about. */
enum { UPDATE_GO_ON = 0, UPDATE_KEPT = 1, UPDATE_REFUSED = 2, UPDATE_RUNS = 3, UPDATE_LEFT = 4 };

/* The offset that is awaited when the header is: nothing is open here. */
#define UPDATE_AWAITS_OFFER UINT32_MAX

/* Why a deployed module was left. The port keeps it where a reset does not take it. */
typedef struct {
    uint32_t version; /* 0: none was */
    char why[UPDATE_WHY_BYTES];
} UpdateLeft;

typedef struct {
    uint32_t capacity; /* bytes of a slot, whole sectors */
    uint32_t sector;   /* bytes that are erased at once */
    const uint8_t *at[SLOTS]; /* where a slot is read: what was written is seen there */
    /* erase(context, slot, offset, length): whole sectors to 0xff. False: it did not. */
    bool (*erase)(void *context, int slot, uint32_t offset, uint32_t length);
    /* write(context, slot, offset, bytes, length): outlives a power cut when it returns. False: it did not. */
    bool (*write)(void *context, int slot, uint32_t offset, const uint8_t *bytes, uint32_t length);
    /* hash(bytes, length, to): SHA-256. NULL, as `verify`: the board has no library for signatures. */
    bool (*hash)(const uint8_t *bytes, uint32_t length, uint8_t to[32]);
    /* verify(key, hash, signature): ECDSA over P-256; the signature is r then s. */
    bool (*verify)(const uint8_t key[UPDATE_KEY_BYTES], const uint8_t hash[32], const uint8_t signature[64]);
    /* keep(context): the slots' states and `left` have changed. */
    void (*keep)(void *context);
    const EngineImport *imports; /* shell_imports */
    size_t import_count;
    void *context;
} UpdatePort;

typedef struct {
    const UpdatePort *port;
    Slots *slots;
    const uint8_t *key; /* NULL: the board was given none */
    UpdateLeft *left;
    int running;  /* the slot that runs, or is about to; -1: the factory's module */
    int slot;     /* that is being written, or -1 */
    uint8_t by;   /* who made the offer that counts: update.c */
    uint32_t at;  /* bytes of the module that are there */
    uint32_t length;
    bool complete;
    uint8_t head[UPDATE_HEADER_BYTES]; /* of an upload */
    uint32_t uploaded; /* of it */
    uint32_t upload_length;
    bool told;    /* what became of the last trial, in this run */
    bool answers; /* what follows waits to be told */
    uint8_t status;
    uint32_t offset;
    char text[UPDATE_WHY_BYTES];
} Update;

/* update_open(update, port, slots, key, left): once; slots_open was called. A module that slots_open left is noted in `left`. */
void update_open(Update *update, const UpdatePort *port, Slots *slots, const uint8_t *key, UpdateLeft *left);

/* update_begins(update, slot): this slot's module is about to start, -1 of the factory's: before the rest of slots_wait, in which an upload may come, and
 * after which slots_choose is asked again. What is being uploaded goes on. */
void update_begins(Update *update, int slot);

/* What update_leave is told where slots_ended answers that it left. */
#define UPDATE_ENDED_UNCONNECTED "ended three times without reaching its broker"

/* update_connected(update): EVENT_CONNECTED came, slots_connected was told: what is to be published of a trial or its end is ready. */
void update_connected(Update *update);

/* update_leave(update, slot, why): the module in `slot` is left; keeps the reason if it was deployed, for update_connected of the one that follows. */
void update_leave(Update *update, int slot, const char *why);

/* update_take(update, message, length), update_answer(update, to, capacity): the imports. */
int32_t update_take(Update *update, const uint8_t *message, int32_t length);
int32_t update_answer(Update *update, uint8_t *to, int32_t capacity);

/* update_complete(update): a new module is kept: stop the one that runs, and start what slots_choose answers. */
bool update_complete(const Update *update);

/* An upload over a line: the file, header first, in order. Each answers NULL, or why the upload is refused, good until the next call.
 * update_upload_awaits(update): the offset in the file that is awaited: behind what an upload that was broken off left. */
const char *update_upload_begin(Update *update, uint32_t length);
const char *update_upload_write(Update *update, uint32_t offset, const uint8_t *bytes, uint32_t length);
const char *update_upload_end(Update *update);
uint32_t update_upload_awaits(const Update *update);

/* update_key(to, text, length): a public key from 128 hexadecimal digits, blanks around them. False: they are none. */
bool update_key(uint8_t to[UPDATE_KEY_BYTES], const char *text, size_t length);

#endif

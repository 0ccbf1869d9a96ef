#include "deployed.h"

#include "console.h"
#include "contract.h"
#include "shell.h"
#ifdef UPDATE_PSA
#include "update_psa.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A record: magic, serial, per slot check, fate, failures, trial, ends, then the version that was left and why, and the check of all this. */
enum { AT_SERIAL = 4, AT_STATES = 8, STATE_BYTES = 8, AT_LEFT = AT_STATES + SLOTS * STATE_BYTES, AT_WHY = AT_LEFT + 4, AT_CHECK = AT_WHY + UPDATE_WHY_BYTES, RECORD_BYTES = AT_CHECK + 4 };

static const uint8_t magic[4] = {'2', 'b', 'm', 's'};

static void put(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get(const uint8_t *from) {
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static bool write_at(int file, const uint8_t *bytes, uint32_t length, off_t offset) {
    while (length > 0) {
        ssize_t count = pwrite(file, bytes, length, offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes += count;
        offset += count;
        length -= (uint32_t)count;
    }
    return fdatasync(file) == 0;
}

static off_t place(int slot, uint32_t offset) {
    return 2 * DEPLOYED_SECTOR_BYTES + (off_t)slot * DEPLOYED_SLOT_BYTES + offset;
}

static bool erase(void *context, int slot, uint32_t offset, uint32_t length) {
    static uint8_t erased[DEPLOYED_SECTOR_BYTES];
    const Deployed *deployed = context;
    memset(erased, 0xff, sizeof erased);
    for (uint32_t at = offset; at < offset + length; at += sizeof erased) {
        if (!write_at(deployed->file, erased, sizeof erased, place(slot, at))) return false;
    }
    return true;
}

static bool program(void *context, int slot, uint32_t offset, const uint8_t *bytes, uint32_t length) {
    const Deployed *deployed = context;
    return write_at(deployed->file, bytes, length, place(slot, offset));
}

static void keep(void *context) {
    deployed_keep(context);
}

void deployed_keep(Deployed *deployed) {
    uint8_t record[RECORD_BYTES] = {0};
    if (!deployed->path) return;
    memcpy(record, magic, sizeof magic);
    put(record + AT_SERIAL, ++deployed->serial);
    for (int i = 0; i < SLOTS; i++) {
        const SlotState *state = &deployed->states[i];
        uint8_t *to = record + AT_STATES + i * STATE_BYTES;
        put(to, state->check);
        to[4] = state->fate;
        to[5] = state->failures;
        to[6] = state->trial;
        to[7] = state->ends;
    }
    put(record + AT_LEFT, deployed->left.version);
    memcpy(record + AT_WHY, deployed->left.why, UPDATE_WHY_BYTES);
    put(record + AT_CHECK, slots_check(record, AT_CHECK, 0));
    if (write_at(deployed->file, record, sizeof record, (off_t)(deployed->serial % 2) * DEPLOYED_SECTOR_BYTES)) return;
    if (!deployed->unkept) console_say("modules: %s: cannot be written: %s; what becomes of a new module is forgotten at the next start", deployed->path, strerror(errno));
    deployed->unkept = true;
}

static bool is_record(const uint8_t *record) {
    return memcmp(record, magic, sizeof magic) == 0 && get(record + AT_CHECK) == slots_check(record, AT_CHECK, 0);
}

/* A file that was just made: at most the first record, which goes to the second place, is torn. */
static bool is_new(const uint8_t *bytes) {
    for (uint32_t i = 0; i < DEPLOYED_FILE_BYTES; i++) {
        if (bytes[i] && i / DEPLOYED_SECTOR_BYTES != 1) return false;
    }
    return true;
}

static bool read_records(Deployed *deployed) {
    const uint8_t *newest = NULL;
    for (int i = 0; i < 2; i++) {
        const uint8_t *record = deployed->bytes + i * DEPLOYED_SECTOR_BYTES;
        if (is_record(record) && (!newest || (int32_t)(get(record + AT_SERIAL) - get(newest + AT_SERIAL)) > 0)) newest = record;
    }
    if (!newest) return is_new(deployed->bytes);
    deployed->serial = get(newest + AT_SERIAL);
    for (int i = 0; i < SLOTS; i++) {
        const uint8_t *from = newest + AT_STATES + i * STATE_BYTES;
        deployed->states[i] = (SlotState){.check = get(from), .fate = from[4], .failures = from[5], .trial = from[6], .ends = from[7]};
    }
    deployed->left.version = get(newest + AT_LEFT);
    memcpy(deployed->left.why, newest + AT_WHY, UPDATE_WHY_BYTES);
    return true;
}

static bool refuse(Deployed *deployed, const char *words) {
    console_say("modules: %s: %s", deployed->path, words);
    deployed_close(deployed);
    return false;
}

static bool open_file(Deployed *deployed) {
    struct stat status;
    deployed->file = open(deployed->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (deployed->file < 0) return refuse(deployed, strerror(errno));
    if (flock(deployed->file, LOCK_EX | LOCK_NB) != 0) return refuse(deployed, "another board has it open: give each board a file of its own");
    if (fstat(deployed->file, &status) != 0 || !S_ISREG(status.st_mode)) return refuse(deployed, "is no file");
    if (status.st_size == 0 && (ftruncate(deployed->file, DEPLOYED_FILE_BYTES) != 0 || fsync(deployed->file) != 0)) return refuse(deployed, strerror(errno));
    if (status.st_size != 0 && status.st_size != DEPLOYED_FILE_BYTES) return refuse(deployed, "holds something else than modules: name another file, or one that is not there yet");
    void *bytes = mmap(NULL, DEPLOYED_FILE_BYTES, PROT_READ, MAP_SHARED, deployed->file, 0);
    if (bytes == MAP_FAILED) return refuse(deployed, strerror(errno));
    deployed->bytes = bytes;
    if (!read_records(deployed)) return refuse(deployed, "holds something else than modules: name another file, or one that is not there yet");
    if (deployed->serial == 0) deployed_keep(deployed); /* before a slot is touched: by its record the file is known */
    return true;
}

/* The digits themselves, or a file of them. */
static bool read_key(Deployed *deployed, const char *text) {
    char digits[512];
    if (update_key(deployed->key, text, strlen(text))) return true;
    int file = open(text, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, digits, sizeof digits);
    const char *words = length < 0 ? strerror(errno) : "holds no public key: 128 hexadecimal digits, as twobyte keygen writes them to a file that ends in .hex";
    if (file >= 0) (void)close(file);
    if (length >= 0 && update_key(deployed->key, digits, (size_t)length)) return true;
    console_say("public_key: %s: %s", text, words);
    return false;
}

bool deployed_open(Deployed *deployed, const Settings *settings) {
    const char *key = settings->values[SETTING_PUBLIC_KEY].text;
    const Setting *trial = &settings->values[SETTING_UPDATE_TRIAL];
    *deployed = (Deployed){.path = settings->values[SETTING_MODULES].text, .file = -1};
    if (!deployed->path) {
        if (key) console_say("public_key: without modules = FILE there is no place for new modules");
        return !key;
    }
    if (engine_compiled(0)) return refuse(deployed, "this board has its modules compiled in, and takes none: leave the key modules out");
    if (trial->text && trial->number < 1) return refuse(deployed, "update_trial is a time in ms, at least 1");
    if ((key && !read_key(deployed, key)) || !open_file(deployed)) return false;
    deployed->slots.factory = true;
    deployed->slots.trial_ms = trial->text ? (uint32_t)trial->number : 0;
    deployed->port = (UpdatePort){.capacity = DEPLOYED_SLOT_BYTES, .sector = DEPLOYED_SECTOR_BYTES, .erase = erase, .write = program, .keep = keep, .context = deployed};
#ifdef UPDATE_PSA
    deployed->port.hash = update_psa_hash;
    deployed->port.verify = update_psa_verify;
#endif
    deployed->port.imports = shell_imports(&deployed->port.import_count);
    for (int i = 0; i < SLOTS; i++) {
        deployed->port.at[i] = deployed->bytes + place(i, 0);
        (void)slots_read(&deployed->slots.slots[i], deployed->port.at[i], DEPLOYED_SLOT_BYTES);
    }
    slots_open(&deployed->slots, deployed->states);
    update_open(&deployed->update, &deployed->port, &deployed->slots, key ? deployed->key : NULL, &deployed->left);
    return true;
}

void deployed_close(Deployed *deployed) {
    if (deployed->bytes) (void)munmap((void *)(uintptr_t)deployed->bytes, DEPLOYED_FILE_BYTES);
    if (deployed->file >= 0) (void)close(deployed->file);
    deployed->bytes = NULL;
    deployed->file = -1;
    deployed->path = NULL;
}

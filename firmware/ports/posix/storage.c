#include "storage.h"

#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1
#define FILE_HEADER_BYTES 20 /* magic, version, salt, check; twice, so that one damaged byte does not cost all records */
#define RECORD_MAGIC 0x7c3b54a9u
#define SECTOR_BYTES 4096u

/* The first byte is no text, the others are spoiled by whoever converts line ends. */
static const uint8_t file_magic[8] = {0x89, 'T', 'B', 'J', '\r', '\n', 0x1a, '\n'};

/* In the file: magic, key, length, key of the record before, check of the bytes, check of all this and where it stands. */
typedef struct {
    uint32_t key;
    uint32_t length;
    uint32_t previous;
    uint32_t check;
} Header;

static void put(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get(const uint8_t *from) {
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* CRC-32 that goes on from `sum`. */
static uint32_t check(uint32_t sum, const uint8_t *bytes, uint32_t length) {
    sum = ~sum;
    for (uint32_t i = 0; i < length; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) sum = (sum >> 1) ^ ((sum & 1) ? 0xedb88320u : 0);
    }
    return ~sum;
}

__attribute__((format(printf, 2, 3))) static bool refuse(Storage *storage, const char *format, ...) {
    int at = snprintf(storage->error, sizeof storage->error, "%s: ", storage->path);
    va_list arguments;
    va_start(arguments, format);
    if (at >= 0) (void)vsnprintf(storage->error + at, sizeof storage->error - (size_t)at, format, arguments);
    va_end(arguments);
    return false;
}

__attribute__((format(printf, 2, 3))) static void say(const Storage *storage, const char *format, ...) {
    char words[STORAGE_PATH_BYTES + 300];
    if (!storage->say) return;
    int at = snprintf(words, sizeof words, "%s: ", storage->path);
    va_list arguments;
    va_start(arguments, format);
    if (at >= 0) (void)vsnprintf(words + at, sizeof words - (size_t)at, format, arguments);
    va_end(arguments);
    storage->say(words);
}

/* Reads all `length` bytes; what is behind the end or in a bad sector reads as zeros, which no check takes. */
static void read_at(int file, uint8_t *to, uint32_t length, uint32_t offset) {
    while (length > 0) {
        ssize_t count = pread(file, to, length, offset);
        if (count < 0 && errno == EINTR) continue;
        uint32_t step = (uint32_t)count;
        if (count <= 0) {
            step = SECTOR_BYTES - offset % SECTOR_BYTES;
            if (step > length) step = length;
            memset(to, 0, step);
        }
        to += step;
        offset += step;
        length -= step;
    }
}

/* 0, or the errno. A file that takes no more takes less than asked at first. */
static int write_at(int file, const uint8_t *from, uint32_t length, uint32_t offset) {
    while (length > 0) {
        ssize_t count = pwrite(file, from, length, offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? errno : EIO;
        from += count;
        offset += (uint32_t)count;
        length -= (uint32_t)count;
    }
    return 0;
}

static uint32_t header_check(uint32_t salt, uint32_t offset, const uint8_t *header) {
    uint8_t place[4];
    put(place, offset);
    return check(check(salt, place, sizeof place), header, STORAGE_HEADER_BYTES - 4);
}

static void put_header(uint8_t *to, uint32_t salt, uint32_t offset, const Header *header) {
    put(to, RECORD_MAGIC);
    put(to + 4, header->key);
    put(to + 8, header->length);
    put(to + 12, header->previous);
    put(to + 16, header->check);
    put(to + 20, header_check(salt, offset, to));
}

static bool get_header(const uint8_t *from, uint32_t salt, uint32_t offset, Header *header) {
    if (get(from) != RECORD_MAGIC || get(from + 20) != header_check(salt, offset, from)) return false;
    *header = (Header){.key = get(from + 4), .length = get(from + 8), .previous = get(from + 12), .check = get(from + 16)};
    return header->length <= STORAGE_RECORD_BYTES;
}

static void put_file_header(uint8_t *to, uint32_t salt) {
    memcpy(to, file_magic, sizeof file_magic);
    put(to + 8, VERSION);
    put(to + 12, salt);
    put(to + 16, check(0, to, 16));
    memcpy(to + FILE_HEADER_BYTES, to, FILE_HEADER_BYTES);
}

static bool is_file_header(const uint8_t *from) {
    return memcmp(from, file_magic, sizeof file_magic) == 0 && get(from + 16) == check(0, from, 16);
}

static StorageEntry *find(Storage *storage, uint32_t key) {
    for (uint32_t i = 0; i < storage->count; i++) {
        if (storage->entries[i].key == key) return &storage->entries[i];
    }
    return NULL;
}

/* The record of `key` is the one at `offset` from now on; false when there are too many keys. */
static bool take(Storage *storage, uint32_t key, uint32_t offset, uint32_t length) {
    StorageEntry *entry = find(storage, key);
    storage->last = key;
    if (entry) storage->live -= STORAGE_HEADER_BYTES + entry->length;
    if (length == 0) {
        if (entry) *entry = storage->entries[--storage->count];
        return true;
    }
    if (!entry && storage->count == STORAGE_KEYS) return false;
    if (!entry) entry = &storage->entries[storage->count++];
    *entry = (StorageEntry){.key = key, .offset = offset, .length = length};
    storage->live += STORAGE_HEADER_BYTES + length;
    return true;
}

static uint32_t garbage(const Storage *storage) {
    return storage->end - STORAGE_FIRST_RECORD - storage->live;
}

static uint32_t new_salt(void) {
    uint32_t salt = 0;
    while (getrandom(&salt, sizeof salt, 0) < 0 && errno == EINTR) {
    }
    return salt;
}

/* Writes the live records to `file`; 0, or the errno. A damaged one stays damaged. */
static int copy_records(Storage *storage, int file, uint32_t salt) {
    uint8_t first[STORAGE_FIRST_RECORD];
    uint32_t offset = sizeof first;
    uint32_t previous = 0;
    put_file_header(first, salt);
    int fault = write_at(file, first, sizeof first, 0);
    for (uint32_t i = 0; i < storage->count && !fault; i++) {
        const StorageEntry *entry = &storage->entries[i];
        uint8_t *bytes = storage->scratch + STORAGE_HEADER_BYTES;
        read_at(storage->file, storage->scratch, STORAGE_HEADER_BYTES + entry->length, entry->offset);
        Header old;
        bool whole = get_header(storage->scratch, storage->salt, entry->offset, &old) && check(storage->salt, bytes, entry->length) == old.check;
        uint32_t sum = check(salt, bytes, entry->length);
        Header header = {.key = entry->key, .length = entry->length, .previous = previous, .check = whole ? sum : ~sum};
        put_header(storage->scratch, salt, offset, &header);
        fault = write_at(file, storage->scratch, STORAGE_HEADER_BYTES + entry->length, offset);
        offset += STORAGE_HEADER_BYTES + entry->length;
        previous = entry->key;
    }
    if (!fault && fsync(file) != 0) fault = errno;
    return fault;
}

static bool settle(Storage *storage) {
    if (storage->unsettled) storage->unsettled = fsync(storage->directory) != 0;
    return !storage->unsettled;
}

/* Puts a file of the live records alone in the place of this one. 0, or the errno, and all is as before. */
static int rewrite(Storage *storage) {
    uint32_t salt = new_salt();
    int file = openat(storage->directory, storage->new_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    /* Locked before it can be opened by its final name. */
    int fault = flock(file, LOCK_EX | LOCK_NB) != 0 ? errno : copy_records(storage, file, salt);
    if (!fault && renameat(storage->directory, storage->new_name, storage->directory, storage->name) != 0) fault = errno;
    if (fault) {
        (void)close(file);
        (void)unlinkat(storage->directory, storage->new_name, 0);
        return fault;
    }
    (void)close(storage->file);
    storage->file = file;
    storage->salt = salt;
    storage->end = STORAGE_FIRST_RECORD;
    for (uint32_t i = 0; i < storage->count; i++) {
        storage->entries[i].offset = storage->end;
        storage->end += STORAGE_HEADER_BYTES + storage->entries[i].length;
        storage->last = storage->entries[i].key;
    }
    storage->unsettled = true;
    (void)settle(storage);
    return 0;
}

static void rewrite_or_say(Storage *storage) {
    int fault = rewrite(storage);
    storage->stuck = fault != 0;
    storage->rewrite_at = fault ? garbage(storage) + STORAGE_GARBAGE_BYTES : 0;
    if (fault) say(storage, "cannot be rewritten without what it no longer needs, and grows: %s", strerror(fault));
}

static bool is_full(int fault) {
    return fault == ENOSPC || fault == EDQUOT || fault == EFBIG;
}

/* Appends a record, durably. 0, or the errno, and the log ends where it did. */
static int append(Storage *storage, uint32_t key, const uint8_t *data, uint32_t length) {
    uint32_t size = STORAGE_HEADER_BYTES + length;
    if (storage->end + size > STORAGE_FILE_BYTES) return ENOSPC;
    Header header = {.key = key, .length = length, .previous = storage->last, .check = check(storage->salt, data, length)};
    put_header(storage->scratch, storage->salt, storage->end, &header);
    if (length > 0) memcpy(storage->scratch + STORAGE_HEADER_BYTES, data, length);
    int fault = write_at(storage->file, storage->scratch, size, storage->end);
    if (!fault && fdatasync(storage->file) != 0) fault = errno;
    if (fault && ftruncate(storage->file, storage->end) != 0) return fault; /* what stays is written over by the next record */
    return fault;
}

int32_t storage_write(Storage *storage, int32_t key, const uint8_t *data, int32_t length) {
    if (!storage->open) return -STORE_FAILED;
    if (length < 0 || length > STORAGE_RECORD_BYTES) return -STORE_FULL;
    bool known = find(storage, (uint32_t)key) != NULL;
    if (length == 0 && !known) return 0;
    if (!known && storage->count == STORAGE_KEYS) return -STORE_FULL;
    if (!settle(storage)) return -STORE_FAILED;
    uint32_t size = STORAGE_HEADER_BYTES + (uint32_t)length;
    int fault = append(storage, (uint32_t)key, data, (uint32_t)length);
    if (is_full(fault) && garbage(storage) >= size && !storage->stuck) {
        rewrite_or_say(storage);
        if (!settle(storage)) return -STORE_FAILED;
        if (!storage->stuck) fault = append(storage, (uint32_t)key, data, (uint32_t)length);
    }
    if (fault) return is_full(fault) ? -STORE_FULL : -STORE_FAILED;
    storage->stuck = false;
    (void)take(storage, (uint32_t)key, storage->end, (uint32_t)length);
    storage->end += size;
    uint32_t unused = garbage(storage);
    if (unused > STORAGE_GARBAGE_BYTES && unused > storage->live && unused >= storage->rewrite_at) rewrite_or_say(storage);
    return 0;
}

int32_t storage_read(Storage *storage, int32_t key, uint8_t *to, int32_t capacity) {
    const StorageEntry *entry = storage->open ? find(storage, (uint32_t)key) : NULL;
    if (!entry) return -1;
    uint32_t length = capacity < 0 ? 0 : (uint32_t)capacity;
    if (length > entry->length) length = entry->length;
    read_at(storage->file, to, length, entry->offset + STORAGE_HEADER_BYTES);
    return (int32_t)entry->length;
}

/* The next good header from `from` on, or `size`. */
static uint32_t find_header(Storage *storage, uint32_t from, uint32_t size) {
    Header header;
    while (from + STORAGE_HEADER_BYTES <= size) {
        uint32_t count = size - from < sizeof storage->scratch ? size - from : (uint32_t)sizeof storage->scratch;
        read_at(storage->file, storage->scratch, count, from);
        for (uint32_t i = 0; i + STORAGE_HEADER_BYTES <= count; i++) {
            if (get_header(storage->scratch + i, storage->salt, from + i, &header)) return from + i;
        }
        from += count - STORAGE_HEADER_BYTES + 1;
    }
    return size;
}

static bool header_at(const Storage *storage, uint32_t offset, uint32_t size, Header *header) {
    uint8_t bytes[STORAGE_HEADER_BYTES];
    if (offset + sizeof bytes > size) return false;
    read_at(storage->file, bytes, sizeof bytes, offset);
    return get_header(bytes, storage->salt, offset, header);
}

/* Bytes without a header from `from` to the good one at `to`, which names the key of the last record among them. */
static bool take_headless(Storage *storage, uint32_t from, uint32_t to) {
    Header after = {0};
    (void)header_at(storage, to, UINT32_MAX, &after);
    uint32_t length = to - from > STORAGE_HEADER_BYTES ? to - from - STORAGE_HEADER_BYTES : 0;
    if (length > STORAGE_RECORD_BYTES) length = STORAGE_RECORD_BYTES;
    say(storage, "offset %lu: %lu bytes are damaged; the last record among them has the key 0x%lx, and its own check tells whether it is lost",
        (unsigned long)from, (unsigned long)(to - from), (unsigned long)after.previous);
    return take(storage, after.previous, from, length);
}

/* Reads the log and cuts off what is torn at its end. */
static bool read_log(Storage *storage, uint32_t size) {
    bool room = true;
    storage->end = STORAGE_FIRST_RECORD;
    while (storage->end < size && room) {
        uint32_t at = storage->end;
        Header header;
        if (!header_at(storage, at, size, &header)) {
            uint32_t next = find_header(storage, at + 1, size);
            if (next == size) break;
            room = take_headless(storage, at, next);
            storage->end = next;
            continue;
        }
        uint32_t stop = at + STORAGE_HEADER_BYTES + header.length;
        if (stop > size) break;
        read_at(storage->file, storage->scratch, header.length, at + STORAGE_HEADER_BYTES);
        bool whole = check(storage->salt, storage->scratch, header.length) == header.check;
        if (!whole && stop == size) break;
        if (!whole) say(storage, "offset %lu: the record of key 0x%lx is damaged and lost", (unsigned long)at, (unsigned long)header.key);
        room = take(storage, header.key, at, header.length);
        storage->end = stop;
    }
    if (!room) return refuse(storage, "holds over %d records, more than this board keeps; name another file", STORAGE_KEYS);
    if (storage->end == size) return true;
    say(storage, "offset %lu: the last %lu bytes are not a whole record, as a power cut leaves it, and are cut off", (unsigned long)storage->end,
        (unsigned long)(size - storage->end));
    if (ftruncate(storage->file, storage->end) == 0 && fdatasync(storage->file) == 0) return true;
    return refuse(storage, "cannot be written: %s", strerror(errno));
}

/* A rewriting that a power cut ended leaves a FILE.new; another file of that name is not ours to remove. */
static bool remove_left_over(Storage *storage) {
    static const uint8_t unwritten[sizeof file_magic]; /* a file system may have known its length and not yet its bytes */
    uint8_t magic[sizeof file_magic];
    struct stat status;
    if (fstatat(storage->directory, storage->new_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? true : refuse(storage, "%s beside it cannot be examined: %s", storage->new_name, strerror(errno));
    }
    bool ours = S_ISREG(status.st_mode) && status.st_size == 0;
    if (S_ISREG(status.st_mode) && !ours) {
        int file = openat(storage->directory, storage->new_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        uint32_t length = status.st_size < (off_t)sizeof magic ? (uint32_t)status.st_size : (uint32_t)sizeof magic;
        ours = file >= 0 && pread(file, magic, length, 0) == (ssize_t)length &&
               (memcmp(magic, file_magic, length) == 0 || memcmp(magic, unwritten, length) == 0);
        if (file >= 0) (void)close(file);
    }
    if (!ours) return refuse(storage, "%s beside it, whose name this board needs to rewrite it, is not the board's; name another file", storage->new_name);
    if (unlinkat(storage->directory, storage->new_name, 0) == 0) return true;
    return refuse(storage, "%s beside it cannot be removed: %s", storage->new_name, strerror(errno));
}

static bool split(Storage *storage, const char *path, char *directory) {
    size_t length = strlen(path);
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    (void)snprintf(storage->path, sizeof storage->path, "%s", path);
    if (length >= STORAGE_PATH_BYTES) return refuse(storage, "the path has over %d bytes", STORAGE_PATH_BYTES - 1);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return refuse(storage, "is the name of a directory; name a file in it, like %s%sboard.journal", path, *name ? "/" : "");
    }
    if (strlen(name) > STORAGE_NAME_BYTES - 5) return refuse(storage, "the name has over %d bytes", STORAGE_NAME_BYTES - 5);
    memcpy(directory, path, (size_t)(name - path));
    directory[name - path] = 0;
    if (name == path) memcpy(directory, ".", 2);
    (void)snprintf(storage->name, sizeof storage->name, "%.251s", name);
    (void)snprintf(storage->new_name, sizeof storage->new_name, "%.251s.new", name);
    return true;
}

static bool open_file(Storage *storage) {
    storage->file = openat(storage->directory, storage->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    if (storage->file >= 0) return true;
    switch (errno) {
    case EISDIR:
        return refuse(storage, "is a directory; name a file in it, like %.900s/board.journal", storage->path);
    case ELOOP:
        return refuse(storage, "is a symbolic link; name the file itself");
    case ENXIO:
    case ENODEV:
        return refuse(storage, "is not a regular file; name another");
    default:
        return refuse(storage, "cannot be opened for writing: %s", strerror(errno));
    }
}

/* Opens the file and locks it. A board that rewrites it meanwhile puts another file of this name in its place: then again. */
static bool open_and_lock(Storage *storage, struct stat *status) {
    for (int tries = 0; tries < 100; tries++) {
        struct stat named;
        if (!open_file(storage)) return false;
        bool fine = true;
        if (fstat(storage->file, status) != 0) fine = refuse(storage, "cannot be examined: %s", strerror(errno));
        else if (!S_ISREG(status->st_mode)) fine = refuse(storage, "is not a regular file; name another");
        else if (flock(storage->file, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) fine = refuse(storage, "another board that runs keeps its journal there; each board needs a file of its own");
            else fine = refuse(storage, "cannot be locked: %s", strerror(errno));
        }
        if (fine && fstatat(storage->directory, storage->name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_dev == status->st_dev &&
            named.st_ino == status->st_ino && fstat(storage->file, status) == 0) {
            return true;
        }
        (void)close(storage->file);
        if (!fine) return false;
    }
    return refuse(storage, "is replaced again and again by another program");
}

static bool read_file(Storage *storage, const struct stat *status) {
    uint8_t first[STORAGE_FIRST_RECORD];
    if (status->st_size > 0) {
        read_at(storage->file, first, sizeof first, 0);
        const uint8_t *header = is_file_header(first) ? first : first + FILE_HEADER_BYTES;
        if (!is_file_header(header)) {
            return refuse(storage, "is not a journal of this board, or its first bytes are damaged, and is left as it is; name another file");
        }
        if (get(header + 8) != VERSION) {
            return refuse(storage, "is a journal of version %lu, this board keeps version %d; name another file, or take the release that made it",
                          (unsigned long)get(header + 8), VERSION);
        }
        if (status->st_size > STORAGE_FILE_BYTES) return refuse(storage, "has over %d bytes, more than a journal of this board", STORAGE_FILE_BYTES);
        storage->salt = get(header + 12);
    }
    if (faccessat(storage->directory, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        return refuse(storage, "its directory has to be writable, as the journal is rewritten there: %s", strerror(errno));
    }
    if (!remove_left_over(storage)) return false;
    if ((status->st_mode & 077) && fchmod(storage->file, 0600) != 0) say(storage, "other users may read it: %s", strerror(errno));
    storage->end = STORAGE_FIRST_RECORD;
    if (status->st_size >= STORAGE_FIRST_RECORD) {
        bool spoiled = !is_file_header(first) || !is_file_header(first + FILE_HEADER_BYTES);
        if (!read_log(storage, (uint32_t)status->st_size)) return false;
        if (!spoiled) return true;
        say(storage, "offset 0: one of the two copies of the header is damaged; the file is written anew");
    }
    int fault = rewrite(storage);
    if (fault) return refuse(storage, "cannot be written: %s", strerror(fault));
    return storage->unsettled ? refuse(storage, "its directory cannot be written: %s", strerror(errno)) : true;
}

bool storage_open(Storage *storage, const char *path, StorageSay say) {
    char directory[STORAGE_PATH_BYTES];
    struct stat status;
    memset(storage, 0, sizeof *storage);
    storage->say = say;
    if (!split(storage, path, directory)) return false;
    storage->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (storage->directory < 0) return refuse(storage, "its directory cannot be opened: %s", strerror(errno));
    if (!open_and_lock(storage, &status)) {
        (void)close(storage->directory);
        return false;
    }
    storage->open = true;
    if (!read_file(storage, &status)) storage_close(storage);
    return storage->open;
}

void storage_close(Storage *storage) {
    if (!storage->open) return;
    (void)close(storage->file);
    (void)close(storage->directory);
    storage->open = false;
}

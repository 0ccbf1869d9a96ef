/* The posix board's storage: records by key (docs/boundary.md, "Records") in one file, which is a log.
 *
 * - A write appends one record and answers 0 after fdatasync(2): it is taken whole or not at all. What a power cut tore at the end of the
 *   log is found by its check and cut off at the next start; the record before is still there.
 * - A damaged record elsewhere costs that record only, and is told in words with file and offset. Its key answers the damaged bytes, whose
 *   own check tells the module, and never an older version; the record after it names its key where its own header is lost. An older
 *   version comes back only of the last record of all, which looks like a torn one, and of all but the last of several damaged in a row.
 * - When what is replaced or removed has over STORAGE_GARBAGE_BYTES, and more than the rest, the rest is written to FILE.new, which takes
 *   the place of FILE: fsync, rename, fsync of the directory. A cut leaves one of the two whole; a left-over FILE.new is removed at start.
 * - Wear: a write of n bytes appends 24 + n, one write(2) and one fdatasync(2); a removal appends 24. Rewriting adds at most one byte
 *   per byte appended, as so much was appended since the last time. A flash file system makes of each fdatasync at least one of its blocks
 *   (4 KB) and one of its own log, as the file became longer.
 * - Work: a write looks through STORAGE_KEYS keys at most; one that rewrites copies the live records, STORAGE_KEYS of STORAGE_RECORD_BYTES
 *   at most. The file never has more than STORAGE_FILE_BYTES; a start reads all of it.
 * - One board at a file: it is locked (flock). Mode 0600, as payloads are private. A file that is no journal is never written to.
 * - Nothing is allocated; the struct has some 14 KB. */
#ifndef TWOBYTE_STORAGE_H
#define TWOBYTE_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#define STORAGE_KEYS 256
#define STORAGE_RECORD_BYTES 8192 /* the linear memory of a module on this board */
#define STORAGE_GARBAGE_BYTES 65536
#define STORAGE_HEADER_BYTES 24 /* of each record */
#define STORAGE_FIRST_RECORD 40 /* where the first one stands, behind two copies of the file's header */
#define STORAGE_FILE_BYTES (2 * STORAGE_KEYS * (STORAGE_HEADER_BYTES + STORAGE_RECORD_BYTES) + STORAGE_GARBAGE_BYTES)
#define STORAGE_PATH_BYTES 1024
#define STORAGE_NAME_BYTES 256

typedef struct {
    uint32_t key;
    uint32_t offset; /* of the record's header in the file */
    uint32_t length; /* of the bytes behind it */
} StorageEntry;

/* A sentence for a person, of the board's own file. */
typedef void (*StorageSay)(const char *words);

typedef struct {
    bool open;
    int file;
    int directory;
    char path[STORAGE_PATH_BYTES]; /* as given, for messages */
    char name[STORAGE_NAME_BYTES]; /* in the directory */
    char new_name[STORAGE_NAME_BYTES];
    StorageSay say;
    uint32_t salt;   /* of this file's checks, so that no payload can hold what looks like a record */
    uint32_t end;    /* where the next record goes */
    uint32_t live;   /* bytes of the records that count, with their headers */
    uint32_t last;   /* key of the last record */
    uint32_t rewrite_at; /* garbage that has to be there before it is tried again */
    bool stuck;      /* the last rewriting failed, and nothing was written since */
    bool unsettled;  /* the directory may not know yet that FILE.new is FILE */
    uint32_t count;
    StorageEntry entries[STORAGE_KEYS];
    uint8_t scratch[STORAGE_HEADER_BYTES + STORAGE_RECORD_BYTES];
    char error[1400]; /* why storage_open answered false */
} Storage;

/* storage_open(storage, path, say): reads the file, or makes it. False, with `error`, when it cannot be used. */
bool storage_open(Storage *storage, const char *path, StorageSay say);

/* storage_write, storage_read: what the imports store_write and store_read answer. A storage that is not open has no room and no records. */
int32_t storage_write(Storage *storage, int32_t key, const uint8_t *data, int32_t length);
int32_t storage_read(Storage *storage, int32_t key, uint8_t *to, int32_t capacity);

void storage_close(Storage *storage);

#endif

#include "check.h"
#include "contract.h"
#include "power_cut.h"
#include "storage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 6
#define IMAGE_BYTES 65536

static Storage storage;
static char directory[64];
static char path[128];
static char new_path[sizeof path + 4];
static char said[2048]; /* all words since the last start */
static int sentences;

static void note(const char *words) {
    size_t length = strlen(said);
    (void)snprintf(said + length, sizeof said - length, "%s\n", words);
    sentences++;
}

static bool start(void) {
    storage_close(&storage);
    said[0] = 0;
    sentences = 0;
    return storage_open(&storage, path, note);
}

/* Starts with no file. */
static bool start_anew(void) {
    storage_close(&storage);
    (void)unlink(path);
    (void)unlink(new_path);
    return start();
}

static int32_t put(int32_t key, const char *text) {
    return storage_write(&storage, key, (const uint8_t *)text, (int32_t)strlen(text));
}

/* The record as a text; "-" when there is none. */
static const char *text_of(int32_t key) {
    static char text[STORAGE_RECORD_BYTES + 1];
    int32_t length = storage_read(&storage, key, (uint8_t *)text, STORAGE_RECORD_BYTES);
    if (length < 0) return "-";
    text[length] = 0;
    return text;
}

static bool is(int32_t key, const char *text) {
    return strcmp(text_of(key), text) == 0;
}

static uint32_t read_image(uint8_t *image) {
    int file = open(path, O_RDONLY);
    ssize_t length = read(file, image, IMAGE_BYTES);
    (void)close(file);
    return length < 0 ? 0 : (uint32_t)length;
}

static void write_file(const char *name, const void *bytes, size_t length) {
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (write(file, bytes, length) != (ssize_t)length) abort();
    (void)close(file);
}

static long size_of(const char *name) {
    struct stat status;
    return stat(name, &status) == 0 ? (long)status.st_size : -1;
}

static void test_round_trips(void) {
    static uint8_t large[STORAGE_RECORD_BYTES + 1];
    uint8_t to[4] = {9, 9, 9, 9};
    check_begin("records are written, replaced, removed and read");
    CHECK(start_anew(), "%s", storage.error);
    CHECK(storage_read(&storage, 7, to, 4) == -1, "a record that never was");
    CHECK(put(7, "abc") == 0 && is(7, "abc"), "%s", text_of(7));
    CHECK(storage_read(&storage, 7, to, 2) == 3 && memcmp(to, "ab\x09\x09", 4) == 0, "a place that is too small");
    CHECK(storage_read(&storage, 7, NULL, 0) == 3, "the length alone");
    CHECK(put(7, "defgh") == 0 && is(7, "defgh"), "%s", text_of(7));
    CHECK(put(-1, "x") == 0 && put(0, "y") == 0 && is(-1, "x") && is(0, "y"), "any key");
    CHECK(put(7, "") == 0 && is(7, "-"), "%s", text_of(7));
    long before = size_of(path);
    CHECK(put(7, "") == 0 && size_of(path) == before, "removing what is not there writes");
    check_end();
    check_begin("they are there after a start, with nothing said");
    CHECK(start() && is(-1, "x") && is(0, "y") && is(7, "-"), "%s", storage.error);
    CHECK(sentences == 0, "%s", said);
    check_end();
    check_begin("a record of the largest size, and one over it");
    memset(large, 'l', sizeof large);
    CHECK(storage_write(&storage, 5, large, STORAGE_RECORD_BYTES) == 0, "refused");
    CHECK(storage_write(&storage, 5, large, STORAGE_RECORD_BYTES + 1) == -STORE_FULL, "taken");
    CHECK(storage_write(&storage, 5, large, -1) == -STORE_FULL, "a length below 0");
    CHECK(start() && strlen(text_of(5)) == STORAGE_RECORD_BYTES, "%s", storage.error);
    check_end();
    check_begin("a storage that is not open takes and has nothing");
    storage_close(&storage);
    CHECK(put(1, "a") == -STORE_FAILED && storage_read(&storage, 1, to, 4) == -1, "it does");
    check_end();
    check_begin("a write appends 24 bytes and the record");
    CHECK(start_anew() && size_of(path) == STORAGE_FIRST_RECORD, "%ld", size_of(path));
    power_cut_set(&(PowerCut){.tear = -1, .log = -1});
    CHECK(put(1, "abc") == 0 && size_of(path) == STORAGE_FIRST_RECORD + 27, "%ld", size_of(path));
    CHECK(power_cut_count() == 2, "%lu calls, not one write and one fdatasync", power_cut_count());
    check_end();
}

static void test_keys(void) {
    check_begin("a key too many is refused, and a removal makes room");
    CHECK(start_anew(), "%s", storage.error);
    for (int32_t key = 1; key <= STORAGE_KEYS; key++) CHECK(put(key, "a") == 0, "key %d", (int)key);
    CHECK(put(9999, "b") == -STORE_FULL && is(9999, "-"), "taken");
    CHECK(put(3, "c") == 0 && is(3, "c"), "not replaced");
    CHECK(put(4, "") == 0 && put(9999, "b") == 0, "no room");
    CHECK(start() && is(9999, "b") && is(3, "c") && is(4, "-") && is(STORAGE_KEYS, "a"), "%s", storage.error);
    check_end();
}

/* A small log: what is written, and what is known after each write. */
static const struct {
    int32_t key;
    const char *text;
} steps[] = {
    {1, "first"}, {2, "second"}, {3, "a third that is somewhat longer"}, {1, "first again"}, {2, ""}, {4, "4"}, {5, "fifth"}, {5, "fifth again"}, {1, "last"},
};
#define STEPS ((int)(sizeof steps / sizeof steps[0]))

static uint8_t image[IMAGE_BYTES];
static uint32_t ends[STEPS + 1]; /* of the file after so many writes */

static const char *expected(int32_t key, int writes) {
    const char *text = "-";
    for (int i = 0; i < writes; i++) {
        if (steps[i].key == key) text = steps[i].text[0] ? steps[i].text : "-";
    }
    return text;
}

static bool all_as_after(int writes, int32_t except) {
    for (int32_t key = 1; key < KEYS; key++) {
        if (key != except && !is(key, expected(key, writes))) return false;
    }
    return true;
}

static uint32_t make_log(void) {
    if (!start_anew()) return 0;
    ends[0] = (uint32_t)size_of(path);
    for (int i = 0; i < STEPS; i++) {
        if (put(steps[i].key, steps[i].text) != 0) return 0;
        ends[i + 1] = (uint32_t)size_of(path);
    }
    storage_close(&storage);
    return read_image(image);
}

static void test_truncations(void) {
    check_begin("a file that ends anywhere: the records before are there, the log goes on");
    uint32_t size = make_log();
    CHECK(size == ends[STEPS], "%s", storage.error);
    for (uint32_t length = 0; length <= size; length++) {
        int writes = 0;
        storage_close(&storage);
        write_file(path, image, length);
        while (writes < STEPS && ends[writes + 1] <= length) writes++;
        if (length > 0 && length < STORAGE_FIRST_RECORD / 2) {
            CHECK(!start() && strstr(storage.error, "is not a journal"), "of %u bytes: %s", length, storage.error);
            CHECK(size_of(path) == (long)length, "it was written to");
            continue;
        }
        CHECK(start(), "%u bytes: %s", length, storage.error);
        CHECK(all_as_after(writes, 0), "%u bytes, %d writes", length, writes);
        CHECK(size_of(path) == (long)ends[writes], "%u bytes: %ld after the start", length, size_of(path));
        bool torn = length > STORAGE_FIRST_RECORD && length != ends[writes];
        CHECK(!torn == !strstr(said, "are cut off"), "%u bytes: %s", length, said);
        CHECK(put(4, "new") == 0 && start() && is(4, "new") && all_as_after(writes, 4), "%u bytes: it does not go on", length);
    }
    check_end();
    check_begin("a tail of zeros is cut off");
    memset(image + size, 0, 5000);
    write_file(path, image, size + 5000);
    CHECK(start() && all_as_after(STEPS, 0) && size_of(path) == (long)size, "%s", storage.error);
    check_end();
}

/* The write whose record `offset` is in. */
static int write_at_offset(uint32_t offset) {
    int i = 0;
    while (ends[i + 1] <= offset) i++;
    return i;
}

static bool is_superseded(int index) {
    for (int i = index + 1; i < STEPS; i++) {
        if (steps[i].key == steps[index].key) return true;
    }
    return false;
}

static void test_flips(void) {
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    check_begin("one damaged byte anywhere: only its record is lost, and no older version comes back");
    uint32_t size = make_log();
    for (uint32_t offset = 0; offset < size; offset++) {
        for (size_t i = 0; i < sizeof masks; i++) {
            storage_close(&storage);
            image[offset] ^= masks[i];
            write_file(path, image, size);
            image[offset] ^= masks[i];
            CHECK(start(), "byte %u: %s", offset, storage.error);
            CHECK(sentences == 1 && strstr(said, "offset ") && strstr(said, path), "byte %u: %s", offset, said);
            int index = offset < STORAGE_FIRST_RECORD ? -1 : write_at_offset(offset);
            int32_t key = index < 0 ? 0 : steps[index].key;
            if (index < 0 || is_superseded(index)) CHECK(all_as_after(STEPS, 0), "byte %u", offset);
            else if (index == STEPS - 1) CHECK(all_as_after(index, 0), "byte %u of the last", offset);
            else {
                CHECK(all_as_after(STEPS, key), "byte %u", offset);
                CHECK(!is(key, expected(key, index)) || steps[index].text[0] == 0, "byte %u: the version before", offset);
                CHECK(steps[index].text[0] || is(key, "-"), "byte %u: what was removed", offset);
            }
            CHECK(put(3, "new") == 0 && start() && is(3, "new"), "byte %u: it does not go on", offset);
        }
    }
    check_end();
    check_begin("a damaged record stays damaged when the file is rewritten");
    static uint8_t large[STORAGE_RECORD_BYTES];
    image[ends[2] + STORAGE_HEADER_BYTES] ^= 1;
    storage_close(&storage);
    write_file(path, image, size);
    image[ends[2] + STORAGE_HEADER_BYTES] ^= 1;
    CHECK(start() && is(3, "` third that is somewhat longer"), "%s", text_of(3));
    for (int i = 0; i < 10; i++) CHECK(storage_write(&storage, 5, large, sizeof large) == 0, "write %d", i);
    CHECK(size_of(path) < 3 * STORAGE_RECORD_BYTES, "not rewritten: %ld", size_of(path));
    CHECK(start() && is(3, "` third that is somewhat longer") && strstr(said, "key 0x3 is damaged and lost"), "%s", said);
    CHECK(put(3, "new") == 0 && put(5, "") == 0 && start() && is(3, "new"), "%s", said);
    check_end();
    check_begin("a damaged sector costs what is in it");
    size = make_log();
    for (uint32_t i = ends[2] + 5; i < ends[5] - 5; i++) image[i] = 0;
    write_file(path, image, size);
    CHECK(start() && is(4, "4") && is(5, "fifth again") && is(1, "last"), "%s", said);
    check_end();
}

/* Damage of any kind and size: the file is refused or used, and what is written then is there. */
static void test_damage(void) {
    static uint8_t damaged[IMAGE_BYTES];
    check_begin("a file damaged at random is refused as foreign, or goes on");
    uint32_t size = make_log();
    uint32_t random = 1;
    int used = 0;
    for (int round = 0; round < 2000; round++) {
        uint32_t length = size;
        memcpy(damaged, image, size);
        for (int damages = 1 + round % 4; damages > 0; damages--) {
            random = random * 1664525 + 1013904223;
            uint32_t at = (random >> 8) % length;
            uint32_t count = 1 + (random >> 24) % 64;
            if (count > length - at) count = length - at;
            switch (random >> 6 & 3) {
            case 0: /* bytes of another value */
                for (uint32_t i = 0; i < count; i++) damaged[at + i] = (uint8_t)(damaged[at + i] + i + count);
                break;
            case 1: /* never written */
                memset(damaged + at, 0, count);
                break;
            case 2: /* gone */
                memmove(damaged + at, damaged + at + count, length - at - count);
                length -= count;
                break;
            default: /* there twice */
                memmove(damaged + at + count, damaged + at, length - at);
                length += count;
            }
            if (length == 0) break;
        }
        storage_close(&storage);
        write_file(path, damaged, length);
        if (!start()) {
            CHECK(strstr(storage.error, "is not a journal") && size_of(path) == (long)length, "round %d: %s", round, storage.error);
            continue;
        }
        used++;
        for (int32_t key = 1; key < KEYS; key++) {
            char text[16];
            (void)snprintf(text, sizeof text, "new %d", (int)key);
            CHECK(put(key, text) == 0 && is(key, text), "round %d: key %d", round, (int)key);
            CHECK(start() && is(key, text), "round %d: key %d after a start", round, (int)key);
        }
    }
    CHECK(used > 1000, "%d", used);
    check_end();
}

static void test_forgery(void) {
    check_begin("a payload that holds a journal is no journal");
    /* Its records stand at the offsets that they had in their own file. */
    uint32_t first = STORAGE_FIRST_RECORD + STORAGE_HEADER_BYTES;
    uint32_t size = make_log() - first;
    CHECK(start_anew() && storage_write(&storage, 9, image + first, (int32_t)size) == 0 && put(8, "x") == 0, "%s", storage.error);
    storage_close(&storage);
    uint32_t length = read_image(image);
    image[STORAGE_FIRST_RECORD] ^= 1; /* now the records inside are looked at */
    write_file(path, image, length);
    CHECK(start() && is(8, "x") && is(1, "-") && is(3, "-"), "%s", said);
    CHECK(storage_read(&storage, 9, NULL, 0) == (int32_t)size, "%s", said);
    check_end();
}

static void test_rewriting(void) {
    check_begin("the file stays small however often a record is replaced");
    long most = 0;
    char text[64];
    CHECK(start_anew() && put(1, "one") == 0 && put(2, "two") == 0 && put(2, "") == 0, "%s", storage.error);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof text, "value %d", i);
        CHECK(put(3, text) == 0, "write %d", i);
        if (size_of(path) > most) most = size_of(path);
    }
    CHECK(most > STORAGE_GARBAGE_BYTES && most < STORAGE_GARBAGE_BYTES + 500, "%ld bytes", most);
    CHECK(start() && is(1, "one") && is(2, "-") && is(3, "value 4999") && sentences == 0, "%s", said);
    CHECK(size_of(new_path) == -1, "a file is left over");
    check_end();
}

static void test_full(void) {
    static uint8_t large[6000];
    struct rlimit before;
    struct rlimit small;
    memset(large, 'f', sizeof large);
    check_begin("a full disk refuses the record, keeps the one before and takes the next when there is room");
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)getrlimit(RLIMIT_FSIZE, &before);
    CHECK(start_anew() && put(1, "one") == 0, "%s", storage.error);
    small = (struct rlimit){.rlim_cur = 4000, .rlim_max = before.rlim_max};
    (void)setrlimit(RLIMIT_FSIZE, &small);
    CHECK(storage_write(&storage, 1, large, sizeof large) == -STORE_FULL && is(1, "one"), "%s", text_of(1));
    CHECK(size_of(path) == STORAGE_FIRST_RECORD + 27, "%ld bytes are left", size_of(path));
    CHECK(put(2, "two") == 0, "a small one");
    (void)setrlimit(RLIMIT_FSIZE, &before);
    CHECK(storage_write(&storage, 3, large, sizeof large) == 0, "refused for good");
    CHECK(start() && is(1, "one") && is(2, "two") && sentences == 0, "%s", said);
    check_end();
    check_begin("a full disk makes room of what is no longer needed");
    CHECK(start_anew(), "%s", storage.error);
    small.rlim_cur = 20000;
    (void)setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < 20; i++) CHECK(storage_write(&storage, 1, large, sizeof large) == 0, "write %d", i);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    CHECK(start() && storage_read(&storage, 1, NULL, 0) == sizeof large && sentences == 0, "%s", said);
    check_end();
}

/* Each call of a write and of a rewriting fails once, with an errno. */
static void test_faults(void) {
    static uint8_t large[STORAGE_RECORD_BYTES];
    static const int faults[] = {EIO, ENOSPC};
    check_begin("a call that fails: the answer says so, and no record that was taken is lost");
    for (size_t f = 0; f < 2; f++) {
        bool over = false;
        for (unsigned long at = 1; !over; at++) {
            const char *last = "-";
            CHECK(start_anew() && put(1, "one") == 0, "%s", storage.error);
            power_cut_set(&(PowerCut){.at = at, .tear = -1, .fail = faults[f], .log = -1});
            for (int i = 0; i < 10; i++) {
                large[0] = (uint8_t)('a' + i);
                int32_t answer = storage_write(&storage, 2, large, sizeof large);
                CHECK(answer == 0 || answer == (faults[f] == EIO ? -STORE_FAILED : -STORE_FULL), "call %lu answers %d", at, (int)answer);
                if (answer == 0) last = &"a\0b\0c\0d\0e\0f\0g\0h\0i\0j"[2 * i];
            }
            over = power_cut_count() < at;
            power_cut_set(&(PowerCut){.tear = -1, .log = -1});
            CHECK(is(2, last), "call %lu: %s for %s", at, text_of(2), last);
            CHECK(start() && is(1, "one") && is(2, last) && sentences == 0, "call %lu: %s for %s, %s", at, text_of(2), last, said);
            CHECK(put(2, "new") == 0 && start() && is(2, "new"), "call %lu: it does not go on", at);
        }
    }
    check_end();
}

/* What a process that is cut off tells the one that looks after it. */
typedef struct {
    int taken; /* writes that were answered with 0 */
} Told;

#define CUT_WRITES 14

static int32_t cut_key(int i) {
    return i % 4 == 3 ? 1 + i % 3 : 2;
}

/* Two of them small, as a module's, the others so large that the file is rewritten. */
static int32_t cut_write(int i) {
    static uint8_t bytes[STORAGE_RECORD_BYTES];
    memset(bytes, 'A' + i, sizeof bytes);
    return storage_write(&storage, cut_key(i), bytes, i == 0 || i == CUT_WRITES - 1 ? 10 : (int32_t)sizeof bytes - i);
}

/* What stands in `key` after so many writes: a letter, or 0. */
static char cut_letter(int32_t key, int writes) {
    char letter = 0;
    for (int i = 0; i < writes; i++) {
        if (cut_key(i) == key) letter = (char)('A' + i);
    }
    return letter;
}

static bool cut_state(int writes) {
    for (int32_t key = 1; key <= 3; key++) {
        const char *text = text_of(key);
        char letter = cut_letter(key, writes);
        if (letter ? text[0] != letter || strspn(text, (char[]){letter, 0}) != strlen(text) : text[0] != '-') return false;
    }
    return true;
}

/* Starts, writes and starts once more in a process of its own that ends at call `at`. False when it came to its end. */
static bool cut_process(const PowerCut *cut, Told *told) {
    told->taken = 0;
    storage_close(&storage);
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        power_cut_set(cut);
        if (!start()) _exit(2);
        for (int i = 0; i < CUT_WRITES; i++) {
            if (cut_write(i) != 0) _exit(3);
            told->taken = i + 1;
        }
        _exit(start() ? 0 : 4);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0, "call %lu: status %d", cut->at, status);
    return WIFSIGNALED(status);
}

static void test_cuts(void) {
    static const struct {
        const char *name;
        PowerCut cut;
    } ways[] = {
        {"a power cut before any call", {.tear = -1, .log = -1}},
        {"a power cut after any call", {.after = true, .tear = -1, .log = -1}},
        {"a power cut before any call that loses what is not synchronised", {.lose = true, .tear = -1, .log = -1}},
        {"a power cut after any call that loses what is not synchronised", {.after = true, .lose = true, .tear = -1, .log = -1}},
        {"a power cut in the header of a record", {.tear = 11, .log = -1}},
        {"a power cut behind the header of a record", {.tear = STORAGE_HEADER_BYTES, .log = -1}},
        {"a power cut before the last byte of a record", {.tear = 1 << 20, .log = -1}},
    };
    Told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        check_begin(ways[i].name);
        PowerCut cut = ways[i].cut;
        cut.at = 0;
        unsigned long cuts = 0;
        do {
            cut.at++;
            storage_close(&storage);
            (void)unlink(path);
            if (!cut_process(&cut, told)) break;
            cuts++;
            CHECK(start(), "call %lu: %s", cut.at, storage.error);
            CHECK(cut_state(told->taken) || cut_state(told->taken + 1), "call %lu: after %d writes", cut.at, told->taken);
            CHECK(size_of(new_path) == -1, "call %lu: a file is left over", cut.at);
            CHECK(put(3, "on") == 0 && start() && is(3, "on"), "call %lu: it does not go on", cut.at);
        } while (cut.at < 1000);
        CHECK(cuts > 2 * CUT_WRITES && cuts < 999, "%lu cuts", cuts);
        CHECK(start() && cut_state(CUT_WRITES), "the end");
        check_end();
    }
    (void)munmap(told, sizeof *told);
}

static void test_refusals(void) {
    static Storage other;
    char link_path[128];
    struct stat status;
    check_begin("a second board at the same file is refused");
    CHECK(start_anew() && put(1, "one") == 0, "%s", storage.error);
    CHECK(!storage_open(&other, path, note) && strstr(other.error, "another board that runs keeps its journal there"), "%s", other.error);
    CHECK(strstr(other.error, path) == other.error && !other.open, "%s", other.error);
    check_end();
    check_begin("the file is locked after it was rewritten, too");
    static uint8_t large[STORAGE_RECORD_BYTES];
    (void)stat(path, &status);
    ino_t inode = status.st_ino;
    for (int i = 0; i < 10; i++) (void)storage_write(&storage, 2, large, sizeof large);
    (void)stat(path, &status);
    CHECK(status.st_ino != inode, "it was not rewritten");
    CHECK(!storage_open(&other, path, note) && strstr(other.error, "another board"), "%s", other.error);
    check_end();
    check_begin("only its owner can read the file");
    CHECK((status.st_mode & 0777) == 0600, "mode %o", (unsigned)status.st_mode);
    (void)chmod(path, 0644);
    CHECK(start() && stat(path, &status) == 0 && (status.st_mode & 0777) == 0600, "mode %o", (unsigned)status.st_mode);
    check_end();
    storage_close(&storage);

    static const char foreign[] = "topic = myhome/temperature # these are somebody's settings\n";
    check_begin("a file that is no journal is refused and left as it is");
    write_file(path, foreign, sizeof foreign - 1);
    (void)chmod(path, 0644);
    CHECK(!start() && strstr(storage.error, "is not a journal of this board"), "%s", storage.error);
    CHECK(read_image(image) == sizeof foreign - 1 && memcmp(image, foreign, sizeof foreign - 1) == 0, "written to");
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0644, "its mode is %o", (unsigned)status.st_mode);
    check_end();
    check_begin("a journal of another version is refused");
    (void)make_log();
    for (int copy = 0; copy < 2; copy++) {
        uint8_t *header = image + 20 * copy;
        header[8] = 2;
        uint32_t sum = 0xffffffff; /* CRC-32 */
        for (int i = 0; i < 16 * 8; i++) {
            if (i % 8 == 0) sum ^= header[i / 8];
            sum = (sum >> 1) ^ ((sum & 1) ? 0xedb88320u : 0);
        }
        for (int i = 0; i < 4; i++) header[16 + i] = (uint8_t)(~sum >> (8 * i));
    }
    write_file(path, image, ends[STEPS]);
    CHECK(!start() && strstr(storage.error, "of version 2, this board keeps version 1"), "%s", storage.error);
    check_end();
    check_begin("what a rewriting left over is removed, another file of its name refused");
    CHECK(start_anew() && put(1, "one") == 0, "%s", storage.error);
    storage_close(&storage);
    uint32_t size = read_image(image);
    for (uint32_t length = 0; length <= size; length++) {
        write_file(new_path, image, length);
        CHECK(start() && is(1, "one") && size_of(new_path) == -1, "%u bytes: %s", length, storage.error);
    }
    storage_close(&storage);
    write_file(new_path, foreign, sizeof foreign - 1);
    CHECK(!start() && strstr(storage.error, "is not the board's") && size_of(new_path) == sizeof foreign - 1, "%s", storage.error);
    (void)unlink(new_path);
    check_end();

    check_begin("a directory, a link, a pipe and no directory are refused by name");
    CHECK(!storage_open(&other, directory, note) && strstr(other.error, "is a directory; name a file in it"), "%s", other.error);
    (void)snprintf(link_path, sizeof link_path, "%s/", directory);
    CHECK(!storage_open(&other, link_path, note) && strstr(other.error, "/board.journal"), "%s", other.error);
    (void)snprintf(link_path, sizeof link_path, "%s/link", directory);
    CHECK(symlink(path, link_path) == 0 && !storage_open(&other, link_path, note) && strstr(other.error, "is a symbolic link"), "%s", other.error);
    (void)unlink(link_path);
    CHECK(mkfifo(link_path, 0600) == 0 && !storage_open(&other, link_path, note) && strstr(other.error, "not a regular file"), "%s", other.error);
    (void)unlink(link_path);
    CHECK(!storage_open(&other, "/nowhere/at/all", note) && strstr(other.error, "/nowhere/at/all: its directory cannot be opened: No such"), "%s", other.error);
    CHECK(!storage_open(&other, "/dev/null", note) && strstr(other.error, "not a regular file"), "%s", other.error);
    check_end();
    check_begin("a name without a directory is in the current one");
    char before[256];
    CHECK(getcwd(before, sizeof before) && chdir(directory) == 0 && storage_open(&other, "here", note), "%s", other.error);
    CHECK(storage_write(&other, 1, (const uint8_t *)"a", 1) == 0 && size_of("here") == STORAGE_FIRST_RECORD + 25, "%ld", size_of("here"));
    storage_close(&other);
    (void)unlink("here");
    CHECK(chdir(before) == 0, "%s", before);
    check_end();

    check_begin("a directory that cannot be written is refused");
    CHECK(start_anew(), "%s", storage.error);
    storage_close(&storage);
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) { /* root may write anywhere */
        if (geteuid() == 0 && (chown(directory, 65534, 65534) != 0 || chown(path, 65534, 65534) != 0 || setuid(65534) != 0)) _exit(9);
        (void)chmod(directory, 0500);
        bool refused = !start() && strstr(storage.error, "its directory has to be writable");
        (void)chmod(directory, 0700);
        _exit(refused ? 0 : 1);
    }
    int ended = 1;
    (void)waitpid(child, &ended, 0);
    CHECK(ended == 0, "status %x", (unsigned)ended);
    check_end();
}

int main(void) {
    /* In memory where there is such a place: what is synchronised is counted here, not timed. */
    (void)snprintf(directory, sizeof directory, "%s/storage-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(directory)) return 1;
    (void)snprintf(path, sizeof path, "%s/board.journal", directory);
    (void)snprintf(new_path, sizeof new_path, "%s.new", path);
    test_round_trips();
    test_keys();
    test_truncations();
    test_flips();
    test_damage();
    test_forgery();
    test_rewriting();
    test_full();
    test_faults();
    test_cuts();
    test_refusals();
    storage_close(&storage);
    (void)unlink(path);
    (void)unlink(new_path);
    if (rmdir(directory) != 0) printf("not ok files are left in %s\n", directory);
    return CHECK_STATUS();
}

/* Ends its own process by SIGKILL at the Nth call that leaves a trace outside it: a power cut, for tests. Build it as a shared library and
 *
 *   LD_PRELOAD=libpower_cut.so POWER_CUT_AT=5 twobyte-posix --config board.conf --journal board.journal
 *
 *   POWER_CUT_AT=N       at the Nth counted call, from 1; without it nothing is cut
 *   POWER_CUT_AFTER=1    after that call has come back, not before it
 *   POWER_CUT_TEAR=B     when that call writes to a file, B of its bytes are written first, at most all but one
 *   POWER_CUT_LOSE=1     what the file system was not yet asked to keep is lost: appended bytes without fdatasync or fsync, a rename
 *                        without fsync of the directory (which is undone by means of a link FILE.before beside the file)
 *   POWER_CUT_FAIL=E     no cut: that call answers -1 with errno E when it is to a file: 28 (ENOSPC), 5 (EIO)
 *   POWER_CUT_LOG=FILE   a line `N call kind bytes` to FILE before each counted call, kind `file`, `directory` or `link`: the last line is
 *                        the call that was cut, and without POWER_CUT_AT the log tells how many there are
 *
 * Counted are write, pwrite, writev, fdatasync, fsync, send, sendto, sendmsg of regular files, directories (fsync), sockets and terminals,
 * and rename, renameat; never of descriptors 0 to 2, whatever they are, nor of pipes. What a socket took before the cut is still sent:
 * the kernel lives on. Nothing is written to standard output. One thread. */

#include "power_cut.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 8
#define PATH_BYTES 1100

/* The call of that name behind this one, looked up once. */
#define REAL(name)                                                    \
    static __typeof__(&name) real;                                    \
    if (!real) {                                                      \
        void *found = dlsym(RTLD_NEXT, #name);                        \
        memcpy(&real, &found, sizeof real);                           \
    }

typedef enum { KIND_NONE, KIND_FILE, KIND_DIRECTORY, KIND_LINK } Kind;

static const char *const kinds[] = {"", "file", "directory", "link"};

static PowerCut cut = {.tear = -1, .log = -1};
static unsigned long calls;

/* Files with bytes that are not synchronised, and how long they were before. */
static struct {
    int file;
    off_t synced;
} unsynced[FILES];
static int unsynced_count;

/* A rename that no fsync of the directory followed. */
static struct {
    int from_directory;
    int to_directory;
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    char before[PATH_BYTES + 8];
    bool open;
    bool replaced; /* there was a file at `to` */
} renamed;

static long number(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtol(text, NULL, 10) : otherwise;
}

__attribute__((constructor)) static void read_environment(void) {
    const char *log = getenv("POWER_CUT_LOG");
    cut.at = (unsigned long)number("POWER_CUT_AT", 0);
    cut.after = number("POWER_CUT_AFTER", 0) != 0;
    cut.tear = number("POWER_CUT_TEAR", -1);
    cut.lose = number("POWER_CUT_LOSE", 0) != 0;
    cut.fail = (int)number("POWER_CUT_FAIL", 0);
    if (log && *log) cut.log = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

void power_cut_set(const PowerCut *other) {
    cut = *other;
    calls = 0;
    unsynced_count = 0;
    renamed.open = false;
}

unsigned long power_cut_count(void) {
    return calls;
}

static Kind kind_of(int file) {
    struct stat status;
    if (file <= 2 || file == cut.log || fstat(file, &status) != 0) return KIND_NONE;
    if (S_ISREG(status.st_mode)) return KIND_FILE;
    if (S_ISDIR(status.st_mode)) return KIND_DIRECTORY;
    return S_ISSOCK(status.st_mode) || S_ISCHR(status.st_mode) ? KIND_LINK : KIND_NONE;
}

static void end_now(void) {
    if (cut.lose) {
        for (int i = 0; i < unsynced_count; i++) {
            if (ftruncate(unsynced[i].file, unsynced[i].synced) != 0) abort();
        }
    }
    if (cut.lose && renamed.open) {
        REAL(renameat)
        if (real(renamed.to_directory, renamed.to, renamed.from_directory, renamed.from) != 0) abort();
        if (renamed.replaced && real(renamed.to_directory, renamed.before, renamed.to_directory, renamed.to) != 0) abort();
    }
    (void)kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts a call. True when it is the one that is cut or fails. */
static bool is_turn(const char *name, Kind kind, size_t bytes) {
    if (kind == KIND_NONE) return false;
    calls++;
    if (cut.log >= 0) {
        char line[80];
        int length = snprintf(line, sizeof line, "%lu %s %s %zu\n", calls, name, kinds[kind], bytes);
        REAL(write)
        (void)!real(cut.log, line, (size_t)length);
    }
    return cut.at != 0 && calls == cut.at;
}

/* Before the call: ends here, or answers whether the call fails. */
static bool fails_now(bool turn, Kind kind) {
    if (!turn) return false;
    if (cut.fail) {
        if (kind == KIND_LINK) return false;
        errno = cut.fail;
        return true;
    }
    if (!cut.after) end_now();
    return false;
}

static void done(bool turn) {
    int fault = errno;
    if (turn && !cut.fail) end_now();
    errno = fault;
}

/* Takes note of how long a file was when all of it was synchronised. */
static void will_write(int file, Kind kind) {
    struct stat status;
    if (kind != KIND_FILE) return;
    for (int i = 0; i < unsynced_count; i++) {
        if (unsynced[i].file == file) return;
    }
    if (unsynced_count == FILES || fstat(file, &status) != 0) return;
    unsynced[unsynced_count].file = file;
    unsynced[unsynced_count++].synced = status.st_size;
}

static void was_synced(int file, Kind kind) {
    for (int i = 0; i < unsynced_count; i++) {
        if (unsynced[i].file == file) unsynced[i] = unsynced[--unsynced_count];
    }
    if (kind != KIND_DIRECTORY || !renamed.open) return;
    renamed.open = false;
    (void)unlinkat(renamed.to_directory, renamed.before, 0);
}

/* How many bytes are written before a cut in the middle, or -1. */
static ssize_t torn(bool turn, Kind kind, size_t length) {
    if (!turn || cut.fail || cut.tear < 0 || kind != KIND_FILE || length == 0) return -1;
    return (size_t)cut.tear < length ? (ssize_t)cut.tear : (ssize_t)length - 1;
}

/* A torn write reaches the disk: what the file holds then is not lost with the rest. */
static void end_torn(int file) {
    was_synced(file, KIND_FILE);
    end_now();
}

ssize_t write(int file, const void *bytes, size_t length) {
    REAL(write)
    Kind kind = kind_of(file);
    bool turn = is_turn("write", kind, length);
    ssize_t part = torn(turn, kind, length);
    if (part >= 0) {
        (void)!real(file, bytes, (size_t)part);
        end_torn(file);
    }
    if (fails_now(turn, kind)) return -1;
    will_write(file, kind);
    ssize_t answer = real(file, bytes, length);
    done(turn);
    return answer;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    REAL(pwrite)
    Kind kind = kind_of(file);
    bool turn = is_turn("pwrite", kind, length);
    ssize_t part = torn(turn, kind, length);
    if (part >= 0) {
        (void)!real(file, bytes, (size_t)part, offset);
        end_torn(file);
    }
    if (fails_now(turn, kind)) return -1;
    will_write(file, kind);
    ssize_t answer = real(file, bytes, length, offset);
    done(turn);
    return answer;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(writev)
    Kind kind = kind_of(file);
    size_t length = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    bool turn = is_turn("writev", kind, length);
    ssize_t left = torn(turn, kind, length);
    if (left >= 0) {
        for (int i = 0; i < count && left > 0; i++) {
            size_t step = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;
            struct iovec part = {.iov_base = parts[i].iov_base, .iov_len = step};
            (void)!real(file, &part, 1);
            left -= (ssize_t)step;
        }
        end_torn(file);
    }
    if (fails_now(turn, kind)) return -1;
    will_write(file, kind);
    ssize_t answer = real(file, parts, count);
    done(turn);
    return answer;
}

int fdatasync(int file) {
    REAL(fdatasync)
    Kind kind = kind_of(file);
    bool turn = is_turn("fdatasync", kind, 0);
    if (fails_now(turn, kind)) return -1;
    int answer = real(file);
    if (answer == 0) was_synced(file, kind);
    done(turn);
    return answer;
}

int fsync(int file) {
    REAL(fsync)
    Kind kind = kind_of(file);
    bool turn = is_turn("fsync", kind, 0);
    if (fails_now(turn, kind)) return -1;
    int answer = real(file);
    if (answer == 0) was_synced(file, kind);
    done(turn);
    return answer;
}

ssize_t send(int file, const void *bytes, size_t length, int flags) {
    REAL(send)
    Kind kind = kind_of(file);
    bool turn = is_turn("send", kind, length);
    (void)fails_now(turn, kind);
    ssize_t answer = real(file, bytes, length, flags);
    done(turn);
    return answer;
}

ssize_t sendto(int file, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t to_length) {
    ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    void *found = dlsym(RTLD_NEXT, "sendto"); /* glibc declares it with a union of addresses */
    memcpy(&real, &found, sizeof real);
    Kind kind = kind_of(file);
    bool turn = is_turn("sendto", kind, length);
    (void)fails_now(turn, kind);
    ssize_t answer = real(file, bytes, length, flags, to, to_length);
    done(turn);
    return answer;
}

ssize_t sendmsg(int file, const struct msghdr *message, int flags) {
    REAL(sendmsg)
    Kind kind = kind_of(file);
    size_t length = 0;
    for (size_t i = 0; i < (size_t)message->msg_iovlen; i++) length += message->msg_iov[i].iov_len;
    bool turn = is_turn("sendmsg", kind, length);
    (void)fails_now(turn, kind);
    ssize_t answer = real(file, message, flags);
    done(turn);
    return answer;
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    REAL(renameat)
    bool turn = is_turn("rename", KIND_DIRECTORY, 0);
    if (fails_now(turn, KIND_DIRECTORY)) return -1;
    if (cut.lose && strlen(from) < PATH_BYTES && strlen(to) < PATH_BYTES) {
        renamed.from_directory = from_directory;
        renamed.to_directory = to_directory;
        (void)snprintf(renamed.from, sizeof renamed.from, "%s", from);
        (void)snprintf(renamed.to, sizeof renamed.to, "%s", to);
        (void)snprintf(renamed.before, sizeof renamed.before, "%s.before", to);
        (void)unlinkat(to_directory, renamed.before, 0);
        renamed.replaced = linkat(to_directory, to, to_directory, renamed.before, 0) == 0;
        renamed.open = true;
    }
    int answer = real(from_directory, from, to_directory, to);
    if (answer != 0) {
        if (renamed.open) (void)unlinkat(to_directory, renamed.before, 0);
        renamed.open = false;
    }
    done(turn);
    return answer;
}

int rename(const char *from, const char *to) {
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

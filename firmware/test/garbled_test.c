/* Real modules, cut off at every byte and garbled: what a slot's check lets pass, and what the engine makes of a bare file.
 *
 *   garbled_test MODULE...                     cut and flipped, through the slots and through the shell
 *   garbled_test --engine SEED COUNT MODULE    COUNT modules with some bytes changed go straight to the engine, which does not validate: a child each,
 *                                              since one may break it. Prints how many were refused, ran, trapped, and broke it. */

#include "check.h"
#include "shell.h"
#include "slots.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPACITY = 32768 };

static int32_t none(void) {
    return 0;
}
static int32_t link_open(void *context, int32_t link, int32_t choice) { (void)context, (void)link, (void)choice; return none(); }
static int32_t link_send(void *context, int32_t link, const uint8_t *data, int32_t length) { (void)context, (void)link, (void)data; return length; }
static void link_close(void *context, int32_t link) { (void)context, (void)link; }
static int32_t remember(void *context, int32_t slot, const uint8_t *address, int32_t length) { (void)context, (void)slot, (void)address, (void)length; return 0; }
static int32_t random_bits(void *context) { (void)context; return 4; }
static int32_t config_text(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    (void)context;
    if (key != CONFIG_TOPIC) return -1;
    if (capacity >= 3) memcpy(to, "a/b", 3);
    return 3;
}
static int32_t config_number(void *context, int32_t key, int32_t otherwise) { (void)context, (void)key; return otherwise; }
static int32_t store_write(void *context, int32_t key, const uint8_t *data, int32_t length) { (void)context, (void)key, (void)data, (void)length; return 0; }
static int32_t store_read(void *context, int32_t key, uint8_t *to, int32_t capacity) { (void)context, (void)key, (void)to, (void)capacity; return -1; }
static int32_t unix_time(void *context) { (void)context; return 0; }
static int32_t temperature(void *context, int32_t sensor) { (void)context, (void)sensor; return 23400; }
static void event(void *context, int32_t code, int32_t a, int32_t b) { (void)context, (void)code, (void)a, (void)b; }
static const Port port = {
    .link_open = link_open,
    .link_send = link_send,
    .link_close = link_close,
    .remember_gateway = remember,
    .random = random_bits,
    .config_text = config_text,
    .config_number = config_number,
    .store_write = store_write,
    .store_read = store_read,
    .unix_time = unix_time,
    .temperature = temperature,
    .event = event,
};

static uint8_t module[CAPACITY];
static uint32_t bytes;
static Shell shell;

static bool read_module(const char *path) {
    FILE *file = fopen(path, "rb");
    bytes = file ? (uint32_t)fread(module, 1, sizeof module, file) : 0;
    if (file) (void)fclose(file);
    return bytes > 0 && bytes < sizeof module - SLOT_HEADER_BYTES;
}

/* In a block of its own length, so that a sanitizer sees a read behind it. */
static uint8_t *copy_of(const uint8_t *from, uint32_t length) {
    uint8_t *copy = malloc(length ? length : 1);
    if (!copy) abort();
    memcpy(copy, from, length);
    return copy;
}

static int32_t load(const uint8_t *at, uint32_t length) {
    ShellOptions options = {.module = at, .module_bytes = length, .port = &port};
    return shell_load(&shell, &options);
}

static void test_cut(const char *name) {
    check_begin(name);
    for (uint32_t length = 0; length < bytes; length++) {
        uint8_t *cut = copy_of(module, length);
        CHECK(load(cut, length) == SHELL_FAILED && shell.error[0], "taken at %u of %u bytes", (unsigned)length, (unsigned)bytes);
        shell_unload(&shell);
        free(cut);
    }
    CHECK(load(module, bytes) == 0, "whole: %s", shell.error);
    shell_unload(&shell);
    check_end();
}

/* A byte in a place of its own each time, written over with another value: the slot is none. */
static void test_flipped(const char *name) {
    static uint8_t at[CAPACITY];
    Slot slot;
    check_begin(name);
    memcpy(at + SLOT_HEADER_BYTES, module, bytes);
    slots_header(at, module, bytes, 1);
    CHECK(slots_read(&slot, at, sizeof at) && slot.bytes == bytes, "whole: %s", slot.error);
    for (uint32_t i = 0; i < SLOT_HEADER_BYTES + bytes; i += i < 64 ? 1 : 31) {
        uint8_t value = at[i];
        at[i] = (uint8_t)(value ^ (1u + i % 255));
        CHECK(!slots_read(&slot, at, sizeof at), "taken with byte %u changed", (unsigned)i);
        at[i] = value;
    }
    check_end();
}

static uint32_t seed;
static uint32_t any(uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

/* 0 refused, 1 ran, 2 trapped */
static int run(const uint8_t *at) {
    if (load(at, bytes) != 0) return 0;
    if (shell_start(&shell) == SHELL_FAILED) return 2;
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t room;
        if (shell_step(&shell, i * 5000) == SHELL_FAILED || shell_link_changed(&shell, 0, (int32_t)(i % 3), 0) == SHELL_FAILED) return 2;
        uint8_t *to = shell_link_buffer(&shell, 0, &room);
        if (!to) return 2;
        if (room > 4) memcpy(to, "\x20\x02\x00\x00", 4);
        if (room > 4 && shell_link_received(&shell, 0, 4) != 0) return 2;
    }
    return 1;
}

static int test_engine(uint32_t count) {
    uint32_t outcomes[4] = {0};
    for (uint32_t n = 0; n < count; n++) {
        uint32_t changes = 1 + any(3);
        uint8_t *garbled = copy_of(module, bytes);
        for (uint32_t i = 0; i < changes; i++) garbled[8 + any(bytes - 8)] = (uint8_t)any(256);
        pid_t child = fork();
        if (child == 0) {
            (void)alarm(20);
            _exit(10 + run(garbled));
        }
        int status = 0;
        (void)waitpid(child, &status, 0);
        int outcome = WIFEXITED(status) ? WEXITSTATUS(status) - 10 : -1;
        bool whole = outcome >= 0 && outcome < 3;
        outcomes[whole ? outcome : 3]++;
        if (!whole) printf("%u: %s %d\n", (unsigned)n, WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        free(garbled);
    }
    printf("%u garbled: %u refused, %u ran, %u trapped, %u broke the engine\n", (unsigned)count, (unsigned)outcomes[0], (unsigned)outcomes[1],
           (unsigned)outcomes[2], (unsigned)outcomes[3]);
    return 0;
}

int main(int count, char **arguments) {
    if (count == 5 && strcmp(arguments[1], "--engine") == 0) {
        seed = (uint32_t)strtoul(arguments[2], NULL, 10);
        if (!read_module(arguments[4])) return 1;
        return test_engine((uint32_t)strtoul(arguments[3], NULL, 10));
    }
    for (int i = 1; i < count; i++) {
        const char *slash = strrchr(arguments[i], '/');
        char name[120];
        (void)snprintf(name, sizeof name, "%.60s cut off at every byte is refused by the shell", slash ? slash + 1 : arguments[i]);
        if (!read_module(arguments[i])) return 1;
        test_cut(name);
        (void)snprintf(name, sizeof name, "%.60s with a byte changed is refused by the slots", slash ? slash + 1 : arguments[i]);
        test_flipped(name);
    }
    return CHECK_STATUS();
}

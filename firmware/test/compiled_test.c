/* The shell over compiled modules that test/compiled.test.ts writes. `compiled_test NAME` tells in lines what becomes of the module NAME, and of the board
 * after it: `load`, `start`, `step` twice; the same once more, anew; a second shell meanwhile; and the module `sound` at last.
 * Each line is an answer or an error. */

#include "shell.h"

#include <stdio.h>
#include <string.h>

static int32_t link_open(void *context, int32_t link, int32_t choice) {
    (void)context, (void)link, (void)choice;
    return 0;
}

static int32_t link_send(void *context, int32_t link, const uint8_t *data, int32_t length) {
    (void)context, (void)link;
    printf("sent %.*s\n", (int)length, (const char *)data);
    return length;
}

static void link_close(void *context, int32_t link) {
    (void)context, (void)link;
}

static int32_t remember_gateway(void *context, int32_t slot, const uint8_t *address, int32_t length) {
    (void)context, (void)slot, (void)address, (void)length;
    return -REASON_ADDRESS;
}

static int32_t random_bits(void *context) {
    (void)context;
    return 4;
}

static int32_t config_text(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    (void)context, (void)key, (void)to, (void)capacity;
    return -1;
}

static int32_t config_number(void *context, int32_t key, int32_t otherwise) {
    (void)context, (void)key;
    return otherwise;
}

static int32_t store_write(void *context, int32_t key, const uint8_t *data, int32_t length) {
    (void)context, (void)key, (void)data, (void)length;
    return -STORE_FAILED;
}

static int32_t store_read(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    (void)context, (void)key, (void)to, (void)capacity;
    return -1;
}

static int32_t unix_time(void *context) {
    (void)context;
    return 0;
}

static int32_t temperature(void *context, int32_t sensor) {
    (void)context;
    return sensor;
}

static void event(void *context, int32_t code, int32_t a, int32_t b) {
    (void)context;
    printf("event %d %d %d\n", (int)code, (int)a, (int)b);
}

static const Port port = {
    .link_open = link_open,
    .link_send = link_send,
    .link_close = link_close,
    .remember_gateway = remember_gateway,
    .random = random_bits,
    .config_text = config_text,
    .config_number = config_number,
    .store_write = store_write,
    .store_read = store_read,
    .unix_time = unix_time,
    .temperature = temperature,
    .event = event,
};

static Shell shell, other;

static void tell(const char *what, int32_t answer, const Shell *of) {
    if (answer == SHELL_FAILED) printf("%s: %s\n", what, of->error);
    else printf("%s %d\n", what, (int)answer);
}

/* False when it was refused. */
static bool load(Shell *into, const char *name) {
    const ShellOptions options = {.name = name, .port = &port};
    int32_t answer = shell_load(into, &options);
    tell("load", answer, into);
    return answer == 0;
}

static void live(const char *name) {
    if (load(&shell, name)) {
        tell("start", shell_start(&shell), &shell);
        tell("step", shell_step(&shell, 1), &shell);
        tell("step", shell_step(&shell, 2), &shell);
    }
    shell_unload(&shell);
}

int main(int count, char **arguments) {
    if (count != 2) return 1;
    live(arguments[1]);
    live(arguments[1]);
    if (load(&shell, "sound")) {
        (void)load(&other, "sound");
        shell_unload(&other);
        tell("step", shell_step(&shell, 3), &shell);
    }
    shell_unload(&shell);
    tell("unloaded", shell_step(&shell, 4), &shell);
    return 0;
}

#include "shell.h"

#include "update_none.h"

#include <stdio.h>
#include <string.h>

static int32_t fail(Shell *shell, const char *error, const char *subject) {
    shell->failed = true;
    if (subject[0]) (void)snprintf(shell->error, sizeof shell->error, "%.60s: %s", subject, error);
    else (void)snprintf(shell->error, sizeof shell->error, "%s", error);
    return SHELL_FAILED;
}

/* The bytes an import was handed, or NULL: then the call that led here ends in a trap with `error`. */
static uint8_t *checked(Shell *shell, int32_t address, int32_t length, const char *error) {
    uint8_t *bytes = length < 0 ? NULL : engine_memory(&shell->engine, (uint32_t)address, (uint32_t)length);
    if (!bytes) shell->engine.trap = error;
    return bytes;
}

static int32_t link_open(void *context, const int32_t *arguments) {
    Shell *shell = context;
    return shell->port->link_open(shell->context, arguments[0], arguments[1]);
}

static int32_t link_send(void *context, const int32_t *arguments) {
    Shell *shell = context;
    const uint8_t *data = checked(shell, arguments[1], arguments[2], "link_send got bytes outside the module's memory");
    return data ? shell->port->link_send(shell->context, arguments[0], data, arguments[2]) : 0;
}

static int32_t link_close(void *context, const int32_t *arguments) {
    Shell *shell = context;
    shell->port->link_close(shell->context, arguments[0]);
    return 0;
}

static int32_t remember_gateway(void *context, const int32_t *arguments) {
    Shell *shell = context;
    const uint8_t *address = checked(shell, arguments[1], arguments[2], "remember_gateway got bytes outside the module's memory");
    return address ? shell->port->remember_gateway(shell->context, arguments[0], address, arguments[2]) : 0;
}

static int32_t random_bits(void *context, const int32_t *arguments) {
    (void)arguments;
    Shell *shell = context;
    return shell->port->random(shell->context);
}

static int32_t config_text(void *context, const int32_t *arguments) {
    Shell *shell = context;
    uint8_t *to = checked(shell, arguments[1], arguments[2], "config_text got a place outside the module's memory");
    return to ? shell->port->config_text(shell->context, arguments[0], to, arguments[2]) : -1;
}

static int32_t config_number(void *context, const int32_t *arguments) {
    Shell *shell = context;
    return shell->port->config_number(shell->context, arguments[0], arguments[1]);
}

static int32_t store_write(void *context, const int32_t *arguments) {
    Shell *shell = context;
    const uint8_t *data = checked(shell, arguments[1], arguments[2], "store_write got bytes outside the module's memory");
    return data ? shell->port->store_write(shell->context, arguments[0], data, arguments[2]) : 0;
}

static int32_t store_read(void *context, const int32_t *arguments) {
    Shell *shell = context;
    uint8_t *to = checked(shell, arguments[1], arguments[2], "store_read got a place outside the module's memory");
    return to ? shell->port->store_read(shell->context, arguments[0], to, arguments[2]) : -1;
}

static int32_t unix_time(void *context, const int32_t *arguments) {
    (void)arguments;
    Shell *shell = context;
    return shell->port->unix_time(shell->context);
}

static int32_t temperature(void *context, const int32_t *arguments) {
    Shell *shell = context;
    return shell->port->temperature(shell->context, arguments[0]);
}

static int32_t humidity(void *context, const int32_t *arguments) {
    Shell *shell = context;
    return shell->port->humidity ? shell->port->humidity(shell->context, arguments[0]) : READING_FAILED - BUS_NONE;
}

static int32_t i2c_transfer(void *context, const int32_t *arguments) {
    Shell *shell = context;
    const uint8_t *write = checked(shell, arguments[1], arguments[2], "i2c_transfer got bytes outside the module's memory");
    uint8_t *read = checked(shell, arguments[3], arguments[4], "i2c_transfer got a place outside the module's memory");
    if (!write || !read || !shell->port->i2c_transfer) return -BUS_NONE;
    return shell->port->i2c_transfer(shell->context, arguments[0], write, arguments[2], read, arguments[4]);
}

static int32_t onewire_transfer(void *context, const int32_t *arguments) {
    Shell *shell = context;
    const uint8_t *write = checked(shell, arguments[0], arguments[1], "onewire_transfer got bytes outside the module's memory");
    uint8_t *read = checked(shell, arguments[2], arguments[3], "onewire_transfer got a place outside the module's memory");
    if (!write || !read || !shell->port->onewire_transfer) return -BUS_NONE;
    return shell->port->onewire_transfer(shell->context, write, arguments[1], read, arguments[3]);
}

static int32_t onewire_triplet(void *context, const int32_t *arguments) {
    Shell *shell = context;
    return shell->port->onewire_triplet ? shell->port->onewire_triplet(shell->context, arguments[0]) : -BUS_NONE;
}

static int32_t adc_read(void *context, const int32_t *arguments) {
    Shell *shell = context;
    return shell->port->adc_read ? shell->port->adc_read(shell->context, arguments[0]) : -BUS_NONE;
}

static int32_t event(void *context, const int32_t *arguments) {
    Shell *shell = context;
    shell->port->event(shell->context, arguments[0], arguments[1], arguments[2]);
    return 0;
}

static int32_t update_take(void *context, const int32_t *arguments) {
    Shell *shell = context;
    const uint8_t *payload = checked(shell, arguments[0], arguments[1], "update_take got bytes outside the module's memory");
    if (!payload) return -1;
    return shell->port->update_take ? shell->port->update_take(shell->context, payload, arguments[1]) : update_none_take(&shell->asked_update, arguments[1]);
}

static int32_t update_answer(void *context, const int32_t *arguments) {
    Shell *shell = context;
    uint8_t *to = checked(shell, arguments[0], arguments[1], "update_answer got a place outside the module's memory");
    if (!to) return 0;
    return shell->port->update_answer ? shell->port->update_answer(shell->context, to, arguments[1])
                                      : update_none_answer(&shell->asked_update, "this board takes no new modules: its firmware cannot verify signatures", to, arguments[1]);
}

static const EngineImport imports[] = {
    {"link_open", "i(ii)", link_open},
    {"link_send", "i(iii)", link_send},
    {"link_close", "v(i)", link_close},
    {"remember_gateway", "i(iii)", remember_gateway},
    {"random", "i()", random_bits},
    {"config_text", "i(iii)", config_text},
    {"config_number", "i(ii)", config_number},
    {"store_write", "i(iii)", store_write},
    {"store_read", "i(iii)", store_read},
    {"unix_time", "i()", unix_time},
    {"temperature", "i(i)", temperature},
    {"humidity", "i(i)", humidity},
    {"i2c_transfer", "i(iiiii)", i2c_transfer},
    {"onewire_transfer", "i(iiii)", onewire_transfer},
    {"onewire_triplet", "i(i)", onewire_triplet},
    {"adc_read", "i(i)", adc_read},
    {"event", "v(iii)", event},
    {"update_take", "i(ii)", update_take},
    {"update_answer", "i(ii)", update_answer},
};

const EngineImport *shell_imports(size_t *count) {
    *count = sizeof imports / sizeof imports[0];
    return imports;
}

static const struct {
    const char *name;
    uint32_t arguments;
    bool answers;
} exports[EXPORT_COUNT] = {
    [EXPORT_ABI_VERSION] = {"abi_version", 0, true},
    [EXPORT_MEMORY_BYTES] = {"memory_bytes", 0, true},
    [EXPORT_START] = {"start", 0, true},
    [EXPORT_STOP] = {"stop", 0, false},
    [EXPORT_STEP] = {"step", 1, true},
    [EXPORT_LINK_BUFFER] = {"link_buffer", 1, true},
    [EXPORT_LINK_ROOM] = {"link_room", 1, true},
    [EXPORT_LINK_RECEIVED] = {"link_received", 2, false},
    [EXPORT_LINK_CHANGED] = {"link_changed", 3, false},
};

static const char too_long[] = "runs too long: no answer when the board's watchdog came";

/* Calls `function`; false, with the shell failed, on a trap or when an import calls back. */
static bool call(Shell *shell, EngineFunction *function, const int32_t *arguments, uint32_t count, int32_t *answer) {
    if (shell->failed) return false;
    if (shell->inside) {
        shell->engine.trap = "an import of the board called an export of the module";
        return false;
    }
    shell->ticks = 0;
    shell->inside = function;
    bool done = engine_call(&shell->engine, function, arguments, count, answer);
    shell->inside = NULL;
    if (!done) fail(shell, shell->engine.error, shell->engine.subject);
    return done;
}

bool shell_tick(Shell *shell) {
    if (!shell->inside || ++shell->ticks < SHELL_TICKS) return false;
    if (!shell->engine.away) return true;
    shell->engine.trap = too_long;
    return false;
}

const char *shell_running(const Shell *shell) {
    if (!shell->inside) return "";
    for (int i = 0; i < EXPORT_COUNT; i++) {
        if (shell->exports[i] == shell->inside) return exports[i].name;
    }
    return shell->inside == shell->flush ? "flush" : "an export";
}

int32_t shell_left(Shell *shell) {
    const char *name = shell_running(shell);
    shell->inside = NULL;
    return fail(shell, too_long, name);
}

/* Asks for the version and the memory in use, and gives the module just that memory. */
static int32_t check_module(Shell *shell, uint32_t limit) {
    int32_t version = 0;
    int32_t used = 0;
    if (!call(shell, shell->exports[EXPORT_ABI_VERSION], NULL, 0, &version)) return SHELL_FAILED;
    if (version != ABI_VERSION) {
        (void)snprintf(shell->error, sizeof shell->error, "the module is made for boundary version %d, this board has %d: take a module and a shell of the same release",
                       (int)version, ABI_VERSION);
        shell->failed = true;
        return SHELL_FAILED;
    }
    if (!call(shell, shell->exports[EXPORT_MEMORY_BYTES], NULL, 0, &used)) return SHELL_FAILED;
    if (used < 0 || (uint32_t)used > shell->engine.memory_bytes) {
        (void)snprintf(shell->error, sizeof shell->error, "the module uses %lu bytes of memory, this board allows %lu: take a sensor module, or raise SHELL_MEMORY_LIMIT",
                       (unsigned long)(uint32_t)used, (unsigned long)limit);
        shell->failed = true;
        return SHELL_FAILED;
    }
    if (!engine_shrink(&shell->engine, (uint32_t)used)) return fail(shell, shell->engine.error, "");
    return 0;
}

int32_t shell_load(Shell *shell, const ShellOptions *options) {
    *shell = (Shell){.port = options->port, .context = options->context};
    uint32_t limit = options->memory_limit ? options->memory_limit : SHELL_MEMORY_LIMIT;
    EngineOptions engine = {
        .module = options->module,
        .module_bytes = options->module_bytes,
        .name = options->name,
        .memory_limit = limit,
        .stack_bytes = options->stack_bytes ? options->stack_bytes : SHELL_STACK_BYTES,
        .import_module = "board",
        .imports = imports,
        .import_count = sizeof imports / sizeof imports[0],
        .context = shell,
    };
    if (!engine_load(&shell->engine, &engine)) {
        fail(shell, shell->engine.error, shell->engine.subject);
        if (strcmp(shell->engine.error, ENGINE_DATA_OUTSIDE) == 0) {
            (void)snprintf(shell->error, sizeof shell->error, ENGINE_DATA_OUTSIDE ", of which this board allows %lu bytes: take a sensor module, or raise "
                           "SHELL_MEMORY_LIMIT", (unsigned long)limit);
        }
        return SHELL_FAILED;
    }
    for (int i = 0; i < EXPORT_COUNT; i++) {
        shell->exports[i] = engine_find(&shell->engine, exports[i].name, exports[i].arguments, exports[i].answers);
        if (!shell->exports[i]) return fail(shell, shell->engine.error, shell->engine.subject);
    }
    shell->flush = engine_find(&shell->engine, "flush", 1, false);
    return check_module(shell, limit);
}

int32_t shell_call(Shell *shell, EngineFunction *function, const int32_t *arguments, uint32_t count) {
    int32_t answer = 0;
    return call(shell, function, arguments, count, &answer) ? answer : SHELL_FAILED;
}

int32_t shell_start(Shell *shell) {
    int32_t answer;
    return call(shell, shell->exports[EXPORT_START], NULL, 0, &answer) ? answer : SHELL_FAILED;
}

int32_t shell_step(Shell *shell, uint32_t now) {
    int32_t argument = (int32_t)now;
    int32_t answer;
    if (!call(shell, shell->exports[EXPORT_STEP], &argument, 1, &answer)) return SHELL_FAILED;
    return answer < 0 ? fail(shell, "answered a time below 0", "step") : answer;
}

uint8_t *shell_link_buffer(Shell *shell, int32_t link, uint32_t *room) {
    int32_t address;
    int32_t length;
    *room = 0;
    if (!call(shell, shell->exports[EXPORT_LINK_BUFFER], &link, 1, &address)) return NULL;
    if (!call(shell, shell->exports[EXPORT_LINK_ROOM], &link, 1, &length)) return NULL;
    uint8_t *buffer = length < 0 ? NULL : engine_memory(&shell->engine, (uint32_t)address, (uint32_t)length);
    if (!buffer) fail(shell, "is outside the module's memory", "link_buffer");
    else *room = (uint32_t)length;
    return buffer;
}

int32_t shell_link_received(Shell *shell, int32_t link, uint32_t length) {
    int32_t arguments[2] = {link, (int32_t)length};
    return call(shell, shell->exports[EXPORT_LINK_RECEIVED], arguments, 2, NULL) ? 0 : SHELL_FAILED;
}

int32_t shell_link_changed(Shell *shell, int32_t link, int32_t what, int32_t reason) {
    int32_t arguments[3] = {link, what, reason};
    return call(shell, shell->exports[EXPORT_LINK_CHANGED], arguments, 3, NULL) ? 0 : SHELL_FAILED;
}

int32_t shell_stop(Shell *shell) {
    return call(shell, shell->exports[EXPORT_STOP], NULL, 0, NULL) ? 0 : SHELL_FAILED;
}

int32_t shell_flush(Shell *shell, int32_t ms) {
    if (!shell->flush) return shell->failed ? SHELL_FAILED : -ERROR_STATE;
    return call(shell, shell->flush, &ms, 1, NULL) ? 0 : SHELL_FAILED;
}

uint32_t shell_memory_bytes(const Shell *shell) {
    return shell->engine.memory_bytes;
}

uint32_t shell_static_bytes(const Shell *shell) {
    return shell->engine.static_bytes;
}

void shell_unload(Shell *shell) {
    engine_unload(&shell->engine);
    shell->failed = true;
}

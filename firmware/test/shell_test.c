/* The shell against modules that are broken in one way each. A small writer makes them from a recipe. Whatever happens, the shell says
 * what is wrong, answers SHELL_FAILED from then on, and gives back all it took. */

#include "check.h"
#include "heap.h"
#include "shell.h"

#include <stdlib.h>

typedef struct {
    uint8_t bytes[2048];
    uint32_t length;
} Bytes;

static void put(Bytes *to, const void *bytes, uint32_t length) {
    if (to->length + length > sizeof to->bytes) abort();
    memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
}

static void byte(Bytes *to, uint32_t value) {
    uint8_t one = (uint8_t)value;
    put(to, &one, 1);
}

static void number(Bytes *to, uint32_t value) {
    for (; value > 127; value >>= 7) byte(to, (value & 127) | 128);
    byte(to, value);
}

static void text(Bytes *to, const char *value) {
    number(to, (uint32_t)strlen(value));
    put(to, value, (uint32_t)strlen(value));
}

static void sized(Bytes *to, const Bytes *part) {
    number(to, part->length);
    put(to, part->bytes, part->length);
}

static void section(Bytes *to, uint32_t id, const Bytes *content) {
    byte(to, id);
    sized(to, content);
}

/* Function types: the number of i32 arguments and answers. */
enum { TYPE_I, TYPE_I_I, TYPE_V, TYPE_V_II, TYPE_V_III, TYPE_I_III, TYPE_I_II, TYPE_V_I, TYPE_I_IIIII, TYPE_I_IIII, TYPE_COUNT };
static const uint8_t types[TYPE_COUNT][2] = {{0, 1}, {1, 1}, {0, 0}, {2, 0}, {3, 0}, {3, 1}, {2, 1}, {1, 0}, {5, 1}, {4, 1}};

static const struct {
    const char *name;
    uint8_t type;
} functions[EXPORT_COUNT] = {
    [EXPORT_ABI_VERSION] = {"abi_version", TYPE_I},      [EXPORT_MEMORY_BYTES] = {"memory_bytes", TYPE_I},
    [EXPORT_START] = {"start", TYPE_I},                  [EXPORT_STOP] = {"stop", TYPE_V},
    [EXPORT_STEP] = {"step", TYPE_I_I},                  [EXPORT_LINK_BUFFER] = {"link_buffer", TYPE_I_I},
    [EXPORT_LINK_ROOM] = {"link_room", TYPE_I_I},        [EXPORT_LINK_RECEIVED] = {"link_received", TYPE_V_II},
    [EXPORT_LINK_CHANGED] = {"link_changed", TYPE_V_III},
};

#define END 0x0b
#define CONST(value) 0x41, (value)               /* -64 to 63 */
#define CONST_MINUS_2_31 0x41, 0x80, 0x80, 0x80, 0x80, 0x78
#define CONST_5000 0x41, 0x88, 0x27
#define CALL(function) 0x10, (function)
#define LOOP 0x03, 0x40

/* How a module differs from the sound one. Zero and NULL: not at all. */
typedef struct {
    const char *import_module; /* an import, function 0: then the exports' numbers start at 1 */
    const char *import_name;
    uint8_t import_type;
    uint8_t imports; /* 0: that function; 1: an i32 global; 2: the memory */
    bool no_memory;
    uint8_t pages; /* 0: one */
    bool start_section;
    uint8_t lacks; /* the number of an export + 1 */
    uint8_t retyped;
    uint8_t type;
    uint8_t body; /* the number of an export + 1, whose code is this */
    uint8_t code[256];
    uint32_t code_length; /* 0: up to END */
    const uint8_t *data;  /* a data section */
    uint32_t data_length;
} Recipe;

#define IMPORTS(module, name, type) .import_module = module, .import_name = name, .import_type = type
#define BODY(export, ...) .body = export + 1, .code = {__VA_ARGS__, END}
#define STEP(...) BODY(EXPORT_STEP, __VA_ARGS__)

static uint32_t code_bytes(const Recipe *recipe) {
    uint32_t length = sizeof recipe->code;
    if (recipe->code_length) return recipe->code_length;
    while (length && recipe->code[length - 1] != END) length--;
    return length;
}

static const uint8_t answers[EXPORT_COUNT][5] = {
    [EXPORT_ABI_VERSION] = {CONST(ABI_VERSION), END}, [EXPORT_MEMORY_BYTES] = {0x41, 0x80, 0x20, END}, /* 4096 */
    [EXPORT_START] = {CONST(0), END},                 [EXPORT_STOP] = {END},
    [EXPORT_STEP] = {CONST(50), END},                 [EXPORT_LINK_BUFFER] = {CONST(16), END},
    [EXPORT_LINK_ROOM] = {CONST(8), END},             [EXPORT_LINK_RECEIVED] = {END},
    [EXPORT_LINK_CHANGED] = {END},
};

static void write_code(Bytes *to, const Recipe *recipe, int export) {
    Bytes code = {.length = 0};
    byte(&code, 0); /* no locals */
    if (recipe->body == export + 1) put(&code, recipe->code, code_bytes(recipe));
    else {
        uint32_t length = sizeof answers[export];
        while (answers[export][length - 1] != END) length--;
        put(&code, answers[export], length);
    }
    sized(to, &code);
}

static void write_module(Bytes *to, const Recipe *recipe) {
    static const uint8_t header[8] = {0x00, 'a', 's', 'm', 1, 0, 0, 0};
    Bytes part[8] = {{.length = 0}};
    uint32_t first = recipe->import_name && recipe->imports == 0 ? 1 : 0;
    to->length = 0;
    put(to, header, sizeof header);

    number(&part[0], TYPE_COUNT);
    for (int i = 0; i < TYPE_COUNT; i++) {
        byte(&part[0], 0x60);
        number(&part[0], types[i][0]);
        for (int n = 0; n < types[i][0]; n++) byte(&part[0], 0x7f);
        number(&part[0], types[i][1]);
        if (types[i][1]) byte(&part[0], 0x7f);
    }
    section(to, 1, &part[0]);

    if (recipe->import_name) {
        static const uint8_t kinds[3][4] = {{0}, {3, 0x7f, 0}, {2, 0, 1}};
        number(&part[1], 1);
        text(&part[1], recipe->import_module);
        text(&part[1], recipe->import_name);
        if (recipe->imports == 0) {
            byte(&part[1], 0);
            byte(&part[1], recipe->import_type);
        } else put(&part[1], kinds[recipe->imports], 3);
        section(to, 2, &part[1]);
    }

    number(&part[2], EXPORT_COUNT);
    for (int i = 0; i < EXPORT_COUNT; i++) number(&part[2], recipe->retyped == i + 1 ? recipe->type : functions[i].type);
    section(to, 3, &part[2]);

    if (!recipe->no_memory) {
        number(&part[3], 1);
        byte(&part[3], 0);
        number(&part[3], recipe->pages ? recipe->pages : 1);
        section(to, 5, &part[3]);
    }

    number(&part[4], EXPORT_COUNT - (recipe->lacks ? 1 : 0));
    for (uint32_t i = 0; i < EXPORT_COUNT; i++) {
        if (recipe->lacks == i + 1) continue;
        text(&part[4], functions[i].name);
        byte(&part[4], 0);
        number(&part[4], first + i);
    }
    section(to, 7, &part[4]);

    if (recipe->start_section) {
        number(&part[5], first + EXPORT_STOP);
        section(to, 8, &part[5]);
    }

    number(&part[6], EXPORT_COUNT);
    for (int i = 0; i < EXPORT_COUNT; i++) write_code(&part[6], recipe, i);
    section(to, 10, &part[6]);

    if (recipe->data) {
        put(&part[7], recipe->data, recipe->data_length);
        section(to, 11, &part[7]);
    }
}

/* The board of these tests: it takes note of what it is asked. */
typedef struct {
    Shell shell;
    int32_t events;
    int32_t sent;
    int32_t remembered;
    bool calls_back;
} Board;

static int32_t link_open(void *context, int32_t link, int32_t choice) {
    (void)context;
    return link + choice;
}

static int32_t link_send(void *context, int32_t link, const uint8_t *data, int32_t length) {
    (void)link;
    for (int32_t i = 0; i < length; i++) ((Board *)context)->sent += 1 + data[i];
    return length;
}

static void link_close(void *context, int32_t link) {
    (void)context;
    (void)link;
}

static int32_t remember_gateway(void *context, int32_t slot, const uint8_t *address, int32_t length) {
    Board *board = context;
    board->remembered = slot;
    for (int32_t i = 0; i < length; i++) board->remembered += 1 + address[i];
    return -REASON_ADDRESS;
}

static int32_t random_bits(void *context) {
    (void)context;
    return 4;
}

static int32_t config_text(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    (void)context;
    (void)key;
    memset(to, 'x', (size_t)capacity);
    return capacity;
}

static int32_t config_number(void *context, int32_t key, int32_t otherwise) {
    (void)context;
    (void)key;
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
    Board *board = context;
    (void)a;
    (void)b;
    board->events += code;
    if (board->calls_back) (void)shell_step(&board->shell, 0);
}

/* Tells by its answer whether each of its arguments came. */
static int32_t i2c_transfer(void *context, int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    (void)context;
    return address * 1000 + write_length * 100 + read_length + (int32_t)(read - write);
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
    .i2c_transfer = i2c_transfer,
};

static Board board;

/* The bytes lie in a block of their own length, so that a sanitizer sees a read behind them. */
static int32_t load_bytes(const uint8_t *bytes, uint32_t length, uint8_t **copy) {
    *copy = malloc(length ? length : 1);
    if (!*copy) abort();
    if (length) memcpy(*copy, bytes, length);
    board = (Board){.events = 0};
    ShellOptions options = {.module = *copy, .module_bytes = length, .port = &port, .context = &board};
    return shell_load(&board.shell, &options);
}

static int32_t load_recipe(const Recipe *recipe, uint8_t **copy) {
    Bytes module;
    write_module(&module, recipe);
    return load_bytes(module.bytes, module.length, copy);
}

static void unload(uint8_t *copy, uint64_t heap) {
    shell_unload(&board.shell);
    CHECK(shell_step(&board.shell, 0) == SHELL_FAILED, "a shell without module steps");
    free(copy);
    CHECK(heap_bytes() == heap, "%" PRIu64 " bytes of heap were not given back", heap_bytes() - heap);
}

static void test_sound(void) {
    uint64_t heap = heap_bytes();
    uint8_t *copy;
    uint32_t room;
    check_begin("a sound module runs, in the memory it uses");
    int32_t loaded = load_recipe(&(Recipe){.body = 0}, &copy);
    CHECK(loaded == 0, "%s", board.shell.error);
    CHECK(shell_memory_bytes(&board.shell) == 4096, "%u bytes", (unsigned)shell_memory_bytes(&board.shell));
    uint64_t allocations = heap_allocations();
    CHECK(shell_start(&board.shell) == 0, "%s", board.shell.error);
    CHECK(shell_step(&board.shell, 4294967295u) == 50, "%s", board.shell.error);
    uint8_t *buffer = shell_link_buffer(&board.shell, 0, &room);
    CHECK(buffer == board.shell.engine.memory + 16 && room == 8, "%s", board.shell.error);
    CHECK(shell_link_received(&board.shell, 0, 8) == 0 && shell_link_changed(&board.shell, 0, LINK_OPENED, 0) == 0, "%s", board.shell.error);
    CHECK(shell_flush(&board.shell, 1) == -ERROR_STATE, "it has no flush");
    CHECK(shell_stop(&board.shell) == 0, "%s", board.shell.error);
    CHECK(heap_allocations() == allocations, "it allocated");
    unload(copy, heap);
    check_end();

    check_begin("a module that was unloaded is loaded again");
    for (int i = 0; i < 3; i++) {
        CHECK(load_recipe(&(Recipe){.body = 0}, &copy) == 0, "%s", board.shell.error);
        unload(copy, heap);
    }
    check_end();
}

/* Each is refused by shell_load with words that contain these. */
static const uint8_t data_outside[] = {1, 0, 0x41, 0xff, 0xff, 0x03, END, 4, 1, 2, 3, 4}; /* 4 bytes at 65535 */
static const uint8_t data_cut[] = {1, 0, 0x41, 0, END, 100, 1};
static const struct {
    const char *name;
    Recipe recipe;
    const char *error;
} refused[] = {
    {"an unknown import", {IMPORTS("board", "sing", TYPE_V)}, "sing: is imported, and this board does not have it"},
    {"an import of another module", {IMPORTS("env", "event", TYPE_V_III)}, "event: is imported, and this board does not have it"},
    {"an import of another type", {IMPORTS("board", "random", TYPE_I_I)}, "random: is imported with another signature"},
    {"a remember_gateway of two arguments", {IMPORTS("board", "remember_gateway", TYPE_I_II)}, "remember_gateway: is imported with another"},
    {"an import without its answer", {IMPORTS("board", "link_send", TYPE_V_III)}, "link_send: is imported with another"},
    {"an imported global", {.import_module = "board", .import_name = "g", .imports = 1}, "g: is a global and imported"},
    {"an imported memory", {.import_module = "board", .import_name = "memory", .imports = 2, .no_memory = true}, "no memory of its own"},
    {"no memory", {.no_memory = true}, "has no memory of its own"},
    {"a start function", {.start_section = true}, "has a start function"},
    {"no step", {.lacks = EXPORT_STEP + 1}, "step: is not among the exports"},
    {"no abi_version", {.lacks = EXPORT_ABI_VERSION + 1}, "abi_version: is not among the exports"},
    {"a step without time", {.retyped = EXPORT_STEP + 1, .type = TYPE_I}, "step: is exported with another signature than this board expects"},
    {"a stop with an argument", {.retyped = EXPORT_STOP + 1, .type = TYPE_V_I}, "stop: is exported with another signature"},
    {"a link_received with an answer",
     {.retyped = EXPORT_LINK_RECEIVED + 1, .type = TYPE_I_II, BODY(EXPORT_LINK_RECEIVED, CONST(0))},
     "link_received: is exported with another signature"},
    {"another version of the boundary", {BODY(EXPORT_ABI_VERSION, CONST(42))}, "made for boundary version 42, this board has 1"},
    {"more memory than the board has", {BODY(EXPORT_MEMORY_BYTES, 0x41, 0x81, 0xd0, 0)}, "uses 10241 bytes of memory, this board allows 10240"},
    {"memory below 0", {BODY(EXPORT_MEMORY_BYTES, CONST(0x7f))}, "bytes of memory, this board allows 10240"},
    {"a trap in abi_version", {BODY(EXPORT_ABI_VERSION, 0x00)}, "unreachable"},
    {"data outside the memory", {.data = data_outside, .data_length = sizeof data_outside}, "has data behind the end of its memory, of which this board allows 10240 bytes"},
    {"a data segment that is cut off", {.data = data_cut, .data_length = sizeof data_cut}, ""},
    {"an unknown instruction", {BODY(EXPORT_STOP, 0xff)}, "is damaged, or made for another engine"},
    {"a call of a function that is not there", {BODY(EXPORT_STOP, CALL(60))}, ""},
    {"an empty stack", {STEP(0x6a)}, "is damaged, or made for another engine"},
    {"a body without end", {.body = EXPORT_LINK_CHANGED + 1, .code = {CONST(1), 0x1a}, .code_length = 3}, ""},
};

static void test_refused(void) {
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        uint64_t heap = heap_bytes();
        uint8_t *copy;
        check_begin(refused[i].name);
        CHECK(load_recipe(&refused[i].recipe, &copy) == SHELL_FAILED, "taken");
        CHECK(board.shell.error[0] && strstr(board.shell.error, refused[i].error), "says \"%s\"", board.shell.error);
        CHECK(shell_start(&board.shell) == SHELL_FAILED, "a refused module starts");
        unload(copy, heap);
        check_end();
    }
}

/* A step of blocks in each other, the innermost of which leaves them all. */
static void nest(Recipe *recipe, uint32_t blocks) {
    uint8_t *to = recipe->code;
    *recipe = (Recipe){.body = EXPORT_STEP + 1};
    for (uint32_t i = 0; i < blocks; i++, to += 2) memcpy(to, (const uint8_t[]){0x02, 0x40}, 2);
    memset(to, END, blocks);
    to += blocks;
    memcpy(to, (const uint8_t[]){CONST(7), END}, 3);
    recipe->code_length = (uint32_t)(to - recipe->code) + 3;
}

static void test_nesting(void) {
    uint64_t heap = heap_bytes();
    uint8_t *copy;
    Recipe recipe;
    check_begin("blocks in blocks, as many as the board translates");
    nest(&recipe, SHELL_NESTING);
    CHECK(load_recipe(&recipe, &copy) == 0 && shell_step(&board.shell, 0) == 7, "%s", board.shell.error);
    unload(copy, heap);
    check_end();

    check_begin("one block more");
    nest(&recipe, SHELL_NESTING + 1);
    CHECK(load_recipe(&recipe, &copy) == SHELL_FAILED && strstr(board.shell.error, "nests blocks deeper than this board translates"), "\"%s\"", board.shell.error);
    unload(copy, heap);
    check_end();
}

#define NONE "is no WebAssembly module"

static void test_bytes(void) {
    static const struct {
        const char *name;
        const char *bytes;
        uint32_t length;
        const char *error;
    } files[] = {
        {"an empty file", "", 0, NONE},
        {"a text", "Not a module, but a text", 24, NONE},
        {"two bytes of a text", "No", 2, NONE},
        {"two bytes of a module", "\0a", 2, "is cut off"},
        {"a header alone", "\0asm\1\0\0\0", 8, "no memory"},
        {"another version of WebAssembly", "\0asm\2\0\0\0", 8, "of another version"},
        {"a component", "\0asm\x0d\0\1\0", 8, "or a component"},
        {"a section over the end", "\0asm\1\0\0\0\1\x7f", 10, "is cut off"},
        {"a section of endless length", "\0asm\1\0\0\0\1\xff\xff\xff\xff\xff\xff", 15, "is cut off"},
        {"two million types", "\0asm\1\0\0\0\1\4\x80\x89\x7a\x60", 14, "is damaged"},
        {"a section of zeros", "\0asm\1\0\0\0\1\4\0\0\0\0", 14, ""},
    };
    uint8_t *copy;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint64_t heap = heap_bytes();
        check_begin(files[i].name);
        CHECK(load_bytes((const uint8_t *)files[i].bytes, files[i].length, &copy) == SHELL_FAILED, "taken");
        CHECK(board.shell.error[0] && strstr(board.shell.error, files[i].error), "says \"%s\"", board.shell.error);
        unload(copy, heap);
        check_end();
    }

    Bytes module;
    uint64_t heap = heap_bytes();
    write_module(&module, &(Recipe){IMPORTS("board", "event", TYPE_V_III)});
    check_begin("truncated at every byte");
    for (uint32_t length = 0; length < module.length; length++) {
        CHECK(load_bytes(module.bytes, length, &copy) == SHELL_FAILED, "taken at %u of %u bytes", (unsigned)length, (unsigned)module.length);
        unload(copy, heap);
    }
    CHECK(load_bytes(module.bytes, module.length, &copy) == 0, "whole: %s", board.shell.error);
    unload(copy, heap);
    check_end();
}

#define OUTSIDE "out of bounds memory access"

#define NOW 0x20, 0
#define STORED(store, load) CONST(4), NOW, store, 0, 0x80, 0x10, CONST(4), load, 0, 0x80, 0x10 /* at 2052 */

/* What step(70000) answers. */
static const struct {
    const char *name;
    Recipe recipe;
    int32_t answer;
} answered[] = {
    {"a sum", {STEP(NOW, CONST(5), 0x6a)}, 70005},
    {"a difference", {STEP(NOW, CONST(5), 0x6b)}, 69995},
    {"bits in both", {STEP(NOW, CONST(0x3f), 0x71)}, 48},
    {"bits in one", {STEP(NOW, CONST(7), 0x72)}, 70007},
    {"equal", {STEP(NOW, NOW, 0x46)}, 1},
    {"not equal", {STEP(NOW, NOW, 0x47)}, 0},
    {"less", {STEP(CONST(-1 & 0x7f), NOW, 0x48)}, 1},
    {"not less without a sign", {STEP(CONST(-1 & 0x7f), NOW, 0x49)}, 0},
    {"greater without a sign", {STEP(CONST(-1 & 0x7f), NOW, 0x4b)}, 1},
    {"the first of two", {STEP(NOW, CONST(5), NOW, CONST(1), 0x6a, 0x1b)}, 70000},
    {"the second of two", {STEP(NOW, CONST(5), NOW, 0x45, 0x1b)}, 5},
    {"a copy", {STEP(CONST(9), 0x21, 0, NOW)}, 9},
    {"a word stored and loaded", {STEP(STORED(0x36, 0x28))}, 70000},
    {"two bytes stored and loaded", {STEP(STORED(0x3b, 0x2f))}, 70000 & 0xffff},
    {"a byte stored and loaded", {STEP(STORED(0x3a, 0x2d))}, 70000 & 0xff},
    {"an import of five arguments",
     {IMPORTS("board", "i2c_transfer", TYPE_I_IIIII), STEP(CONST(3), CONST(16), CONST(2), CONST(24), CONST(5), CALL(0))},
     3213},
    {"a 1-wire that the port lacks", {IMPORTS("board", "onewire_transfer", TYPE_I_IIII), STEP(CONST(0), CONST(0), CONST(0), CONST(0), CALL(0), NOW, 0x6a)}, 70000 - BUS_NONE},
    {"a search that the port lacks", {IMPORTS("board", "onewire_triplet", TYPE_I_I), STEP(CONST(0), CALL(0), NOW, 0x6a)}, 70000 - BUS_NONE},
    {"an ADC that the port lacks", {IMPORTS("board", "adc_read", TYPE_I_I), STEP(CONST(0), CALL(0), NOW, 0x6a)}, 70000 - BUS_NONE},
    {"a hygrometer that the port lacks",
     {IMPORTS("board", "humidity", TYPE_I_I), STEP(NOW, CONST(0), CALL(0), 0x6b)},
     70000 - (READING_FAILED - BUS_NONE)},
    {"a sum stored", {STEP(CONST(4), NOW, CONST(1), 0x6a, 0x36, 0, 8, CONST(4), 0x28, 0, 8)}, 70001},
    {"the last word of the memory", {STEP(CONST(4), NOW, 0x36, 0, 0xf8, 0x1f, CONST(4), 0x28, 0, 0xf8, 0x1f)}, 70000},
};

static void test_answers(void) {
    for (size_t i = 0; i < sizeof answered / sizeof answered[0]; i++) {
        uint64_t heap = heap_bytes();
        uint8_t *copy;
        check_begin(answered[i].name);
        CHECK(load_recipe(&answered[i].recipe, &copy) == 0, "not loaded: %s", board.shell.error);
        int32_t answer = shell_step(&board.shell, 70000);
        CHECK(answer == answered[i].answer, "%d, not %d: %s", (int)answer, (int)answered[i].answer, board.shell.error);
        unload(copy, heap);
        check_end();
    }
}

/* Modules that are sound until step runs: it ends in a trap whose words contain these. */
static const struct {
    const char *name;
    Recipe recipe;
    const char *error;
} traps[] = {
    {"unreachable", {STEP(0x00)}, "unreachable"},
    {"endless recursion", {STEP(0x20, 0, CALL(EXPORT_STEP))}, "stack overflow"},
    {"a loop without an end", {STEP(LOOP, 0x0c, 0, END, CONST(0))}, "step: runs too long: over 1000000 turns"},
    {"a loop that asks each time and goes on", {STEP(LOOP, CONST(1), 0x0d, 0, END, CONST(0))}, "step: runs too long"},
    {"a loop that keeps a value and goes on", {STEP(CONST(3), LOOP, 0x20, 0, 0x0d, 0, END)}, "step: runs too long"},
    {"a loop in a loop", {STEP(LOOP, LOOP, CONST(1), 0x0d, 1, END, END, CONST(0))}, "step: runs too long"},
    {"a loop by a table", {STEP(LOOP, CONST(0), 0x0e, 1, 0, 0, END, CONST(0))}, "step: runs too long"},
    {"a division by 0", {STEP(CONST(1), CONST(0), 0x6d)}, "divide by zero"},
    {"a load behind the memory that is used", {STEP(CONST_5000, 0x28, 2, 0)}, OUTSIDE},
    {"a load whose offset leads outside", {STEP(CONST(0), 0x28, 2, 0x80, 0x20)}, OUTSIDE},
    {"a load across the memory's end", {STEP(CONST(0), 0x28, 2, 0xfd, 0x1f)}, OUTSIDE},
    {"a store at the last address", {STEP(CONST(-1 & 0x7f), CONST(0), 0x3a, 0, 0, CONST(0))}, OUTSIDE},
    {"a store across the memory's end", {STEP(CONST(0), CONST(1), 0x36, 2, 0xfd, 0x1f, CONST(0))}, OUTSIDE},
    {"a load whose offset leads round to the beginning", {STEP(CONST(-4 & 0x7f), 0x28, 2, 8)}, OUTSIDE},
    {"a store whose offset leads round to the beginning", {STEP(CONST(-4 & 0x7f), CONST(1), 0x36, 2, 8, CONST(0))}, OUTSIDE},
    {"a load whose offset has more than 16 bits", {STEP(CONST(0), 0x28, 2, 0x80, 0x80, 0x04)}, OUTSIDE},
    {"a store whose offset has more than 16 bits", {STEP(CONST(0), CONST(1), 0x36, 2, 0x80, 0x80, 0x04, CONST(0))}, OUTSIDE},
    {"a fill that runs out of the memory", {STEP(CONST(0), CONST(0), CONST_5000, 0xfc, 0x0b, 0, CONST(0))}, OUTSIDE},
    {"a step that answers below 0", {STEP(CONST(0x7f))}, "step: answered a time below 0"},
    {"link_send from outside",
     {IMPORTS("board", "link_send", TYPE_I_III), STEP(CONST(0), CONST_5000, CONST(1), CALL(0))},
     "link_send got bytes outside the module's memory"},
    {"link_send across the end",
     {IMPORTS("board", "link_send", TYPE_I_III), STEP(CONST(0), CONST(1), CONST_5000, CALL(0))},
     "link_send got bytes outside the module's memory"},
    {"remember_gateway from outside",
     {IMPORTS("board", "remember_gateway", TYPE_I_III), STEP(CONST(0), CONST_5000, CONST(6), CALL(0))},
     "remember_gateway got bytes outside the module's memory"},
    {"remember_gateway of a length below 0",
     {IMPORTS("board", "remember_gateway", TYPE_I_III), STEP(CONST(0), CONST(0), CONST(-1 & 0x7f), CALL(0))},
     "remember_gateway got bytes outside the module's memory"},
    {"i2c_transfer of bytes outside",
     {IMPORTS("board", "i2c_transfer", TYPE_I_IIIII), STEP(CONST(0), CONST_5000, CONST(1), CONST(0), CONST(0), CALL(0))},
     "i2c_transfer got bytes outside the module's memory"},
    {"i2c_transfer to outside",
     {IMPORTS("board", "i2c_transfer", TYPE_I_IIIII), STEP(CONST(0), CONST(0), CONST(1), CONST_5000, CONST(1), CALL(0))},
     "i2c_transfer got a place outside the module's memory"},
    {"onewire_transfer of bytes outside",
     {IMPORTS("board", "onewire_transfer", TYPE_I_IIII), STEP(CONST_5000, CONST(1), CONST(0), CONST(0), CALL(0))},
     "onewire_transfer got bytes outside the module's memory"},
    {"onewire_transfer to outside",
     {IMPORTS("board", "onewire_transfer", TYPE_I_IIII), STEP(CONST(0), CONST(1), CONST(0), CONST_5000, CALL(0))},
     "onewire_transfer got a place outside the module's memory"},
    {"link_send of a length below 0",
     {IMPORTS("board", "link_send", TYPE_I_III), STEP(CONST(0), CONST(1), CONST_MINUS_2_31, CALL(0))},
     "link_send got bytes outside the module's memory"},
    {"config_text to outside",
     {IMPORTS("board", "config_text", TYPE_I_III), STEP(CONST(1), CONST(0x7f), CONST(1), CALL(0))},
     "config_text got a place outside the module's memory"},
};

static void test_traps(void) {
    for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++) {
        uint64_t heap = heap_bytes();
        uint8_t *copy;
        uint32_t room;
        check_begin(traps[i].name);
        int32_t loaded = load_recipe(&traps[i].recipe, &copy);
        CHECK(loaded == 0, "not loaded: %s", board.shell.error);
        uint64_t allocations = heap_allocations();
        CHECK(shell_step(&board.shell, 1) == SHELL_FAILED, "no trap");
        CHECK(strstr(board.shell.error, traps[i].error), "says \"%s\"", board.shell.error);
        CHECK(shell_step(&board.shell, 2) == SHELL_FAILED, "goes on after a trap");
        CHECK(shell_start(&board.shell) == SHELL_FAILED && shell_stop(&board.shell) == SHELL_FAILED, "goes on after a trap");
        CHECK(!shell_link_buffer(&board.shell, 0, &room) && room == 0, "goes on after a trap");
        CHECK(strstr(board.shell.error, traps[i].error), "the first error is lost: \"%s\"", board.shell.error);
        CHECK(heap_allocations() == allocations, "it allocated");
        CHECK(board.sent == 0, "bytes left the board");
        unload(copy, heap);
        check_end();
    }
}

static void test_buffers(void) {
    static const struct {
        const char *name;
        Recipe recipe;
    } buffers[] = {
        {"link_buffer outside", {BODY(EXPORT_LINK_BUFFER, CONST_5000)}},
        {"link_buffer below 0", {BODY(EXPORT_LINK_BUFFER, CONST(0x7f))}},
        {"link_room over the end", {BODY(EXPORT_LINK_ROOM, CONST_5000)}},
        {"link_room below 0", {BODY(EXPORT_LINK_ROOM, CONST(0x7f))}},
    };
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        uint64_t heap = heap_bytes();
        uint8_t *copy;
        uint32_t room = 7;
        check_begin(buffers[i].name);
        CHECK(load_recipe(&buffers[i].recipe, &copy) == 0, "%s", board.shell.error);
        CHECK(!shell_link_buffer(&board.shell, 0, &room) && room == 0, "taken with %u bytes", (unsigned)room);
        CHECK(strstr(board.shell.error, "link_buffer: is outside the module's memory"), "says \"%s\"", board.shell.error);
        CHECK(shell_step(&board.shell, 0) == SHELL_FAILED, "goes on");
        unload(copy, heap);
        check_end();
    }
}

static void test_imports(void) {
    const Recipe sends = {IMPORTS("board", "link_send", TYPE_I_III), STEP(CONST(0), 0x41, 0x80, 0x20, CONST(0), CALL(0))};
    const Recipe tells = {IMPORTS("board", "event", TYPE_V_III), STEP(CONST(7), CONST(1), CONST(2), CALL(0), CONST(3))};
    const Recipe remembers = {IMPORTS("board", "remember_gateway", TYPE_I_III), STEP(CONST(20), CONST(3), CONST(8), CONST(4), CALL(0), 0x6a)};
    const Recipe received = {IMPORTS("board", "event", TYPE_V_III), BODY(EXPORT_LINK_RECEIVED, 0x20, 1, CONST(0), CONST(0), CALL(0))};
    const Recipe grows = {STEP(CONST(1), 0x40, 0, CONST(1), 0x6a)};
    uint64_t heap = heap_bytes();
    uint8_t *copy;
    check_begin("no bytes at the memory's end are still inside");
    CHECK(load_recipe(&sends, &copy) == 0, "%s", board.shell.error);
    CHECK(shell_step(&board.shell, 0) == 0, "%s", board.shell.error);
    unload(copy, heap);
    check_end();

    check_begin("an event reaches the board");
    CHECK(load_recipe(&tells, &copy) == 0, "%s", board.shell.error);
    CHECK(shell_step(&board.shell, 0) == 3 && board.events == 7, "%s", board.shell.error);
    unload(copy, heap);
    check_end();

    check_begin("a gateway's address reaches the board, and its answer the module");
    CHECK(load_recipe(&remembers, &copy) == 0, "%s", board.shell.error);
    /* The answer is a REASON_ below 0, and the module takes it from 20. */
    CHECK(shell_step(&board.shell, 0) == 20 - REASON_ADDRESS && board.remembered == 3 + 4, "%s, %d", board.shell.error, (int)board.remembered);
    unload(copy, heap);
    check_end();

    check_begin("a datagram over the room is handed in with its own length");
    CHECK(load_recipe(&received, &copy) == 0, "%s", board.shell.error);
    CHECK(shell_link_received(&board.shell, 1, 65535) == 0 && board.events == 65535, "%s, %d", board.shell.error, (int)board.events);
    unload(copy, heap);
    check_end();

    check_begin("an import that calls the module");
    CHECK(load_recipe(&tells, &copy) == 0, "%s", board.shell.error);
    board.calls_back = true;
    CHECK(shell_step(&board.shell, 0) == SHELL_FAILED, "taken");
    CHECK(strstr(board.shell.error, "an import of the board called an export of the module"), "says \"%s\"", board.shell.error);
    CHECK(board.events == 7, "the module ran again");
    unload(copy, heap);
    check_end();

    check_begin("memory.grow answers -1");
    CHECK(load_recipe(&grows, &copy) == 0, "%s", board.shell.error);
    CHECK(shell_step(&board.shell, 0) == 0, "%s", board.shell.error);
    CHECK(shell_memory_bytes(&board.shell) == 4096, "%u bytes", (unsigned)shell_memory_bytes(&board.shell));
    unload(copy, heap);
    check_end();
}

int main(void) {
    test_sound();
    test_refused();
    test_nesting();
    test_bytes();
    test_answers();
    test_traps();
    test_buffers();
    test_imports();
    return CHECK_STATUS();
}

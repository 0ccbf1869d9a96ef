/* What the shell needs of a WebAssembly engine. One of two is linked: engine_wasm3.c reads and translates a module's bytes and is the only file
 * that knows wasm3; engine_aot.c runs modules that were compiled into the executable or image (scripts/compiled.js). */
#ifndef TWOBYTE_ENGINE_H
#define TWOBYTE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An export of the module, found once. */
typedef struct EngineFunction EngineFunction;

/* Most arguments of an import. */
#define ENGINE_ARGUMENTS 5

/* An import: name, signature (answer, arguments: "i(iii)", "v()"), and the function that is called with the arguments. */
typedef struct {
    const char *name;
    const char *signature;
    int32_t (*call)(void *context, const int32_t *arguments);
} EngineImport;

typedef struct {
    const uint8_t *module; /* stays readable and unchanged until engine_unload: the engine keeps pointers into it */
    uint32_t module_bytes;
    const char *name;          /* of a compiled module, or the path of its file, instead of its bytes; NULL: the only one there is */
    uint32_t memory_limit;     /* most bytes of linear memory */
    uint32_t stack_bytes;      /* of the module's call stack; a compiled module uses the C stack */
    const char *import_module; /* the name that all imports have in common */
    const EngineImport *imports;
    size_t import_count;
    void *context; /* first argument of every import */
} EngineOptions;

typedef struct {
    void *environment;
    void *runtime;
    uint8_t *memory;
    uint32_t memory_bytes;
    uint32_t static_bytes; /* memory and globals of a compiled module, which are not on the heap */
    void *context;
    const char *trap;    /* set by an import: the call that led to it ends with this text */
    volatile bool away;  /* an import runs: who interrupts the module now, interrupts the board */
    const char *error;   /* why the last function answered false */
    const char *subject; /* the name it is about, or "" */
} Engine;

/* engine_compiled(number): the name of a module that is compiled in, or NULL behind the last. An engine without any reads bytes. */
const char *engine_compiled(size_t number);

/* What engine_load refuses a module with whose data do not fit into memory_limit. */
#define ENGINE_DATA_OUTSIDE "has data behind the end of its memory"

/* engine_load(engine, options): checks, loads and translates the module; nothing is allocated afterwards. False: see error. */
bool engine_load(Engine *engine, const EngineOptions *options);

/* engine_find(engine, name, arguments, answers): the export with so many i32 arguments and an i32 answer or none, or NULL. */
EngineFunction *engine_find(Engine *engine, const char *name, uint32_t arguments, bool answers);

/* engine_call(engine, function, arguments, count, answer): calls it. False on a trap, or where the engine counts turns of loops and these were
 * over SHELL_TURNS; `answer` may be NULL when there is none. */
bool engine_call(Engine *engine, EngineFunction *function, const int32_t *arguments, uint32_t count, int32_t *answer);

/* engine_memory(engine, address, length): where these bytes of linear memory are, or NULL when they are not all inside. */
static inline uint8_t *engine_memory(const Engine *engine, uint32_t address, uint32_t length) {
    if (length > engine->memory_bytes || address > engine->memory_bytes - length) return NULL;
    return engine->memory + address;
}

/* engine_shrink(engine, bytes): gives back the linear memory over `bytes`; before the first start, since it may move. */
bool engine_shrink(Engine *engine, uint32_t bytes);

/* engine_unload(engine): frees everything; harmless when nothing is loaded. */
void engine_unload(Engine *engine);

#endif

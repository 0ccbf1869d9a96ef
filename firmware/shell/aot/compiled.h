/* A module that is compiled into the executable or image: wasm2c's C of its .wasm, and this description of it, both written by
 * scripts/compiled.js. It has one instance, which is static: one shell at a time runs it. */
#ifndef TWOBYTE_COMPILED_H
#define TWOBYTE_COMPILED_H

#include "engine.h"

/* An import: the module and the name it is imported from, and its signature in the words of EngineImport. */
typedef struct {
    const char *from;
    const char *name;
    const char *signature;
} CompiledImport;

/* An export, of i32 only. */
struct EngineFunction {
    const char *name;
    const char *signature;
    int32_t (*call)(const int32_t *arguments);
};

typedef struct {
    const char *name; /* of its file, without .wasm */
    uint8_t *memory;
    uint32_t memory_bytes;
    uint32_t static_bytes; /* memory and globals */
    void (*instantiate)(void); /* as it was when it was compiled: memory and globals */
    const CompiledImport *imports;
    const EngineImport **linked; /* for each import the row of the shell's table */
    size_t import_count;
    Engine **engine; /* whose it is now, or NULL */
    const EngineFunction *exports;
    size_t export_count;
} CompiledModule;

/* All there are; NULL behind the last. */
extern const CompiledModule *const compiled_modules[];

/* compiled_end_call(reason): ends the call of the export that led here, with this text. */
_Noreturn void compiled_end_call(const char *reason);

/* compiled_import(engine, import, arguments): calls the board. */
static inline int32_t compiled_import(Engine *engine, const EngineImport *import, const int32_t *arguments) {
    engine->away = true;
    int32_t answer = import->call(engine->context, arguments);
    engine->away = false;
    if (__builtin_expect(engine->trap != NULL, 0)) compiled_end_call(engine->trap);
    return answer;
}

#endif

/* The engine over modules that wasm2c made C of: chosen by name from the table that scripts/compiled.js wrote. Nothing is allocated. */

#include "aot/compiled.h"

#include <setjmp.h>
#include <string.h>

#define COMPILED_MEMORY_BYTES 1 /* of no module: for the traps' names alone */
#define COMPILED_RECURSIVE 0
#include "aot/wasm-rt.h"

uint32_t wasm_rt_call_stack_depth;

/* Where the running call of an export ends when it traps, and why it did. */
static jmp_buf *end_of_call;
static const char *reason;

static bool refuse(Engine *engine, const char *error, const char *subject) {
    engine->error = error;
    engine->subject = subject;
    return false;
}

_Noreturn void compiled_end_call(const char *why) {
    reason = why;
    longjmp(*end_of_call, 1);
}

/* In the words of wasm3. */
_Noreturn void wasm_rt_trap(wasm_rt_trap_t trap) {
    static const char *const words[] = {
        [WASM_RT_TRAP_OOB] = "out of bounds memory access",
        [WASM_RT_TRAP_INT_OVERFLOW] = "integer overflow",
        [WASM_RT_TRAP_DIV_BY_ZERO] = "integer divide by zero",
        [WASM_RT_TRAP_UNREACHABLE] = "unreachable executed",
        [WASM_RT_TRAP_EXHAUSTION] = "stack overflow",
    };
    const char *known = trap < sizeof words / sizeof words[0] ? words[trap] : NULL;
    compiled_end_call(known ? known : "a trap of another kind");
}

const char *engine_compiled(size_t number) {
    size_t i = 0;
    while (i < number && compiled_modules[i]) i++;
    return compiled_modules[i] ? compiled_modules[i]->name : NULL;
}

/* The module of this name, or of the file at this path; without one, the only module there is. */
static const CompiledModule *module_of(const char *path) {
    if (!path) return compiled_modules[0] && !compiled_modules[1] ? compiled_modules[0] : NULL;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const CompiledModule *const *module = compiled_modules;
    for (; *module; module++) {
        size_t length = strlen((*module)->name);
        if (strncmp(name, (*module)->name, length) == 0 && (!name[length] || strcmp(name + length, ".wasm") == 0)) break;
    }
    return *module;
}

/* Finds the row of each import in the table; one that is not there, or of another type, is refused by name. */
static bool link_imports(Engine *engine, const CompiledModule *module, const EngineOptions *options) {
    for (size_t i = 0; i < module->import_count; i++) {
        const CompiledImport *import = &module->imports[i];
        const EngineImport *row = NULL;
        for (size_t n = 0; n < options->import_count && !row; n++) {
            if (strcmp(options->imports[n].name, import->name) == 0 && strcmp(options->import_module, import->from) == 0) row = &options->imports[n];
        }
        if (!row) return refuse(engine, "is imported, and this board does not have it; take a module and a board of the same release", import->name);
        if (strcmp(row->signature, import->signature) != 0) return refuse(engine, "is imported with another signature than this board has; take a module and a board of the same release", import->name);
        module->linked[i] = row;
    }
    return true;
}

/* Memory and globals as at first; false when a data segment is outside. */
static bool instantiate(const CompiledModule *module) {
    jmp_buf here;
    jmp_buf *const outer = end_of_call;
    end_of_call = &here;
    const bool trapped = setjmp(here) != 0;
    if (!trapped) module->instantiate();
    end_of_call = outer;
    return !trapped;
}

bool engine_load(Engine *engine, const EngineOptions *options) {
    *engine = (Engine){.context = options->context, .subject = ""};
    const CompiledModule *module = module_of(options->name);
    if (!module) return refuse(engine, "no module of this name is compiled in", "");
    if (*module->engine) return refuse(engine, "another shell runs this module, and it has one memory", module->name);
    if (!link_imports(engine, module, options)) return false;
    if (!instantiate(module)) return refuse(engine, ENGINE_DATA_OUTSIDE, "");
    *module->engine = engine;
    engine->runtime = (void *)(uintptr_t)module;
    engine->memory = module->memory;
    engine->memory_bytes = module->memory_bytes < options->memory_limit ? module->memory_bytes : options->memory_limit;
    engine->static_bytes = module->static_bytes;
    return true;
}

/* Whether `signature` has so many arguments, all i32, and an i32 answer or none: as written by scripts/compiled.js. */
static bool fits(const char *signature, uint32_t arguments, bool answers) {
    if (*signature++ != (answers ? 'i' : 'v') || *signature++ != '(') return false;
    for (uint32_t i = 0; i < arguments; i++) {
        if (*signature++ != 'i') return false;
    }
    return *signature == ')';
}

EngineFunction *engine_find(Engine *engine, const char *name, uint32_t arguments, bool answers) {
    const CompiledModule *module = engine->runtime;
    for (size_t i = 0; i < module->export_count; i++) {
        const EngineFunction *function = &module->exports[i];
        if (strcmp(function->name, name) != 0) continue;
        if (fits(function->signature, arguments, answers)) return (EngineFunction *)(uintptr_t)function;
        refuse(engine, "is exported with another signature than this board expects; take a module and a board of the same release", name);
        return NULL;
    }
    refuse(engine, "is not among the exports; this is no module for a board of this release", name);
    return NULL;
}

bool engine_call(Engine *engine, EngineFunction *function, const int32_t *arguments, uint32_t count, int32_t *answer) {
    (void)count; /* engine_find saw to it */
    jmp_buf here;
    jmp_buf *const outer = end_of_call;
    end_of_call = &here;
    wasm_rt_call_stack_depth = 0;
    if (setjmp(here) != 0) {
        end_of_call = outer;
        return refuse(engine, reason, function->name);
    }
    const int32_t value = function->call(arguments);
    end_of_call = outer;
    if (answer) *answer = value;
    return true;
}

bool engine_shrink(Engine *engine, uint32_t bytes) {
    return bytes == engine->memory_bytes || refuse(engine, "the module uses another memory than it was compiled for", "");
}

void engine_unload(Engine *engine) {
    const CompiledModule *module = engine->runtime;
    if (module) *module->engine = NULL;
    engine->runtime = NULL;
    engine->memory = NULL;
    engine->memory_bytes = 0;
    engine->static_bytes = 0;
}

/* The engine over wasm3 0.5.0. wasm3 has no public setter for the memory limit and none against memory.grow, hence m3_env.h. */

#include "engine.h"
#include "shell_limits.h"
#include "wasm3_compile.h"

#include <string.h>

#include "m3_env.h"

#define STR(x) STR_(x)
#define STR_(x) #x
const char wasm3_too_long[] = "runs too long: over " STR(SHELL_TURNS) " turns of its loops and no answer";
const char wasm3_too_deep[] = "nests blocks deeper than this board translates, which is " STR(SHELL_NESTING)
                              ": take a module whose functions nest less, or raise SHELL_NESTING and the C stack";

static bool refuse(Engine *engine, const char *error, const char *subject) {
    engine->error = error;
    engine->subject = subject ? subject : "";
    return false;
}

/* wasm3's reason for not taking a module, in words of what to do about it. */
static bool refuse_reason(Engine *engine, M3Result result) {
    if (result == m3Err_mallocFailed || result == m3Err_mallocFailedCodePage) {
        return refuse(engine, "needs more heap than this board has left; take a smaller module: one that speaks one protocol, or keeps no journal", "");
    }
    if (result == wasm3_too_deep) return refuse(engine, wasm3_too_deep, "");
    if (strcmp(result, "data segment out of bounds") == 0) return refuse(engine, ENGINE_DATA_OUTSIDE, "");
    return refuse(engine, "is damaged, or made for another engine; build it and copy it to the board again", result);
}

/* Reads an unsigned LEB128 of at most 32 bits; NULL when it does not end before `end`. */
static const uint8_t *read_varint(const uint8_t *p, const uint8_t *end, uint32_t *value) {
    *value = 0;
    for (uint32_t shift = 0; shift < 35 && p < end; shift += 7) {
        uint8_t byte = *p++;
        *value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return p;
    }
    return NULL;
}

/* Whether the file is a module, and whole: header, sections that end where it ends, and the sections that others announce: code, and data. wasm3
 * looks only when it is already inside. */
static bool check_file(Engine *engine, const uint8_t *p, uint32_t bytes) {
    static const uint8_t magic[4] = {0x00, 'a', 's', 'm'};
    static const uint8_t version[4] = {1, 0, 0, 0};
    static const char cut[] = "is cut off: a WebAssembly module, but it does not end as one; copy it to the board again";
    const uint8_t *end = p + bytes;
    if (memcmp(p, magic, bytes < sizeof magic ? bytes : sizeof magic) != 0 || bytes == 0) {
        return refuse(engine, "is no WebAssembly module: it does not begin as one; take a .wasm that npm run build made", "");
    }
    if (bytes < sizeof magic + sizeof version) return refuse(engine, cut, "");
    if (memcmp(p + sizeof magic, version, sizeof version) != 0) {
        return refuse(engine, "is WebAssembly of another version or a component; this board runs modules of version 1", "");
    }
    uint32_t announced = 0;
    uint32_t seen = 0;
    for (p += sizeof magic + sizeof version; p < end;) {
        enum { FUNCTIONS = 3, CODE = 10, DATA = 11, DATA_COUNT = 12 };
        uint8_t id = *p;
        uint32_t length;
        p = read_varint(p + 1, end, &length);
        if (!p || length > (uint32_t)(end - p)) return refuse(engine, cut, "");
        bool some = length > 0 && *p != 0;
        if (some && id == FUNCTIONS) announced |= 1u << CODE;
        if (some && id == DATA_COUNT) announced |= 1u << DATA;
        if (id <= DATA_COUNT) seen |= 1u << id;
        p += length;
    }
    return (announced & ~seen) == 0 || refuse(engine, cut, "");
}

/* Every import of every module comes through here; the row of the import table is the link's user data. */
static const void *call_import(IM3Runtime runtime, IM3ImportContext link, uint64_t *sp, void *memory) {
    (void)memory;
    Engine *engine = m3_GetUserData(runtime);
    const EngineImport *import = link->userdata;
    IM3FuncType type = link->function->funcType;
    int32_t arguments[ENGINE_ARGUMENTS] = {0};
    for (uint32_t i = 0; i < type->numArgs; i++) memcpy(&arguments[i], &sp[type->numRets + i], sizeof arguments[i]);
    engine->away = true;
    int32_t answer = import->call(engine->context, arguments);
    engine->away = false;
    if (type->numRets) memcpy(sp, &answer, sizeof answer);
    return engine->trap;
}

/* Links the table's rows; an import that is not among them, or of another type, is refused by name. */
static bool link_imports(Engine *engine, IM3Module module, const EngineOptions *options) {
    for (size_t i = 0; i < options->import_count; i++) {
        const EngineImport *import = &options->imports[i];
        M3Result result = m3_LinkRawFunctionEx(module, options->import_module, import->name, import->signature, call_import, import);
        if (result && result != m3Err_functionLookupFailed) return refuse(engine, "is imported with another signature than this board has; take a module and a board of the same release", import->name);
    }
    for (uint32_t i = 0; i < module->numFunctions; i++) {
        IM3Function function = &module->functions[i];
        if (function->import.fieldUtf8 && !function->compiled) {
            return refuse(engine, "is imported, and this board does not have it; take a module and a board of the same release", function->import.fieldUtf8);
        }
    }
    for (uint32_t i = 0; i < module->numGlobals; i++) {
        if (module->globals[i].imported) return refuse(engine, "is a global and imported; this board gives functions alone", module->globals[i].import.fieldUtf8);
    }
    return true;
}

const char *engine_compiled(size_t number) {
    (void)number;
    return NULL;
}

/* Gives back what the last translation left of its pages of code. Code is full of its own addresses: a heap that moves a block which gets smaller cannot be used. */
static bool trim_code(Engine *engine) {
#ifndef HEAP_MOVES
    IM3Runtime runtime = engine->runtime;
    for (IM3CodePage *link = &runtime->pagesOpen; *link; link = &(*link)->info.next) {
        size_t header = sizeof (*link)->info;
        size_t previous = header + (*link)->info.numLines * sizeof (*link)->code[0];
        (*link)->info.numLines = (*link)->info.lineIndex;
        uintptr_t place = (uintptr_t)*link;
        IM3CodePage kept = m3_Realloc(*link, header + (*link)->info.lineIndex * sizeof (*link)->code[0], previous);
        if (kept) *link = kept; /* so that it can be freed, wherever it is */
        if ((uintptr_t)kept != place) return refuse(engine, "the heap moves a block that gets smaller; build with HEAP_MOVES", "");
    }
#else
    (void)engine;
#endif
    return true;
}

bool engine_load(Engine *engine, const EngineOptions *options) {
    *engine = (Engine){.context = options->context, .subject = ""};
    if (!check_file(engine, options->module, options->module_bytes)) return false;
    IM3Environment environment = m3_NewEnvironment();
    engine->environment = environment;
    if (!environment) return refuse_reason(engine, m3Err_mallocFailed);
    IM3Runtime runtime = m3_NewRuntime(environment, options->stack_bytes, engine);
    engine->runtime = runtime;
    if (!runtime) return refuse_reason(engine, m3Err_mallocFailed);
    runtime->memoryLimit = options->memory_limit;

    IM3Module module = NULL;
    M3Result result = m3_ParseModule(environment, &module, options->module, options->module_bytes);
    if (result) return refuse_reason(engine, result);
    if (module->memoryImported || module->memoryInfo.initPages == 0) {
        refuse(engine, "has no memory of its own; this is no module for a board", "");
    } else if (module->startFunction >= 0) {
        refuse(engine, "has a start function, which would run unasked; this is no module for a board", "");
    } else if ((result = m3_LoadModule(runtime, module)) != m3Err_none) {
        refuse_reason(engine, result);
    }
    if (engine->error) {
        m3_FreeModule(module); /* a module that is loaded belongs to the runtime, this one does not */
        return false;
    }
    runtime->memory.maxPages = runtime->memory.numPages; /* memory.grow answers -1 */
    if (!link_imports(engine, module, options)) return false;
    result = m3_CompileModule(module);
    if (result) return refuse_reason(engine, result);
    if (!trim_code(engine)) return false;
    engine->memory = m3_GetMemory(runtime, &engine->memory_bytes, 0);
    return true;
}

EngineFunction *engine_find(Engine *engine, const char *name, uint32_t arguments, bool answers) {
    IM3Function function = NULL;
    if (m3_FindFunction(&function, engine->runtime, name) != m3Err_none) {
        refuse(engine, "is not among the exports; this is no module for a board of this release", name);
        return NULL;
    }
    bool fits = m3_GetArgCount(function) == arguments && m3_GetRetCount(function) == (answers ? 1 : 0);
    for (uint32_t i = 0; fits && i < arguments; i++) fits = m3_GetArgType(function, i) == c_m3Type_i32;
    if (fits && answers) fits = m3_GetRetType(function, 0) == c_m3Type_i32;
    if (!fits) {
        refuse(engine, "is exported with another signature than this board expects; take a module and a board of the same release", name);
        return NULL;
    }
    return (EngineFunction *)function;
}

bool engine_call(Engine *engine, EngineFunction *function, const int32_t *arguments, uint32_t count, int32_t *answer) {
    const void *pointers[4];
    for (uint32_t i = 0; i < count; i++) pointers[i] = &arguments[i];
    wasm3_turns = SHELL_TURNS;
    M3Result result = m3_Call((IM3Function)function, count, pointers);
    if (result) return refuse(engine, strncmp(result, "[trap] ", 7) == 0 ? result + 7 : result, m3_GetFunctionName((IM3Function)function));
    if (answer) memcpy(answer, ((IM3Runtime)engine->runtime)->stack, sizeof *answer); /* m3_GetResults without its loop */
    return true;
}

bool engine_shrink(Engine *engine, uint32_t bytes) {
#if !d_m3FixedHeap /* wasm3's own fixed heap cannot take a part back */
    IM3Runtime runtime = engine->runtime;
    M3MemoryHeader *header = runtime->memory.mallocated;
    size_t previous = header->length + sizeof *header;
    if (bytes >= header->length) return true;
    header = m3_Realloc(header, bytes + sizeof *header, previous);
    if (!header) return refuse_reason(engine, m3Err_mallocFailed);
    header->length = bytes;
    runtime->memory.mallocated = header;
    engine->memory = m3_GetMemory(runtime, &engine->memory_bytes, 0);
#else
    (void)bytes;
#endif
    return true;
}

void engine_unload(Engine *engine) {
    if (engine->runtime) m3_FreeRuntime(engine->runtime);
    if (engine->environment) m3_FreeEnvironment(engine->environment);
    engine->runtime = engine->environment = NULL;
    engine->memory = NULL;
    engine->memory_bytes = 0;
}

#include "module_imports.h"

#include <stdio.h>
#include <string.h>

enum { SECTION_TYPE = 1, SECTION_IMPORT = 2, FUNCTION = 0, FUNCTION_TYPE = 0x60, I32 = 0x7f };

/* Bytes between two places; `at` moves on. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} Bytes;

static const uint8_t preamble[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};

/* A number of at most 32 bits in LEB128. */
static bool number(Bytes *bytes, uint32_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (bytes->at == bytes->end) return false;
        uint8_t byte = *bytes->at++;
        if (shift == 28 && byte > 15) return false;
        *value |= (uint32_t)(byte & 127) << shift;
        if (byte < 128) return true;
    }
    return false;
}

/* `length` bytes that follow. */
static bool part(Bytes *bytes, uint32_t length, Bytes *of) {
    if ((size_t)(bytes->end - bytes->at) < length) return false;
    *of = (Bytes){bytes->at, bytes->at + length};
    bytes->at += length;
    return true;
}

/* A length and so many bytes. */
static bool counted(Bytes *bytes, Bytes *of) {
    uint32_t length;
    return number(bytes, &length) && part(bytes, length, of);
}

static bool is(const Bytes *bytes, const char *text) {
    size_t length = (size_t)(bytes->end - bytes->at);
    return length == strlen(text) && memcmp(bytes->at, text, length) == 0;
}

/* Whether type `index` of the section is `signature`. False also when there is no such type. */
static bool fits(Bytes types, uint32_t index, const char *signature) {
    uint32_t count;
    if (!number(&types, &count) || index >= count) return false;
    for (;; index--) {
        Bytes arguments;
        Bytes answers;
        if (types.at == types.end || *types.at++ != FUNCTION_TYPE || !counted(&types, &arguments) || !counted(&types, &answers)) return false;
        if (index > 0) continue;
        size_t given = (size_t)(arguments.end - arguments.at);
        size_t answered = (size_t)(answers.end - answers.at);
        for (size_t i = 0; i < given; i++) {
            if (arguments.at[i] != I32) return false;
        }
        return strlen(signature) == 3 + given && answered == (signature[0] == 'i') && (answered == 0 || *answers.at == I32);
    }
}

static bool refuse(char *why, size_t room, const Bytes *name, const char *words) {
    int length = (int)(name->end - name->at);
    for (int i = 0; i < length; i++) {
        if (name->at[i] < ' ' || name->at[i] > '~') length = i;
    }
    (void)snprintf(why, room, "the module imports %.*s, %s", length > 40 ? 40 : length, (const char *)name->at, words);
    return false;
}

static bool cut_off(char *why, size_t room) {
    (void)snprintf(why, room, "the module is cut off or no WebAssembly: build it anew");
    return false;
}

static bool known(Bytes *from, const Bytes *types, const EngineImport *imports, size_t count, char *why, size_t room) {
    Bytes module;
    Bytes name;
    uint32_t type;
    if (!counted(from, &module) || !counted(from, &name) || from->at == from->end) return cut_off(why, room);
    const EngineImport *import = NULL;
    for (size_t i = 0; i < count && !import; i++) {
        if (is(&module, "board") && is(&name, imports[i].name)) import = &imports[i];
    }
    if (*from->at++ != FUNCTION || !import) return refuse(why, room, &name, "which this board does not have: take a module of its firmware's release");
    if (!number(from, &type)) return cut_off(why, room);
    return fits(*types, type, import->signature) || refuse(why, room, &name, "with other types than this board has: take a module of its firmware's release");
}

bool module_imports_known(const uint8_t *module, uint32_t bytes, const EngineImport *imports, size_t count, char *why, size_t room) {
    Bytes left = {module, module + bytes};
    Bytes types = {module, module};
    if (bytes < sizeof preamble || memcmp(module, preamble, sizeof preamble) != 0) return cut_off(why, room);
    left.at += sizeof preamble;
    while (left.at < left.end) {
        uint8_t id = *left.at++;
        Bytes section;
        uint32_t imported;
        if (!counted(&left, &section)) return cut_off(why, room);
        if (id == SECTION_TYPE) types = section;
        if (id != SECTION_IMPORT) continue;
        if (!number(&section, &imported)) return cut_off(why, room);
        while (imported--) {
            if (!known(&section, &types, imports, count, why, room)) return false;
        }
    }
    return true;
}

/* What a module asks of its board, read from the module's bytes before any engine sees it.
 *
 * - Only the type and import sections are read, each number within its section and each name within its bytes; nothing is run or allocated.
 * - Every import has to be a function from "board" with the name and the types of the shell's table; types are those of the signature "i(ii)". */
#ifndef TWOBYTE_MODULE_IMPORTS_H
#define TWOBYTE_MODULE_IMPORTS_H

#include "engine.h"

/* module_imports_known(module, bytes, imports, count, why, room): whether the board has all that the module imports; if not, `why` holds a sentence. */
bool module_imports_known(const uint8_t *module, uint32_t bytes, const EngineImport *imports, size_t count, char *why, size_t room);

#endif

/* How many turns of loops the export that runs under wasm3 has left, and what a translation ends with; see wasm3_compile.c. */
#ifndef TWOBYTE_WASM3_COMPILE_H
#define TWOBYTE_WASM3_COMPILE_H

#include <stdint.h>

extern int32_t wasm3_turns;

/* What a call ends with that has none left. */
extern const char wasm3_too_long[];

/* What the translation of a function ends with that nests over SHELL_NESTING blocks. */
extern const char wasm3_too_deep[];

#endif

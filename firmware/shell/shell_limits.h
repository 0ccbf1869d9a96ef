/* The shell's sizes and wasm3's settings, each with what it costs. A build includes this file before every source of wasm3
 * (-include shell_limits.h), so that wasm3 and the shell agree; a port sets others with -D. Figures are for sensor-mqtt.wasm. */
#ifndef TWOBYTE_LIMITS_H
#define TWOBYTE_LIMITS_H

/* Most bytes of linear memory. A module that uses less is given just what memory_bytes() says; one that uses more is refused.
 * The sensors use 4.5 KB (MQTT-SN) to 9.1 KB (both protocols, with drivers and a journal); the desk module of the Node client 5.7 MB, which a shell's options allow it. */
#ifndef SHELL_MEMORY_LIMIT
#define SHELL_MEMORY_LIMIT 10240
#endif

/* The module's call stack, which wasm3 allocates once: arguments, locals and constants of nested calls. The deepest calls that a sensor can make take
 * 1,636 bytes (test/wasm3-stack.test.ts). */
#ifndef SHELL_STACK_BYTES
#define SHELL_STACK_BYTES 2240
#endif

/* Turns of loops that one call of an export may take under wasm3, all its loops together; then it "runs too long". The most that a scenario needs is
 * 1,285 turns, in a step. On a chip of 160 MHz this many are 1 to 3 s, before the 5 s of ESP-IDF's task watchdog. A turn costs 2 instructions more on
 * x86-64, code without loops nothing; a call of an export one or two. */
#ifndef SHELL_TURNS
#define SHELL_TURNS 1000000
#endif

/* Ticks of the port's timer that one call of an export may take, with either engine: the way out of what takes no turns. For ports that call shell_tick,
 * of which posix is one (WATCHDOG_TICK_MS); on rv32 the way out is the machine's watchdog (MACHINE_WATCHDOG_MS), which has no use for this. */
#ifndef SHELL_TICKS
#define SHELL_TICKS 8
#endif

/* Blocks in blocks of one function that wasm3 translates. Each takes about 140 bytes of the C stack on rv32 meanwhile. The sensors nest 11 (one
 * protocol, MQTT-SN) to 15 blocks (both). */
#ifndef SHELL_NESTING
#define SHELL_NESTING 32
#endif

/* Bytes of the last error's text. */
#ifndef SHELL_ERROR_BYTES
#define SHELL_ERROR_BYTES 224
#endif

/* Translated code is kept in pages of this many bytes; each costs a header and a jump to the next, and what the last one does not need is given
 * back. A page has to be found in one piece. Heap in all on rv32, by page size: 42.5 KB at 1024, 41.8 at 2048, 41.5 at 4096, 41.4 at 8192; of
 * sensor-journal.wasm 84.7, 83.1, 82.3, 81.9. */
#ifndef d_m3CodePageAlignSize
#define d_m3CodePageAlignSize 4096
#endif

/* Values on the stack of one function while it is translated: 5 bytes each in the runtime, and again on the C stack at load. */
#ifndef d_m3MaxFunctionStackHeight
#define d_m3MaxFunctionStackHeight 72
#endif

/* Constants that a function keeps in slots, the others are read from the code: 4 bytes each in the runtime, and 12 of code for each time that one
 * of the others is used. */
#ifndef d_m3MaxConstantTableSize
#define d_m3MaxConstantTableSize 80
#endif

/* Export names per function: a pointer each in every function. The build refuses a module in which two exports are one function. */
#ifndef d_m3MaxDuplicateFunctionImpl
#define d_m3MaxDuplicateFunctionImpl 1
#endif

/* Error texts with details in the runtime: 256 bytes and the texts. The shell names what a text is about by itself. */
#define d_m3VerboseErrorMessages 0

/* Nothing crosses or is computed in floating point. */
#define d_m3HasFloat 0

#endif

/* The heap of an rv32 image, an array of this many bytes: with wasm3 its structures, the translated code, linear memory and the stack of
 * the runtime are all in it. What is in use once a module runs is told with the event `started`. While a module is translated, wasm3 has some KB
 * more, given back at the end of it: the rest of open pages of code, and linear memory to SHELL_MEMORY_LIMIT. of sensor-journal it
 * keeps 80.4 KiB and needs 7 more then, of node it keeps 100.4. */
#ifndef TWOBYTE_HEAP_SIZE_H
#define TWOBYTE_HEAP_SIZE_H

#ifndef HEAP_BYTES
#ifdef ENGINE_AOT
#define HEAP_BYTES (16 * 1024)
#else
#define HEAP_BYTES (136 * 1024)
#endif
#endif

#endif

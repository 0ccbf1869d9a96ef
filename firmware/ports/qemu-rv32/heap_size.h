/* The heap of an rv32 image, an array of this many bytes: with wasm3 its structures, the translated code, linear memory and the stack of
 * the runtime are all in it. What is in use once a module runs is told with the event `started`. */
#ifndef TWOBYTE_HEAP_SIZE_H
#define TWOBYTE_HEAP_SIZE_H

#ifndef HEAP_BYTES
#ifdef ENGINE_AOT
#define HEAP_BYTES (16 * 1024)
#else
#define HEAP_BYTES (112 * 1024)
#endif
#endif

#endif

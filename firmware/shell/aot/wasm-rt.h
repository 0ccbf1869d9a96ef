/* In the place of wabt's header of this name: what wasm2c's C asks of its runtime, without a heap, pages or signals.
 *
 * - The file of a module (scripts/compiled.js) defines COMPILED_MEMORY_BYTES before it includes this: its memory is part of its instance
 *   and has just the bytes that memory_bytes() tells. An address that is known when it is compiled costs no check.
 * - COMPILED_RECURSIVE 0: no function of the module can call itself, on no way. Then nothing is counted.
 * - No tables, no memory.grow (it answers -1), no exceptions: no module of ours has them. */
#ifndef WASM_RT_H_
#define WASM_RT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LIKELY(x) __builtin_expect(!!(x), 1)

#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 0
#define WASM_RT_USE_STACK_DEPTH_COUNT COMPILED_RECURSIVE

/* Calls within calls of a module that can recurse, each with its frame on the C stack. */
#ifndef WASM_RT_MAX_CALL_STACK_DEPTH
#define WASM_RT_MAX_CALL_STACK_DEPTH 64
#endif
extern uint32_t wasm_rt_call_stack_depth;

typedef enum {
    WASM_RT_TRAP_NONE,
    WASM_RT_TRAP_OOB,
    WASM_RT_TRAP_INT_OVERFLOW,
    WASM_RT_TRAP_DIV_BY_ZERO,
    WASM_RT_TRAP_INVALID_CONVERSION,
    WASM_RT_TRAP_UNREACHABLE,
    WASM_RT_TRAP_CALL_INDIRECT,
    WASM_RT_TRAP_UNCAUGHT_EXCEPTION,
    WASM_RT_TRAP_EXHAUSTION,
} wasm_rt_trap_t;

/* wasm_rt_trap(trap): ends the call of the export that led here. */
_Noreturn void wasm_rt_trap(wasm_rt_trap_t trap);

/* `pages` stands behind the bytes so that a store to them cannot be one to a global, as far as the compiler is concerned. */
typedef struct {
    uint8_t data[COMPILED_MEMORY_BYTES] __attribute__((aligned(8)));
    uint32_t pages;
} wasm_rt_memory_t;

static inline void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t most) {
    (void)most;
    memory->pages = pages;
}

static inline void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
    (void)memory;
}

static inline uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages) {
    return pages ? UINT32_MAX : memory->pages;
}

static inline bool wasm_rt_is_initialized(void) {
    return true;
}

/* In the place of wasm2c's own, whose size of the memory is a variable, and whose addresses are sums of 64 bits. */
#define RANGE_CHECK(mem, offset, len)                                                                                            \
    if (UNLIKELY((uint64_t)(offset) + (uint64_t)(len) > COMPILED_MEMORY_BYTES)) TRAP(OOB)

/* `offset` is a constant, `address` may be: what can be said of them when they are compiled is not asked again. */
#define ACCESS_CHECK(address, offset, len)                                                                                       \
    if ((uint64_t)(offset) + (len) > COMPILED_MEMORY_BYTES || UNLIKELY((address) > COMPILED_MEMORY_BYTES - (len) - (offset))) TRAP(OOB)

#define DEFINE_LOAD(name, stored, widened, answered)                                                                             \
    static inline answered name(const wasm_rt_memory_t *memory, uint32_t address, uint32_t offset) {                             \
        stored value;                                                                                                            \
        ACCESS_CHECK(address, offset, (uint32_t)sizeof value);                                                                   \
        memcpy(&value, &memory->data[address + offset], sizeof value);                                                           \
        return (answered)(widened)value;                                                                                         \
    }

#define DEFINE_STORE(name, stored, given)                                                                                        \
    static inline void name(wasm_rt_memory_t *memory, uint32_t address, uint32_t offset, given value) {                          \
        const stored narrowed = (stored)value;                                                                                   \
        ACCESS_CHECK(address, offset, (uint32_t)sizeof narrowed);                                                                \
        memcpy(&memory->data[address + offset], &narrowed, sizeof narrowed);                                                     \
    }

#define LOAD_DATA(memory, offset, bytes, length)                                                                                 \
    do {                                                                                                                         \
        RANGE_CHECK(&(memory), offset, length);                                                                                  \
        memcpy(&(memory).data[offset], bytes, length);                                                                           \
    } while (0)

/* Named by functions that no module calls. */
#define wasm_rt_register_func_type(...) 0
typedef void (*wasm_rt_function_ptr_t)(void);
typedef void *wasm_rt_externref_t;
typedef struct {
    uint32_t func_type;
    wasm_rt_function_ptr_t func;
    void *module_instance;
} wasm_rt_funcref_t;
typedef struct {
    wasm_rt_funcref_t *data;
    uint32_t max_size;
    uint32_t size;
} wasm_rt_funcref_table_t;
typedef struct {
    wasm_rt_externref_t *data;
    uint32_t max_size;
    uint32_t size;
} wasm_rt_externref_table_t;
static const wasm_rt_externref_t wasm_rt_externref_null_value = NULL;

#endif

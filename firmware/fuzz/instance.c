/* The runtime that wasm2c's C asks for, and an instance that is put back after each input.
 *
 * A sensor's few KB are copied. The megabytes of a client lie in a private mapping of a file: what was written to is dropped, and comes
 * back from the file when it is touched again. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#define COPIED_MOST 65536u

Z_module_instance_t module;
static Z_module_instance_t first_instance;
static uint8_t *first_memory; /* of a module that is copied; NULL: it is mapped */
static size_t mapped_bytes;

uint32_t wasm_rt_call_stack_depth;

void wasm_rt_trap(wasm_rt_trap_t trap) {
    static const char *const names[] = {"none", "out of bounds", "integer overflow", "division by zero", "invalid conversion", "unreachable", "indirect call", "exception", "call stack exhausted"};
    REPORT("trap: %s", (unsigned)trap < sizeof names / sizeof names[0] ? names[trap] : "?");
}

bool wasm_rt_is_initialized(void) {
    return true;
}

uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) {
    (void)params;
    (void)results;
    return 1; /* only tables ask, and a module has none */
}

static void *mapped(size_t bytes, int flags, int file) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
    EXPECT(memory != MAP_FAILED, "no memory of %zu bytes", bytes);
    return memory;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t most) {
    memory->pages = pages;
    memory->max_pages = most;
    memory->size = pages * 65536u;
    memory->data = mapped(memory->size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
    munmap(memory->data, memory->pages * 65536u);
}

static void write_all(int file, const uint8_t *bytes, size_t length) {
    while (length) {
        ssize_t written = write(file, bytes, length);
        EXPECT(written > 0, "the first state of the memory cannot be kept");
        bytes += written;
        length -= (size_t)written;
    }
}

void module_instantiate(void) {
    Z_module_init_module();
    Z_module_instantiate(&module, NULL);
    const uint32_t bytes = Z_moduleZ_memory_bytes(&module);
    EXPECT(bytes <= module.w2c_memory.size, "memory_bytes() answers %u of %u", bytes, module.w2c_memory.size);
    uint8_t *whole = module.w2c_memory.data;
    if (bytes <= COPIED_MOST) {
        module.w2c_memory.data = malloc(bytes);
        first_memory = malloc(bytes);
        EXPECT(module.w2c_memory.data && first_memory, "no memory of %u bytes", bytes);
        memcpy(first_memory, whole, bytes);
    } else {
        const int file = memfd_create("memory", 0);
        mapped_bytes = module.w2c_memory.size;
        write_all(file, whole, mapped_bytes);
        module.w2c_memory.data = mapped(mapped_bytes, MAP_PRIVATE, file);
        close(file);
    }
    munmap(whole, module.w2c_memory.size);
    module.w2c_memory.size = bytes;
    first_instance = module;
}

void module_restore(void) {
    module = first_instance;
    wasm_rt_call_stack_depth = 0;
    if (first_memory) memcpy(module.w2c_memory.data, first_memory, module.w2c_memory.size);
    else madvise(module.w2c_memory.data, mapped_bytes, MADV_DONTNEED);
}

uint8_t *module_bytes(uint32_t address, uint32_t length, const char *what) {
    const uint32_t size = module.w2c_memory.size;
    EXPECT(address <= size && length <= size - address, "%s: %u bytes at %u of a memory of %u", what, length, address, size);
    return module.w2c_memory.data + address;
}

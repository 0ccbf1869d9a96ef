/* The bench on QEMU's virt machine: the command line comes by semihosting, the module is in flash, minstret counts (with -icount exactly). */

#include "bench.h"
#include "flash.h"
#include "memory_map.h"

#include <semihost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAINT 0x5aa5c33cu
#define ARGUMENTS 6

extern char __stack[]; /* of the linker script: its top */

static uint64_t total;
static uint64_t since;

/* minstret is read between options of the assembler: zicsr in -march would choose another library. */
static uint64_t instructions(void) {
    uint32_t high, low, again;
    do {
        __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstreth\ncsrr %1, minstret\ncsrr %2, minstreth\n.option pop"
                         : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

__attribute__((noinline)) void counter_on(void) {
    since = instructions();
}

__attribute__((noinline)) void counter_off(void) {
    total += instructions() - since;
}

uint64_t counter_total(void) {
    return total;
}

static volatile uint32_t *stack_end(void) {
    return (volatile uint32_t *)(void *)(__stack - STACK_BYTES);
}

/* All below what is in use of it. */
static void paint_stack(void) {
    uintptr_t top = (uintptr_t)__builtin_frame_address(0) - 64;
    for (volatile uint32_t *p = stack_end(); (uintptr_t)p < top; p++) *p = PAINT;
}

uint32_t stack_bytes(void) {
    const volatile uint32_t *p = stack_end();
    while (p < (volatile uint32_t *)(void *)__stack && *p == PAINT) p++;
    return (uint32_t)((uintptr_t)__stack - (uintptr_t)p);
}

_Noreturn void give_up(const char *what, const char *why) {
    printf("operations_bench: %s: %s\n", what, why);
    exit(1);
}

int main(void) {
    static char line[160];
    char *arguments[ARGUMENTS] = {0};
    paint_stack();
    if (sys_semihost_get_cmdline(line, sizeof line) != 0) give_up("usage", "no command line");
    size_t count = 0;
    for (char *word = strtok(line, " "); word && count < ARGUMENTS; word = strtok(NULL, " ")) arguments[count++] = word;
    if (count < 5) give_up("usage", "OPERATION PROTOCOL MODULE COUNT [SIZE]");
    uint32_t bytes = 0;
    const uint8_t *module = flash_region(FLASH_MODULE, FLASH_MODULE_BYTES, &bytes);
    BenchOptions options = {.operation = arguments[1],
                            .protocol = arguments[2],
                            .name = arguments[3],
                            .module = module,
                            .module_bytes = bytes,
                            .count = (uint32_t)strtoul(arguments[4], NULL, 10),
                            .size = count == ARGUMENTS ? (uint32_t)strtoul(arguments[5], NULL, 10) : 0};
    return bench_run(&options);
}

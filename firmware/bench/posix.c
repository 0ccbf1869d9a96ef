/* operations_bench OPERATION PROTOCOL MODULE COUNT [SIZE] on a machine with Linux: callgrind counts, with --collect-atstart=no. */

#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT (void)0
#endif

__attribute__((noinline)) void counter_on(void) {
    CALLGRIND_TOGGLE_COLLECT;
}

__attribute__((noinline)) void counter_off(void) {
    CALLGRIND_TOGGLE_COLLECT;
}

uint64_t counter_total(void) {
    return 0;
}

uint32_t stack_bytes(void) {
    return 0;
}

_Noreturn void give_up(const char *what, const char *why) {
    fprintf(stderr, "operations_bench: %s: %s\n", what, why);
    exit(1);
}

int main(int count, char **arguments) {
    if (count != 5 && count != 6) give_up("usage", "operations_bench OPERATION PROTOCOL MODULE COUNT [SIZE]");
    const char *path = arguments[3];
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0) give_up(path, "cannot be read; npm run build makes it");
    void *module = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (module == MAP_FAILED) give_up(path, "cannot be mapped");
    BenchOptions options = {.operation = arguments[1],
                            .protocol = arguments[2],
                            .name = path,
                            .module = module,
                            .module_bytes = (uint32_t)status.st_size,
                            .count = (uint32_t)strtoul(arguments[4], NULL, 10),
                            .size = count == 6 ? (uint32_t)strtoul(arguments[5], NULL, 10) : 0};
    return bench_run(&options);
}

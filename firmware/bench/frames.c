/* What each function of a module takes of wasm3's call stack: `frames MODULE` prints its number and its bytes, a function a line, then the bytes that
 * the shell gives the stack. With the calls of the module they make the deepest stack that there can be. */

#include "shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "m3_env.h"

int main(int count, char **arguments) {
    static const Port port = {0};
    static Shell shell;
    struct stat status;
    int file = count == 2 ? open(arguments[1], O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0 || fstat(file, &status) != 0) {
        fprintf(stderr, "usage: frames MODULE\n");
        return 1;
    }
    void *module = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (module == MAP_FAILED) return 1;
    ShellOptions options = {.module = module, .module_bytes = (uint32_t)status.st_size, .port = &port};
    if (shell_load(&shell, &options) != 0) {
        fprintf(stderr, "%s: %s\n", arguments[1], shell.error);
        return 1;
    }
    IM3Module loaded = ((IM3Runtime)shell.engine.runtime)->modules;
    for (uint32_t i = 0; i < loaded->numFunctions; i++) printf("%u %zu\n", (unsigned)i, loaded->functions[i].maxStackSlots * sizeof(m3slot_t));
    printf("stack %u\n", (unsigned)SHELL_STACK_BYTES);
    shell_unload(&shell);
    return 0;
}

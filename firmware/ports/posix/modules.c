#include "modules.h"

#include "console.h"
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FALLBACK, MODULE }; /* slots; the newer is tried first */

/* A copy in pages of its own, that stand for flash: nothing counts them as heap, and nobody can change them. Of a file that gets shorter while it is read,
 * what there was; `bytes` tells. NULL: errno says why. */
static const uint8_t *copy(int file, size_t capacity, uint32_t *bytes) {
    uint8_t *pages = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return NULL;
    size_t length = 0;
    ssize_t count = 1;
    while (length < capacity && (count = read(file, pages + length, capacity - length)) != 0) {
        if (count > 0) length += (size_t)count;
        else if (errno != EINTR) break;
    }
    if (count >= 0 && mprotect(pages, capacity, PROT_READ) == 0) {
        *bytes = (uint32_t)length;
        return pages;
    }
    int error = errno;
    (void)munmap(pages, capacity);
    errno = error;
    return NULL;
}

/* A module that is compiled in is found by its name, and its file is not read. */
static void load(Slot *slot, const char *path, uint32_t sequence) {
    if (engine_compiled(0)) {
        *slot = (Slot){.module = (const uint8_t *)path, .sequence = sequence, .check = sequence};
        return;
    }
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0) {
        console_say("%s cannot be read: %s; npm run build makes the modules", path, strerror(errno));
    } else if (!S_ISREG(status.st_mode) || status.st_size > 1 << 24) {
        console_say("%s is no WebAssembly module: it is no file, or of over 16 MB", path);
    } else if (status.st_size == 0) {
        console_say("%s is no WebAssembly module: it is empty", path);
    } else {
        uint32_t bytes;
        const uint8_t *module = copy(file, (size_t)status.st_size, &bytes);
        if (!module) console_say("%s cannot be read: %s", path, strerror(errno));
        else *slot = (Slot){.module = module, .bytes = bytes, .sequence = sequence, .check = sequence};
    }
    if (file >= 0) (void)close(file);
}

bool modules_open(Modules *modules, const Settings *settings) {
    static const int keys[SLOTS] = {[FALLBACK] = SETTING_FALLBACK, [MODULE] = SETTING_MODULE};
    for (int i = SLOTS - 1; i >= 0; i--) {
        modules->paths[i] = settings->values[keys[i]].text;
        if (modules->paths[i]) load(&modules->slots.slots[i], modules->paths[i], (uint32_t)i + 1);
    }
    slots_open(&modules->slots, modules->states);
    if (modules->slots.slots[FALLBACK].module) {
        modules->states[FALLBACK].fate = SLOT_PROVED;
        if (!modules->slots.slots[MODULE].module) console_say("the board goes on with %s", modules->paths[FALLBACK]);
    }
    return slots_choose(&modules->slots) >= 0;
}

int modules_next(const Modules *modules) {
    int slot = slots_choose(&modules->slots);
    return slot >= 0 && modules->states[slot].fate == SLOT_LEFT ? -1 : slot;
}

static void say(const Modules *modules, int slot, const char *words) {
    int next = modules_next(modules);
    if (next < 0) console_say("%s: %s", modules->paths[slot], words);
    else if (next != slot) console_say("%s: %s; the board goes on with %s", modules->paths[slot], words, modules->paths[next]);
    else console_say("%s: %s; it is started again in %u s", modules->paths[slot], words, (unsigned)(slots_wait(&modules->slots, slot) / 1000));
}

void modules_refused(Modules *modules, int slot, const char *words) {
    slots_refused(&modules->slots, slot);
    say(modules, slot, words);
}

void modules_failed(Modules *modules, int slot, const char *words) {
    slots_failed(&modules->slots, slot);
    /* Without another to go on with, whoever started the process is to know: it ends, and is started again by him. */
    if (!modules->paths[FALLBACK]) modules->states[slot].fate = SLOT_LEFT;
    say(modules, slot, words);
}

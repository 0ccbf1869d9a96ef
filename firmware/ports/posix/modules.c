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

/* A module that is compiled in is found by its name, and its file is not read. */
static void map(Slot *slot, const char *path, uint32_t sequence) {
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
        void *module = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (module == MAP_FAILED) console_say("%s cannot be read: %s", path, strerror(errno));
        else *slot = (Slot){.module = module, .bytes = (uint32_t)status.st_size, .sequence = sequence, .check = sequence};
    }
    if (file >= 0) (void)close(file);
}

bool modules_open(Modules *modules, const Settings *settings) {
    static const int keys[SLOTS] = {[FALLBACK] = SETTING_FALLBACK, [MODULE] = SETTING_MODULE};
    for (int i = SLOTS - 1; i >= 0; i--) {
        modules->paths[i] = settings->values[keys[i]].text;
        if (modules->paths[i]) map(&modules->slots.slots[i], modules->paths[i], (uint32_t)i + 1);
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

#include "modules.h"

#include "console.h"
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
    return deployed_open(&modules->deployed, settings) && modules_next(modules) >= 0;
}

int modules_next(const Modules *modules) {
    int deployed = modules->deployed.path ? slots_choose(&modules->deployed.slots) : -1;
    if (deployed >= 0) return MODULES_DEPLOYED + deployed;
    int slot = slots_choose(&modules->slots);
    return slot >= 0 && modules->states[slot].fate == SLOT_LEFT ? -1 : slot;
}

const Slot *modules_slot(const Modules *modules, int number) {
    return number < MODULES_DEPLOYED ? &modules->slots.slots[number] : &modules->deployed.slots.slots[number - MODULES_DEPLOYED];
}

const char *modules_name(Modules *modules, int number) {
    if (number < MODULES_DEPLOYED) return modules->paths[number];
    const Slot *slot = modules_slot(modules, number);
    (void)snprintf(modules->name, sizeof modules->name, "%.200s: version %lu", modules->deployed.path, (unsigned long)slot->version);
    return modules->name;
}

static Slots *slots_of(Modules *modules, int number) {
    return number < MODULES_DEPLOYED ? &modules->slots : &modules->deployed.slots;
}

/* Of a number, the slot in its slots. */
static int place_of(int number) {
    return number % MODULES_DEPLOYED;
}

uint32_t modules_wait(const Modules *modules, int number) {
    return number < MODULES_DEPLOYED ? slots_wait(&modules->slots, number) : slots_wait(&modules->deployed.slots, number - MODULES_DEPLOYED);
}

void modules_begins(Modules *modules, int number) {
    if (modules->deployed.path) update_begins(&modules->deployed.update, number >= MODULES_DEPLOYED ? place_of(number) : -1);
}

void modules_started(Modules *modules, int number) {
    slots_started(slots_of(modules, number), place_of(number));
    if (number >= MODULES_DEPLOYED) deployed_keep(&modules->deployed);
}

bool modules_updated(const Modules *modules) {
    return modules->deployed.path && update_complete(&modules->deployed.update);
}

void modules_connected(Modules *modules, int number) {
    slots_connected(slots_of(modules, number));
    if (modules->deployed.path) update_connected(&modules->deployed.update);
}

bool modules_ran(Modules *modules, int number, int64_t ms, int64_t *wait) {
    bool is_deployed = number >= MODULES_DEPLOYED;
    Slots *slots = slots_of(modules, number);
    number = place_of(number);
    SlotState before = slots->states[number];
    if (ms >= SLOTS_PROOF_MS) slots_proved(slots, number);
    if (!is_deployed) return true;
    if (memcmp(&before, &slots->states[number], sizeof before) != 0) deployed_keep(&modules->deployed);
    if (!slots_on_trial(slots, number)) return true;
    if (slots_overdue(slots, number, ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms)) return false;
    int64_t until = slots->connected ? SLOTS_PROOF_MS : slots->trial_ms ? slots->trial_ms : UPDATE_TRIAL_MS;
    if (until > ms && until - ms < *wait) *wait = until - ms;
    return true;
}

bool modules_on_trial(const Modules *modules, int number) {
    return number >= MODULES_DEPLOYED && slots_on_trial(&modules->deployed.slots, number - MODULES_DEPLOYED);
}

static void say(Modules *modules, int number, const char *words) {
    char name[sizeof modules->name];
    int next = modules_next(modules);
    (void)snprintf(name, sizeof name, "%s", modules_name(modules, number));
    if (next < 0) console_say("%s: %s", name, words);
    else if (next != number) console_say("%s: %s; the board goes on with %s", name, words, modules_name(modules, next));
    else console_say("%s: %s; it is started again in %u s", name, words, (unsigned)(modules_wait(modules, number) / 1000));
}

/* A deployed one that was left is told to whoever deployed it, by the one that follows. */
static void keep(Modules *modules, int number, const char *words) {
    if (number < MODULES_DEPLOYED) return;
    int slot = number - MODULES_DEPLOYED;
    if (modules->deployed.states[slot].fate == SLOT_LEFT) update_leave(&modules->deployed.update, slot, words);
    else deployed_keep(&modules->deployed);
}

void modules_ended(Modules *modules, int number) {
    if (slots_ended(slots_of(modules, number), place_of(number))) {
        keep(modules, number, UPDATE_ENDED_UNCONNECTED);
        say(modules, number, UPDATE_ENDED_UNCONNECTED);
    } else if (number >= MODULES_DEPLOYED) deployed_keep(&modules->deployed);
}

void modules_refused(Modules *modules, int number, const char *words) {
    slots_refused(slots_of(modules, number), place_of(number));
    keep(modules, number, words);
    say(modules, number, words);
}

void modules_failed(Modules *modules, int number, const char *words) {
    slots_failed(slots_of(modules, number), place_of(number));
    /* Without another to go on with, whoever started the process is to know: it ends, and is started again by him. */
    if (number < MODULES_DEPLOYED && !modules->paths[FALLBACK]) modules->states[number].fate = SLOT_LEFT;
    keep(modules, number, words);
    say(modules, number, words);
}

void modules_close(Modules *modules) {
    deployed_close(&modules->deployed);
}

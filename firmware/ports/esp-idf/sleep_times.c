#include "sleep.h"

#include <stddef.h>
#include <string.h>

Sleep sleep_named(const char *name) {
    static const char *const names[] = {[SLEEP_NEVER] = "on", [SLEEP_LIGHT] = "light", [SLEEP_DEEP] = "deep"};
    if (!name) return SLEEP_NEVER;
    for (int i = 0; i < SLEEP_UNKNOWN; i++) {
        if (strcmp(name, names[i]) == 0) return (Sleep)i;
    }
    return SLEEP_UNKNOWN;
}

int64_t sleep_ms(int64_t interval, int64_t awake) {
    int64_t left = interval - awake;
    return left < SLEEP_LEAST_MS ? 0 : left;
}

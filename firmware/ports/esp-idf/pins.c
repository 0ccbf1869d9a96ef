#include "pins.h"

#include "contract.h"

#include <string.h>

#define MOST 10000000

int32_t pins_read(const char *text, int32_t *to, int32_t capacity) {
    int32_t count = 0;
    for (;;) {
        while (*text == ' ' || *text == '\t') text++;
        if (!*text) return count;
        if (count == capacity || *text < '0' || *text > '9') return -1;
        int32_t number = 0;
        while (*text >= '0' && *text <= '9' && number <= MOST) number = number * 10 + (*text++ - '0');
        if (number > MOST || (*text && *text != ' ' && *text != '\t')) return -1;
        to[count++] = number;
    }
}

bool pins_wanted(const Settings *settings, const char *const *drivers) {
    for (int key = CONFIG_READING_1; key <= CONFIG_READING_8; key++) {
        const char *text = settings->values[key].text;
        size_t length = text ? strcspn(text, ": \t") : 0;
        for (int i = 0; text && drivers[i]; i++) {
            if (strlen(drivers[i]) == length && memcmp(text, drivers[i], length) == 0) return true;
        }
    }
    return false;
}

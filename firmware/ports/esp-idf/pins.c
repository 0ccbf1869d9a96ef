#include "pins.h"

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

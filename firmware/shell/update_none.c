#include "update_none.h"

#include "update.h"

#include <string.h>

int32_t update_none_take(bool *asked, int32_t length) {
    *asked = length > 0;
    return 0;
}

int32_t update_none_answer(bool *asked, const char *why, uint8_t *to, int32_t capacity) {
    static const uint8_t head[6] = {UPDATE_ANSWER, UPDATE_REFUSED};
    size_t length = strlen(why);
    if (!*asked || capacity < (int32_t)sizeof head) return 0;
    *asked = false;
    if (length > (size_t)capacity - sizeof head) length = (size_t)capacity - sizeof head;
    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, why, length);
    return (int32_t)(sizeof head + length);
}

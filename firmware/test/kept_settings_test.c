/* The emulated board's settings from a host, in memory that outlives a reset: which text is in force after any cut and any damage. */

#include "check.h"
#include "kept_settings.h"

static uint32_t memory[KEPT_SETTINGS_BYTES / 4];

static bool in_force(const char *text) {
    uint32_t length;
    const uint8_t *kept = kept_settings(memory, &length);
    return text ? kept && length == strlen(text) && memcmp(kept, text, length) == 0 : !kept;
}

static void keep(const char *text) {
    memcpy(kept_room(memory), text, strlen(text));
    kept_settle(memory, (uint32_t)strlen(text));
}

int main(void) {
    check_begin("memory of zeros, or of anything, holds none");
    CHECK(in_force(NULL), "something");
    memset(memory, 0xa5, sizeof memory);
    CHECK(in_force(NULL), "something");
    check_end();

    check_begin("the newest counts, again and again");
    for (int i = 0; i < 6; i++) {
        char text[20];
        (void)snprintf(text, sizeof text, "topic = %d\n", i);
        keep(text);
        CHECK(in_force(text), "not number %d", i);
    }
    keep("");
    CHECK(in_force(""), "not the empty one");
    check_end();

    check_begin("one that is only begun leaves the one before in force");
    keep("topic = a\n");
    keep("topic = b\n");
    memcpy(kept_room(memory), "topic", 5);
    CHECK(in_force("topic = b\n"), "not b");
    (void)kept_room(memory);
    CHECK(in_force("topic = b\n"), "not b");
    keep("topic = c\n");
    CHECK(in_force("topic = c\n"), "not c");
    check_end();

    check_begin("any bit of it flipped: the one before is in force, and nothing else");
    keep("topic = d\n");
    uint8_t *newest = (uint8_t *)memory;
    if (memcmp(newest + KEPT_HEADER_BYTES, "topic = d", 9) != 0) newest += KEPT_SETTINGS_BYTES / 2;
    for (uint32_t bit = 0; bit < (KEPT_HEADER_BYTES + 10) * 8; bit++) {
        newest[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(in_force("topic = c\n"), "bit %u", (unsigned)bit);
        newest[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(in_force("topic = d\n"), "bit %u, and back", (unsigned)bit);
    }
    check_end();
    return CHECK_STATUS();
}

#include "fuzz.h"

bool text_is_utf8(const uint8_t *text, uint32_t length) {
    for (uint32_t i = 0; i < length;) {
        const uint8_t first = text[i++];
        if (first == 0) return false; /* U+0000 is well-formed and forbidden */
        if (first < 0x80) continue;
        const uint32_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        if (first < 0xc2 || first > 0xf4 || length - i < more) return false;
        uint32_t point = first & (0x3fu >> more);
        for (uint32_t n = 0; n < more; n++) {
            if ((text[i] & 0xc0) != 0x80) return false;
            point = point << 6 | (text[i++] & 0x3fu);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    }
    return true;
}

bool text_is_topic(const uint8_t *text, uint32_t length, bool filter) {
    if (length == 0 || !text_is_utf8(text, length)) return false;
    for (uint32_t i = 0; i < length; i++) {
        if (text[i] != '+' && text[i] != '#') continue;
        const bool starts = i == 0 || text[i - 1] == '/';
        const bool ends = i + 1 == length || (text[i] == '+' && text[i + 1] == '/');
        if (!filter || !starts || !ends) return false;
    }
    return true;
}

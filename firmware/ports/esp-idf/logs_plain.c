#include "logs.h"

/* A colour is ESC [ numbers m. */
static uint32_t colour(const char *text, uint32_t length) {
    if (length < 3 || text[0] != 033 || text[1] != '[') return 0;
    uint32_t at = 2;
    while (at < length && ((text[at] >= '0' && text[at] <= '9') || text[at] == ';')) at++;
    return at < length && text[at] == 'm' ? at + 1 : 0;
}

uint32_t logs_plain(char *text, uint32_t length) {
    uint32_t kept = 0;
    for (uint32_t at = 0; at < length;) {
        uint32_t skipped = colour(text + at, length - at);
        at += skipped;
        if (skipped) continue;
        unsigned char c = (unsigned char)text[at++];
        if (c == '\t') c = ' ';
        if (c >= ' ' && c != 0177) text[kept++] = (char)c;
    }
    return kept;
}

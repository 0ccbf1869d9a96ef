/* What the posix board's links have in common: what became of one, and why a call of the system failed. */
#ifndef TWOBYTE_LINK_NEWS_H
#define TWOBYTE_LINK_NEWS_H

#include <stdbool.h>
#include <stdint.h>

/* How long bytes that were taken before a close may still be on their way out. */
#define LINK_LINGER_MS 1000

/* LINK_… with its reason, or 0 and whether there are bytes to fetch. */
typedef struct {
    int32_t what;
    int32_t reason;
    bool readable;
} LinkNews;

/* link_reason(error): the REASON_… of an errno. */
int32_t link_reason(int error);

#endif

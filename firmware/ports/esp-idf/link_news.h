/* What the links have in common: what became of one, and why a call of the system failed. */
#ifndef TWOBYTE_LINK_NEWS_H
#define TWOBYTE_LINK_NEWS_H

#include <stdbool.h>
#include <stdint.h>

/* LINK_… with its reason, or 0 and whether there are bytes to fetch. */
typedef struct {
    int32_t what;
    int32_t reason;
    bool readable;
} LinkNews;

/* link_reason(error): the REASON_… of an errno. */
int32_t link_reason(int error);

/* link_socket(family, type): a socket that never blocks, or -1 with errno. */
int link_socket(int family, int type);

#endif

/* What power_cut.c does is told here when it is linked into a test, and by the environment when it is preloaded. */
#ifndef TWOBYTE_POWER_CUT_H
#define TWOBYTE_POWER_CUT_H

#include <stdbool.h>

typedef struct {
    unsigned long at; /* POWER_CUT_AT: the number of the call, from 1; 0: never */
    bool after;       /* POWER_CUT_AFTER=1: cut after the call, not before it */
    long tear;        /* POWER_CUT_TEAR: when the call writes to a file, only so many bytes are written; -1: all or nothing */
    bool lose;        /* POWER_CUT_LOSE=1: what was not synchronised is lost */
    int fail;         /* POWER_CUT_FAIL: no cut; a call to a file answers this errno, a call to a link goes through; 0: cut */
    int log;          /* POWER_CUT_LOG: a file that gets a line before each call; here its descriptor, -1: none */
} PowerCut;

/* power_cut_set(cut): counts from 1 anew. */
void power_cut_set(const PowerCut *cut);

/* power_cut_count(): calls since then. */
unsigned long power_cut_count(void);

#endif

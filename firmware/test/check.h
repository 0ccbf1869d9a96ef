/* A test is a function of a name; one line each, and the exit status tells whether all held. */
#ifndef TWOBYTE_CHECK_H
#define TWOBYTE_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int check_failures;
static bool check_failed; /* in the test that runs */
static const char *check_name;

static void check_begin(const char *name) {
    check_name = name;
    check_failed = false;
}

static void check_end(void) {
    if (check_failed) check_failures++;
    else printf("ok %s\n", check_name);
}

/* The first thing that does not hold is told; the rest of the test goes on. */
#define CHECK(condition, ...)                             \
    do {                                                  \
        if (!(condition) && !check_failed) {              \
            check_failed = true;                          \
            printf("not ok %s: %s; ", check_name, #condition); \
            printf(__VA_ARGS__);                          \
            printf("\n");                                 \
        }                                                 \
    } while (0)

#define CHECK_STATUS() (check_failures ? 1 : 0)

#endif

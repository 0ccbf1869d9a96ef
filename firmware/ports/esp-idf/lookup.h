/* The addresses of a host name. lwIP's lookup blocks: one task does nothing else, made before the module starts.
 *
 * - A lookup waits until there is a network; whoever waits for it says when that took too long.
 * - It is not broken off: who gave up waiting and asks again gets the answer of the one that is under way.
 * - IPv4: the access point gives each board such an address.
 * - Looked up at each opening: the network may have changed. lwIP allocates in it, we do not. */
#ifndef TWOBYTE_LOOKUP_H
#define TWOBYTE_LOOKUP_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LOOKUP_ADDRESSES 4 /* of one name; further ones are not used */
#define LOOKUP_PENDING 1

typedef struct {
    const char *host;
    const char *port;
    int type; /* SOCK_STREAM, SOCK_DGRAM */
    atomic_int stage;
    int32_t answer; /* 0 or a negated REASON_…, and with 0 what was found */
    uint32_t count;
    struct sockaddr_in found[LOOKUP_ADDRESSES];
} Lookup;

/* lookup_open(): makes the task. False: there was no memory for it. */
bool lookup_open(void);

/* lookup_init(lookup, host, port, type): the texts and the struct stay where they are for good. */
void lookup_init(Lookup *lookup, const char *host, const char *port, int type);

/* lookup_begin(lookup): asks, unless it is being asked. */
void lookup_begin(Lookup *lookup);

/* lookup_is_answered(lookup): whether there is an answer that nobody took. */
bool lookup_is_answered(Lookup *lookup);

/* lookup_take(lookup, number, to): address `number` of the host, counted round. 0, LOOKUP_PENDING or a negated REASON_…. */
int32_t lookup_take(Lookup *lookup, uint32_t number, struct sockaddr_in *to);

#endif

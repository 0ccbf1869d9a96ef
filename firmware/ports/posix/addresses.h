/* The addresses of a host name, for links over IP.
 *
 * - libc's lookup blocks, for many seconds where no name server answers: each name has a thread that does nothing else, made before the
 *   module starts. The loop that waits with poll(2) is woken when it has an answer. An address that is no name needs neither.
 * - A lookup is not broken off: whoever gave up waiting and asks again gets the answer of the one that is under way.
 * - Looked up at each opening: the network may have changed. libc allocates in it, we do not. */
#ifndef TWOBYTE_ADDRESSES_H
#define TWOBYTE_ADDRESSES_H

#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LOOKUP_ADDRESSES 8 /* of one name; further ones are not used */
#define LOOKUP_STACK_BYTES (256 * 1024)
#define LOOKUP_PENDING 1

typedef struct {
    struct sockaddr_storage at;
    socklen_t length;
} HostAddress;

typedef struct {
    const char *host;
    const char *port;
    int type;     /* SOCK_STREAM, SOCK_DGRAM */
    bool numeric; /* no name: nothing is asked */
    int asked;    /* wakes the thread, -1: there is none */
    int told;     /* readable when there is an answer */
    atomic_int stage;
    int32_t answer; /* 0 or a negated REASON_…, and with 0 what was found */
    uint32_t count;
    HostAddress found[LOOKUP_ADDRESSES];
} Lookup;

/* What asks the system: getaddrinfo. A test may put another in its place before lookup_init. */
extern int (*lookup_resolve)(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **to);

/* lookup_init(lookup, host, port, type): the texts and the struct stay where they are for good. Signals blocked now stay blocked in the
 * thread. */
void lookup_init(Lookup *lookup, const char *host, const char *port, int type);

/* lookup_begin(lookup): asks, unless it is being asked. */
void lookup_begin(Lookup *lookup);

/* lookup_take(lookup, number, to): address `number` of the host, counted round. 0, LOOKUP_PENDING or a negated REASON_…. */
int32_t lookup_take(Lookup *lookup, uint32_t number, HostAddress *to);

#endif

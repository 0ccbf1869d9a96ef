/* The addresses of a host name, for links over IP. The lookup blocks, and libc allocates in it. */
#ifndef TWOBYTE_ADDRESSES_H
#define TWOBYTE_ADDRESSES_H

#include <stdint.h>
#include <sys/socket.h>

typedef struct {
    struct sockaddr_storage at;
    socklen_t length;
} HostAddress;

/* address_look_up(host, port, type, choice, to): number `choice` of the host's addresses, counted round, for sockets of `type`
 * (SOCK_STREAM, SOCK_DGRAM). 0, or a negated REASON_…. Looked up each time: the network may have changed. */
int32_t address_look_up(const char *host, const char *port, int type, int32_t choice, HostAddress *to);

#endif

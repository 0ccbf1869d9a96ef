/* The posix board's datagram links: UDP to one gateway (link 0), and where gateways are searched (link 1). Never blocking:
 * while a name is looked up (addresses.h) the link is opening.
 *
 * - Link 0 is a connected socket: it hears only its gateway, and is told when nobody listens there. Each opening makes a new one.
 * - Link 1 is two sockets, since several boards may share a host. One, on a port of its own, sends the searches and hears the answers
 *   that come back to it. The other hears what goes to the group or broadcast address; it is bound to just that address, with
 *   SO_REUSEADDR, so that each board gets a copy and none takes what was sent to a gateway on the same host. That gateway has to set
 *   SO_REUSEADDR as well; where it does not, searching goes on by answers alone, and `words` say so. An address of one host (?search)
 *   needs no second socket.
 * - A board does not hear its own searches.
 * - The interface of a group is the one its route or its zone (ff02::1%eth0) names.
 * - A datagram is sent whole or not at all; the queue of received ones is the socket's, and what that cannot hold is lost.
 * - Bytes behind the room are cut and counted in the length. A datagram of no bytes is nothing.
 * - Costs some 300 bytes, and nothing of the heap. */
#ifndef TWOBYTE_UDP_H
#define TWOBYTE_UDP_H

#include "addresses.h"
#include "link_news.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define UDP_LINKS 2
#define UDP_POLLS 4
#define UDP_GATEWAYS 4

typedef struct {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    socklen_t length; /* 0: none */
} UdpAddress;

typedef struct {
    int socket;      /* -1: closed */
    bool looking;    /* its address is not known yet */
    bool opening;    /* LINK_OPENED is owed */
    bool blocked;    /* a datagram was refused: LINK_WRITABLE is owed */
    int32_t failure; /* REASON_… of what failed: LINK_CLOSED is owed, after what can still be read */
} UdpLink;

typedef struct {
    Lookup *lookup; /* of the link that was opened by name, and which of the addresses */
    uint32_t number;
    bool search; /* the address is where gateways are searched */
    UdpLink links[UDP_LINKS];
    int shared;          /* hears the group or broadcast address, -1: none */
    UdpAddress searched; /* where searches go */
    UdpAddress own;      /* where they come from */
    UdpAddress sender;   /* of the datagram that was handed in last */
    UdpAddress gateways[UDP_GATEWAYS];
    const char *words; /* for a person; whoever says them sets NULL */
    bool said;         /* that the port is taken */
} Udp;

void udp_init(Udp *udp, bool search);

/* udp_open(udp, link, lookup, choice): link 0 to number `choice` of the host's addresses, or with search to the gateway in slot `choice`. */
int32_t udp_open(Udp *udp, int32_t link, Lookup *lookup, uint32_t choice);
int32_t udp_send(Udp *udp, int32_t link, const uint8_t *data, int32_t length);
void udp_close(Udp *udp, int32_t link);

/* udp_remember(udp, slot, address, length): 0, or -REASON_ADDRESS; with length 0 the sender of the datagram that was handed in last. */
int32_t udp_remember(Udp *udp, int32_t slot, const uint8_t *address, int32_t length);

/* udp_wants(udp, polls, room): what to wait for; datagrams only of a link with room. UDP_POLLS entries. */
void udp_wants(const Udp *udp, struct pollfd *polls, const bool *room);

/* udp_due(udp, link): whether there is news already, whatever poll would say. */
bool udp_due(const Udp *udp, int32_t link);

/* udp_news(udp, link, polls): after poll. */
LinkNews udp_news(Udp *udp, int32_t link, const struct pollfd *polls);

/* udp_receive(udp, link, to, room, reason): the length of one datagram, of which `room` bytes are written at most; 0 when there is none;
 * -1, with the reason, when the link is gone. */
int32_t udp_receive(Udp *udp, int32_t link, uint8_t *to, uint32_t room, int32_t *reason);

#endif

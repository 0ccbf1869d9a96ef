/* Datagrams: UDP to one gateway (link 0), and where gateways are searched (link 1). Never blocking: while a name is looked up the link is opening.
 *
 * - Link 0 is a connected socket: it hears only its gateway. Each opening makes a new one.
 * - Link 1 is two sockets. One, on a port of its own, sends the searches and hears the answers that come back to it. The other has the port of the group or
 *   broadcast address and hears what goes there. An address of one host (?search) needs no second socket.
 * - A board does not hear its own searches, which it knows by the port they come from.
 * - A datagram is sent whole or not at all. Bytes behind the room are cut and counted in the length; over DATAGRAMS_BYTES there are none on this board.
 * - IPv4. Costs some 1.7 KB, and nothing of the heap but lwIP's. */
#ifndef TWOBYTE_DATAGRAMS_H
#define TWOBYTE_DATAGRAMS_H

#include "link_news.h"
#include "lookup.h"

#include <sys/poll.h>

#define DATAGRAMS_LINKS 2
#define DATAGRAMS_POLLS 3
#define DATAGRAMS_GATEWAYS 4
#define DATAGRAMS_BYTES 1472 /* what Ethernet carries in one piece */

typedef struct {
    int socket;      /* -1: closed */
    bool looking;    /* its address is not known yet */
    bool opening;    /* LINK_OPENED is owed */
    bool blocked;    /* a datagram was refused: LINK_WRITABLE is owed */
    int32_t failure; /* REASON_… of what failed: LINK_CLOSED is owed */
} DatagramLink;

typedef struct {
    Lookup *lookup; /* of the link that was opened by name, and which of the addresses */
    uint32_t number;
    bool search; /* the address is where gateways are searched */
    DatagramLink links[DATAGRAMS_LINKS];
    int shared;                  /* hears the group or broadcast address, -1: none */
    struct sockaddr_in searched; /* where searches go */
    uint16_t own;                /* the port they come from, as it goes over the wire */
    struct sockaddr_in sender;   /* of the datagram that was handed in last; port 0: none */
    struct sockaddr_in gateways[DATAGRAMS_GATEWAYS];
    uint8_t datagram[DATAGRAMS_BYTES];
} Datagrams;

void datagrams_init(Datagrams *udp, bool search);

/* datagrams_open(udp, link, lookup, choice): link 0 to number `choice` of the host's addresses, or with search to the gateway in slot `choice`. */
int32_t datagrams_open(Datagrams *udp, int32_t link, Lookup *lookup, uint32_t choice);
int32_t datagrams_send(Datagrams *udp, int32_t link, const uint8_t *data, int32_t length);
void datagrams_close(Datagrams *udp, int32_t link);

/* datagrams_remember(udp, slot, address, length): 0, or -REASON_ADDRESS; with length 0 the sender of the datagram that was handed in last. */
int32_t datagrams_remember(Datagrams *udp, int32_t slot, const uint8_t *address, int32_t length);

/* datagrams_wants(udp, polls, room): what to wait for; datagrams only of a link with room. DATAGRAMS_POLLS entries. */
void datagrams_wants(const Datagrams *udp, struct pollfd *polls, const bool *room);

/* datagrams_due(udp): whether there is news already, whatever poll would say. */
bool datagrams_due(const Datagrams *udp);

/* datagrams_news(udp, link, polls): after poll. */
LinkNews datagrams_news(Datagrams *udp, int32_t link, const struct pollfd *polls);

/* datagrams_receive(udp, link, to, room, reason): the length of one datagram, of which `room` bytes are written at most; 0 when there is none;
 * -1, with the reason, when the link is gone. */
int32_t datagrams_receive(Datagrams *udp, int32_t link, uint8_t *to, uint32_t room, int32_t *reason);

#endif

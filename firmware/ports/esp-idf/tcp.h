/* A stream over TCP to one broker at a time, never blocking.
 *
 * - While a name is looked up, or there is no network, the link is opening; whoever waits for it says when that took too long, by tcp_close.
 * - A close is lwIP's: what was taken is still sent in the background, and what the peer says then is thrown away. */
#ifndef TWOBYTE_TCP_H
#define TWOBYTE_TCP_H

#include "link_news.h"
#include "lookup.h"

#include <poll.h>

typedef struct {
    Lookup *lookup; /* of the host, and which of its addresses */
    uint32_t number;
    bool looking; /* the address is not known yet */
    int socket;   /* -1: closed */
    bool opening;
    bool open;
    bool blocked;    /* bytes were refused: LINK_WRITABLE is owed */
    int32_t failure; /* REASON_… of a send that failed: LINK_CLOSED is owed, after what can still be read */
} Tcp;

void tcp_init(Tcp *tcp);

/* tcp_open(tcp, lookup, number): to address `number` of the host, counted round. */
int32_t tcp_open(Tcp *tcp, Lookup *lookup, uint32_t number);
int32_t tcp_send(Tcp *tcp, const uint8_t *data, int32_t length);
void tcp_close(Tcp *tcp);

/* tcp_wants(tcp, poll, room): what to wait for; bytes only when there is room for them. */
void tcp_wants(const Tcp *tcp, struct pollfd *poll, bool room);

/* tcp_news(tcp, poll): after poll; bytes that are readable are fetched with tcp_receive. */
LinkNews tcp_news(Tcp *tcp, const struct pollfd *poll);

/* tcp_receive(tcp, to, room, reason): bytes fetched, 0 when there are none; -1, with the reason, when the link is gone. */
int32_t tcp_receive(Tcp *tcp, uint8_t *to, uint32_t room, int32_t *reason);

#endif

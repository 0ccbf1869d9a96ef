/* The posix board's link: TCP to one broker at a time, never blocking.
 *
 * - The functions with a Tcp first are the imports' work; the others are for the loop that waits with poll(2).
 * - While a name is looked up (addresses.h) the link is opening; whoever waits for it says when that took too long, by tcp_close.
 * - What was sent before tcp_close still arrives: the sending half is shut, and what the peer says is thrown away until it is done
 *   or LINK_LINGER_MS are over. Closing at once would reset the connection when anything is unread, and lose what is on its way.
 * - No TLS, no WebSocket. */
#ifndef TWOBYTE_TCP_H
#define TWOBYTE_TCP_H

#include "addresses.h"
#include "link_news.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define TCP_POLLS 3

typedef struct {
    Lookup *lookup; /* of the host, and which of its addresses */
    uint32_t number;
    bool looking; /* the address is not known yet */
    int socket;   /* -1: closed */
    bool opening;
    bool open;
    bool blocked;    /* bytes were refused: LINK_WRITABLE is owed */
    int32_t failure; /* REASON_… of a send that failed: LINK_CLOSED is owed, after what can still be read */
    int lingering;   /* the socket closed before this one, -1: none */
    int64_t linger_until;
} Tcp;

void tcp_init(Tcp *tcp);

/* tcp_open(tcp, lookup, number): to address `number` of the host, counted round. */
int32_t tcp_open(Tcp *tcp, Lookup *lookup, uint32_t number);
int32_t tcp_send(Tcp *tcp, const uint8_t *data, int32_t length);
void tcp_close(Tcp *tcp, int64_t now);

/* tcp_wants(tcp, polls, room): what to wait for; bytes only when there is room for them. TCP_POLLS entries. */
void tcp_wants(const Tcp *tcp, struct pollfd *polls, bool room);

/* tcp_news(tcp, polls, now): after poll; bytes that are readable are fetched with tcp_receive. */
LinkNews tcp_news(Tcp *tcp, const struct pollfd *polls, int64_t now);

/* tcp_receive(tcp, to, room, reason): bytes fetched, 0 when there are none; -1, with the reason, when the link is gone. */
int32_t tcp_receive(Tcp *tcp, uint8_t *to, uint32_t room, int32_t *reason);

/* tcp_busy(tcp): whether a closed connection still sends its last bytes. */
bool tcp_busy(const Tcp *tcp);

#endif

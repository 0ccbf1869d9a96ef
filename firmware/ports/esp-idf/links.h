/* The board's links, of whichever kind the broker's address asks for: a stream over TCP or TLS, datagrams over UDP, or either of them over the line,
 * whose other end knows the broker.
 *
 * - Link 0 leads to the broker or gateway. Link 1 is where gateways are searched: over UDP, when the address asks for it.
 * - lwIP has functions tcp_… and udp_… of its own, Wi-Fi's supplicant tls_…: hence stream.h, datagrams.h, secure.h.
 * - One kind for the whole run. Of several brokers, and of the addresses of each, the one that held is tried again first, then the next ones in their order.
 * - The first functions are the imports' work; the others are for the loop. */
#ifndef TWOBYTE_LINKS_H
#define TWOBYTE_LINKS_H

#include "datagrams.h"
#include "secure.h"
#include "settings.h"
#include "stream.h"

#define LINKS 2
#define LINKS_POLLS DATAGRAMS_POLLS
/* A connection that lasted less, from its opening to the next, does not keep its broker. */
#define LINKS_KEPT_MS 60000

typedef enum { LINKS_TCP, LINKS_TLS, LINKS_UDP, LINKS_LINE_STREAM, LINKS_LINE_DATAGRAMS } LinksKind;

typedef struct {
    LinksKind kind;
    const Settings *settings;
    Lookup lookups[SETTINGS_SERVERS];
    uint32_t at;       /* which broker, counted on with each change */
    bool opened;       /* there was an opening, */
    int64_t opened_at; /* and when */
    union {
        Stream tcp;
        Secure tls;
        Datagrams udp;
    } of;
} Links;

/* links_init(links, settings, identity): all three stay where they are. */
void links_init(Links *links, const Settings *settings, const Identity *identity);

/* links_server(links): the broker that link 0 was opened to last, or would be first; NULL: it is at the line's other end. */
const Server *links_server(const Links *links);

/* links_count(links): 1, or 2 where gateways are searched. */
int32_t links_count(const Links *links);

int32_t links_open(Links *links, int32_t link, int32_t choice, int64_t now);
int32_t links_send(Links *links, int32_t link, const uint8_t *data, int32_t length);
void links_close(Links *links, int32_t link);
int32_t links_remember(Links *links, int32_t slot, const uint8_t *address, int32_t length);

/* links_wants(links, polls, room): what to wait for, and bytes only of a link with room for them. LINKS_POLLS entries, LINKS rooms. */
void links_wants(const Links *links, struct pollfd *polls, const bool *room);

/* links_wait(links, room, wait): the milliseconds that the loop may wait, at most `wait`. */
int64_t links_wait(const Links *links, const bool *room, int64_t wait);

/* links_news(links, link, polls): after the wait. Bytes that are readable are fetched with links_receive. */
LinkNews links_news(Links *links, int32_t link, const struct pollfd *polls);

/* links_receive(links, link, to, room, reason): bytes fetched, 0 when there are none; of a datagram its length, which may be over the room
 * that was written; -1, with the reason, when the link is gone. */
int32_t links_receive(Links *links, int32_t link, uint8_t *to, uint32_t room, int32_t *reason);

#endif

/* A stream over TCP to one broker at a time, never blocking.
 *
 * - While a name is looked up, or there is no network, the link is opening; whoever waits for it says when that took too long, by stream_close.
 * - A close is lwIP's: what was taken is still sent in the background, and what the peer says then is thrown away. */
#ifndef TWOBYTE_STREAM_H
#define TWOBYTE_STREAM_H

#include "link_news.h"
#include "lookup.h"

#include <sys/poll.h>

typedef struct {
    Lookup *lookup; /* of the host, and which of its addresses */
    uint32_t number;
    bool looking; /* the address is not known yet */
    int socket;   /* -1: closed */
    bool opening;
    bool open;
    bool blocked;    /* bytes were refused: LINK_WRITABLE is owed */
    int32_t failure; /* REASON_… of a send that failed: LINK_CLOSED is owed, after what can still be read */
} Stream;

void stream_init(Stream *stream);

/* stream_open(stream, lookup, number): to address `number` of the host, counted round. */
int32_t stream_open(Stream *stream, Lookup *lookup, uint32_t number);
int32_t stream_send(Stream *stream, const uint8_t *data, int32_t length);
void stream_close(Stream *stream);

/* stream_wants(stream, poll, room): what to wait for; bytes only when there is room for them. */
void stream_wants(const Stream *stream, struct pollfd *poll, bool room);

/* stream_news(stream, poll): after poll; bytes that are readable are fetched with stream_receive. */
LinkNews stream_news(Stream *stream, const struct pollfd *poll);

/* stream_receive(stream, to, room, reason): bytes fetched, 0 when there are none; -1, with the reason, when the link is gone. */
int32_t stream_receive(Stream *stream, uint8_t *to, uint32_t room, int32_t *reason);

#endif

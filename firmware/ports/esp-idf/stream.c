#include "stream.h"

#include "contract.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

void stream_init(Stream *stream) {
    *stream = (Stream){.socket = -1};
}

static void drop(Stream *stream) {
    if (stream->socket >= 0) (void)close(stream->socket);
    *stream = (Stream){.socket = -1, .lookup = stream->lookup, .number = stream->number};
}

static int32_t start_connecting(Stream *stream, const struct sockaddr_in *address) {
    int one = 1;
    stream->socket = link_socket(AF_INET, SOCK_STREAM);
    if (stream->socket < 0) return -link_reason(errno);
    /* A packet is handed over whole: waiting to fill a segment would only make it late. */
    (void)setsockopt(stream->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(stream->socket, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EINPROGRESS) {
        stream->opening = true; /* a socket that is connected already is writable, and told by the next poll */
        return 0;
    }
    int error = errno;
    drop(stream);
    return -link_reason(error);
}

/* Connects when the address is known. */
static int32_t go_on(Stream *stream) {
    struct sockaddr_in address;
    int32_t answer = lookup_take(stream->lookup, stream->number, &address);
    stream->looking = answer == LOOKUP_PENDING;
    if (stream->looking) return 0;
    return answer == 0 ? start_connecting(stream, &address) : answer;
}

int32_t stream_open(Stream *stream, Lookup *lookup, uint32_t number) {
    drop(stream);
    stream->lookup = lookup;
    stream->number = number;
    lookup_begin(lookup);
    return go_on(stream);
}

int32_t stream_send(Stream *stream, const uint8_t *data, int32_t length) {
    if (!stream->open || stream->failure) return stream->failure ? -stream->failure : 0;
    ssize_t sent = send(stream->socket, data, (size_t)length, MSG_NOSIGNAL);
    bool full = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM || errno == EINTR);
    if (sent < 0 && !full) {
        stream->failure = link_reason(errno);
        return -stream->failure;
    }
    if (sent < 0) sent = 0;
    if (sent < length) stream->blocked = true;
    return (int32_t)sent;
}

void stream_close(Stream *stream) {
    drop(stream);
}

void stream_wants(const Stream *stream, struct pollfd *poll, bool room) {
    short events = 0;
    if (stream->opening || stream->blocked) events |= POLLOUT;
    if (stream->open && room) events |= POLLIN;
    /* With nothing to wait for, poll would still report a hang-up again and again: then the socket is left out. */
    *poll = (struct pollfd){.fd = events ? stream->socket : -1, .events = events};
}

LinkNews stream_news(Stream *stream, const struct pollfd *poll) {
    if (stream->failure) return (LinkNews){.readable = true};
    if (stream->looking) {
        int32_t answer = go_on(stream);
        return answer < 0 ? (LinkNews){.what = LINK_CLOSED, .reason = -answer} : (LinkNews){.what = 0};
    }
    short happened = poll->fd >= 0 && poll->fd == stream->socket ? poll->revents : 0;
    if (stream->opening && happened) {
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(stream->socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        stream->opening = false;
        if (error) {
            drop(stream);
            return (LinkNews){.what = LINK_CLOSED, .reason = link_reason(error)};
        }
        stream->open = true;
        return (LinkNews){.what = LINK_OPENED};
    }
    if (stream->blocked && happened & POLLOUT) {
        stream->blocked = false;
        return (LinkNews){.what = LINK_WRITABLE}; /* what there is to read, the next poll tells again */
    }
    return (LinkNews){.readable = happened != 0};
}

int32_t stream_receive(Stream *stream, uint8_t *to, uint32_t room, int32_t *reason) {
    ssize_t count = recv(stream->socket, to, room, 0);
    if (count > 0) return (int32_t)count;
    bool waiting = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (waiting && !stream->failure) return 0;
    *reason = stream->failure ? stream->failure : count == 0 ? REASON_ENDED : link_reason(errno);
    drop(stream);
    return -1;
}

#include "tcp.h"

#include "contract.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

void tcp_init(Tcp *tcp) {
    *tcp = (Tcp){.socket = -1};
}

static void drop(Tcp *tcp) {
    if (tcp->socket >= 0) (void)close(tcp->socket);
    *tcp = (Tcp){.socket = -1, .lookup = tcp->lookup, .number = tcp->number};
}

static int32_t start_connecting(Tcp *tcp, const struct sockaddr_in *address) {
    int one = 1;
    tcp->socket = link_socket(AF_INET, SOCK_STREAM);
    if (tcp->socket < 0) return -link_reason(errno);
    /* A packet is handed over whole: waiting to fill a segment would only make it late. */
    (void)setsockopt(tcp->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(tcp->socket, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EINPROGRESS) {
        tcp->opening = true; /* a socket that is connected already is writable, and told by the next poll */
        return 0;
    }
    int error = errno;
    drop(tcp);
    return -link_reason(error);
}

/* Connects when the address is known. */
static int32_t go_on(Tcp *tcp) {
    struct sockaddr_in address;
    int32_t answer = lookup_take(tcp->lookup, tcp->number, &address);
    tcp->looking = answer == LOOKUP_PENDING;
    if (tcp->looking) return 0;
    return answer == 0 ? start_connecting(tcp, &address) : answer;
}

int32_t tcp_open(Tcp *tcp, Lookup *lookup, uint32_t number) {
    drop(tcp);
    tcp->lookup = lookup;
    tcp->number = number;
    lookup_begin(lookup);
    return go_on(tcp);
}

int32_t tcp_send(Tcp *tcp, const uint8_t *data, int32_t length) {
    if (!tcp->open || tcp->failure) return tcp->failure ? -tcp->failure : 0;
    ssize_t sent = send(tcp->socket, data, (size_t)length, MSG_NOSIGNAL);
    bool full = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM || errno == EINTR);
    if (sent < 0 && !full) {
        tcp->failure = link_reason(errno);
        return -tcp->failure;
    }
    if (sent < 0) sent = 0;
    if (sent < length) tcp->blocked = true;
    return (int32_t)sent;
}

void tcp_close(Tcp *tcp) {
    drop(tcp);
}

void tcp_wants(const Tcp *tcp, struct pollfd *poll, bool room) {
    short events = 0;
    if (tcp->opening || tcp->blocked) events |= POLLOUT;
    if (tcp->open && room) events |= POLLIN;
    /* With nothing to wait for, poll would still report a hang-up again and again: then the socket is left out. */
    *poll = (struct pollfd){.fd = events ? tcp->socket : -1, .events = events};
}

LinkNews tcp_news(Tcp *tcp, const struct pollfd *poll) {
    if (tcp->failure) return (LinkNews){.readable = true};
    if (tcp->looking) {
        int32_t answer = go_on(tcp);
        return answer < 0 ? (LinkNews){.what = LINK_CLOSED, .reason = -answer} : (LinkNews){.what = 0};
    }
    short happened = poll->fd >= 0 && poll->fd == tcp->socket ? poll->revents : 0;
    if (tcp->opening && happened) {
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(tcp->socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        tcp->opening = false;
        if (error) {
            drop(tcp);
            return (LinkNews){.what = LINK_CLOSED, .reason = link_reason(error)};
        }
        tcp->open = true;
        return (LinkNews){.what = LINK_OPENED};
    }
    if (tcp->blocked && happened & POLLOUT) {
        tcp->blocked = false;
        return (LinkNews){.what = LINK_WRITABLE}; /* what there is to read, the next poll tells again */
    }
    return (LinkNews){.readable = happened != 0};
}

int32_t tcp_receive(Tcp *tcp, uint8_t *to, uint32_t room, int32_t *reason) {
    ssize_t count = recv(tcp->socket, to, room, 0);
    if (count > 0) return (int32_t)count;
    bool waiting = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (waiting && !tcp->failure) return 0;
    *reason = tcp->failure ? tcp->failure : count == 0 ? REASON_ENDED : link_reason(errno);
    drop(tcp);
    return -1;
}

#include "tcp.h"

#include "contract.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void tcp_init(Tcp *tcp) {
    *tcp = (Tcp){.socket = -1, .lingering = -1};
}

static void drop(Tcp *tcp) {
    if (tcp->socket >= 0) (void)close(tcp->socket);
    tcp->socket = -1;
    tcp->looking = tcp->opening = tcp->open = tcp->blocked = false;
    tcp->failure = 0;
}

static int32_t start_connecting(Tcp *tcp, const HostAddress *address) {
    int one = 1;
    tcp->socket = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (tcp->socket < 0) return -link_reason(errno);
    /* A packet is handed over whole: waiting to fill a segment would only make it late. */
    (void)setsockopt(tcp->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(tcp->socket, (const struct sockaddr *)&address->at, address->length) == 0 || errno == EINPROGRESS) {
        tcp->opening = true; /* a socket that is connected already is writable, and told by the next poll */
        return 0;
    }
    int error = errno;
    drop(tcp);
    return -link_reason(error);
}

/* Connects when the address is known. */
static int32_t go_on(Tcp *tcp) {
    HostAddress address;
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
    ssize_t sent;
    do sent = send(tcp->socket, data, (size_t)length, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) {
        tcp->failure = link_reason(errno);
        return -tcp->failure;
    }
    if (sent < 0) sent = 0;
    if (sent < length) tcp->blocked = true;
    return (int32_t)sent;
}

static void end_lingering(Tcp *tcp) {
    if (tcp->lingering >= 0) (void)close(tcp->lingering);
    tcp->lingering = -1;
}

void tcp_close(Tcp *tcp, int64_t now) {
    if (tcp->open && !tcp->failure && shutdown(tcp->socket, SHUT_WR) == 0) {
        end_lingering(tcp);
        tcp->lingering = tcp->socket;
        tcp->linger_until = now + LINK_LINGER_MS;
        tcp->socket = -1;
    }
    drop(tcp);
}

void tcp_wants(const Tcp *tcp, struct pollfd *polls, bool room) {
    short events = 0;
    if (tcp->opening || tcp->blocked) events |= POLLOUT;
    if (tcp->open && room) events |= POLLIN;
    /* With nothing to wait for, poll would still report a hang-up again and again: then the socket is left out. */
    polls[0] = (struct pollfd){.fd = events ? tcp->socket : -1, .events = events};
    polls[1] = (struct pollfd){.fd = tcp->lingering, .events = POLLIN};
    polls[2] = (struct pollfd){.fd = tcp->looking ? tcp->lookup->told : -1, .events = POLLIN};
}

/* Throws away what the peer of a closed connection still says. One piece a turn: the end comes with its last one or in time. */
static void linger(Tcp *tcp, short happened, int64_t now) {
    char piece[1024];
    if (tcp->lingering < 0) return;
    ssize_t count = happened ? recv(tcp->lingering, piece, sizeof piece, 0) : 1;
    bool waiting = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
    if (!waiting || now >= tcp->linger_until) end_lingering(tcp);
}

LinkNews tcp_news(Tcp *tcp, const struct pollfd *polls, int64_t now) {
    linger(tcp, polls[1].revents, now);
    if (tcp->failure) return (LinkNews){.readable = true};
    if (tcp->looking) {
        int32_t answer = polls[2].revents ? go_on(tcp) : 0;
        return answer < 0 ? (LinkNews){.what = LINK_CLOSED, .reason = -answer} : (LinkNews){.what = 0};
    }
    short happened = polls[0].fd >= 0 && polls[0].fd == tcp->socket ? polls[0].revents : 0;
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

bool tcp_busy(const Tcp *tcp) {
    return tcp->lingering >= 0;
}

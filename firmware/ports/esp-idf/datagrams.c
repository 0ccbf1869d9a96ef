#include "datagrams.h"

#include "contract.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { TO_GATEWAY, TO_SEARCH };

static const int on = 1;

static const struct sockaddr *any(const struct sockaddr_in *address) {
    return (const struct sockaddr *)address;
}

static bool is_multicast(const struct sockaddr_in *address) {
    return IN_MULTICAST(ntohl(address->sin_addr.s_addr));
}

/* Of the last address of a network nobody but its router knows it; all boards' access points have networks of 24 bits or say otherwise by ?search. */
static bool is_shared(const struct sockaddr_in *address) {
    return is_multicast(address) || (ntohl(address->sin_addr.s_addr) & 0xff) == 0xff;
}

void datagrams_init(Datagrams *udp, bool search) {
    *udp = (Datagrams){.search = search, .shared = -1};
    for (int link = 0; link < DATAGRAMS_LINKS; link++) udp->links[link].socket = -1;
}

static void drop_socket(int *socket) {
    if (*socket >= 0) (void)close(*socket);
    *socket = -1;
}

static void drop(Datagrams *udp, int32_t link) {
    drop_socket(&udp->links[link].socket);
    udp->links[link] = (DatagramLink){.socket = -1};
    if (link == TO_SEARCH) drop_socket(&udp->shared);
}

static bool open_gateway(Datagrams *udp, const struct sockaddr_in *address) {
    DatagramLink *link = &udp->links[TO_GATEWAY];
    link->socket = link_socket(AF_INET, SOCK_DGRAM);
    return link->socket >= 0 && connect(link->socket, any(address), sizeof *address) == 0;
}

/* A port of our own for searches. */
static bool open_searching(Datagrams *udp) {
    DatagramLink *link = &udp->links[TO_SEARCH];
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    link->socket = link_socket(AF_INET, SOCK_DGRAM);
    if (link->socket < 0 || setsockopt(link->socket, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0) return false;
    if (bind(link->socket, any(&own), sizeof own) != 0 || getsockname(link->socket, (struct sockaddr *)&own, &length) != 0) return false;
    udp->own = own.sin_port;
    return true;
}

/* The port that all boards and gateways of the network share. */
static bool open_shared(Datagrams *udp) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = udp->searched.sin_port};
    struct ip_mreq wish = {.imr_multiaddr = udp->searched.sin_addr};
    udp->shared = link_socket(AF_INET, SOCK_DGRAM);
    if (udp->shared < 0 || setsockopt(udp->shared, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return false;
    if (bind(udp->shared, any(&own), sizeof own) != 0) return false;
    return !is_multicast(&udp->searched) || setsockopt(udp->shared, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wish, sizeof wish) == 0;
}

static bool open_search(Datagrams *udp, const struct sockaddr_in *address) {
    udp->searched = *address;
    return open_searching(udp) && (!is_shared(address) || open_shared(udp));
}

static int32_t open_at(Datagrams *udp, int32_t link, const struct sockaddr_in *address) {
    bool open = link == TO_GATEWAY ? open_gateway(udp, address) : open_search(udp, address);
    int32_t answer = open ? 0 : -link_reason(errno);
    if (open) udp->links[link].opening = true;
    else drop(udp, link);
    return answer;
}

/* Opens the link when its address is known. */
static int32_t go_on(Datagrams *udp, int32_t link) {
    struct sockaddr_in address;
    int32_t answer = lookup_take(udp->lookup, udp->number, &address);
    udp->links[link].looking = answer == LOOKUP_PENDING;
    if (answer != 0) return answer < 0 ? answer : 0;
    return open_at(udp, link, &address);
}

int32_t datagrams_open(Datagrams *udp, int32_t link, Lookup *lookup, uint32_t choice) {
    if (link != TO_GATEWAY && !(link == TO_SEARCH && udp->search)) return -REASON_ADDRESS;
    drop(udp, link);
    if (link == TO_GATEWAY && udp->search) {
        bool known = choice < DATAGRAMS_GATEWAYS && udp->gateways[choice].sin_port != 0;
        return known ? open_at(udp, link, &udp->gateways[choice]) : -REASON_ADDRESS;
    }
    udp->lookup = lookup;
    udp->number = choice;
    lookup_begin(lookup);
    return go_on(udp, link);
}

int32_t datagrams_send(Datagrams *udp, int32_t number, const uint8_t *data, int32_t length) {
    if (number < 0 || number >= DATAGRAMS_LINKS) return -REASON_ADDRESS;
    DatagramLink *link = &udp->links[number];
    if (link->socket < 0 || link->opening || link->failure) return link->failure ? -link->failure : 0;
    const struct sockaddr_in *to = number == TO_SEARCH ? &udp->searched : NULL;
    ssize_t sent = sendto(link->socket, data, (size_t)length, 0, to ? any(to) : NULL, to ? sizeof *to : 0);
    /* The interface's queue is full: the network lost it. The socket is writable all the same, waiting for that would wait for nothing. */
    if (sent >= 0 || errno == ENOBUFS || errno == ENOMEM) return length;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        link->blocked = true;
        return 0;
    }
    link->failure = link_reason(errno);
    return -link->failure;
}

void datagrams_close(Datagrams *udp, int32_t link) {
    if (link >= 0 && link < DATAGRAMS_LINKS) drop(udp, link);
}

/* GwAdd of a GWINFO: IPv4, a big-endian port behind it or none (SN 5.4.3 leaves the form to the network). */
static bool read_address(const Datagrams *udp, const uint8_t *bytes, int32_t length, struct sockaddr_in *to) {
    if (length != 4 && length != 6) return false;
    *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = udp->searched.sin_port};
    memcpy(&to->sin_addr, bytes, 4);
    if (length == 6) memcpy(&to->sin_port, bytes + 4, 2);
    return to->sin_port != 0 && !is_multicast(to) && to->sin_addr.s_addr != INADDR_ANY && to->sin_addr.s_addr != INADDR_BROADCAST;
}

int32_t datagrams_remember(Datagrams *udp, int32_t slot, const uint8_t *address, int32_t length) {
    struct sockaddr_in gateway = udp->sender;
    if (!udp->search || slot < 0 || slot >= DATAGRAMS_GATEWAYS) return -REASON_ADDRESS;
    if (length != 0 && !read_address(udp, address, length, &gateway)) return -REASON_ADDRESS;
    if (gateway.sin_port == 0) return -REASON_ADDRESS;
    udp->gateways[slot] = gateway;
    return 0;
}

void datagrams_wants(const Datagrams *udp, struct pollfd *polls, const bool *room) {
    for (int i = 0; i < DATAGRAMS_LINKS; i++) {
        const DatagramLink *link = &udp->links[i];
        short events = (short)((link->blocked ? POLLOUT : 0) | (room[i] ? POLLIN : 0));
        /* With nothing to wait for, poll would still report an error again and again: then the socket is left out. */
        polls[i] = (struct pollfd){.fd = events ? link->socket : -1, .events = events};
    }
    polls[DATAGRAMS_LINKS] = (struct pollfd){.fd = room[TO_SEARCH] ? udp->shared : -1, .events = POLLIN};
}

bool datagrams_due(const Datagrams *udp) {
    for (int i = 0; i < DATAGRAMS_LINKS; i++) {
        if (udp->links[i].opening || udp->links[i].failure) return true;
    }
    return false;
}

LinkNews datagrams_news(Datagrams *udp, int32_t number, const struct pollfd *polls) {
    DatagramLink *link = &udp->links[number];
    if (link->looking) {
        int32_t answer = go_on(udp, number);
        if (answer < 0) return (LinkNews){.what = LINK_CLOSED, .reason = -answer};
    }
    if (link->socket < 0) return (LinkNews){.what = 0};
    if (link->opening) {
        link->opening = false;
        return (LinkNews){.what = LINK_OPENED};
    }
    if (link->failure) return (LinkNews){.readable = true};
    short happened = polls[number].fd == link->socket ? polls[number].revents : 0;
    if (link->blocked && happened & POLLOUT) {
        link->blocked = false;
        return (LinkNews){.what = LINK_WRITABLE}; /* what there is to read, the next poll tells again */
    }
    bool shared = number == TO_SEARCH && polls[DATAGRAMS_LINKS].fd >= 0 && polls[DATAGRAMS_LINKS].revents;
    return (LinkNews){.readable = happened != 0 || shared};
}

/* As datagrams_receive, of one socket; -1 with errno. */
static int32_t take(Datagrams *udp, int socket, uint8_t *to, uint32_t room) {
    struct sockaddr_in sender = {.sin_port = 0};
    socklen_t length = sizeof sender;
    ssize_t count = recvfrom(socket, udp->datagram, sizeof udp->datagram, 0, (struct sockaddr *)&sender, &length);
    if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
    if (sender.sin_port == udp->own && udp->search) return 0; /* our own search */
    if (count > 0) udp->sender = sender;
    memcpy(to, udp->datagram, (size_t)count < room ? (size_t)count : room);
    return (int32_t)count;
}

int32_t datagrams_receive(Datagrams *udp, int32_t number, uint8_t *to, uint32_t room, int32_t *reason) {
    DatagramLink *link = &udp->links[number];
    int32_t count = 0;
    if (link->socket < 0 || (room == 0 && !link->failure)) return 0;
    if (room && !link->failure) {
        count = take(udp, link->socket, to, room);
        if (count == 0 && number == TO_SEARCH && udp->shared >= 0) count = take(udp, udp->shared, to, room);
        if (count >= 0) return count;
        link->failure = link_reason(errno);
    }
    *reason = link->failure;
    drop(udp, number);
    return -1;
}

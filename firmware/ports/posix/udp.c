#include "udp.h"

#include "contract.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { TO_GATEWAY, TO_SEARCH };

static const int on = 1;

static bool is_v6(const UdpAddress *address) {
    return address->at.any.sa_family == AF_INET6;
}

static in_port_t *port_of(UdpAddress *address) {
    return is_v6(address) ? &address->at.v6.sin6_port : &address->at.v4.sin_port;
}

static bool is_multicast(const UdpAddress *address) {
    return is_v6(address) ? IN6_IS_ADDR_MULTICAST(&address->at.v6.sin6_addr) : IN_MULTICAST(ntohl(address->at.v4.sin_addr.s_addr));
}

static bool is_same(const UdpAddress *one, const UdpAddress *other) {
    if (one->length == 0 || one->at.any.sa_family != other->at.any.sa_family) return false;
    if (!is_v6(one)) return one->at.v4.sin_port == other->at.v4.sin_port && one->at.v4.sin_addr.s_addr == other->at.v4.sin_addr.s_addr;
    return one->at.v6.sin6_port == other->at.v6.sin6_port && IN6_ARE_ADDR_EQUAL(&one->at.v6.sin6_addr, &other->at.v6.sin6_addr);
}

void udp_init(Udp *udp, bool search) {
    *udp = (Udp){.search = search, .shared = -1};
    for (int link = 0; link < UDP_LINKS; link++) udp->links[link].socket = -1;
}

static void drop_socket(int *socket) {
    if (*socket >= 0) (void)close(*socket);
    *socket = -1;
}

static void drop(Udp *udp, int32_t link) {
    drop_socket(&udp->links[link].socket);
    udp->links[link] = (UdpLink){.socket = -1};
    if (link == TO_SEARCH) drop_socket(&udp->shared);
}

static int new_socket(const UdpAddress *address) {
    return socket(address->at.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int32_t open_gateway(Udp *udp, const UdpAddress *address) {
    UdpLink *link = &udp->links[TO_GATEWAY];
    link->socket = new_socket(address);
    return link->socket >= 0 && connect(link->socket, &address->at.any, address->length) == 0 ? 0 : -link_reason(errno);
}

/* Whether the searched address is a broadcast one, which only the kernel knows: it forbids an unprepared socket to connect there. The
 * same socket tells which address our searches come from. False when there is no way there at all. */
static bool find_own(Udp *udp, bool *broadcast) {
    int probe = new_socket(&udp->searched);
    udp->own = (UdpAddress){.length = sizeof udp->own.at};
    bool found = probe >= 0 && connect(probe, &udp->searched.at.any, udp->searched.length) == 0;
    *broadcast = probe >= 0 && !found && errno == EACCES;
    if (*broadcast) {
        found = setsockopt(probe, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 &&
                connect(probe, &udp->searched.at.any, udp->searched.length) == 0;
    }
    found = found && getsockname(probe, &udp->own.at.any, &udp->own.length) == 0;
    int error = errno;
    drop_socket(&probe);
    errno = error;
    return found;
}

/* A port of our own for searches. */
static bool open_searching(Udp *udp) {
    UdpLink *link = &udp->links[TO_SEARCH];
    UdpAddress any = {.length = udp->searched.length};
    any.at.any.sa_family = udp->searched.at.any.sa_family; /* all zero: any address, any port */
    link->socket = new_socket(&udp->searched);
    if (link->socket < 0) return false;
    if (setsockopt(link->socket, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0) return false;
    if (bind(link->socket, &any.at.any, any.length) != 0 || getsockname(link->socket, &any.at.any, &any.length) != 0) return false;
    *port_of(&udp->own) = *port_of(&any);
    return true;
}

static bool join(const Udp *udp) {
    const UdpAddress *group = &udp->searched;
    if (is_v6(group)) {
        struct ipv6_mreq wish = {.ipv6mr_multiaddr = group->at.v6.sin6_addr, .ipv6mr_interface = group->at.v6.sin6_scope_id};
        return setsockopt(udp->shared, IPPROTO_IPV6, IPV6_JOIN_GROUP, &wish, sizeof wish) == 0;
    }
    struct ip_mreqn wish = {.imr_multiaddr = group->at.v4.sin_addr};
    return setsockopt(udp->shared, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wish, sizeof wish) == 0;
}

/* The port that all boards and gateways of the network share. */
static bool open_shared(Udp *udp) {
    udp->shared = new_socket(&udp->searched);
    if (udp->shared < 0 || setsockopt(udp->shared, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return false;
    if (bind(udp->shared, &udp->searched.at.any, udp->searched.length) == 0) return !is_multicast(&udp->searched) || join(udp);
    int error = errno;
    if (error != EADDRINUSE && error != EACCES) return false;
    drop_socket(&udp->shared);
    if (!udp->said) {
        udp->words = error == EACCES ? "the port of the searched address needs privileges: gateways that advertise themselves are not heard"
                                     : "another program has the port of the searched address for itself: gateways that advertise "
                                       "themselves are not heard; it has to set SO_REUSEADDR";
    }
    udp->said = true;
    return true;
}

static int32_t open_search(Udp *udp, const UdpAddress *address) {
    bool broadcast;
    udp->searched = *address;
    bool open = find_own(udp, &broadcast) && open_searching(udp) && (!(broadcast || is_multicast(&udp->searched)) || open_shared(udp));
    return open ? 0 : -link_reason(errno);
}

static int32_t open_at(Udp *udp, int32_t link, const UdpAddress *address) {
    int32_t answer = link == TO_GATEWAY ? open_gateway(udp, address) : open_search(udp, address);
    if (answer == 0) udp->links[link].opening = true;
    else drop(udp, link);
    return answer;
}

/* Opens the link when its address is known. */
static int32_t go_on(Udp *udp, int32_t link) {
    HostAddress found;
    UdpAddress address = {.length = 0};
    int32_t answer = lookup_take(udp->lookup, udp->number, &found);
    udp->links[link].looking = answer == LOOKUP_PENDING;
    if (answer != 0) return answer < 0 ? answer : 0;
    if (found.length > sizeof address.at) return -REASON_NAME;
    address.length = found.length;
    memcpy(&address.at, &found.at, found.length);
    return open_at(udp, link, &address);
}

int32_t udp_open(Udp *udp, int32_t link, Lookup *lookup, uint32_t choice) {
    if (link != TO_GATEWAY && !(link == TO_SEARCH && udp->search)) return -REASON_ADDRESS;
    drop(udp, link);
    if (link == TO_GATEWAY && udp->search) {
        bool known = choice < UDP_GATEWAYS && udp->gateways[choice].length != 0;
        return known ? open_at(udp, link, &udp->gateways[choice]) : -REASON_ADDRESS;
    }
    udp->lookup = lookup;
    udp->number = choice;
    lookup_begin(lookup);
    return go_on(udp, link);
}

int32_t udp_send(Udp *udp, int32_t number, const uint8_t *data, int32_t length) {
    if (number < 0 || number >= UDP_LINKS) return -REASON_ADDRESS;
    UdpLink *link = &udp->links[number];
    const UdpAddress *to = number == TO_SEARCH ? &udp->searched : &(UdpAddress){.length = 0};
    if (link->socket < 0 || link->opening || link->failure) return link->failure ? -link->failure : 0;
    ssize_t sent;
    do sent = sendto(link->socket, data, (size_t)length, MSG_NOSIGNAL, to->length ? &to->at.any : NULL, to->length);
    while (sent < 0 && errno == EINTR);
    /* The interface's queue is full: the network lost it. The socket is writable all the same, waiting for that would wait for nothing. */
    if (sent >= 0 || errno == ENOBUFS) return length;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        link->blocked = true;
        return 0;
    }
    link->failure = link_reason(errno);
    return -link->failure;
}

void udp_close(Udp *udp, int32_t link) {
    if (link >= 0 && link < UDP_LINKS) drop(udp, link);
}

/* GwAdd of a GWINFO: IPv4 or IPv6, a big-endian port behind it or none (SN 5.4.3 leaves the form to the network). */
static bool read_address(const Udp *udp, const uint8_t *bytes, int32_t length, UdpAddress *to) {
    UdpAddress searched = udp->searched;
    in_port_t port = *port_of(&searched);
    int32_t size = length >= 16 ? 16 : 4;
    if (length != size && length != size + 2) return false;
    if (length > size) memcpy(&port, bytes + size, sizeof port);
    if (size == 4) {
        *to = (UdpAddress){.at.v4 = {.sin_family = AF_INET, .sin_port = port}, .length = sizeof to->at.v4};
        memcpy(&to->at.v4.sin_addr, bytes, 4);
        if (to->at.v4.sin_addr.s_addr == INADDR_ANY || to->at.v4.sin_addr.s_addr == INADDR_BROADCAST) return false;
    } else {
        *to = (UdpAddress){.at.v6 = {.sin6_family = AF_INET6, .sin6_port = port}, .length = sizeof to->at.v6};
        memcpy(&to->at.v6.sin6_addr, bytes, 16);
        if (IN6_IS_ADDR_UNSPECIFIED(&to->at.v6.sin6_addr)) return false;
        /* A link-local address means the link on which it was told. */
        if (IN6_IS_ADDR_LINKLOCAL(&to->at.v6.sin6_addr) && is_v6(&udp->sender)) to->at.v6.sin6_scope_id = udp->sender.at.v6.sin6_scope_id;
    }
    return port != 0 && !is_multicast(to);
}

int32_t udp_remember(Udp *udp, int32_t slot, const uint8_t *address, int32_t length) {
    UdpAddress gateway = udp->sender;
    if (!udp->search || slot < 0 || slot >= UDP_GATEWAYS) return -REASON_ADDRESS;
    if (length != 0 && !read_address(udp, address, length, &gateway)) return -REASON_ADDRESS;
    if (gateway.length == 0) return -REASON_ADDRESS;
    udp->gateways[slot] = gateway;
    return 0;
}

void udp_wants(const Udp *udp, struct pollfd *polls, const bool *room) {
    for (int i = 0; i < UDP_LINKS; i++) {
        const UdpLink *link = &udp->links[i];
        short events = (short)((link->blocked ? POLLOUT : 0) | (room[i] ? POLLIN : 0));
        /* With nothing to wait for, poll would still report an error again and again: then the socket is left out. */
        polls[i] = (struct pollfd){.fd = events ? link->socket : -1, .events = events};
    }
    polls[UDP_LINKS] = (struct pollfd){.fd = room[TO_SEARCH] ? udp->shared : -1, .events = POLLIN};
    bool looking = udp->links[TO_GATEWAY].looking || udp->links[TO_SEARCH].looking;
    polls[UDP_LINKS + 1] = (struct pollfd){.fd = looking ? udp->lookup->told : -1, .events = POLLIN};
}

bool udp_due(const Udp *udp, int32_t link) {
    return udp->links[link].opening || udp->links[link].failure;
}

LinkNews udp_news(Udp *udp, int32_t number, const struct pollfd *polls) {
    UdpLink *link = &udp->links[number];
    if (link->looking && polls[UDP_LINKS + 1].revents) {
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
    if (number == TO_SEARCH && polls[UDP_LINKS].fd >= 0 && polls[UDP_LINKS].revents) return (LinkNews){.readable = true};
    return (LinkNews){.readable = happened != 0};
}

/* As udp_receive, of one socket; -1 with errno. */
static int32_t take(Udp *udp, int socket, uint8_t *to, uint32_t room) {
    UdpAddress sender = {.length = sizeof sender.at};
    ssize_t count = recvfrom(socket, to, room, MSG_TRUNC, &sender.at.any, &sender.length);
    if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
    if (is_same(&udp->own, &sender)) return 0; /* our own search */
    if (count > 0) udp->sender = sender;
    return (int32_t)count;
}

int32_t udp_receive(Udp *udp, int32_t number, uint8_t *to, uint32_t room, int32_t *reason) {
    UdpLink *link = &udp->links[number];
    int32_t count = 0;
    if (link->socket < 0 || (room == 0 && !link->failure)) return 0;
    /* Twice: the first call may answer a refusal that came for a datagram sent before, and what arrived until then lies behind it. */
    for (int tries = 0; room && tries < 2; tries++) {
        count = take(udp, link->socket, to, room);
        if (count == 0 && number == TO_SEARCH && udp->shared >= 0) count = take(udp, udp->shared, to, room);
        if (count >= 0) break;
        if (!link->failure) link->failure = link_reason(errno);
    }
    if (count > 0) return count;
    if (!link->failure) return 0;
    *reason = link->failure;
    drop(udp, number);
    return -1;
}

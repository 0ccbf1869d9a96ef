#include "links.h"

#include "brokers.h"
#include "contract.h"
#include "wire.h"

static bool is_on_line(const Links *links) {
    return links->kind == LINKS_LINE_STREAM || links->kind == LINKS_LINE_DATAGRAMS;
}

static LinksKind kind_of(const Settings *settings) {
    switch (settings->carrier) {
    case CARRIER_LINE_STREAM:
        return LINKS_LINE_STREAM;
    case CARRIER_LINE_DATAGRAMS:
    case CARRIER_SERIAL:
        return LINKS_LINE_DATAGRAMS;
    case CARRIER_UDP:
        return LINKS_UDP;
    case CARRIER_TCP:
        break;
    }
    return brokers_secure(settings) ? LINKS_TLS : LINKS_TCP;
}

void links_init(Links *links, const Settings *settings, const Identity *identity) {
    *links = (Links){.kind = kind_of(settings), .settings = settings};
    for (uint32_t i = 0; i < settings->server_count && !is_on_line(links); i++) {
        const Server *server = &settings->servers[i];
        lookup_init(&links->lookups[i], server->host, server->port, links->kind == LINKS_UDP ? SOCK_DGRAM : SOCK_STREAM);
    }
    if (links->kind == LINKS_TCP) stream_init(&links->of.tcp);
    if (links->kind == LINKS_TLS) secure_init(&links->of.tls, identity);
    if (links->kind == LINKS_UDP) datagrams_init(&links->of.udp, settings->search);
}

const Server *links_server(const Links *links) {
    return is_on_line(links) ? NULL : &links->settings->servers[links->at % links->settings->server_count];
}

/* Which broker is opened now: the one that was, when the connection to it lasted; else the next. */
static void choose(Links *links, int32_t choice, int64_t now) {
    if (links->opened && (choice > 0 || now - links->opened_at < LINKS_KEPT_MS)) links->at++;
    links->opened = true;
    links->opened_at = now;
}

int32_t links_count(const Links *links) {
    return links->kind == LINKS_UDP && links->of.udp.search ? 2 : 1;
}

static bool is_there(const Links *links, int32_t link) {
    return link >= 0 && link < links_count(links);
}

int32_t links_open(Links *links, int32_t link, int32_t choice, int64_t now) {
    if (!is_there(links, link)) return -REASON_ADDRESS;
    const Settings *settings = links->settings;
    if (is_on_line(links)) return line_open(wire_line(), links->kind == LINKS_LINE_STREAM ? LINE_STREAM : LINE_DATAGRAMS, choice);
    if (settings->search) return datagrams_open(&links->of.udp, link, &links->lookups[0], (uint32_t)choice);
    choose(links, choice, now);
    Lookup *lookup = &links->lookups[links->at % settings->server_count];
    uint32_t address = links->at / settings->server_count;
    if (links->kind == LINKS_TCP) return stream_open(&links->of.tcp, lookup, address);
    if (links->kind == LINKS_TLS) return secure_open(&links->of.tls, lookup, address, links_server(links)->host);
    return datagrams_open(&links->of.udp, link, lookup, address);
}

int32_t links_send(Links *links, int32_t link, const uint8_t *data, int32_t length) {
    if (!is_there(links, link)) return -REASON_ADDRESS;
    if (is_on_line(links)) return line_send(wire_line(), data, length);
    if (links->kind == LINKS_TCP) return stream_send(&links->of.tcp, data, length);
    if (links->kind == LINKS_TLS) return secure_send(&links->of.tls, data, length);
    return datagrams_send(&links->of.udp, link, data, length);
}

void links_close(Links *links, int32_t link) {
    if (!is_there(links, link)) return;
    if (is_on_line(links)) line_close(wire_line());
    else if (links->kind == LINKS_TCP) stream_close(&links->of.tcp);
    else if (links->kind == LINKS_TLS) secure_close(&links->of.tls);
    else datagrams_close(&links->of.udp, link);
}

int32_t links_remember(Links *links, int32_t slot, const uint8_t *address, int32_t length) {
    return links->kind == LINKS_UDP ? datagrams_remember(&links->of.udp, slot, address, length) : -REASON_ADDRESS;
}

void links_wants(const Links *links, struct pollfd *polls, const bool *room) {
    for (int i = 0; i < LINKS_POLLS; i++) polls[i] = (struct pollfd){.fd = -1};
    if (links->kind == LINKS_TCP) stream_wants(&links->of.tcp, polls, room[0]);
    if (links->kind == LINKS_TLS) secure_wants(&links->of.tls, polls, room[0]);
    if (links->kind == LINKS_UDP) datagrams_wants(&links->of.udp, polls, room);
}

/* The lookup that a link waits for, or NULL. */
static Lookup *looked_up(const Links *links) {
    const Stream *tcp = links->kind == LINKS_TLS ? &links->of.tls.tcp : &links->of.tcp;
    if (links->kind == LINKS_TCP || links->kind == LINKS_TLS) return tcp->looking ? tcp->lookup : NULL;
    bool looking = links->kind == LINKS_UDP && (links->of.udp.links[0].looking || links->of.udp.links[1].looking);
    return looking ? links->of.udp.lookup : NULL;
}

int64_t links_wait(const Links *links, const bool *room, int64_t wait) {
    Lookup *lookup = looked_up(links);
    if (lookup && lookup_is_answered(lookup)) return 0; /* what told of it may have ended another wait */
    if (links->kind == LINKS_TCP && links->of.tcp.failure) return 0;
    if (links->kind == LINKS_UDP && datagrams_due(&links->of.udp)) return 0;
    return links->kind == LINKS_TLS ? secure_wait(&links->of.tls, room[0], wait) : wait;
}

LinkNews links_news(Links *links, int32_t link, const struct pollfd *polls) {
    if (is_on_line(links)) {
        LineNews news = line_news(wire_line());
        return (LinkNews){.what = news.what, .reason = news.reason, .readable = news.readable};
    }
    if (links->kind == LINKS_TCP) return stream_news(&links->of.tcp, polls);
    if (links->kind == LINKS_TLS) return secure_news(&links->of.tls, polls);
    return datagrams_news(&links->of.udp, link, polls);
}

int32_t links_receive(Links *links, int32_t link, uint8_t *to, uint32_t room, int32_t *reason) {
    if (is_on_line(links)) return (int32_t)line_receive(wire_line(), to, room);
    /* Without room, a read of nothing would look like the end; a link that failed is over all the same. */
    if (links->kind == LINKS_TCP) return room || links->of.tcp.failure ? stream_receive(&links->of.tcp, to, room, reason) : 0;
    if (links->kind == LINKS_TLS) return secure_receive(&links->of.tls, to, room, reason);
    return datagrams_receive(&links->of.udp, link, to, room, reason);
}

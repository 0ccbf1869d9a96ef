#include "links.h"

#include "contract.h"

_Static_assert(LINKS_POLLS >= TCP_POLLS && LINKS_POLLS >= UDP_POLLS, "a carrier waits for more than there are places");
_Static_assert(LINKS == UDP_LINKS, "udp.h opens as many links as there are");

void links_init(Links *links, const Settings *settings, Line *line) {
    links->carrier = settings->carrier;
    links->settings = settings;
    links->at = 0;
    links->opened = false;
    for (uint32_t i = 0; i < settings->server_count && (links->carrier == CARRIER_TCP || links->carrier == CARRIER_UDP); i++) {
        const Server *server = &settings->servers[i];
        lookup_init(&links->lookups[i], server->host, server->port, links->carrier == CARRIER_TCP ? SOCK_STREAM : SOCK_DGRAM);
    }
    switch (links->carrier) {
    case CARRIER_TCP:
        tcp_init(&links->of.tcp);
        break;
    case CARRIER_UDP:
        udp_init(&links->of.udp, settings->search);
        break;
    case CARRIER_SERIAL:
        serial_init(&links->of.serial, settings->servers[0].path, settings->servers[0].baud);
        break;
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        links->of.line = line;
        break;
    }
}

const Server *links_server(const Links *links) {
    return &links->settings->servers[links->at % links->settings->server_count];
}

/* Which broker is opened now: the one that was, when the connection to it lasted; else the next. */
static void choose(Links *links, int32_t choice, int64_t now) {
    if (links->opened && (choice > 0 || now - links->opened_at < LINKS_KEPT_MS)) links->at++;
    links->opened = true;
    links->opened_at = now;
}

int32_t links_count(const Links *links) {
    return links->carrier == CARRIER_UDP && links->of.udp.search ? 2 : 1;
}

static bool is_there(const Links *links, int32_t link) {
    return link >= 0 && link < links_count(links);
}

int32_t links_open(Links *links, int32_t link, int32_t choice, int64_t now) {
    if (!is_there(links, link)) return -REASON_ADDRESS;
    const Settings *settings = links->settings;
    if (settings->search) return udp_open(&links->of.udp, link, &links->lookups[0], (uint32_t)choice);
    choose(links, choice, now);
    Lookup *lookup = &links->lookups[links->at % settings->server_count];
    uint32_t address = links->at / settings->server_count;
    switch (links->carrier) {
    case CARRIER_TCP:
        return tcp_open(&links->of.tcp, lookup, address);
    case CARRIER_UDP:
        return udp_open(&links->of.udp, link, lookup, address);
    case CARRIER_SERIAL:
        serial_at(&links->of.serial, links_server(links)->path, links_server(links)->baud);
        return serial_open(&links->of.serial);
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        return line_open(links->of.line, links->carrier == CARRIER_LINE_STREAM ? LINE_STREAM : LINE_DATAGRAMS, choice);
    }
    return -REASON_ADDRESS;
}

int32_t links_send(Links *links, int32_t link, const uint8_t *data, int32_t length) {
    if (!is_there(links, link)) return -REASON_ADDRESS;
    switch (links->carrier) {
    case CARRIER_TCP:
        return tcp_send(&links->of.tcp, data, length);
    case CARRIER_UDP:
        return udp_send(&links->of.udp, link, data, length);
    case CARRIER_SERIAL:
        return serial_send(&links->of.serial, data, length);
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        return line_send(links->of.line, data, length);
    }
    return -REASON_ADDRESS;
}

void links_close(Links *links, int32_t link, int64_t now) {
    if (!is_there(links, link)) return;
    switch (links->carrier) {
    case CARRIER_TCP:
        tcp_close(&links->of.tcp, now);
        break;
    case CARRIER_UDP:
        udp_close(&links->of.udp, link);
        break;
    case CARRIER_SERIAL:
        serial_close(&links->of.serial, now);
        break;
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        line_close(links->of.line);
        break;
    }
}

int32_t links_remember(Links *links, int32_t slot, const uint8_t *address, int32_t length) {
    return links->carrier == CARRIER_UDP ? udp_remember(&links->of.udp, slot, address, length) : -REASON_ADDRESS;
}

void links_wants(const Links *links, struct pollfd *polls, const bool *room) {
    for (int i = 0; i < LINKS_POLLS; i++) polls[i] = (struct pollfd){.fd = -1};
    switch (links->carrier) {
    case CARRIER_TCP:
        tcp_wants(&links->of.tcp, polls, room[0]);
        break;
    case CARRIER_UDP:
        udp_wants(&links->of.udp, polls, room);
        break;
    case CARRIER_SERIAL:
        serial_wants(&links->of.serial, polls, room[0]);
        break;
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        break; /* host_line_wants */
    }
}

int64_t links_wait(const Links *links, const bool *room, int64_t wait) {
    bool due = false;
    int64_t busy = LINK_LINGER_MS;
    switch (links->carrier) {
    case CARRIER_TCP:
        due = links->of.tcp.failure != 0;
        break;
    case CARRIER_UDP:
        due = udp_due(&links->of.udp, 0) || udp_due(&links->of.udp, 1);
        break;
    case CARRIER_SERIAL:
        due = serial_due(&links->of.serial, room[0]);
        busy = SERIAL_DRAIN_MS;
        break;
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        due = line_due(links->of.line, room[0]);
        busy = wait; /* host_line_wait */
        break;
    }
    if (due) return 0;
    return links_busy(links) && wait > busy ? busy : wait;
}

static LinkNews line_link_news(Line *line) {
    LineNews news = line_news(line);
    return (LinkNews){.what = news.what, .reason = news.reason, .readable = news.readable};
}

LinkNews links_news(Links *links, int32_t link, const struct pollfd *polls, int64_t now) {
    switch (links->carrier) {
    case CARRIER_TCP:
        return tcp_news(&links->of.tcp, polls, now);
    case CARRIER_UDP:
        return udp_news(&links->of.udp, link, polls);
    case CARRIER_SERIAL:
        return serial_news(&links->of.serial, polls, now);
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        return line_link_news(links->of.line);
    }
    return (LinkNews){.what = 0};
}

int32_t links_receive(Links *links, int32_t link, uint8_t *to, uint32_t room, int32_t *reason) {
    switch (links->carrier) {
    case CARRIER_TCP:
        /* Without room, a read of nothing would look like the end; a link that failed is over all the same. */
        return room || links->of.tcp.failure ? tcp_receive(&links->of.tcp, to, room, reason) : 0;
    case CARRIER_UDP:
        return udp_receive(&links->of.udp, link, to, room, reason);
    case CARRIER_SERIAL:
        return serial_receive(&links->of.serial, to, room, reason);
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        return (int32_t)line_receive(links->of.line, to, room);
    }
    return 0;
}

bool links_busy(const Links *links) {
    switch (links->carrier) {
    case CARRIER_TCP:
        return tcp_busy(&links->of.tcp);
    case CARRIER_SERIAL:
        return serial_busy(&links->of.serial);
    case CARRIER_UDP: /* what was sent is the system's, whatever becomes of the socket */
        break;
    case CARRIER_LINE_STREAM:
    case CARRIER_LINE_DATAGRAMS:
        return links->of.line->state == LINE_CLOSING;
    }
    return false;
}

const char *links_words(Links *links) {
    const char *words = NULL;
    if (links->carrier == CARRIER_UDP) {
        words = links->of.udp.words;
        links->of.udp.words = NULL;
    } else if (links->carrier == CARRIER_SERIAL && links->of.serial.complains) {
        words = links->of.serial.words;
        links->of.serial.complains = false;
    }
    return words;
}

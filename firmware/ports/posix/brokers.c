#include "contract.h"
#include "settings_file.h"
#include "terminal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* An address as it may be shown: without what stands before an @, and without a port that is none, which is a password whose @ is missing. */
static const char *shown(const char *url) {
    static char text[160];
    const char *scheme = strstr(url, "://");
    int begin = scheme && scheme - url < 20 ? (int)(scheme - url) + 3 : 0;
    const char *at = strrchr(url, '@');
    if (at) {
        (void)snprintf(text, sizeof text, "%.*s…%.100s", begin, url, at);
        return text;
    }
    const char *host = url + begin;
    const char *closed = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = strpbrk(closed ? closed : host, ":/?#");
    if (colon && *colon == ':' && !strchr("/?#", colon[1 + strspn(colon + 1, "0123456789")])) {
        (void)snprintf(text, sizeof text, "%.*s…", (int)(colon + 1 - url > 120 ? 120 : colon + 1 - url), url);
    } else (void)snprintf(text, sizeof text, "%.100s", url);
    return text;
}

/* Whether an address of this kind can only mean a search: multicast, or the limited broadcast. Another broadcast address cannot be told
 * from a host's, hence ?search. */
static bool is_search(const char *host) {
    struct in_addr v4;
    struct in6_addr v6;
    char address[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET, host, &v4) == 1) return IN_MULTICAST(ntohl(v4.s_addr)) || v4.s_addr == INADDR_BROADCAST;
    size_t length = strcspn(host, "%"); /* the zone is not part of it */
    if (length >= sizeof address) return false;
    memcpy(address, host, length);
    address[length] = 0;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_MULTICAST(&v6);
}

/* host[:port] or [address][:port] behind a scheme, up to `rest`. */
static bool read_host(Settings *settings, const char *url, const char *host, const char *port, const char **rest, const char *where,
                      uint32_t line) {
    Server *server = &settings->servers[settings->server_count];
    const char *end;
    size_t digits = strlen(port);
    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end) return settings_refuse(settings, where, line, "broker", "\"%.100s\": the [ is not closed", shown(url));
        *rest = end + 1;
    } else {
        *rest = end = host + strcspn(host, ":/?#");
    }
    size_t length = (size_t)(end - host);
    if (length == 0) return settings_refuse(settings, where, line, "broker", "\"%.100s\" names no host", shown(url));
    if (length >= sizeof server->host) return settings_refuse(settings, where, line, "broker", "the host name has over 255 bytes");
    if (**rest == ':') {
        port = *rest + 1;
        digits = strspn(port, "0123456789");
        *rest = port + digits;
        int32_t number = 0;
        bool over = strchr("/?#", **rest) != NULL; /* also at the end of the text */
        if (!over || digits > 5 || !settings_whole_number(port, (uint32_t)digits, &number) || number < 1 || number > 65535) {
            return settings_refuse(settings, where, line, "broker", "\"%.100s\": the port is a number from 1 to 65535", shown(url));
        }
    }
    memcpy(server->host, host, length);
    server->host[length] = 0;
    memcpy(server->port, port, digits);
    server->port[digits] = 0;
    return true;
}

static bool read_tcp(Settings *settings, const char *url, const char *host, const char *where, uint32_t line) {
    const char *rest;
    if (strchr(host, '@')) {
        return settings_refuse(settings, where, line, "broker", "credentials do not belong in the address; use the keys username and password");
    }
    if (!read_host(settings, url, host, "1883", &rest, where, line)) return false;
    if (strcmp(rest, "") != 0 && strcmp(rest, "/") != 0) {
        return settings_refuse(settings, where, line, "broker", "\"%.100s\": \"%.40s\" is too much; write mqtt://host:port", shown(url), rest);
    }
    return true;
}

static bool read_udp(Settings *settings, const char *url, const char *host, const char *where, uint32_t line) {
    Server *server = &settings->servers[settings->server_count];
    const char *rest;
    if (strchr(host, '@')) {
        return settings_refuse(settings, where, line, "broker", "MQTT-SN has neither user name nor password; leave them out of the address");
    }
    if (!read_host(settings, url, host, "1884", &rest, where, line)) return false;
    bool asked = strcmp(rest, "?search") == 0;
    if (*rest && !asked) {
        return settings_refuse(settings, where, line, "broker",
                      "\"%.100s\": \"%.40s\" is too much; write mqtt-sn://host:port or mqtt-sn://host:port?search", shown(url), rest);
    }
    if (asked || is_search(server->host)) settings->search = true;
    return true;
}

static bool read_serial(Settings *settings, const char *url, const char *path, const char *where, uint32_t line) {
    Server *server = &settings->servers[settings->server_count];
    static const char baud[] = "?baud=";
    size_t length = strcspn(path, "?");
    const char *rest = path + length;
    int32_t number = 115200;
    if (*path != '/' || length < 2) {
        return settings_refuse(settings, where, line, "broker",
                      "\"%.100s\": a serial line is named by an absolute path; write mqtt-sn+serial:///dev/ttyUSB0", shown(url));
    }
    if (length >= sizeof server->path) return settings_refuse(settings, where, line, "broker", "the path has over 255 bytes");
    if (*rest && strncmp(rest, baud, sizeof baud - 1) != 0) {
        return settings_refuse(settings, where, line, "broker",
                      "\"%.100s\": \"%.40s\" is too much; write mqtt-sn+serial:///dev/ttyUSB0?baud=115200", shown(url), rest);
    }
    if (*rest) {
        const char *digits = rest + sizeof baud - 1;
        if (!settings_whole_number(digits, (uint32_t)strlen(digits), &number) || number < 0 || !terminal_speed((uint32_t)number)) {
            return settings_refuse(settings, where, line, "broker", "\"%.100s\": the baud rate \"%.20s\" is none of " TERMINAL_BAUDS, shown(url), digits);
        }
    }
    memcpy(server->path, path, length);
    server->path[length] = 0;
    server->baud = (uint32_t)number;
    return true;
}

/* What stands behind // is for people: the host at the other end of the console's line leads to a broker. */
static bool read_line(Settings *settings, const char *url, const char *name, const char *where, uint32_t line) {
    (void)url;
    (void)name;
    if (!settings->server_count) return true;
    return settings_refuse(settings, where, line, "broker", "the bridge at the other end of the line picks among its brokers; leave one address");
}

/* Takes one address more. */
static bool read_broker(Settings *settings, const char *url, const char *where, uint32_t line) {
    static const struct {
        const char *scheme;
        Carrier carrier;
        bool (*read)(Settings *settings, const char *url, const char *host, const char *where, uint32_t line);
    } schemes[] = {
        {"mqtt://", CARRIER_TCP, read_tcp},
        {"mqtt-sn://", CARRIER_UDP, read_udp},
        {"mqtt-sn+serial://", CARRIER_SERIAL, read_serial},
        {"mqtt+line://", CARRIER_LINE_STREAM, read_line},
        {"mqtt-sn+line://", CARRIER_LINE_DATAGRAMS, read_line},
    };
    const char *colon = strstr(url, "://");
    if (!colon) {
        return settings_refuse(settings, where, line, "broker",
                      "\"%.100s\" is no address; write mqtt://host, mqtt://host:port, mqtt-sn://host:port or "
                      "mqtt-sn+serial:///dev/ttyUSB0",
                      shown(url));
    }
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i].scheme);
        if (strncmp(url, schemes[i].scheme, length) != 0) continue;
        if (settings->server_count && settings->carrier != schemes[i].carrier) {
            return settings_refuse(settings, where, line, "broker", "\"%.100s\" is of another kind than the address before it; all are of one", shown(url));
        }
        settings->carrier = schemes[i].carrier;
        if (!schemes[i].read(settings, url, url + length, where, line)) return false;
        settings->server_count++;
        return true;
    }
    return settings_refuse(settings, where, line, "broker",
                  "this board has neither TLS nor WebSocket: it speaks mqtt:// (plain TCP), mqtt-sn:// (UDP) and mqtt-sn+serial:// only, not "
                  "%.*s://; the virtual rung speaks both: npm start -- --rung virtual --broker %.100s",
                  settings_shown_word(url, (size_t)(colon - url)), url, shown(url));
}

bool settings_brokers(Settings *settings, const char *urls, const char *where, uint32_t line) {
    char url[400];
    settings->server_count = 0;
    settings->search = false;
    do {
        urls += strspn(urls, " \t\r");
        size_t length = strcspn(urls, " \t\r");
        if (settings->server_count == SETTINGS_SERVERS) {
            return settings_refuse(settings, where, line, "broker", "\"%.100s\" is one address too many; there may be %d", shown(urls), SETTINGS_SERVERS);
        }
        if (length >= sizeof url) return settings_refuse(settings, where, line, "broker", "\"%.60s…\" is too long for an address", urls);
        memcpy(url, urls, length);
        url[length] = 0;
        if (!read_broker(settings, url, where, line)) return false;
        if (settings->search && settings->server_count > 1) {
            return settings_refuse(settings, where, line, "broker", "where gateways are searched, there is no other address; leave one of them out");
        }
        urls += length;
    } while (urls[strspn(urls, " \t\r")]);
    return true;
}

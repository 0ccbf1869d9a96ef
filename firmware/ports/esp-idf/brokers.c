#include "brokers.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *scheme;
    Carrier carrier;
    bool secure;
    const char *port;
} Scheme;

static const Scheme schemes[] = {
    {"mqtt://", CARRIER_TCP, false, "1883"},
    {"mqtts://", CARRIER_TCP, true, "8883"},
    {"mqtt-sn://", CARRIER_UDP, false, "1884"},
    {"mqtt+line://", CARRIER_LINE_STREAM, false, ""},
    {"mqtt-sn+line://", CARRIER_LINE_DATAGRAMS, false, ""},
};

static const Scheme *scheme_of(const char *url) {
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0) return &schemes[i];
    }
    return NULL;
}

bool brokers_secure(const Settings *settings) {
    const char *text = settings->values[SETTING_BROKER].text;
    const Scheme *scheme = text ? scheme_of(text + strspn(text, " \t\r")) : NULL;
    return scheme && scheme->secure;
}

/* Multicast, or the limited broadcast, which can only mean a search. */
static bool is_search(const char *host) {
    long first = strtol(host, NULL, 10);
    return strspn(host, "0123456789.") == strlen(host) && ((first >= 224 && first <= 239) || strcmp(host, "255.255.255.255") == 0);
}

/* host[:port][?search] behind the scheme. What is refused is not shown: it may be a password in the wrong place. */
static bool read_server(Settings *settings, const Scheme *scheme, const char *rest, const char *where, uint32_t line) {
    Server *server = &settings->servers[settings->server_count];
    if (strchr(rest, '@')) {
        return settings_refuse(settings, where, line, "broker", "credentials do not belong in the address; use the keys username and password");
    }
    size_t length = strcspn(rest, ":/?#");
    if (length == 0) return settings_refuse(settings, where, line, "broker", "the address names no host; write %shost:%s", scheme->scheme, scheme->port);
    if (length >= sizeof server->host) return settings_refuse(settings, where, line, "broker", "the host name is too long");
    memcpy(server->host, rest, length);
    server->host[length] = 0;
    rest += length;
    size_t digits = strlen(scheme->port);
    const char *port = scheme->port;
    if (*rest == ':') {
        int32_t number = 0;
        port = rest + 1;
        digits = strspn(port, "0123456789");
        if (digits > 5 || !settings_whole_number(port, (uint32_t)digits, &number) || number < 1 || number > 65535) {
            return settings_refuse(settings, where, line, "broker", "the port behind the host is a number from 1 to 65535");
        }
        rest = port + digits;
    }
    memcpy(server->port, port, digits);
    server->port[digits] = 0;
    bool asked = scheme->carrier == CARRIER_UDP && strcmp(rest, "?search") == 0;
    if (*rest && strcmp(rest, "/") != 0 && !asked) {
        return settings_refuse(settings, where, line, "broker", "what stands behind host and port is too much; write %shost:%s", scheme->scheme, scheme->port);
    }
    if (scheme->carrier == CARRIER_UDP && (asked || is_search(server->host))) settings->search = true;
    return true;
}

/* Takes one address more. `first` is the scheme of those before, or NULL. */
static bool read_broker(Settings *settings, const char *url, const Scheme **first, const char *where, uint32_t line) {
    const Scheme *scheme = scheme_of(url);
    if (!scheme) {
        return settings_refuse(settings, where, line, "broker",
                               "this board takes mqtt://, mqtts://, mqtt-sn://, mqtt+line:// and mqtt-sn+line://; \"%.*s\" is none of them",
                               settings_shown_word(url, strcspn(url, ":")), url);
    }
    if (*first && *first != scheme) return settings_refuse(settings, where, line, "broker", "all addresses are of one kind");
    *first = scheme;
    settings->carrier = scheme->carrier;
    bool by_line = scheme->carrier == CARRIER_LINE_STREAM || scheme->carrier == CARRIER_LINE_DATAGRAMS;
    if (!by_line && !read_server(settings, scheme, url + strlen(scheme->scheme), where, line)) return false;
    settings->server_count++;
    return true;
}

bool settings_brokers(Settings *settings, const char *urls, const char *where, uint32_t line) {
    char url[SETTINGS_NAME_BYTES + 32];
    const Scheme *first = NULL;
    settings->server_count = 0;
    settings->search = false;
    do {
        urls += strspn(urls, " \t\r");
        size_t length = strcspn(urls, " \t\r");
        if (settings->server_count == SETTINGS_SERVERS) {
            return settings_refuse(settings, where, line, "broker", "there may be %d addresses", SETTINGS_SERVERS);
        }
        if (length >= sizeof url) return settings_refuse(settings, where, line, "broker", "an address is too long");
        memcpy(url, urls, length);
        url[length] = 0;
        if (!read_broker(settings, url, &first, where, line)) return false;
        urls += length;
    } while (urls[strspn(urls, " \t\r")]);
    if (settings->search && settings->server_count > 1) {
        return settings_refuse(settings, where, line, "broker", "where gateways are searched, there is no other address; leave one of them out");
    }
    return true;
}

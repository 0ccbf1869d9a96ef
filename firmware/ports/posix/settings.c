#include "settings.h"

#include "contract.h"
#include "serial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const key_names[SETTING_COUNT] = {
#define NAME(number, name) [number] = name,
    CONFIG_NAMES(NAME)
#undef NAME
        [SETTING_BROKER] = "broker",
    [SETTING_THERMOMETER] = "thermometer",
    [SETTING_MODULE] = "module",
    [SETTING_JOURNAL] = "journal",
};

/* Keys that the module reads with config_number. */
static bool is_number(int key) {
    switch (key) {
    case CONFIG_WILL_QOS:
    case CONFIG_WILL_RETAIN:
    case CONFIG_KEEP_ALIVE:
    case CONFIG_CLEAN_SESSION:
    case CONFIG_RECONNECT_MIN:
    case CONFIG_RECONNECT_MAX:
    case CONFIG_CONNECT_TIMEOUT:
    case CONFIG_REPLY_TIMEOUT:
    case CONFIG_QOS:
    case CONFIG_RETAIN:
    case CONFIG_INTERVAL:
    case CONFIG_SENSOR:
    case CONFIG_MAX_INFLIGHT:
    case CONFIG_RETRY_INTERVAL:
    case CONFIG_RETRIES:
    case CONFIG_CONGESTION_WAIT:
    case CONFIG_SEARCH_DELAY:
    case CONFIG_MISSED_ADVERTISEMENTS:
    case CONFIG_SLEEP:
    case CONFIG_BUFFER:
    case CONFIG_BUFFER_POLICY:
        return true;
    default:
        return false;
    }
}

/* Keys that follow from others: from the broker's address, and that there is a journal from the board's own key of that name. */
static bool is_derived(int key) {
    return key == CONFIG_PROTOCOL || key == CONFIG_DISCOVERY || key == CONFIG_JOURNAL;
}

/* Bytes of text that may be shown: a word of letters, digits and _-+. at its beginning. What follows, after a colon or a blank in place of the
 * equals sign, may be a password. */
static int shown_word(const char *text, size_t length) {
    size_t at = 0;
    while (at < length && at < 60 && ((text[at] && strchr("_-+.", text[at])) || (text[at] >= '0' && text[at] <= '9') ||
                                      (text[at] >= 'A' && text[at] <= 'Z') || (text[at] >= 'a' && text[at] <= 'z'))) {
        at++;
    }
    return (int)at;
}

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

__attribute__((format(printf, 5, 6))) static bool refuse(Settings *settings, const char *where, uint32_t line, const char *key,
                                                         const char *format, ...) {
    size_t size = sizeof settings->error;
    char *error = settings->error;
    int at = line ? snprintf(error, size, "%.200s:%u: ", where, (unsigned)line) : snprintf(error, size, "%.200s: ", where);
    if (key[0] && at >= 0) at += snprintf(error + at, size - (size_t)at, "%.60s: ", key);
    va_list arguments;
    va_start(arguments, format);
    if (at >= 0) (void)vsnprintf(error + at, size - (size_t)at, format, arguments);
    va_end(arguments);
    return false;
}

/* All keys in one line, for the message that refuses an unknown one. */
static void list_keys(char *to, size_t capacity) {
    size_t at = 0;
    for (int key = SETTING_COUNT - 1; key >= 0; key--) {
        if (!key_names[key] || is_derived(key)) continue;
        int written = snprintf(to + at, capacity - at, "%s%s", at ? ", " : "", key_names[key]);
        if (written < 0 || (size_t)written >= capacity - at) return;
        at += (size_t)written;
    }
}

static bool read_number(const char *text, uint32_t length, int32_t *number) {
    uint32_t at = text[0] == '-' ? 1 : 0;
    if (at == length || length - at > 10) return false;
    int64_t value = 0;
    for (; at < length; at++) {
        if (text[at] < '0' || text[at] > '9') return false;
        value = value * 10 + (text[at] - '0');
    }
    if (text[0] == '-') value = -value;
    if (value < INT32_MIN || value > INT32_MAX) return false;
    *number = (int32_t)value;
    return true;
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
        if (!end) return refuse(settings, where, line, "broker", "\"%.100s\": the [ is not closed", shown(url));
        *rest = end + 1;
    } else {
        *rest = end = host + strcspn(host, ":/?#");
    }
    size_t length = (size_t)(end - host);
    if (length == 0) return refuse(settings, where, line, "broker", "\"%.100s\" names no host", shown(url));
    if (length >= sizeof server->host) return refuse(settings, where, line, "broker", "the host name has over 255 bytes");
    if (**rest == ':') {
        port = *rest + 1;
        digits = strspn(port, "0123456789");
        *rest = port + digits;
        int32_t number = 0;
        bool over = strchr("/?#", **rest) != NULL; /* also at the end of the text */
        if (!over || digits > 5 || !read_number(port, (uint32_t)digits, &number) || number < 1 || number > 65535) {
            return refuse(settings, where, line, "broker", "\"%.100s\": the port is a number from 1 to 65535", shown(url));
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
        return refuse(settings, where, line, "broker", "credentials do not belong in the address; use the keys username and password");
    }
    if (!read_host(settings, url, host, "1883", &rest, where, line)) return false;
    if (strcmp(rest, "") != 0 && strcmp(rest, "/") != 0) {
        return refuse(settings, where, line, "broker", "\"%.100s\": \"%.40s\" is too much; write mqtt://host:port", shown(url), rest);
    }
    return true;
}

static bool read_udp(Settings *settings, const char *url, const char *host, const char *where, uint32_t line) {
    Server *server = &settings->servers[settings->server_count];
    const char *rest;
    if (strchr(host, '@')) {
        return refuse(settings, where, line, "broker", "MQTT-SN has neither user name nor password; leave them out of the address");
    }
    if (!read_host(settings, url, host, "1884", &rest, where, line)) return false;
    bool asked = strcmp(rest, "?search") == 0;
    if (*rest && !asked) {
        return refuse(settings, where, line, "broker",
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
        return refuse(settings, where, line, "broker",
                      "\"%.100s\": a serial line is named by an absolute path; write mqtt-sn+serial:///dev/ttyUSB0", shown(url));
    }
    if (length >= sizeof server->path) return refuse(settings, where, line, "broker", "the path has over 255 bytes");
    if (*rest && strncmp(rest, baud, sizeof baud - 1) != 0) {
        return refuse(settings, where, line, "broker",
                      "\"%.100s\": \"%.40s\" is too much; write mqtt-sn+serial:///dev/ttyUSB0?baud=115200", shown(url), rest);
    }
    if (*rest) {
        const char *digits = rest + sizeof baud - 1;
        if (!read_number(digits, (uint32_t)strlen(digits), &number) || number < 0 || !serial_speed((uint32_t)number)) {
            return refuse(settings, where, line, "broker", "\"%.100s\": the baud rate \"%.20s\" is none of " SERIAL_BAUDS, shown(url), digits);
        }
    }
    memcpy(server->path, path, length);
    server->path[length] = 0;
    server->baud = (uint32_t)number;
    return true;
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
    };
    const char *colon = strstr(url, "://");
    if (!colon) {
        return refuse(settings, where, line, "broker",
                      "\"%.100s\" is no address; write mqtt://host, mqtt://host:port, mqtt-sn://host:port or "
                      "mqtt-sn+serial:///dev/ttyUSB0",
                      shown(url));
    }
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i].scheme);
        if (strncmp(url, schemes[i].scheme, length) != 0) continue;
        if (settings->server_count && settings->carrier != schemes[i].carrier) {
            return refuse(settings, where, line, "broker", "\"%.100s\" is of another kind than the address before it; all are of one", shown(url));
        }
        settings->carrier = schemes[i].carrier;
        if (!schemes[i].read(settings, url, url + length, where, line)) return false;
        settings->server_count++;
        return true;
    }
    return refuse(settings, where, line, "broker",
                  "this board has neither TLS nor WebSocket: it speaks mqtt:// (plain TCP), mqtt-sn:// (UDP) and mqtt-sn+serial:// only, not "
                  "%.*s://; the virtual rung speaks both: npm start -- --rung virtual --broker %.100s",
                  shown_word(url, (size_t)(colon - url)), url, shown(url));
}

/* The addresses of the value, blanks between them. */
static bool read_brokers(Settings *settings, const char *urls, const char *where, uint32_t line) {
    char url[400];
    settings->server_count = 0;
    settings->search = false;
    do {
        urls += strspn(urls, " \t\r");
        size_t length = strcspn(urls, " \t\r");
        if (settings->server_count == SETTINGS_SERVERS) {
            return refuse(settings, where, line, "broker", "\"%.100s\" is one address too many; there may be %d", shown(urls), SETTINGS_SERVERS);
        }
        if (length >= sizeof url) return refuse(settings, where, line, "broker", "\"%.60s…\" is too long for an address", urls);
        memcpy(url, urls, length);
        url[length] = 0;
        if (!read_broker(settings, url, where, line)) return false;
        if (settings->search && settings->server_count > 1) {
            return refuse(settings, where, line, "broker", "where gateways are searched, there is no other address; leave one of them out");
        }
        urls += length;
    } while (urls[strspn(urls, " \t\r")]);
    return true;
}

bool settings_set(Settings *settings, const char *key, const char *value, uint32_t length, const char *where, uint32_t line) {
    int index = SETTING_COUNT - 1; /* the board's own keys come first */
    while (index >= 0 && !(key_names[index] && strcmp(key_names[index], key) == 0)) index--;
    if (index < 0) {
        char keys[800];
        char word[64];
        list_keys(keys, sizeof keys);
        int length_shown = shown_word(key, strlen(key));
        (void)snprintf(word, sizeof word, "%.*s%s", length_shown, key, key[length_shown] ? "…" : "");
        return refuse(settings, where, line, word, "no such key; the keys are %s", keys);
    }
    if (is_derived(index)) {
        return refuse(settings, where, line, key,
                      "follows from the broker's address and is not set: mqtt:// is MQTT, mqtt-sn:// MQTT-SN, with ?search or a multicast "
                      "address gateways are searched");
    }
    Setting *setting = &settings->values[index];
    if (line && setting->line) return refuse(settings, where, line, key, "given before, in line %u", (unsigned)setting->line);
    if (memchr(value, 0, length)) return refuse(settings, where, line, key, "holds a NUL byte");
    if (length >= SETTINGS_BYTES - settings->used) {
        return refuse(settings, where, line, key, "the settings have over %d bytes together; shorten them", SETTINGS_BYTES);
    }
    char *text = settings->bytes + settings->used;
    memcpy(text, value, length);
    text[length] = 0;
    int32_t number = 0;
    if (is_number(index) && !read_number(text, length, &number)) {
        return refuse(settings, where, line, key, "\"%.60s\" is not a whole number", text);
    }
    if (index >= SETTINGS_CONFIG_KEYS && length == 0) return refuse(settings, where, line, key, "is empty");
    if (index == SETTING_BROKER && !read_brokers(settings, text, where, line)) return false;
    settings->used += length + 1;
    *setting = (Setting){.text = text, .length = length, .number = number, .line = line};
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **text, const char **end) {
    while (*text < *end && is_blank(**text)) ++*text;
    while (*end > *text && is_blank((*end)[-1])) --*end;
}

static bool read_line(Settings *settings, const char *path, uint32_t line, const char *text, const char *end) {
    trim(&text, &end);
    if (text == end || *text == '#') return true;
    const char *equals = memchr(text, '=', (size_t)(end - text));
    if (!equals) {
        int word = shown_word(text, (size_t)(end - text));
        return refuse(settings, path, line, "", "\"%.*s%s\" is not of the form key = value", word, text, text + word < end ? "…" : "");
    }
    const char *value = equals + 1;
    trim(&value, &end);
    trim(&text, &equals);
    char key[64];
    size_t length = (size_t)(equals - text);
    if (length >= sizeof key) length = sizeof key - 1;
    memcpy(key, text, length);
    key[length] = 0;
    if (end - value >= 1 && *value == '"') {
        if (end - value < 2 || end[-1] != '"') return refuse(settings, path, line, key, "the quotation mark is not closed");
        value++;
        end--;
    }
    return settings_set(settings, key, value, (uint32_t)(end - value), path, line);
}

bool settings_read(Settings *settings, const char *path, const char *text, uint32_t length) {
    const char *end = text + length;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3; /* some editors put a byte order mark there */
    for (uint32_t line = 1; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        if (!read_line(settings, path, line, text, stop)) return false;
        text = newline ? newline + 1 : end;
    }
    for (int key = 0; key < SETTING_COUNT; key++) settings->values[key].line = 0; /* a further file may replace what this one said */
    return true;
}

bool settings_load(Settings *settings, const char *path) {
    static char text[SETTINGS_FILE_BYTES + 1];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return refuse(settings, path, 0, "", "cannot be read: %s", strerror(errno));
    size_t length = 0;
    ssize_t count;
    do {
        count = read(file, text + length, sizeof text - length);
        if (count > 0) length += (size_t)count;
    } while (length < sizeof text && (count > 0 || (count < 0 && errno == EINTR)));
    int fault = count < 0 ? errno : 0;
    struct stat status;
    if (fstat(file, &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH))) settings->exposed = true;
    (void)close(file);
    if (fault) return refuse(settings, path, 0, "", "cannot be read: %s", strerror(fault));
    if (length == sizeof text) return refuse(settings, path, 0, "", "has over %d bytes", SETTINGS_FILE_BYTES);
    return settings_read(settings, path, text, (uint32_t)length);
}

bool settings_complete(Settings *settings) {
    static const struct {
        int key;
        const char *example;
    } needed[] = {
        {SETTING_BROKER, "mqtt://127.0.0.1:1883 or mqtt-sn://127.0.0.1:1884"},
        {SETTING_THERMOMETER, "thermal, hwmon, replay:FILE or simulated:SEED"},
        {SETTING_MODULE, "build/sensor-mqtt.wasm"},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const char *name = key_names[needed[i].key];
        if (settings->values[needed[i].key].text) continue;
        return refuse(settings, name, 0, "", "is not set; give --%s (%s) or the key %s in a --config file", name, needed[i].example, name);
    }
    return true;
}

static const Setting *find(const Settings *settings, int32_t key) {
    if (key < 0 || key >= SETTINGS_CONFIG_KEYS) return NULL; /* the board's own keys are not the module's business */
    return settings->values[key].text ? &settings->values[key] : NULL;
}

int32_t settings_text(const Settings *settings, int32_t key, uint8_t *to, int32_t capacity) {
    const Setting *setting = find(settings, key);
    if (!setting) return -1;
    if ((int32_t)setting->length <= capacity) memcpy(to, setting->text, setting->length);
    return (int32_t)setting->length;
}

int32_t settings_number(const Settings *settings, int32_t key, int32_t otherwise) {
    bool addressed = settings->values[SETTING_BROKER].text != NULL;
    if (addressed && key == CONFIG_PROTOCOL) return settings->carrier == CARRIER_TCP ? 0 : 1;
    if (addressed && key == CONFIG_DISCOVERY) return settings->search ? 1 : 0;
    if (key == CONFIG_JOURNAL) return settings->values[SETTING_JOURNAL].text ? 1 : 0;
    const Setting *setting = find(settings, key);
    return setting && is_number(key) ? setting->number : otherwise;
}

const char *settings_key(int32_t key) {
    return key > 0 && key < SETTINGS_CONFIG_KEYS && key_names[key] ? key_names[key] : "?";
}

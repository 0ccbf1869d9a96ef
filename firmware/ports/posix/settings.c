#include "settings.h"

#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const key_names[SETTING_COUNT] = {
#define NAME(number, name) [number] = name,
    CONFIG_NAMES(NAME)
#undef NAME
        [SETTING_BROKER] = "broker",
    [SETTING_THERMOMETER] = "thermometer",
    [SETTING_MODULE] = "module",
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
    case CONFIG_PROTOCOL:
    case CONFIG_DISCOVERY:
    case CONFIG_RETRY_INTERVAL:
    case CONFIG_RETRIES:
    case CONFIG_CONGESTION_WAIT:
    case CONFIG_SEARCH_DELAY:
    case CONFIG_MISSED_ADVERTISEMENTS:
    case CONFIG_SLEEP:
        return true;
    default:
        return false;
    }
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
        if (!key_names[key]) continue;
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

/* mqtt://host[:port], mqtt://[address][:port] */
static bool read_broker(Settings *settings, const char *url, const char *where, uint32_t line) {
    static const char scheme[] = "mqtt://";
    const char *colon = strstr(url, "://");
    if (!colon) return refuse(settings, where, line, "broker", "\"%.100s\" is no address; write mqtt://host or mqtt://host:port", url);
    if (strncmp(url, scheme, sizeof scheme - 1) != 0) {
        return refuse(settings, where, line, "broker",
                      "this board speaks mqtt:// (plain TCP) only, not %.*s://; the virtual rung speaks TLS and WebSocket: "
                      "npm start -- --rung virtual --broker %.100s",
                      (int)(colon - url < 20 ? colon - url : 20), url, url);
    }
    const char *host = url + sizeof scheme - 1;
    const char *end;
    const char *rest;
    if (strchr(host, '@')) {
        return refuse(settings, where, line, "broker", "credentials do not belong in the address; use the keys username and password");
    }
    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end) return refuse(settings, where, line, "broker", "\"%.100s\": the [ is not closed", url);
        rest = end + 1;
    } else {
        rest = end = host + strcspn(host, ":/?#");
    }
    size_t length = (size_t)(end - host);
    if (length == 0) return refuse(settings, where, line, "broker", "\"%.100s\" names no host", url);
    if (length >= sizeof settings->host) return refuse(settings, where, line, "broker", "the host name has over 255 bytes");

    const char *port = "1883";
    size_t digits = 4;
    if (*rest == ':') {
        port = rest + 1;
        digits = strspn(port, "0123456789");
        rest = port + digits;
        int32_t number = 0;
        if (digits > 5 || !read_number(port, (uint32_t)digits, &number) || number < 1 || number > 65535) {
            return refuse(settings, where, line, "broker", "\"%.100s\": the port is a number from 1 to 65535", url);
        }
    }
    if (strcmp(rest, "") != 0 && strcmp(rest, "/") != 0) {
        return refuse(settings, where, line, "broker", "\"%.100s\": \"%.40s\" is too much; write mqtt://host:port", url, rest);
    }
    memcpy(settings->host, host, length);
    settings->host[length] = 0;
    memcpy(settings->port, port, digits);
    settings->port[digits] = 0;
    return true;
}

bool settings_set(Settings *settings, const char *key, const char *value, uint32_t length, const char *where, uint32_t line) {
    int index = 0;
    while (index < SETTING_COUNT && !(key_names[index] && strcmp(key_names[index], key) == 0)) index++;
    if (index == SETTING_COUNT) {
        char keys[800];
        list_keys(keys, sizeof keys);
        return refuse(settings, where, line, key, "no such key; the keys are %s", keys);
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
    if (index == SETTING_BROKER && !read_broker(settings, text, where, line)) return false;
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
        int shown = (int)(end - text > 60 ? 60 : end - text);
        return refuse(settings, path, line, "", "\"%.*s\" is not of the form key = value", shown, text);
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
        {SETTING_BROKER, "mqtt://127.0.0.1:1883"},
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
    const Setting *setting = find(settings, key);
    return setting && is_number(key) ? setting->number : otherwise;
}

const char *settings_key(int32_t key) {
    return key > 0 && key < SETTINGS_CONFIG_KEYS && key_names[key] ? key_names[key] : "?";
}

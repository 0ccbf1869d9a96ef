#include "settings.h"

#include "contract.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const key_names[SETTING_COUNT] = {
#define NAME(number, name) [number] = name,
    CONFIG_NAMES(NAME)
#undef NAME
        [SETTING_BROKER] = "broker",
    [SETTING_THERMOMETER] = "thermometer",
    [SETTING_MODULE] = "module",
    [SETTING_JOURNAL] = "journal",
    [SETTING_FALLBACK] = "fallback",
    [SETTING_I2C] = "i2c",
    [SETTING_ONEWIRE] = "onewire",
    [SETTING_ADC] = "adc",
    [SETTING_DHT22] = "dht22",
    [SETTING_CONSOLE] = "console",
    [SETTING_WIFI_SSID] = "wifi_ssid",
    [SETTING_WIFI_PASSWORD] = "wifi_password",
    [SETTING_TIME_SERVER] = "time_server",
    [SETTING_POWER] = "power",
    [SETTING_MODULES] = "modules",
    [SETTING_PUBLIC_KEY] = "public_key",
    [SETTING_UPDATE_TRIAL] = "update_trial",
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
    case SETTING_UPDATE_TRIAL:
        return true;
    default:
        return false;
    }
}

/* Keys of boards that this is none of. */
static const char *stranger(int key) {
#ifndef SETTINGS_WIFI
    if (key == SETTING_WIFI_SSID || key == SETTING_WIFI_PASSWORD) return "this board has no Wi-Fi; leave it out";
    if (key == SETTING_TIME_SERVER) return "this board has its clock from the machine it runs on; leave it out";
    if (key == SETTING_POWER) return "this board has no battery to save; leave it out";
#endif
    (void)key;
    return NULL;
}

/* Keys that follow from others: from the broker's address, and that there is a journal from the board's own key of that name. */
static bool is_derived(int key) {
    return key == CONFIG_PROTOCOL || key == CONFIG_DISCOVERY || key == CONFIG_JOURNAL;
}

int settings_shown_word(const char *text, size_t length) {
    size_t at = 0;
    while (at < length && at < 60 && ((text[at] && strchr("_-+.", text[at])) || (text[at] >= '0' && text[at] <= '9') ||
                                      (text[at] >= 'A' && text[at] <= 'Z') || (text[at] >= 'a' && text[at] <= 'z'))) {
        at++;
    }
    return (int)at;
}

bool settings_refuse(Settings *settings, const char *where, uint32_t line, const char *key, const char *format, ...) {
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
        if (!key_names[key] || is_derived(key) || stranger(key)) continue;
        int written = snprintf(to + at, capacity - at, "%s%s", at ? ", " : "", key_names[key]);
        if (written < 0 || (size_t)written >= capacity - at) return;
        at += (size_t)written;
    }
}

bool settings_whole_number(const char *text, uint32_t length, int32_t *number) {
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

bool settings_set(Settings *settings, const char *key, const char *value, uint32_t length, const char *where, uint32_t line) {
    int index = SETTING_COUNT - 1; /* the board's own keys come first */
    while (index >= 0 && !(key_names[index] && strcmp(key_names[index], key) == 0)) index--;
    if (index < 0) {
        char keys[800];
        char word[64];
        list_keys(keys, sizeof keys);
        int length_shown = settings_shown_word(key, strlen(key));
        (void)snprintf(word, sizeof word, "%.*s%s", length_shown, key, key[length_shown] ? "…" : "");
        return settings_refuse(settings, where, line, word, "no such key; the keys are %s", keys);
    }
    if (is_derived(index)) {
        return settings_refuse(settings, where, line, key,
                      "follows from the broker's address and is not set: mqtt:// is MQTT, mqtt-sn:// MQTT-SN, with ?search or a multicast "
                      "address gateways are searched");
    }
    if (stranger(index)) return settings_refuse(settings, where, line, key, "%s", stranger(index));
    Setting *setting = &settings->values[index];
    if (line && setting->line) return settings_refuse(settings, where, line, key, "given before, in line %u", (unsigned)setting->line);
    if (memchr(value, 0, length)) return settings_refuse(settings, where, line, key, "holds a NUL byte");
    if (length >= SETTINGS_BYTES - settings->used) {
        return settings_refuse(settings, where, line, key, "the settings have over %d bytes together; shorten them", SETTINGS_BYTES);
    }
    char *text = settings->bytes + settings->used;
    memcpy(text, value, length);
    text[length] = 0;
    int32_t number = 0;
    if (is_number(index) && !settings_whole_number(text, length, &number)) {
        return settings_refuse(settings, where, line, key, "\"%.60s\" is not a whole number", text);
    }
    if (index >= SETTINGS_CONFIG_KEYS && length == 0) return settings_refuse(settings, where, line, key, "is empty");
    if (index == SETTING_BROKER && !settings_brokers(settings, text, where, line)) return false;
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
        int word = settings_shown_word(text, (size_t)(end - text));
        return settings_refuse(settings, path, line, "", "\"%.*s%s\" is not of the form key = value", word, text, text + word < end ? "…" : "");
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
        if (end - value < 2 || end[-1] != '"') return settings_refuse(settings, path, line, key, "the quotation mark is not closed");
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
    if (addressed && key == CONFIG_PROTOCOL) return settings->carrier == CARRIER_TCP || settings->carrier == CARRIER_LINE_STREAM ? 0 : 1;
    if (addressed && key == CONFIG_DISCOVERY) return settings->search ? 1 : 0;
    if (key == CONFIG_JOURNAL) return settings->values[SETTING_JOURNAL].text ? 1 : 0;
    const Setting *setting = find(settings, key);
    return setting && is_number(key) ? setting->number : otherwise;
}

const char *settings_key(int32_t key) {
    return key > 0 && key < SETTING_COUNT && key_names[key] ? key_names[key] : "?";
}

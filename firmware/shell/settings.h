/* What the board is told at its start: the module's configuration, the broker, the thermometer, the module, the journal.
 *
 * - The text holds `key = value` lines; `#` at the start of a line makes it a comment. A value may stand in double quotes, which keep
 *   blanks at its ends; there are no escapes.
 * - Keys are broker, thermometer, module, journal, fallback, modules, public_key, update_trial (ms), console, the buses i2c, onewire, adc, dht22, on boards with Wi-Fi wifi_ssid, wifi_password, time_server, power, and
 *   the CONFIG_… names of contract.h in lower case. Numbers are whole and decimal.
 * - CONFIG_JOURNAL is whether there is a journal: the board does not start without its storage.
 * - The broker's address decides how the board is connected, and alone: protocol and discovery are answered from it and cannot be set.
 *   Which addresses there are is the port's business: settings_brokers.
 * - Everything is copied into SETTINGS_BYTES; nothing is allocated. A setting given again replaces the one before, but within one file
 *   a key given twice is refused. */
#ifndef TWOBYTE_SETTINGS_H
#define TWOBYTE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef SETTINGS_BYTES
#define SETTINGS_BYTES 8192
#endif
#ifndef SETTINGS_SERVERS
#define SETTINGS_SERVERS 4
#endif
/* Of a host's name, and of a serial line's path. */
#ifndef SETTINGS_NAME_BYTES
#define SETTINGS_NAME_BYTES 256
#endif
#define SETTINGS_CONFIG_KEYS 64 /* over the largest CONFIG_… */

enum {
    SETTING_BROKER = SETTINGS_CONFIG_KEYS,
    SETTING_THERMOMETER,
    SETTING_MODULE,
    SETTING_JOURNAL,
    SETTING_FALLBACK,
    SETTING_CONSOLE,
    /* Pins or devices of the buses, or `simulated`: which there are is the port's business. */
    SETTING_I2C,
    SETTING_ONEWIRE,
    SETTING_ADC,
    SETTING_DHT22,
    /* Of boards with Wi-Fi: SETTINGS_WIFI is defined for them. */
    SETTING_WIFI_SSID,
    SETTING_WIFI_PASSWORD,
    SETTING_TIME_SERVER,
    SETTING_POWER,
    /* Where deployed modules are kept, who may sign them, and the ms that a new one has to reach its broker. */
    SETTING_MODULES,
    SETTING_PUBLIC_KEY,
    SETTING_UPDATE_TRIAL,
    SETTING_COUNT
};

/* Of a serial line: the datagrams alone, or the line of docs/serial.md with a stream, that leads to a broker, or with datagrams. */
typedef enum { CARRIER_TCP, CARRIER_UDP, CARRIER_SERIAL, CARRIER_LINE_STREAM, CARRIER_LINE_DATAGRAMS } Carrier;

typedef struct {
    const char *text; /* NULL: not given. Ends in NUL, which does not count */
    uint32_t length;
    int32_t number; /* of a key that takes one */
    uint32_t line;  /* of the file it comes from, 0: from elsewhere */
} Setting;

/* A broker or a gateway. */
typedef struct {
    char host[SETTINGS_NAME_BYTES];
    char port[6];
    char path[SETTINGS_NAME_BYTES]; /* of a serial line */
    uint32_t baud;
} Server;

typedef struct {
    Setting values[SETTING_COUNT];
    Carrier carrier; /* this and what follows from broker */
    bool search;
    uint32_t server_count;
    Server servers[SETTINGS_SERVERS];
    uint32_t used;
    char bytes[SETTINGS_BYTES];
    bool exposed;     /* a file that was read is open to other users of the machine */
    char error[1024]; /* why the last function answered false */
} Settings;

/* settings_set(settings, key, value, length, where, line): one setting; `where` and `line` are for the error (line 0: none). */
bool settings_set(Settings *settings, const char *key, const char *value, uint32_t length, const char *where, uint32_t line);

/* settings_read(settings, path, text, length): the lines of a file; `path` is for the error. */
bool settings_read(Settings *settings, const char *path, const char *text, uint32_t length);

/* settings_brokers(settings, urls, where, line): the port's: reads the addresses, blanks between them. */
bool settings_brokers(Settings *settings, const char *urls, const char *where, uint32_t line);

/* settings_text, settings_number: what the imports config_text and config_number answer. */
int32_t settings_text(const Settings *settings, int32_t key, uint8_t *to, int32_t capacity);
int32_t settings_number(const Settings *settings, int32_t key, int32_t otherwise);

/* settings_key(key): the name of CONFIG_… or SETTING_… `key`, or "?". */
const char *settings_key(int32_t key);

/* For ports that read more. settings_refuse(settings, where, line, key, format, …): false, and the error's text. */
__attribute__((format(printf, 5, 6))) bool settings_refuse(Settings *settings, const char *where, uint32_t line, const char *key,
                                                           const char *format, ...);

/* settings_whole_number(text, length, number): a decimal number of 32 bits. */
bool settings_whole_number(const char *text, uint32_t length, int32_t *number);

/* settings_shown_word(text, length): bytes of text that may be shown: a word of letters, digits and _-+. at its beginning. What follows,
 * after a colon or a blank in place of the equals sign, may be a password. */
int settings_shown_word(const char *text, size_t length);

#endif

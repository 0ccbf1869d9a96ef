/* What the board is told at its start: the module's configuration, the broker, the thermometer, the module's file, the journal's.
 *
 * - A file holds `key = value` lines; `#` at the start of a line makes it a comment. A value may stand in double quotes, which keep
 *   blanks at its ends; there are no escapes.
 * - Keys are broker, thermometer, module, journal and the CONFIG_… names of contract.h in lower case. Numbers are whole and decimal.
 * - journal is a path here, and CONFIG_JOURNAL whether it is given: the board does not start without its storage.
 * - The broker's address decides how the board is connected, and alone: protocol and discovery are answered from it and cannot be set.
 *     mqtt://host[:1883]                    MQTT over TCP
 *     mqtt-sn://host[:1884]                 MQTT-SN over UDP; host a multicast address or 255.255.255.255: gateways are searched there
 *     mqtt-sn://host[:1884]?search          gateways are searched there, whatever the address is
 *     mqtt-sn+serial:///path[?baud=115200]  MQTT-SN over a serial line; the path is taken as it stands, no %20 in it
 *   Up to SETTINGS_SERVERS addresses of one kind, blanks between them, are tried in their order; one where gateways are searched is alone.
 *   An IPv6 address stands in brackets, with its zone where it has one: [ff02::1%eth0].
 * - Everything is copied into SETTINGS_BYTES; nothing is allocated. A setting given again replaces the one before, but within one file
 *   a key given twice is refused. */
#ifndef TWOBYTE_SETTINGS_H
#define TWOBYTE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_BYTES 8192
#define SETTINGS_FILE_BYTES 16384
#define SETTINGS_SERVERS 4
#define SETTINGS_CONFIG_KEYS 64 /* over the largest CONFIG_… */

enum { SETTING_BROKER = SETTINGS_CONFIG_KEYS, SETTING_THERMOMETER, SETTING_MODULE, SETTING_JOURNAL, SETTING_COUNT };

typedef enum { CARRIER_TCP, CARRIER_UDP, CARRIER_SERIAL } Carrier;

typedef struct {
    const char *text; /* NULL: not given. Ends in NUL, which does not count */
    uint32_t length;
    int32_t number; /* of a key that takes one */
    uint32_t line;  /* of the file it comes from, 0: from elsewhere */
} Setting;

/* A broker or a gateway. */
typedef struct {
    char host[256];
    char port[6];
    char path[256]; /* of a serial line */
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
    bool exposed;          /* a file that was read is open to other users of the machine */
    char error[1024]; /* why the last function answered false */
} Settings;

/* settings_set(settings, key, value, length, where, line): one setting; `where` and `line` are for the error (line 0: none). */
bool settings_set(Settings *settings, const char *key, const char *value, uint32_t length, const char *where, uint32_t line);

/* settings_read(settings, path, text, length): the lines of a file; `path` is for the error. */
bool settings_read(Settings *settings, const char *path, const char *text, uint32_t length);

/* settings_load(settings, path): reads the file itself. */
bool settings_load(Settings *settings, const char *path);

/* settings_complete(settings): whether broker, thermometer and module are there. */
bool settings_complete(Settings *settings);

/* settings_text, settings_number: what the imports config_text and config_number answer. */
int32_t settings_text(const Settings *settings, int32_t key, uint8_t *to, int32_t capacity);
int32_t settings_number(const Settings *settings, int32_t key, int32_t otherwise);

/* settings_key(key): the name of CONFIG_… `key`, or "?". */
const char *settings_key(int32_t key);

#endif

/* The imports that every port answers alike: the configuration, the readings of the board's own sensors, events, the clock's plausibility.
 *
 * - The port's own board begins with a BoardImports and is the shell's `context`: these functions are rows of its Port as they stand.
 * - What they need is pointed to and stays the port's: settings that were read, a thermometer that was opened, the name of the other end.
 * - Nothing is allocated, nothing waits. */
#ifndef TWOBYTE_BOARD_H
#define TWOBYTE_BOARD_H

#include "settings.h"
#include "thermometer.h"

#include <stdbool.h>
#include <stdint.h>

/* Thermometers and hygrometers of the board itself, for `temperature` and `humidity`. */
enum {
    BOARD_THERMOMETER, /* what the setting `thermometer` names */
    BOARD_DHT22        /* what the setting `dht22` names; as a hygrometer it is 0, too, being the only one */
};

#define BOARD_REFUSAL_BYTES 200

typedef struct {
    const Settings *settings;
    Thermometer *thermometer;
    const char *address; /* of the broker, for messages; it may change where it is */
    char refusal[BOARD_REFUSAL_BYTES]; /* why the module does not start: "does not start with these settings", and which of them it refused first, and why */
    bool asked_journal;  /* the module wanted to know whether it can keep one */
    bool stopped;        /* EVENT_STOPPED came */
    bool flushed;        /* EVENT_FLUSHED came */
} BoardImports;

/* board_begins(imports): a module is about to start: nothing has come of it yet. */
void board_begins(BoardImports *imports);

/* config_text and config_number: the settings; that CONFIG_JOURNAL was asked for is noted. */
int32_t board_config_text(void *context, int32_t key, uint8_t *to, int32_t capacity);
int32_t board_config_number(void *context, int32_t key, int32_t otherwise);

/* temperature: of the board's thermometer; that a recording starts anew is said. */
int32_t board_temperature(void *context, int32_t sensor);

/* event: to the console, as JSON and in words. */
void board_event(void *context, int32_t code, int32_t a, int32_t b);

/* board_unix_time(seconds): what unix_time answers where the board's clock says so many seconds since 1970: 0 of one that was never set. */
int32_t board_unix_time(int64_t seconds);

#endif

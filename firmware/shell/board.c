#include "board.h"

#include "console.h"
#include "contract.h"

#include <string.h>

/* 2020-01-01: a clock that is before it was never set. */
#define UNIX_TIME_LEAST 1577836800

static const char refusal[] = "does not start with these settings";

void board_begins(BoardImports *imports) {
    memcpy(imports->refusal, refusal, sizeof refusal);
    imports->asked_journal = imports->stopped = imports->flushed = false;
}

int32_t board_config_text(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    const BoardImports *imports = context;
    return settings_text(imports->settings, key, to, capacity);
}

int32_t board_config_number(void *context, int32_t key, int32_t otherwise) {
    BoardImports *imports = context;
    if (key == CONFIG_JOURNAL) imports->asked_journal = true;
    return settings_number(imports->settings, key, otherwise);
}

int32_t board_temperature(void *context, int32_t sensor) {
    const BoardImports *imports = context;
    int32_t value = thermometer_read(imports->thermometer, sensor);
    if (imports->thermometer->wrapped) console_say("the recording is over and starts anew");
    return value;
}

void board_event(void *context, int32_t code, int32_t a, int32_t b) {
    BoardImports *imports = context;
    console_event(code, a, b);
    console_explain(code, a, b, imports->address);
    if (code == EVENT_CONFIG_REFUSED && strlen(imports->refusal) < sizeof refusal) {
        char *end = imports->refusal + sizeof refusal - 1;
        memcpy(end, ": ", 2);
        console_refused(end + 2, sizeof imports->refusal - sizeof refusal - 1, b, a, imports->address);
    }
    if (code == EVENT_STOPPED) imports->stopped = true;
    if (code == EVENT_FLUSHED) imports->flushed = true;
}

int32_t board_unix_time(int64_t seconds) {
    return seconds < UNIX_TIME_LEAST ? 0 : (int32_t)(uint32_t)seconds;
}

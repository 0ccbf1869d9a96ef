#include "thermometer.h"

#include "console.h"
#include "contract.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_TOO_LONG (-1000)

bool thermometer_refuse(Thermometer *thermometer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(thermometer->error, sizeof thermometer->error, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

const char *thermometer_celsius(const char *text, size_t length, int32_t *thousandths) {
    const char *end = text + length;
    bool negative = text < end && *text == '-';
    if (text < end && (*text == '-' || *text == '+')) text++;
    if (text == end || !is_digit(*text)) return "the temperature is not a decimal number";
    int32_t value = 0;
    for (; text < end && is_digit(*text); text++) {
        value = value * 10 + (*text - '0');
        if (value > THERMOMETER_MOST / 1000) return "the temperature is over 9999.999";
    }
    int32_t scale = 1000;
    value *= scale;
    if (text < end && *text == '.') {
        const char *fraction = ++text;
        for (; text < end && is_digit(*text); text++) {
            scale /= 10;
            if (scale > 0) value += (*text - '0') * scale;
            else if (text - fraction == 3 && *text >= '5') value++;
        }
        if (text == fraction) return "the temperature has no digit after its point";
    }
    if (text != end) return "the temperature is not a decimal number";
    if (value > THERMOMETER_MOST) return "the temperature is over 9999.999";
    if (negative) value = -value;
    if (value < THERMOMETER_LEAST) return "the temperature is below absolute zero";
    *thousandths = value;
    return NULL;
}

/* Reads `digits` digits of a value from `least` to `most`; NULL when they are not there. */
static const char *read_part(const char *p, const char *end, int digits, int least, int most) {
    int value = 0;
    if (!p || end - p < digits) return NULL;
    for (int i = 0; i < digits; i++) {
        if (!is_digit(p[i])) return NULL;
        value = value * 10 + (p[i] - '0');
    }
    return value >= least && value <= most ? p + digits : NULL;
}

static const char *read_mark(const char *p, const char *end, const char *marks) {
    return p && p < end && strchr(marks, *p) ? p + 1 : NULL;
}

/* Seconds: digits, with a sign and a fraction or without. */
static bool is_seconds(const char *p, const char *end) {
    if (p < end && (*p == '-' || *p == '+')) p++;
    const char *digits = p;
    while (p < end && is_digit(*p)) p++;
    if (p == digits) return false;
    if (p < end && *p == '.') {
        const char *fraction = ++p;
        while (p < end && is_digit(*p)) p++;
        if (p == fraction) return false;
    }
    return p == end;
}

/* YYYY-MM-DD, then maybe Thh:mm[:ss[.fraction]] and Z or ±hh:mm; a blank may stand for T. */
static bool is_iso_time(const char *p, const char *end) {
    p = read_part(p, end, 4, 0, 9999);
    p = read_part(read_mark(p, end, "-"), end, 2, 1, 12);
    p = read_part(read_mark(p, end, "-"), end, 2, 1, 31);
    if (!p || p == end) return p != NULL;
    p = read_part(read_mark(p, end, "T "), end, 2, 0, 24);
    p = read_part(read_mark(p, end, ":"), end, 2, 0, 59);
    if (p && p < end && *p == ':') {
        p = read_part(p + 1, end, 2, 0, 60);
        if (p && p < end && *p == '.') {
            const char *fraction = ++p;
            while (p < end && is_digit(*p)) p++;
            if (p == fraction) return false;
        }
    }
    if (p && p < end && *p == 'Z') p++;
    else if (p && p < end) {
        p = read_part(read_mark(p, end, "+-"), end, 2, 0, 14);
        if (p && p < end && *p == ':') p++;
        p = read_part(p, end, 2, 0, 59);
    }
    return p == end;
}

const char *thermometer_row(const char *text, size_t length, int32_t *thousandths) {
    const char *end = text + length;
    const char *comma = memchr(text, ',', length);
    if (!comma) return "there is no comma; a row is time,celsius";
    if (!is_iso_time(text, comma) && !is_seconds(text, comma)) return "the time is neither ISO 8601 nor a number of seconds";
    return thermometer_celsius(comma + 1, (size_t)(end - comma - 1), thousandths);
}

/* One line of a replay, at `offset`: its length without line end, and where the next one starts. */
typedef struct {
    char text[THERMOMETER_LINE_BYTES];
    size_t length;
    int64_t next;
} Row;

/* 1: a line; 0: the recording's end; LINE_TOO_LONG, or the port's number negated. */
static int32_t read_line(const Thermometer *thermometer, int64_t offset, Row *line) {
    int32_t count = recording_bytes(thermometer, offset, line->text, sizeof line->text);
    if (count <= 0) return count;
    const char *newline = memchr(line->text, '\n', (size_t)count);
    if (!newline && count == sizeof line->text) return LINE_TOO_LONG;
    line->length = newline ? (size_t)(newline - line->text) : (size_t)count;
    line->next = offset + (int64_t)line->length + (newline ? 1 : 0);
    if (line->length && line->text[line->length - 1] == '\r') line->length--;
    return 1;
}

static bool open_replay(Thermometer *thermometer, const char *path) {
    thermometer->kind = THERMOMETER_REPLAY;
    if (!recording_open(thermometer, path)) return false;
    Row line;
    int64_t at = 0;
    int32_t result;
    bool header = true;
    for (uint64_t number = 1; (result = read_line(thermometer, at, &line)) > 0; number++) {
        size_t mark = number == 1 && line.length >= 3 && memcmp(line.text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        const char *text = line.text + mark;
        size_t length = line.length - mark;
        bool named = header && length && !is_digit(*text) && *text != '-' && *text != '+' && memchr(text, ',', length);
        if (length && !named) {
            int32_t value;
            const char *fault = thermometer_row(text, length, &value);
            if (fault) return thermometer_refuse(thermometer, "replay: %.200s:%llu: %s", path, (unsigned long long)number, fault);
            if (thermometer->rows++ == 0) thermometer->first = at + (int64_t)mark;
        }
        if (length) header = false;
        at = line.next;
    }
    if (result == LINE_TOO_LONG) return thermometer_refuse(thermometer, "replay: %.300s has a line of over %d bytes", path, THERMOMETER_LINE_BYTES - 1);
    if (result < 0) return thermometer_refuse(thermometer, "replay: %.300s cannot be read: %s", path, console_reading_fault(-result));
    if (thermometer->rows == 0) return thermometer_refuse(thermometer, "replay: %.300s has no rows; a row is time,celsius", path);
    thermometer->next = thermometer->first;
    return true;
}

/* The next row; blank lines are passed over, and the end leads to the first row once. */
static int32_t read_replay(Thermometer *thermometer) {
    Row line;
    int32_t result;
    bool again = false;
    do {
        result = read_line(thermometer, thermometer->next, &line);
        if (result == 0 && !again) {
            again = true;
            thermometer->next = thermometer->first;
            continue;
        }
        if (result <= 0) return READING_FAILED - (result ? -result : THERMOMETER_MALFORMED);
        thermometer->next = line.next;
    } while (result == 0 || line.length == 0);
    thermometer->wrapped = again;
    int32_t value;
    return thermometer_row(line.text, line.length, &value) ? READING_FAILED - THERMOMETER_MALFORMED : value;
}

bool thermometer_count(const char *text, uint32_t *value) {
    uint64_t sum = 0;
    size_t length = strlen(text);
    if (length == 0 || length > 10) return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i])) return false;
        sum = sum * 10 + (uint64_t)(text[i] - '0');
    }
    *value = (uint32_t)sum;
    return sum <= UINT32_MAX;
}

static uint32_t next_noise(Thermometer *thermometer) {
    thermometer->noise = thermometer->noise * 1664525u + 1013904223u;
    return thermometer->noise >> 16;
}

/* 144 readings a day around 21.5 °C: two parabolas of 1.5 °C make the day and the night, a slow drift and the sensor's noise come on top. */
static int32_t simulate(Thermometer *thermometer) {
    int32_t hour = (int32_t)(thermometer->readings++ % 144);
    int32_t x = hour % 72;
    int32_t swing = x * (72 - x) * 1500 / 1296;
    thermometer->drift += (int32_t)(next_noise(thermometer) % 61) - 30;
    if (thermometer->drift > 900) thermometer->drift = 900;
    if (thermometer->drift < -900) thermometer->drift = -900;
    return 21500 + (hour < 72 ? swing : -swing) + thermometer->drift + (int32_t)(next_noise(thermometer) % 41) - 20;
}

bool thermometer_open(Thermometer *thermometer, const char *name) {
    *thermometer = (Thermometer){.file = -1};
    const char *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : strlen(name);
    if (length == 6 && memcmp(name, "replay", 6) == 0) {
        if (!colon || !colon[1]) return thermometer_refuse(thermometer, "replay: name the file: replay:FILE");
        return open_replay(thermometer, colon + 1);
    }
    if (length == 9 && memcmp(name, "simulated", 9) == 0) {
        if (!colon || !thermometer_count(colon + 1, &thermometer->noise)) {
            return thermometer_refuse(thermometer, "simulated: the seed is a number from 0 to 4294967295: simulated:1");
        }
        thermometer->kind = THERMOMETER_SIMULATED;
        return true;
    }
    thermometer->kind = THERMOMETER_SENSOR;
    return sensor_open(thermometer, name);
}

int32_t thermometer_read(Thermometer *thermometer, int32_t sensor) {
    thermometer->wrapped = false;
    if (sensor != 0) return READING_FAILED - THERMOMETER_ABSENT;
    switch (thermometer->kind) {
    case THERMOMETER_REPLAY:
        return read_replay(thermometer);
    case THERMOMETER_SIMULATED:
        return simulate(thermometer);
    default:
        return sensor_read(thermometer);
    }
}

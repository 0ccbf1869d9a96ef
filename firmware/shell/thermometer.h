/* A board's thermometer, chosen by name:
 *
 *   replay:FILE     lines `time,celsius`, one a reading, from the first again after the last; a header line may come first
 *   simulated:SEED  a room through the day: the same readings for the same seed
 *
 * and what the port has of its own.
 *
 * - Thousandths of a degree, in integers. A time is ISO 8601 or seconds; its form is checked, its value is not used.
 * - Everything is checked when it is opened, a replay's every line too. Nothing is allocated; a recording is read line by line.
 * - A failed reading is READING_FAILED - n: THERMOMETER_ABSENT for a sensor other than 0, THERMOMETER_MALFORMED for a malformed line,
 *   or the port's number. */
#ifndef TWOBYTE_THERMOMETER_H
#define TWOBYTE_THERMOMETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THERMOMETER_LINE_BYTES 256
#define THERMOMETER_LEAST (-273150) /* no thermometer reads below absolute zero */
#define THERMOMETER_MOST 9999999
/* The numbers that Linux has for them. */
#define THERMOMETER_ABSENT 19
#define THERMOMETER_MALFORMED 74

typedef struct {
    enum { THERMOMETER_SENSOR, THERMOMETER_REPLAY, THERMOMETER_SIMULATED } kind;
    int file;      /* the port's */
    int64_t first; /* a replay's first row, and the next one */
    int64_t next;
    uint64_t rows;
    bool wrapped; /* the last reading was the first row again */
    uint32_t noise;
    uint32_t readings;
    int32_t drift;
    char error[512]; /* why thermometer_open answered false */
} Thermometer;

/* thermometer_open(thermometer, name): false, with `error`, when there is no such thermometer or file, or a line is malformed. */
bool thermometer_open(Thermometer *thermometer, const char *name);

/* thermometer_read(thermometer, sensor): what the import temperature answers. */
int32_t thermometer_read(Thermometer *thermometer, int32_t sensor);

void thermometer_close(Thermometer *thermometer); /* the port's */

/* thermometer_celsius(text, length, thousandths): a decimal number, rounded to thousandths half away from zero; NULL, or why not. */
const char *thermometer_celsius(const char *text, size_t length, int32_t *thousandths);

/* thermometer_row(text, length, thousandths): a line `time,celsius` without its newline; NULL, or why not. */
const char *thermometer_row(const char *text, size_t length, int32_t *thousandths);

/* For ports. thermometer_refuse(thermometer, format, …): false, and the error's text. */
__attribute__((format(printf, 2, 3))) bool thermometer_refuse(Thermometer *thermometer, const char *format, ...);

/* thermometer_count(text, value): a decimal number of at most 32 bits that fills `text`. */
bool thermometer_count(const char *text, uint32_t *value);

/* The rest is the port's. sensor_open, sensor_read: thermometers of its own, and the refusal of a name that is none. */
bool sensor_open(Thermometer *thermometer, const char *name);
int32_t sensor_read(const Thermometer *thermometer);

/* recording_open(thermometer, path), recording_bytes(thermometer, offset, to, capacity): a replay's file: bytes that were copied, 0 at its
 * end, or a number of the port's negated. */
bool recording_open(Thermometer *thermometer, const char *path);
int32_t recording_bytes(const Thermometer *thermometer, int64_t offset, char *to, uint32_t capacity);

#endif

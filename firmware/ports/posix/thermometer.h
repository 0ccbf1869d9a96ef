/* The posix board's thermometer, chosen by name:
 *
 *   thermal[:N]     /sys/class/thermal/thermal_zoneN/temp, N 0 when it is left out
 *   hwmon[:N]       the Nth of /sys/class/hwmon/hwmonX/tempY_input, counted from 0 in the order of X, then Y
 *   replay:FILE     lines `time,celsius`, one a reading, from the first again after the last; a header line may come first
 *   simulated:SEED  a room through the day: the same readings for the same seed
 *
 * - Thousandths of a degree, in integers. A time is ISO 8601 or seconds; its form is checked, its value is not used.
 * - Everything is checked when it is opened, a replay's every line too. Nothing is allocated; a file is read line by line.
 * - A failed reading is READING_FAILED - n, n an errno: 19 (ENODEV) for a sensor other than 0, 74 (EBADMSG) for a malformed line. */
#ifndef TWOBYTE_THERMOMETER_H
#define TWOBYTE_THERMOMETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define THERMOMETER_LINE_BYTES 256
#define THERMOMETER_LEAST (-273150) /* no thermometer reads below absolute zero */
#define THERMOMETER_MOST 9999999

typedef struct {
    enum { THERMOMETER_SYSFS, THERMOMETER_REPLAY, THERMOMETER_SIMULATED } kind;
    int file;
    off_t first; /* a replay's first row, and the next one */
    off_t next;
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

void thermometer_close(Thermometer *thermometer);

/* thermometer_celsius(text, length, thousandths): a decimal number, rounded to thousandths half away from zero; NULL, or why not. */
const char *thermometer_celsius(const char *text, size_t length, int32_t *thousandths);

/* thermometer_row(text, length, thousandths): a line `time,celsius` without its newline; NULL, or why not. */
const char *thermometer_row(const char *text, size_t length, int32_t *thousandths);

/* thermometer_sysfs(text, length): what the kernel's files hold, thousandths and a newline; or READING_FAILED - EBADMSG. */
int32_t thermometer_sysfs(const char *text, size_t length);

#endif

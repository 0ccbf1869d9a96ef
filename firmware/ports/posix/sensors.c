#include "sensors.h"

#include "contract.h"
#include "thermometer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HWMON_DEVICES 64
#define HWMON_INPUTS 32

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int32_t thermometer_sysfs(const char *text, size_t length) {
    const char *end = text + length;
    const char *p = text;
    if (p < end && *p == '-') p++;
    int32_t value = 0;
    const char *digits = p;
    while (p < end && is_digit(*p) && value <= THERMOMETER_MOST) value = value * 10 + (*p++ - '0');
    if (p == digits || p + 1 != end || *p != '\n') return READING_FAILED - THERMOMETER_MALFORMED;
    if (text[0] == '-') value = -value;
    return value < THERMOMETER_LEAST || value > THERMOMETER_MOST ? READING_FAILED - THERMOMETER_MALFORMED : value;
}

int32_t sensor_read(const Thermometer *thermometer) {
    char text[16];
    ssize_t count = pread(thermometer->file, text, sizeof text, 0);
    return count < 0 ? READING_FAILED - errno : thermometer_sysfs(text, (size_t)count);
}

static bool open_thermal(Thermometer *thermometer, uint32_t zone) {
    char path[64];
    (void)snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%lu/temp", (unsigned long)zone);
    thermometer->file = open(path, O_RDONLY | O_CLOEXEC);
    if (thermometer->file >= 0) return true;
    return thermometer_refuse(thermometer, "thermal: %s cannot be read: %s; take another zone, hwmon, replay:FILE or simulated:SEED", path, strerror(errno));
}

static bool open_hwmon(Thermometer *thermometer, uint32_t number) {
    char path[64];
    uint32_t found = 0;
    for (int device = 0; device < HWMON_DEVICES; device++) {
        for (int input = 1; input <= HWMON_INPUTS; input++) {
            (void)snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/temp%d_input", device, input);
            int file = open(path, O_RDONLY | O_CLOEXEC);
            if (file < 0) continue;
            thermometer->file = file;
            if (found++ == number) return true;
            (void)close(file);
            thermometer->file = -1;
        }
    }
    return thermometer_refuse(thermometer,
                  "hwmon: this machine has %lu such thermometers, number %lu is not there; "
                  "take thermal, replay:FILE or simulated:SEED",
                  (unsigned long)found, (unsigned long)number);
}

bool sensor_open(Thermometer *thermometer, const char *name) {
    const char *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : strlen(name);
    uint32_t number = 0;
    bool thermal = length == 7 && memcmp(name, "thermal", 7) == 0;
    if (!thermal && !(length == 5 && memcmp(name, "hwmon", 5) == 0)) {
        return thermometer_refuse(thermometer, "\"%.100s\" is no thermometer; take thermal[:N], hwmon[:N], replay:FILE or simulated:SEED", name);
    }
    if (colon && !thermometer_count(colon + 1, &number)) return thermometer_refuse(thermometer, "%.60s: after the colon stands a number", name);
    return thermal ? open_thermal(thermometer, number) : open_hwmon(thermometer, number);
}

bool recording_open(Thermometer *thermometer, const char *path) {
    thermometer->file = open(path, O_RDONLY | O_CLOEXEC);
    if (thermometer->file >= 0) return true;
    return thermometer_refuse(thermometer, "replay: %.300s cannot be read: %s", path, strerror(errno));
}

int32_t recording_bytes(const Thermometer *thermometer, int64_t offset, char *to, uint32_t capacity) {
    ssize_t count;
    do count = pread(thermometer->file, to, capacity, offset);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : (int32_t)count;
}

void thermometer_close(Thermometer *thermometer) {
    if (thermometer->file >= 0) (void)close(thermometer->file);
    thermometer->file = -1;
}

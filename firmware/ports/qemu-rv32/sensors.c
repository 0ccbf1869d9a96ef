/* The emulated board has no thermometer of its own: a recording in its flash, or a simulated room. */
#include "console.h"
#include "flash.h"
#include "thermometer.h"

#include <string.h>

bool sensor_open(Thermometer *thermometer, const char *name) {
    return thermometer_refuse(thermometer, "\"%.100s\" is no thermometer of this board; take replay:FILE or simulated:SEED", name);
}

int32_t sensor_read(const Thermometer *thermometer) {
    (void)thermometer;
    return -THERMOMETER_ABSENT;
}

bool recording_open(Thermometer *thermometer, const char *path) {
    uint32_t length;
    if (flash_region(FLASH_RECORDING, FLASH_RECORDING_BYTES, &length)) return true;
    return thermometer_refuse(thermometer, "replay: %.300s is not in the flash", path);
}

int32_t recording_bytes(const Thermometer *thermometer, int64_t offset, char *to, uint32_t capacity) {
    (void)thermometer;
    uint32_t length;
    const uint8_t *recording = flash_region(FLASH_RECORDING, FLASH_RECORDING_BYTES, &length);
    if (!recording || offset >= length) return 0;
    uint32_t left = length - (uint32_t)offset;
    if (capacity > left) capacity = left;
    memcpy(to, recording + offset, capacity);
    return (int32_t)capacity;
}

const char *console_reading_fault(int32_t number) {
    return number == THERMOMETER_ABSENT ? "there is no such sensor" : "a row of the recording is malformed";
}

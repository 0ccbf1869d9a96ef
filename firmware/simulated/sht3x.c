#include "sht3x.h"

#include <string.h>

#define MEASURE_MS 16

static uint8_t crc8(const uint8_t *bytes, uint32_t length) {
    uint32_t crc = 0xff;
    for (uint32_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x80 ? 0x131 : 0);
    }
    return (uint8_t)crc;
}

bool sht3x_write(Sht3x *sensor, const uint8_t *bytes, int32_t length, int64_t now) {
    if (length != 2 || bytes[0] != 0x24 || bytes[1] != 0) return false;
    sensor->ready_at = now + MEASURE_MS;
    return true;
}

bool sht3x_read(Sht3x *sensor, uint8_t *to, int32_t length, int64_t now) {
    if (!sensor->ready_at || now < sensor->ready_at) return false;
    sensor->ready_at = 0;
    const uint16_t words[2] = {sensor->temperature, sensor->humidity};
    uint8_t bytes[6];
    for (int i = 0; i < 2; i++) {
        uint8_t *word = bytes + 3 * i;
        word[0] = (uint8_t)(words[i] >> 8);
        word[1] = (uint8_t)words[i];
        word[2] = crc8(word, 2);
    }
    memcpy(to, bytes, length < 6 ? (size_t)length : 6);
    return true;
}

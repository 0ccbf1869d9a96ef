#include "ds18b20.h"

#include <stddef.h>
#include <string.h>

#define CONVERT_MS 750 /* with 12 bits */

static uint8_t crc8(const uint8_t *bytes, uint32_t length) {
    uint32_t crc = 0;
    for (uint32_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x8c : 0);
    }
    return (uint8_t)crc;
}

void ds18b20_reset(Ds18b20 *sensor, uint8_t number, int16_t sixteenths) {
    static const uint8_t code[6] = {0x28, 0xff, 0x64, 0x1e, 0x0f, 0x16};
    static const uint8_t scratchpad[8] = {0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10};
    memcpy(sensor->code, code, sizeof code);
    sensor->code[6] = number;
    sensor->code[7] = crc8(sensor->code, 7);
    memcpy(sensor->scratchpad, scratchpad, sizeof scratchpad);
    sensor->sixteenths = sixteenths;
    sensor->ready_at = 0;
}

const uint8_t *ds18b20_command(Ds18b20 *sensor, const uint8_t *bytes, int32_t length, int64_t now) {
    uint8_t *scratchpad = sensor->scratchpad;
    int unused = 3 - (scratchpad[4] >> 5 & 3); /* bits that its resolution leaves out */
    if (sensor->ready_at && now >= sensor->ready_at) {
        uint16_t value = (uint16_t)(((uint16_t)sensor->sixteenths >> unused) << unused);
        scratchpad[0] = (uint8_t)value;
        scratchpad[1] = (uint8_t)(value >> 8);
        sensor->ready_at = 0;
    }
    if (length >= 1 && bytes[0] == 0x44) sensor->ready_at = now + (CONVERT_MS >> unused);
    if (length >= 4 && bytes[0] == 0x4e) {
        scratchpad[2] = bytes[1];
        scratchpad[3] = bytes[2];
        scratchpad[4] = (uint8_t)((bytes[3] & 0x60) | 0x1f);
    }
    if (length < 1 || bytes[0] != 0xbe) return NULL;
    scratchpad[8] = crc8(scratchpad, 8);
    return scratchpad;
}

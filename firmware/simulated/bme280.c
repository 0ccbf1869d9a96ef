#include "bme280.h"

#include <string.h>

#define MEASURE_MS 10

#define REGISTER_CALIBRATION 0x88
#define REGISTER_H1 0xa1
#define REGISTER_ID 0xd0
#define REGISTER_H2 0xe1
#define REGISTER_CTRL_HUM 0xf2
#define REGISTER_STATUS 0xf3
#define REGISTER_CTRL_MEAS 0xf4
#define REGISTER_DATA 0xf7

/* T1 to T3, P1 to P9. */
static const uint16_t calibration[12] = {27504, 26435, (uint16_t)-1000, 36477, (uint16_t)-10685, 3024, 2855, 140, (uint16_t)-7, 15500, (uint16_t)-14600, 6000};
/* H2 to H6: 370, 0, 313, 50, 30, of which two share a byte. */
static const uint8_t calibration_humidity[7] = {0x72, 0x01, 0, 313 >> 4, (313 & 15) | ((50 & 15) << 4), 50 >> 4, 30};
/* Pressure 415148, temperature 519888, humidity 30000; and what stands there before the first measurement. */
static const uint8_t example[8] = {415148 >> 12, (415148 >> 4) & 0xff, (415148 & 15) << 4, 519888 >> 12, (519888 >> 4) & 0xff, (519888 & 15) << 4, 30000 >> 8, 30000 & 0xff};
static const uint8_t nothing[8] = {0x80, 0, 0, 0x80, 0, 0, 0x80, 0};

void bme280_reset(Bme280 *sensor) {
    memset(sensor, 0, sizeof *sensor);
    for (int i = 0; i < 12; i++) {
        sensor->registers[REGISTER_CALIBRATION + 2 * i] = (uint8_t)calibration[i];
        sensor->registers[REGISTER_CALIBRATION + 2 * i + 1] = (uint8_t)(calibration[i] >> 8);
    }
    sensor->registers[REGISTER_H1] = 75;
    sensor->registers[REGISTER_ID] = 0x60;
    memcpy(sensor->registers + REGISTER_H2, calibration_humidity, sizeof calibration_humidity);
    memcpy(sensor->registers + REGISTER_DATA, nothing, sizeof nothing);
}

void bme280_write(Bme280 *sensor, const uint8_t *bytes, int32_t length, int64_t now) {
    sensor->at = bytes[0];
    for (int32_t i = 0; i + 1 < length; i += 2) {
        if (bytes[i] < REGISTER_CTRL_HUM || bytes[i] > 0xf5 || bytes[i] == REGISTER_STATUS) continue;
        sensor->registers[bytes[i]] = bytes[i + 1];
        if (bytes[i] == REGISTER_CTRL_MEAS && bytes[i + 1] & 3) sensor->ready_at = now + MEASURE_MS;
    }
}

void bme280_read(Bme280 *sensor, uint8_t *to, int32_t length, int64_t now) {
    if (sensor->ready_at && now >= sensor->ready_at) {
        sensor->ready_at = 0;
        sensor->registers[REGISTER_CTRL_MEAS] &= (uint8_t)~3;
        memcpy(sensor->registers + REGISTER_DATA, example, sizeof example);
    }
    sensor->registers[REGISTER_STATUS] = sensor->ready_at ? 8 : 0;
    for (int32_t i = 0; i < length; i++) to[i] = sensor->registers[(uint8_t)(sensor->at + i)];
}

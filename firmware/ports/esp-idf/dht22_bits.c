#include "dht22_bits.h"

#include "contract.h"

/* Between the 26 µs of a 0 and the 70 µs of a 1. */
#define ONE_LEAST 48
#define HUMIDITY_MOST 1000
#define TEMPERATURE_LEAST (-400)
#define TEMPERATURE_MOST 800 /* tenths: -40 to 80 °C */

int32_t dht22_decode(const uint16_t *highs, uint32_t count, int32_t *temperature, int32_t *humidity) {
    uint8_t bytes[DHT22_BITS / 8] = {0};
    if (count < DHT22_BITS || count > DHT22_BITS + 2) return -BUS_TIMEOUT;
    highs += count - DHT22_BITS;
    for (uint32_t bit = 0; bit < DHT22_BITS; bit++) bytes[bit / 8] = (uint8_t)(bytes[bit / 8] << 1 | (highs[bit] >= ONE_LEAST));
    if (((bytes[0] + bytes[1] + bytes[2] + bytes[3]) & 0xff) != bytes[4]) return -FAULT_CHECKSUM;
    int32_t tenths_humid = bytes[0] << 8 | bytes[1];
    /* Sign and magnitude. */
    int32_t tenths = (bytes[2] & 0x7f) << 8 | bytes[3];
    if (bytes[2] & 0x80) tenths = -tenths;
    if (tenths_humid > HUMIDITY_MOST || tenths < TEMPERATURE_LEAST || tenths > TEMPERATURE_MOST) return -FAULT_RANGE;
    *humidity = tenths_humid * 100;
    *temperature = tenths * 100;
    return 0;
}

/* A Bosch BME280: registers, sleep and forced mode; what it measures is the worked example of the data sheet of BMP280. */
#ifndef TWOBYTE_SIMULATED_BME280_H
#define TWOBYTE_SIMULATED_BME280_H

#include <stdint.h>

typedef struct {
    uint8_t registers[256];
    uint8_t at;       /* the register that is read next */
    int64_t ready_at; /* of a measurement that began, else 0 */
} Bme280;

/* bme280_reset(sensor): as after its power came. */
void bme280_reset(Bme280 *sensor);

void bme280_write(Bme280 *sensor, const uint8_t *bytes, int32_t length, int64_t now);
void bme280_read(Bme280 *sensor, uint8_t *to, int32_t length, int64_t now);

#endif

/* A Sensirion SHT3x: single shots of high repeatability, without clock stretching. */
#ifndef TWOBYTE_SIMULATED_SHT3X_H
#define TWOBYTE_SIMULATED_SHT3X_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint16_t temperature, humidity; /* words of the data sheet's conversion */
    int64_t ready_at;               /* of a measurement that began, else 0 */
} Sht3x;

/* sht3x_write, sht3x_read: false when it does not acknowledge, as one that measures does not. */
bool sht3x_write(Sht3x *sensor, const uint8_t *bytes, int32_t length, int64_t now);
bool sht3x_read(Sht3x *sensor, uint8_t *to, int32_t length, int64_t now);

#endif

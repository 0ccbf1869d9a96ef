/* A Maxim DS18B20 with power of its own: what it does when it was chosen. */
#ifndef TWOBYTE_SIMULATED_DS18B20_H
#define TWOBYTE_SIMULATED_DS18B20_H

#include <stdint.h>

#define DS18B20_CODE_BYTES 8
#define DS18B20_SCRATCHPAD_BYTES 9

typedef struct {
    uint8_t code[DS18B20_CODE_BYTES];
    int16_t sixteenths; /* of a degree */
    uint8_t scratchpad[DS18B20_SCRATCHPAD_BYTES];
    int64_t ready_at; /* of a conversion that began, else 0 */
} Ds18b20;

/* ds18b20_reset(sensor, number, sixteenths): as after its power came; 28ff641e0f16 begins its code, then comes `number`, then the CRC. */
void ds18b20_reset(Ds18b20 *sensor, uint8_t number, int16_t sixteenths);

/* ds18b20_command(sensor, bytes, length, now): a function command. Answers what it says then, DS18B20_SCRATCHPAD_BYTES of it, or NULL. */
const uint8_t *ds18b20_command(Ds18b20 *sensor, const uint8_t *bytes, int32_t length, int64_t now);

#endif

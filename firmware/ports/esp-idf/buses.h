/* The buses of the board: I2C, 1-wire, ADC, and a DHT22 on a wire of its own. Pins come from the settings, or, where a reading uses the
 * bus, from the board's description (board_pins.h).
 *
 * - Each is opened once, at start, and allocates then. A transfer ends within its deadline: I2C 50 ms, 1-wire 1 ms a byte, a DHT22 10 ms.
 * - On IDF's linux target there are none.
 * - Answers are those of the imports: 0 or a number of 0 and more, or a negated BUS_….  */
#ifndef TWOBYTE_BUSES_H
#define TWOBYTE_BUSES_H

#include "settings.h"

#include <stdbool.h>
#include <stdint.h>

#define ADC_CHANNELS 8

/* buses_open(settings, error, capacity): those that the settings name, and those that their readings use. False, with a sentence, when one cannot be. */
bool buses_open(const Settings *settings, char *error, uint32_t capacity);

/* Each of a driver in a file of its own; without its open, or when that failed, the bus is none. */
bool i2c_open(int32_t sda, int32_t scl, int32_t hertz);
int32_t i2c_transfer(int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length);

bool onewire_open(int32_t pin);
int32_t onewire_transfer(const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length);
int32_t onewire_triplet(int32_t direction);

/* adc_open(pins, count): channel n is the nth pin. */
bool adc_open(const int32_t *pins, int32_t count);
int32_t adc_microvolts(int32_t channel);

/* dht22_read(now, temperature, humidity): thousandths of a degree and of a percent: 0 or a negated number of dht22_bits.h or BUS_…. A sensor that was asked
 * within the last 2 s is not asked again: it gives what it had. */
bool dht22_open(int32_t pin);
int32_t dht22_read(int64_t now, int32_t *temperature, int32_t *humidity);

#endif

/* What hangs at the buses that a board's settings call `simulated`, on the ports without pins: an SHT3x at 44, a BME280 at 76, two DS18B20, an NTC
 * on channel 0, a DHT22. Each speaks its registers and needs its time; host/devices/simulated.ts has the same for the board in software.
 *
 * - `simulated:stuck` and `simulated:timeout`: every transfer fails that way.
 * - The functions with `context` are rows of a Port: it is a port's board that begins with a SimulatedBoard.
 * - Times are console_now_ms. Nothing is allocated. */
#ifndef TWOBYTE_SIMULATED_BUSES_H
#define TWOBYTE_SIMULATED_BUSES_H

#include "bme280.h"
#include "board.h"
#include "ds18b20.h"
#include "settings.h"
#include "sht3x.h"

#include <stdbool.h>
#include <stdint.h>

#define SIMULATED_DS18B20 2

typedef struct {
    int32_t i2c, onewire, adc, dht22; /* what a transfer answers instead: a negated BUS_…, -BUS_NONE of a bus that is not there; 0: it works */
    Sht3x sht3x;
    Bme280 bme280;
    Ds18b20 ds18b20[SIMULATED_DS18B20];
    uint32_t searching; /* a bit for each device that follows the search */
    uint32_t place;     /* in its code, from 0 */
} SimulatedBuses;

/* What the board of a port without pins begins with. */
typedef struct {
    BoardImports imports; /* first: board.h */
    SimulatedBuses buses;
} SimulatedBoard;

/* simulated_open(buses, settings): the buses that the settings name; a key whose value is not simulated is none. Answers the first such key, or 0. */
int simulated_open(SimulatedBuses *buses, const Settings *settings);

int32_t simulated_i2c_transfer(void *context, int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length);
int32_t simulated_onewire_transfer(void *context, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length);
int32_t simulated_onewire_triplet(void *context, int32_t direction);
int32_t simulated_adc_read(void *context, int32_t channel);
int32_t simulated_temperature(void *context, int32_t sensor); /* a DHT22's, and what board_temperature has */
int32_t simulated_humidity(void *context, int32_t sensor);

#endif

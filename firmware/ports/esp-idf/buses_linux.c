/* IDF's linux target has no pins: no bus is there, whatever the settings name. */
#include "buses.h"

#include "contract.h"

bool buses_open(const Settings *settings, char *error, uint32_t capacity) {
    (void)settings;
    if (capacity) error[0] = 0;
    return true;
}

int32_t i2c_transfer(int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    (void)address;
    (void)write;
    (void)write_length;
    (void)read;
    (void)read_length;
    return -BUS_NONE;
}

int32_t onewire_transfer(const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    (void)write;
    (void)write_length;
    (void)read;
    (void)read_length;
    return -BUS_NONE;
}

int32_t onewire_triplet(int32_t direction) {
    (void)direction;
    return -BUS_NONE;
}

int32_t adc_microvolts(int32_t channel) {
    (void)channel;
    return -BUS_NONE;
}

int32_t dht22_read(int64_t now, int32_t *temperature, int32_t *humidity) {
    (void)now;
    (void)temperature;
    (void)humidity;
    return -BUS_NONE;
}

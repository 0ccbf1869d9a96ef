#include "buses.h"

#include "contract.h"

#include "driver/gpio.h"
#include "onewire_bus.h"

/* Most bytes of one read: a scratchpad has 9. */
#define READ_BYTES 16

static onewire_bus_handle_t bus;
static gpio_num_t wire;

bool onewire_open(int32_t pin) {
    const onewire_bus_config_t config = {.bus_gpio_num = pin, .flags.en_pull_up = true};
    const onewire_bus_rmt_config_t rmt = {.max_rx_bytes = READ_BYTES};
    wire = (gpio_num_t)pin;
    return onewire_new_bus_rmt(&config, &rmt, &bus) == ESP_OK;
}

static int32_t reset(void) {
    esp_err_t error = onewire_bus_reset(bus);
    if (error == ESP_OK) return 0;
    /* A wire that nobody holds is pulled up. */
    if (gpio_get_level(wire) == 0) return -BUS_STUCK;
    return error == ESP_ERR_NOT_FOUND ? -BUS_ABSENT : -BUS_TIMEOUT;
}

int32_t onewire_transfer(const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    if (!bus) return -BUS_NONE;
    int32_t answer = reset();
    if (answer != 0) return answer;
    for (int32_t at = 0; at < write_length; at++) {
        if (onewire_bus_write_bytes(bus, write + at, 1) != ESP_OK) return -BUS_TIMEOUT;
    }
    for (int32_t at = 0; at < read_length; at += READ_BYTES) {
        size_t count = (size_t)(read_length - at < READ_BYTES ? read_length - at : READ_BYTES);
        if (onewire_bus_read_bytes(bus, read + at, count) != ESP_OK) return -BUS_TIMEOUT;
    }
    return 0;
}

int32_t onewire_triplet(int32_t direction) {
    uint8_t bit;
    uint8_t complement;
    if (!bus) return -BUS_NONE;
    if (onewire_bus_read_bit(bus, &bit) != ESP_OK || onewire_bus_read_bit(bus, &complement) != ESP_OK) return -BUS_TIMEOUT;
    /* Where all devices agree the bit is theirs, where they do not it is the caller's to choose. */
    uint8_t written = bit != complement ? bit : direction ? 1 : 0;
    if (onewire_bus_write_bit(bus, written) != ESP_OK) return -BUS_TIMEOUT;
    return bit | complement << 1 | written << 2;
}

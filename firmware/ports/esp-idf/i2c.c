#include "buses.h"

#include "contract.h"

#include "driver/i2c_master.h"

#define TRANSFER_MS 50
#define PROBE_MS 10

static i2c_master_bus_handle_t bus;
static i2c_master_dev_handle_t device;

bool i2c_open(int32_t sda, int32_t scl, int32_t hertz) {
    const i2c_master_bus_config_t config = {
        .i2c_port = -1,
        .sda_io_num = (gpio_num_t)sda,
        .scl_io_num = (gpio_num_t)scl,
        .clk_source = I2C_CLK_SRC_DEFAULT,
        .glitch_ignore_cnt = 7,
        .flags.enable_internal_pullup = true,
    };
    /* One device for all addresses: each has another for its transfer, and nothing is allocated for it. */
    const i2c_device_config_t any = {.dev_addr_length = I2C_ADDR_BIT_LEN_7, .device_address = 0x08, .scl_speed_hz = (uint32_t)hertz};
    if (i2c_new_master_bus(&config, &bus) != ESP_OK) return false;
    return i2c_master_bus_add_device(bus, &any, &device) == ESP_OK;
}

/* What a transfer that failed failed of: a line held low looks like nobody's answer, and the other way round. */
static int32_t fault(int32_t address, esp_err_t error) {
    if (error == ESP_OK) return 0;
    esp_err_t probed = i2c_master_probe(bus, (uint16_t)address, PROBE_MS);
    if (probed == ESP_ERR_NOT_FOUND) return -BUS_ABSENT;
    if (probed == ESP_ERR_TIMEOUT) {
        (void)i2c_master_bus_reset(bus); /* nine clocks: a device that holds SDA in the middle of a byte lets go */
        return -BUS_STUCK;
    }
    /* It is there, and did not acknowledge, as a sensor that measures; ESP-IDF 5.5 says so by the one, 6.0 by the other. */
    return error == ESP_ERR_INVALID_STATE || error == ESP_ERR_INVALID_RESPONSE ? -BUS_ABSENT : -BUS_TIMEOUT;
}

int32_t i2c_transfer(int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    if (!device || address < 0 || address > 0x7f) return -BUS_NONE;
    if (write_length == 0 && read_length == 0) return fault(address, i2c_master_probe(bus, (uint16_t)address, PROBE_MS));
    if (i2c_master_device_change_address(device, (uint16_t)address, TRANSFER_MS) != ESP_OK) return -BUS_TIMEOUT;
    size_t out = (size_t)write_length;
    size_t in = (size_t)read_length;
    esp_err_t error;
    if (in == 0) error = i2c_master_transmit(device, write, out, TRANSFER_MS);
    else if (out == 0) error = i2c_master_receive(device, read, in, TRANSFER_MS);
    else error = i2c_master_transmit_receive(device, write, out, read, in, TRANSFER_MS);
    return fault(address, error);
}

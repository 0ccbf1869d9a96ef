#include "buses.h"

#include "board.h"
#include "console.h"
#include "contract.h"

#include <string.h>

#define SEARCH_ROM 0xf0
#define MATCH_ROM 0x55
#define SKIP_ROM 0xcc

/* 25 °C, where the thermistor has as many ohms as the resistor in series: half of 3.3 V. */
#define NTC_MICROVOLTS 1650000
#define DHT22_TEMPERATURE 22400
#define DHT22_HUMIDITY 51300

static SimulatedBuses *buses_of(void *context) {
    SimulatedBoard *board = context;
    return &board->buses;
}

/* What each transfer of a bus answers by its setting; 1 of one that is not simulated. */
static int32_t answer_of(const Settings *settings, int key) {
    const char *text = settings->values[key].text;
    if (!text) return -BUS_NONE;
    if (strcmp(text, "simulated") == 0) return 0;
    if (strcmp(text, "simulated:stuck") == 0) return -BUS_STUCK;
    return strcmp(text, "simulated:timeout") == 0 ? -BUS_TIMEOUT : 1;
}

int simulated_open(SimulatedBuses *buses, const Settings *settings) {
    static const int keys[] = {SETTING_I2C, SETTING_ONEWIRE, SETTING_ADC, SETTING_DHT22};
    int32_t *answers[] = {&buses->i2c, &buses->onewire, &buses->adc, &buses->dht22};
    int other = 0;
    for (int i = 0; i < 4; i++) {
        *answers[i] = answer_of(settings, keys[i]);
        if (*answers[i] <= 0) continue;
        *answers[i] = -BUS_NONE;
        if (!other) other = keys[i];
    }
    buses->sht3x = (Sht3x){.temperature = 24903, .humidity = 29818}; /* 21.5 °C, 45.5 % */
    bme280_reset(&buses->bme280);
    ds18b20_reset(&buses->ds18b20[0], 3, 162);  /* 10.125 °C */
    ds18b20_reset(&buses->ds18b20[1], 4, -162); /* -10.125 °C */
    return other;
}

int32_t simulated_i2c_transfer(void *context, int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    SimulatedBuses *buses = buses_of(context);
    int64_t now = console_now_ms();
    if (buses->i2c) return buses->i2c;
    if (address == 0x44) {
        if (write_length && !sht3x_write(&buses->sht3x, write, write_length, now)) return -BUS_ABSENT;
        return read_length && !sht3x_read(&buses->sht3x, read, read_length, now) ? -BUS_ABSENT : 0;
    }
    if (address != 0x76) return -BUS_ABSENT;
    if (write_length) bme280_write(&buses->bme280, write, write_length, now);
    if (read_length) bme280_read(&buses->bme280, read, read_length, now);
    return 0;
}

int32_t simulated_onewire_transfer(void *context, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    SimulatedBuses *buses = buses_of(context);
    if (buses->onewire) return buses->onewire;
    memset(read, 0xff, (size_t)read_length);
    buses->searching = 0;
    uint8_t command = write_length > 0 ? write[0] : 0;
    if (command == SEARCH_ROM) {
        buses->searching = (1u << SIMULATED_DS18B20) - 1;
        buses->place = 0;
    }
    for (int i = 0; i < SIMULATED_DS18B20; i++) {
        Ds18b20 *device = &buses->ds18b20[i];
        bool matches = command == MATCH_ROM && write_length > DS18B20_CODE_BYTES && memcmp(write + 1, device->code, DS18B20_CODE_BYTES) == 0;
        int32_t behind = matches ? 1 + DS18B20_CODE_BYTES : 1;
        if (!matches && command != SKIP_ROM) continue;
        const uint8_t *said = ds18b20_command(device, write + behind, write_length - behind, console_now_ms());
        for (int32_t n = 0; said && n < read_length && n < DS18B20_SCRATCHPAD_BYTES; n++) read[n] &= said[n]; /* who is low, wins */
    }
    return 0;
}

int32_t simulated_onewire_triplet(void *context, int32_t direction) {
    SimulatedBuses *buses = buses_of(context);
    if (buses->onewire) return buses->onewire;
    uint32_t at = buses->place++;
    uint32_t ones = 0;
    for (uint32_t i = 0; i < SIMULATED_DS18B20; i++) {
        if (buses->ds18b20[i].code[at / 8 % DS18B20_CODE_BYTES] >> (at % 8) & 1) ones |= 1u << i;
    }
    int32_t bit = (buses->searching & ~ones) == 0;
    int32_t complement = (buses->searching & ones) == 0;
    int32_t written = bit != complement ? bit : bit || direction ? 1 : 0;
    buses->searching &= written ? ones : ~ones;
    return bit | complement << 1 | written << 2;
}

int32_t simulated_adc_read(void *context, int32_t channel) {
    int32_t answer = buses_of(context)->adc;
    if (answer) return answer;
    return channel == 0 ? NTC_MICROVOLTS : -BUS_NONE;
}

int32_t simulated_temperature(void *context, int32_t sensor) {
    if (sensor != BOARD_DHT22 || buses_of(context)->dht22 == -BUS_NONE) return board_temperature(context, sensor);
    int32_t answer = buses_of(context)->dht22;
    return answer ? READING_FAILED - (FAULT_ABSENT - BUS_ABSENT - answer) : DHT22_TEMPERATURE;
}

int32_t simulated_humidity(void *context, int32_t sensor) {
    int32_t answer = buses_of(context)->dht22;
    if (sensor != BOARD_DHT22 && sensor != 0) answer = -BUS_NONE;
    return answer ? READING_FAILED - (FAULT_ABSENT - BUS_ABSENT - answer) : DHT22_HUMIDITY;
}

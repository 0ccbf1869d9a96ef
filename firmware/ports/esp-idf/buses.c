#include "buses.h"

#include "board_pins.h"
#include "pins.h"

#include <stdio.h>

static const char *text_of(const Settings *settings, int key) {
    return settings->values[key].text;
}

static bool refuse(char *error, uint32_t capacity, const char *words) {
    (void)snprintf(error, capacity, "%s", words);
    return false;
}

/* The board's own pins serve where a reading asks for them: what the settings do not use stays free, also for another bus. */
static bool is_wanted(const Settings *settings, int key) {
    static const char *const i2c[] = {"sht3x", "bme280", "own", NULL};
    static const char *const onewire[] = {"ds18b20", "own", NULL};
    static const char *const adc[] = {"ntc", "adc", "own", NULL};
    return text_of(settings, key) || pins_wanted(settings, key == SETTING_I2C ? i2c : key == SETTING_ONEWIRE ? onewire : adc);
}

static bool open_i2c(const char *text, char *error, uint32_t capacity) {
    int32_t pins[3] = {TWOBYTE_I2C_SDA, TWOBYTE_I2C_SCL, TWOBYTE_I2C_HERTZ};
    int32_t count = text ? pins_read(text, pins, 3) : 3;
    if (count < 2) return refuse(error, capacity, "i2c: write the pins of SDA and SCL, and maybe the clock in hertz: i2c = 5 6 100000");
    if (pins[0] < 0 || pins[1] < 0) return true; /* the board has none, and nobody asked for one */
    if (i2c_open(pins[0], pins[1], pins[2] > 0 ? pins[2] : 100000)) return true;
    return refuse(error, capacity, "i2c: the bus cannot be opened on these pins; name two that can be outputs, and a clock of at most 400000");
}

static bool open_onewire(const char *text, char *error, uint32_t capacity) {
    int32_t pin = TWOBYTE_ONEWIRE;
    if (text && pins_read(text, &pin, 1) != 1) return refuse(error, capacity, "onewire: write one pin: onewire = 4");
    if (pin < 0 || onewire_open(pin)) return true;
    return refuse(error, capacity, "onewire: the wire cannot be opened on this pin; name one that can be an output");
}

static bool open_adc(const char *text, char *error, uint32_t capacity) {
    int32_t pins[ADC_CHANNELS] = TWOBYTE_ADC_PINS;
    int32_t count = text ? pins_read(text, pins, ADC_CHANNELS) : TWOBYTE_ADC_COUNT;
    if (count < 0 || (text && count == 0)) return refuse(error, capacity, "adc: write up to 8 pins, channel 0 first: adc = 0 1");
    if (count == 0 || adc_open(pins, count)) return true;
    return refuse(error, capacity, "adc: one of the pins is none of ADC1; ADC2 is the radio's");
}

static bool open_dht22(const char *text, char *error, uint32_t capacity) {
    int32_t pin;
    if (!text) return true;
    if (pins_read(text, &pin, 1) != 1) return refuse(error, capacity, "dht22: write one pin: dht22 = 4");
    return dht22_open(pin) || refuse(error, capacity, "dht22: the sensor's wire cannot be opened on this pin; name one that can be an output");
}

bool buses_open(const Settings *settings, char *error, uint32_t capacity) {
    static const struct {
        int key;
        bool (*open)(const char *text, char *error, uint32_t capacity);
    } buses[] = {{SETTING_I2C, open_i2c}, {SETTING_ONEWIRE, open_onewire}, {SETTING_ADC, open_adc}};
    for (size_t i = 0; i < sizeof buses / sizeof buses[0]; i++) {
        if (is_wanted(settings, buses[i].key) && !buses[i].open(text_of(settings, buses[i].key), error, capacity)) return false;
    }
    return open_dht22(text_of(settings, SETTING_DHT22), error, capacity);
}

/* Made from the JSON in boards/ by scripts/boards.js; do not edit.
 *
 * What the board that Kconfig names has where the settings say nothing: GPIO numbers, -1 for what it has not. Channel n of the ADC is the
 * nth of TWOBYTE_ADC_PINS, an initializer of TWOBYTE_ADC_COUNT numbers. TWOBYTE_SENSOR_… are the numbers that `board:N` of a reading,
 * and so the import temperature, ask for: the chip's own thermometer, and the DHT22 of the setting dht22. */
#ifndef TWOBYTE_BOARD_PINS_H
#define TWOBYTE_BOARD_PINS_H

#include "sdkconfig.h"

#define TWOBYTE_SENSOR_CHIP 0
#define TWOBYTE_SENSOR_DHT22 1

#if defined(CONFIG_TWOBYTE_BOARD_ESP32_DEVKITC)
#define TWOBYTE_BOARD_NAME "esp32-devkitc"
#define TWOBYTE_CHIP "esp32"
#define TWOBYTE_I2C_SDA 21
#define TWOBYTE_I2C_SCL 22
#define TWOBYTE_I2C_HERTZ 100000
#define TWOBYTE_ONEWIRE 4
#define TWOBYTE_ADC_COUNT 4
#define TWOBYTE_ADC_PINS { 34, 35, 32, 33 }
#define TWOBYTE_LED (-1)
#define TWOBYTE_LED_WS2812 0
#elif defined(CONFIG_TWOBYTE_BOARD_ESP32_C3_DEVKITM)
#define TWOBYTE_BOARD_NAME "esp32-c3-devkitm"
#define TWOBYTE_CHIP "esp32c3"
#define TWOBYTE_I2C_SDA 5
#define TWOBYTE_I2C_SCL 6
#define TWOBYTE_I2C_HERTZ 100000
#define TWOBYTE_ONEWIRE 4
#define TWOBYTE_ADC_COUNT 3
#define TWOBYTE_ADC_PINS { 0, 1, 3 }
#define TWOBYTE_LED 8
#define TWOBYTE_LED_WS2812 1
#elif defined(CONFIG_TWOBYTE_BOARD_ADAFRUIT_QTPY_ESP32C3)
#define TWOBYTE_BOARD_NAME "adafruit-qtpy-esp32c3"
#define TWOBYTE_CHIP "esp32c3"
#define TWOBYTE_I2C_SDA 5
#define TWOBYTE_I2C_SCL 6
#define TWOBYTE_I2C_HERTZ 100000
#define TWOBYTE_ONEWIRE 10
#define TWOBYTE_ADC_COUNT 4
#define TWOBYTE_ADC_PINS { 4, 3, 1, 0 }
#define TWOBYTE_LED 2
#define TWOBYTE_LED_WS2812 1
#elif defined(CONFIG_TWOBYTE_BOARD_ESP32_S3_DEVKITC)
#define TWOBYTE_BOARD_NAME "esp32-s3-devkitc"
#define TWOBYTE_CHIP "esp32s3"
#define TWOBYTE_I2C_SDA 8
#define TWOBYTE_I2C_SCL 9
#define TWOBYTE_I2C_HERTZ 100000
#define TWOBYTE_ONEWIRE 4
#define TWOBYTE_ADC_COUNT 4
#define TWOBYTE_ADC_PINS { 1, 2, 5, 6 }
#define TWOBYTE_LED 48
#define TWOBYTE_LED_WS2812 1
#elif defined(CONFIG_TWOBYTE_BOARD_POSIX)
#define TWOBYTE_BOARD_NAME "posix"
#define TWOBYTE_CHIP "linux"
#define TWOBYTE_I2C_SDA (-1)
#define TWOBYTE_I2C_SCL (-1)
#define TWOBYTE_I2C_HERTZ 100000
#define TWOBYTE_ONEWIRE (-1)
#define TWOBYTE_ADC_COUNT 0
#define TWOBYTE_ADC_PINS { -1 }
#define TWOBYTE_LED (-1)
#define TWOBYTE_LED_WS2812 0
#else
#error "no board is chosen: idf.py menuconfig, Twobyte, Board"
#endif

#endif

/* The chip's own thermometer, `chip`: esp32c3 and esp32s3 have one, in steps of some 0.5 °C and a few degrees off: it measures the chip, which is warmer than the
 * room. esp32 has none that is calibrated. There are no files for recordings. */
#include "console.h"
#include "contract.h"
#include "thermometer.h"

#include "sdkconfig.h"
#include "soc/soc_caps.h"

#include <string.h>

#if SOC_TEMP_SENSOR_SUPPORTED

#include "driver/temperature_sensor.h"

#define CHIP_THERMOMETER "chip or "
#define LEAST_CELSIUS (-10)
#define MOST_CELSIUS 80

static temperature_sensor_handle_t sensor;

static bool open_chip(void) {
    temperature_sensor_config_t config = TEMPERATURE_SENSOR_CONFIG_DEFAULT(LEAST_CELSIUS, MOST_CELSIUS);
    return temperature_sensor_install(&config, &sensor) == ESP_OK && temperature_sensor_enable(sensor) == ESP_OK;
}

int32_t sensor_read(const Thermometer *thermometer) {
    (void)thermometer;
    float celsius;
    if (!sensor || temperature_sensor_get_celsius(sensor, &celsius) != ESP_OK) return READING_FAILED - THERMOMETER_ABSENT;
    return (int32_t)(celsius * 1000.0f);
}

#else

#define CHIP_THERMOMETER ""

static bool open_chip(void) {
    return false;
}

int32_t sensor_read(const Thermometer *thermometer) {
    (void)thermometer;
    return READING_FAILED - THERMOMETER_ABSENT;
}

#endif

bool sensor_open(Thermometer *thermometer, const char *name) {
    if (strcmp(name, "chip") == 0 && open_chip()) return true;
    return thermometer_refuse(thermometer, "\"%.100s\" is no thermometer of this chip; take " CHIP_THERMOMETER "simulated:SEED, or sensors of one's own by reading_1", name);
}

bool recording_open(Thermometer *thermometer, const char *path) {
    return thermometer_refuse(thermometer, "replay: %.100s: this board keeps no recordings", path);
}

int32_t recording_bytes(const Thermometer *thermometer, int64_t offset, char *to, uint32_t capacity) {
    (void)thermometer;
    (void)offset;
    (void)to;
    (void)capacity;
    return 0;
}

void thermometer_close(Thermometer *thermometer) {
    (void)thermometer;
}

const char *console_reading_fault(int32_t number) {
    return number == THERMOMETER_ABSENT ? "there is no such sensor" : "the sensor did not answer as it should";
}

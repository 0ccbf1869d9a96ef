#include "buses.h"

#include "contract.h"

#include "esp_adc/adc_cali.h"
#include "esp_adc/adc_cali_scheme.h"
#include "esp_adc/adc_oneshot.h"

/* The mean of so many: one of them has a noise of some 10 mV. */
#define SAMPLES 16
/* Where the chip was not calibrated in the factory: full scale at 12 dB, as the data sheets give it. */
#define FULL_MICROVOLTS 2500000
#define FULL_STEPS 4095

static adc_oneshot_unit_handle_t unit;
static struct {
    adc_channel_t channel;
    adc_cali_handle_t calibration; /* NULL: the chip was not calibrated */
} channels[ADC_CHANNELS];
static int32_t channel_count;

static adc_cali_handle_t calibrate(adc_channel_t channel) {
    adc_cali_handle_t made = NULL;
#if ADC_CALI_SCHEME_CURVE_FITTING_SUPPORTED
    const adc_cali_curve_fitting_config_t config = {.unit_id = ADC_UNIT_1, .chan = channel, .atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_DEFAULT};
    return adc_cali_create_scheme_curve_fitting(&config, &made) == ESP_OK ? made : NULL;
#elif ADC_CALI_SCHEME_LINE_FITTING_SUPPORTED
    (void)channel;
    const adc_cali_line_fitting_config_t config = {.unit_id = ADC_UNIT_1, .atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_DEFAULT};
    return adc_cali_create_scheme_line_fitting(&config, &made) == ESP_OK ? made : NULL;
#else
    (void)channel;
    return made;
#endif
}

bool adc_open(const int32_t *pins, int32_t count) {
    const adc_oneshot_unit_init_cfg_t init = {.unit_id = ADC_UNIT_1};
    const adc_oneshot_chan_cfg_t config = {.atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_DEFAULT};
    if (adc_oneshot_new_unit(&init, &unit) != ESP_OK) return false;
    for (int32_t i = 0; i < count; i++) {
        adc_unit_t found;
        if (adc_oneshot_io_to_channel((int)pins[i], &found, &channels[i].channel) != ESP_OK || found != ADC_UNIT_1) return false;
        if (adc_oneshot_config_channel(unit, channels[i].channel, &config) != ESP_OK) return false;
        channels[i].calibration = calibrate(channels[i].channel);
    }
    channel_count = count;
    return true;
}

int32_t adc_microvolts(int32_t channel) {
    int32_t sum = 0;
    if (channel < 0 || channel >= channel_count) return -BUS_NONE;
    for (int i = 0; i < SAMPLES; i++) {
        int steps;
        int millivolts;
        if (adc_oneshot_read(unit, channels[channel].channel, &steps) != ESP_OK) return -BUS_TIMEOUT;
        if (!channels[channel].calibration) sum += (int32_t)((int64_t)steps * FULL_MICROVOLTS / FULL_STEPS);
        else if (adc_cali_raw_to_voltage(channels[channel].calibration, steps, &millivolts) == ESP_OK) sum += millivolts * 1000;
        else return -BUS_TIMEOUT;
    }
    return sum / SAMPLES;
}

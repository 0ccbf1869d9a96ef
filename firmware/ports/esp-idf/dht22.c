#include "buses.h"

#include "contract.h"
#include "dht22_bits.h"

#include "driver/gpio.h"
#include "driver/rmt_rx.h"
#include "esp_rom_sys.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "soc/soc_caps.h"

#define ASK_US 1200      /* low, at least 1 ms */
#define ANSWER_MS 10     /* it takes 5 */
#define PAUSE_MS 2000    /* between two readings, of the data sheet */
#define SYMBOLS SOC_RMT_MEM_WORDS_PER_CHANNEL /* pairs of levels, as one channel has; an answer has 42 */
#define IDLE_NS 200000   /* longer than any level: the end */
#define GLITCH_NS 1000

static rmt_channel_handle_t channel;
static QueueHandle_t done;
static gpio_num_t wire;
static rmt_symbol_word_t symbols[SYMBOLS];
static int64_t asked_at;
static bool asked;
static int32_t last_answer;
static int32_t last_temperature;
static int32_t last_humidity;

static bool on_done(rmt_channel_handle_t unused, const rmt_rx_done_event_data_t *event, void *context) {
    (void)unused;
    BaseType_t woken = pdFALSE;
    uint32_t count = (uint32_t)event->num_symbols;
    (void)xQueueSendFromISR(context, &count, &woken);
    return woken == pdTRUE;
}

bool dht22_open(int32_t pin) {
    const rmt_rx_channel_config_t config = {.gpio_num = (gpio_num_t)pin, .clk_src = RMT_CLK_SRC_DEFAULT, .resolution_hz = 1000000, .mem_block_symbols = SYMBOLS};
    const rmt_rx_event_callbacks_t callbacks = {.on_recv_done = on_done};
    wire = (gpio_num_t)pin;
    done = xQueueCreate(1, sizeof(uint32_t));
    if (!done || rmt_new_rx_channel(&config, &channel) != ESP_OK) return false;
    if (rmt_rx_register_event_callbacks(channel, &callbacks, done) != ESP_OK || rmt_enable(channel) != ESP_OK) return false;
    /* The channel made it an input: now it can also be pulled low. */
    return gpio_set_level(wire, 1) == ESP_OK && gpio_set_direction(wire, GPIO_MODE_INPUT_OUTPUT_OD) == ESP_OK &&
           gpio_set_pull_mode(wire, GPIO_PULLUP_ONLY) == ESP_OK;
}

/* How long the wire was high each time. */
static uint32_t highs_of(uint32_t count, uint16_t *highs, uint32_t capacity) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < count && found < capacity; i++) {
        if (symbols[i].level0 && symbols[i].duration0) highs[found++] = symbols[i].duration0;
        if (symbols[i].level1 && symbols[i].duration1 && found < capacity) highs[found++] = symbols[i].duration1;
    }
    return found;
}

static int32_t ask(void) {
    const rmt_receive_config_t config = {.signal_range_min_ns = GLITCH_NS, .signal_range_max_ns = IDLE_NS};
    uint16_t highs[DHT22_BITS + 2];
    uint32_t count = 0;
    (void)xQueueReset(done);
    if (gpio_get_level(wire) == 0) return -BUS_STUCK;
    (void)gpio_set_level(wire, 0);
    esp_rom_delay_us(ASK_US);
    esp_err_t error = rmt_receive(channel, symbols, sizeof symbols, &config);
    (void)gpio_set_level(wire, 1);
    if (error != ESP_OK) return -BUS_TIMEOUT;
    bool answered = xQueueReceive(done, &count, pdMS_TO_TICKS(ANSWER_MS) + 1) == pdTRUE;
    if (!answered || count < 2) {
        /* A receive that nothing ends is taken back. */
        (void)rmt_disable(channel);
        (void)rmt_enable(channel);
        return -BUS_ABSENT;
    }
    return dht22_decode(highs, highs_of(count, highs, DHT22_BITS + 2), &last_temperature, &last_humidity);
}

int32_t dht22_read(int64_t now, int32_t *temperature, int32_t *humidity) {
    if (!channel) return -BUS_NONE;
    if (!asked || now - asked_at >= PAUSE_MS) {
        last_answer = ask();
        asked_at = now;
        asked = true;
    }
    *temperature = last_temperature;
    *humidity = last_humidity;
    return last_answer;
}

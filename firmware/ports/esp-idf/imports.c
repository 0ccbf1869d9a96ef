#include "imports.h"

#include "buses.h"
#include "console.h"
#include "contract.h"
#include "modules.h"
#include "provisioned.h"
#include "storage.h"
#include "times.h"
#include "updates.h"

#include "board_pins.h"
#include "esp_random.h"

#include <stdio.h>

void board_name_server(Board *board) {
    const Server *server = links_server(&board->links);
    if (server) (void)snprintf(board->address, sizeof board->address, "%s:%s", server->host, server->port);
    else (void)snprintf(board->address, sizeof board->address, "the other end of the line");
}

void board_say_built_in(const Board *board) {
    if (!provisioned_built_in()) return;
    if (board->has_thermometer) console_say("built-in settings: the chip's own temperature, by this line; twobyte provision gives the board others");
    else console_say("built-in settings, and this chip has no thermometer: attach a sensor, name it in twobyte.config.json, then twobyte provision");
}

static int32_t link_open(void *context, int32_t link, int32_t choice) {
    Board *board = context;
    int32_t answer = links_open(&board->links, link, choice, console_now_ms());
    board_name_server(board);
    return answer;
}

static int32_t link_send(void *context, int32_t link, const uint8_t *data, int32_t length) {
    Board *board = context;
    return links_send(&board->links, link, data, length);
}

static void link_close(void *context, int32_t link) {
    Board *board = context;
    links_close(&board->links, link);
}

static int32_t remember_gateway(void *context, int32_t slot, const uint8_t *address, int32_t length) {
    Board *board = context;
    return links_remember(&board->links, slot, address, length);
}

/* The chip's own noise, while the radio runs: else of its oscillators. */
static int32_t random_bits(void *context) {
    (void)context;
    return (int32_t)esp_random();
}

static int32_t store_write(void *context, int32_t key, const uint8_t *data, int32_t length) {
    (void)context;
    return storage_write(key, data, length);
}

static int32_t store_read(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    (void)context;
    return storage_read(key, to, capacity);
}

static int32_t unix_time(void *context) {
    (void)context;
    return times_unix();
}

/* Of a negated BUS_… or FAULT_… what a failed reading is. */
static int32_t failed(int32_t answer) {
    int32_t number = -answer;
    return READING_FAILED - (number <= BUS_NONE ? FAULT_ABSENT - BUS_ABSENT + number : number);
}

static int32_t temperature(void *context, int32_t sensor) {
    Board *board = context;
    int32_t celsius;
    int32_t percent;
    if (sensor == TWOBYTE_SENSOR_DHT22) {
        int32_t answer = dht22_read(console_now_ms(), &celsius, &percent);
        return answer == 0 ? celsius : failed(answer);
    }
    return board->has_thermometer ? board_temperature(context, sensor) : READING_FAILED - THERMOMETER_ABSENT;
}

/* The DHT22 is the only hygrometer: the first, too. */
static int32_t humidity(void *context, int32_t sensor) {
    (void)context;
    int32_t celsius;
    int32_t percent;
    int32_t answer = sensor == 0 || sensor == TWOBYTE_SENSOR_DHT22 ? dht22_read(console_now_ms(), &celsius, &percent) : -BUS_NONE;
    return answer == 0 ? percent : failed(answer);
}

static void event(void *context, int32_t code, int32_t a, int32_t b) {
    Board *board = context;
    board_event(context, code, a, b);
    if (code == EVENT_CONNECTED) {
        slots_connected(modules_slots());
        updates_connected();
        board_say_built_in(board); /* again: with a broker by the line, whoever reads it is there now */
    }
    if (code == EVENT_READING || code == EVENT_READING_BUFFERED || code == EVENT_READING_DROPPED || code == EVENT_READING_FAILED) board->readings++;
}

static int32_t board_i2c_transfer(void *context, int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    (void)context;
    return i2c_transfer(address, write, write_length, read, read_length);
}

static int32_t board_onewire_transfer(void *context, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    (void)context;
    return onewire_transfer(write, write_length, read, read_length);
}

static int32_t board_onewire_triplet(void *context, int32_t direction) {
    (void)context;
    return onewire_triplet(direction);
}

static int32_t adc_read(void *context, int32_t channel) {
    (void)context;
    return adc_microvolts(channel);
}

static int32_t take_update(void *context, const uint8_t *payload, int32_t length) {
    (void)context;
    return updates_take(payload, length);
}

static int32_t answer_update(void *context, uint8_t *to, int32_t capacity) {
    (void)context;
    return updates_answer(to, capacity);
}

const Port board_port = {
    .link_open = link_open,
    .link_send = link_send,
    .link_close = link_close,
    .remember_gateway = remember_gateway,
    .random = random_bits,
    .config_text = board_config_text,
    .config_number = board_config_number,
    .store_write = store_write,
    .store_read = store_read,
    .unix_time = unix_time,
    .temperature = temperature,
    .event = event,
    .i2c_transfer = board_i2c_transfer,
    .onewire_transfer = board_onewire_transfer,
    .onewire_triplet = board_onewire_triplet,
    .adc_read = adc_read,
    .humidity = humidity,
    .update_take = take_update,
    .update_answer = answer_update,
};

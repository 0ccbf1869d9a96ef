/* The ESP32's board: one module in the shell, under ESP-IDF. One task, which waits in poll(2) for the links, for what other tasks tell (waits.h), or the time
 * that step asked for; one thing is told, then comes a step. Nothing is allocated by it after the start; ESP-IDF's own tasks do. */

#include "buses.h"
#include "console.h"
#include "console_device.h"
#include "contract.h"
#include "flash.h"
#include "heap.h"
#include "imports.h"
#include "kept.h"
#include "life.h"
#include "logs.h"
#include "modules.h"
#include "network.h"
#include "provisioned.h"
#include "remembered.h"
#include "sleep.h"
#include "storage.h"
#include "times.h"
#include "updates.h"
#include "waits.h"
#include "watchdog.h"
#include "wire.h"

#include "board_pins.h"
#include "esp_random.h"
#include "nvs_flash.h"

#include <stdlib.h>

/* How long what was said last may be on its way, and the board rests before it starts anew when nothing can run. */
#define DRAIN_MS 2000

const char console_name[] = "twobyte-" TWOBYTE_CHIP;

static Board board;

static _Noreturn void restart(void) {
    wire_drain(DRAIN_MS);
    sleep_restart();
}

static void tell_board(bool configured) {
    int slot = life_slot();
    const Slot *module = slot < 0 ? NULL : &modules_slots()->slots[slot];
    const char *name = engine_compiled(0) ? engine_compiled(0) : !module ? "" : slot == 0 ? "slot 0" : "slot 1";
    console_board(&(ConsoleBoard){.board = TWOBYTE_BOARD_NAME, .chip = TWOBYTE_CHIP, .module = name, .version = module ? module->version : 0, .settings = configured && !provisioned_built_in()});
}

/* With settings that nothing can start with, or without a module: the host is heard, until it has sent better ones, or a module. Does not return. */
static _Noreturn void wait_for_settings(void) {
    console_unconfigured();
    for (;;) {
        uint32_t value;
        struct pollfd polls[2] = {{.fd = console_device_poll(), .events = POLLIN}};
        watchdog_feed();
        wire_carry();
        for (LineWish wish = line_wish(wire_line(), &value); wish != LINE_NOTHING; wish = line_wish(wire_line(), &value)) {
            if (wish == LINE_TELL) tell_board(false);
            if (wish == LINE_RESTART) restart();
            if (wish == LINE_CLOCK) times_set(value);
        }
        if (updates_complete()) restart();
        waits_for(polls, 1, wire_wait(WATCHDOG_WAIT_MS));
    }
}

/* What is at fault in the settings: a person is told, and the host may send others. */
static _Noreturn void give_up(const char *words) {
    console_say("%s", words);
    wait_for_settings();
}

static bool is_given(int key) {
    return board.settings.values[key].text != NULL;
}

/* NVS of Wi-Fi's own calibration data: what cannot be read is made anew. */
static void open_calibration(void) {
    esp_err_t error = nvs_flash_init();
    if (error != ESP_ERR_NVS_NO_FREE_PAGES && error != ESP_ERR_NVS_NEW_VERSION_FOUND) return;
    if (nvs_flash_erase() == ESP_OK) (void)nvs_flash_init();
}

static void open_sensors(void) {
    static char error[160];
    const char *thermometer = board.settings.values[SETTING_THERMOMETER].text;
    if (!buses_open(&board.settings, error, sizeof error)) give_up(error);
    board.has_thermometer = thermometer && thermometer_open(&board.thermometer, thermometer);
    if (!thermometer || board.has_thermometer || provisioned_built_in()) return; /* a chip without one: its readings fail, and say so */
    console_say("thermometer: %s", board.thermometer.error);
    wait_for_settings();
}

static void open_network(void) {
    const Settings *settings = &board.settings;
    const char *ssid = settings->values[SETTING_WIFI_SSID].text;
    bool by_line = settings->carrier == CARRIER_LINE_STREAM || settings->carrier == CARRIER_LINE_DATAGRAMS;
    if (network_is_needed() && !ssid && !by_line) give_up("wifi_ssid: is not set; name the network, or take a broker mqtt+line://");
    if (by_line) ssid = NULL;
    if (!network_open(ssid, settings->values[SETTING_WIFI_PASSWORD].text)) give_up("Wi-Fi: its driver could not be started");
    if (!by_line) times_ask(settings->values[SETTING_TIME_SERVER].text);
    if (!by_line && !lookup_open()) give_up("there is no memory for looking up names");
}

static Sleep open_sleep(void) {
    Sleep sleep = sleep_named(board.settings.values[SETTING_POWER].text);
    if (sleep == SLEEP_UNKNOWN) give_up("power: write on, light or deep");
    if (sleep == SLEEP_DEEP && !is_given(SETTING_JOURNAL)) give_up("power: deep sleep loses what is not acknowledged; set journal = nvs, too");
    if (sleep == SLEEP_LIGHT) network_saves_power(true);
    return sleep;
}

static void open_journal(void) {
    if (!is_given(SETTING_JOURNAL)) return;
    const char *error = storage_open();
    if (!error) return;
    console_say("journal: %s", error);
    wait_for_settings();
}

static void open_board(Remembered *remembered) {
    static char error[128];
    const Settings *settings = &board.settings;
    if (!provisioned_read(&board.settings)) give_up(board.settings.error);
    if (!is_given(SETTING_BROKER)) give_up("broker: is not set; write mqtt://, mqtts:// or mqtt-sn://, and a host");
    if (is_given(CONFIG_CLIENT_ID)) console_client(settings->values[CONFIG_CLIENT_ID].text);
    board.imports = (BoardImports){.settings = settings, .thermometer = &board.thermometer, .address = board.address};
    open_sensors();
    open_journal();
    open_network();
    links_init(&board.links, settings, provisioned_identity());
    board_name_server(&board);
    life_slot_set(modules_open(remembered));
    if (!updates_open(settings, wire_line(), error, sizeof error)) give_up(error);
}

void app_main(void) {
    heap_open();
    Remembered *remembered = remembered_open();
    bool waits = flash_open() && waits_open();
    bool logs = logs_open();
    bool wire = wire_open(esp_random());
    const char *kept = kept_open();
    provisioned_take(wire_line());
    (void)watchdog_open(remembered, &board.shell);
    open_calibration();
    if (!waits || !logs || !wire) abort(); /* there is nobody to tell; the panic's words come by the console */
    if (kept) give_up(kept);
    open_board(remembered);
    Sleep sleep = open_sleep();
    tell_board(true);
    board_say_built_in(&board);
    if (life_slot() < 0) give_up("there is no module in the flash that this board can start; flash or deploy one");
    life_run(&board, remembered, sleep, tell_board);
    restart();
}

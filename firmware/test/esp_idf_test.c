/* What of the ESP-IDF port needs no ESP-IDF: addresses of brokers, pins, a DHT22's bits, lines of a log, times. */
#include "brokers.h"
#include "check.h"
#include "contract.h"
#include "dht22_bits.h"
#include "logs.h"
#include "network.h"
#include "pins.h"
#include "remembered.h"
#include "settings.h"
#include "sleep.h"

#include <string.h>

static Settings settings;

static void check(const char *name, bool holds) {
    check_begin(name);
    CHECK(holds, "it does not hold; %s", settings.error);
    check_end();
}

static bool read_broker(const char *urls) {
    settings = (Settings){0};
    return settings_set(&settings, "broker", urls, (uint32_t)strlen(urls), "settings", 1);
}

/* Addresses that are taken: how, and of the last one host and port. */
static const struct {
    const char *urls;
    Carrier carrier;
    bool secure;
    bool search;
    uint32_t count;
    const char *host;
    const char *port;
} good[] = {
    {"mqtt://broker.local", CARRIER_TCP, false, false, 1, "broker.local", "1883"},
    {"mqtt://broker.local:11883/", CARRIER_TCP, false, false, 1, "broker.local", "11883"},
    {"mqtts://broker.local", CARRIER_TCP, true, false, 1, "broker.local", "8883"},
    {" mqtts://a  mqtts://b:1 ", CARRIER_TCP, true, false, 2, "b", "1"},
    {"mqtt-sn://10.0.0.1", CARRIER_UDP, false, false, 1, "10.0.0.1", "1884"},
    {"mqtt-sn://10.0.0.1?search", CARRIER_UDP, false, true, 1, "10.0.0.1", "1884"},
    {"mqtt-sn://225.1.1.1:1885", CARRIER_UDP, false, true, 1, "225.1.1.1", "1885"},
    {"mqtt-sn://255.255.255.255", CARRIER_UDP, false, true, 1, "255.255.255.255", "1884"},
    {"mqtt-sn://225.example.org", CARRIER_UDP, false, false, 1, "225.example.org", "1884"},
    {"mqtt+line://", CARRIER_LINE_STREAM, false, false, 1, "", ""},
    {"mqtt-sn+line://bridge", CARRIER_LINE_DATAGRAMS, false, false, 1, "", ""},
};

static void takes_brokers(void) {
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        bool taken = read_broker(good[i].urls);
        const Server *server = &settings.servers[taken ? settings.server_count - 1 : 0];
        check(good[i].urls, taken && settings.carrier == good[i].carrier && brokers_secure(&settings) == good[i].secure && settings.search == good[i].search &&
                                settings.server_count == good[i].count && strcmp(server->host, good[i].host) == 0 && strcmp(server->port, good[i].port) == 0);
    }
}

static void refuses_brokers(void) {
    static const char *const bad[][2] = {
        {"http://a", "none of them"},
        {"a", "none of them"},
        {"mqtt://", "names no host"},
        {"mqtt://user:secret@a", "credentials"},
        {"mqtt://a:0", "1 to 65535"},
        {"mqtt://a:65536", "1 to 65535"},
        {"mqtt://a:secret", "1 to 65535"},
        {"mqtt://a/path", "too much"},
        {"mqtt://a?search", "too much"},
        {"mqtt://a mqtts://b", "one kind"},
        {"mqtt-sn://225.1.1.1 mqtt-sn://b", "no other address"},
        {"mqtt://a mqtt://b mqtt://c mqtt://d mqtt://e", "there may be"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bool taken = read_broker(bad[i][0]);
        check(bad[i][0], !taken && strstr(settings.error, bad[i][1]) && !strstr(settings.error, "secret"));
    }
}

static void reads_pins(void) {
    int32_t pins[3] = {-1, -1, -1};
    check("two pins", pins_read("5 6", pins, 3) == 2 && pins[0] == 5 && pins[1] == 6 && pins[2] == -1);
    check("blanks around", pins_read(" 5\t6  100000 ", pins, 3) == 3 && pins[2] == 100000);
    check("none", pins_read("", pins, 3) == 0);
    check("too many", pins_read("1 2 3 4", pins, 3) == -1);
    check("no number", pins_read("5 a", pins, 3) == -1 && pins_read("-1", pins, 3) == -1 && pins_read("5,6", pins, 3) == -1);
    check("a number that is too large", pins_read("10000000", pins, 1) == 1 && pins_read("10000001", pins, 1) == -1 && pins_read("99999999999", pins, 1) == -1);
}

static bool wanted(const char *text) {
    static const char *const drivers[] = {"ds18b20", "own", NULL};
    settings = (Settings){0};
    return settings_read(&settings, "settings", text, (uint32_t)strlen(text)) && pins_wanted(&settings, drivers);
}

static void wants_pins(void) {
    check("no reading", !wanted("topic = t\n"));
    check("a driver", wanted("reading_1 = ds18b20 temperature t\n"));
    check("a driver with parameters, the last reading", wanted("reading_8 = ds18b20:28ff641e0f1603a2:9 temperature t\n"));
    check("one of several", wanted("reading_1 = sht3x:44 temperature t\nreading_2 = own value u\n"));
    check("another driver", !wanted("reading_1 = sht3x:44 temperature t\n"));
    check("another whose name begins alike", !wanted("reading_1 = ds18b2 temperature t\nreading_2 = ds18b20x temperature t\n"));
    check("a topic of that name", !wanted("reading_1 = sht3x:44 temperature own\n"));
}

/* The levels that say these bytes. */
static uint32_t levels(const uint8_t bytes[5], uint16_t *highs) {
    uint32_t count = 0;
    highs[count++] = 80;
    for (int bit = 0; bit < DHT22_BITS; bit++) highs[count++] = bytes[bit / 8] >> (7 - bit % 8) & 1 ? 70 : 26;
    return count;
}

static int32_t decode(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t sum, int32_t *temperature, int32_t *humidity) {
    const uint8_t bytes[5] = {a, b, c, d, sum};
    uint16_t highs[DHT22_BITS + 2];
    return dht22_decode(highs, levels(bytes, highs), temperature, humidity);
}

static void decodes_a_dht22(void) {
    int32_t celsius = 0;
    int32_t percent = 0;
    uint16_t highs[DHT22_BITS + 3] = {0};
    check("the data sheet's 65.2 % and 35.1 °C", decode(0x02, 0x8c, 0x01, 0x5f, 0xee, &celsius, &percent) == 0 && celsius == 35100 && percent == 65200);
    check("the data sheet's -10.1 °C", decode(0x02, 0x8c, 0x80, 0x65, 0x73, &celsius, &percent) == 0 && celsius == -10100);
    celsius = 1;
    check("a wrong sum", decode(0x02, 0x8c, 0x01, 0x5f, 0xef, &celsius, &percent) == -FAULT_CHECKSUM && celsius == 1);
    check("over 100 %", decode(0x03, 0xe9, 0x00, 0x00, 0xec, &celsius, &percent) == -FAULT_RANGE);
    check("over 80 °C", decode(0x00, 0x00, 0x03, 0x21, 0x24, &celsius, &percent) == -FAULT_RANGE);
    check("below -40 °C", decode(0x00, 0x00, 0x81, 0x91, 0x12, &celsius, &percent) == -FAULT_RANGE);
    check("too few bits", dht22_decode(highs, DHT22_BITS - 1, &celsius, &percent) == -BUS_TIMEOUT);
    check("too many bits", dht22_decode(highs, DHT22_BITS + 3, &celsius, &percent) == -BUS_TIMEOUT);
}

static void takes_colours_out(void) {
    char coloured[] = "\033[0;31mE (12) wifi:\tgone\033[0m\r\n";
    char broken[] = "\033[0;31";
    uint32_t length = logs_plain(coloured, (uint32_t)strlen(coloured));
    check("a line of the log", length == 17 && memcmp(coloured, "E (12) wifi: gone", 17) == 0);
    length = logs_plain(broken, (uint32_t)strlen(broken));
    check("a colour that is cut off", length == 5 && memcmp(broken, "[0;31", 5) == 0);
    check("an empty line", logs_plain(broken, 0) == 0);
}

/* The slot whose start is still uncertain after the watchdog came within `running`. */
static bool uncertain(int32_t slot, const char *running) {
    Remembered remembered = {.slot = slot, .states = {{.trial = 1}, {.trial = 1}}};
    remembered_late(&remembered, running);
    return remembered.late == 1 && strncmp(remembered.running, running, sizeof remembered.running - 1) == 0 && remembered.states[1].trial == 1;
}

static void notes_the_watchdog(void) {
    check("within an export: told as its failure", !uncertain(1, "step"));
    check("outside of one: a start of which nothing is known", uncertain(1, ""));
    check("another slot", uncertain(0, "step"));
    check("without a module, or a name that is too long", uncertain(-1, "step") && uncertain(2, "an_export_of_a_long_name"));
}

static void keeps_times(void) {
    check("the first attempt again", network_wait(0, 0) == 250 && network_wait(0, 250) == 500);
    check("attempts double", network_wait(3, 2000) == 4000 && network_wait(3, 0) == 2000);
    check("up to a minute", network_wait(7, 30000) == NETWORK_WAIT_MOST_MS && network_wait(UINT32_MAX, 0) == NETWORK_WAIT_MOST_MS / 2);
    check("the rest of an interval is slept", sleep_ms(60000, 4000) == 56000);
    check("what is not worth it is not", sleep_ms(12000, 4000) == 0 && sleep_ms(1000, 4000) == 0);
    check("power", sleep_named(NULL) == SLEEP_NEVER && sleep_named("on") == SLEEP_NEVER && sleep_named("light") == SLEEP_LIGHT && sleep_named("deep") == SLEEP_DEEP &&
                       sleep_named("off") == SLEEP_UNKNOWN);
}

int main(void) {
    takes_brokers();
    refuses_brokers();
    reads_pins();
    wants_pins();
    decodes_a_dht22();
    takes_colours_out();
    notes_the_watchdog();
    keeps_times();
    return CHECK_STATUS();
}

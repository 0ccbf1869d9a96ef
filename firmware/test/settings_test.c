#include "check.h"
#include "contract.h"
#include "settings_file.h"

#include <stdlib.h>

static Settings settings;

static bool read_text(const char *text) {
    settings = (Settings){0};
    return settings_read(&settings, "board.conf", text, (uint32_t)strlen(text));
}

/* Files that are taken: what a key's text is then; NULL: absent. */
static const struct {
    const char *name;
    const char *text;
    int key;
    const char *value;
} good[] = {
    {"an empty file", "", CONFIG_TOPIC, NULL},
    {"a text", "topic = myhome/底楼/客厅/温度\n", CONFIG_TOPIC, "myhome/底楼/客厅/温度"},
    {"no newline at the end", "topic=a", CONFIG_TOPIC, "a"},
    {"blanks around key and value", " \ttopic \t=\t a b \t\n", CONFIG_TOPIC, "a b"},
    {"lines that end in CR LF", "topic = a\r\nqos = 1\r\n", CONFIG_TOPIC, "a"},
    {"a byte order mark", "\xef\xbb\xbftopic = a\n", CONFIG_TOPIC, "a"},
    {"comments and blank lines", "# topic = x\n\n   \n  # y\ntopic = a\n", CONFIG_TOPIC, "a"},
    {"a # within a value", "command_topic = a/#\n", CONFIG_COMMAND_TOPIC, "a/#"},
    {"an = within a value", "password = a=b=c\n", CONFIG_PASSWORD, "a=b=c"},
    {"quotes that keep blanks", "unit = \" °C\"\n", CONFIG_UNIT, " °C"},
    {"a quotation mark inside", "unit = 5\" x\n", CONFIG_UNIT, "5\" x"},
    {"a quoted quotation mark", "unit = \"\"\"\n", CONFIG_UNIT, "\""},
    {"an empty value", "username =\n", CONFIG_USERNAME, ""},
    {"an empty quoted value", "username = \"\"\n", CONFIG_USERNAME, ""},
    {"a number", "interval = 500\n", CONFIG_INTERVAL, "500"},
    {"the smallest number", "interval = -2147483648\n", CONFIG_INTERVAL, "-2147483648"},
    {"the largest number", "interval = 2147483647\n", CONFIG_INTERVAL, "2147483647"},
    {"pre-defined topics", "predefined = 1=a/b+2=c\n", CONFIG_PREDEFINED, "1=a/b+2=c"},
    {"a node id", "node_id = 12\n", CONFIG_NODE_ID, "12"},
    {"the journal", "journal = /var/lib/twobyte/board.journal\n", SETTING_JOURNAL, "/var/lib/twobyte/board.journal"},
    {"the board's own key", "module = build/sensor-mqtt.wasm\n", SETTING_MODULE, "build/sensor-mqtt.wasm"},
};

/* Files that are refused, and what the message says. */
static const struct {
    const char *name;
    const char *text;
    const char *error;
} bad[] = {
    {"an unknown key", "topic = a\nintervall = 5\n", "board.conf:2: intervall: no such key; the keys are update_trial, public_key, modules, dht22, adc, onewire, i2c, console, fallback, journal, module, thermometer, broker, update_topic, reading_8, "},
    {"no =", "topic a\n", "board.conf:1: \"topic…\" is not of the form key = value"},
    {"a colon for the =, behind which a password may stand", "password: c2VjcmV0\n", "board.conf:1: \"password…\" is not of the form"},
    {"the same where the password ends in one", "password: c2VjcmV0=\n", "board.conf:1: password…: no such key"},
    {"no key", "= a\n", "board.conf:1: no such key"},
    {"a key in capitals", "TOPIC = a\n", "board.conf:1: TOPIC: no such key"},
    {"a key given twice", "topic = a\n\ntopic = b\n", "board.conf:3: topic: given before, in line 1"},
    {"a number that is none", "interval = soon\n", "board.conf:1: interval: \"soon\" is not a whole number"},
    {"a number with a unit", "interval = 5s\n", "is not a whole number"},
    {"a number with a fraction", "interval = 5.5\n", "is not a whole number"},
    {"an empty number", "qos =\n", "board.conf:1: qos: \"\" is not a whole number"},
    {"a minus alone", "qos = -\n", "is not a whole number"},
    {"a number over 32 bits", "interval = 2147483648\n", "is not a whole number"},
    {"a number of many digits", "interval = 00000000000000000001\n", "is not a whole number"},
    {"yes for a number", "retain = yes\n", "board.conf:1: retain: \"yes\" is not a whole number"},
    {"an open quotation mark", "unit = \" C\n", "board.conf:1: unit: the quotation mark is not closed"},
    {"a quotation mark alone", "unit = \"\n", "the quotation mark is not closed"},
    {"an empty journal", "journal =\n", "board.conf:1: journal: is empty"},
    {"a buffer that is no number", "buffer = all\n", "board.conf:1: buffer: \"all\" is not a whole number"},
    {"a policy of the buffer that is no number", "buffer_policy = oldest\n", "buffer_policy: \"oldest\" is not a whole number"},
    {"an empty module", "module =\n", "board.conf:1: module: is empty"},
    {"a broker without scheme", "broker = localhost:1883\n", "board.conf:1: broker: \"localhost:1883\" is no address; write mqtt://host"},
    {"a TLS broker", "broker = mqtts://a\n", "broker: this board has neither TLS nor WebSocket: it speaks mqtt:// (plain TCP), mqtt-sn:// (UDP) and mqtt-sn+serial:// only, not mqtts://"},
    {"a WebSocket broker", "broker = ws://a\n", "not ws://; the virtual rung"},
    {"credentials in the address", "broker = mqtt://me:secret@a\n", "broker: credentials do not belong in the address; use the keys username"},
    {"no host", "broker = mqtt://:1883\n", "names no host"},
    {"a port that is none", "broker = mqtt://a:mqtt\n", "the port is a number from 1 to 65535"},
    {"an empty port", "broker = mqtt://a:\n", "the port is a number from 1 to 65535"},
    {"port 0", "broker = mqtt://a:0\n", "the port is a number from 1 to 65535"},
    {"port 65536", "broker = mqtt://a:65536\n", "the port is a number from 1 to 65535"},
    {"a port of six digits", "broker = mqtt://a:001883\n", "the port is a number from 1 to 65535"},
    {"a path", "broker = mqtt://a:1883/mqtt\n", "\"/mqtt\" is too much; write mqtt://host:port"},
    {"MQTT-SN over TLS", "broker = mqtts-sn://a\n", "mqtt-sn+serial:// only, not mqtts-sn://"},
    {"a search over MQTT", "broker = mqtt://a?search\n", "\"?search\" is too much; write mqtt://host:port"},
    {"no gateway", "broker = mqtt-sn://\n", "names no host"},
    {"brokers of two kinds", "broker = mqtt://a mqtt-sn://b\n", "\"mqtt-sn://b\" is of another kind than the address before it"},
    {"five brokers", "broker = mqtt://a mqtt://b mqtt://c mqtt://d mqtt://e\n", "\"mqtt://e\" is one address too many; there may be 4"},
    {"a search beside a gateway", "broker = mqtt-sn://a mqtt-sn://239.1.1.1\n", "where gateways are searched, there is no other address"},
    {"a gateway beside a search", "broker = mqtt-sn://239.1.1.1 mqtt-sn://a\n", "where gateways are searched, there is no other address"},
    {"a second broker that is none", "broker = mqtt://a b\n", "\"b\" is no address; write mqtt://host"},
    {"no gateway but a port", "broker = mqtt-sn://:1884?search\n", "names no host"},
    {"credentials for a gateway", "broker = mqtt-sn://me:secret@a\n", "broker: MQTT-SN has neither user name nor password; leave them out"},
    {"a gateway's port that is none", "broker = mqtt-sn://a:0\n", "the port is a number from 1 to 65535"},
    {"a path at a gateway", "broker = mqtt-sn://a/b\n", "\"/b\" is too much; write mqtt-sn://host:port or mqtt-sn://host:port?search"},
    {"another question", "broker = mqtt-sn://a?find\n", "\"?find\" is too much"},
    {"a search and more", "broker = mqtt-sn://a?search=1\n", "\"?search=1\" is too much"},
    {"an open bracket at a gateway", "broker = mqtt-sn://[ff02::1\n", "the [ is not closed"},
    {"a relative path", "broker = mqtt-sn+serial://dev/ttyUSB0\n", "an absolute path; write mqtt-sn+serial:///dev/ttyUSB0"},
    {"no path", "broker = mqtt-sn+serial://\n", "an absolute path"},
    {"the root for a path", "broker = mqtt-sn+serial:///?baud=9600\n", "an absolute path"},
    {"another baud rate", "broker = mqtt-sn+serial:///dev/a?baud=12345\n",
     "the baud rate \"12345\" is none of 9600, 19200, 38400, 57600, 115200, 230400, 460800 or 921600"},
    {"no baud rate", "broker = mqtt-sn+serial:///dev/a?baud=\n", "the baud rate \"\" is none of 9600"},
    {"a baud rate below 0", "broker = mqtt-sn+serial:///dev/a?baud=-9600\n", "the baud rate \"-9600\" is none of 9600"},
    {"a baud rate that is none", "broker = mqtt-sn+serial:///dev/a?baud=fast\n", "the baud rate \"fast\" is none of 9600"},
    {"a parity", "broker = mqtt-sn+serial:///dev/a?parity=even\n", "\"?parity=even\" is too much; write mqtt-sn+serial:///dev/ttyUSB0?baud="},
    {"the protocol", "protocol = 1\n", "board.conf:1: protocol: follows from the broker's address and is not set: mqtt:// is MQTT"},
    {"the discovery", "discovery = 1\n", "board.conf:1: discovery: follows from the broker's address"},
    {"a number of retries that is none", "retries = often\n", "board.conf:1: retries: \"often\" is not a whole number"},
    {"an open bracket", "broker = mqtt://[::1\n", "the [ is not closed"},
};

/* Addresses that are taken, and what follows from them. */
static const struct {
    const char *url;
    const char *host; /* of a serial line its path */
    const char *port; /* its baud rate */
    Carrier carrier;
    bool search;
} brokers[] = {
    {"mqtt://localhost", "localhost", "1883", CARRIER_TCP, false},
    {"mqtt://127.0.0.1:1884", "127.0.0.1", "1884", CARRIER_TCP, false},
    {"mqtt://[::1]", "::1", "1883", CARRIER_TCP, false},
    {"mqtt://[fe80::1%eth0]:9", "fe80::1%eth0", "9", CARRIER_TCP, false},
    {"mqtt://a.b/", "a.b", "1883", CARRIER_TCP, false},
    {"mqtt://a:65535/", "a", "65535", CARRIER_TCP, false},
    {"mqtt-sn://gateway.local", "gateway.local", "1884", CARRIER_UDP, false},
    {"mqtt-sn://127.0.0.1:1883", "127.0.0.1", "1883", CARRIER_UDP, false},
    {"mqtt-sn://[::1]:10000", "::1", "10000", CARRIER_UDP, false},
    {"mqtt-sn://223.255.255.255", "223.255.255.255", "1884", CARRIER_UDP, false},
    {"mqtt-sn://224.0.0.0", "224.0.0.0", "1884", CARRIER_UDP, true},
    {"mqtt-sn://239.255.255.255:1885", "239.255.255.255", "1885", CARRIER_UDP, true},
    {"mqtt-sn://240.0.0.0", "240.0.0.0", "1884", CARRIER_UDP, false},
    {"mqtt-sn://255.255.255.255", "255.255.255.255", "1884", CARRIER_UDP, true},
    {"mqtt-sn://192.168.1.255", "192.168.1.255", "1884", CARRIER_UDP, false},
    {"mqtt-sn://192.168.1.255?search", "192.168.1.255", "1884", CARRIER_UDP, true},
    {"mqtt-sn://127.255.255.255:1884?search", "127.255.255.255", "1884", CARRIER_UDP, true},
    {"mqtt-sn://239.1.1.1?search", "239.1.1.1", "1884", CARRIER_UDP, true},
    {"mqtt-sn://[ff02::1%lo]:7", "ff02::1%lo", "7", CARRIER_UDP, true},
    {"mqtt-sn://[fe80::1%eth0]", "fe80::1%eth0", "1884", CARRIER_UDP, false},
    {"mqtt-sn://[::1]?search", "::1", "1884", CARRIER_UDP, true},
    {"mqtt-sn://ff00.example", "ff00.example", "1884", CARRIER_UDP, false},
    {"mqtt-sn+serial:///dev/ttyUSB0", "/dev/ttyUSB0", "115200", CARRIER_SERIAL, false},
    {"mqtt-sn+serial:///dev/ttyUSB0?baud=9600", "/dev/ttyUSB0", "9600", CARRIER_SERIAL, false},
    {"mqtt-sn+serial:///dev/serial/by-id/usb-a%20#1?baud=921600", "/dev/serial/by-id/usb-a%20#1", "921600", CARRIER_SERIAL, false},
};

static void test_tables(void) {
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        check_begin(good[i].name);
        CHECK(read_text(good[i].text), "%s", settings.error);
        const char *text = settings.values[good[i].key].text;
        CHECK(!text == !good[i].value && (!text || strcmp(text, good[i].value) == 0), "is \"%s\"", text ? text : "(absent)");
        check_end();
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_begin(bad[i].name);
        CHECK(!read_text(bad[i].text), "taken");
        CHECK(strstr(settings.error, bad[i].error), "says \"%s\"", settings.error);
        check_end();
    }
    for (size_t i = 0; i < sizeof brokers / sizeof brokers[0]; i++) {
        settings = (Settings){0};
        check_begin(brokers[i].url);
        CHECK(settings_set(&settings, "broker", brokers[i].url, (uint32_t)strlen(brokers[i].url), "test", 0), "%s", settings.error);
        char baud[12];
        bool serial = brokers[i].carrier == CARRIER_SERIAL;
        (void)snprintf(baud, sizeof baud, "%" PRIu32, settings.servers[0].baud);
        const char *host = serial ? settings.servers[0].path : settings.servers[0].host;
        const char *port = serial ? baud : settings.servers[0].port;
        CHECK(settings.carrier == brokers[i].carrier, "carrier %d", (int)settings.carrier);
        CHECK(strcmp(host, brokers[i].host) == 0, "host %s", host);
        CHECK(strcmp(port, brokers[i].port) == 0, "port %s", port);
        CHECK(settings_number(&settings, CONFIG_PROTOCOL, 9) == (brokers[i].carrier != CARRIER_TCP), "another protocol");
        CHECK(settings_number(&settings, CONFIG_DISCOVERY, 9) == brokers[i].search, "a search or none");
        check_end();
    }
}

static void test_several(void) {
    check_begin("several brokers, in their order");
    CHECK(read_text("broker = mqtt://a \t mqtt://b:9  mqtt://[::1]\n"), "%s", settings.error);
    CHECK(settings.server_count == 3 && settings.carrier == CARRIER_TCP, "%u brokers", (unsigned)settings.server_count);
    CHECK(strcmp(settings.servers[0].host, "a") == 0 && strcmp(settings.servers[0].port, "1883") == 0, "%s", settings.servers[0].host);
    CHECK(strcmp(settings.servers[1].host, "b") == 0 && strcmp(settings.servers[1].port, "9") == 0, "%s", settings.servers[1].host);
    CHECK(strcmp(settings.servers[2].host, "::1") == 0, "%s", settings.servers[2].host);
    CHECK(read_text("broker = mqtt-sn+serial:///dev/a mqtt-sn+serial:///dev/b?baud=9600\n"), "%s", settings.error);
    CHECK(strcmp(settings.servers[1].path, "/dev/b") == 0 && settings.servers[1].baud == 9600, "%s", settings.servers[1].path);
    CHECK(settings_set(&settings, "broker", "mqtt://a", 8, "--set", 0) && settings.server_count == 1, "a later one is added");
    check_end();
}

static void test_answers(void) {
    uint8_t to[4] = {9, 9, 9, 9};
    check_begin("what the module is answered");
    CHECK(read_text("topic = abc\ninterval = 700\nbroker = mqtt://a\n"), "%s", settings.error);
    CHECK(settings_text(&settings, CONFIG_TOPIC, to, 2) == 3 && to[0] == 9, "a place that is too small is written to");
    CHECK(settings_text(&settings, CONFIG_TOPIC, to, 3) == 3 && memcmp(to, "abc\x09", 4) == 0, "not just the text");
    CHECK(settings_text(&settings, CONFIG_USERNAME, to, 4) == -1, "an absent text");
    CHECK(settings_text(&settings, SETTING_BROKER, to, 4) == -1, "the board's own key");
    CHECK(settings_text(&settings, -1, to, 4) == -1 && settings_text(&settings, INT32_MAX, to, 4) == -1, "no key at all");
    CHECK(settings_number(&settings, CONFIG_INTERVAL, 5) == 700, "a number");
    CHECK(settings_number(&settings, CONFIG_QOS, 5) == 5, "an absent number");
    CHECK(settings_number(&settings, CONFIG_TOPIC, 5) == 5, "the number of a text");
    CHECK(settings_text(&settings, CONFIG_PROTOCOL, to, 4) == -1, "the text of what the address says");
    CHECK(read_text("") && settings_number(&settings, CONFIG_PROTOCOL, 5) == 5, "a protocol without an address");
    CHECK(settings_number(&settings, CONFIG_JOURNAL, 5) == 0, "a journal without a file");
    CHECK(read_text("journal = a\n") && settings_number(&settings, CONFIG_JOURNAL, 5) == 1, "no journal");
    CHECK(settings_text(&settings, CONFIG_JOURNAL, to, 4) == -1, "the file's name is told");
    check_end();
}

static void test_override(void) {
    check_begin("a later setting replaces an earlier one");
    CHECK(read_text("topic = a\n"), "%s", settings.error);
    CHECK(settings_read(&settings, "second.conf", "topic = b\n", 10), "%s", settings.error);
    CHECK(settings_set(&settings, "topic", "c", 1, "--set", 0), "%s", settings.error);
    CHECK(strcmp(settings.values[CONFIG_TOPIC].text, "c") == 0, "%s", settings.values[CONFIG_TOPIC].text);
    check_end();
    check_begin("a later address replaces all that an earlier one said");
    CHECK(read_text("broker = mqtt-sn://239.1.1.1\n"), "%s", settings.error);
    CHECK(settings_set(&settings, "broker", "mqtt://a", 8, "--set", 0), "%s", settings.error);
    CHECK(settings_number(&settings, CONFIG_PROTOCOL, 9) == 0 && settings_number(&settings, CONFIG_DISCOVERY, 9) == 0, "still searches");
    check_end();
}

static void test_limits(void) {
    static char text[SETTINGS_BYTES + 100];
    memset(text, 'x', sizeof text);
    check_begin("settings over their bytes");
    settings = (Settings){0};
    CHECK(!settings_set(&settings, "topic", text, SETTINGS_BYTES, "test", 0), "taken");
    CHECK(strstr(settings.error, "topic: the settings have over 8192 bytes together"), "%s", settings.error);
    CHECK(settings_set(&settings, "topic", text, SETTINGS_BYTES - 1, "test", 0), "%s", settings.error);
    check_end();
    check_begin("a NUL byte");
    CHECK(!settings_read(&settings, "board.conf", "unit = a\0b\n", 11), "taken");
    CHECK(strstr(settings.error, "board.conf:1: unit: holds a NUL byte"), "%s", settings.error);
    check_end();
    check_begin("a long key");
    memcpy(text, "k", 1);
    text[300] = '=';
    settings = (Settings){0};
    CHECK(!settings_read(&settings, "board.conf", text, 400), "taken");
    check_end();
    check_begin("a host of 256 bytes");
    memcpy(text, "mqtt://", 7);
    settings = (Settings){0};
    CHECK(!settings_set(&settings, "broker", text, 263, "test", 0), "taken");
    CHECK(strstr(settings.error, "over 255 bytes"), "%s", settings.error);
    check_end();
    check_begin("a path of 256 bytes");
    memcpy(text, "mqtt-sn+serial:///", 18);
    settings = (Settings){0};
    CHECK(!settings_set(&settings, "broker", text, 273, "test", 0), "taken");
    CHECK(strstr(settings.error, "the path has over 255 bytes"), "%s", settings.error);
    CHECK(settings_set(&settings, "broker", text, 272, "test", 0), "%s", settings.error);
    check_end();
}

static void test_files(void) {
    char name[] = "/tmp/twobyte-settings-XXXXXX";
    settings = (Settings){0};
    check_begin("a file that is not there");
    CHECK(!settings_load(&settings, "/nowhere/board.conf"), "taken");
    CHECK(strcmp(settings.error, "/nowhere/board.conf: cannot be read: No such file or directory") == 0, "%s", settings.error);
    check_end();
    check_begin("a file that is too large");
    int descriptor = mkstemp(name);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    CHECK(file, "no temporary file");
    for (int i = 0; file && i <= SETTINGS_FILE_BYTES; i++) (void)fputc('#', file);
    if (file) (void)fclose(file);
    CHECK(!settings_load(&settings, name), "taken");
    CHECK(strstr(settings.error, "has over 16384 bytes"), "%s", settings.error);
    (void)remove(name);
    check_end();
    check_begin("what is missing is named");
    settings = (Settings){0};
    CHECK(!settings_complete(&settings) && strstr(settings.error, "broker: is not set; give --broker (mqtt://"), "%s", settings.error);
    check_end();
}

int main(void) {
    test_tables();
    test_several();
    test_answers();
    test_override();
    test_limits();
    test_files();
    return CHECK_STATUS();
}

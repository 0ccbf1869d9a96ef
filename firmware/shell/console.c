#include "console.h"

#include "contract.h"
#include "settings.h"
#include "version.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The longest is a fault of the settings with all keys (settings.h) and the name of the board. */
#define CONSOLE_WORDS_BYTES 1100
/* So many connections in a row that the broker ended within this time are no accident. */
#define SHORT_LIFE_MS 120000
#define SHORT_LIVES 3

static bool store_failing; /* a record was not taken: that is said once, not at each */
static const char *client = ""; /* its id */
static bool failing; /* a reading failed or was dropped and none came since: that is said once, not at each */

/* NULL where there is no name. */
#define NAME(number, name) [number] = name,
#define LOOK_UP(names, number) ((number) > 0 && (size_t)(number) < sizeof(names) / sizeof(names)[0] ? (names)[number] : NULL)

static const char *const event_names[] = {EVENT_NAMES(NAME)};

static const char *const reasons[] = {
    [REASON_REFUSED] = "nobody listens there",
    [REASON_UNREACHABLE] = "the network does not reach it",
    [REASON_NAME] = "the host name is not known",
    [REASON_RESET] = "the broker broke the connection off",
    [REASON_ENDED] = "the broker closed the connection",
    [REASON_ADDRESS] = "this machine cannot open such an address",
};

static const char *const errors[] = {
    [ERROR_OUTBOX_FULL] = "the queue is full",
    [ERROR_TOO_LARGE] = "it is larger than its buffer",
    [ERROR_TOPIC_EMPTY] = "the topic is empty",
    [ERROR_TOPIC_TOO_LONG] = "the topic is too long",
    [ERROR_TOPIC_WILDCARD] = "a topic name must not contain + or #",
    [ERROR_FILTER_WILDCARD] = "+ and # stand alone in their level, # in the last",
    [ERROR_UTF8] = "it is not UTF-8",
    [ERROR_NUL] = "it contains U+0000",
    [ERROR_QOS] = "the quality of service is 0, 1 or 2",
    [ERROR_CONFIG_MISSING] = "it is required and not set",
    [ERROR_CONFIG_INVALID] = "it is out of range, or does not go with another setting",
    [ERROR_CONFIG_TOO_LONG] = "it is too long",
    [ERROR_NO_TOPIC_ID] = "a topic that is never registered has to be pre-defined or of two bytes",
    [ERROR_COMMAND] = "it is not a number of milliseconds from 100 to 86400000",
};

/* From FAULT_ABSENT on. */
static const char *const faults[] = {
#define FAULT(number) [(number) - FAULT_ABSENT]
    FAULT(FAULT_ABSENT) = "nothing answers there; check its address and its wires",
    FAULT(FAULT_STUCK) = "a line of the bus is held low; check pull-up resistors and wires",
    FAULT(FAULT_TIMEOUT) = "the bus was not ready in time",
    FAULT(FAULT_NO_BUS) = "this board has no such bus or channel; set i2c, onewire, adc or dht22",
    FAULT(FAULT_CHECKSUM) = "what it said was garbled on the way",
    FAULT(FAULT_NOT_READY) = "its conversion did not come to an end",
    FAULT(FAULT_OTHER_DEVICE) = "another device answers there; check driver and address",
    FAULT(FAULT_RESET) = "it was without power during the conversion",
    FAULT(FAULT_RANGE) = "it measures what cannot be; a wire is broken or shorted",
    FAULT(FAULT_SEVERAL) = "several are on the wire; say which by its code, ds18b20:28ff641e0f1603a2",
#undef FAULT
};

static const char *fault_text(int32_t number) {
    size_t at = number < FAULT_ABSENT ? SIZE_MAX : (size_t)(number - FAULT_ABSENT);
    return at < sizeof faults / sizeof faults[0] ? faults[at] : console_reading_fault(number);
}

static const char *const error_names[] = {ERROR_NAMES(NAME)};

static const char *const timeouts[] = {
    [TIMEOUT_OPEN] = "the connection did not open in time",
    [TIMEOUT_CONNACK] = "the broker did not answer the login in time",
    [TIMEOUT_PINGRESP] = "the broker did not answer the ping in time",
    [TIMEOUT_REPLY] = "the broker did not acknowledge in time",
    [TIMEOUT_SEND] = "the broker did not take what was sent in time",
    [TIMEOUT_DISCONNECT] = "the gateway did not confirm the end in time",
    [TIMEOUT_ADVERTISE] = "the gateway advertises itself no longer",
};

static const char *const refusals[] = {
    [EVENT_REFUSED_VERSION] = "it does not speak MQTT 3.1.1",
    [EVENT_REFUSED_CLIENT_ID] = "it does not accept the client_id",
    [EVENT_REFUSED_UNAVAILABLE] = "it is not available",
    [EVENT_REFUSED_CREDENTIALS] = "bad username or password",
    [EVENT_REFUSED_AUTHORIZATION] = "not authorized; check username and password",
};

/* What a record of the journal holds. */
static const char *const records[] = {
    [RECORD_MESSAGE] = "a message that is not acknowledged",
    [RECORD_RELEASE] = "that PUBREC came for a message",
    [RECORD_INBOX] = "which messages were delivered",
    [RECORD_TOPIC] = "a registered topic",
    [RECORD_READING] = "a reading that waits",
};

static const char *record_text(int32_t key) {
    const char *text = LOOK_UP(records, key >> 16);
    return text ? text : "a record of no name";
}

/* Return codes of MQTT-SN (SN 5.3.10). */
static const char *const return_codes[] = {[1] = "it is congested", [2] = "it does not know the topic id", [3] = "it does not support that"};

static const char *error_name(int32_t error) {
    const char *text = LOOK_UP(error_names, error);
    return text ? text : "an error of no name";
}

static const char *error_text(int32_t error) {
    const char *text = LOOK_UP(errors, error);
    return text ? text : error_name(error);
}

static int begin(char *line, size_t size, const char *event) {
    int64_t now = console_wall_us();
    return snprintf(line, size, "{\"at\":%" PRId64 ".%03d,\"event\":\"%s\",", now / 1000, (int)(now % 1000), event);
}

void console_event(int32_t code, int32_t a, int32_t b) {
    char line[160];
    char number[16];
    const char *name = LOOK_UP(event_names, code);
    (void)snprintf(number, sizeof number, "%" PRId32, code); /* a module newer than this board */
    int length = begin(line, sizeof line, name ? name : number);
    length += snprintf(line + length, sizeof line - (size_t)length, "\"a\":%" PRId32 ",\"b\":%" PRId32 "}\n", a, b);
    console_put_event(line, (uint32_t)length);
}

void console_started(uint64_t heap, uint32_t memory, uint32_t module, uint64_t allocations) {
    char line[200];
    int length = begin(line, sizeof line, "started");
    length += snprintf(line + length, sizeof line - (size_t)length,
                       "\"heap\":%" PRIu64 ",\"memory\":%" PRIu32 ",\"module\":%" PRIu32 ",\"allocations\":%" PRIu64 "}\n",
                       heap, memory, module, allocations);
    console_put_event(line, (uint32_t)length);
}

void console_ended(uint64_t heap, uint64_t allocations, uint32_t stack) {
    char line[160];
    int length = begin(line, sizeof line, "ended");
    length += snprintf(line + length, sizeof line - (size_t)length, "\"heap\":%" PRIu64 ",\"allocations\":%" PRIu64, heap, allocations);
    if (stack) length += snprintf(line + length, sizeof line - (size_t)length, ",\"stack\":%" PRIu32, stack);
    length += snprintf(line + length, sizeof line - (size_t)length, "}\n");
    console_put_event(line, (uint32_t)length);
}

/* Of a path what is behind the last slash, without what would end a string of JSON. */
static void copy_name(char *to, size_t size, const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = 0;
    for (const char *from = slash ? slash + 1 : path; *from && length < size - 1; from++) {
        to[length++] = (char)((uint8_t)*from < ' ' || *from == '"' || *from == '\\' ? '?' : *from);
    }
    to[length] = 0;
}

void console_board(const ConsoleBoard *board) {
    char line[400];
    char module[80];
    copy_name(module, sizeof module, board->module);
    int length = begin(line, sizeof line, "board");
    length += snprintf(line + length, sizeof line - (size_t)length,
                       "\"board\":\"%.40s\",\"chip\":\"%.40s\",\"firmware\":\"" FIRMWARE_VERSION
                       "\",\"boundary\":%d,\"module\":\"%s\",\"version\":%" PRIu32 ",\"settings\":%s}\n",
                       board->board, board->chip, ABI_VERSION, module, board->version, board->settings ? "true" : "false");
    console_put_event(line, (uint32_t)length);
}

void console_unconfigured(void) {
    char line[100];
    int length = begin(line, sizeof line, "unconfigured");
    line[length - 1] = '}'; /* in place of the comma */
    line[length++] = '\n';
    console_put_event(line, (uint32_t)length);
}

void console_say(const char *format, ...) {
    char line[CONSOLE_WORDS_BYTES];
    int length = snprintf(line, sizeof line, "%s: ", console_name);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    if (more < 0) return;
    length += more;
    if ((size_t)length > sizeof line - 2) length = (int)sizeof line - 2;
    line[length++] = '\n';
    console_put_words(line, (uint32_t)length);
}

void console_client(const char *id) {
    client = id;
}

/* How often in a row the broker ended a connection soon after it began, with this event; 0 while that means nothing. */
static int short_lives(int32_t code, int32_t reason) {
    static bool connected;
    static int64_t began;
    static int count;
    int64_t now = console_now_ms();
    if (code == EVENT_CONNECTED) {
        connected = true;
        began = now;
    }
    bool over = connected && (code == EVENT_LINK_CLOSED || code == EVENT_TIMEOUT || code == EVENT_PROTOCOL_ERROR);
    if (!over) return 0;
    bool ended = code == EVENT_LINK_CLOSED && (reason == REASON_ENDED || reason == REASON_RESET);
    connected = false;
    count = ended && now - began < SHORT_LIFE_MS ? count + 1 : 0;
    return count >= SHORT_LIVES ? count : 0;
}

void console_refused(char *to, size_t capacity, int32_t key, int32_t error, const char *address) {
    if (key != CONFIG_PROTOCOL) (void)snprintf(to, capacity, "%s: %s", settings_key(key), error_text(error));
    else (void)snprintf(to, capacity, "this module does not speak the protocol of %s: take another module, or another address", address);
}

void console_explain(int32_t code, int32_t a, int32_t b, const char *address) {
    static char said[300];
    char refused[400];
    const char *text;
    int lives = short_lives(code, a);
    if (lives) {
        console_say("%s ended the connection %d times in a row soon after it began: does another client use the client_id \"%s\"?", address,
                    lives, client);
    }
    switch (code) {
    case EVENT_OPENING:
        if (a == 1 || strcmp(said, address) != 0) console_say("connecting to %s", address);
        (void)snprintf(said, sizeof said, "%s", address);
        break;
    case EVENT_CONNECTED:
        console_say("connected to %s%s", address, a ? ", the session goes on" : "");
        break;
    case EVENT_REFUSED_VERSION:
    case EVENT_REFUSED_CLIENT_ID:
    case EVENT_REFUSED_UNAVAILABLE:
    case EVENT_REFUSED_CREDENTIALS:
    case EVENT_REFUSED_AUTHORIZATION:
        console_say("%s refused the login: %s; retry in %d ms", address, refusals[code], (int)b);
        break;
    case EVENT_LINK_CLOSED:
        text = LOOK_UP(reasons, a);
        console_say("no connection to %s: %s; retry in %d ms", address, text ? text : "the network failed", (int)b);
        break;
    case EVENT_PROTOCOL_ERROR:
        console_say("%s does not speak MQTT 3.1.1 as it should: %s; retry in %d ms", address, error_name(a), (int)b);
        break;
    case EVENT_TIMEOUT:
        text = LOOK_UP(timeouts, a);
        console_say("%s: %s; retry in %d ms", address, text ? text : "something took too long", (int)b);
        break;
    case EVENT_REFUSED:
        text = LOOK_UP(return_codes, a);
        console_say("%s refused the connection: %s; retry in %d ms", address, text ? text : "it gives no known reason", (int)b);
        break;
    case EVENT_SEARCHING:
        if (a == 1) console_say("searching a gateway at %s", address);
        break;
    case EVENT_GATEWAY_FOUND:
        console_say("found gateway %d", (int)a);
        break;
    case EVENT_GATEWAY_LOST:
        console_say("lost gateway %d", (int)a);
        break;
    case EVENT_CONGESTED:
        console_say("the gateway is congested; again in %d ms", (int)b);
        break;
    case EVENT_REJECTED:
        text = LOOK_UP(return_codes, b);
        console_say("the gateway rejected a message for good: %s", text ? text : "it gives no known reason");
        break;
    case EVENT_DATAGRAM_DROPPED:
        if (b == 1) console_say("a datagram that fits nothing was dropped: %s; the next ones are only counted", error_name(a));
        break;
    case EVENT_SUBSCRIBED:
        if ((b & 0xff) == 128) console_say("%s refused the subscription to the command topic", address);
        break;
    case EVENT_READING_FAILED:
        if (!failing && b) console_say("reading_%d fails: %s", (int)b, fault_text(a));
        else if (!failing) console_say("the thermometer does not answer: %s", fault_text(a));
        failing = true;
        break;
    case EVENT_READING_DROPPED:
        if (!failing) console_say("readings are dropped: %s; %d since the start", error_text(a), (int)b);
        failing = true;
        break;
    case EVENT_READING:
        failing = false;
        break;
    case EVENT_INTERVAL_CHANGED:
        console_say("a reading every %d ms from now on", (int)a);
        break;
    case EVENT_COMMAND_REFUSED:
        console_say("a command was refused: %s", error_text(a));
        break;
    case EVENT_CONFIG_REFUSED:
        console_refused(refused, sizeof refused, b, a, address);
        console_say("%s", refused);
        break;
    case EVENT_STORE_FAILED:
        if (!store_failing) {
            console_say("the journal cannot note %s: %s; a power cut may cost it. The next ones are only events", record_text(a),
                        b == STORE_FULL ? "there is no room for it" : "writing failed");
        }
        store_failing = true;
        break;
    case EVENT_RECORD_LOST:
        console_say("a record of the journal is damaged and lost: %s", record_text(a));
        break;
    case EVENT_RESTORED:
        if (a || b) console_say("back from the journal: %d messages that are not acknowledged, %d readings that wait", (int)a, (int)b);
        break;
    case EVENT_NOT_QUEUED:
        console_say("a message of the module's own was not queued: %s", error_text(a));
        break;
    default:
        break;
    }
}

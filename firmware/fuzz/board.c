/* A board whose behaviour the input decides.
 *
 * - Six bytes choose settings, random bits and habits; then each command is a byte, its operation in the lower five bits and a small argument
 *   in the upper three, with what it needs behind it. Any bytes are a program, so that the fuzzer may change what it likes.
 * - The board keeps docs/boundary.md, whatever its peer says, until OP_RAW makes it break it: then the module may say nonsense to a link that
 *   is not there, and what it sends is judged no longer. It may still not trap, loop, or leave its memory.
 * - A reply to what the module asked, with the right identifiers, is one command: else the fuzzer would have to guess them. */
#include "fuzz.h"

#include "contract.h"

/* What only some modules have. */
#define OPTIONAL(type, name, ...) extern type Z_moduleZ_##name(__VA_ARGS__) __attribute__((weak))
OPTIONAL(u32, topic_buffer, Z_module_instance_t *);
OPTIONAL(u32, topic_limit, Z_module_instance_t *);
OPTIONAL(u32, payload_buffer, Z_module_instance_t *);
OPTIONAL(u32, payload_limit, Z_module_instance_t *);
OPTIONAL(u32, set_topic, Z_module_instance_t *, u32);
OPTIONAL(u32, publish, Z_module_instance_t *, u32, u32, u32);
OPTIONAL(u32, add_filter, Z_module_instance_t *, u32, u32);
OPTIONAL(void, clear_filters, Z_module_instance_t *);
OPTIONAL(u32, subscribe, Z_module_instance_t *);
OPTIONAL(u32, unsubscribe, Z_module_instance_t *);
OPTIONAL(u32, outbox_held, Z_module_instance_t *);
OPTIONAL(u32, inbound, Z_module_instance_t *);
OPTIONAL(u32, sleep, Z_module_instance_t *, u32);
OPTIONAL(void, wake, Z_module_instance_t *);
OPTIONAL(void, collect, Z_module_instance_t *);
OPTIONAL(u32, update_will_topic, Z_module_instance_t *, u32, u32, u32);
OPTIONAL(u32, update_will_payload, Z_module_instance_t *, u32);
OPTIONAL(void, flush, Z_module_instance_t *, u32);
#define HAS(name) (Z_moduleZ_##name != NULL)
#define CALL(name, ...) Z_moduleZ_##name(&module, ##__VA_ARGS__)

/* The numbers are the input's format: test/fuzz/corpus is written in it. */
enum {
    OP_STEP, OP_DUE, OP_TIME, OP_OPENED, OP_CLOSED, OP_WRITABLE, OP_RAW, OP_BYTES, OP_CHUNKS, OP_LONG, OP_REPLY, OP_REPLY_CODE, OP_REPLY_TYPE,
    OP_SENDING, OP_OPENING, OP_STOP, OP_START, OP_NUMBER, OP_TEXT, OP_PUBLISH, OP_TOPIC, OP_FILTER, OP_SUBSCRIBE, OP_UNSUBSCRIBE, OP_SLEEP,
    OP_WAKE, OP_WILL, OP_DURING, OP_BOARD, OP_STORAGE, OP_MESSAGE, OP_REGISTER,
};

/* ---- the program ---- */

static const uint8_t *program;
static const uint8_t *program_end;

static uint32_t next8(void) {
    return program < program_end ? *program++ : 0;
}

static uint32_t next16(void) {
    const uint32_t high = next8();
    return high << 8 | next8();
}

static uint32_t next32(void) {
    const uint32_t high = next16();
    return high << 16 | next16();
}

/* The next bytes of the program: at most `length`, and how many there were. */
static const uint8_t *next_bytes(uint32_t *length) {
    const uint8_t *bytes = program;
    if (*length > program_end - program) *length = (uint32_t)(program_end - program);
    program += *length;
    return bytes;
}

/* ---- the board's state ---- */

#define REQUESTS 8
#define STEPS_MOST 100
#define RECOVERY_TURNS 600
#define PATIENT_TURNS 40
#define HOUR 3600000u
#define OVERRIDES 8
#define TEXT_BYTES 2048

enum { SHUT, OPENING, OPEN };
enum { TAKES_ALL, TAKES_PART, TAKES_NOTHING, FAILS };

typedef struct {
    int32_t key;
    bool is_text;
    int32_t number;
    uint32_t length;
    uint8_t text[TEXT_BYTES];
} Override;

static struct {
    uint32_t now;
    int32_t left; /* the last step's answer */
    uint32_t bits;
    uint32_t settings;
    bool sn;
    bool breaks_rules;
    bool polite; /* each request is answered at once */
    uint8_t links[2];
    uint8_t failing; /* REASON_… that link 0 closes for before the next step */
    uint8_t sending;
    uint32_t most;   /* bytes that a send takes */
    int32_t open_answer;
    int32_t remember_answer;
    int32_t temperature;
    int32_t time;
    bool running;   /* from start on, until EVENT_STOPPED */
    bool stopping;  /* stop was called */
    bool connected; /* EVENT_CONNECTED came, since it was put back to false */
    bool topic_written; /* behind the last set_topic: nothing is published until the next */
    bool starting;
    uint8_t during; /* what the host does during the next event; 0: nothing */
    uint32_t events;
    uint32_t large; /* payloads and topics of this input that cost time */
    Request requests[REQUESTS];
    uint32_t request_count;
    uint32_t answered;
    uint32_t overrides;
} board;
static Override overrides[OVERRIDES];

/* Records survive a restart of the module. */
#define RECORDS 64
#define RECORD_MOST 4096
static struct {
    int32_t key;
    uint32_t length;
    uint8_t bytes[RECORD_MOST];
} records[RECORDS];
static uint32_t record_count;
static uint8_t write_mode; /* 0: taken, 1: full, 2: failed, 3: torn */
static uint8_t read_mode;  /* 0: right, 1: garbage, 2: over the capacity, 3: none, 4: a byte flipped */

static uint32_t random_bits(void) {
    board.bits ^= board.bits << 13;
    board.bits ^= board.bits >> 17;
    board.bits ^= board.bits << 5;
    return board.bits;
}

/* ---- settings ---- */

/* Bits of the input's settings. */
enum {
    HAS_AVAILABILITY = 1 << 0, HAS_COMMANDS = 1 << 1, SLEEPS = 1 << 2, DISCOVERS = 1 << 3, HAS_PREDEFINED = 1 << 4, HAS_WILL = 1 << 5,
    HAS_USERNAME = 1 << 6, HAS_PASSWORD = 1 << 7, KEEPS_SESSION = 1 << 8, HAS_NODE_ID = 1 << 9, NO_JOURNAL = 1 << 10, IS_SN = 1 << 11,
    RETAINS = 1 << 12, HAS_DIAGNOSTIC = 1 << 13, STARTS_LATE = 1 << 14, IS_POLITE = 1 << 15,
    QOS_AT = 16, /* two bits: 0, 1, 2, -1 */
    KEEP_ALIVE_AT = 18, BUFFER_AT = 20, POLICY_AT = 22, TIMES_AT = 24, /* two bits each */
    WILL_QOS_AT = 26, INTERVAL_AT = 28,
};

static uint32_t chosen(uint32_t at) {
    return board.settings >> at & 3;
}

static bool has(uint32_t bit) {
    return (board.settings & bit) != 0;
}

static const char *default_text(int32_t key) {
    switch (key) {
        case CONFIG_CLIENT_ID: return "fuzz";
        case CONFIG_TOPIC: return "t/a";
        case CONFIG_USERNAME: return has(HAS_USERNAME) ? "user" : NULL;
        case CONFIG_PASSWORD: return has(HAS_PASSWORD) && has(HAS_USERNAME) ? "secret" : NULL;
        case CONFIG_WILL_TOPIC: return has(HAS_WILL) ? "t/will" : NULL;
        case CONFIG_WILL_PAYLOAD: return has(HAS_WILL) ? "gone" : NULL;
        case CONFIG_AVAILABILITY_TOPIC: return has(HAS_AVAILABILITY) ? "t/av" : NULL;
        case CONFIG_COMMAND_TOPIC: return has(HAS_COMMANDS) ? "t/c" : NULL;
        case CONFIG_UNIT: return has(RETAINS) ? " \xc2\xb0" "C" : NULL;
        case CONFIG_PREDEFINED: return has(HAS_PREDEFINED) ? "1=t/a+2=t/c+3=t/p" : NULL;
        case CONFIG_NODE_ID: return has(HAS_NODE_ID) ? "node" : NULL;
        case CONFIG_BUFFERED_TOPIC: return has(HAS_DIAGNOSTIC) ? "t/b" : NULL;
        case CONFIG_DIAGNOSTIC_TOPIC: return has(HAS_DIAGNOSTIC) ? "t/d" : NULL;
        case CONFIG_READING_1: return has(HAS_AVAILABILITY) ? "sht3x:44 temperature t/1" : NULL;
        case CONFIG_READING_2: return has(HAS_AVAILABILITY) ? "bme280:76 pressure t/2" : NULL;
        case CONFIG_READING_3: return has(HAS_DIAGNOSTIC) ? "ds18b20 temperature t/3" : NULL;
        case CONFIG_READING_4: return has(HAS_DIAGNOSTIC) ? "ntc:0:3950:10000:10000 temperature t/4" : NULL;
        case CONFIG_READING_5: return has(HAS_COMMANDS) ? "board humidity t/5" : NULL;
        case CONFIG_READING_6: return has(HAS_COMMANDS) ? "own value t/6" : NULL;
    }
    return NULL;
}

static int32_t default_number(int32_t key, int32_t otherwise) {
    static const int32_t qos[] = {0, 1, 2, -1};
    static const int32_t keep_alives[] = {60, 0, 1, 65535};
    static const int32_t buffers[] = {-1, 0, 1, 8};
    static const int32_t times[] = {0, 1, 200, 86400000};
    static const int32_t intervals[] = {0, 100, 1000, 86400000};
    switch (key) {
        case CONFIG_PROTOCOL: return board.sn;
        case CONFIG_QOS: return qos[chosen(QOS_AT)];
        case CONFIG_SLEEP: return has(SLEEPS);
        case CONFIG_DISCOVERY: return has(DISCOVERS);
        case CONFIG_CLEAN_SESSION: return !has(KEEPS_SESSION);
        case CONFIG_RETAIN: return has(RETAINS);
        case CONFIG_WILL_QOS: return (int32_t)chosen(WILL_QOS_AT) % 3;
        case CONFIG_WILL_RETAIN: return has(RETAINS);
        case CONFIG_JOURNAL: return !has(NO_JOURNAL);
        case CONFIG_KEEP_ALIVE: return keep_alives[chosen(KEEP_ALIVE_AT)];
        case CONFIG_BUFFER: return chosen(BUFFER_AT) ? buffers[chosen(BUFFER_AT)] : otherwise;
        case CONFIG_BUFFER_POLICY: return (int32_t)chosen(POLICY_AT) % 3;
        case CONFIG_INTERVAL: return chosen(INTERVAL_AT) ? intervals[chosen(INTERVAL_AT)] : otherwise;
        case CONFIG_RECONNECT_MIN: case CONFIG_CONNECT_TIMEOUT: case CONFIG_REPLY_TIMEOUT: case CONFIG_RETRY_INTERVAL:
        case CONFIG_CONGESTION_WAIT: case CONFIG_SEARCH_DELAY:
            return chosen(TIMES_AT) ? times[chosen(TIMES_AT)] : otherwise;
    }
    return otherwise;
}

static const Override *override_of(int32_t key, bool is_text) {
    for (uint32_t i = board.overrides; i > 0; i--) {
        if (overrides[i - 1].key == key && overrides[i - 1].is_text == is_text) return &overrides[i - 1];
    }
    return NULL;
}

static Override *new_override(bool is_text) {
    Override *override = &overrides[board.overrides < OVERRIDES ? board.overrides++ : OVERRIDES - 1];
    override->key = (int32_t)(next8() % 40);
    override->is_text = is_text;
    return override;
}

u32 Z_boardZ_config_text(struct Z_board_instance_t *unused, u32 key, u32 to, u32 capacity) {
    (void)unused;
    uint8_t *place = module_bytes(to, capacity, "config_text");
    const Override *override = override_of((int32_t)key, true);
    const char *text = override ? (const char *)override->text : default_text((int32_t)key);
    if (!text) return (u32)-1;
    const uint32_t length = override ? override->length : (uint32_t)strlen(text);
    if (length <= capacity) memcpy(place, text, length);
    return length;
}

u32 Z_boardZ_config_number(struct Z_board_instance_t *unused, u32 key, u32 otherwise) {
    (void)unused;
    const Override *override = key == CONFIG_PROTOCOL ? NULL : override_of((int32_t)key, false); /* it follows from the address */
    return (u32)(override ? override->number : default_number((int32_t)key, (int32_t)otherwise));
}

/* ---- links ---- */

u32 Z_boardZ_link_open(struct Z_board_instance_t *unused, u32 link, u32 choice) {
    (void)unused;
    (void)choice;
    EXPECT(link < 2, "link_open of link %u", link);
    if (board.open_answer < 0) {
        board.links[link] = SHUT;
        return (u32)board.open_answer;
    }
    board.links[link] = OPENING;
    if (link == 0) judge_mqtt_opened();
    return 0;
}

void Z_boardZ_link_close(struct Z_board_instance_t *unused, u32 link) {
    (void)unused;
    EXPECT(link < 2, "link_close of link %u", link);
    board.links[link] = SHUT;
    if (link == 0) board.failing = 0;
}

u32 Z_boardZ_link_send(struct Z_board_instance_t *unused, u32 link, u32 data, u32 length) {
    (void)unused;
    EXPECT(link < 2 && length > 0 && length < 1u << 31, "link_send of %u bytes on link %u", length, link);
    const uint8_t *bytes = module_bytes(data, length, "link_send");
    if (board.links[link] != OPEN || board.failing) return (u32)-REASON_OTHER;
    uint32_t taken = length;
    if (board.sending == FAILS) {
        if (link == 0) board.failing = (uint8_t)board.most;
        return (u32) - (int32_t)board.most;
    }
    if (board.sending == TAKES_NOTHING) return 0;
    if (board.sending == TAKES_PART) {
        if (taken > board.most) taken = board.sn ? 0 : board.most;
        board.most -= taken;
    }
    if (board.breaks_rules || taken == 0) return taken;
    if (board.sn) judge_mqttsn(link, bytes, taken);
    else judge_mqtt(bytes, taken);
    return taken;
}

u32 Z_boardZ_remember_gateway(struct Z_board_instance_t *unused, u32 place, u32 address, u32 length) {
    (void)unused;
    EXPECT(place < 4, "remember_gateway at place %u", place);
    module_bytes(address, length, "remember_gateway");
    return (u32)board.remember_answer;
}

u32 Z_boardZ_random(struct Z_board_instance_t *unused) {
    (void)unused;
    return random_bits();
}

u32 Z_boardZ_temperature(struct Z_board_instance_t *unused, u32 sensor) {
    (void)unused;
    (void)sensor;
    return (u32)board.temperature;
}

u32 Z_boardZ_humidity(struct Z_board_instance_t *unused, u32 sensor) {
    return Z_boardZ_temperature(unused, sensor);
}

/* A bus says anything, or fails in one of its ways. */
static u32 bus(uint8_t *read, u32 length) {
    for (u32 i = 0; i < length; i++) read[i] = (uint8_t)random_bits();
    return random_bits() & 7 ? 0 : (u32)-(1 + (int32_t)(random_bits() & 3));
}

u32 Z_boardZ_i2c_transfer(struct Z_board_instance_t *unused, u32 address, u32 write, u32 write_length, u32 read, u32 read_length) {
    (void)unused;
    EXPECT(address < 128, "i2c_transfer at address %u", address);
    module_bytes(write, write_length, "i2c_transfer");
    return bus(module_bytes(read, read_length, "i2c_transfer"), read_length);
}

u32 Z_boardZ_onewire_transfer(struct Z_board_instance_t *unused, u32 write, u32 write_length, u32 read, u32 read_length) {
    (void)unused;
    module_bytes(write, write_length, "onewire_transfer");
    return bus(module_bytes(read, read_length, "onewire_transfer"), read_length);
}

u32 Z_boardZ_onewire_triplet(struct Z_board_instance_t *unused, u32 direction) {
    (void)unused;
    EXPECT(direction < 2, "onewire_triplet with the direction %u", direction);
    return random_bits() & 15 ? (random_bits() & 1) * 5 + 2 * (random_bits() & 1) : (u32)-BUS_STUCK;
}

u32 Z_boardZ_adc_read(struct Z_board_instance_t *unused, u32 channel) {
    (void)unused;
    (void)channel;
    return random_bits() & 7 ? random_bits() % 5500000 : (u32)-BUS_TIMEOUT;
}

u32 Z_boardZ_update_take(struct Z_board_instance_t *unused, u32 payload, u32 length) {
    (void)unused;
    module_bytes(payload, length, "update_take");
    return random_bits() & 7 ? 0 : UINT32_MAX;
}

u32 Z_boardZ_update_answer(struct Z_board_instance_t *unused, u32 to, u32 capacity) {
    (void)unused;
    uint8_t *answer = module_bytes(to, capacity, "update_answer");
    const u32 length = random_bits() % (capacity + 1);
    for (u32 i = 0; i < length; i++) answer[i] = (uint8_t)random_bits();
    return length;
}

u32 Z_boardZ_unix_time(struct Z_board_instance_t *unused) {
    (void)unused;
    return (u32)board.time;
}

/* ---- storage ---- */

static uint32_t place_of(int32_t key) {
    uint32_t place = 0;
    while (place < record_count && records[place].key != key) place++;
    return place;
}

u32 Z_boardZ_store_write(struct Z_board_instance_t *unused, u32 key, u32 data, u32 length) {
    (void)unused;
    const uint8_t *bytes = module_bytes(data, length, "store_write");
    const uint32_t place = place_of((int32_t)key);
    if (write_mode == 1) return (u32)-STORE_FULL;
    if (write_mode == 2) return (u32)-STORE_FAILED;
    if (length == 0) {
        if (place < record_count) records[place] = records[--record_count];
        return 0;
    }
    if (place == RECORDS || length > RECORD_MOST) return (u32)-STORE_FULL;
    if (place == record_count) record_count++;
    records[place].key = (int32_t)key;
    records[place].length = write_mode == 3 ? length / 2 : length;
    memcpy(records[place].bytes, bytes, length);
    return write_mode == 3 ? (u32)-STORE_FAILED : 0;
}

u32 Z_boardZ_store_read(struct Z_board_instance_t *unused, u32 key, u32 to, u32 capacity) {
    (void)unused;
    uint8_t *place = module_bytes(to, capacity, "store_read");
    const uint32_t number = place_of((int32_t)key);
    if (read_mode == 1) {
        const uint32_t length = random_bits() % 300;
        for (uint32_t i = 0; i < length && i < capacity; i++) place[i] = (uint8_t)random_bits();
        return length;
    }
    if (read_mode == 3 || number == record_count) return (u32)-1;
    const uint32_t length = records[number].length;
    memcpy(place, records[number].bytes, length < capacity ? length : capacity);
    if (read_mode == 4 && length && capacity) place[random_bits() % (length < capacity ? length : capacity)] ^= 1;
    return read_mode == 2 ? capacity + 1 : length;
}

/* ---- events, and what a host does during them ---- */

static uint32_t read32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void expect_message(void) {
    if (!HAS(inbound)) return;
    const uint8_t *record = module_bytes(CALL(inbound), 48, "inbound");
    const uint32_t length = read32(record + 12);
    const uint32_t offset = read32(record + 16);
    const uint32_t total = read32(record + 20);
    const uint8_t *topic = module_bytes(read32(record), read32(record + 4), "the topic of a message");
    module_bytes(read32(record + 8), length, "the payload of a message");
    EXPECT(offset <= total && length <= total - offset, "a piece of %u bytes at %u of %u", length, offset, total);
    EXPECT(read32(record + 24) < 3 && read32(record + 28) < 2 && read32(record + 32) < 2, "a message with flags that it cannot have");
    EXPECT((read32(record + 36) != 0) == (read32(record + 24) != 0), "a message at QoS %u with identifier %u", read32(record + 24), read32(record + 36));
    EXPECT(text_is_topic(topic, read32(record + 4), false), "a message with a topic that is none");
}

/* An answer of a call: 0, an identifier, or a negated ERROR_…. */
static void expect_answer(uint32_t answer, const char *what) {
    EXPECT((int32_t)answer >= -64 && (int32_t)answer <= 0xffff, "%s answers %d", what, (int32_t)answer);
}

static void publish(uint32_t length, uint32_t qos, uint32_t retain) {
    if (!HAS(publish) || board.topic_written) return;
    if ((int32_t)length > 4096 && ++board.large > 1) length = 1;
    expect_answer(CALL(publish, length, qos, retain), "publish");
}

static void start(void) {
    board.starting = true;
    const uint32_t answer = CALL(start);
    board.starting = false;
    expect_answer(answer, "start");
    if (answer == 0) board.running = true;
}

static void stop(void) {
    CALL(stop);
    board.stopping = board.running;
}

void Z_boardZ_event(struct Z_board_instance_t *unused, u32 code, u32 a, u32 b) {
    (void)unused;
    (void)a;
    (void)b;
    EXPECT(code > 0 && code < 64, "event %u", code);
    EXPECT(++board.events < 100000, "events without end, now %u", code);
    if (code == EVENT_MESSAGE) expect_message();
    if (code == EVENT_CONNECTED) board.connected = true;
    if (code == EVENT_STOPPED) board.running = board.stopping = false;
    if (!board.during || !HAS(publish) || board.starting) return;
    const uint32_t during = board.during;
    board.during = 0;
    switch (during) {
        case 1: case 2: case 3:
            publish(5, during - 1, 0);
            break;
        case 4:
            expect_answer(CALL(subscribe), "subscribe");
            break;
        case 5:
            expect_answer(CALL(unsubscribe), "unsubscribe");
            break;
        default:
            stop();
    }
}

/* ---- steps and bytes ---- */

static void step_once(void) {
    if (board.failing) {
        const uint32_t reason = board.failing;
        board.failing = 0;
        board.links[0] = SHUT;
        CALL(link_changed, 0, LINK_CLOSED, reason);
    }
    board.events = 0;
    board.left = (int32_t)CALL(step, board.now);
    EXPECT(board.left >= 0, "step answers %d", board.left);
}

static void deliver_reply(uint32_t back, int32_t type, int32_t code);

/* Steps until the module rests, and when the peer is polite, answers what it asks. */
static void settle(void) {
    for (uint32_t rounds = 0; rounds < 12; rounds++) {
        uint32_t steps = 0;
        do {
            step_once();
            EXPECT(++steps < STEPS_MOST, "%d steps at one time, and the next is due at once", STEPS_MOST);
        } while (board.left == 0);
        if (!board.polite || board.answered == board.request_count) return;
        deliver_reply(board.request_count - 1 - board.answered++, -1, -1);
    }
}

static void deliver(uint32_t link, const uint8_t *bytes, uint32_t length, uint32_t told) {
    if (board.links[link] != OPEN || board.failing) return;
    if (board.sn) {
        const uint32_t place = CALL(link_buffer, link);
        uint32_t room = CALL(link_room, link);
        if (room == 0) {
            settle();
            room = CALL(link_room, link);
            if (room == 0 || board.links[link] != OPEN) return;
        }
        uint8_t *to = module_bytes(place, room, "link_buffer");
        memcpy(to, bytes, length < room ? length : room);
        CALL(link_received, link, told > length ? told : length);
        return;
    }
    while (length && board.links[link] == OPEN && !board.failing) {
        const uint32_t place = CALL(link_buffer, link);
        const uint32_t room = CALL(link_room, link);
        uint8_t *to = module_bytes(place, room, "link_buffer");
        const uint32_t part = length < room ? length : room;
        memcpy(to, bytes, part);
        if (part) CALL(link_received, link, part);
        bytes += part;
        length -= part;
        if (!length) return;
        step_once();
        if (part == 0 && CALL(link_room, link) == 0) return; /* the module reads no more while it cannot answer */
    }
}

static uint8_t message[70000];

/* A message of MQTT-SN of `length` bytes behind the first two of `message`. */
static void deliver_sn(uint32_t link, uint32_t type, uint32_t length) {
    uint8_t *start = message + 2;
    if (length + 2 > 255) {
        start = message;
        start[0] = 1;
        start[1] = (uint8_t)((length + 4) >> 8);
        start[2] = (uint8_t)(length + 4);
        start[3] = (uint8_t)type;
        deliver(link, start, length + 4, 0);
        return;
    }
    start[0] = (uint8_t)(length + 2);
    start[1] = (uint8_t)type;
    deliver(link, start, length + 2, 0);
}

static void put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* A packet of MQTT of `length` bytes at message + 5. */
static void deliver_mqtt(uint32_t first, uint32_t length) {
    uint8_t header[5];
    uint32_t size = 0;
    uint32_t left = length;
    header[size++] = (uint8_t)first;
    do {
        header[size++] = (uint8_t)((left & 127) | (left > 127 ? 128 : 0));
        left >>= 7;
    } while (left);
    memcpy(message + 5 - size, header, size);
    deliver(0, message + 5 - size, size + length, 0);
}

static void reply_mqtt(const Request *request, int32_t type, int32_t code) {
    static const uint8_t replies[16] = {[1] = 2, [3] = 4, [5] = 6, [6] = 7, [8] = 9, [10] = 11, [12] = 13};
    uint32_t reply = replies[request->type];
    if (request->type == 3) reply = request->flags & 4 ? 5 : request->flags & 2 ? 4 : 0;
    if (type >= 0) reply = (uint32_t)type & 15;
    if (!reply) return;
    uint8_t *body = message + 5;
    uint32_t length = 2;
    put16(body, request->id);
    if (reply == 2) put16(body, code < 0 ? 0 : (uint32_t)code);
    if (reply == 13) length = 0;
    if (reply == 9) {
        const uint32_t count = request->count ? request->count : 1;
        memset(body + 2, code < 0 ? 1 : code, count < 60000 ? count : 60000);
        length += count < 60000 ? count : 60000;
    }
    deliver_mqtt(reply << 4 | (reply == 6 ? 2 : 0), length);
}

static void reply_sn(const Request *request, int32_t type, int32_t code) {
    static const uint8_t replies[32] = {[1] = 2, [4] = 5, [7] = 8, [9] = 5, [0x0a] = 0x0b, [0x0c] = 0x0d, [0x0f] = 0x10, [0x10] = 0x0e, [0x12] = 0x13, [0x14] = 0x15, [0x16] = 0x17, [0x18] = 0x18, [0x1a] = 0x1b, [0x1c] = 0x1d};
    uint32_t reply = replies[request->type & 31];
    const uint32_t qos = request->flags >> 5 & 3;
    if (request->type == 0x04 && request->flags & 8) reply = 6;
    if (request->type == 0x0c) reply = qos == 1 ? 0x0d : qos == 2 ? 0x0f : 0;
    if (type >= 0) reply = (uint32_t)type & 31;
    if (!reply) return;
    const uint8_t low = (uint8_t)(code < 0 ? 0 : code);
    uint8_t *body = message + 4;
    uint32_t length = 0;
    switch (reply) {
        case 0x02: case 0x05: case 0x1b: case 0x1d:
            body[length++] = low;
            break;
        case 0x0b: case 0x0d:
            put16(body, request->topic_id ? request->topic_id : 16u + (request->id & 31));
            put16(body + 2, request->id);
            body[4] = low;
            length = 5;
            break;
        case 0x0e: case 0x0f: case 0x10: case 0x15:
            put16(body, request->id);
            length = 2;
            break;
        case 0x13:
            body[0] = request->flags & 0x60;
            put16(body + 1, 16u + (request->id & 31));
            put16(body + 3, request->id);
            body[5] = low;
            length = 6;
            break;
    }
    deliver_sn(request->link, reply, length);
}

/* The reply to the request made so many requests ago. */
static void deliver_reply(uint32_t back, int32_t type, int32_t code) {
    if (back >= board.request_count || back >= REQUESTS) return;
    const Request request = board.requests[(board.request_count - 1 - back) % REQUESTS];
    if (board.sn) reply_sn(&request, type, code);
    else reply_mqtt(&request, type, code);
}

void requested(Request request) {
    board.requests[board.request_count++ % REQUESTS] = request;
}

/* ---- commands ---- */

static void op_raw(uint32_t what) {
    board.breaks_rules = true;
    const uint32_t a = next32();
    switch (what) {
        case 0:
            CALL(link_changed, a >> 16 & 3, a >> 8 & 7, a & 255);
            break;
        case 1:
            CALL(link_received, a & 1, (uint32_t)((int32_t)a >> 1));
            break;
        case 2:
            if (HAS(set_topic)) expect_answer(CALL(set_topic, a), "set_topic");
            break;
        case 3:
            if (HAS(publish)) expect_answer(CALL(publish, a & 0xc00007ff, a >> 28, a >> 27), "publish");
            break;
        case 4:
            if (HAS(add_filter)) expect_answer(CALL(add_filter, a, a & 3), "add_filter");
            break;
        case 5:
            if (HAS(update_will_topic)) expect_answer(CALL(update_will_topic, a, a & 3, 1), "update_will_topic");
            break;
        case 6:
            if (HAS(update_will_payload)) expect_answer(CALL(update_will_payload, a), "update_will_payload");
            break;
        default: /* a board that loses its power: only its records stay */
            module_restore();
            board.links[0] = board.links[1] = SHUT;
            board.failing = 0;
            board.breaks_rules = board.running = board.stopping = false;
            board.request_count = board.answered = 0;
            start();
    }
}

static void op_sending(uint32_t how) {
    const uint32_t most = next8();
    board.sending = how & 3;
    board.most = board.sending == FAILS ? 1 + most % 10 : most;
}

/* Writes the next bytes of the program at the topic buffer, again and again up to `length`. */
static uint32_t write_topic(uint32_t repeats) {
    uint32_t given = next8() & 63;
    const uint8_t *bytes = next_bytes(&given);
    uint32_t length = given << repeats;
    const uint32_t limit = CALL(topic_limit);
    uint8_t *topic = module_bytes(CALL(topic_buffer), limit, "topic_buffer");
    board.topic_written = true;
    for (uint32_t i = 0; i < length && i < limit; i++) topic[i] = bytes[i % given];
    return length;
}

static void op_client(uint32_t op, uint32_t a) {
    static const uint32_t lengths[] = {0, 1, 5, 60, 127, 128, 300, 1000, 1024, 16383, 16384, 65500, 1048575, 1048576, 1048577, 0xffffffffu};
    if (!HAS(publish)) return;
    switch (op) {
        case OP_PUBLISH:
            publish(lengths[next8() & 15], a == 7 ? 0xffffffffu : a & 3, a >> 2);
            break;
        case OP_TOPIC:
            expect_answer(CALL(set_topic, write_topic(a)), "set_topic");
            board.topic_written = false;
            break;
        case OP_FILTER: {
            const uint32_t length = write_topic(a > 4 ? a : 0);
            expect_answer(CALL(add_filter, length, a & 3), "add_filter");
            break;
        }
        case OP_SUBSCRIBE:
            if (a == 7) CALL(clear_filters);
            expect_answer(CALL(subscribe), "subscribe");
            break;
        case OP_UNSUBSCRIBE:
            expect_answer(CALL(unsubscribe), "unsubscribe");
            break;
        case OP_SLEEP:
            if (HAS(flush) && a & 4) CALL(flush, next16() << (a & 3));
            else if (HAS(sleep)) expect_answer(CALL(sleep, next16() + (a == 7)), "sleep");
            break;
        case OP_WAKE:
            if (!HAS(wake)) break;
            if (a & 1) CALL(collect);
            else CALL(wake);
            break;
        case OP_WILL:
            if (!HAS(update_will_topic)) break;
            if (a & 1) expect_answer(CALL(update_will_payload, next8() << (a >> 1)), "update_will_payload");
            else expect_answer(CALL(update_will_topic, write_topic(a >> 1), a >> 1 & 3, 1), "update_will_topic");
            break;
    }
}

static void op_number(uint32_t a) {
    static const int32_t numbers[] = {0, 1, 2, -1, 3, 10, 20, 60, 100, 1000, 65535, 65536, 86400000, 86400001, INT32_MAX, INT32_MIN};
    Override *override = new_override(false);
    override->number = a == 7 ? (int32_t)next32() : numbers[next8() & 15];
}

static void op_text(uint32_t a) {
    Override *override = new_override(true);
    uint32_t given = next8() & 63;
    const uint8_t *bytes = next_bytes(&given);
    override->length = given << a > TEXT_BYTES ? TEXT_BYTES : given << a;
    for (uint32_t i = 0; i < override->length; i++) override->text[i] = bytes[i % given];
}

static void op_bytes(uint32_t link) {
    uint32_t length = next8();
    const uint8_t *bytes = next_bytes(&length);
    deliver(link & 1, bytes, length, link & 2 ? 60000 : 0);
    if (!(link & 4)) settle();
}

static void op_chunks(void) {
    uint32_t length = next8();
    const uint32_t chunk = next8() + 1;
    const uint8_t *bytes = next_bytes(&length);
    while (length) {
        const uint32_t part = length < chunk ? length : chunk;
        deliver(0, bytes, part, 0);
        step_once();
        bytes += part;
        length -= part;
    }
    settle();
}

/* An inbound message that is well formed: at the topic of commands, or at one of its own. */
static void op_message(uint32_t a) {
    static const char *const topics[] = {"t/c", "t/a", "x/\xe5\xba\x95", ""};
    static const uint32_t lengths[] = {0, 1, 5, 100, 500, 1100, 3000, 65000};
    const uint32_t how = next8();
    const uint32_t id = next8();
    const char *topic = topics[how & 3];
    const uint32_t topic_length = (uint32_t)strlen(topic);
    uint32_t length = lengths[how >> 2 & 7];
    if (length > 4096 && ++board.large > 1) length = 7;
    const uint32_t qos = a & 3;
    uint8_t *body = message + (board.sn ? 4 : 5);
    uint32_t at = 0;
    if (board.sn) {
        body[0] = (uint8_t)((qos << 5) | (how & 0x80) | (a & 4 ? 0x10 : 0) | (how >> 5 & 3));
        put16(body + 1, (how >> 5 & 3) == 2 ? 0x7463 : next8());
        put16(body + 3, id);
        at = 5;
    } else {
        put16(body, topic_length);
        memcpy(body + 2, topic, topic_length);
        at = 2 + topic_length;
        if (qos) put16(body + at, id);
        if (qos) at += 2;
    }
    memset(body + at, '1', length);
    if (board.sn) deliver_sn(0, 0x0c, at + length);
    else deliver_mqtt(0x30 | qos << 1 | (how >> 4 & 8 && qos ? 8 : 0) | (a & 4 ? 1 : 0), at + length);
    settle();
}

/* A gateway registers a topic, or says where it is. */
static void op_register(uint32_t a) {
    const uint32_t id = next8();
    uint8_t *body = message + 4;
    if (!board.sn) return;
    uint32_t length = 4;
    switch (a) {
        case 0:
            body[0] = (uint8_t)id;
            put16(body + 1, id);
            deliver_sn(1, 0x00, 3);
            break;
        case 1: case 2:
            body[0] = (uint8_t)id;
            put16(body + 1, 0x7f00);
            body[3] = 0;
            deliver_sn(1, 0x02, a == 1 ? 1 : id & 1 ? 5 : 7);
            break;
        default:
            put16(body, id);
            put16(body + 2, 1 + id);
            memcpy(body + 4, "t/c", 3);
            if (a > 3) {
                memcpy(body + 4, "r/00", 4);
                body[6] = (uint8_t)('0' + (id & 63));
                body[7] = (uint8_t)('0' + a);
                length++;
            }
            deliver_sn(0, 0x0a, length + 3);
    }
    settle();
}

static void op_board(uint32_t a) {
    const uint32_t value = next8();
    switch (a) {
        case 0:
            board.remember_answer = value & 1 ? -REASON_ADDRESS : 0;
            break;
        case 1:
            board.temperature = value & 1 ? READING_FAILED - (int32_t)value : (int32_t)value * 8191 - 1000000;
            break;
        case 2:
            board.temperature = value & 1 ? INT32_MIN : INT32_MAX;
            break;
        case 3:
            board.bits = value + 1;
            break;
        case 4:
            board.polite = value & 1;
            break;
        case 5:
            board.time = value & 1 ? -1 : (int32_t)(value << 23);
            break;
        default:
            board.most = value; /* so many more bytes are taken */
    }
}

static void command(uint32_t op, uint32_t a) {
    switch (op) {
        case OP_STEP:
            settle();
            break;
        case OP_DUE:
            for (uint32_t i = 0; i <= a && board.left < INT32_MAX; i++) {
                board.now += (uint32_t)board.left;
                settle();
            }
            break;
        case OP_TIME: {
            const uint32_t time = next8();
            board.now += ((time & 15) + 1) << (time >> 4) * 2;
            settle();
            break;
        }
        case OP_OPENED:
            if (board.links[a & 1] != OPENING) break;
            board.links[a & 1] = OPEN;
            CALL(link_changed, a & 1, LINK_OPENED, 0);
            if (!(a & 4)) settle();
            break;
        case OP_CLOSED:
            if (board.links[a & 1] == SHUT) break;
            board.links[a & 1] = SHUT;
            if (!(a & 1)) board.failing = 0;
            CALL(link_changed, a & 1, LINK_CLOSED, 1 + next8() % 10);
            if (!(a & 4)) settle();
            break;
        case OP_WRITABLE:
            board.sending = TAKES_ALL;
            if (board.links[a & 1] == OPEN) CALL(link_changed, a & 1, LINK_WRITABLE, 0);
            if (!(a & 4)) settle();
            break;
        case OP_RAW:
            op_raw(a);
            break;
        case OP_BYTES:
            op_bytes(a);
            break;
        case OP_CHUNKS:
            op_chunks();
            break;
        case OP_LONG: {
            uint32_t length = next16();
            if (length > 4096 && ++board.large > 1) length &= 4095;
            memset(message, (int)next8(), length);
            deliver(a & 1, message, length, 0);
            settle();
            break;
        }
        case OP_REPLY:
            deliver_reply(a, -1, -1);
            settle();
            break;
        case OP_REPLY_CODE:
            deliver_reply(a, -1, (int32_t)next8());
            settle();
            break;
        case OP_REPLY_TYPE:
            deliver_reply(a, (int32_t)next8(), -1);
            settle();
            break;
        case OP_SENDING:
            op_sending(a);
            break;
        case OP_OPENING:
            board.open_answer = a ? -(int32_t)a : 0;
            break;
        case OP_STOP:
            stop();
            if (!(a & 1)) settle();
            break;
        case OP_START:
            start();
            settle();
            break;
        case OP_NUMBER:
            op_number(a);
            break;
        case OP_TEXT:
            op_text(a);
            break;
        case OP_DURING:
            board.during = (uint8_t)a;
            break;
        case OP_BOARD:
            op_board(a);
            break;
        case OP_STORAGE:
            if (a & 4) read_mode = (uint8_t)(next8() % 5);
            else write_mode = a & 3;
            break;
        case OP_MESSAGE:
            op_message(a);
            break;
        case OP_REGISTER:
            op_register(a);
            break;
        default:
            op_client(op, a);
    }
}

/* Whatever came before, with a world that is well again the module ends when it was asked to, and else connects again. */
static void expect_recovery(void) {
    if (!board.running || board.breaks_rules) return;
    board.sending = TAKES_ALL;
    board.open_answer = board.remember_answer = 0;
    board.during = write_mode = read_mode = 0;
    board.polite = true;
    board.answered = board.request_count;
    if (!board.stopping && board.links[0] != SHUT && !board.failing) {
        board.links[0] = SHUT;
        CALL(link_changed, 0, LINK_CLOSED, REASON_RESET);
    }
    for (uint32_t link = 0; link < 2; link++) {
        if (board.links[link] == OPEN) CALL(link_changed, link, LINK_WRITABLE, 0);
    }
    board.connected = false;
    for (uint32_t turn = 0; turn < RECOVERY_TURNS; turn++) {
        for (uint32_t link = 0; link < 2; link++) {
            if (board.links[link] != OPENING) continue;
            board.links[link] = OPEN;
            CALL(link_changed, link, LINK_OPENED, 0);
        }
        const bool stopping = board.stopping;
        settle();
        if (stopping ? !board.running : board.connected) return;
        if (board.links[0] == OPENING || board.links[1] == OPENING) continue;
        EXPECT(board.left < INT32_MAX, "%s: nothing is due any more", stopping ? "it does not stop" : "it does not connect");
        /* A delay may be of days, with readings in between: they need not all be taken. */
        board.now += (uint32_t)board.left + (turn > PATIENT_TURNS ? HOUR : 0);
    }
    REPORT("%s, in a world that is well", board.stopping ? "it does not stop" : "it does not connect");
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    module_instantiate();
    EXPECT(CALL(abi_version) == ABI_VERSION, "a module of another version of the boundary");
    if (HAS(payload_buffer)) module_bytes(CALL(payload_buffer), CALL(payload_limit), "payload_buffer");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    program = data;
    program_end = data + size;
    module_restore();
    memset(&board, 0, sizeof board);
    record_count = 0;
    write_mode = read_mode = 0;
    board.settings = next32();
    board.sn = has(IS_SN) ? PROTOCOLS & 2 : !(PROTOCOLS & 1);
    board.polite = has(IS_POLITE);
    board.bits = (next8() << 8) + 1;
    board.now = next8() << 24; /* the clock wraps within the input, or does not */
    board.temperature = 23400;
    board.time = 1700000000;
    if (!has(STARTS_LATE)) command(OP_START, 0);
    while (program < program_end) {
        const uint32_t first = next8();
        command(first & 31, first >> 5);
    }
    expect_recovery();
    if (HAS(outbox_held)) EXPECT(CALL(outbox_held) <= 4096, "the outbox holds %u", CALL(outbox_held));
    return 0;
}

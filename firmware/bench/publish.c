/* What a publish costs, without a network: the port is in this process and takes all bytes.
 *
 *   publish_bench publish PROTOCOL MODULE N   a client module: N times payload, publish(4, 0, 0), step. Prints nothing; it is run
 *                                             under callgrind with two Ns, and the difference is the cost.
 *   publish_bench sensor PROTOCOL MODULE N    a sensor module: N readings on a virtual clock. Prints heap, allocations and published
 *                                             readings as JSON; exit 1 when anything was allocated or the heap figure moved.
 *
 * PROTOCOL is mqtt or mqttsn: what the module is told to speak, and what is at the other end of its link. */

#include "heap.h"
#include "shell.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define DESK_MEMORY (88u * 65536u)
#define INTERVAL 10000

static const char topic[] = "myhome/底楼/客厅/温度";

/* The board: it says yes to everything and answers what needs an answer. */
typedef struct {
    Shell shell;
    const char *topic; /* of the readings; NULL for a client */
    bool datagrams;    /* MQTT-SN */
    int opening;
    uint8_t reply[8];
    uint32_t reply_length;
    uint64_t publishes;
} Bench;

static _Noreturn void give_up(const char *what, const char *why) {
    fprintf(stderr, "publish_bench: %s: %s\n", what, why);
    exit(1);
}

static int32_t link_open(void *context, int32_t link, int32_t choice) {
    (void)link;
    (void)choice;
    ((Bench *)context)->opening = 1;
    return 0;
}

static void reply(Bench *bench, const uint8_t *bytes, uint32_t length) {
    if (bench->reply_length + length > sizeof bench->reply || (bench->datagrams && bench->reply_length)) give_up("peer", "too many replies in one step");
    memcpy(bench->reply + bench->reply_length, bytes, length);
    bench->reply_length += length;
}

/* A datagram of MQTT-SN: this bench sends none of 256 bytes, so the second byte says what it is. */
static int32_t gateway_takes(Bench *bench, const uint8_t *data, int32_t length) {
    switch (data[1]) {
    case 0x04: /* CONNECT */
        reply(bench, (const uint8_t[]){3, 0x05, 0}, 3);
        break;
    case 0x0a: /* REGISTER: the topic gets the id 1 */
        reply(bench, (const uint8_t[]){7, 0x0b, 0, 1, data[4], data[5], 0}, 7);
        break;
    case 0x0c: /* PUBLISH */
        bench->publishes++;
        break;
    case 0x16: /* PINGREQ */
        reply(bench, (const uint8_t[]){2, 0x17}, 2);
        break;
    default:
        give_up("gateway", "a message that this bench does not expect");
    }
    return length;
}

/* Every packet starts a send or follows another: a packet of this bench has a remaining length of one byte. */
static int32_t link_send(void *context, int32_t link, const uint8_t *data, int32_t length) {
    (void)link;
    Bench *bench = context;
    if (bench->datagrams) return gateway_takes(bench, data, length);
    for (int32_t at = 0; at + 1 < length; at += 2 + data[at + 1]) {
        switch (data[at]) {
        case 0x10:
            reply(bench, (const uint8_t[]){0x20, 2, 0, 0}, 4);
            break;
        case 0x30:
            bench->publishes++;
            break;
        case 0xc0:
            reply(bench, (const uint8_t[]){0xd0, 0}, 2);
            break;
        default:
            give_up("broker", "a packet that this bench does not expect");
        }
    }
    return length;
}

static void link_close(void *context, int32_t link) {
    (void)context;
    (void)link;
}

static int32_t remember_gateway(void *context, int32_t slot, const uint8_t *address, int32_t length) {
    (void)context;
    (void)slot;
    (void)address;
    (void)length;
    return -REASON_ADDRESS;
}

static int32_t random_bits(void *context) {
    (void)context;
    return 4;
}

static int32_t config_text(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    const Bench *bench = context;
    const char *value = key == CONFIG_TOPIC ? bench->topic : key == CONFIG_CLIENT_ID ? "bench" : NULL;
    if (!value) return -1;
    int32_t length = (int32_t)strlen(value);
    if (length <= capacity) memcpy(to, value, (size_t)length);
    return length;
}

static int32_t config_number(void *context, int32_t key, int32_t otherwise) {
    const Bench *bench = context;
    if (key == CONFIG_PROTOCOL) return bench->datagrams ? 1 : 0;
    return key == CONFIG_INTERVAL ? INTERVAL : otherwise;
}

static int32_t store_write(void *context, int32_t key, const uint8_t *data, int32_t length) {
    (void)context, (void)key, (void)data, (void)length;
    return -STORE_FAILED;
}

static int32_t store_read(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    (void)context, (void)key, (void)to, (void)capacity;
    return -1;
}

static int32_t unix_time(void *context) {
    (void)context;
    return 0;
}

static int32_t temperature(void *context, int32_t sensor) {
    (void)context;
    (void)sensor;
    return 23456;
}

static void event(void *context, int32_t code, int32_t a, int32_t b) {
    (void)context;
    (void)b;
    if (code == EVENT_LINK_CLOSED || code == EVENT_PROTOCOL_ERROR || code == EVENT_TIMEOUT || code == EVENT_READING_DROPPED ||
        code == EVENT_DATAGRAM_DROPPED || code == EVENT_CONFIG_REFUSED) {
        fprintf(stderr, "publish_bench: event %d with %d\n", (int)code, (int)a);
        exit(1);
    }
}

static const Port port = {link_open,   link_send,     link_close,  remember_gateway, random_bits,
                          config_text, config_number, store_write, store_read, unix_time, temperature, event};

static int32_t step(Bench *bench, uint32_t now) {
    int32_t answer = shell_step(&bench->shell, now);
    if (answer == SHELL_FAILED) give_up("step", bench->shell.error);
    return answer;
}

/* Hands in what the broker answered, and steps until there is no answer any more. */
static void converse(Bench *bench, uint32_t now) {
    for (int i = 0; i < 8 && (bench->opening || bench->reply_length); i++) {
        if (bench->opening) {
            bench->opening = 0;
            shell_link_changed(&bench->shell, 0, LINK_OPENED, 0);
        } else {
            uint32_t room;
            uint8_t *to = shell_link_buffer(&bench->shell, 0, &room);
            if (!to || room < bench->reply_length) give_up("link_buffer", bench->shell.error);
            memcpy(to, bench->reply, bench->reply_length);
            shell_link_received(&bench->shell, 0, bench->reply_length);
            bench->reply_length = 0;
        }
        step(bench, now);
    }
}

static void load(Bench *bench, const char *path, uint32_t memory) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0) give_up(path, "cannot be read; npm run build makes it");
    void *module = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (module == MAP_FAILED) give_up(path, "cannot be mapped");
    ShellOptions options = {.name = path, .module = module, .module_bytes = (uint32_t)status.st_size, .memory_limit = memory, .port = &port, .context = bench};
    if (shell_load(&bench->shell, &options) != 0) give_up(path, bench->shell.error);
    if (shell_start(&bench->shell) != 0) give_up(path, "does not start");
    step(bench, 0);
    converse(bench, 0);
}

static void bench_publish(bool datagrams, const char *path, uint64_t count) {
    static Bench bench;
    bench.datagrams = datagrams;
    load(&bench, path, DESK_MEMORY);
    Engine *engine = &bench.shell.engine;
    EngineFunction *topic_buffer = engine_find(engine, "topic_buffer", 0, true);
    EngineFunction *set_topic = engine_find(engine, "set_topic", 1, true);
    EngineFunction *payload_buffer = engine_find(engine, "payload_buffer", 0, true);
    EngineFunction *publish = engine_find(engine, "publish", 3, true);
    if (!topic_buffer || !set_topic || !payload_buffer || !publish) give_up(path, "is not the client module");
    uint8_t *to = engine_memory(engine, (uint32_t)shell_call(&bench.shell, topic_buffer, NULL, 0), sizeof topic);
    if (!to) give_up(path, "topic_buffer");
    memcpy(to, topic, sizeof topic - 1);
    int32_t length = sizeof topic - 1;
    if (shell_call(&bench.shell, set_topic, &length, 1) != 0) give_up(path, "set_topic");
    uint8_t *payload = engine_memory(engine, (uint32_t)shell_call(&bench.shell, payload_buffer, NULL, 0), 4);
    if (!payload) give_up(path, "payload_buffer");

    const int32_t arguments[3] = {4, 0, 0};
    for (uint64_t i = 0; i < count; i++) {
        memcpy(payload, "23.5", 4);
        if (shell_call(&bench.shell, publish, arguments, 3) != 0) give_up(path, "publish");
        if (shell_step(&bench.shell, 1) == SHELL_FAILED) give_up("step", bench.shell.error);
        if (bench.reply_length) converse(&bench, 1); /* the registration of the topic */
    }
    if (bench.publishes != count) give_up(path, "not every publish left");
    shell_unload(&bench.shell);
}

static int bench_sensor(bool datagrams, const char *path, uint64_t count) {
    static Bench bench;
    bench.datagrams = datagrams;
    bench.topic = topic;
    load(&bench, path, 0);
    uint64_t heap = heap_bytes();
    uint64_t allocations = heap_allocations();
    uint32_t now = 0;
    uint64_t before = bench.publishes;
    for (uint64_t i = 0; i < count; i++) {
        now += INTERVAL;
        step(&bench, now);
        converse(&bench, now);
    }
    allocations = heap_allocations() - allocations;
    bool still = heap == heap_bytes();
    uint64_t published = bench.publishes - before;
    printf("{\"heap\":%" PRIu64 ",\"allocations\":%" PRIu64 ",\"published\":%" PRIu64 "}\n", heap_bytes() + shell_static_bytes(&bench.shell), allocations,
           published);
    if (!still) fprintf(stderr, "publish_bench: the heap was %" PRIu64 " bytes before\n", heap);
    shell_unload(&bench.shell);
    return still && allocations == 0 && published == count ? 0 : 1;
}

int main(int count, char **arguments) {
    if (count != 5) give_up("usage", "publish_bench publish|sensor mqtt|mqttsn MODULE N");
    bool datagrams = strcmp(arguments[2], "mqttsn") == 0;
    if (!datagrams && strcmp(arguments[2], "mqtt") != 0) give_up(arguments[2], "is neither mqtt nor mqttsn");
    uint64_t n = strtoull(arguments[4], NULL, 10);
    if (strcmp(arguments[1], "sensor") == 0) return bench_sensor(datagrams, arguments[3], n);
    if (strcmp(arguments[1], "publish") != 0) give_up(arguments[1], "is neither publish nor sensor");
    bench_publish(datagrams, arguments[3], n);
    return 0;
}

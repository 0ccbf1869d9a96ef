/* The operations, a function each: one of them is what is counted. */

#include "bench.h"
#include "heap.h"

#include <stdio.h>
#include <string.h>

#define DESK_MEMORY (88u * 65536u)
#define KEEP_ALIVE 60000u
#define WARM_UP 3u

static const char topic[] = "myhome/底楼/客厅/温度";

static Bench bench;
static uint32_t spans;
static int32_t payload_length;

/* The exports of a client module. */
static EngineFunction *set_topic, *add_filter, *subscribe, *publish;
static uint8_t *topic_buffer, *payload_buffer;

void bench_begin(Bench *which) {
    if (!which->measuring) return;
    which->counting = true;
    spans++;
    counter_on();
}

void bench_end(Bench *which) {
    if (which->counting) counter_off();
    which->counting = false;
}

/* Counted, unless it is the path alone that is. */
static void begin(void) {
    if (!bench.path) bench_begin(&bench);
}

static void end(void) {
    bench_end(&bench);
}

static void step(void) {
    begin();
    int32_t answer = shell_step(&bench.shell, bench.now);
    end();
    if (answer == SHELL_FAILED) give_up("step", bench.shell.error);
}

/* Hands in what the peer sent, and steps until there is nothing any more. */
static void converse(void) {
    for (int i = 0; i < 8 && (bench.opening || bench.reply_length); i++) {
        if (bench.opening) {
            bench.opening = false;
            begin();
            shell_link_changed(&bench.shell, 0, LINK_OPENED, 0);
            end();
        } else {
            uint32_t room;
            uint32_t length = bench.reply_length;
            begin();
            uint8_t *to = shell_link_buffer(&bench.shell, 0, &room);
            end();
            if (!to || room < length) give_up("link_buffer", bench.shell.error);
            memcpy(to, bench.reply, length);
            bench.reply_length = 0;
            begin();
            shell_link_received(&bench.shell, 0, length);
            end();
        }
        step();
    }
}

static void need(bool fulfilled, const char *what) {
    if (!fulfilled) give_up(what, "did not happen");
}

/* start to CONNECT sent. */
static void connect(uint32_t size) {
    (void)size;
    bool measuring = bench.measuring;
    bench.measuring = false; /* the session before ends */
    bench.stopped = false;
    shell_stop(&bench.shell);
    for (int i = 0; i < 8 && !bench.stopped; i++) {
        step();
        converse();
    }
    need(bench.stopped, "stop");
    bench.measuring = measuring;
    uint32_t connects = bench.connects;
    begin();
    int32_t answer = shell_start(&bench.shell);
    end();
    if (answer != 0) give_up("start", bench.shell.error);
    step();
    need(bench.opening, "link_open");
    bench.opening = false;
    begin();
    shell_link_changed(&bench.shell, 0, LINK_OPENED, 0);
    end();
    step();
    need(bench.connects == connects + 1, "CONNECT");
    bench.measuring = false;
    converse();
    bench.measuring = measuring;
}

static void publish_at(int32_t qos) {
    uint32_t before = bench.publishes;
    const int32_t arguments[3] = {payload_length, qos, 0};
    begin();
    int32_t id = shell_call(&bench.shell, publish, arguments, 3);
    end();
    if (id < 0 || (qos > 0) != (id > 0)) give_up("publish", bench.shell.error);
    step();
    converse(); /* over MQTT-SN, the registration of the topic */
    need(bench.publishes == before + 1, "PUBLISH");
}

static void publish_qos0(uint32_t size) {
    (void)size;
    publish_at(0);
}

/* To the last acknowledgement; `size` others are in flight all the while. */
static void publish_acknowledged(int32_t qos, uint32_t size) {
    while (bench.newest - bench.oldest < size) publish_at(qos);
    publish_at(qos);
    bench_acknowledge(&bench);
    converse();
    need(bench.newest - bench.oldest == size, "acknowledgement");
}

static void publish_qos1(uint32_t size) {
    publish_acknowledged(1, size);
}

static void publish_qos2(uint32_t size) {
    publish_acknowledged(2, size);
}

static void payload(uint32_t size) {
    payload_length = (int32_t)size;
    publish_at(0);
}

/* Identifiers of inbound messages come in turn. */
#define INBOUND_IDS 60000u
static uint16_t inbound_id;

/* A PUBLISH with the topic and 4 bytes of payload. Over MQTT-SN its topic id is 1, which the client's own registration gave it. */
static void inbound_at(uint32_t qos) {
    uint8_t packet[48];
    uint32_t length = 0;
    inbound_id = (uint16_t)(inbound_id % INBOUND_IDS + 1);
    const uint8_t id_bytes[2] = {(uint8_t)(inbound_id >> 8), (uint8_t)inbound_id};
    if (bench.datagrams) {
        packet[length++] = 11;
        packet[length++] = 0x0c;
        packet[length++] = (uint8_t)(qos << 5);
        packet[length++] = 0;
        packet[length++] = 1;
        packet[length++] = qos ? id_bytes[0] : 0;
        packet[length++] = qos ? id_bytes[1] : 0;
    } else {
        const uint32_t topic_length = sizeof topic - 1;
        packet[length++] = (uint8_t)(0x30 | qos << 1);
        packet[length++] = (uint8_t)(2 + topic_length + (qos ? 2 : 0) + 4);
        packet[length++] = 0;
        packet[length++] = (uint8_t)topic_length;
        memcpy(packet + length, topic, topic_length);
        length += topic_length;
        if (qos) memcpy(packet + length, id_bytes, 2);
        length += qos ? 2 : 0;
    }
    memcpy(packet + length, "23.5", 4);
    uint32_t messages = bench.messages;
    uint32_t acknowledgements = bench.acknowledgements;
    bench_reply(&bench, packet, length + 4);
    converse();
    need(bench.messages == messages + 1, "EVENT_MESSAGE");
    need(bench.acknowledgements == acknowledgements + (qos && !bench.withholds ? 1 : 0), "acknowledgement");
}

static void inbound_qos0(uint32_t size) {
    (void)size;
    inbound_at(0);
}

static void inbound_qos1(uint32_t size) {
    (void)size;
    inbound_at(1);
}

static void inbound_qos2(uint32_t size) {
    (void)size;
    inbound_at(2);
}

/* Inbound at QoS 2, and the PUBREL of the oldest; `size` others wait for theirs all the while. */
static void released(uint32_t size) {
    static uint32_t waiting;
    bench.withholds = true;
    for (; waiting <= size; waiting++) inbound_at(2);
    const uint32_t id = (inbound_id - 1u + INBOUND_IDS - size) % INBOUND_IDS + 1;
    uint32_t acknowledgements = bench.acknowledgements;
    bench_reply(&bench, (const uint8_t[]){0x62, 2, (uint8_t)(id >> 8), (uint8_t)id}, 4);
    converse();
    waiting--;
    need(bench.acknowledgements == acknowledgements + 1, "PUBCOMP");
}

/* Inbound at QoS 0 with `size` subscriptions. */
static void subscribed(uint32_t size) {
    static uint32_t subscriptions;
    for (; subscriptions < size; subscriptions++) {
        int32_t length = snprintf((char *)topic_buffer, 32, "myhome/%u/+", (unsigned)subscriptions);
        if (shell_call(&bench.shell, add_filter, (const int32_t[]){length, 0}, 2) != 0) give_up("add_filter", bench.shell.error);
        if (shell_call(&bench.shell, subscribe, NULL, 0) <= 0) give_up("subscribe", bench.shell.error);
        step();
        converse();
    }
    inbound_at(0);
}

/* PINGREQ and PINGRESP. */
static void keep_alive(uint32_t size) {
    (void)size;
    uint32_t pings = bench.pings;
    bench.now += KEEP_ALIVE;
    step();
    converse();
    need(bench.pings == pings + 1, "PINGREQ");
}

static void reading(uint32_t size) {
    (void)size;
    uint32_t before = bench.publishes;
    bench.now += 10000;
    step();
    bool measuring = bench.measuring;
    bench.measuring = false;
    converse();
    bench.measuring = measuring;
    need(bench.publishes == before + 1, "PUBLISH");
}

/* What a span of counting costs by itself. */
static void nothing(uint32_t size) {
    (void)size;
    begin();
    end();
}

static const struct {
    const char *name;
    void (*run)(uint32_t size);
    bool sensor; /* of a sensor module, otherwise of a client */
    bool path;
} operations[] = {
    {"nothing", nothing, true, false},
    {"path", reading, true, true},
    {"step", reading, true, false},
    {"connect", connect, false, false},
    {"publish0", publish_qos0, false, false},
    {"publish1", publish_qos1, false, false},
    {"publish2", publish_qos2, false, false},
    {"inbound0", inbound_qos0, false, false},
    {"inbound1", inbound_qos1, false, false},
    {"inbound2", inbound_qos2, false, false},
    {"released", released, false, false}, /* over MQTT */
    {"keepalive", keep_alive, false, false},
    {"payload", payload, false, false},
    {"subscribed", subscribed, false, false},
};

static void find_client(void) {
    Engine *engine = &bench.shell.engine;
    EngineFunction *topic_at = engine_find(engine, "topic_buffer", 0, true);
    EngineFunction *payload_at = engine_find(engine, "payload_buffer", 0, true);
    set_topic = engine_find(engine, "set_topic", 1, true);
    add_filter = engine_find(engine, "add_filter", 2, true);
    subscribe = engine_find(engine, "subscribe", 0, true);
    publish = engine_find(engine, "publish", 3, true);
    if (!topic_at || !payload_at || !set_topic || !add_filter || !subscribe || !publish) give_up("module", "is not a client");
    topic_buffer = engine_memory(engine, (uint32_t)shell_call(&bench.shell, topic_at, NULL, 0), 65535);
    payload_buffer = engine_memory(engine, (uint32_t)shell_call(&bench.shell, payload_at, NULL, 0), 1048576);
    if (!topic_buffer || !payload_buffer) give_up("module", "its buffers are outside its memory");
    const int32_t length = sizeof topic - 1;
    memcpy(topic_buffer, topic, sizeof topic - 1);
    if (shell_call(&bench.shell, set_topic, &length, 1) != 0) give_up("set_topic", bench.shell.error);
    memset(payload_buffer, 'x', 1048576);
    memcpy(payload_buffer, "23.5", 4);
    payload_length = 4;
}

int bench_run(const BenchOptions *options) {
    size_t at = 0;
    size_t all = sizeof operations / sizeof *operations;
    while (at < all && strcmp(operations[at].name, options->operation) != 0) at++;
    if (at == all) give_up(options->operation, "is no operation");
    bench.datagrams = strcmp(options->protocol, "mqttsn") == 0;
    if (!bench.datagrams && strcmp(options->protocol, "mqtt") != 0) give_up(options->protocol, "is neither mqtt nor mqttsn");
    bench.sensor = operations[at].sensor;
    bench.path = operations[at].path;

    ShellOptions shell = {.module = options->module,
                          .module_bytes = options->module_bytes,
                          .name = options->name,
                          .memory_limit = bench.sensor ? 0 : DESK_MEMORY,
                          .port = &bench_port,
                          .context = &bench};
    if (shell_load(&bench.shell, &shell) != 0) give_up(options->name, bench.shell.error);
    if (shell_start(&bench.shell) != 0) give_up(options->name, "does not start");
    step();
    converse();
    need(bench.connects == 1, "CONNECT");
    if (!bench.sensor) {
        find_client();
        publish_at(0);
    }
    for (uint32_t i = 0; i < WARM_UP; i++) operations[at].run(options->size);

    uint64_t heap = heap_bytes();
    uint64_t allocations = heap_allocations();
    for (uint32_t i = 0; i < options->count; i++) {
        bench.measuring = true;
        operations[at].run(options->size);
    }
    bench.measuring = false;
    allocations = heap_allocations() - allocations;
    if (heap != heap_bytes()) give_up(options->name, "the heap is not what it was after the start");
    heap += shell_static_bytes(&bench.shell);
    printf("{\"instructions\":%lu,\"spans\":%lu,\"heap\":%lu,\"allocations\":%lu,\"memory\":%lu,\"stack\":%lu}\n", (unsigned long)counter_total(),
           (unsigned long)spans, (unsigned long)heap, (unsigned long)allocations, (unsigned long)shell_memory_bytes(&bench.shell), (unsigned long)stack_bytes());
    shell_unload(&bench.shell);
    return 0;
}

/* The board of the bench and the peer at the other end of its link, which answers what needs an answer. */

#include "bench.h"

#include <stdio.h>
#include <string.h>

#define INTERVAL 10000

static const char topic[] = "myhome/底楼/客厅/温度";

void bench_reply(Bench *bench, const uint8_t *bytes, uint32_t length) {
    if (bench->reply_length + length > sizeof bench->reply || (bench->datagrams && bench->reply_length)) give_up("peer", "too many replies in one step");
    memcpy(bench->reply + bench->reply_length, bytes, length);
    bench->reply_length += length;
}

/* Counting stops while the port is at work, and goes on behind it. */
static bool leave(Bench *bench) {
    bool counting = bench->counting;
    if (counting) bench_end(bench);
    return counting;
}

static void enter(Bench *bench, bool counting) {
    if (counting) bench_begin(bench);
}

static void published(Bench *bench, uint32_t qos, const uint8_t *id) {
    bench->publishes++;
    if (!qos) return;
    if (bench->newest - bench->oldest == BENCH_WINDOW) give_up("peer", "more messages in flight than it can keep");
    bench->qos = qos;
    bench->unacknowledged[bench->newest++ % BENCH_WINDOW] = (uint16_t)(id[0] << 8 | id[1]);
}

void bench_acknowledge(Bench *bench) {
    if (bench->oldest == bench->newest) give_up("peer", "no message to acknowledge");
    uint16_t id = bench->unacknowledged[bench->oldest++ % BENCH_WINDOW];
    uint8_t high = (uint8_t)(id >> 8);
    uint8_t low = (uint8_t)id;
    if (!bench->datagrams) bench_reply(bench, (const uint8_t[]){bench->qos == 1 ? 0x40 : 0x50, 2, high, low}, 4);
    else if (bench->qos == 1) bench_reply(bench, (const uint8_t[]){7, 0x0d, 0, 1, high, low, 0}, 7);
    else bench_reply(bench, (const uint8_t[]){4, 0x0f, high, low}, 4);
}

/* A datagram of MQTT-SN: this bench sends none of 256 bytes, so the second byte says what it is. */
static void gateway_takes(Bench *bench, const uint8_t *data) {
    switch (data[1]) {
    case 0x04: /* CONNECT */
        bench->connects++;
        bench_reply(bench, (const uint8_t[]){3, 0x05, 0}, 3);
        break;
    case 0x0a: /* REGISTER: the topic gets the id 1 */
        bench_reply(bench, (const uint8_t[]){7, 0x0b, 0, 1, data[4], data[5], 0}, 7);
        break;
    case 0x0c: /* PUBLISH */
        published(bench, data[2] >> 5 & 3, data + 5);
        break;
    case 0x10: /* PUBREL */
        bench_reply(bench, (const uint8_t[]){4, 0x0e, data[2], data[3]}, 4);
        break;
    case 0x0d: /* PUBACK */
    case 0x0e: /* PUBCOMP */
        bench->acknowledgements++;
        break;
    case 0x0f: /* PUBREC */
        if (!bench->withholds) bench_reply(bench, (const uint8_t[]){4, 0x10, data[2], data[3]}, 4);
        break;
    case 0x16: /* PINGREQ */
        bench->pings++;
        bench_reply(bench, (const uint8_t[]){2, 0x17}, 2);
        break;
    case 0x18: /* DISCONNECT */
        bench_reply(bench, (const uint8_t[]){2, 0x18}, 2);
        break;
    default:
        give_up("gateway", "a message that this bench does not expect");
    }
}

/* `body`: behind the fixed header. */
static void broker_takes(Bench *bench, uint8_t type, const uint8_t *body) {
    switch (type) {
    case 0x10: /* CONNECT */
        bench->connects++;
        bench_reply(bench, (const uint8_t[]){0x20, 2, 0, 0}, 4);
        break;
    case 0x30: /* PUBLISH */
    case 0x32:
    case 0x34:
        published(bench, type >> 1 & 3, body + 2 + (body[0] << 8 | body[1]));
        break;
    case 0x40: /* PUBACK */
    case 0x70: /* PUBCOMP */
        bench->acknowledgements++;
        break;
    case 0x50: /* PUBREC */
        if (!bench->withholds) bench_reply(bench, (const uint8_t[]){0x62, 2, body[0], body[1]}, 4);
        break;
    case 0x62: /* PUBREL */
        bench_reply(bench, (const uint8_t[]){0x70, 2, body[0], body[1]}, 4);
        break;
    case 0x82: /* SUBSCRIBE, of one filter */
        bench_reply(bench, (const uint8_t[]){0x90, 3, body[0], body[1], 0}, 5);
        break;
    case 0xc0: /* PINGREQ */
        bench->pings++;
        bench_reply(bench, (const uint8_t[]){0xd0, 0}, 2);
        break;
    case 0xe0: /* DISCONNECT */
        break;
    default:
        give_up("broker", "a packet that this bench does not expect");
    }
}

/* Every packet starts a send or follows another, and is whole. */
static int32_t link_send(void *context, int32_t link, const uint8_t *data, int32_t length) {
    (void)link;
    Bench *bench = context;
    bool counting = leave(bench);
    if (bench->datagrams) {
        gateway_takes(bench, data);
    } else {
        const uint8_t *end = data + length;
        for (const uint8_t *p = data; p < end;) {
            uint8_t type = *p++;
            uint32_t remaining = 0;
            for (uint32_t shift = 0; shift < 28; shift += 7) {
                remaining |= (*p & 0x7fu) << shift;
                if (*p++ < 0x80) break;
            }
            if (remaining > (uint32_t)(end - p)) give_up("broker", "a part of a packet");
            broker_takes(bench, type, p);
            p += remaining;
        }
    }
    if (!bench->path) enter(bench, counting);
    return length;
}

static int32_t link_open(void *context, int32_t link, int32_t choice) {
    (void)link, (void)choice;
    ((Bench *)context)->opening = true;
    return 0;
}

static void link_close(void *context, int32_t link) {
    (void)context, (void)link;
}

static int32_t remember_gateway(void *context, int32_t slot, const uint8_t *address, int32_t length) {
    (void)context, (void)slot, (void)address, (void)length;
    return -REASON_ADDRESS;
}

static int32_t random_bits(void *context) {
    (void)context;
    return 4;
}

static int32_t config_text(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    Bench *bench = context;
    bool counting = leave(bench);
    const char *value = key == CONFIG_TOPIC && bench->sensor ? topic : key == CONFIG_CLIENT_ID ? "bench" : NULL;
    int32_t length = value ? (int32_t)strlen(value) : -1;
    if (value && length <= capacity) memcpy(to, value, (size_t)length);
    enter(bench, counting);
    return length;
}

static int32_t config_number(void *context, int32_t key, int32_t otherwise) {
    const Bench *bench = context;
    if (key == CONFIG_PROTOCOL) return bench->datagrams ? 1 : 0;
    if (key == CONFIG_MAX_INFLIGHT) return (int32_t)BENCH_WINDOW;
    if (key == CONFIG_KEEP_ALIVE && bench->sensor) return 65535; /* a reading costs what a reading costs, without a ping */
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
    (void)sensor;
    Bench *bench = context;
    if (bench->path && bench->measuring) bench_begin(bench);
    return 23456;
}

static void event(void *context, int32_t code, int32_t a, int32_t b) {
    (void)b;
    Bench *bench = context;
    switch (code) {
    case EVENT_STOPPED:
        bench->stopped = true;
        break;
    case EVENT_MESSAGE:
        bench->messages++;
        break;
    case EVENT_LINK_CLOSED:
    case EVENT_PROTOCOL_ERROR:
    case EVENT_TIMEOUT:
    case EVENT_READING_DROPPED:
    case EVENT_DATAGRAM_DROPPED:
    case EVENT_CONFIG_REFUSED:
    case EVENT_DUPLICATE:
    case EVENT_UNKNOWN_ACKNOWLEDGEMENT: {
        char text[48];
        snprintf(text, sizeof text, "event %d with %d", (int)code, (int)a);
        give_up("module", text);
    }
    default:
        break;
    }
}

const Port bench_port = {
    .link_open = link_open,
    .link_send = link_send,
    .link_close = link_close,
    .remember_gateway = remember_gateway,
    .random = random_bits,
    .config_text = config_text,
    .config_number = config_number,
    .store_write = store_write,
    .store_read = store_read,
    .unix_time = unix_time,
    .temperature = temperature,
    .event = event,
};

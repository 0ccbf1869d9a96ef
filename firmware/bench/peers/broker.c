#include "broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT (void)0
#endif

#define WINDOW 4096u
#define WARM_UP 3u
#define PATIENCE 5000 /* ms */

const char bench_topic[] = "myhome/底楼/客厅/温度";
unsigned long spans;
int measuring;
long clock_ahead;
long clock_stride;

static int listener = -1, connection = -1;
static uint8_t in[1 << 21];
static size_t in_length;
static struct {
    uint8_t id[2];
    uint8_t qos;
} unacknowledged[WINDOW];
static uint32_t oldest, newest;

_Noreturn void give_up(const char *what) {
    fprintf(stderr, "peer: %s: %s\n", what, errno ? strerror(errno) : "did not happen");
    exit(1);
}

__attribute__((noinline)) void counter_on(void) {
    if (!measuring) return;
    spans++;
    CALLGRIND_TOGGLE_COLLECT;
}

__attribute__((noinline)) void counter_off(void) {
    if (!measuring) return;
    CALLGRIND_TOGGLE_COLLECT;
}

/* The libraries call this one instead of libc's. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    clock_ahead += clock_stride;
    time->tv_sec += clock_ahead / 1000;
    time->tv_nsec += clock_ahead % 1000 * 1000000;
    if (time->tv_nsec >= 1000000000) {
        time->tv_nsec -= 1000000000;
        time->tv_sec++;
    }
    return result;
}

uint16_t broker_listen(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 8) != 0) give_up("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0) give_up("getsockname");
    return ntohs(address.sin_port);
}

void broker_accept(void) {
    if (connection >= 0) close(connection);
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE) != 1) give_up("a connection");
    connection = accept(listener, NULL, NULL);
    int yes = 1;
    if (connection < 0 || setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) give_up("accept");
    in_length = 0;
}

static void sends(const uint8_t *bytes, size_t length) {
    if (send(connection, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) give_up("send");
}

static void answer(uint8_t first, const uint8_t *body) {
    switch (first & 0xf0) {
    case 0x10:
        sends((const uint8_t[]){0x20, 2, 0, 0}, 4);
        break;
    case 0x30: {
        uint8_t qos = first >> 1 & 3;
        if (!qos) break;
        if (newest - oldest == WINDOW) give_up("a window of that size");
        const uint8_t *id = body + 2 + (body[0] << 8 | body[1]);
        memcpy(unacknowledged[newest % WINDOW].id, id, 2);
        unacknowledged[newest++ % WINDOW].qos = qos;
        break;
    }
    case 0x50:
        sends((const uint8_t[]){0x62, 2, body[0], body[1]}, 4);
        break;
    case 0x60:
        sends((const uint8_t[]){0x70, 2, body[0], body[1]}, 4);
        break;
    case 0x80:
        sends((const uint8_t[]){0x90, 3, body[0], body[1], 0}, 5);
        break;
    case 0xc0:
        sends((const uint8_t[]){0xd0, 0}, 2);
        break;
    default:
        break;
    }
}

/* Answers the packets that are whole; nonzero when one of them had the type `wanted`. */
static int answer_all(uint8_t wanted) {
    int seen = 0;
    size_t at = 0;
    for (;;) {
        size_t p = at + 1;
        size_t remaining = 0;
        int last = 0;
        for (unsigned shift = 0; !last && p < in_length && shift < 28; shift += 7) {
            remaining |= (size_t)(in[p] & 0x7f) << shift;
            last = in[p++] < 0x80;
        }
        if (!last || p + remaining > in_length) break;
        answer(in[at], in + p);
        seen |= (in[at] & 0xf0) == wanted;
        at = p + remaining;
    }
    memmove(in, in + at, in_length - at);
    in_length -= at;
    return seen;
}

static ssize_t receive(void) {
    ssize_t length = recv(connection, in + in_length, sizeof in - in_length, 0);
    if (length > 0) in_length += (size_t)length;
    return length;
}

void broker_takes(uint8_t type) {
    errno = 0;
    do {
        struct pollfd wait = {.fd = connection, .events = POLLIN};
        if (poll(&wait, 1, PATIENCE) != 1 || receive() <= 0) give_up("a packet");
    } while (!answer_all(type));
}

int broker_socket(void) {
    return connection >= 0 ? connection : listener;
}

int broker_reads(void) {
    if (connection < 0) {
        broker_accept();
        return 1;
    }
    if (receive() <= 0) {
        close(connection);
        connection = -1;
        return 0;
    }
    answer_all(0);
    return 1;
}

void broker_acknowledges(void) {
    if (oldest == newest) broker_takes(0x30);
    const uint8_t *id = unacknowledged[oldest % WINDOW].id;
    uint8_t qos = unacknowledged[oldest++ % WINDOW].qos;
    sends((const uint8_t[]){qos == 1 ? 0x40 : 0x50, 2, id[0], id[1]}, 4);
}

void broker_publishes(uint32_t qos) {
    static uint16_t id;
    uint8_t packet[64];
    const size_t topic_length = strlen(bench_topic);
    size_t length = 0;
    id = (uint16_t)(id % 60000 + 1);
    packet[length++] = (uint8_t)(0x30 | qos << 1);
    packet[length++] = (uint8_t)(2 + topic_length + (qos ? 2 : 0) + 4);
    packet[length++] = 0;
    packet[length++] = (uint8_t)topic_length;
    memcpy(packet + length, bench_topic, topic_length);
    length += topic_length;
    if (qos) {
        packet[length++] = (uint8_t)(id >> 8);
        packet[length++] = (uint8_t)id;
    }
    memcpy(packet + length, "23.5", 4);
    sends(packet, length + 4);
}

int peer_main(int count, char **arguments, int (*operation)(const char *name, uint32_t size)) {
    if (count != 3 && count != 4) give_up("usage: OPERATION COUNT [SIZE]");
    const uint32_t times = (uint32_t)strtoul(arguments[2], NULL, 10);
    const uint32_t size = count == 4 ? (uint32_t)strtoul(arguments[3], NULL, 10) : 0;
    for (uint32_t i = 0; i < WARM_UP + times; i++) {
        measuring = i >= WARM_UP;
        if (!operation(arguments[1], size)) give_up(arguments[1]);
        measuring = 0;
    }
    printf("{\"spans\":%lu}\n", spans);
    fflush(stdout);
    return 0;
}

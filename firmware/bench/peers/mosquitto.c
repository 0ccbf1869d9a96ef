/* libmosquitto's operations, in one thread: the library writes in the call itself and reads when it is told to. The broker is in the same
 * process and is not counted; nor is what the kernel does. */

#include "broker.h"

#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <string.h>

#define KEEP_ALIVE 60

static struct mosquitto *client;
static uint32_t published, messages, in_flight;

static void on_publish(struct mosquitto *which, void *context, int id) {
    (void)which, (void)context, (void)id;
    published++;
}

static void on_message(struct mosquitto *which, void *context, const struct mosquitto_message *message) {
    (void)which, (void)context;
    if (message->payloadlen == 4) messages++;
}

/* The library reads one packet that the broker sent. */
static void reads(void) {
    struct pollfd wait = {.fd = mosquitto_socket(client), .events = POLLIN};
    errno = 0;
    if (poll(&wait, 1, 5000) != 1) give_up("an answer of the broker");
    counter_on();
    int result = mosquitto_loop_read(client, 1);
    counter_off();
    if (result != MOSQ_ERR_SUCCESS) give_up("mosquitto_loop_read");
}

static void connects(uint16_t port) {
    counter_on();
    int result = port ? mosquitto_connect(client, "127.0.0.1", port, KEEP_ALIVE) : mosquitto_reconnect(client);
    counter_off();
    if (result != MOSQ_ERR_SUCCESS) give_up("mosquitto_connect");
    broker_accept();
    broker_takes(0x10);
    int was = measuring;
    measuring = 0;
    reads();
    measuring = was;
}

static void publish(int qos, int length) {
    static char payload[1 << 20] = "23.5";
    counter_on();
    int result = mosquitto_publish(client, NULL, bench_topic, length, payload, qos, false);
    counter_off();
    if (result != MOSQ_ERR_SUCCESS) give_up("mosquitto_publish");
    broker_takes(0x30);
}

static int publish_acknowledged(int qos, uint32_t size) {
    for (; in_flight < size; in_flight++) publish(qos, 4);
    uint32_t before = published;
    publish(qos, 4);
    broker_acknowledges();
    reads();
    if (qos == 2) {
        broker_takes(0x60);
        reads();
    }
    return published == before + 1;
}

static int inbound(uint32_t qos) {
    uint32_t before = messages;
    broker_publishes(qos);
    reads();
    if (qos == 1) broker_takes(0x40);
    if (qos == 2) {
        broker_takes(0x50);
        reads();
        broker_takes(0x70);
    }
    return messages == before + 1;
}

static int operation(const char *name, uint32_t size) {
    if (strcmp(name, "nothing") == 0) {
        counter_on();
        counter_off();
        return 1;
    }
    if (strcmp(name, "connect") == 0) {
        int was = measuring;
        measuring = 0;
        mosquitto_disconnect(client);
        measuring = was;
        connects(0);
        return 1;
    }
    if (strcmp(name, "publish0") == 0) return publish(0, 4), 1;
    if (strcmp(name, "payload") == 0) return publish(0, (int)size), 1;
    if (strcmp(name, "publish1") == 0) return publish_acknowledged(1, size);
    if (strcmp(name, "publish2") == 0) return publish_acknowledged(2, size);
    if (strcmp(name, "inbound0") == 0) return inbound(0);
    if (strcmp(name, "inbound1") == 0) return inbound(1);
    if (strcmp(name, "inbound2") == 0) return inbound(2);
    if (strcmp(name, "keepalive") == 0) {
        clock_ahead += KEEP_ALIVE * 1000L;
        counter_on();
        int result = mosquitto_loop_misc(client);
        counter_off();
        if (result != MOSQ_ERR_SUCCESS) return 0;
        broker_takes(0xc0);
        reads();
        return 1;
    }
    return 0;
}

int main(int count, char **arguments) {
    uint16_t port = broker_listen();
    mosquitto_lib_init();
    client = mosquitto_new("bench", true, NULL);
    if (!client) give_up("mosquitto_new");
    mosquitto_publish_callback_set(client, on_publish);
    mosquitto_message_callback_set(client, on_message);
    mosquitto_max_inflight_messages_set(client, 0);
    connects(port);
    return peer_main(count, arguments, operation);
}

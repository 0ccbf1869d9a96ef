/* Operations of Paho MQTT C, its synchronous client, in one thread: a call returns when it is done, so the broker is a child process. Not
 * counted are the broker and the kernel. The library waits by its clock, which goes faster here: a wait ends with the first look after an answer. */

#include "broker.h"

#include <MQTTClient.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEP_ALIVE 600
#define PATIENCE 600000UL /* ms of the fast clock */
#define WINDOW 4096u

static MQTTClient client;
static int control = -1; /* to the child: 'a' acknowledge the oldest, '0' to '2' publish at that QoS; it answers with the same byte */
static MQTTClient_deliveryToken tokens[WINDOW];
static uint32_t oldest, newest;

/* The child: it ends with its parent. */
static _Noreturn void serve(int parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        struct pollfd wait[2] = {{.fd = parent, .events = POLLIN}, {.fd = broker_socket(), .events = POLLIN}};
        if (poll(wait, 2, -1) < 0) _exit(1);
        if (wait[1].revents) broker_reads();
        if (wait[0].revents) {
            char order;
            if (read(parent, &order, 1) != 1) _exit(0);
            if (order == 'a') broker_acknowledges();
            else broker_publishes((uint32_t)(order - '0'));
            if (write(parent, &order, 1) != 1) _exit(1);
        }
    }
}

static void tell(char order) {
    char done;
    errno = 0;
    if (write(control, &order, 1) != 1 || read(control, &done, 1) != 1) give_up("the broker");
}

static void connects(void) {
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    options.keepAliveInterval = KEEP_ALIVE;
    options.reliable = 0;
    options.maxInflightMessages = 65535;
    counter_on();
    int result = MQTTClient_connect(client, &options);
    counter_off();
    if (result != MQTTCLIENT_SUCCESS) give_up("MQTTClient_connect");
}

static void publish(int qos, int length) {
    static char payload[1 << 20] = "23.5";
    counter_on();
    int result = MQTTClient_publish(client, bench_topic, length, payload, qos, 0, &tokens[newest++ % WINDOW]);
    counter_off();
    if (result != MQTTCLIENT_SUCCESS) give_up("MQTTClient_publish");
    if (qos == 0) oldest = newest;
}

static int publish_acknowledged(int qos, uint32_t size) {
    while (newest - oldest < size) publish(qos, 4);
    publish(qos, 4);
    tell('a');
    counter_on();
    int result = MQTTClient_waitForCompletion(client, tokens[oldest++ % WINDOW], PATIENCE);
    counter_off();
    return result == MQTTCLIENT_SUCCESS;
}

static int inbound(char qos) {
    char *topic = NULL;
    int length = 0;
    MQTTClient_message *message = NULL;
    tell(qos);
    counter_on();
    int result = MQTTClient_receive(client, &topic, &length, &message, PATIENCE);
    counter_off();
    if ((result != MQTTCLIENT_SUCCESS && result != MQTTCLIENT_TOPICNAME_TRUNCATED) || !message || message->payloadlen != 4) return 0;
    counter_on();
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    counter_off();
    return 1;
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
        if (MQTTClient_disconnect(client, 0) != MQTTCLIENT_SUCCESS) return 0;
        measuring = was;
        connects();
        return 1;
    }
    if (strcmp(name, "publish0") == 0) return publish(0, 4), 1;
    if (strcmp(name, "payload") == 0) return publish(0, (int)size), 1;
    if (strcmp(name, "publish1") == 0) return publish_acknowledged(1, size);
    if (strcmp(name, "publish2") == 0) return publish_acknowledged(2, size);
    if (strcmp(name, "inbound0") == 0) return inbound('0');
    if (strcmp(name, "inbound1") == 0) return inbound('1');
    if (strcmp(name, "inbound2") == 0) return inbound('2');
    if (strcmp(name, "keepalive") == 0) {
        clock_ahead += KEEP_ALIVE * 1000L;
        counter_on();
        MQTTClient_yield(); /* PINGREQ */
        MQTTClient_yield(); /* PINGRESP */
        counter_off();
        return MQTTClient_isConnected(client);
    }
    return 0;
}

int main(int count, char **arguments) {
    char address[64];
    int ends[2];
    snprintf(address, sizeof address, "tcp://127.0.0.1:%u", (unsigned)broker_listen());
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) give_up("socketpair");
    pid_t child = fork();
    if (child < 0) give_up("fork");
    if (child == 0) serve(ends[1]);
    close(ends[1]);
    control = ends[0];
    clock_stride = 60; /* ms */
    if (MQTTClient_create(&client, address, "bench", MQTTCLIENT_PERSISTENCE_NONE, NULL) != MQTTCLIENT_SUCCESS) give_up("MQTTClient_create");
    connects();
    int status = peer_main(count, arguments, operation);
    kill(child, SIGKILL);
    _exit(status);
}

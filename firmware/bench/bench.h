/* What an operation of a module costs, without a network: the port is in this process and takes all bytes, and a scripted broker or
 * gateway is at the other end of the link. What the port and the peer do is not counted.
 *
 * - One operation is run COUNT times after a start that is not counted; the cost is the difference of two runs with two COUNTs.
 * - Counting goes on and off around the shell: each such span costs the same few instructions, which `spans` lets the caller subtract.
 * - The same files run on x86-64 under callgrind (posix.c) and as a bare-metal rv32 image in QEMU (rv32.c). */
#ifndef TWOBYTE_BENCH_H
#define TWOBYTE_BENCH_H

#include "shell.h"

/* Messages without acknowledgement that the peer can keep track of: as many as the module of the Node client has. */
#define BENCH_WINDOW 4096u

/* Largest packet that the peer makes. */
#define BENCH_REPLY_BYTES 128u

typedef struct {
    Shell shell;
    bool datagrams; /* MQTT-SN */
    bool sensor;    /* the module takes readings by itself */
    bool measuring; /* the start is over */
    bool path;      /* counted is from the reading to the link, nothing else */
    bool counting;  /* just now */
    bool withholds; /* the peer answers no PUBREC */
    bool opening;
    bool stopped;
    uint8_t reply[BENCH_REPLY_BYTES];
    uint32_t reply_length;
    uint16_t unacknowledged[BENCH_WINDOW]; /* a ring */
    uint32_t oldest, newest;
    uint32_t qos; /* of the messages in it */
    uint32_t now;
    uint32_t connects, publishes, acknowledgements, pings, messages; /* that the peer or the host has seen */
} Bench;

typedef struct {
    const char *operation;
    const char *protocol; /* mqtt or mqttsn: what the module is told to speak, and what is at the other end of its link */
    const char *name;     /* of the module */
    const uint8_t *module;
    uint32_t module_bytes;
    uint32_t count;
    uint32_t size; /* messages in flight, subscriptions or bytes of payload */
} BenchOptions;

/* bench_run(options): runs the operation and prints what it cost as a line of JSON; the status of the program. */
int bench_run(const BenchOptions *options);

/* The board that says yes to everything. Its context is the Bench. */
extern const Port bench_port;

/* bench_acknowledge(bench): the peer acknowledges the oldest message. */
void bench_acknowledge(Bench *bench);

/* bench_reply(bench, bytes, length): the peer sends; bench_converse hands it in. */
void bench_reply(Bench *bench, const uint8_t *bytes, uint32_t length);

/* bench_begin(bench), bench_end(bench): what is between them is counted once the start is over. */
void bench_begin(Bench *bench);
void bench_end(Bench *bench);

/* What a target brings. */

/* counter_on(), counter_off(): instructions count from the return of one to the call of the other. */
void counter_on(void);
void counter_off(void);

/* counter_total(): instructions that were counted, 0 where something outside counts. */
uint64_t counter_total(void);

/* stack_bytes(): most bytes of stack that were in use since the start, 0 where nobody knows. */
uint32_t stack_bytes(void);

/* give_up(what, why): says so and ends with status 1. */
_Noreturn void give_up(const char *what, const char *why);

#endif

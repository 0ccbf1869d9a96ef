/* A scripted broker on a loopback socket, for native clients whose operations are counted. It answers CONNECT, SUBSCRIBE, PINGREQ and the
 * handshake of QoS 2 at once, and acknowledges a message when it is told to. */
#ifndef TWOBYTE_PEERS_BROKER_H
#define TWOBYTE_PEERS_BROKER_H

#include <stdint.h>

/* broker_listen(): the port on which it listens. */
uint16_t broker_listen(void);

/* broker_accept(): waits for the next connection; the one before is closed. */
void broker_accept(void);

/* broker_takes(type): answers what the client sends, until a packet of this type (its first byte, without flags) was among it. */
void broker_takes(uint8_t type);

/* broker_socket(): the connection, or the listener before there is one; -1: neither. */
int broker_socket(void);

/* broker_reads(): answers what is there; 0 when the client is gone. */
int broker_reads(void);

/* broker_acknowledges(): the oldest message gets its PUBACK or PUBREC; waits for it. */
void broker_acknowledges(void);

/* broker_publishes(qos): sends a message of 4 bytes, with the topic of the bench. */
void broker_publishes(uint32_t qos);

/* What every peer has. */
extern const char bench_topic[];
void counter_on(void);
void counter_off(void);
extern unsigned long spans;
_Noreturn void give_up(const char *what);

/* The clock of the client's library: `clock_ahead` is added to the machine's, and clock_stride to that at every look. Both in ms. */
extern long clock_ahead;
extern long clock_stride;

/* peer_main: parses OPERATION COUNT [SIZE], runs `operation` a few times, then COUNT times while `measuring`, and prints the spans as JSON. */
int peer_main(int count, char **arguments, int (*operation)(const char *name, uint32_t size));
extern int measuring;

#endif

/* A stream over TLS, by esp-tls on a connection of stream.h, never blocking but for the arithmetic of a handshake: 0.2 to 1 s on these chips.
 *
 * - The broker is checked against the authority that was provisioned, or without one against IDF's bundle of common authorities; and its certificate has to
 *   bear the host's name. There is no way to switch that off.
 * - The certificate's times are checked where the build says so (sdkconfig.defaults does): before the clock is set no certificate is valid, so time_server or
 *   the line's clock is needed first.
 * - With a certificate and key of its own the board shows them.
 * - esp-tls and Mbed TLS allocate, some 40 KB during a handshake; the board does not. */
#ifndef TWOBYTE_SECURE_H
#define TWOBYTE_SECURE_H

#include "stream.h"

/* PEM texts, each ending in NUL; NULL: none. They stay where they are. */
typedef struct {
    const char *authority;
    const char *certificate;
    const char *key;
} Identity;

typedef struct {
    Stream tcp;
    const Identity *identity;
    const char *host; /* that the certificate has to name */
    struct esp_tls *session; /* NULL: none yet */
    bool shaking;            /* hands: the link is opening */
    bool open;
    bool unsent;     /* bytes that were taken wait in the session */
    bool blocked;    /* bytes were refused: LINK_WRITABLE is owed */
    int32_t failure; /* REASON_…: LINK_CLOSED is owed */
} Secure;

void secure_init(Secure *tls, const Identity *identity);

/* As the functions of stream.h. secure_open(tls, lookup, number, host): the lookup is of `host`. */
int32_t secure_open(Secure *tls, Lookup *lookup, uint32_t number, const char *host);
int32_t secure_send(Secure *tls, const uint8_t *data, int32_t length);
void secure_close(Secure *tls);
void secure_wants(const Secure *tls, struct pollfd *poll, bool room);

/* secure_wait(tls, room, ms): of the milliseconds that poll would wait, how many it may: what the session has read already, no poll tells. */
int64_t secure_wait(const Secure *tls, bool room, int64_t ms);
LinkNews secure_news(Secure *tls, const struct pollfd *poll);
int32_t secure_receive(Secure *tls, uint8_t *to, uint32_t room, int32_t *reason);

#endif

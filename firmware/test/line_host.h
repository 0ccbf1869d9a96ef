/* The host's end of a line, for tests: written from docs/serial.md, apart from line.c. */
#ifndef TWOBYTE_LINE_HOST_H
#define TWOBYTE_LINE_HOST_H

#include "framing.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_LOG_BYTES 8192
#define HOST_WIRE_BYTES 16384
#define HOST_AGAIN_MS 200

typedef struct {
    /* What it is to do: bytes for the board, then a close of its own with this reason, 0 for none; a reason to refuse every open. */
    const uint8_t *bytes;
    uint32_t bytes_count;
    uint8_t ends_with;
    uint8_t refuses_with;
    bool full; /* takes nothing of the stream */
    uint8_t start; /* its own, in its hello */

    /* What it saw. */
    uint32_t opens;
    uint32_t choice;
    uint32_t epoch;
    bool closed; /* by the board, in order */
    bool gone;   /* the board knows no such stream */
    uint8_t log[HOST_LOG_BYTES];
    uint32_t log_bytes;
    char texts[512]; /* each with its kind and an end of line */
    uint32_t texts_bytes;
    uint32_t hellos;
    uint32_t boot;
    uint32_t hello_epoch;
    uint32_t lost;
    uint32_t commanded;
    uint32_t takens; /* answers to an upload; the last of them: */
    uint8_t taken_number;
    uint8_t taken_status;
    uint32_t taken_awaited;
    char taken_text[512];
    uint32_t datagrams;
    uint8_t datagram[FRAME_MESSAGE_BYTES];
    uint32_t datagram_bytes;
    uint32_t bad_pieces; /* of the stream, longer than a board's */

    /* How far it is. */
    bool has;
    uint16_t awaited;
    uint16_t number;
    bool flying;
    uint32_t sent_at;
    uint32_t bytes_at;
    uint32_t flying_bytes;
    bool said_close;
    uint32_t frames; /* put on the wire */
    uint8_t wire[HOST_WIRE_BYTES];
    uint32_t wire_bytes;
    FrameReader reader;
    uint8_t message[FRAME_MESSAGE_BYTES + FRAME_CHECK_BYTES];
} Host;

void host_init(Host *host);

/* host_forgets(host): starts anew, and says hello. What it is to do stays, and what it saw of the board's texts. */
void host_forgets(Host *host);

void host_received(Host *host, const uint8_t *bytes, uint32_t count);

/* host_step(host, now): puts on the wire what is due. */
void host_step(Host *host, uint32_t now);

/* host_puts(host, message, length): one frame of any message. */
void host_puts(Host *host, const uint8_t *message, uint32_t length);

/* host_says_hello(host): and asks for an answer. */
void host_says_hello(Host *host);

/* host_offers(host, start, number, what, length, crc), host_sends_chunk(host, start, number, offset, bytes, count): of an upload */
void host_offers(Host *host, uint32_t start, uint8_t number, uint8_t what, uint32_t length, uint32_t crc);
void host_sends_chunk(Host *host, uint32_t start, uint8_t number, uint32_t offset, const uint8_t *bytes, uint32_t count);

/* host_commands(host, start, number, command) */
void host_commands(Host *host, uint32_t start, uint8_t number, uint8_t command);

#endif

/* Messages of the line (docs/serial.md), and what the files of the line share. */
#ifndef TWOBYTE_LINE_MESSAGES_H
#define TWOBYTE_LINE_MESSAGES_H

#include "line.h"

enum {
    HELLO = 0x00,
    CONSOLE = 0x01,
    EVENT = 0x02,
    LOST = 0x03,
    CLOCK = 0x04,
    COMMAND = 0x05,
    COMMANDED = 0x06,
    OFFER = 0x07,
    CHUNK = 0x08,
    TAKEN = 0x09,
    OPEN = 0x10,
    OPENED = 0x11,
    DATA = 0x12,
    CLOSE = 0x13,
    ACK = 0x14,
    NONE = 0x15
};

#define VERSION 1
#define HELLO_ANSWER 1 /* the flag: the other side is to say hello, too */
#define ACK_HELD 1     /* the flag: the item awaited is here, and not taken yet */
#define HELLO_BYTES 12
#define COMMAND_BYTES 8
#define OFFER_BYTES 16
#define CHUNK_HEAD_BYTES 11
#define TAKEN_HEAD_BYTES 12
/* The status of a TAKEN. */
#define TAKEN_GO_ON 0
#define TAKEN_DONE 1
#define TAKEN_REFUSED 2
#define ACK_BYTES 9
#define NONE_BYTES 6

static inline uint8_t *put16(uint8_t *to, uint32_t number) {
    *to++ = (uint8_t)(number >> 8 & 0xff);
    *to++ = (uint8_t)(number & 0xff);
    return to;
}

static inline uint8_t *put32(uint8_t *to, uint32_t number) {
    return put16(put16(to, number >> 16), number & 0xffff);
}

static inline uint32_t get16(const uint8_t *from) {
    return (uint32_t)from[0] << 8 | from[1];
}

static inline uint32_t get32(const uint8_t *from) {
    return get16(from) << 16 | get16(from + 2);
}

/* line_begin(line): another opening, of the next epoch. */
void line_begin(Line *line);

/* line_end(line): over, and nothing is owed to the owner; the opening that waited for it begins. */
void line_end(Line *line);

/* line_fail(line, reason): over, and the owner hears it unless it has closed. */
void line_fail(Line *line, int32_t reason);

/* line_cut(text, length): bytes of the most of a text that fits LINE_TEXT_BYTES, and no part of a character. */
uint32_t line_cut(const char *text, uint32_t length);

/* line_take_offer, line_take_chunk: what the host says of an upload. */
void line_take_offer(Line *line, const uint8_t *message, uint32_t length);
void line_take_chunk(Line *line, const uint8_t *message, uint32_t length);

/* line_hold(line, bytes, length): keeps what came for line_receive. */
void line_hold(Line *line, const uint8_t *bytes, uint32_t length);

#endif

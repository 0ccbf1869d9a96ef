/* Datagrams over a serial line: each message between two delimiters, so that a receiver finds its way back by itself.
 *
 * - A frame is 00 COBS(message, check) 00. COBS (Cheshire and Baker) keeps 00 for the delimiter alone at one byte in 254; the check is
 *   CRC-16/X-25 over the message, low byte first.
 * - A delimiter at both ends: a lost or flipped byte, delimiter or not, costs one message. With one between two frames it would cost
 *   both; what lies between the delimiters of two neighbours is empty, and nothing.
 * - A frame with a wrong check, that COBS cannot have, or longer than the reader's buffer is dropped and counted. A byte that was
 *   flipped to 00 makes two bad frames of one. Text of a chip that boots on the same wire is bad frames and no more.
 * - No message of no bytes; none is acknowledged or repeated here: that is the protocol's work above.
 * - All buffers are the caller's. A reader costs its struct and the largest message with FRAME_CHECK_BYTES. */
#ifndef TWOBYTE_FRAMING_H
#define TWOBYTE_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

/* The largest message on a board's line, in bytes: as many as a module receives or sends (assembly/limits.ts). */
#define FRAME_MESSAGE_BYTES 1024
#define FRAME_CHECK_BYTES 2

/* FRAME_BYTES(length): most bytes of the frame of a message of `length`: two delimiters, and a code byte for each 254 begun. */
#define FRAME_BYTES(length) ((length) + FRAME_CHECK_BYTES + ((length) + FRAME_CHECK_BYTES) / 254 + 1 + 2)

typedef struct {
    uint8_t *buffer;   /* the message as it comes in, its check behind it */
    uint32_t capacity; /* bytes of the buffer */
    uint32_t length;   /* bytes in it */
    uint8_t code;      /* of the block that is read: one more than its bytes; 0 between two frames */
    uint8_t left;      /* bytes of that block still to come */
    bool lost;         /* the frame is bad: what comes is thrown away up to the next delimiter */
    uint32_t bad;      /* frames dropped since frame_reader_init */
} FrameReader;

/* frame_check(bytes, length): CRC-16/X-25, of "123456789" 906E. */
uint16_t frame_check(const uint8_t *bytes, uint32_t length);

/* frame_encode(to, capacity, message, length): writes the frame; its bytes, or 0 without a message or with less than
 * FRAME_BYTES(length) to write to. */
uint32_t frame_encode(uint8_t *to, uint32_t capacity, const uint8_t *message, uint32_t length);

/* frame_reader_init(reader, buffer, capacity): the buffer stays the reader's; messages of up to capacity - FRAME_CHECK_BYTES fit. */
void frame_reader_init(FrameReader *reader, uint8_t *buffer, uint32_t capacity);

/* frame_read(reader, bytes, count, length): takes bytes up to the end of a message or of `count`, and answers how many. `length` is then
 * that of the message at the buffer's start, which stays until the next call, or 0: none is whole yet. */
uint32_t frame_read(FrameReader *reader, const uint8_t *bytes, uint32_t count, uint32_t *length);

#endif

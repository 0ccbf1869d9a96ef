/* The board's end of a line, which the input drives: what comes by the wire, what the module and the port ask, and the time. What it sends is frames of
 * the line, each whole; what it hands over is in its bounds; and it can always be opened anew. */
#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition) ((condition) ? (void)0 : (fprintf(stderr, "REPORT: not so: %s\n", #condition), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;
static Line *line;
static FrameReader sent;
static uint8_t sent_message[LINE_WIRE_BYTES];
static uint32_t now;

static uint8_t byte(void) {
    if (left == 0) return 0;
    left--;
    return *input++;
}

static uint32_t bytes(uint8_t *to, uint32_t count) {
    uint32_t given = left < count ? (uint32_t)left : count;
    memcpy(to, input, given);
    input += given;
    left -= given;
    return given;
}

/* What a message of the board may be. */
static void judge(const uint8_t *message, uint32_t length) {
    if (message[0] != 0) return;
    EXPECT(length >= 2);
    switch (message[1]) {
    case 0x00:
        EXPECT(length == 12 && message[2] == 1);
        break;
    case 0x01:
    case 0x02:
        EXPECT(length <= 2 + LINE_TEXT_BYTES);
        break;
    case 0x03:
        EXPECT(length == 10);
        break;
    case 0x06:
        EXPECT(length == 7 && message[6] != 0);
        break;
    case 0x09:
        EXPECT(length >= 12 && length <= 12 + LINE_TEXT_BYTES && message[6] != 0 && message[7] <= 2 && (length == 12 || message[7] == 2));
        break;
    case 0x10:
        EXPECT(length == 12 && message[6] == 0 && message[7] == 0);
        break;
    case 0x12:
        EXPECT(length > 8 && length <= 8 + LINE_PIECE_OUT_BYTES);
        break;
    case 0x13:
    case 0x14:
        EXPECT(length == 9);
        break;
    case 0x15:
        EXPECT(length == 6);
        break;
    default:
        EXPECT(false);
    }
}

static uint32_t take(uint32_t capacity) {
    uint8_t to[600];
    uint32_t count = line_take(line, to, capacity, now);
    EXPECT(count <= capacity);
    for (uint32_t at = 0; at < count;) {
        uint32_t length;
        at += frame_read(&sent, to + at, count - at, &length);
        if (length) judge(sent_message, length);
    }
    EXPECT(sent.bad == 0);
    return count;
}

/* Takes uploads: what comes is in order and within what was offered. By the first bit of its check an upload goes on in its middle. */
static uint32_t upload_bytes, upload_at;
static bool upload_begun;

static const char *begin_upload(void *context, uint32_t length, uint32_t crc, uint32_t *awaited) {
    (void)context;
    EXPECT(*awaited == 0);
    upload_begun = length != 1;
    upload_bytes = length;
    upload_at = *awaited = crc & 1 ? length / 2 : 0;
    return length == 1 ? "not one" : NULL;
}

static const char *write_upload(void *context, uint32_t offset, const uint8_t *from, uint32_t count, uint32_t *awaited) {
    (void)context;
    EXPECT(upload_begun && offset == upload_at && count >= 1 && count <= LINE_CHUNK_BYTES && count <= upload_bytes - offset);
    EXPECT(*awaited == offset + count);
    if (from[0] == 7) return "not a seven";
    upload_at = *awaited;
    return NULL;
}

static const char *end_upload(void *context) {
    (void)context;
    EXPECT(upload_begun && upload_at == upload_bytes);
    upload_begun = false;
    return upload_bytes == 2 ? "not two" : NULL;
}

static const LineUploads uploads = {begin_upload, write_upload, end_upload};

static void arrive(const uint8_t *from, uint32_t count) {
    uint8_t datagram[64];
    for (uint32_t at = 0; at < count;) {
        uint32_t taken = line_received(line, from + at, count - at);
        EXPECT(taken <= count - at);
        at += taken;
        if (taken == 0) { /* a datagram is in the way */
            EXPECT(line->unread && line->holds);
            EXPECT(line_receive(line, datagram, sizeof datagram) > 0);
        }
    }
}

/* A message of the line in a frame; by its flags about this stream, and about the item that comes next or is in flight. */
static void arrive_framed(void) {
    uint8_t message[80], frame[FRAME_BYTES(sizeof message)], flags = byte();
    uint32_t length = bytes(message, flags & 63);
    if (length == 0) return;
    if (flags & 64 && length >= 8 && (message[1] == 0x07 || message[1] == 0x08)) { /* of this start; small, or a chunk that is awaited */
        memcpy(message, (const uint8_t[]){0, message[1], 0, 0, 0, 1}, 6);
        if (message[1] == 0x07 && length >= 12) message[8] = message[9] = 0;
        if (message[1] == 0x08 && flags & 128 && length > 11) {
            message[6] = line->upload;
            for (int i = 0; i < 4; i++) message[7 + i] = (uint8_t)(line->upload_awaited >> (24 - 8 * i) & 0xff);
        }
    } else if (flags & 64 && length >= 8) {
        uint16_t number = message[1] == 0x14 ? (uint16_t)(line->item_number + 1) : line->awaited;
        message[0] = 0;
        for (int i = 0; i < 4; i++) message[2 + i] = (uint8_t)(line->epoch >> (24 - 8 * i) & 0xff);
        if (flags & 128) {
            message[6] = (uint8_t)(number >> 8);
            message[7] = (uint8_t)(number & 0xff);
        }
    }
    arrive(frame, frame_encode(frame, sizeof frame, message, length));
}

static void step(void) {
    uint8_t some[300];
    uint32_t value;
    switch (byte() % 12) {
    case 0:
    case 1:
        arrive_framed();
        break;
    case 2:
        arrive(some, bytes(some, byte()));
        break;
    case 3:
        (void)line_open(line, byte() & 1 ? LINE_DATAGRAMS : LINE_STREAM, byte());
        break;
    case 4:
        line_close(line);
        break;
    case 5: {
        int32_t length = byte() * 4, taken;
        uint8_t *data = calloc(1, (size_t)length + 1);
        data[0] = 0x02; /* a datagram begins with its length, which is not 0 */
        taken = line_send(line, data, length);
        EXPECT(taken <= length && taken >= -10);
        free(data);
        break;
    }
    case 6: {
        uint32_t room = byte() * 3u;
        uint8_t *to = malloc(room + 1);
        uint32_t length = line_receive(line, to, room);
        EXPECT(line->carrier == LINE_DATAGRAMS || length <= room);
        free(to);
        break;
    }
    case 7: {
        uint32_t length = bytes(some, byte());
        (void)line_say(line, byte() & 1 ? LINE_EVENT : LINE_CONSOLE, (const char *)some, length);
        break;
    }
    case 8: {
        LineNews news = line_news(line);
        EXPECT(news.what >= 0 && news.what <= 3 && (news.what == 2) == (news.reason != 0));
        break;
    }
    case 9:
        (void)line_wish(line, &value);
        break;
    case 10:
        (void)take(byte());
        break;
    default:
        now += byte() * 16u;
    }
    EXPECT(line_wait(line, now) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input = data;
    left = size;
    now = 0xfffff000u;
    line = malloc(sizeof *line);
    line_init(line, 1);
    upload_begun = false;
    for (int what = LINE_SETTINGS; what < LINE_UPLOADS; what++) line_takes(line, (LineUpload)what, &uploads, NULL);
    frame_reader_init(&sent, sent_message, sizeof sent_message);
    while (left) step();
    /* Whatever it was, an end comes: of what is to be sent, and of a link that nobody answers. */
    line_close(line);
    for (int turn = 0; turn < 100 && (take(600) || line_busy(line)); turn++) now += 1000;
    EXPECT(!line_busy(line));
    (void)line_open(line, LINE_STREAM, 0);
    LineNews news = {0};
    for (int turn = 0; turn < 30 && news.what != 2; turn++, now += 1000) {
        while (take(600)) {
        }
        news = line_news(line);
    }
    EXPECT(news.what == 2 && news.reason == 2);
    free(line);
    return 0;
}

/* Frames of a serial line: vectors by hand, every single fault in a series of frames, and noise. */

#include "check.h"
#include "framing.h"

#define BUFFER_BYTES (FRAME_MESSAGE_BYTES + FRAME_CHECK_BYTES)
#define GUARD 0xa5

static FrameReader reader;
static uint8_t buffer[BUFFER_BYTES + 1]; /* the last one is a guard */
static uint8_t stream[8192];
static uint32_t stream_length;

static void begin(uint32_t capacity) {
    memset(buffer, GUARD, sizeof buffer);
    frame_reader_init(&reader, buffer, capacity);
}

static uint32_t put_frame(const void *message, uint32_t length) {
    uint32_t size = frame_encode(stream + stream_length, (uint32_t)sizeof stream - stream_length, message, length);
    stream_length += size;
    return size;
}

/* A message of `length` bytes that has no 00 and repeats after 255. */
static const uint8_t *counting(uint32_t length) {
    static uint8_t message[FRAME_MESSAGE_BYTES + 1];
    for (uint32_t i = 0; i < length; i++) message[i] = (uint8_t)(1 + i % 255);
    return message;
}

static void test_check(void) {
    check_begin("CRC-16/X-25");
    CHECK(frame_check((const uint8_t *)"123456789", 9) == 0x906e, "of 123456789: %04x", frame_check((const uint8_t *)"123456789", 9));
    CHECK(frame_check((const uint8_t *)"", 0) == 0, "of nothing: %04x", frame_check((const uint8_t *)"", 0));
    check_end();
}

/* What COBS does to the message with its check behind it, between two 00. */
static const struct {
    const char *name;
    const char *message;
    uint32_t length;
    const char *frame;
    uint32_t frame_length;
} vectors[] = {
    {"a message without 00", "123456789", 9, "\x00\x0c\x31\x32\x33\x34\x35\x36\x37\x38\x39\x6e\x90\x00", 14},
    {"a PINGREQ", "\x02\x16", 2, "\x00\x05\x02\x16\x40\x49\x00", 7},
    {"one 00", "\x00", 1, "\x00\x01\x03\x78\xf0\x00", 6},
    {"two 00", "\x00\x00", 2, "\x00\x01\x01\x03\x47\x0f\x00", 7},
    {"a 00 within", "a\x00" "b", 3, "\x00\x02\x61\x04\x62\x49\xd9\x00", 8},
    {"a check that begins with 00", "\x01\x43", 2, "\x00\x03\x01\x43\x02\x66\x00", 7},
    {"a check that ends in 00", "\x01\x76", 2, "\x00\x04\x01\x76\x2e\x01\x00", 7},
};

static void test_vectors(void) {
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint32_t length;
        check_begin(vectors[i].name);
        stream_length = 0;
        uint32_t size = put_frame(vectors[i].message, vectors[i].length);
        CHECK(size == vectors[i].frame_length && memcmp(stream, vectors[i].frame, size) == 0, "another frame of %u bytes", (unsigned)size);
        begin(BUFFER_BYTES);
        CHECK(frame_read(&reader, (const uint8_t *)vectors[i].frame, vectors[i].frame_length, &length) == size, "not read to its end");
        CHECK(length == vectors[i].length && memcmp(buffer, vectors[i].message, length) == 0, "another message of %u bytes", (unsigned)length);
        CHECK(reader.bad == 0, "%u bad frames", (unsigned)reader.bad);
        check_end();
    }
}

/* Blocks of COBS hold 254 bytes: the frame's bytes without 00 in the message, by its length; the check has none either. */
static void test_blocks(void) {
    static const uint32_t sizes[][2] = {{1, 6}, {251, 256}, {252, 257}, {253, 259}, {254, 260}, {506, 512}, {507, 514}, {1024, 1033}};
    uint32_t length;
    check_begin("frames of full blocks");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        stream_length = 0;
        uint32_t size = put_frame(counting(sizes[i][0]), sizes[i][0]);
        CHECK(size == sizes[i][1] && size <= FRAME_BYTES(sizes[i][0]), "%u bytes of %u", (unsigned)size, (unsigned)sizes[i][0]);
        begin(BUFFER_BYTES);
        CHECK(frame_read(&reader, stream, size, &length) == size && length == sizes[i][0], "read as %u bytes", (unsigned)length);
        CHECK(memcmp(buffer, counting(length), length) == 0, "another message");
    }
    check_end();

    check_begin("a full last block with an empty one behind it, as other encoders write it");
    stream_length = 0;
    uint32_t size = put_frame(counting(252), 252);
    stream[size - 1] = 1;
    stream[size] = 0;
    begin(BUFFER_BYTES);
    CHECK(frame_read(&reader, stream, size + 1, &length) == size + 1 && length == 252, "read as %u bytes", (unsigned)length);
    check_end();

    check_begin("every length up to the largest, of 00 and of FF");
    for (uint32_t bytes = 1; bytes <= FRAME_MESSAGE_BYTES; bytes++) {
        static uint8_t message[FRAME_MESSAGE_BYTES];
        memset(message, bytes & 1 ? 0 : 0xff, bytes);
        stream_length = 0;
        size = put_frame(message, bytes);
        CHECK(size && size <= FRAME_BYTES(bytes), "%u bytes make %u", (unsigned)bytes, (unsigned)size);
        begin(BUFFER_BYTES);
        CHECK(frame_read(&reader, stream, size, &length) == size && length == bytes, "%u read as %u", (unsigned)bytes, (unsigned)length);
        CHECK(memcmp(buffer, message, bytes) == 0 && buffer[BUFFER_BYTES] == GUARD, "another message of %u", (unsigned)bytes);
    }
    check_end();

    check_begin("what has no frame");
    CHECK(frame_encode(stream, sizeof stream, stream, 0) == 0, "a message of no bytes");
    CHECK(frame_encode(stream, FRAME_BYTES(9) - 1, counting(9), 9) == 0, "a place that is too small");
    CHECK(frame_encode(stream, 0, counting(9), 9) == 0, "no place");
    CHECK(frame_encode(stream, sizeof stream, counting(9), UINT32_MAX) == 0, "a length over all");
    check_end();
}

static void test_bad(void) {
    static const struct {
        const char *name;
        const char *bytes;
        uint32_t length;
        uint32_t bad;
    } streams[] = {
        {"delimiters alone are nothing", "\0\0\0\0", 4, 0},
        {"a wrong check", "\0\x05\x02\x16\x40\x48\0", 7, 1},
        {"a block that is cut", "\0\x06\x02\x16\x40\x49\0", 7, 1},
        {"a check alone", "\0\x01\x01\0", 4, 1},
        {"half a check", "\0\x02\x40\0", 4, 1},
        {"text of a chip that boots", "ESP-ROM:esp32c3\r\nrst:0x1\r\n\0", 28, 1},
        {"two bad frames with one delimiter between them", "\0abc\0def\0", 9, 2},
    };
    static const char good[] = "\0\x05\x02\x16\x40\x49\0";
    uint32_t length;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        check_begin(streams[i].name);
        begin(BUFFER_BYTES);
        CHECK(frame_read(&reader, (const uint8_t *)streams[i].bytes, streams[i].length, &length) == streams[i].length, "stopped on the way");
        CHECK(length == 0 && reader.bad == streams[i].bad, "%u bytes, %u bad frames", (unsigned)length, (unsigned)reader.bad);
        CHECK(frame_read(&reader, (const uint8_t *)good, 7, &length) == 7 && length == 2, "and the frame behind it is lost");
        check_end();
    }

    check_begin("a message over the buffer is dropped, one that fills it is not");
    for (uint32_t bytes = 9; bytes <= 10; bytes++) {
        stream_length = 0;
        uint32_t size = put_frame(counting(bytes), bytes);
        begin(9 + FRAME_CHECK_BYTES);
        CHECK(frame_read(&reader, stream, size, &length) == size, "stopped on the way");
        CHECK(length == (bytes == 9 ? 9u : 0u) && reader.bad == bytes - 9, "of %u bytes: %u, %u bad", (unsigned)bytes, (unsigned)length, (unsigned)reader.bad);
        CHECK(buffer[9 + FRAME_CHECK_BYTES] == GUARD, "the buffer overran");
    }
    check_end();
}

/* The series in which faults are made: short and long messages, with 00 at their ends and within, and a full block. */
#define SERIES 6
static const uint8_t *series_message(uint32_t number, uint32_t *length) {
    static const struct {
        const char *bytes;
        uint32_t length;
    } messages[SERIES] = {{"\x02\x16", 2}, {"\0\0\0", 3}, {"\x0c\x00\x20\x00\x01\x00\x00" "23.4\0", 12}, {NULL, 260}, {"1", 1}, {"\x03\x0b\xff\0\xff\0", 6}};
    *length = messages[number].length;
    return messages[number].bytes ? (const uint8_t *)messages[number].bytes : counting(*length);
}

static void put_series(void) {
    stream_length = 0;
    for (uint32_t i = 0; i < SERIES; i++) {
        uint32_t length;
        const uint8_t *message = series_message(i, &length);
        (void)put_frame(message, length);
    }
}

/* How many of the series arrive, in their order and nothing else; SERIES + 1 when anything else does. */
static uint32_t arrive(const uint8_t *bytes, uint32_t count, uint32_t pieces) {
    uint32_t arrived = 0;
    uint32_t next = 0;
    begin(BUFFER_BYTES);
    for (uint32_t at = 0; at < count;) {
        uint32_t length;
        uint32_t taken = frame_read(&reader, bytes + at, count - at < pieces ? count - at : pieces, &length);
        if (taken == 0) return SERIES + 1;
        at += taken;
        if (length == 0) continue;
        bool known = false;
        while (next < SERIES && !known) {
            uint32_t expected;
            const uint8_t *message = series_message(next++, &expected);
            known = expected == length && memcmp(message, buffer, length) == 0;
        }
        if (!known) return SERIES + 1;
        arrived++;
    }
    return arrived;
}

static void test_faults(void) {
    static uint8_t faulty[sizeof stream];
    put_series();
    check_begin("in pieces of any length");
    for (uint32_t pieces = 1; pieces <= stream_length; pieces++) {
        CHECK(arrive(stream, stream_length, pieces) == SERIES && reader.bad == 0, "pieces of %u", (unsigned)pieces);
    }
    check_end();

    check_begin("a lost byte costs one message at most");
    for (uint32_t at = 0; at < stream_length; at++) {
        memcpy(faulty, stream, at);
        memcpy(faulty + at, stream + at + 1, stream_length - at - 1);
        uint32_t arrived = arrive(faulty, stream_length - 1, stream_length);
        /* Behind the last byte no delimiter comes: that frame is not over. */
        CHECK(arrived == SERIES || arrived == SERIES - 1, "byte %u: %u of %u", (unsigned)at, (unsigned)arrived, SERIES);
        CHECK(arrived == SERIES || reader.bad == 1 || at == stream_length - 1, "byte %u: %u bad frames", (unsigned)at, (unsigned)reader.bad);
    }
    check_end();

    check_begin("a byte that becomes any other costs one message at most");
    for (uint32_t at = 0; at < stream_length; at++) {
        for (uint32_t change = 1; change < 256; change++) {
            memcpy(faulty, stream, stream_length);
            faulty[at] = (uint8_t)(stream[at] ^ change);
            uint32_t arrived = arrive(faulty, stream_length, stream_length);
            CHECK(arrived == SERIES || arrived == SERIES - 1, "byte %u ^ %02x: %u of %u", (unsigned)at, (unsigned)change, (unsigned)arrived, SERIES);
        }
    }
    check_end();

    check_begin("a byte too many costs one message at most");
    for (uint32_t at = 0; at <= stream_length; at++) {
        for (uint32_t byte = 0; byte < 256; byte += 51) {
            memcpy(faulty, stream, at);
            faulty[at] = (uint8_t)byte;
            memcpy(faulty + at + 1, stream + at, stream_length - at);
            uint32_t arrived = arrive(faulty, stream_length + 1, stream_length + 1);
            CHECK(arrived == SERIES || arrived == SERIES - 1, "%02x at %u: %u of %u", (unsigned)byte, (unsigned)at, (unsigned)arrived, SERIES);
        }
    }
    check_end();
}

static void test_noise(void) {
    uint32_t state = 1;
    uint32_t length;
    uint32_t largest = 0;
    check_begin("noise without end stays within the buffer");
    begin(64);
    for (uint32_t turn = 0; turn < 4000; turn++) {
        uint8_t noise[1024];
        for (uint32_t i = 0; i < sizeof noise; i++) {
            state = state * 1664525u + 1013904223u;
            /* Each thousand bytes another kind: any bytes, few 00, none at all. */
            uint8_t byte = (uint8_t)(state >> 24);
            noise[i] = turn % 3 == 0 || byte ? byte : turn % 3 == 1 && state & 0x800000 ? 0 : 1;
        }
        for (uint32_t at = 0; at < sizeof noise;) {
            at += frame_read(&reader, noise + at, (uint32_t)sizeof noise - at, &length);
            if (length > largest) largest = length;
        }
    }
    CHECK(largest <= 62 && buffer[64] == GUARD, "%u bytes", (unsigned)largest);
    CHECK(reader.bad > 1000, "%u bad frames", (unsigned)reader.bad);
    check_end();

    check_begin("a million bytes without a delimiter, and then a message");
    begin(64);
    memset(stream, 0x55, 1000);
    for (uint32_t turn = 0; turn < 1000; turn++) (void)frame_read(&reader, stream, 1000, &length);
    stream_length = 0;
    uint32_t size = put_frame("123456789", 9);
    CHECK(frame_read(&reader, stream, size, &length) == size && length == 9 && reader.bad == 1, "%u bytes, %u bad", (unsigned)length, (unsigned)reader.bad);
    CHECK(buffer[64] == GUARD, "the buffer overran");
    check_end();
}

int main(void) {
    test_check();
    test_vectors();
    test_blocks();
    test_bad();
    test_faults();
    test_noise();
    return CHECK_STATUS();
}

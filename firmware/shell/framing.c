#include "framing.h"

/* What half a byte does to the check: polynomial 1021, reflected. Sixteen entries where a full table would have 256. */
static const uint16_t check_of_half[16] = {0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
                                           0x8408, 0x9489, 0xa50a, 0xb58b, 0xc60c, 0xd68d, 0xe70e, 0xf78f};

uint16_t frame_check(const uint8_t *bytes, uint32_t length) {
    uint32_t check = 0xffff;
    for (uint32_t i = 0; i < length; i++) {
        check = check >> 4 ^ check_of_half[(check ^ bytes[i]) & 15];
        check = check >> 4 ^ check_of_half[(check ^ (uint32_t)bytes[i] >> 4) & 15];
    }
    return (uint16_t)(check ^ 0xffff);
}

/* Where the next byte of a frame goes, and where the code of its block stands, which is known when the block is over. */
typedef struct {
    uint8_t *next;
    uint8_t *code;
} Blocks;

static void begin_block(Blocks *blocks) {
    blocks->code = blocks->next++;
    *blocks->code = 1;
}

static void put(Blocks *blocks, uint8_t byte) {
    /* A full block stands for no 00; the next begins with the byte that follows, since none may. */
    if (*blocks->code == 0xff) begin_block(blocks);
    if (byte == 0) {
        begin_block(blocks);
        return;
    }
    *blocks->next++ = byte;
    ++*blocks->code;
}

uint32_t frame_encode(uint8_t *to, uint32_t capacity, const uint8_t *message, uint32_t length) {
    if (length == 0 || length > capacity || FRAME_BYTES(length) > capacity) return 0;
    uint16_t check = frame_check(message, length);
    Blocks blocks = {.next = to};
    *blocks.next++ = 0;
    begin_block(&blocks);
    for (uint32_t i = 0; i < length; i++) put(&blocks, message[i]);
    put(&blocks, (uint8_t)(check & 0xff));
    put(&blocks, (uint8_t)(check >> 8));
    *blocks.next++ = 0;
    return (uint32_t)(blocks.next - to);
}

void frame_reader_init(FrameReader *reader, uint8_t *buffer, uint32_t capacity) {
    *reader = (FrameReader){.buffer = buffer, .capacity = capacity};
}

static void keep(FrameReader *reader, uint8_t byte) {
    if (reader->length < reader->capacity) reader->buffer[reader->length++] = byte;
    else reader->lost = true;
}

/* The length of the message that this delimiter ends, or 0: a bad frame, or the delimiter begins one. */
static uint32_t end_frame(FrameReader *reader) {
    bool empty = reader->code == 0;
    bool sound = !reader->lost && reader->left == 0 && reader->length > FRAME_CHECK_BYTES;
    uint32_t length = sound ? reader->length - FRAME_CHECK_BYTES : 0;
    reader->length = 0;
    reader->code = reader->left = 0;
    reader->lost = false;
    if (empty) return 0;
    if (sound) {
        const uint8_t *check = reader->buffer + length;
        sound = frame_check(reader->buffer, length) == (uint16_t)(check[0] | check[1] << 8);
    }
    if (!sound) reader->bad++;
    return sound ? length : 0;
}

uint32_t frame_read(FrameReader *reader, const uint8_t *bytes, uint32_t count, uint32_t *length) {
    *length = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t byte = bytes[i];
        if (byte == 0) {
            *length = end_frame(reader);
            if (*length) return i + 1;
        } else if (reader->left) {
            reader->left--;
            keep(reader, byte);
        } else {
            /* The 00 that the block before stood for: the last block of a frame stands for none, so it is due only now. */
            if (reader->code != 0 && reader->code != 0xff) keep(reader, 0);
            reader->code = byte;
            reader->left = (uint8_t)(byte - 1);
        }
    }
    return count;
}

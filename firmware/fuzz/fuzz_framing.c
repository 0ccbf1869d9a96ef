/* Frames from the wire in pieces of any length: what is read fits its buffer, has the check that its frame says, and comes back from frame_encode. */
#include "framing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition) ((condition) ? (void)0 : (fprintf(stderr, "REPORT: not so: %s\n", #condition), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    const uint32_t capacity = FRAME_CHECK_BYTES + 1 + (uint32_t)(data[0] & 0x7f) * 8;
    const uint32_t pieces = 1 + (uint32_t)(data[0] >> 7) * 6;
    const uint8_t *bytes = data + 1;
    const uint32_t count = (uint32_t)size - 1;
    uint8_t *buffer = malloc(capacity);
    FrameReader reader;
    frame_reader_init(&reader, buffer, capacity);
    for (uint32_t at = 0; at < count;) {
        uint32_t length = 0;
        const uint32_t given = count - at < pieces ? count - at : pieces;
        const uint32_t taken = frame_read(&reader, bytes + at, given, &length);
        EXPECT(taken > 0 && taken <= given);
        EXPECT(length <= capacity - FRAME_CHECK_BYTES);
        at += taken;
        if (length == 0) continue;
        const uint16_t check = frame_check(buffer, length);
        EXPECT(buffer[length] == (check & 255) && buffer[length + 1] == check >> 8);
        uint8_t frame[FRAME_BYTES(2048)];
        uint8_t again[2048];
        uint32_t length_again = 0;
        FrameReader second;
        const uint32_t frame_length = frame_encode(frame, sizeof frame, buffer, length);
        EXPECT(frame_length > 0 && frame_length <= FRAME_BYTES(length));
        frame_reader_init(&second, again, sizeof again);
        EXPECT(frame_read(&second, frame, frame_length, &length_again) == frame_length);
        EXPECT(length_again == length && memcmp(again, buffer, length) == 0);
    }
    free(buffer);
    return 0;
}

#include "text_upload.h"

#include "crc32.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *begin(void *context, uint32_t length, uint32_t crc, uint32_t *awaited) {
    TextUpload *upload = context;
    (void)awaited;
    upload->length = length;
    upload->crc = crc;
    if (length <= upload->capacity) return NULL;
    (void)snprintf(upload->words, sizeof upload->words, "it has %" PRIu32 " bytes, and this board keeps at most %" PRIu32, length, upload->capacity);
    return upload->words;
}

static const char *write(void *context, uint32_t offset, const uint8_t *bytes, uint32_t count, uint32_t *awaited) {
    TextUpload *upload = context;
    (void)awaited;
    memcpy(upload->text + offset, bytes, count);
    return NULL;
}

static const char *end(void *context) {
    TextUpload *upload = context;
    if (~crc32_add(CRC32_BEGUN, upload->text, upload->length) != upload->crc) return "it was damaged on its way; send it again";
    return upload->keep(upload->context, (const char *)upload->text, upload->length);
}

const LineUploads text_uploads = {begin, write, end};

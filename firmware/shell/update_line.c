#include "update_line.h"

#include "update.h"

static const char *begin(void *context, uint32_t length, uint32_t crc, uint32_t *awaited) {
    (void)crc; /* the signature says more */
    const char *refusal = update_upload_begin(context, length);
    *awaited = 0; /* the header tells which module it is */
    return refusal;
}

static const char *take(void *context, uint32_t offset, const uint8_t *bytes, uint32_t count, uint32_t *awaited) {
    const char *refusal = update_upload_write(context, offset, bytes, count);
    *awaited = update_upload_awaits(context);
    return refusal;
}

static const char *end(void *context) {
    return update_upload_end(context);
}

const LineUploads update_uploads = {.begin = begin, .write = take, .end = end};

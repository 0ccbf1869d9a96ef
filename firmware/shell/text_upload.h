/* Takes an upload that is a text, settings or a certificate, whole into memory, and hands it over when its check is right.
 *
 * - The memory is the port's; of a longer text, the offer is refused.
 * - A reset forgets what has come of it: the host sends it anew. */
#ifndef TWOBYTE_TEXT_UPLOAD_H
#define TWOBYTE_TEXT_UPLOAD_H

#include "line.h"

typedef struct {
    /* The port's. */
    uint8_t *text;
    uint32_t capacity;
    /* keep(context, text, length): checks it, and keeps it whole or not at all; NULL, or why it is refused, as LineUploads.end. */
    const char *(*keep)(void *context, const char *text, uint32_t length);
    void *context;
    /* The rest is text_upload.c's. */
    uint32_t length;
    uint32_t crc;
    char words[80];
} TextUpload;

/* For line_takes; its context is a TextUpload. */
extern const LineUploads text_uploads;

#endif

/* Uploads: the host sends a text or a module in chunks, each until it is answered. */
#include "line_messages.h"

#include <stddef.h>

void line_takes(Line *line, LineUpload what, const LineUploads *uploads, void *context) {
    line->takers[what].uploads = uploads;
    line->takers[what].context = context;
}

static const char *nobody(uint8_t what) {
    switch (what) {
    case LINE_SETTINGS:
        return "this board keeps no settings";
    case LINE_MODULE:
        return "this board takes no modules by its line";
    case LINE_AUTHORITY:
    case LINE_CERTIFICATE:
    case LINE_KEY:
        return "this board has no TLS, and keeps no certificates and no keys";
    default:
        return "this board does not know what is offered; its firmware is older than the host's program";
    }
}

static void refuse(Line *line, const char *why) {
    line->upload_status = TAKEN_REFUSED;
    line->upload_refusal = why;
}

/* How far it is after a call that answered `refusal`. */
static void go_on(Line *line, const char *refusal, uint32_t awaited) {
    if (!refusal) line->upload_awaited = awaited < line->upload_bytes ? awaited : line->upload_bytes;
    if (!refusal && line->upload_awaited == line->upload_bytes) {
        refusal = line->takers[line->upload_what].uploads->end(line->takers[line->upload_what].context);
        line->upload_status = TAKEN_DONE;
    }
    if (refusal) refuse(line, refusal);
}

void line_take_offer(Line *line, const uint8_t *message, uint32_t length) {
    if (length != OFFER_BYTES || get32(message + 2) != line->boot || message[6] == 0) return;
    line->owes_taken = true;
    if (message[6] == line->upload) return;
    uint8_t what = message[7];
    uint32_t awaited = 0;
    line->upload = message[6];
    line->upload_what = what;
    line->upload_status = TAKEN_GO_ON;
    line->upload_bytes = get32(message + 8);
    line->upload_awaited = 0;
    line->upload_refusal = NULL;
    if (what == 0 || what >= LINE_UPLOADS || !line->takers[what].uploads) {
        refuse(line, nobody(what));
        return;
    }
    const char *refusal = line->takers[what].uploads->begin(line->takers[what].context, line->upload_bytes, get32(message + 12), &awaited);
    go_on(line, refusal, awaited);
}

void line_take_chunk(Line *line, const uint8_t *message, uint32_t length) {
    if (length <= CHUNK_HEAD_BYTES || length > CHUNK_HEAD_BYTES + LINE_CHUNK_BYTES) return;
    if (get32(message + 2) != line->boot || message[6] == 0 || message[6] != line->upload) return;
    uint32_t offset = get32(message + 7), count = length - CHUNK_HEAD_BYTES;
    line->owes_taken = true;
    if (line->upload_status != TAKEN_GO_ON || offset != line->upload_awaited || count > line->upload_bytes - offset) return;
    uint32_t awaited = offset + count;
    const char *refusal = line->takers[line->upload_what].uploads->write(line->takers[line->upload_what].context, offset,
                                                                         message + CHUNK_HEAD_BYTES, count, &awaited);
    go_on(line, refusal, awaited);
}

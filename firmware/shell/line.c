#include "contract.h"
#include "line_messages.h"

#include <string.h>

_Static_assert(sizeof(Line) <= LINE_COST_BYTES, "line.h states what a line costs");
_Static_assert(LINE_TEXT_BYTES <= LINE_OUT_BYTES, "a text's frame has to fit the wire's buffer");

void line_begin(Line *line) {
    line->reopen = false;
    if (++line->epoch == 0) line->epoch = 1; /* 0 stands for none */
    line->state = line->carrier == LINE_STREAM ? LINE_OPENING : LINE_OPEN;
    line->opened = line->carrier == LINE_DATAGRAMS;
    line->blocked = line->item_done = line->item_sign = line->holds = line->owes_ack = false;
    line->failure = 0;
    line->item = 0;
    line->item_number = line->awaited = 0;
    line->out_bytes = line->unread = 0;
}

void line_end(Line *line) {
    line->state = LINE_CLOSED;
    line->opened = line->blocked = line->holds = false;
    line->item = 0;
    line->out_bytes = line->unread = 0;
    if (line->reopen) line_begin(line);
}

void line_fail(Line *line, int32_t reason) {
    bool owner_closed = line->state == LINE_CLOSING;
    line_end(line);
    if (!owner_closed) line->failure = reason;
}

void line_init(Line *line, uint32_t boot) {
    memset(line, 0, sizeof *line);
    line->boot = line->epoch = boot;
    line->patience = LINE_PATIENCE_MS;
    line->owes_hello = true;
    frame_reader_init(&line->reader, line->message, sizeof line->message);
}

void line_hold(Line *line, const uint8_t *bytes, uint32_t length) {
    line->held_at = 0;
    line->held_bytes = length;
    memcpy(line->held, bytes, line->held_bytes);
    line->holds = true;
}

int32_t line_open(Line *line, LineCarrier carrier, int32_t choice) {
    line->choice = (uint32_t)choice;
    line->failure = 0;
    if (line->state == LINE_CLOSING && line->carrier == carrier) {
        line->reopen = true; /* behind the last bytes of the link before */
        return 0;
    }
    line->carrier = carrier;
    line_begin(line);
    return 0;
}

int32_t line_send(Line *line, const uint8_t *data, int32_t length) {
    if (line->failure) return -line->failure;
    if (line->state != LINE_OPEN || line->opened || length <= 0) return 0;
    uint32_t room = LINE_OUT_BYTES - line->out_bytes, count = (uint32_t)length;
    if (line->carrier == LINE_DATAGRAMS) {
        if (count > LINE_OUT_BYTES) {
            line_fail(line, REASON_OTHER);
            return -REASON_OTHER;
        }
        if (line->out_bytes) count = 0; /* the one before is not on the wire yet */
    } else if (count > room) count = room;
    memcpy(line->out + LINE_ITEM_BYTES + line->out_bytes, data, count);
    line->out_bytes += count;
    line->blocked = count < (uint32_t)length;
    return (int32_t)count;
}

void line_close(Line *line) {
    line->reopen = line->opened = line->blocked = line->holds = false;
    line->failure = 0;
    line->unread = 0;
    if (line->state == LINE_CLOSING) return;
    /* Without an answer to its open there is nothing to end: the host is told when it answers. */
    if (line->state != LINE_OPEN || (line->carrier == LINE_DATAGRAMS && line->out_bytes == 0)) {
        line_end(line);
        return;
    }
    line->state = LINE_CLOSING;
    line->closing_timed = false;
}

static bool writable(const Line *line) {
    return line->blocked && (line->carrier == LINE_STREAM ? line->out_bytes < LINE_OUT_BYTES : line->out_bytes == 0);
}

bool line_due(const Line *line, bool room) {
    if (line->failure) return true;
    return line->state == LINE_OPEN && (line->opened || writable(line) || (room && (line->holds || line->unread)));
}

LineNews line_news(Line *line) {
    if (line->failure) {
        int32_t reason = line->failure;
        line->failure = 0;
        return (LineNews){.what = LINK_CLOSED, .reason = reason};
    }
    if (line->state != LINE_OPEN) return (LineNews){.what = 0};
    if (line->opened) {
        line->opened = false;
        return (LineNews){.what = LINK_OPENED};
    }
    if (writable(line)) {
        line->blocked = false;
        return (LineNews){.what = LINK_WRITABLE};
    }
    return (LineNews){.readable = line->holds || line->unread};
}

/* One of `held`, or behind it or too large for it, in `message`. */
static uint32_t receive_datagram(Line *line, uint8_t *to, uint32_t room) {
    bool held = line->holds;
    uint32_t length = held ? line->held_bytes : line->unread;
    memcpy(to, held ? line->held : line->message, length < room ? length : room);
    if (!held) line->unread = 0;
    line->holds = false;
    if (line->unread && line->unread <= sizeof line->held) {
        line_hold(line, line->message, line->unread);
        line->unread = 0;
    }
    return length;
}

uint32_t line_receive(Line *line, uint8_t *to, uint32_t room) {
    if (room == 0) return 0;
    if (line->carrier == LINE_DATAGRAMS) return receive_datagram(line, to, room);
    if (!line->holds) return 0;
    uint32_t left = line->held_bytes - line->held_at, count = left < room ? left : room;
    memcpy(to, line->held + line->held_at, count);
    line->held_at += count;
    if (line->held_at == line->held_bytes) {
        line->holds = false;
        line->awaited++;
        line->owes_ack = true;
    }
    return count;
}

uint32_t line_cut(const char *text, uint32_t length) {
    if (length <= LINE_TEXT_BYTES) return length;
    length = LINE_TEXT_BYTES;
    for (int i = 0; i < 3 && ((uint8_t)text[length] & 0xc0) == 0x80; i++) length--;
    return length;
}

bool line_takes_text(const Line *line, uint32_t length) {
    uint32_t bytes = length < LINE_TEXT_BYTES ? length : LINE_TEXT_BYTES;
    return line->text_bytes <= LINE_TEXT_QUEUE_BYTES - 4 && bytes <= LINE_TEXT_QUEUE_BYTES - 4 - line->text_bytes;
}

bool line_say(Line *line, LineText kind, const char *text, uint32_t length) {
    uint32_t bytes = line_cut(text, length);
    if (bytes > LINE_TEXT_QUEUE_BYTES - 4 - line->text_bytes || line->text_bytes > LINE_TEXT_QUEUE_BYTES - 4 ||
        (kind == LINE_EVENT && bytes < length)) {
        if (kind == LINE_EVENT) line->events_lost++;
        else line->consoles_lost++;
        return false;
    }
    uint8_t *at = put16(line->texts + line->text_bytes, bytes + 2);
    *at++ = 0;
    *at++ = kind == LINE_EVENT ? EVENT : CONSOLE;
    memcpy(at, text, bytes);
    line->text_bytes += 4 + bytes;
    return true;
}

LineWish line_wish(Line *line, uint32_t *value) {
    LineWish wish = line->wish;
    line->wish = LINE_NOTHING;
    if (wish != LINE_NOTHING || !line->has_clock) return wish;
    line->has_clock = false;
    *value = line->clock;
    return LINE_CLOCK;
}

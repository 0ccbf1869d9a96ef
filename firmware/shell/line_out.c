/* What goes to the wire, and when. */
#include "contract.h"
#include "line_messages.h"

#include <string.h>

static bool put_on_wire(Line *line, const uint8_t *message, uint32_t length) {
    line->wire_at = 0;
    line->wire_bytes = frame_encode(line->wire, sizeof line->wire, message, length);
    return true;
}

/* The small ones: answers, before all else. */
static bool put_answer(Line *line) {
    uint8_t message[TAKEN_HEAD_BYTES + LINE_TEXT_BYTES] = {0};
    uint8_t *end = message + 2;
    if (line->owes_hello) {
        line->owes_hello = false;
        *end++ = VERSION;
        *end++ = 0;
        end = put32(end, line->boot);
        end = put32(end, line->carrier == LINE_STREAM && line->state != LINE_CLOSED ? line->epoch : 0);
        message[1] = HELLO;
    } else if (line->owes_ack) {
        line->owes_ack = false;
        end = put32(end, line->epoch);
        end = put16(end, line->awaited);
        *end++ = line->holds ? ACK_HELD : 0;
        message[1] = ACK;
    } else if (line->owes_none) {
        line->owes_none = false;
        end = put32(end, line->none_epoch);
        message[1] = NONE;
    } else if (line->owes_commanded) {
        line->owes_commanded = false;
        end = put32(end, line->boot);
        *end++ = line->command;
        message[1] = COMMANDED;
    } else if (line->owes_taken) {
        line->owes_taken = false;
        end = put32(end, line->boot);
        *end++ = line->upload;
        *end++ = line->upload_status;
        end = put32(end, line->upload_awaited);
        uint32_t length = line->upload_refusal ? line_cut(line->upload_refusal, (uint32_t)strlen(line->upload_refusal)) : 0;
        if (length) memcpy(end, line->upload_refusal, length);
        end += length;
        message[1] = TAKEN;
    } else return false;
    return put_on_wire(line, message, (uint32_t)(end - message));
}

/* The next item, when the one before is over. */
static void make_item(Line *line) {
    uint8_t item = line->state == LINE_OPENING ? (line->item_number == 0 ? OPEN : 0)
                   : line->out_bytes           ? DATA
                   : line->state == LINE_CLOSING ? CLOSE
                                                 : 0;
    if (item == 0 || line->state == LINE_CLOSED) return;
    line->item = item;
    line->item_bytes = 0;
    if (item == DATA) line->item_bytes = (uint16_t)(line->out_bytes < LINE_PIECE_OUT_BYTES ? line->out_bytes : LINE_PIECE_OUT_BYTES);
    line->item_tries = 0;
    line->item_held = false;
    line->item_since = line->item_sent = line->now;
    line->item_wait = 0;
}

static bool put_item(Line *line) {
    uint8_t small[LINE_ITEM_BYTES + 4];
    uint8_t *message = line->item == DATA ? line->out : small;
    uint8_t *end = message;
    *end++ = 0;
    *end++ = line->item;
    end = put32(end, line->epoch);
    end = put16(end, line->item_number);
    if (line->item == OPEN) end = put32(end, line->choice);
    if (line->item == CLOSE) *end++ = 0;
    if (line->item_tries++ > 0) line->repeated++;
    if (line->item_wait == 0) line->item_wait = line->patience; /* new, or sent again before its time */
    else line->item_wait = line->item_wait * 2 < LINE_PATIENCE_MOST_MS ? line->item_wait * 2 : LINE_PATIENCE_MOST_MS;
    line->item_sent = line->now;
    line->item_on_wire = true;
    return put_on_wire(line, message, (uint32_t)(end - message) + line->item_bytes);
}

static bool put_datagram(Line *line) {
    if (line->out_bytes == 0) return false;
    bool put = put_on_wire(line, line->out + LINE_ITEM_BYTES, line->out_bytes);
    line->out_bytes = 0;
    if (line->state == LINE_CLOSING) line_end(line);
    return put;
}

static bool put_link(Line *line) {
    if (line->carrier == LINE_DATAGRAMS) return put_datagram(line);
    if (line->item == 0) make_item(line);
    return line->item && line->now - line->item_sent >= line->item_wait && put_item(line);
}

static bool put_text(Line *line) {
    if (line->text_bytes) {
        uint32_t length = get16(line->texts);
        (void)put_on_wire(line, line->texts + 2, length);
        line->text_bytes -= 2 + length;
        memmove(line->texts, line->texts + 2 + length, line->text_bytes);
        return true;
    }
    if (line->told_lost == line->consoles_lost + line->events_lost) return false;
    uint8_t message[10] = {0, LOST};
    line->told_lost = line->consoles_lost + line->events_lost;
    (void)put32(put32(message + 2, line->consoles_lost), line->events_lost);
    return put_on_wire(line, message, sizeof message);
}

/* The next frame into `wire`, which is empty. */
static bool put_next(Line *line) {
    if (put_answer(line)) return true;
    bool text = line->text_next;
    line->text_next = !text;
    return text ? put_text(line) || put_link(line) : put_link(line) || put_text(line);
}

static void look_at_deadlines(Line *line) {
    uint32_t now = line->now;
    if (line->item_done) {
        uint32_t took = now - line->item_sent < LINE_PATIENCE_MOST_MS ? now - line->item_sent : LINE_PATIENCE_MOST_MS;
        /* A repetition's acknowledgement may be that of the first, which came too late; what the host held tells nothing of the wire. */
        if (line->item_tries > 1) line->patience += line->patience / 2;
        else if (!line->item_held) line->patience = (line->patience * 3 + took * 2 + LINE_PATIENCE_LEAST_MS) / 4;
        if (line->patience > LINE_PATIENCE_MOST_MS) line->patience = LINE_PATIENCE_MOST_MS;
        line->item_done = false;
    }
    if (line->item_sign) line->item_since = now;
    line->item_sign = false;
    if (line->state == LINE_CLOSING && !line->closing_timed) {
        line->closing_timed = true;
        line->closing_since = now;
    }
    if (line->state == LINE_CLOSING && now - line->closing_since >= LINE_LINGER_MS) line_end(line);
    if (line->item && now - line->item_since >= LINE_SILENCE_MS) line_fail(line, line->item == OPEN ? REASON_UNREACHABLE : REASON_RESET);
}

uint32_t line_take(Line *line, uint8_t *to, uint32_t capacity, uint32_t now) {
    uint32_t count = 0;
    line->now = now;
    look_at_deadlines(line);
    while (count < capacity && (line->wire_at < line->wire_bytes || put_next(line))) {
        uint32_t left = line->wire_bytes - line->wire_at, room = capacity - count;
        uint32_t piece = left < room ? left : room;
        memcpy(to + count, line->wire + line->wire_at, piece);
        count += piece;
        line->wire_at += piece;
        if (line->wire_at < line->wire_bytes) break;
        if (line->item_on_wire) line->item_sent = now;
        line->item_on_wire = false;
    }
    return count;
}

/* Whether a frame could be made now. */
static bool has_frame(const Line *line, uint32_t now) {
    if (line->owes_hello || line->owes_ack || line->owes_none || line->owes_commanded || line->owes_taken) return true;
    if (line->text_bytes || line->told_lost != line->consoles_lost + line->events_lost) return true;
    if (line->state == LINE_CLOSED) return false;
    if (line->carrier == LINE_DATAGRAMS) return line->out_bytes > 0;
    if (line->item) return now - line->item_sent >= line->item_wait;
    return line->out_bytes > 0 || line->state == LINE_CLOSING || (line->state == LINE_OPENING && line->item_number == 0);
}

/* What is left of `wait`, from `since`. */
static uint32_t left_of(uint32_t wait, uint32_t since, uint32_t now) {
    return now - since >= wait ? 0 : wait - (now - since);
}

int32_t line_wait(const Line *line, uint32_t now) {
    uint32_t wait = INT32_MAX;
    if (line->wire_at < line->wire_bytes || has_frame(line, now)) return 0;
    if (line->item) {
        uint32_t again = left_of(line->item_wait, line->item_sent, now), silence = left_of(LINE_SILENCE_MS, line->item_since, now);
        wait = again < silence ? again : silence;
    }
    if (line->state == LINE_CLOSING) {
        uint32_t linger = line->closing_timed ? left_of(LINE_LINGER_MS, line->closing_since, now) : 0;
        if (linger < wait) wait = linger;
    }
    return (int32_t)wait;
}

bool line_busy(const Line *line) {
    return line->state == LINE_CLOSING || line->wire_at < line->wire_bytes || has_frame(line, line->now);
}

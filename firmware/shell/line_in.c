/* What comes by the wire. */
#include "contract.h"
#include "line_messages.h"

#include <string.h>

/* The stream has a peer: its open was acknowledged. */
static bool is_joined(const Line *line) {
    if (line->carrier != LINE_STREAM || line->state == LINE_CLOSED) return false;
    return line->state != LINE_OPENING || (line->item == 0 && line->item_number > 0);
}

static void take_hello(Line *line, const uint8_t *message, uint32_t length) {
    if (length != HELLO_BYTES) return;
    if (get32(message + 4) != line->host) {
        line->host = get32(message + 4);
        line->command = line->upload = 0; /* another host counts anew, and hears no answers to the one before */
        line->owes_commanded = line->owes_taken = false;
    }
    if (message[3] & HELLO_ANSWER) line->owes_hello = true;
    line->item_wait = 0; /* somebody is there: what waits for an answer is sent again at once */
    /* A host that started anew knows nothing of our stream. */
    if (message[2] == VERSION && get32(message + 8) != line->epoch && is_joined(line)) line_fail(line, REASON_RESET);
}

static void take_command(Line *line, const uint8_t *message, uint32_t length) {
    if (length != COMMAND_BYTES || get32(message + 2) != line->boot) return;
    uint8_t number = message[6], command = message[7];
    if (number == 0 || command < 1 || command > 4) return;
    if (number != line->command) {
        if (line->wish != LINE_NOTHING) return; /* it comes again */
        static const LineWish wishes[] = {LINE_STOP, LINE_FLUSH, LINE_RESTART, LINE_TELL};
        line->wish = wishes[command - 1];
        line->command = number;
    }
    line->owes_commanded = true;
}

/* The item in flight is acknowledged. */
static void item_over(Line *line) {
    uint8_t item = line->item;
    line->item = 0;
    line->item_done = true;
    line->item_number++;
    if (item == DATA) {
        line->out_bytes -= line->item_bytes;
        memmove(line->out + LINE_ITEM_BYTES, line->out + LINE_ITEM_BYTES + line->item_bytes, line->out_bytes);
    } else if (item == CLOSE) line_end(line);
}

static void take_ack(Line *line, const uint8_t *message, uint32_t length) {
    if (length != ACK_BYTES || get32(message + 2) != line->epoch || line->item == 0 || line->item_tries == 0) return;
    uint32_t number = get16(message + 6);
    if (number == (uint16_t)(line->item_number + 1)) item_over(line);
    else if (number == line->item_number && message[8] & ACK_HELD) line->item_held = line->item_sign = true;
}

/* The item awaited, in a state that has one. False: it makes no sense here, and is not acknowledged. */
static bool take_next(Line *line, const uint8_t *message, uint32_t length) {
    switch (message[1]) {
    case OPENED:
        if (line->state != LINE_OPENING) return false;
        if (line->item == OPEN) item_over(line); /* the answer says that it came */
        line->state = LINE_OPEN;
        line->opened = true;
        break;
    case DATA:
        if (length <= LINE_ITEM_BYTES || length > LINE_ITEM_BYTES + LINE_PIECE_IN_BYTES || line->state == LINE_OPENING) return false;
        if (line->state == LINE_CLOSING) break; /* for nobody */
        if (!line->holds) line_hold(line, message + LINE_ITEM_BYTES, length - LINE_ITEM_BYTES);
        return true;
    default:
        if (length != LINE_ITEM_BYTES + 1) return false;
        uint8_t reason = message[LINE_ITEM_BYTES];
        line->awaited++;
        line_fail(line, reason >= REASON_REFUSED && reason <= REASON_OTHER ? reason : REASON_OTHER);
        return true;
    }
    line->awaited++;
    return true;
}

static void take_item(Line *line, const uint8_t *message, uint32_t length) {
    if (length < LINE_ITEM_BYTES) return;
    uint32_t epoch = get32(message + 2), number = get16(message + 6);
    bool ours = line->carrier == LINE_STREAM && epoch == line->epoch;
    if (ours && number == (uint16_t)(line->awaited - 1)) line->owes_ack = true;
    else if (!ours || line->state == LINE_CLOSED) {
        line->owes_none = true;
        line->none_epoch = epoch;
    } else if (number == line->awaited && take_next(line, message, length)) line->owes_ack = epoch == line->epoch; /* not anew already */
}

static void take_message(Line *line, uint32_t length) {
    const uint8_t *message = line->message;
    if (message[0] != 0) {
        if (line->carrier != LINE_DATAGRAMS || line->state != LINE_OPEN) line->datagrams_lost++;
        else if (line->holds || length > sizeof line->held) line->unread = length;
        else line_hold(line, message, length);
        return;
    }
    switch (length < 2 ? -1 : message[1]) {
    case HELLO:
        take_hello(line, message, length);
        break;
    case CLOCK:
        line->has_clock = length == 6;
        if (length == 6) line->clock = get32(message + 2);
        break;
    case COMMAND:
        take_command(line, message, length);
        break;
    case OFFER:
        line_take_offer(line, message, length);
        break;
    case CHUNK:
        line_take_chunk(line, message, length);
        break;
    case OPENED:
    case DATA:
    case CLOSE:
        take_item(line, message, length);
        break;
    case ACK:
        take_ack(line, message, length);
        break;
    case NONE:
        if (length == NONE_BYTES && get32(message + 2) == line->epoch && line->carrier == LINE_STREAM && line->state != LINE_CLOSED) {
            line_fail(line, REASON_RESET);
        }
        break;
    }
}

uint32_t line_received(Line *line, const uint8_t *bytes, uint32_t count) {
    uint32_t at = 0;
    while (at < count && !line->unread) {
        uint32_t length;
        at += frame_read(&line->reader, bytes + at, count - at, &length);
        if (length) take_message(line, length);
    }
    return at;
}


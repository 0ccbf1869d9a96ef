/* One serial wire carries all that a board and its host say: MQTT-SN datagrams, a stream of MQTT, console, events, clock, commands
 * and uploads. docs/serial.md has the format. This is the board's end; the host's is host/links/line.ts.
 *
 * - Portable: bytes that came go in (line_received), bytes to send come out (line_take), in pieces of any size. Time is an argument, in
 *   ms of any origin that wrap at 2^32. Nothing is allocated, nothing waits, every loop ends with its buffer.
 * - The stream is stop-and-wait each way: an item is sent again until it is acknowledged, so a damaged frame costs itself and a
 *   retransmission. What the module has not taken is not acknowledged: that is the flow control. An epoch in each item tells this opening
 *   from all others, before a reset or after.
 * - Where nobody answers for LINE_SILENCE_MS the link closes: REASON_UNREACHABLE while it is opened, REASON_RESET later.
 * - Datagrams, console texts and events are not repeated: what a damaged frame held is lost. Texts wait in LINE_TEXT_QUEUE_BYTES; what does
 *   not fit is dropped, counted, and told to the host.
 * - Texts and the link take turns, frame by frame: neither starves the other.
 * - An upload is stop-and-wait, too, and the host's to repeat: this end answers what it is sent, and keeps nothing of it. Who takes which is the port's
 *   (line_takes): its functions are called within line_received.
 * - One link, of one kind at a time. Not for two threads, and not for an interrupt: that fills the port's own buffer.
 * - Costs LINE_COST_BYTES of memory at most, and nothing of the heap; the wire carries 13 to 16 bytes beside each piece of the stream, and 14
 *   of its acknowledgement. */
#ifndef TWOBYTE_LINE_H
#define TWOBYTE_LINE_H

#include "framing.h"

#include <stdbool.h>
#include <stdint.h>

#define LINE_COST_BYTES 4096
/* Of the stream in one frame: most that a board takes, and most that it sends. */
#define LINE_PIECE_IN_BYTES 512
#define LINE_PIECE_OUT_BYTES 256
/* Of the stream, taken by line_send and not acknowledged; a datagram may be as long. */
#define LINE_OUT_BYTES 512
/* A console line or an event, and all that wait. */
#define LINE_TEXT_BYTES 480
#define LINE_TEXT_QUEUE_BYTES 1024
/* Until an item is sent again: at first, least and most. It follows what acknowledgements take, and doubles with each repetition of one. */
#define LINE_PATIENCE_MS 200
#define LINE_PATIENCE_LEAST_MS 50
#define LINE_PATIENCE_MOST_MS 2000
/* Without any sign that the host has or holds an item. */
#define LINE_SILENCE_MS 10000
/* After line_close, for what was taken before it. */
#define LINE_LINGER_MS 3000
/* Of an upload in one frame, at most. */
#define LINE_CHUNK_BYTES 256

/* Bytes before the body of an item: 00, kind, epoch, number. */
#define LINE_ITEM_BYTES 8
#define LINE_WIRE_BYTES FRAME_BYTES(LINE_OUT_BYTES + LINE_ITEM_BYTES)

typedef enum { LINE_STREAM, LINE_DATAGRAMS } LineCarrier;

/* What line_say sends: a line for people, without its end; an event, one line of JSON. */
typedef enum { LINE_CONSOLE = 1, LINE_EVENT = 2 } LineText;

/* What the host wants: its clock, in seconds since 1970 UTC; that the board stops in order; last words before sleep; a restart; that the
 * board says what it is (console_board). */
typedef enum { LINE_NOTHING, LINE_CLOCK, LINE_STOP, LINE_FLUSH, LINE_RESTART, LINE_TELL } LineWish;

/* What a host may upload. */
typedef enum { LINE_SETTINGS = 1, LINE_MODULE, LINE_AUTHORITY, LINE_CERTIFICATE, LINE_KEY, LINE_UPLOADS } LineUpload;

/* Takes the uploads of one kind, each from its begin on: one that is not ended is given up with the next begin, or a reset. Each function answers NULL, or why
 * it refuses: a sentence for people that stays until the next begin. Bytes come once, in order. */
typedef struct {
    /* begin(context, length, crc, awaited): `length` bytes will come, with this CRC-32 (crc32.h). `*awaited` is 0; whoever has the first bytes already, from
     * before a cut, sets it to the offset that comes next, to `length` when all are here. */
    const char *(*begin)(void *context, uint32_t length, uint32_t crc, uint32_t *awaited);
    /* write(context, offset, bytes, count, awaited): `*awaited` is offset + count, and may be set to more, as with begin. */
    const char *(*write)(void *context, uint32_t offset, const uint8_t *bytes, uint32_t count, uint32_t *awaited);
    /* end(context): all have come; checks them and keeps them, all or nothing. NULL says that they outlive a reset from here on. */
    const char *(*end)(void *context);
} LineUploads;

/* LINK_… with its reason (contract.h), or 0 and whether there is something for line_receive. */
typedef struct {
    int32_t what;
    int32_t reason;
    bool readable;
} LineNews;

typedef enum { LINE_CLOSED, LINE_OPENING, LINE_OPEN, LINE_CLOSING } LineState;

/* Members are line.c's; a port may read the counters. */
typedef struct {
    uint32_t datagrams_lost; /* come while no link of datagrams was open */
    uint32_t consoles_lost;  /* texts without room */
    uint32_t events_lost;
    uint32_t repeated; /* items that were sent again */

    /* The rest is line.c's. */
    uint32_t boot;
    uint32_t now;
    LineCarrier carrier;
    LineState state;
    uint32_t epoch;
    uint32_t choice;
    bool reopen;     /* line_open came while the closing before is not over */
    bool opened;     /* LINK_OPENED is owed */
    bool blocked;    /* line_send took less: LINK_WRITABLE is owed */
    int32_t failure; /* LINK_CLOSED with this reason is owed */

    uint8_t item;         /* kind of the item that waits for its acknowledgement, or 0 */
    bool item_on_wire;    /* its frame is what `wire` holds */
    bool item_held;       /* the host has it, and nobody took it there yet */
    bool item_done;       /* acknowledged since the last line_take */
    bool item_sign;       /* of life, since the last line_take */
    bool closing_timed;
    uint16_t item_number; /* of the next, while there is none */
    uint16_t item_bytes;  /* of `out` that it carries */
    uint32_t item_tries;
    uint32_t item_since; /* made, or the last sign of life */
    uint32_t item_sent;  /* its last byte was taken */
    uint32_t item_wait;  /* from then, until it is sent again */
    uint32_t patience;
    uint32_t closing_since;
    uint32_t out_bytes;
    uint8_t out[LINE_ITEM_BYTES + LINE_OUT_BYTES]; /* the head of an item; behind it what line_send took */

    uint16_t awaited; /* number of the item that comes next */
    bool holds;       /* `held` is that item, or a datagram */
    uint32_t held_at; /* bytes before are taken */
    uint32_t held_bytes;
    uint8_t held[LINE_PIECE_IN_BYTES];

    bool owes_hello;
    bool owes_ack;
    bool owes_none;
    bool owes_commanded;
    uint32_t none_epoch;
    bool owes_taken;
    uint32_t host;   /* its start: the numbers below are of that one */
    uint8_t command; /* number of the last that was taken; 0: none */
    LineWish wish;
    bool has_clock;
    uint32_t clock;

    struct {
        const LineUploads *uploads; /* NULL: nobody takes it */
        void *context;
    } takers[LINE_UPLOADS];
    uint8_t upload; /* number of the last one; 0: none */
    uint8_t upload_what;
    uint8_t upload_status;
    uint32_t upload_bytes;
    uint32_t upload_awaited;
    const char *upload_refusal;

    bool text_next;     /* whose turn it is */
    uint32_t told_lost; /* texts, to the host */
    uint32_t text_bytes;
    uint8_t texts[LINE_TEXT_QUEUE_BYTES]; /* each: its message's length in two bytes, the message */

    uint32_t wire_at;
    uint32_t wire_bytes;
    uint8_t wire[LINE_WIRE_BYTES];
    FrameReader reader;
    uint32_t unread; /* bytes of a datagram that waits in `message`: for `held` to be free, or for its owner when it is too large for that */
    uint8_t message[FRAME_MESSAGE_BYTES + FRAME_CHECK_BYTES];
} Line;

/* line_init(line, boot): begins with a hello to the host. `boot` is a number that the start before did not have: random. The line
 * stays where it is. */
void line_init(Line *line, uint32_t boot);

/* line_takes(line, what, uploads, context): who takes such an upload from now on; both stay where they are. A kind that nobody takes is refused. */
void line_takes(Line *line, LineUpload what, const LineUploads *uploads, void *context);

/* line_received(line, bytes, count): takes bytes of the wire and answers how many: all, unless a datagram came that is too large for `held`, or while
 * the one before is not taken with line_receive. What is left is offered again later: until then the host's commands wait, too. */
uint32_t line_received(Line *line, const uint8_t *bytes, uint32_t count);

/* line_take(line, to, capacity, now): the next bytes for the wire, in order; how many, 0 when there are none now. All deadlines are looked
 * at here: call it after each of the others, until it answers 0, and when line_wait is over. */
uint32_t line_take(Line *line, uint8_t *to, uint32_t capacity, uint32_t now);

/* line_wait(line, now): ms until line_take has to be called, whatever comes by the wire; 0 to INT32_MAX. 0 while there are bytes to take:
 * a port whose UART is full waits for that instead. */
int32_t line_wait(const Line *line, uint32_t now);

/* line_open(line, carrier, choice): as Port.link_open of the shell; 0. `choice` picks one of the host's brokers. An open link is
 * abandoned. The outcome is told by line_news: of datagrams at once. */
int32_t line_open(Line *line, LineCarrier carrier, int32_t choice);

/* line_send(line, data, length): as Port.link_send: bytes taken, 0 while the link is busy or not open, a negated REASON_… when it is gone. Of
 * a stream what there is room for, LINK_WRITABLE follows when it was not all; a datagram whole; one of more than LINE_OUT_BYTES ends the link, as it would never
 * fit. */
int32_t line_send(Line *line, const uint8_t *data, int32_t length);

/* line_close(line): as Port.link_close: what was taken is still sent, then the host closes, too; no news follow. */
void line_close(Line *line);

/* line_news(line): the next news, one a call. */
LineNews line_news(Line *line);

/* line_due(line, room): whether line_news has something to tell now; with `room`, bytes count. */
bool line_due(const Line *line, bool room);

/* line_receive(line, to, room): bytes of the stream, or one datagram: its length, of which `room` bytes at most are written; 0 when there is
 * nothing, or no room. */
uint32_t line_receive(Line *line, uint8_t *to, uint32_t room);

/* line_takes_text(line, length): whether there is room for such a text now. */
bool line_takes_text(const Line *line, uint32_t length);

/* line_say(line, kind, text, length): queues a text; false when it was dropped. A console line of more than LINE_TEXT_BYTES is cut, such an
 * event dropped. */
bool line_say(Line *line, LineText kind, const char *text, uint32_t length);

/* line_wish(line, value): what the host wants next, each once; `value` is the clock's. */
LineWish line_wish(Line *line, uint32_t *value);

/* line_busy(line): whether there is anything left to send: texts, a frame, the last bytes of a closed link. */
bool line_busy(const Line *line);

#endif

/* Conversations of the board's end of a line with a host (line_host.c), on a wire that loses, doubles, damages and delays any one frame. */

#include "check.h"
#include "contract.h"
#include "line.h"
#include "line_host.h"

#define SENT_BYTES 1500
#define TOLD_BYTES 1400
#define TURN_MS 5
#define LIMIT_MS 30000
#define QUEUE_BYTES 32768

typedef enum { FINE, LOST, DOUBLED, FLIPPED, SHORTENED, DELAYED, BOARD_RESTARTS, HOST_RESTARTS } Fault;
static const char *const fault_names[] = {"no frame harmed",      "any one frame lost",    "any one frame doubled",         "any bit flipped",
                                          "any one byte missing", "any one frame delayed", "a restart of the board at any", "a restart of the host at any"};

#define DELAY_MS 700

/* Bytes on their way, whole frames while they are put in. */
typedef struct {
    uint8_t bytes[QUEUE_BYTES];
    uint32_t count;
    uint32_t frames;
    uint32_t held_until;
} Wire;

static Line line;
static Host host;
static Wire up, down; /* to the host, to the board */
static uint32_t now;
static uint8_t sent[SENT_BYTES], told[TOLD_BYTES];

/* The fault: what happens to which frame of which direction, and to which of its bytes. */
static Fault fault;
static bool fault_up;
static uint32_t fault_frame;
static uint32_t fault_byte;
static uint32_t frame_bytes; /* of that frame */
static uint32_t pieces;      /* the wire delivers at most so many bytes at once */

/* The module. */
static bool module_closes; /* when it has all, else the host does */
static uint32_t openings, opened, reopened;
static int32_t reason;
static uint32_t sent_at;
static bool can_send;
static uint8_t heard[TOLD_BYTES];
static uint32_t heard_bytes;
static bool module_done;

static void module_opens(void) {
    openings++;
    sent_at = heard_bytes = 0;
    can_send = module_done = false;
    reason = 0;
    (void)line_open(&line, LINE_STREAM, (int32_t)openings - 1);
}

static void module_step(void) {
    LineNews news = line_news(&line);
    if (news.what == LINK_OPENED) {
        opened++;
        can_send = true;
    }
    if (news.what == LINK_WRITABLE) can_send = true;
    if (news.what == LINK_CLOSED) {
        reason = news.reason;
        can_send = false;
        if (reason != REASON_ENDED && reopened < 4) { /* a restart at the other end */
            reopened++;
            module_opens();
        }
        return;
    }
    if (news.readable) heard_bytes += line_receive(&line, heard + heard_bytes, TOLD_BYTES - heard_bytes < 100 ? TOLD_BYTES - heard_bytes : 100);
    if (can_send && sent_at < SENT_BYTES) {
        uint32_t length = 1 + sent_at * 7 % 300;
        if (length > SENT_BYTES - sent_at) length = SENT_BYTES - sent_at;
        int32_t count = line_send(&line, sent + sent_at, (int32_t)length);
        if (count < 0) return;
        sent_at += (uint32_t)count;
        can_send = (uint32_t)count == length;
    }
    if (module_closes && !module_done && sent_at == SENT_BYTES && heard_bytes == TOLD_BYTES) {
        line_close(&line);
        module_done = true;
    }
}

static void begin_world(void) {
    now = 0xffffff00u; /* it wraps soon */
    memset(&up, 0, sizeof up);
    memset(&down, 0, sizeof down);
    host_init(&host);
    host.bytes = told;
    host.bytes_count = TOLD_BYTES;
    host.ends_with = module_closes ? 0 : REASON_ENDED;
    line_init(&line, 0x1234);
    openings = opened = reopened = 0;
}

static void append(Wire *wire, const uint8_t *bytes, uint32_t count) {
    if (count > QUEUE_BYTES - wire->count) count = QUEUE_BYTES - wire->count;
    memcpy(wire->bytes + wire->count, bytes, count);
    wire->count += count;
}

/* One frame, and what becomes of it. */
static void put_frame(Wire *wire, const uint8_t *frame, uint32_t length) {
    uint8_t damaged[LINE_WIRE_BYTES + FRAME_MESSAGE_BYTES];
    bool hit = (wire == &up) == fault_up && wire->frames++ == fault_frame;
    if (!hit || fault == FINE) {
        append(wire, frame, length);
        return;
    }
    frame_bytes = length;
    uint32_t at = fault_byte % length;
    memcpy(damaged, frame, length);
    switch (fault) {
    case FLIPPED:
        damaged[at] ^= (uint8_t)(1u << (fault_byte + fault_frame) % 8);
        append(wire, damaged, length);
        break;
    case SHORTENED:
        memmove(damaged + at, damaged + at + 1, length - at - 1);
        append(wire, damaged, length - 1);
        break;
    case DOUBLED:
        append(wire, frame, length);
        append(wire, frame, length);
        break;
    case DELAYED:
        wire->held_until = now + DELAY_MS;
        append(wire, frame, length);
        break;
    case BOARD_RESTARTS: /* what is on its way to it still arrives */
        append(wire, frame, length);
        line_init(&line, 0x777777);
        module_opens();
        break;
    case HOST_RESTARTS:
        append(wire, frame, length);
        host_forgets(&host);
        break;
    default:
        break;
    }
}

static void put_frames(Wire *wire, const uint8_t *bytes, uint32_t count) {
    for (uint32_t at = 0; at < count;) {
        uint32_t end = at + 1;
        while (end < count && bytes[end]) end++;
        end = end < count ? end + 1 : count;
        put_frame(wire, bytes + at, end - at);
        at = end;
    }
}

static uint32_t ready(const Wire *wire) {
    if (wire->held_until && (int32_t)(now - wire->held_until) < 0) return 0;
    return wire->count < pieces ? wire->count : pieces;
}

static void taken(Wire *wire, uint32_t count) {
    wire->count -= count;
    memmove(wire->bytes, wire->bytes + count, wire->count);
}

static void turn(void) {
    static uint8_t bytes[HOST_WIRE_BYTES];
    uint32_t count = 0, some;
    for (int i = 0; i < 64 && (some = line_take(&line, bytes + count, sizeof bytes - count, now)) > 0; i++) count += some;
    put_frames(&up, bytes, count);
    while ((count = ready(&up)) > 0) {
        host_received(&host, up.bytes, count);
        taken(&up, count);
    }
    host_step(&host, now);
    count = host.wire_bytes;
    memcpy(bytes, host.wire, count);
    host.wire_bytes = 0;
    put_frames(&down, bytes, count);
    while ((count = ready(&down)) > 0) {
        count = line_received(&line, down.bytes, count);
        if (count == 0) break;
        taken(&down, count);
    }
    module_step();
    now += TURN_MS;
}

static bool is_over(void) {
    /* A host that starts anew within the farewell hears no more of it. */
    if (module_closes) return module_done && line.state == LINE_CLOSED && (host.closed || fault == HOST_RESTARTS);
    return reason == REASON_ENDED;
}

/* The conversation, to its end: whether all was as it should be, said in `name` otherwise. */
static bool converse(const char *how) {
    uint32_t turns = 0;
    begin_world();
    module_opens();
    while (!is_over() && turns++ < LIMIT_MS / TURN_MS) turn();
    for (int i = 0; i < 20; i++) turn(); /* nothing changes any more */
    const char *wrong = !is_over()                                                ? "it does not end"
                        : heard_bytes != TOLD_BYTES || memcmp(heard, told, TOLD_BYTES) != 0 ? "the module heard other bytes"
                        : module_closes && host.closed && host.log_bytes != SENT_BYTES ? "the host has not all bytes"
                        : memcmp(host.log, sent, host.log_bytes) != 0              ? "the host has other bytes"
                        : host.bad_pieces                                          ? "a piece is too long"
                        : fault < BOARD_RESTARTS && (openings != 1 || opened != 1 || host.opens != 1)
                            ? "the connection did not hold"
                            : NULL;
    if (wrong) printf("# %s, frame %u byte %u %s: %s\n", how, (unsigned)fault_frame, (unsigned)fault_byte, fault_up ? "up" : "down", wrong);
    return !wrong;
}

static void test_conversations(void) {
    char name[120];
    for (int closer = 0; closer < 2; closer++) {
        module_closes = closer == 0;
        for (fault = FINE; fault <= HOST_RESTARTS; fault++) {
            (void)snprintf(name, sizeof name, "%s, the %s ends it", fault_names[fault], module_closes ? "module" : "broker");
            check_begin(name);
            for (int direction = 0; direction < 2; direction++) {
                fault_up = direction == 0;
                uint32_t frames = 1, runs = 0;
                for (fault_frame = 0; fault_frame < frames; fault_frame++) {
                    frame_bytes = 1;
                    /* Each byte of the frame where that matters; a long one at every third. */
                    uint32_t step = 1;
                    for (fault_byte = 0; fault_byte < frame_bytes; fault_byte += step) {
                        pieces = 1 + (fault_frame * 37 + fault_byte) % 600;
                        bool held = converse(name);
                        CHECK(held, "see above");
                        runs++;
                        if (frames < (fault_up ? up.frames : down.frames)) frames = fault_up ? up.frames : down.frames;
                        if (frames > 40) frames = 40;
                        step = frame_bytes > 60 ? 3 : 1;
                        if (fault != FLIPPED && fault != SHORTENED) break;
                    }
                    if (fault == FINE) break;
                }
                CHECK(fault == FINE || runs > 10, "only %u runs", (unsigned)runs);
            }
            check_end();
        }
    }
}

int main(void) {
    for (uint32_t i = 0; i < SENT_BYTES; i++) sent[i] = (uint8_t)(i * 31 >> 3);
    for (uint32_t i = 0; i < TOLD_BYTES; i++) told[i] = (uint8_t)(i % 11 ? i * 7 : 0);
    test_conversations();
    return CHECK_STATUS();
}

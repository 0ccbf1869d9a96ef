#include "wire.h"

#include "console.h"
#include "console_device.h"
#include "logs.h"
#include "waits.h"

#include <string.h>

#define RECEIVED_BYTES 256
#define SENT_BYTES 64
/* For which the board waits with its texts, in one round of its loop, when the line is full. */
#define TEXTS_WAIT_MS 100
/* Most that is taken in one: a host that never ceases holds up neither the module nor its deadlines. */
#define CARRIED_BYTES 2048
/* Until a device that was full is tried again: no driver tells when it has room. */
#define ROOM_MS 10

static Line line;
static uint8_t received[RECEIVED_BYTES]; /* that the line has not taken yet */
static uint32_t received_bytes;
static bool more; /* may have come than was taken */
static uint8_t sent[SENT_BYTES]; /* that the device has not taken yet */
static uint32_t sent_at;
static uint32_t sent_bytes;
static int64_t patience = TEXTS_WAIT_MS; /* what is left of it */
static bool is_open;

bool wire_open(uint32_t boot) {
    line_init(&line, boot);
    is_open = console_device_open();
    return is_open;
}

Line *wire_line(void) {
    return &line;
}

static void carry_in(void) {
    uint32_t came;
    uint32_t sum = 0;
    do {
        came = console_device_read(received + received_bytes, RECEIVED_BYTES - received_bytes);
        received_bytes += came;
        sum += came;
        uint32_t taken = line_received(&line, received, received_bytes);
        received_bytes -= taken;
        memmove(received, received + taken, received_bytes);
    } while (came && sum < CARRIED_BYTES);
    more = came > 0;
}

static void carry_out(void) {
    while (is_open) {
        if (sent_at == sent_bytes) {
            sent_at = 0;
            sent_bytes = line_take(&line, sent, SENT_BYTES, (uint32_t)console_now_ms());
            if (!sent_bytes) return;
        }
        uint32_t taken = console_device_write(sent + sent_at, sent_bytes - sent_at);
        if (!taken) return;
        sent_at += taken;
    }
}

static bool sending(void) {
    return sent_at < sent_bytes;
}

/* Lines of IDF's log, as far as there is room: what does not fit stays in the log's own buffer. */
static void carry_logs(void) {
    char text[LOG_LINE_BYTES];
    while (line_takes_text(&line, LOG_LINE_BYTES)) {
        uint32_t length = logs_take(text, sizeof text);
        if (!length) return;
        (void)line_say(&line, LINE_CONSOLE, text, length);
    }
}

void wire_carry(void) {
    patience = TEXTS_WAIT_MS;
    if (is_open) carry_in();
    carry_logs();
    carry_out();
}

int64_t wire_wait(int64_t ms) {
    if (more) return 0;
    int64_t line_ms = sending() ? ROOM_MS : line_wait(&line, (uint32_t)console_now_ms());
    return line_ms < ms ? line_ms : ms;
}

static void pause(int64_t ms) {
    struct pollfd polls[2] = {{.fd = console_device_poll(), .events = POLLIN}};
    waits_for(polls, 1, ms);
}

void wire_drain(int64_t ms) {
    int64_t until = console_now_ms() + ms;
    wire_carry();
    for (int64_t now = console_now_ms(); (sending() || line_busy(&line)) && now < until; now = console_now_ms()) {
        pause(wire_wait(until - now));
        wire_carry();
    }
}

/* A slow reader holds the board up for a moment: whoever watches wants every line. */
static void make_room(uint32_t length) {
    int64_t began = console_now_ms();
    carry_out();
    for (int64_t now = began; !line_takes_text(&line, length) && now < began + patience; now = console_now_ms()) {
        /* What is told meanwhile is not missed: the loop looks at everything before it waits. */
        struct pollfd none[1];
        waits_for(none, 0, 1);
        carry_out();
    }
    patience -= console_now_ms() - began;
    if (patience < 0) patience = 0;
}

static void say(LineText kind, const char *text, uint32_t length) {
    make_room(length);
    (void)line_say(&line, kind, text, length);
    carry_out();
}

void console_put_event(const char *text, uint32_t length) {
    say(LINE_EVENT, text, length - 1);
}

void console_put_words(const char *text, uint32_t length) {
    say(LINE_CONSOLE, text, length - 1);
}

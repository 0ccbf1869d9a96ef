#include "wire.h"

#include "console.h"
#include "machine.h"

#include <string.h>

#define RECEIVED_BYTES 256
#define SENT_BYTES 64
/* For which the board waits with its texts, in one round of its loop, when the line is full. */
#define TEXTS_WAIT_MS 1000

static Line line;
static uint8_t received[RECEIVED_BYTES]; /* that the line has not taken yet */
static uint32_t received_bytes;
static uint8_t sent[SENT_BYTES]; /* that the UART has not taken yet */
static uint32_t sent_at;
static uint32_t sent_bytes;
static int64_t patience = TEXTS_WAIT_MS; /* what is left of it */

void wire_init(uint32_t boot) {
    line_init(&line, boot);
}

Line *wire_line(void) {
    return &line;
}

static void carry_in(void) {
    uint32_t came;
    uint32_t taken;
    do {
        came = machine_read(received + received_bytes, RECEIVED_BYTES - received_bytes);
        received_bytes += came;
        taken = line_received(&line, received, received_bytes);
        received_bytes -= taken;
        memmove(received, received + taken, received_bytes);
    } while (came && taken);
}

static void carry_out(void) {
    for (;;) {
        if (sent_at == sent_bytes) {
            sent_at = 0;
            sent_bytes = line_take(&line, sent, SENT_BYTES, (uint32_t)machine_now_ms());
            if (!sent_bytes) return;
        }
        uint32_t taken = machine_write(sent + sent_at, sent_bytes - sent_at);
        if (!taken) return;
        sent_at += taken;
    }
}

void wire_carry(void) {
    patience = TEXTS_WAIT_MS;
    carry_in();
    carry_out();
}

static bool sending(void) {
    return sent_at < sent_bytes;
}

void wire_wait(int64_t ms) {
    int64_t line_ms = sending() ? ms : line_wait(&line, (uint32_t)machine_now_ms());
    if (line_ms < ms) ms = line_ms;
    if (ms > 0) machine_wait(ms > 60000 ? 60000 : (uint32_t)ms, sending());
    wire_carry();
}

void wire_drain(int64_t ms) {
    int64_t until = machine_now_ms() + ms;
    wire_carry();
    for (int64_t now = machine_now_ms(); (sending() || line_busy(&line)) && now < until; now = machine_now_ms()) wire_wait(until - now);
}

/* A slow reader holds the board up for a while: whoever watches wants every line. It is maybe the module that speaks: the watchdog goes on. */
static void make_room(uint32_t length) {
    int64_t began = machine_now_ms();
    int64_t until = began + patience;
    carry_out();
    for (int64_t now = began; !line_takes_text(&line, length) && now < until; now = machine_now_ms()) {
        machine_pause((uint32_t)(until - now), sending());
        carry_out();
    }
    patience = until - machine_now_ms();
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

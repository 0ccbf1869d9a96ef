#include "host_line.h"

#include "console.h"
#include "settings.h"
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAUD 115200
#define PIECE_BYTES 512

static struct {
    bool open; /* there is a console */
    char path[256];
    uint32_t baud;
    int terminal;     /* -1: the port is away */
    int64_t again_at; /* when it is tried next */
    int told;         /* the errno that was told last */
    Line line;
    uint32_t received_bytes; /* that the line has not taken */
    uint8_t received[PIECE_BYTES];
    uint32_t sent_at;
    uint32_t sent_bytes; /* of `sent`; the port has not taken those from sent_at */
    uint8_t sent[PIECE_BYTES];
} console = {.terminal = -1};

const char *host_line_open(const char *address, uint32_t boot) {
    const char *at = strrchr(address, '@');
    size_t length = at ? (size_t)(at - address) : strlen(address);
    int32_t baud = BAUD;
    if (*address != '/' || length >= sizeof console.path) return "write the absolute path of a serial port, as in /dev/ttyUSB0 or /dev/ttyUSB0@115200";
    if (at && (!settings_whole_number(at + 1, (uint32_t)strlen(at + 1), &baud) || baud < 0 || !terminal_speed((uint32_t)baud))) {
        return "the baud rate behind the @ is none of " TERMINAL_BAUDS;
    }
    memcpy(console.path, address, length);
    console.path[length] = 0;
    console.baud = (uint32_t)baud;
    line_init(&console.line, boot);
    console.open = true;
    return NULL;
}

Line *host_line(void) {
    return console.open ? &console.line : NULL;
}

static void lose(int error) {
    if (console.terminal >= 0) (void)close(console.terminal);
    console.terminal = -1;
    console.again_at = console_now_ms() + HOST_LINE_AGAIN_MS;
    console.received_bytes = console.sent_at = console.sent_bytes = 0;
    if (console.told == error) return;
    console.told = error;
    if (error == EPIPE) console_say("console: %s is gone; it is tried every %d s", console.path, HOST_LINE_AGAIN_MS / 1000);
    else console_say("console: %s cannot be opened: %s; it is tried every %d s", console.path, terminal_fault(error), HOST_LINE_AGAIN_MS / 1000);
}

static bool is_there(void) {
    if (!console.open || console.terminal >= 0) return console.open;
    if (console_now_ms() < console.again_at) return false;
    int terminal = terminal_open(console.path, console.baud);
    if (terminal < 0) {
        lose(-terminal);
        return false;
    }
    if (console.told) console_say("console: %s is there", console.path);
    console.told = 0;
    console.terminal = terminal;
    return true;
}

static bool is_for_later(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void carry_in(void) {
    for (;;) {
        ssize_t came = read(console.terminal, console.received + console.received_bytes, PIECE_BYTES - console.received_bytes);
        if (came == 0 || (came < 0 && !is_for_later(errno))) {
            lose(EPIPE);
            return;
        }
        if (came > 0) console.received_bytes += (uint32_t)came;
        uint32_t taken = line_received(&console.line, console.received, console.received_bytes);
        console.received_bytes -= taken;
        memmove(console.received, console.received + taken, console.received_bytes);
        if (came < 0 || taken == 0) return;
    }
}

static void carry_out(void) {
    for (;;) {
        if (console.sent_at == console.sent_bytes) {
            console.sent_at = 0;
            console.sent_bytes = line_take(&console.line, console.sent, PIECE_BYTES, (uint32_t)console_now_ms());
            if (!console.sent_bytes) return;
        }
        ssize_t took = write(console.terminal, console.sent + console.sent_at, console.sent_bytes - console.sent_at);
        if (took < 0 && !is_for_later(errno)) lose(EPIPE);
        if (took < 0) return;
        console.sent_at += (uint32_t)took;
    }
}

/* What the line has for a port that is away goes nowhere: its deadlines pass all the same. */
static void carry_nowhere(void) {
    uint8_t bytes[PIECE_BYTES];
    while (console.line.state != LINE_CLOSED && line_take(&console.line, bytes, sizeof bytes, (uint32_t)console_now_ms()) > 0) {
    }
}

void host_line_carry(void) {
    if (!console.open) return;
    if (is_there()) carry_in();
    if (console.terminal >= 0) carry_out();
    else carry_nowhere();
}

static bool sending(void) {
    return console.sent_at < console.sent_bytes;
}

void host_line_wants(struct pollfd *poll) {
    *poll = (struct pollfd){.fd = console.terminal, .events = (short)((console.received_bytes < PIECE_BYTES ? POLLIN : 0) | (sending() ? POLLOUT : 0))};
}

int64_t host_line_wait(int64_t wait) {
    if (!console.open) return wait;
    int64_t now = console_now_ms();
    int64_t own = console.terminal < 0 ? console.again_at - now : INT64_MAX;
    bool takes = console.terminal < 0 ? console.line.state != LINE_CLOSED : !sending();
    int64_t line = takes ? line_wait(&console.line, (uint32_t)now) : INT64_MAX;
    if (own < 0) own = 0;
    if (line < own) own = line;
    return own < wait ? own : wait;
}

void host_line_say(LineText kind, const char *text, uint32_t length) {
    if (!console.open) return;
    (void)line_say(&console.line, kind, text, length);
    if (console.terminal >= 0) carry_out();
}

void host_line_drain(int64_t ms) {
    int64_t until = console_now_ms() + ms;
    host_line_carry();
    for (int64_t now = console_now_ms(); console.terminal >= 0 && (sending() || line_busy(&console.line)) && now < until; now = console_now_ms()) {
        struct pollfd wants;
        host_line_wants(&wants);
        (void)poll(&wants, 1, (int)host_line_wait(until - now));
        host_line_carry();
    }
}

/* The board's end of a line for the tests of the host's: the wire is stdin and stdout, and the module is whoever connects to a port of
 * 127.0.0.1, which is told on stderr. Each connection opens the stream, and its end closes it. line_peer BOOT BYTES: BOOT is the
 * start's number, BYTES the most that the module takes in a ms, 0 for as much as there is.
 * SIGUSR1 says a console line and an event. The host's wishes are told on stderr, and settings
 * that it uploads, with their length and CRC; those that begin with `refuse` are refused. */
#include "contract.h"
#include "crc32.h"
#include "line.h"
#include "text_upload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static Line line;
static int module = -1;      /* the connection */
static bool module_over;     /* it has sent all */
static bool stream_open;
static uint8_t to_line[4096]; /* from the module, not taken yet */
static uint32_t to_line_bytes;
static uint8_t to_wire[4096];
static uint32_t to_wire_bytes;
static uint8_t from_wire[4096];
static uint32_t from_wire_bytes;
static uint32_t openings;
static uint32_t slowness;
static volatile sig_atomic_t speaks;

static uint8_t settings[8192];

static const char *keep(void *context, const char *text, uint32_t length) {
    (void)context;
    if (length >= 6 && memcmp(text, "refuse", 6) == 0) return "settings:1: \"refuse\" is not of the form key = value";
    fprintf(stderr, "kept %u %08x\n", (unsigned)length, (unsigned)~crc32_add(CRC32_BEGUN, (const uint8_t *)text, length));
    return NULL;
}

static TextUpload upload = {.text = settings, .capacity = sizeof settings, .keep = keep};

static void on_signal(int number) {
    (void)number;
    speaks = 1;
}

static uint32_t ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static int listen_somewhere(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        perror("listen");
        exit(1);
    }
    fprintf(stderr, "port %d\n", ntohs(address.sin_port));
    return listener;
}

static void hang_up(void) {
    if (module >= 0) (void)close(module);
    module = -1;
    stream_open = module_over = false;
    to_line_bytes = 0;
}

static void accept_module(int listener) {
    int one = 4096;
    module = accept(listener, NULL, NULL);
    (void)setsockopt(module, SOL_SOCKET, SO_SNDBUF, &one, sizeof one);
    (void)fcntl(module, F_SETFL, O_NONBLOCK);
    (void)line_open(&line, LINE_STREAM, (int32_t)openings++);
}

static void read_module(void) {
    ssize_t count = read(module, to_line + to_line_bytes, sizeof to_line - to_line_bytes);
    if (count > 0) to_line_bytes += (uint32_t)count;
    if (count == 0 || (count < 0 && errno != EAGAIN)) module_over = true;
}

static void send_line(void) {
    if (!stream_open || to_line_bytes == 0) return;
    int32_t count = line_send(&line, to_line, (int32_t)to_line_bytes);
    if (count <= 0) return;
    to_line_bytes -= (uint32_t)count;
    memmove(to_line, to_line + count, to_line_bytes);
}

/* As much as the connection takes; only that leaves the line. */
static void receive_line(void) {
    static uint8_t held[LINE_PIECE_IN_BYTES];
    static uint32_t held_bytes;
    if (module < 0) held_bytes = 0;
    if (module >= 0 && held_bytes == 0) held_bytes = line_receive(&line, held, slowness ? slowness : sizeof held);
    if (held_bytes == 0) return;
    ssize_t count = send(module, held, held_bytes, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) module_over = true;
    else {
        held_bytes -= (uint32_t)count;
        memmove(held, held + count, held_bytes);
    }
}

static void look_for_news(void) {
    uint32_t value = 0;
    LineNews news = line_news(&line);
    LineWish wish = line_wish(&line, &value);
    if (wish) fprintf(stderr, "wish %d %u\n", (int)wish, (unsigned)value);
    if (news.what == LINK_OPENED) stream_open = true;
    if (news.what == LINK_CLOSED) {
        fprintf(stderr, "closed %d\n", (int)news.reason);
        hang_up();
    }
    if (news.readable) receive_line();
    if (module_over && to_line_bytes == 0) {
        line_close(&line);
        hang_up();
    }
}

/* What came by the wire and was not taken yet, then more. */
static bool read_wire(bool readable) {
    ssize_t count = readable ? read(0, from_wire + from_wire_bytes, sizeof from_wire - from_wire_bytes) : 0;
    if (readable && count <= 0) return false;
    from_wire_bytes += (uint32_t)count;
    uint32_t taken = line_received(&line, from_wire, from_wire_bytes);
    from_wire_bytes -= taken;
    memmove(from_wire, from_wire + taken, from_wire_bytes);
    return true;
}

static bool write_wire(void) {
    to_wire_bytes += line_take(&line, to_wire + to_wire_bytes, (uint32_t)sizeof to_wire - to_wire_bytes, ms());
    if (to_wire_bytes == 0) return true;
    ssize_t count = write(1, to_wire, to_wire_bytes);
    if (count < 0) return errno == EAGAIN;
    to_wire_bytes -= (uint32_t)count;
    memmove(to_wire, to_wire + count, to_wire_bytes);
    return true;
}

int main(int count, char **arguments) {
    if (count != 3) return 1;
    line_init(&line, (uint32_t)strtoul(arguments[1], NULL, 10));
    line_takes(&line, LINE_SETTINGS, &text_uploads, &upload);
    slowness = (uint32_t)strtoul(arguments[2], NULL, 10);
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGUSR1, &action, NULL);
    (void)fcntl(1, F_SETFL, O_NONBLOCK);
    int listener = listen_somewhere();
    for (;;) {
        int32_t wait = to_wire_bytes ? INT32_MAX : line_wait(&line, ms());
        bool idle = line.holds || slowness;
        struct pollfd polls[4] = {
            {.fd = 0, .events = POLLIN},
            {.fd = to_wire_bytes ? 1 : -1, .events = POLLOUT},
            {.fd = module < 0 ? listener : -1, .events = POLLIN},
            {.fd = module_over || to_line_bytes == sizeof to_line ? -1 : module, .events = POLLIN},
        };
        if (poll(polls, 4, idle && wait > 1 ? 1 : wait) < 0 && errno != EINTR) return 1;
        if (speaks) {
            speaks = 0;
            (void)line_say(&line, LINE_CONSOLE, "the kettle boils", 16);
            (void)line_say(&line, LINE_EVENT, "{\"event\":\"reading\",\"a\":23500}", 29);
        }
        if (!read_wire((polls[0].revents & (POLLIN | POLLHUP)) != 0)) return 0;
        if (polls[2].revents) accept_module(listener);
        if (module >= 0 && polls[3].revents) read_module();
        look_for_news();
        send_line();
        if (!write_wire()) return 0;
    }
}

/* The serial link over a pseudo-terminal of the test's own: the test sits at the other end of the wire. */

#include "check.h"
#include "contract.h"
#include "serial.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define DEADLINE_MS 10000

static Serial serial;
static int wire = -1; /* the other end */
static char path[64];
static FrameReader wire_reader;
static uint8_t wire_message[FRAME_MESSAGE_BYTES + FRAME_CHECK_BYTES];
static uint8_t wire_bytes[512]; /* read and not yet looked at */
static uint32_t wire_at;
static uint32_t wire_end;

static void make_wire(void) {
    wire = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (wire < 0 || grantpt(wire) != 0 || unlockpt(wire) != 0 || ptsname_r(wire, path, sizeof path) != 0) abort();
    frame_reader_init(&wire_reader, wire_message, sizeof wire_message);
    wire_at = wire_end = 0;
}

static void cut_wire(void) {
    if (wire >= 0) (void)close(wire);
    wire = -1;
}

/* Waits as main.c does, for one piece of news. */
static LinkNews next_news(bool room) {
    for (int left = DEADLINE_MS / SERIAL_DRAIN_MS; left > 0; left--) {
        struct pollfd wish;
        serial_wants(&serial, &wish, room);
        (void)poll(&wish, 1, serial_due(&serial, room) ? 0 : SERIAL_DRAIN_MS);
        LinkNews news = serial_news(&serial, &wish, 0);
        if (news.what || news.readable) return news;
    }
    return (LinkNews){.what = 0};
}

/* The next message, or -1 when the link closed for `reason`. */
static int32_t next_message(uint8_t *to, uint32_t room, int32_t *reason) {
    for (int left = 1000; left > 0; left--) {
        LinkNews news = next_news(true);
        if (!news.readable) return 0;
        int32_t length = serial_receive(&serial, to, room, reason);
        if (length) return length;
    }
    return 0;
}

static void wire_writes(const void *bytes, uint32_t length) {
    if (write(wire, bytes, length) != (ssize_t)length) abort();
}

static void wire_sends(const void *message, uint32_t length) {
    uint8_t frame[FRAME_BYTES(FRAME_MESSAGE_BYTES)];
    wire_writes(frame, frame_encode(frame, sizeof frame, message, length));
}

/* The length of the next message at the other end, in wire_message; 0 when none comes. The link goes on sending meanwhile. */
static uint32_t wire_hears(int64_t now) {
    for (int left = DEADLINE_MS / SERIAL_DRAIN_MS; left > 0; left--) {
        uint32_t length;
        wire_at += frame_read(&wire_reader, wire_bytes + wire_at, wire_end - wire_at, &length);
        if (length) return length;
        struct pollfd wishes[2] = {{.fd = wire, .events = POLLIN}};
        serial_wants(&serial, &wishes[1], false);
        (void)poll(wishes, 2, SERIAL_DRAIN_MS);
        (void)serial_news(&serial, &wishes[1], now);
        ssize_t count = read(wire, wire_bytes, sizeof wire_bytes);
        if (count < 0 && errno != EAGAIN) return 0;
        wire_at = 0;
        wire_end = count > 0 ? (uint32_t)count : 0;
    }
    return 0;
}

static void open_link(void) {
    make_wire();
    serial_init(&serial, path, 115200);
    CHECK(serial_open(&serial) == 0, "%s", serial.words);
    CHECK(serial_send(&serial, (const uint8_t *)"x", 1) == 0, "sends before it is told to be open");
    LinkNews news = next_news(true);
    CHECK(news.what == LINK_OPENED, "%d instead of opened", (int)news.what);
}

/* A turn of the loop, without waiting. */
static void turn(int64_t now) {
    struct pollfd wish;
    serial_wants(&serial, &wish, false);
    (void)poll(&wish, 1, 0);
    (void)serial_news(&serial, &wish, now);
}

static void close_link(void) {
    serial_close(&serial, 0);
    cut_wire();
    turn(0);
    CHECK(serial.terminal < 0 && !serial_busy(&serial), "the terminal stays open");
}

static void test_messages(void) {
    uint8_t to[FRAME_MESSAGE_BYTES];
    int32_t reason = 0;
    static uint8_t large[FRAME_MESSAGE_BYTES];
    for (uint32_t i = 0; i < sizeof large; i++) large[i] = (uint8_t)(i * 7 + 1);

    check_begin("a message each way");
    open_link();
    CHECK(serial_send(&serial, (const uint8_t *)"\x02\x16", 2) == 2, "not taken");
    CHECK(wire_hears(0) == 2 && memcmp(wire_message, "\x02\x16", 2) == 0, "does not arrive");
    wire_sends("\x02\x17", 2);
    CHECK(next_message(to, sizeof to, &reason) == 2 && memcmp(to, "\x02\x17", 2) == 0, "does not come");
    check_end();

    check_begin("the terminal hands bytes on as they are");
    struct termios settings;
    CHECK(tcgetattr(serial.terminal, &settings) == 0 && cfgetospeed(&settings) == B115200 && cfgetispeed(&settings) == B115200, "another speed");
    CHECK((settings.c_cflag & (CSIZE | PARENB | CSTOPB | CRTSCTS)) == CS8, "not 8N1 without flow control");
    wire_sends("\x03\x04\x11\x13\x0d\x0a\x7f\x1a\x00\xff", 10);
    CHECK(next_message(to, sizeof to, &reason) == 10 && memcmp(to, "\x03\x04\x11\x13\x0d\x0a\x7f\x1a\x00\xff", 10) == 0, "changed");
    CHECK(serial_send(&serial, (const uint8_t *)"\x03\x0d\x0a\x11\x13\x04", 6) == 6 && wire_hears(0) == 6, "not as it was sent");
    CHECK(memcmp(wire_message, "\x03\x0d\x0a\x11\x13\x04", 6) == 0, "changed on its way out");
    check_end();

    check_begin("the largest message each way");
    CHECK(serial_send(&serial, large, sizeof large) == sizeof large, "not taken");
    CHECK(wire_hears(0) == sizeof large && memcmp(wire_message, large, sizeof large) == 0, "does not arrive");
    wire_sends(large, sizeof large);
    CHECK(next_message(to, sizeof to, &reason) == sizeof large && memcmp(to, large, sizeof large) == 0, "does not come");
    check_end();

    check_begin("what is of the line itself passes by, and is no bad frame");
    wire_sends("\x00\x04\x65\x53\xf1\x00", 6);
    wire_sends("\x00", 1);
    wire_sends("\x02\x17", 2);
    CHECK(next_message(to, sizeof to, &reason) == 2 && memcmp(to, "\x02\x17", 2) == 0 && serial.reader.bad == 0, "%u bad", (unsigned)serial.reader.bad);
    check_end();

    check_begin("messages that come together are handed in one by one, and wait without room");
    for (char i = '0'; i < '5'; i++) wire_sends(&i, 1);
    for (char i = '0'; i < '5'; i++) {
        CHECK(serial_receive(&serial, to, 0, &reason) == 0, "a message without room");
        CHECK(next_message(to, 1, &reason) == 1 && to[0] == i, "%c is not there", i);
    }
    check_end();

    check_begin("a message over the room is cut, and tells its length");
    memset(to, 9, sizeof to);
    wire_sends("123456789", 9);
    CHECK(next_message(to, 4, &reason) == 9 && memcmp(to, "1234\x09", 5) == 0, "not cut at the room");
    check_end();

    check_begin("text on the wire is counted, and told at the close");
    wire_writes("ESP-ROM:esp32c3-api1-20210207\r\n", 31);
    wire_sends("after", 5);
    CHECK(next_message(to, sizeof to, &reason) == 5 && memcmp(to, "after", 5) == 0, "the message behind it is lost");
    CHECK(serial.reader.bad == 1 && !serial.complains, "%u bad frames", (unsigned)serial.reader.bad);
    close_link();
    CHECK(serial.complains && strstr(serial.words, path) && strstr(serial.words, ": 1 bad frame was dropped"), "%s", serial.words);
    check_end();
}

static void test_queue(void) {
    static uint8_t message[FRAME_MESSAGE_BYTES];
    uint32_t taken = 0;
    uint32_t heard = 0;
    check_begin("a queue that is full takes no part of a message, and tells when it takes the largest");
    open_link();
    for (int tries = 0; tries < 200; tries++) {
        memset(message, (int)taken, sizeof message);
        int32_t answer = serial_send(&serial, message, sizeof message);
        CHECK(answer == 0 || answer == sizeof message, "%d bytes", (int)answer);
        if (answer == 0) break;
        taken++;
    }
    CHECK(taken >= SERIAL_QUEUE_BYTES / FRAME_BYTES(FRAME_MESSAGE_BYTES) && taken < 200, "%u messages", (unsigned)taken);
    CHECK(serial_send(&serial, message, 1) == 1 || serial.blocked, "neither taken nor blocked");
    serial.blocked = true;
    for (; heard < taken && wire_hears(0) == sizeof message; heard++) {
        CHECK(wire_message[0] == (uint8_t)heard && wire_message[sizeof message - 1] == (uint8_t)heard, "message %u is another", (unsigned)heard);
        if (!serial.blocked) break;
    }
    CHECK(!serial.blocked, "it stays blocked after %u of %u", (unsigned)heard, (unsigned)taken);
    CHECK(serial_send(&serial, message, sizeof message) == sizeof message, "the largest is not taken after all");
    check_end();

    check_begin("a message that fits no frame closes the link");
    int32_t reason = 0;
    uint8_t to[8];
    static uint8_t over[FRAME_MESSAGE_BYTES + 1];
    CHECK(serial_send(&serial, over, sizeof over) == -REASON_OTHER, "taken");
    CHECK(next_news(true).readable && serial_receive(&serial, to, sizeof to, &reason) == -1 && reason == REASON_OTHER, "not closed");
    cut_wire();
    check_end();
}

static void test_close(void) {
    static uint8_t message[FRAME_MESSAGE_BYTES];
    uint32_t taken = 0;
    check_begin("what was taken before the close is still sent");
    open_link();
    while (taken < 200 && serial_send(&serial, message, sizeof message) > 0) taken++;
    serial_close(&serial, 0);
    CHECK(serial_busy(&serial), "nothing is left to send");
    serial_close(&serial, 0); /* once more does nothing */
    uint32_t heard = 0;
    while (heard < taken && wire_hears(0) == sizeof message) heard++;
    CHECK(heard == taken, "%u of %u", (unsigned)heard, (unsigned)taken);
    turn(0);
    CHECK(!serial_busy(&serial) && serial.terminal < 0, "still open");
    cut_wire();
    check_end();

    check_begin("what nobody takes is given up in time");
    open_link();
    while (serial_send(&serial, message, sizeof message) > 0) {
    }
    serial_close(&serial, 0);
    turn(LINK_LINGER_MS - 1);
    CHECK(serial_busy(&serial), "given up before the time");
    turn(LINK_LINGER_MS);
    CHECK(!serial_busy(&serial) && serial.terminal < 0, "still open");
    cut_wire();
    check_end();

    check_begin("an opening while the last one still sends goes on behind it");
    open_link();
    taken = 0;
    while (taken < 200 && serial_send(&serial, message, sizeof message) > 0) taken++;
    serial_close(&serial, 0);
    CHECK(serial_open(&serial) == 0 && next_news(true).what == LINK_OPENED, "not open");
    for (heard = 0; heard < taken && wire_hears(0) == sizeof message; heard++) {
    }
    CHECK(heard == taken && serial_send(&serial, (const uint8_t *)"new", 3) == 3 && wire_hears(0) == 3, "%u of %u", (unsigned)heard, (unsigned)taken);
    close_link();
    check_end();

    check_begin("what lay in the terminal before belongs to nobody");
    open_link();
    int kept = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    serial_close(&serial, 0);
    wire_sends("old", 3);
    CHECK(serial_open(&serial) == 0 && next_news(true).what == LINK_OPENED, "not open");
    wire_sends("newer", 5);
    uint8_t to[16];
    int32_t reason = 0;
    int32_t length = next_message(to, sizeof to, &reason);
    CHECK(length == 5, "a message of %d bytes", (int)length);
    (void)close(kept);
    close_link();
    check_end();
}

static void test_gone(void) {
    uint8_t to[16];
    int32_t reason = 0;
    check_begin("a line that hangs up closes the link, and what it sent before is handed in");
    open_link();
    wire_sends("last", 4);
    CHECK(next_message(to, sizeof to, &reason) == 4, "the last message is lost");
    cut_wire();
    CHECK(next_message(to, sizeof to, &reason) == -1 && reason == REASON_RESET && serial.terminal < 0, "reason %d", (int)reason);
    CHECK(serial_receive(&serial, to, sizeof to, &reason) == 0 && !serial_due(&serial, true), "told again");
    check_end();

    check_begin("a line that is gone while sending closes the link");
    open_link();
    cut_wire();
    CHECK(serial_send(&serial, (const uint8_t *)"x", 1) == -REASON_RESET, "taken");
    CHECK(serial_send(&serial, (const uint8_t *)"x", 1) == -REASON_RESET, "taken the second time");
    CHECK(next_message(to, sizeof to, &reason) == -1 && reason == REASON_RESET, "not closed");
    check_end();

    check_begin("the same path is opened again when it is back");
    cut_wire();
    CHECK(serial_open(&serial) != 0, "opens what is gone");
    open_link();
    close_link();
    check_end();
}

static void test_refused(void) {
    static const struct {
        const char *name;
        const char *path;
        int32_t reason;
        const char *words;
    } paths[] = {
        {"a path that is not there", "/nowhere/ttyUSB0", REASON_UNREACHABLE, "/nowhere/ttyUSB0 at 9600 baud cannot be opened: No such file"},
        {"a device that is no terminal", "/dev/null", REASON_ADDRESS, "/dev/null at 9600 baud cannot be opened: is no serial port"},
        {"a directory", "/tmp", REASON_ADDRESS, "/tmp at 9600 baud cannot be opened: Is a directory"},
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        check_begin(paths[i].name);
        serial_init(&serial, paths[i].path, 9600);
        int32_t answer = serial_open(&serial);
        CHECK(answer == -paths[i].reason, "%d", (int)answer);
        CHECK(serial.complains && strstr(serial.words, paths[i].words), "%s", serial.words);
        serial.complains = false;
        CHECK(serial_open(&serial) == answer && !serial.complains && serial.terminal < 0, "told at each attempt");
        check_end();
    }
    check_begin("baud rates");
    for (uint32_t baud = 0; baud < 1000000; baud += 100) {
        char name[16];
        (void)snprintf(name, sizeof name, " %" PRIu32, baud);
        bool listed = strstr(" " TERMINAL_BAUDS, name) && baud >= 9600;
        CHECK(terminal_speed(baud) == listed, "%u", (unsigned)baud);
    }
    check_end();
}

int main(void) {
    test_messages();
    test_queue();
    test_close();
    test_gone();
    test_refused();
    return CHECK_STATUS();
}

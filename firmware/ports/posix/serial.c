#include "serial.h"

#include "contract.h"
#include "terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void complain(Serial *serial, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(serial->words, sizeof serial->words, format, arguments);
    va_end(arguments);
    serial->complains = true;
}

void serial_init(Serial *serial, const char *path, uint32_t baud) {
    memset(serial, 0, sizeof *serial);
    serial->path = path;
    serial->baud = baud;
    serial->terminal = -1;
    frame_reader_init(&serial->reader, serial->message, sizeof serial->message);
}

void serial_at(Serial *serial, const char *path, uint32_t baud) {
    serial->path = path;
    serial->baud = baud;
}

static void tell_dropped(Serial *serial) {
    uint32_t bad = serial->reader.bad;
    if (bad) {
        complain(serial,
                 "%s: %" PRIu32 " bad frame%s dropped: noise, another baud rate than the %" PRIu32 " here, or text of a chip that starts",
                 serial->path, bad, bad == 1 ? " was" : "s were", serial->baud);
    }
    serial->reader.bad = 0;
}

static void drop(Serial *serial) {
    if (serial->terminal >= 0) (void)close(serial->terminal);
    serial->terminal = -1;
    serial->open = serial->opening = serial->blocked = false;
    serial->failure = 0;
    serial->queued = 0;
    tell_dropped(serial);
}

/* What keeps the terminal from being opened: a word of it, once, and the reason. */
static int32_t refuse(Serial *serial, int error) {
    drop(serial);
    if (serial->said != error) complain(serial, "%.200s at %" PRIu32 " baud cannot be opened: %s", serial->path, serial->baud, terminal_fault(error));
    serial->said = error;
    switch (error) {
    case ENOENT: /* an adapter that is not plugged in, and may be later */
    case EIO:
        return -REASON_UNREACHABLE;
    case ENOTTY:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
        return -REASON_ADDRESS;
    default:
        return -link_reason(error);
    }
}

int32_t serial_open(Serial *serial) {
    bool kept = serial->terminal >= 0 && !serial->open;
    uint8_t *message = serial->message;
    tell_dropped(serial);
    /* A terminal that still sends the last frames of the opening before goes on with them: what comes now lines up behind. */
    if (!kept) {
        drop(serial);
        int terminal = terminal_open(serial->path, serial->baud);
        if (terminal < 0) return refuse(serial, -terminal);
        serial->terminal = terminal;
    }
    (void)tcflush(serial->terminal, TCIFLUSH);
    frame_reader_init(&serial->reader, message, sizeof serial->message);
    serial->piece_at = serial->piece_end = 0;
    serial->said = 0;
    serial->open = serial->opening = true;
    return 0;
}

/* Hands the terminal what it takes now. 0, or the errno of a terminal that is gone. */
static int write_out(Serial *serial) {
    if (serial->queued == 0) return 0;
    ssize_t count = write(serial->terminal, serial->queue, serial->queued);
    if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : errno;
    serial->queued -= (uint32_t)count;
    memmove(serial->queue, serial->queue + count, serial->queued);
    return 0;
}

int32_t serial_send(Serial *serial, const uint8_t *data, int32_t length) {
    if (!serial->open || serial->opening || serial->failure) return serial->failure ? -serial->failure : 0;
    if (length <= 0) return 0;
    if (length > FRAME_MESSAGE_BYTES) {
        serial->failure = REASON_OTHER; /* it would never fit, and LINK_WRITABLE would be a lie */
        return -serial->failure;
    }
    bool failed = write_out(serial) != 0; /* first: a queue that empties now is not waited for */
    uint32_t size = failed ? 0 : frame_encode(serial->queue + serial->queued, SERIAL_QUEUE_BYTES - serial->queued, data, (uint32_t)length);
    serial->queued += size;
    serial->blocked = size == 0;
    if (failed || (size && write_out(serial) != 0)) {
        serial->failure = REASON_RESET;
        return -serial->failure;
    }
    return size ? length : 0;
}

void serial_close(Serial *serial, int64_t now) {
    int waiting = 0;
    bool sends = serial->open && !serial->failure && write_out(serial) == 0;
    if (sends) sends = serial->queued > 0 || (ioctl(serial->terminal, TIOCOUTQ, &waiting) == 0 && waiting > 0);
    if (!serial->open && serial_busy(serial)) return; /* closed before, and still sending */
    if (!sends) {
        drop(serial);
        return;
    }
    serial->open = serial->opening = serial->blocked = false;
    serial->linger_until = now + LINK_LINGER_MS;
    tell_dropped(serial);
}

void serial_wants(const Serial *serial, struct pollfd *poll, bool room) {
    short events = (short)((serial->queued ? POLLOUT : 0) | (serial->open && room ? POLLIN : 0));
    /* With nothing to wait for, poll would still report a hang-up again and again: then the terminal is left out. */
    *poll = (struct pollfd){.fd = events ? serial->terminal : -1, .events = events};
}

bool serial_due(const Serial *serial, bool room) {
    if (!serial->open) return false;
    return serial->opening || serial->failure || (room && serial->piece_at < serial->piece_end);
}

/* Ends a closed link when the terminal has sent all, is gone, or the time is over. */
static void linger(Serial *serial, int64_t now) {
    int waiting = 0;
    if (write_out(serial) == 0) {
        bool sent = serial->queued == 0 && (ioctl(serial->terminal, TIOCOUTQ, &waiting) != 0 || waiting == 0);
        if (!sent && now < serial->linger_until) return;
        if (!sent) (void)tcflush(serial->terminal, TCOFLUSH);
    }
    drop(serial);
}

LinkNews serial_news(Serial *serial, const struct pollfd *poll, int64_t now) {
    if (serial_busy(serial)) linger(serial, now);
    if (!serial->open) return (LinkNews){.what = 0};
    if (serial->opening) {
        serial->opening = false;
        return (LinkNews){.what = LINK_OPENED};
    }
    short happened = poll->fd == serial->terminal ? poll->revents : 0;
    if (!serial->failure && happened & POLLOUT && write_out(serial) != 0) serial->failure = REASON_RESET;
    if (!serial->failure && serial->blocked && serial->queued <= SERIAL_QUEUE_BYTES - FRAME_BYTES(FRAME_MESSAGE_BYTES)) {
        serial->blocked = false;
        return (LinkNews){.what = LINK_WRITABLE}; /* what there is to read, the next poll tells again */
    }
    return (LinkNews){.readable = (happened & ~POLLOUT) != 0 || serial_due(serial, true)};
}

/* Reads a piece when the one before is used up. 0, or the errno of a terminal that is gone. */
static int read_piece(Serial *serial) {
    if (serial->piece_at < serial->piece_end) return 0;
    ssize_t count = read(serial->terminal, serial->piece, sizeof serial->piece);
    if (count == 0) return EIO; /* hung up */
    if (count < 0) return errno;
    serial->piece_at = 0;
    serial->piece_end = (uint32_t)count;
    return 0;
}

int32_t serial_receive(Serial *serial, uint8_t *to, uint32_t room, int32_t *reason) {
    if (!serial->open || (room == 0 && !serial->failure)) return 0;
    int error = room ? read_piece(serial) : EAGAIN;
    if (error == 0) {
        uint32_t length;
        serial->piece_at += frame_read(&serial->reader, serial->piece + serial->piece_at, serial->piece_end - serial->piece_at, &length);
        if (length == 0 || serial->message[0] == 0) return 0; /* what begins with 00 is of the line itself (line.h), and for others */
        memcpy(to, serial->message, length < room ? length : room);
        return (int32_t)length;
    }
    bool waiting = error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
    if (waiting && !serial->failure) return 0;
    *reason = serial->failure ? serial->failure : REASON_RESET;
    drop(serial);
    return -1;
}

bool serial_busy(const Serial *serial) {
    return serial->terminal >= 0 && !serial->open;
}

/* The posix board's serial link: messages in frames (framing.h) over a terminal device, a pseudo-terminal included. Never blocking.
 *
 * - Eight bits, no parity, one stop bit, no flow control of either kind; the baud rate is from the address.
 * - A message is taken whole, into a queue of SERIAL_QUEUE_BYTES, or not at all; LINK_WRITABLE follows when the largest would fit.
 * - Received bytes wait in the terminal while the module has no room; what that cannot hold is lost, and costs the frames it belongs to.
 * - Opening throws away what lay in the terminal before. A path that cannot be opened, or is no terminal, gives a reason at once and
 *   `words` for a person, not again until another thing goes wrong.
 * - A terminal that hangs up closes the link; the module opens it again after its back-off.
 * - What was taken before serial_close is still sent, for LINK_LINGER_MS at most; then it is thrown away, since close(2) would wait.
 * - Messages that begin with 00 are of the line itself (docs/serial.md) and pass by: this end speaks MQTT-SN only.
 * - Frames that were dropped are counted, and told at the close.
 * - Costs 5.9 KB, and nothing of the heap. */
#ifndef TWOBYTE_SERIAL_H
#define TWOBYTE_SERIAL_H

#include "framing.h"
#include "link_news.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define SERIAL_QUEUE_BYTES 4096
#define SERIAL_PIECE_BYTES 256
#define SERIAL_DRAIN_MS 10 /* between two looks whether the terminal has sent all: there is nothing to wait for */

typedef struct {
    const char *path;
    uint32_t baud;
    int terminal; /* -1: closed */
    bool open;
    bool opening;         /* LINK_OPENED is owed */
    bool blocked;         /* a message was refused: LINK_WRITABLE is owed */
    int32_t failure;      /* REASON_… of what failed: LINK_CLOSED is owed, after what can still be read */
    int64_t linger_until; /* of a closed link whose terminal is still open */
    uint32_t queued;
    uint8_t queue[SERIAL_QUEUE_BYTES];
    uint32_t piece_at; /* of the piece, bytes read and not yet looked at are from here */
    uint32_t piece_end;
    uint8_t piece[SERIAL_PIECE_BYTES];
    FrameReader reader;
    uint8_t message[FRAME_MESSAGE_BYTES + FRAME_CHECK_BYTES];
    bool complains;  /* there is something to say, in `words` */
    char words[400]; /* for a person; whoever says them clears `complains` */
    int said;        /* the errno that was told last */
} Serial;

void serial_init(Serial *serial, const char *path, uint32_t baud);

/* serial_at(serial, path, baud): the line that is opened from now on. */
void serial_at(Serial *serial, const char *path, uint32_t baud);

int32_t serial_open(Serial *serial);
int32_t serial_send(Serial *serial, const uint8_t *data, int32_t length);
void serial_close(Serial *serial, int64_t now);

/* serial_wants(serial, poll, room): what to wait for; bytes only when there is room for a message. */
void serial_wants(const Serial *serial, struct pollfd *poll, bool room);

/* serial_due(serial, room): whether there is news already, whatever poll would say. */
bool serial_due(const Serial *serial, bool room);

/* serial_news(serial, poll, now): after poll. */
LinkNews serial_news(Serial *serial, const struct pollfd *poll, int64_t now);

/* serial_receive(serial, to, room, reason): the length of one message, of which `room` bytes are written at most; 0 when none is whole;
 * -1, with the reason, when the link is gone. */
int32_t serial_receive(Serial *serial, uint8_t *to, uint32_t room, int32_t *reason);

/* serial_busy(serial): whether a closed link still sends its last bytes; all is sent after serial_news, some SERIAL_DRAIN_MS later. */
bool serial_busy(const Serial *serial);

#endif

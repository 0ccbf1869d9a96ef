/* The line over standard input and output, of IDF's linux target: a pseudo-terminal, or pipes. */
#include "console_device.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/poll.h>
#include <termios.h>
#include <unistd.h>

static bool ended; /* nobody will say anything more */

bool console_device_open(void) {
    struct termios terminal;
    for (int file = STDIN_FILENO; file <= STDOUT_FILENO; file++) {
        if (tcgetattr(file, &terminal) != 0) continue;
        cfmakeraw(&terminal);
        (void)tcsetattr(file, TCSANOW, &terminal);
    }
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    return flags >= 0 && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0;
}

int console_device_poll(void) {
    return ended ? -1 : STDIN_FILENO;
}

uint32_t console_device_read(uint8_t *to, uint32_t capacity) {
    if (ended || capacity == 0) return 0;
    ssize_t count = read(STDIN_FILENO, to, capacity);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) ended = true;
    return count < 0 ? 0 : (uint32_t)count;
}

uint32_t console_device_write(const uint8_t *bytes, uint32_t count) {
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (poll(&room, 1, 0) <= 0) return 0;
    ssize_t written = write(STDOUT_FILENO, bytes, count > 512 ? 512 : count);
    return written < 0 ? 0 : (uint32_t)written;
}

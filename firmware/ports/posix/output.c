#include "output.h"

#include "console.h"
#include "host_line.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char console_name[] = "twobyte-posix";

static bool gone;

/* Writes all of it, or takes note that nobody reads. A reader that is slow holds the board up: a test wants every line. */
void console_put_event(const char *line, uint32_t length) {
    host_line_say(LINE_EVENT, line, length - 1);
    while (length > 0 && !gone) {
        ssize_t written = write(STDOUT_FILENO, line, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) gone = true;
        else {
            line += written;
            length -= (uint32_t)written;
        }
    }
}

void console_put_words(const char *line, uint32_t length) {
    host_line_say(LINE_CONSOLE, line, length - 1);
    while (write(STDERR_FILENO, line, length) < 0 && errno == EINTR) {
    }
}

bool output_gone(void) {
    return gone;
}

int64_t console_wall_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t console_now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *console_reading_fault(int32_t number) {
    return strerror(number);
}

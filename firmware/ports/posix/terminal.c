#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const struct {
    uint32_t baud;
    speed_t speed;
} speeds[] = {
    {9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},
    {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600},
};

static speed_t speed_of(uint32_t baud) {
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i].baud == baud) return speeds[i].speed;
    }
    return B0;
}

bool terminal_speed(uint32_t baud) {
    return speed_of(baud) != B0;
}

/* No echo, no signals, no line editing; a read waits for a byte, so that 0 means that the line is gone. */
static int set_up(int terminal, speed_t speed) {
    struct termios settings;
    if (tcgetattr(terminal, &settings) != 0) return errno;
    cfmakeraw(&settings);
    settings.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
    settings.c_cflag |= CLOCAL | CREAD;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    if (cfsetspeed(&settings, speed) != 0 || tcsetattr(terminal, TCSANOW, &settings) != 0) return errno;
    /* It succeeds when any of the settings could be made: a device may not have this speed. */
    if (tcgetattr(terminal, &settings) != 0) return errno;
    return cfgetospeed(&settings) == speed ? 0 : EINVAL;
}

int terminal_open(const char *path, uint32_t baud) {
    int terminal = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (terminal < 0) return -errno;
    int error = set_up(terminal, speed_of(baud));
    if (!error) return terminal;
    (void)close(terminal);
    return -error;
}

const char *terminal_fault(int error) {
    return error == ENOTTY ? "is no serial port: not a terminal device" : error == EINVAL ? "cannot be set to this baud rate" : strerror(error);
}

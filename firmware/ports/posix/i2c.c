#include "i2c.h"

#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Tens of ms that a transfer may take. */
#define TIMEOUT_10MS 5

int i2c_open(const char *path) {
    unsigned long functions;
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return -1;
    if (ioctl(file, I2C_FUNCS, &functions) == 0 && functions & I2C_FUNC_I2C) {
        (void)ioctl(file, I2C_TIMEOUT, TIMEOUT_10MS);
        return file;
    }
    (void)close(file);
    errno = ENOTTY;
    return -1;
}

int32_t i2c_fault(int error) {
    switch (error) {
    case ENXIO:
    case EREMOTEIO:
    case EIO:
    case ENODEV:
        return BUS_ABSENT;
    case EBUSY:
    case EAGAIN: /* arbitration is lost to a line that somebody holds */
        return BUS_STUCK;
    default:
        return BUS_TIMEOUT;
    }
}

int32_t i2c_carry(int file, int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    struct i2c_msg messages[2];
    struct i2c_rdwr_ioctl_data transfer = {.msgs = messages};
    if (write_length > 0) {
        /* The kernel does not write to what it is to write out. */
        messages[transfer.nmsgs++] = (struct i2c_msg){.addr = (uint16_t)address, .len = (uint16_t)write_length, .buf = (uint8_t *)(uintptr_t)write};
    }
    if (read_length > 0) {
        messages[transfer.nmsgs++] = (struct i2c_msg){.addr = (uint16_t)address, .flags = I2C_M_RD, .len = (uint16_t)read_length, .buf = read};
    }
    if (!transfer.nmsgs) return 0;
    int done;
    do done = ioctl(file, I2C_RDWR, &transfer);
    while (done < 0 && errno == EINTR);
    return done < 0 ? -i2c_fault(errno) : 0;
}

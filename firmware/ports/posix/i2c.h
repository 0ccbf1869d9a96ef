/* An I2C adapter of the machine, by the kernel's i2c-dev. */
#ifndef TWOBYTE_I2C_H
#define TWOBYTE_I2C_H

#include <stdint.h>

/* i2c_open(path): the file of an adapter that carries plain transfers, or -1 with errno. Whoever asks closes it. */
int i2c_open(const char *path);

/* i2c_carry(file, address, write, write_length, read, read_length): what the import i2c_transfer answers. It takes as long as the bus does. */
int32_t i2c_carry(int file, int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length);

/* i2c_fault(error): BUS_… of an errno, as the kernel's documentation of fault codes has them. */
int32_t i2c_fault(int error);

#endif

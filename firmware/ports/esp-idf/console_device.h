/* What carries the line: a UART, the chip's USB Serial/JTAG, or on IDF's linux target standard input and output. One of console_uart.c,
 * console_usb.c and console_stdio.c is compiled. Nothing here waits. */
#ifndef TWOBYTE_CONSOLE_DEVICE_H
#define TWOBYTE_CONSOLE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* console_device_open(): once. What comes is told by waits_tell, or console_device_poll is readable. False: the driver could not be installed. */
bool console_device_open(void);

/* console_device_poll(): a descriptor to wait for, or -1: waits_tell tells. */
int console_device_poll(void);

/* console_device_read(to, capacity), console_device_write(bytes, count): how many bytes were there, or had room; maybe 0. */
uint32_t console_device_read(uint8_t *to, uint32_t capacity);
uint32_t console_device_write(const uint8_t *bytes, uint32_t count);

#endif

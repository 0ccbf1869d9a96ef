/* What QEMU put into the regions of memory_map.h. */
#ifndef TWOBYTE_FLASH_H
#define TWOBYTE_FLASH_H

#include "memory_map.h"

#include <stdint.h>

/* flash_region(address, capacity, length): the bytes in the region FLASH_…, of which there are FLASH_…_BYTES at most; NULL: nothing was put there. */
const uint8_t *flash_region(uint32_t address, uint32_t capacity, uint32_t *length);

#endif

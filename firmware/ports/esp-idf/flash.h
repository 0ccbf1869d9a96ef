/* The flash of IDF's linux target is a file: the one that TWOBYTE_FLASH names (scripts/firmware.js makes it), or without that one of its own that is forgotten. */
#ifndef TWOBYTE_FLASH_H
#define TWOBYTE_FLASH_H

#include "sdkconfig.h"

#include <stdbool.h>

#if CONFIG_IDF_TARGET_LINUX
/* flash_open(): before anything else asks for a partition. False: the name is too long. */
bool flash_open(void);
#else
static inline bool flash_open(void) {
    return true;
}
#endif

#endif

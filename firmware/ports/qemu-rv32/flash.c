#include "flash.h"

#include <stddef.h>

const uint8_t *flash_region(uint32_t address, uint32_t capacity, uint32_t *length) {
    const volatile uint32_t *words = (const volatile uint32_t *)(uintptr_t)address;
    *length = words[0] == FLASH_MAGIC ? words[1] : 0;
    if (*length == 0 || *length > capacity - 2 * sizeof *words) return NULL;
    return (const uint8_t *)(uintptr_t)address + 2 * sizeof *words;
}

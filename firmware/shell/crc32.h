/* CRC-32 of IEEE 802.3 (reflected, polynomial EDB88320), bit by bit: of "123456789" CBF43926. */
#ifndef TWOBYTE_CRC32_H
#define TWOBYTE_CRC32_H

#include <stdint.h>

#define CRC32_BEGUN 0xffffffffu

/* crc32_add(crc, bytes, count): goes on from CRC32_BEGUN or from an answer before; inverted (~), the answer is the CRC. */
static inline uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, uint32_t count) {
    while (count--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc;
}

#endif

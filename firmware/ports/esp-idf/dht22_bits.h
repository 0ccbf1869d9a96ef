/* What a DHT22 (AM2302) says: 40 bits, each a low of 50 µs and a high of 26 µs (0) or 70 µs (1), behind an answer of 80 µs low and 80 µs high. */
#ifndef TWOBYTE_DHT22_BITS_H
#define TWOBYTE_DHT22_BITS_H

#include <stdint.h>

#define DHT22_BITS 40

/* Numbers of a failed reading beside BUS_…: the sum does not agree; the values are outside of what the sensor measures. They are FAULT_CHECKSUM and
 * FAULT_RANGE of contract.h. */

/* dht22_decode(highs, count, temperature, humidity): from the lengths of the highs in µs, the answer's first or left out. Thousandths; 0, or a negated
 * BUS_TIMEOUT, FAULT_CHECKSUM or FAULT_RANGE. */
int32_t dht22_decode(const uint16_t *highs, uint32_t count, int32_t *temperature, int32_t *humidity);

#endif

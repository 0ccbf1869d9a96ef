/* What was provisioned and outlives everything but an erased flash: the settings' text, certificates and key in PEM, and what became of modules. In a partition
 * of NVS of its own, so that a journal which is full or worn costs none of it. */
#ifndef TWOBYTE_KEPT_H
#define TWOBYTE_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#define KEPT_PARTITION "settings"
/* Of one text. */
#define KEPT_BYTES 4096

typedef enum { KEPT_SETTINGS, KEPT_AUTHORITY, KEPT_CERTIFICATE, KEPT_KEY, KEPT_SLOTS, KEPT_LEFT, KEPT_COUNT } Kept;

/* kept_open(): once. NULL, or why there is none. */
const char *kept_open(void);

/* kept_read(what, to, capacity): its length, copied when it fits; 0 when there is none. */
uint32_t kept_read(Kept what, void *to, uint32_t capacity);

/* kept_write(what, bytes, length): whole or not at all; of 0 bytes none. False: the flash did not take it. */
bool kept_write(Kept what, const void *bytes, uint32_t length);

#endif

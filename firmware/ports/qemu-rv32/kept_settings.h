/* Settings that a host brought by the line, in memory that outlives a reset: they overrule those in the flash.
 *
 * - Two slots, of which the newest whole one counts; another text is written to the other one, and its header last. A cut between any two stores
 *   leaves one of the two in force.
 * - A slot has a check (CRC-32): what is damaged does not count. */
#ifndef TWOBYTE_KEPT_SETTINGS_H
#define TWOBYTE_KEPT_SETTINGS_H

#include "memory_map.h"

#include <stdint.h>

#define KEPT_HEADER_BYTES 16
#define KEPT_TEXT_BYTES (KEPT_SETTINGS_BYTES / 2 - KEPT_HEADER_BYTES)

/* kept_settings(memory, length): the text in force, or NULL. `memory` has KEPT_SETTINGS_BYTES. */
const uint8_t *kept_settings(uint32_t *memory, uint32_t *length);

/* kept_room(memory): KEPT_TEXT_BYTES for another text; what was there, or was begun, counts no more. */
uint8_t *kept_room(uint32_t *memory);

/* kept_settle(memory, length): the text in the room is in force. */
void kept_settle(uint32_t *memory, uint32_t length);

#endif

/* What a reset and a deep sleep do not take, a power cut does: memory of the RTC. On IDF's linux target it lasts as long as the process.
 *
 * - It is good when its magic and check are right; else all is zero.
 * - What the watchdog's interrupt notes, the next start tells. */
#ifndef TWOBYTE_REMEMBERED_H
#define TWOBYTE_REMEMBERED_H

#include "slots.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    SlotState states[SLOTS];
    int32_t slot;     /* that runs, -1: none */
    char running[16]; /* the export that ran when the watchdog came; "": it did not come within one */
    uint32_t late;    /* 1: the watchdog came */
} Remembered;

/* remembered_open(): what there is, or zeros. Once. */
Remembered *remembered_open(void);

/* remembered_keep(): whoever changed it makes its check right. From the watchdog's interrupt, too. */
void remembered_keep(void);

#endif

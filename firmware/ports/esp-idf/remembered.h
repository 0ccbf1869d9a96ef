/* What a reset and a deep sleep do not take, a power cut does: memory of the RTC. On IDF's linux target it lasts as long as the process.
 *
 * - It is good when its magic and check are right; else all is zero.
 * - What the watchdog's interrupt notes, the next start tells. */
#ifndef TWOBYTE_REMEMBERED_H
#define TWOBYTE_REMEMBERED_H

#include "slots.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    SlotState states[SLOTS];
    int32_t slot;     /* that runs, -1: none */
    char running[16]; /* the export that ran when the watchdog came; "": it did not come within one */
    uint32_t late;    /* 1: the watchdog came */
} Remembered;

/* remembered_open(): what there is, or zeros. Once. */
Remembered *remembered_open(void);

/* remembered_late(remembered, running): the watchdog came, within the export `running` of the module or, "", within none. Within one the next start tells it as a
 * failure of the module; outside of one it stays a start that nothing is known of, which slots_open counts. */
static inline void remembered_late(Remembered *remembered, const char *running) {
    (void)snprintf(remembered->running, sizeof remembered->running, "%s", running);
    remembered->late = 1;
    if (running[0] && remembered->slot >= 0 && remembered->slot < SLOTS) remembered->states[remembered->slot].trial = 0;
}

/* remembered_keep(): whoever changed it makes its check right. From the watchdog's interrupt, too. */
void remembered_keep(void);

#endif

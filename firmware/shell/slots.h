/* Which module a board runs: of two slots the newest that is whole, and the one before when that is no good.
 *
 * - A slot is a place in flash: 16 bytes of header, then the module. The header is written last, so a slot that was half written is none.
 * - The check is a CRC-32 over length, sequence and module: it finds what was damaged or cut off, before an engine without validation sees it. It is no
 *   signature; who may write the flash may run what he likes.
 * - What is known of a module is a SlotState, which the port keeps where a reset does not take it. A state belongs to the module whose check it
 *   names: another module in that slot starts afresh.
 * - A module is new until it has run in order for SLOTS_PROOF_MS, or ended in order SLOTS_ENDS times in a row, as a board does that sleeps between its
 *   readings. Refused by the shell, it is left for good. When it traps or runs too long it is left at once while it is new, and later after
 *   SLOTS_FAILURES in a row, with no SLOTS_PROOF_MS and no end in order between them.
 * - A start of which nothing is known (the power went, the board itself crashed) counts as a failure of a new module, which SLOTS_FAILURES of them
 *   leave. Of one that proved itself it says nothing: power goes, however often, and costs no good module. A reset by a watchdog within a call
 *   of the module is slots_failed, for the port to tell.
 * - A module that was deployed (update.h) has its signed header in the last SLOT_SIGNED_BYTES of the slot, which the slot's own header tells by its
 *   magic. While it is new it is proved only when it also reached its broker (slots_connected) in that run; with slots_overdue it is left.
 * - When both were left they are tried in turns: a board with no good module is not given up. With a
 *   factory's module beside the slots (`factory`) it is that one's turn: slots_choose answers -1.
 * - Between two starts after a failure lies slots_wait: 1 s, 2 s, 4 s … 60 s. No allocation, no clock, no storage of its own. */
#ifndef TWOBYTE_SLOTS_H
#define TWOBYTE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#define SLOTS 2
#define SLOT_HEADER_BYTES 16
#define SLOT_SIGNED_BYTES 128
#define SLOTS_FAILURES 3
#define SLOTS_PROOF_MS 60000
#define SLOTS_ENDS 3
#define SLOTS_WAIT_MS 60000
/* How long a deployed module has to reach its broker, unless the port sets another `trial_ms`. */
#define UPDATE_TRIAL_MS 120000

/* What became of a module. Numbers are kept in storage: they stay. */
typedef enum { SLOT_NEW = 0, SLOT_PROVED = 1, SLOT_LEFT = 2 } SlotFate;

typedef struct {
    uint32_t check; /* of the module that this is about */
    uint8_t fate;
    uint8_t failures; /* in a row */
    uint8_t trial;    /* it was started, and what became of it is not known */
    uint8_t ends;     /* in order, in a row */
} SlotState;

typedef struct {
    const uint8_t *module; /* NULL: the slot holds none that is whole */
    uint32_t bytes;
    uint32_t sequence;
    uint32_t check;
    const uint8_t *deployed; /* its signed header; NULL: it was flashed, and its version is 0 */
    uint32_t version;
    const char *error; /* why it holds none */
} Slot;

typedef struct {
    Slot slots[SLOTS];
    SlotState *states;  /* SLOTS of them */
    bool factory;       /* there is a module beside the slots */
    bool connected;     /* the module that runs reached its broker in this run */
    uint32_t trial_ms;  /* 0: UPDATE_TRIAL_MS */
} Slots;

/* slots_check(module, bytes, sequence): the CRC-32 that a header holds. */
uint32_t slots_check(const uint8_t *module, uint32_t bytes, uint32_t sequence);

/* slots_header(to, module, bytes, sequence): writes the header of a module. */
void slots_header(uint8_t to[SLOT_HEADER_BYTES], const uint8_t *module, uint32_t bytes, uint32_t sequence);

/* slots_deployed_header(to, module, bytes, sequence): the same of a module whose signed header is at the end of the slot. */
void slots_deployed_header(uint8_t to[SLOT_HEADER_BYTES], const uint8_t *module, uint32_t bytes, uint32_t sequence);

/* slots_read(slot, at, capacity): looks at a slot of flash. False: it holds no whole module, `error` says why. */
bool slots_read(Slot *slot, const uint8_t *at, uint32_t capacity);

/* slots_open(slots, states): the slots are read; makes the states fit them, and counts a start that nothing is known of. */
void slots_open(Slots *slots, SlotState *states);

/* slots_choose(slots): the slot to start, or -1 when none holds a module, or all were left and there is a factory's. */
int slots_choose(const Slots *slots);

/* slots_other(slots, slot): whether there is a module to go on with when this one is left. */
bool slots_other(const Slots *slots, int slot);

/* slots_wait(slots, slot): the milliseconds to wait before it is started. */
uint32_t slots_wait(const Slots *slots, int slot);

/* slots_started, slots_proved (SLOTS_PROOF_MS are over), slots_refused, slots_failed (it trapped or ran too long), slots_ended (in order: a stop, a deep
 * sleep): what became of a module; the states are to be kept after each. All can be called from an interrupt that is about to reset the machine. */
void slots_started(Slots *slots, int slot);
void slots_proved(Slots *slots, int slot);
void slots_refused(Slots *slots, int slot);
void slots_failed(Slots *slots, int slot);
bool slots_ended(Slots *slots, int slot); /* whether it was left by that: deployed, ended three times without reaching its broker */

/* slots_connected(slots): EVENT_CONNECTED came. */
void slots_connected(Slots *slots);

/* slots_on_trial(slots, slot): it was deployed and did not prove itself yet. */
bool slots_on_trial(const Slots *slots, int slot);

/* slots_overdue(slots, slot, ran): it is on trial and has not reached its broker in the `ran` ms since its start, which are over the time it has: it is
 * to be left with slots_refused. */
bool slots_overdue(const Slots *slots, int slot, uint32_t ran);

#endif

/* The shell: one module in the engine, and the import table that gives it a board. docs/boundary.md is the contract.
 *
 * - A port implements `Port`; the shell calls it from within shell_start, shell_step and shell_stop only.
 * - A port function never calls the shell: such a call is refused. What happens later is told between two steps.
 * - Every pointer that the module hands over, and every place it offers, is checked against its memory before it is used.
 * - A trap, or a pointer outside, ends the shell: each function answers SHELL_FAILED from then on, `error` says why.
 * - A call that takes too long ends as a trap does: under wasm3 by its turns of loops (SHELL_TURNS), and by the port's watchdog: on posix
 *   shell_tick from a timer, with either engine; on rv32 nothing calls shell_tick, its watchdog resets the machine and tells with shell_running.
 * - All is translated in shell_load; nothing is allocated after it, and shell_unload gives everything back.
 * - The module's bytes stay where they are, unchanged, until shell_unload: flash on a board, a copy of the file on posix.
 * - wasm3 0.5 does not validate code: a port that keeps modules where bytes can be damaged checks them with slots.h first. What a module of
 *   good bytes does wrong (unknown imports, too much memory, traps) is found here.
 * - One thread. Several shells can exist side by side; each costs what shell_limits.h says. A compiled module runs in one of them at a time. */
#ifndef TWOBYTE_SHELL_H
#define TWOBYTE_SHELL_H

#include "contract.h"
#include "engine.h"
#include "shell_limits.h"

/* What a function answers after a trap or a refusal: no REASON_… or ERROR_… negated, no time. */
#define SHELL_FAILED INT32_MIN

/* What a board gives a module: the imports, each with the port's context first. Pointers are inside the module's memory. */
typedef struct {
    /* link_open(context, link, choice): starts opening; 0, or a negated REASON_… when it is plain at once. */
    int32_t (*link_open)(void *context, int32_t link, int32_t choice);
    /* link_send(context, link, data, length): bytes taken now; 0 while the link is busy; below 0 a negated REASON_…. */
    int32_t (*link_send)(void *context, int32_t link, const uint8_t *data, int32_t length);
    /* link_close(context, link): closes in order; nothing more is reported of this opening. */
    void (*link_close)(void *context, int32_t link);
    /* remember_gateway(context, slot, address, length): keeps the network address at `address`, or with length 0 the sender of the datagram
     * that was handed in last, for link_open(0, slot); 0, or -REASON_ADDRESS. */
    int32_t (*remember_gateway)(void *context, int32_t slot, const uint8_t *address, int32_t length);
    /* random(context): 32 random bits. */
    int32_t (*random)(void *context);
    /* config_text(context, key, to, capacity): its length, copied when it fits; -1 when there is no such value. */
    int32_t (*config_text)(void *context, int32_t key, uint8_t *to, int32_t capacity);
    /* config_number(context, key, otherwise): the number, or `otherwise` when there is none. */
    int32_t (*config_number)(void *context, int32_t key, int32_t otherwise);
    /* store_write(context, key, data, length): the record of `key`, of 0 bytes none; 0 when it outlives a power cut, or a negated STORE_…. */
    int32_t (*store_write)(void *context, int32_t key, const uint8_t *data, int32_t length);
    /* store_read(context, key, to, capacity): the length of the record, of which at most `capacity` bytes are copied; -1 when there is none. */
    int32_t (*store_read)(void *context, int32_t key, uint8_t *to, int32_t capacity);
    /* unix_time(context): seconds since 1970 UTC, 0 while they are not known. */
    int32_t (*unix_time)(void *context);
    /* temperature(context, sensor): thousandths of a degree Celsius, or READING_FAILED - n. */
    int32_t (*temperature)(void *context, int32_t sensor);
    /* event(context, code, a, b): takes note of an EVENT_…. */
    void (*event)(void *context, int32_t code, int32_t a, int32_t b);
    /* What follows may be NULL: then there is no such bus (-BUS_NONE), or hygrometer (READING_FAILED - BUS_NONE).
     * i2c_transfer(context, address, write, write_length, read, read_length): writes, then reads behind a repeated start; 0 or a negated BUS_…. */
    int32_t (*i2c_transfer)(void *context, int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length);
    /* onewire_transfer(context, write, write_length, read, read_length): reset, presence, writes, reads; 0 or a negated BUS_…. */
    int32_t (*onewire_transfer)(void *context, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length);
    /* onewire_triplet(context, direction): a step of a search: bit | complement << 1 | written << 2, or a negated BUS_…. */
    int32_t (*onewire_triplet)(void *context, int32_t direction);
    /* adc_read(context, channel): microvolts, or a negated BUS_…. */
    int32_t (*adc_read)(void *context, int32_t channel);
    /* humidity(context, sensor): thousandths of a percent, or READING_FAILED - n. */
    int32_t (*humidity)(void *context, int32_t sensor);
    /* update_take(context, payload, length): a message of whoever deploys a module (update.h); 0. NULL, as update_answer: it takes none, and says so. */
    int32_t (*update_take)(void *context, const uint8_t *payload, int32_t length);
    /* update_answer(context, to, capacity): the length of what is to be published about it, 0 when there is nothing; each is told once. */
    int32_t (*update_answer)(void *context, uint8_t *to, int32_t capacity);
} Port;

typedef struct {
    const uint8_t *module;
    uint32_t module_bytes;
    const char *name;      /* instead of the bytes, of a module that is compiled in (engine_compiled), or the path of its file; NULL: the only one */
    uint32_t memory_limit; /* bytes; 0: SHELL_MEMORY_LIMIT */
    uint32_t stack_bytes;  /* 0: SHELL_STACK_BYTES */
    const Port *port;
    void *context;
} ShellOptions;

enum {
    EXPORT_ABI_VERSION,
    EXPORT_MEMORY_BYTES,
    EXPORT_START,
    EXPORT_STOP,
    EXPORT_STEP,
    EXPORT_LINK_BUFFER,
    EXPORT_LINK_ROOM,
    EXPORT_LINK_RECEIVED,
    EXPORT_LINK_CHANGED,
    EXPORT_COUNT
};

typedef struct {
    Engine engine;
    const Port *port;
    void *context;
    EngineFunction *exports[EXPORT_COUNT];
    EngineFunction *flush; /* NULL: the module has no journal */
    EngineFunction *volatile inside; /* the export that runs */
    volatile uint32_t ticks; /* since it began */
    bool failed;
    bool asked_update; /* of a board that takes none */
    char error[SHELL_ERROR_BYTES];
} Shell;

/* shell_imports(count): all that a module may import from "board", for whoever checks one before it runs. */
const EngineImport *shell_imports(size_t *count);

/* shell_load(shell, options): loads, checks and translates the module. 0 or SHELL_FAILED. `shell` stays where it is. */
int32_t shell_load(Shell *shell, const ShellOptions *options);

/* shell_start(shell): the module reads its configuration. 0, a negated ERROR_…, or SHELL_FAILED. */
int32_t shell_start(Shell *shell);

/* shell_step(shell, now): does what is due; the milliseconds it may be left alone (0 to INT32_MAX), or SHELL_FAILED. */
int32_t shell_step(Shell *shell, uint32_t now);

/* shell_link_buffer(shell, link, room): where bytes that arrived are written and how many fit, maybe 0. NULL: SHELL_FAILED. */
uint8_t *shell_link_buffer(Shell *shell, int32_t link, uint32_t *room);

/* shell_link_received(shell, link, length): `length` bytes were written there, at most the room. Of a datagram over the room, as many as
 * the room were written and `length` is its own: the module reports it. 0 or SHELL_FAILED. */
int32_t shell_link_received(Shell *shell, int32_t link, uint32_t length);

/* shell_link_changed(shell, link, what, reason): tells LINK_…, with a REASON_… when it closed. 0 or SHELL_FAILED. */
int32_t shell_link_changed(Shell *shell, int32_t link, int32_t what, int32_t reason);

/* shell_stop(shell): ends in order; step on until EVENT_STOPPED. 0 or SHELL_FAILED. */
int32_t shell_stop(Shell *shell);

/* shell_flush(shell, ms): last words before a deep sleep; step on until EVENT_FLUSHED, at most `ms`. 0, -ERROR_STATE when the module has no
 * journal, or SHELL_FAILED. */
int32_t shell_flush(Shell *shell, int32_t ms);

/* shell_memory_bytes(shell): bytes of linear memory the module has. */
uint32_t shell_memory_bytes(const Shell *shell);

/* shell_static_bytes(shell): bytes of the module that another engine would take from the heap, and this one has in static memory. */
uint32_t shell_static_bytes(const Shell *shell);

/* shell_call(shell, function, arguments, count): calls a further export found with engine_find; its answer or SHELL_FAILED. */
int32_t shell_call(Shell *shell, EngineFunction *function, const int32_t *arguments, uint32_t count);

/* shell_tick(shell): from a timer, an interrupt's handler or another thread: counts against the export that runs. True when this one has had
 * SHELL_TICKS and the module has to be left behind: by a jump out of the handler and shell_left, or by a reset of the machine. It is never true while
 * an import runs, whose state would be torn; the call ends then as soon as that has returned. */
bool shell_tick(Shell *shell);

/* shell_left(shell): a call was left by a jump. The module is over, as after a trap; shell_unload is all that may follow. SHELL_FAILED. */
int32_t shell_left(Shell *shell);

/* shell_running(shell): the name of the export that runs, or "". */
const char *shell_running(const Shell *shell);

/* shell_unload(shell): frees everything. */
void shell_unload(Shell *shell);

#endif

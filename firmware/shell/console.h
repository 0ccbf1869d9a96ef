/* What a board says: one line of JSON an event, and words for a person. The port carries them: on posix to standard output and standard
 * error, elsewhere over a line.
 *
 * - `at` is the wall clock in milliseconds since 1970 with three decimals, so that a subscriber in another process can tell latency.
 * - A line is handed to the port whole, its newline with it; nothing is allocated. */
#ifndef TWOBYTE_CONSOLE_H
#define TWOBYTE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* console_event(code, a, b): {"at":1700000000000.123,"event":"reading","a":23400,"b":0} */
void console_event(int32_t code, int32_t a, int32_t b);

/* console_started: the first line; console_ended: the last. `heap`: with what a compiled module has in static memory; `module`: bytes read, 0 of a
 * compiled one; `allocations`: since the board was switched on, and since the start; `stack`: the most that was ever in use of it, in bytes;
 * 0: nobody measured. */
void console_started(uint64_t heap, uint32_t memory, uint32_t module, uint64_t allocations);
void console_ended(uint64_t heap, uint64_t allocations, uint32_t stack);

/* console_board: what the board is, at its start and when the host asks: {"at":…,"event":"board","board":"posix","chip":"linux","firmware":"0.1.0",…}. */
typedef struct {
    const char *board;
    const char *chip;
    const char *module; /* its name or file; of a path what is behind the last slash */
    uint32_t version;   /* of a signed module; 0: of none */
    bool settings;      /* the board has some that it can start with */
} ConsoleBoard;
void console_board(const ConsoleBoard *board);

/* console_unconfigured(): the board waits for settings: {"at":…,"event":"unconfigured"} */
void console_unconfigured(void);

/* console_client(id): the client's id, for messages; it stays where it is. */
void console_client(const char *id);

/* console_explain(code, a, b, address): the same event in words, where a person needs to know of it. */
void console_explain(int32_t code, int32_t a, int32_t b, const char *address);

/* console_refused(to, capacity, key, error, address): EVENT_CONFIG_REFUSED in words: which setting, and why. */
void console_refused(char *to, size_t capacity, int32_t key, int32_t error, const char *address);

/* console_say(format, …): words, with the board's name first. */
__attribute__((format(printf, 1, 2))) void console_say(const char *format, ...);

/* The rest is the port's. console_name: what its lines begin with. */
extern const char console_name[];

/* console_put_event, console_put_words: carry a line, its newline at the end. */
void console_put_event(const char *line, uint32_t length);
void console_put_words(const char *line, uint32_t length);

/* console_wall_us(): microseconds since 1970; console_now_ms(): a clock that nobody sets. */
int64_t console_wall_us(void);
int64_t console_now_ms(void);

/* console_reading_fault(number): what READING_FAILED - number means here. */
const char *console_reading_fault(int32_t number);

#endif

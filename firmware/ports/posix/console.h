/* What the board says: one line of JSON an event on standard output, words for a person on standard error.
 *
 * - `at` is the wall clock in milliseconds since 1970 with three decimals, so that a subscriber in another process can tell latency.
 * - Each line is one write; nothing is buffered, nothing is allocated. */
#ifndef TWOBYTE_CONSOLE_H
#define TWOBYTE_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

/* console_event(code, a, b): {"at":1700000000000.123,"event":"reading","a":23400,"b":0} */
void console_event(int32_t code, int32_t a, int32_t b);

/* console_started: the first line; console_ended: the last. `allocations`: since the process began, and since the start. */
void console_started(uint64_t heap, uint32_t memory, uint32_t module, uint64_t allocations);
void console_ended(uint64_t heap, uint64_t allocations);

/* console_gone(): whether nobody reads standard output any more. */
bool console_gone(void);

/* console_client(id): the client's id, for messages; it stays where it is. */
void console_client(const char *id);

/* console_explain(code, a, b, address): the same event in words, where a person needs to know of it. */
void console_explain(int32_t code, int32_t a, int32_t b, const char *address);

/* console_say(format, …): a line on standard error, "twobyte-posix: " first. */
__attribute__((format(printf, 1, 2))) void console_say(const char *format, ...);

#endif

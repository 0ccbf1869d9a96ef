/* The parts of the fuzzed board.
 *
 * - A module is what wasm2c makes of build/NAME.wasm, and module.h is what it writes beside: nothing here knows which module it is.
 * - An input of the fuzzer is a program for the board (board.c): what its links, clock, settings and storage do, and what is asked of the module.
 * - Whatever no board may ever see ends the process by REPORT: libFuzzer keeps the input. */
#ifndef TWOBYTE_FUZZ_H
#define TWOBYTE_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "module.h"

/* REPORT(format, ...): says what is wrong and ends. */
#define REPORT(...) (fprintf(stderr, "REPORT: " __VA_ARGS__), fputc('\n', stderr), abort())
#define EXPECT(condition, ...) ((condition) ? (void)0 : REPORT(__VA_ARGS__))

/* instance.c: one instance of the module, its memory just what memory_bytes() says: whatever lies behind traps. */
extern Z_module_instance_t module;
void module_instantiate(void);
/* module_restore(): it is as it was after module_instantiate. */
void module_restore(void);
/* module_bytes(address, length, what): where they lie; a REPORT when not all of them are in the memory. */
uint8_t *module_bytes(uint32_t address, uint32_t length, const char *what);

/* A request that the module made of its peer, so that a reply to it can be written. */
typedef struct {
    uint8_t type;
    uint8_t flags;
    uint16_t id;
    uint16_t topic_id;
    uint16_t count; /* filters of a SUBSCRIBE */
    uint8_t link;
} Request;

/* board.c: judges tell it what they read. */
void requested(Request request);

/* judge_mqtt.c: what goes out on a stream, from its opening on; each packet is judged when it is whole. */
void judge_mqtt_opened(void);
void judge_mqtt(const uint8_t *bytes, uint32_t length);

/* judge_mqttsn.c: one datagram. */
void judge_mqttsn(uint32_t link, const uint8_t *bytes, uint32_t length);

/* judge_text.c */
bool text_is_utf8(const uint8_t *text, uint32_t length);
bool text_is_topic(const uint8_t *text, uint32_t length, bool filter);

#endif

/* Our PUBLISH encoder alone, compiled: `encode_bench N` encodes one packet N times. Run under callgrind with two Ns: the difference is a packet's. */

#include "aot/compiled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char topic[] = "myhome/底楼/客厅/温度";
static const char payload[] = "23.5";
static const char packet[] = "\x30\x21\x00\x1bmyhome/底楼/客厅/温度" "23.5";

enum { TOPIC = sizeof topic - 1, PAYLOAD = sizeof payload - 1, PACKET = sizeof packet - 1 };

static Engine engine;

static EngineFunction *find(const char *name, uint32_t arguments) {
    EngineFunction *function = engine_find(&engine, name, arguments, true);
    if (!function) exit(1);
    return function;
}

static uint8_t *place(const char *name, uint32_t length) {
    uint8_t *bytes = engine_memory(&engine, (uint32_t)find(name, 0)->call(NULL), length);
    if (!bytes) exit(1);
    return bytes;
}

int main(int count, char **arguments) {
    const unsigned long packets = count == 2 ? strtoul(arguments[1], NULL, 10) : 0;
    const EngineOptions options = {.memory_limit = UINT32_MAX, .import_module = "board"};
    if (!packets || !engine_load(&engine, &options)) {
        fprintf(stderr, "usage: encode_bench N\n");
        return 1;
    }
    memcpy(place("topic_buffer", TOPIC), topic, TOPIC);
    memcpy(place("payload_buffer", PAYLOAD), payload, PAYLOAD);
    const uint8_t *made = place("packet_buffer", PACKET);
    const EngineFunction *encode = find("encode", 2);
    const int32_t lengths[2] = {TOPIC, PAYLOAD};
    int32_t length = 0;
    for (unsigned long i = 0; i < packets; i++) length = encode->call(lengths);
    if (length == PACKET && memcmp(made, packet, PACKET) == 0) return 0;
    fprintf(stderr, "encode_bench: another packet than MQTT has\n");
    return 1;
}

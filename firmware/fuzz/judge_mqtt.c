/* What a client says over MQTT 3.1.1, read from the specification apart from the module's encoder. */
#include "fuzz.h"

enum { CONNECT = 1, PUBLISH = 3, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE = 10, PINGREQ = 12, DISCONNECT = 14 };

static uint8_t packet[2u << 20];
static uint32_t have;
static bool connected;
static bool ended;

void judge_mqtt_opened(void) {
    have = 0;
    connected = ended = false;
}

typedef struct {
    const uint8_t *at;
    uint32_t left;
} Field;

static uint32_t take(Field *field, uint32_t bytes, const char *what) {
    EXPECT(field->left >= bytes, "MQTT: %s is cut", what);
    uint32_t value = 0;
    for (uint32_t i = 0; i < bytes; i++) value = value << 8 | field->at[i];
    field->at += bytes;
    field->left -= bytes;
    return value;
}

static Field take_field(Field *field, const char *what) {
    const uint32_t length = take(field, 2, what);
    EXPECT(field->left >= length, "MQTT: %s of %u bytes is cut", what, length);
    const Field value = {field->at, length};
    field->at += length;
    field->left -= length;
    return value;
}

static uint16_t take_id(Field *body) {
    const uint32_t id = take(body, 2, "a packet identifier");
    EXPECT(id, "MQTT: packet identifier 0");
    return (uint16_t)id;
}

static void expect_topic(Field text, bool filter) {
    EXPECT(text_is_topic(text.at, text.left, filter), "MQTT: a topic that is none, of %u bytes", text.left);
}

static void judge_connect(Field *body) {
    const Field name = take_field(body, "the protocol's name");
    EXPECT(name.left == 4 && memcmp(name.at, "MQTT", 4) == 0, "MQTT: another protocol name");
    EXPECT(take(body, 1, "the protocol's level") == 4, "MQTT: another protocol level");
    const uint32_t flags = take(body, 1, "the flags of CONNECT");
    const bool will = flags & 4;
    EXPECT(!(flags & 1) && (flags & 0x18) != 0x18 && (will || !(flags & 0x38)), "MQTT: flags %02x of CONNECT", flags);
    EXPECT(!(flags & 0x40) || flags & 0x80, "MQTT: a password without a user name");
    take(body, 2, "keep alive");
    const Field client = take_field(body, "the client identifier");
    EXPECT(text_is_utf8(client.at, client.left), "MQTT: a client identifier that is no text");
    EXPECT(client.left || flags & 2, "MQTT: no client identifier for a session that is kept");
    if (will) {
        expect_topic(take_field(body, "the will's topic"), false);
        take_field(body, "the will");
    }
    if (flags & 0x80) {
        const Field user = take_field(body, "the user name");
        EXPECT(text_is_utf8(user.at, user.left), "MQTT: a user name that is no text");
    }
    if (flags & 0x40) take_field(body, "the password");
}

static void judge_packet(uint8_t first, Field body) {
    const uint8_t type = first >> 4;
    const uint8_t flags = first & 15;
    Request request = {.type = type, .flags = flags};
    EXPECT(!ended, "MQTT: packet type %u behind DISCONNECT", type);
    EXPECT((type == CONNECT) != connected, "MQTT: packet type %u %s CONNECT", type, connected ? "behind" : "before");
    connected = true;
    const uint8_t expected = type == PUBREL || type == SUBSCRIBE || type == UNSUBSCRIBE ? 2 : 0;
    EXPECT(type == PUBLISH || flags == expected, "MQTT: flags %x of packet type %u", flags, type);
    switch (type) {
        case CONNECT:
            judge_connect(&body);
            break;
        case PUBLISH: {
            const uint8_t qos = flags >> 1 & 3;
            EXPECT(qos < 3 && (qos || !(flags & 8)), "MQTT: flags %x of PUBLISH", flags);
            expect_topic(take_field(&body, "the topic"), false);
            if (qos) request.id = take_id(&body);
            body.left = 0;
            break;
        }
        case PUBACK:
        case PUBREC:
        case PUBREL:
        case PUBCOMP:
            request.id = take_id(&body);
            break;
        case SUBSCRIBE:
        case UNSUBSCRIBE:
            request.id = take_id(&body);
            do {
                expect_topic(take_field(&body, "a filter"), true);
                if (type == SUBSCRIBE) EXPECT(take(&body, 1, "the QoS of a filter") < 3, "MQTT: QoS of a filter");
                request.count++;
            } while (body.left);
            break;
        case PINGREQ:
            break;
        case DISCONNECT:
            ended = true;
            break;
        default:
            REPORT("MQTT: packet type %u is not a client's", type);
    }
    EXPECT(body.left == 0, "MQTT: %u stray bytes in packet type %u", body.left, type);
    requested(request);
}

void judge_mqtt(const uint8_t *bytes, uint32_t length) {
    EXPECT(length <= sizeof packet - have, "MQTT: a packet of over %zu bytes", sizeof packet);
    memcpy(packet + have, bytes, length);
    have += length;
    uint32_t start = 0;
    for (;;) {
        uint32_t remaining = 0;
        uint32_t at = start + 1;
        uint32_t shift = 0;
        do {
            if (at >= have) goto incomplete;
            EXPECT(shift <= 21, "MQTT: a remaining length of five bytes");
            EXPECT(shift == 0 || packet[at] != 0, "MQTT: a remaining length that is not the shortest");
            remaining |= (packet[at] & 127u) << shift;
            shift += 7;
        } while (packet[at++] & 128);
        if (have - at < remaining) goto incomplete;
        judge_packet(packet[start], (Field){packet + at, remaining});
        start = at + remaining;
    }
incomplete:
    have -= start;
    memmove(packet, packet + start, have);
}

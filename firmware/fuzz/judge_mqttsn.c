/* What a client says over MQTT-SN 1.2, read from the specification apart from the module's encoder. */
#include "fuzz.h"

enum { SEARCHGW = 0x01, CONNECT = 0x04, WILLTOPIC = 0x07, WILLMSG = 0x09, REGISTER, REGACK, PUBLISH, PUBACK, PUBCOMP, PUBREC, PUBREL,
       SUBSCRIBE = 0x12, UNSUBSCRIBE = 0x14, PINGREQ = 0x16, PINGRESP, DISCONNECT, WILLTOPICUPD = 0x1a, WILLMSGUPD = 0x1c, ENCAPSULATED = 0xfe };

static uint16_t uint16(const uint8_t *at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void judge_message(uint32_t link, const uint8_t *bytes, uint32_t length) {
    EXPECT(length >= 2, "MQTT-SN: a message of %u bytes", length);
    const uint32_t header = bytes[0] == 1 ? 4 : 2;
    EXPECT(length >= header && (header == 4 ? uint16(bytes + 1) : bytes[0]) == length, "MQTT-SN: a length that is not that of its message, %u", length);
    EXPECT(header == 2 || length > 255, "MQTT-SN: a long length of a short message");
    const uint8_t type = bytes[header - 1];
    const uint8_t *body = bytes + header;
    const uint32_t rest = length - header;
    Request request = {.type = type, .flags = rest ? body[0] : 0, .link = (uint8_t)link};
    const uint8_t qos = request.flags >> 5 & 3;
    EXPECT((type == SEARCHGW) == (link == 1), "MQTT-SN: message type %02x on link %u", type, link);
    bool right = false;
    switch (type) {
        case SEARCHGW:
            right = rest == 1;
            break;
        case CONNECT:
            right = rest >= 5 && !(body[0] & ~0x0cu) && body[1] == 1 && text_is_utf8(body + 4, rest - 4);
            break;
        case WILLTOPIC:
        case WILLTOPICUPD:
            right = rest == 0 || (rest >= 2 && !(body[0] & ~0x70u) && qos < 3 && text_is_topic(body + 1, rest - 1, false));
            break;
        case WILLMSG:
        case WILLMSGUPD:
        case PINGREQ:
            right = true;
            break;
        case REGISTER:
            right = rest >= 5 && uint16(body) == 0 && uint16(body + 2) && text_is_topic(body + 4, rest - 4, false);
            if (right) request.id = uint16(body + 2);
            break;
        case REGACK:
        case PUBACK:
            right = rest == 5 && (uint16(body + 2) || (type == PUBACK && body[4]));
            break;
        case PUBLISH:
            right = rest >= 5 && (body[0] & 3) != 3 && !(body[0] & 0x0c) && (qos == 1 || qos == 2) == (uint16(body + 3) != 0);
            right = right && ((qos != 0 && qos != 3) || !(body[0] & 0x80));
            right = right && ((body[0] & 3) == 2 ? text_is_topic(body + 1, 2, false) : uint16(body + 1) != 0 && uint16(body + 1) != 0xffff);
            if (right) request.topic_id = uint16(body + 1);
            if (right) request.id = uint16(body + 3);
            break;
        case PUBCOMP:
        case PUBREC:
        case PUBREL:
            right = rest == 2 && uint16(body);
            if (right) request.id = uint16(body);
            break;
        case SUBSCRIBE:
        case UNSUBSCRIBE:
            right = rest >= 4 && uint16(body + 1) && (body[0] & 3) != 3 && !(body[0] & 0x1c) && qos < 3;
            right = right && ((body[0] & 3) == 0 ? text_is_topic(body + 3, rest - 3, true) : rest == 5);
            if (right) request.id = uint16(body + 1);
            break;
        case PINGRESP:
            right = rest == 0;
            break;
        case DISCONNECT:
            right = rest == 0 || (rest == 2 && uint16(body));
            break;
        default:
            REPORT("MQTT-SN: message type %02x is not a client's", type);
    }
    EXPECT(right, "MQTT-SN: a malformed message of type %02x, %u bytes", type, length);
    requested(request);
}

void judge_mqttsn(uint32_t link, const uint8_t *bytes, uint32_t length) {
    EXPECT(length <= 65507, "MQTT-SN: a datagram of %u bytes", length);
    if (length > 2 && bytes[0] != 1 && bytes[1] == ENCAPSULATED) {
        EXPECT(bytes[0] > 3 && bytes[0] < length && bytes[2] == 0, "MQTT-SN: a malformed envelope");
        length -= bytes[0];
        bytes += bytes[0];
    }
    judge_message(link, bytes, length);
}

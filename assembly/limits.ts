// Every buffer and count of a module, in bytes of linear memory. Two profiles: a board's, and DESK for the module behind the Node
// client, where memory is cheap and a window of messages is what makes it fast. The build sets DESK with `--use DESK=1`.
// A packet that does not fit is never cut: outbound it is refused (ERROR_TOO_LARGE), inbound a PUBLISH arrives in pieces.
// `Cost` is what one of the unit takes of the memory; beside the limits a module has some 90 bytes.

/** Bytes received and not yet decoded. A PUBLISH over this arrives in pieces; one whose topic alone fills it is refused, as is a datagram over it. Cost: 1 byte. */
export const RECEIVE_BYTES: i32 = isDefined(DESK) ? 131072 : isDefined(MQTT) ? 1024 : 512;

/** Bytes encoded and not yet taken by the link. The largest packet that can be sent, over MQTT at least CONNECT_BYTES. Cost: 1 byte. */
export const TRANSMIT_BYTES: i32 = isDefined(DESK) ? 1179648 : isDefined(MQTT) ? 1024 : 256;

/** Topics and payloads waiting for their acknowledgement or for a connection, each with RECORD_BYTES. With a journal readings that find no room wait in theirs. Cost: 1 byte. */
export const OUTBOX_BYTES: i32 = isDefined(DESK) ? 2359296 : 2048;

/** What the journal adds to a message of the outbox, within OUTBOX_BYTES. Cost: 0 bytes. */
export const RECORD_BYTES: i32 = isDefined(JOURNAL) ? 16 : 0;

/** Packets in flight and waiting, a power of two. Cost: 24 bytes. */
export const OUTBOX_ENTRIES: i32 = isDefined(DESK) ? 4096 : 16;

/** Inbound QoS 2 messages between PUBREC and PUBREL, a power of two. Cost: 4 bytes, as the table is twice as long; a sensor of MQTT-SN alone has none. */
export const INBOX_ENTRIES: i32 = isDefined(DESK) ? 32768 : 32;

/** The CONNECT packet, with client identifier, will, user name and password. Cost: 1 byte, over MQTT only. */
export const CONNECT_BYTES: i32 = isDefined(DESK) ? 330000 : 640;

/** A topic name or filter. MQTT's own limit is 65535. Cost: 3 bytes, for three texts in either module. */
export const TOPIC_BYTES: i32 = isDefined(DESK) ? 65535 : 128;

/** A payload handed in by the host. Cost: 1 byte, in the client only. */
export const PAYLOAD_BYTES: i32 = 1048576;

/** The filters of one SUBSCRIBE or UNSUBSCRIBE, with two bytes of length and one of QoS each: never more than 65535 of them. Cost: 1 byte, in the client only. */
export const FILTERS_BYTES: i32 = isDefined(DESK) ? 262140 : 256;

/** The formatted reading: sign, seven digits, point, one digit; with a journal also the unit, a blank and ten digits of time. Cost: 1 byte, in the sensor only. */
export const READING_BYTES: i32 = isDefined(JOURNAL) ? 40 : 12;

/** The text that follows the number of a reading. Cost: 1 byte, in the sensor only. */
export const UNIT_BYTES: i32 = 16;

/** Readings that wait while the link is down or the outbox is full, beside it. Cost: 16 bytes, in the sensor only. */
export const READING_ENTRIES: i32 = isDefined(JOURNAL) ? 64 : 0;

/** Which of several readings each of them is. Cost: 4 bytes, in the sensor only. */
export const READING_NUMBERS: i32 = isDefined(DRIVERS) ? 64 : 0;

/** Topics of readings that waited and of how many were dropped, TOPIC_BYTES each. Cost: 128 bytes, in the sensor only. */
export const READING_TOPICS: i32 = isDefined(JOURNAL) ? 2 : 0;

/** Readings that a board with drivers has: reading_1 to reading_8. Cost: 48 bytes, in the sensor only. */
export const SENSORS: i32 = isDefined(DRIVERS) ? 8 : 0;

/** Their topics together. Cost: 1 byte, in the sensor only. */
export const SENSOR_TOPICS_BYTES: i32 = isDefined(DRIVERS) ? 640 : 0;

/** The setting of such a reading, without what is longer than TOPIC_BYTES of its topic. Cost: 0 bytes. */
export const READING_LINE_BYTES: i32 = isDefined(DRIVERS) ? 256 : 0;

/** The update topic as it is listened to, and with `/status` behind it, TOPIC_BYTES each. Cost: 128 bytes, in the sensor only. */
export const UPDATE_TOPICS: i32 = isDefined(UPDATE) ? 2 : 0;

/** What a board says of an update, in one message. Cost: 1 byte, in the sensor only. */
export const UPDATE_ANSWER_BYTES: i32 = isDefined(UPDATE) ? 192 : 0;

/** MQTT-SN: topics that have an id. When there are more, all are forgotten and registered anew. Cost: 12 bytes, over MQTT-SN only. */
export const TOPIC_ENTRIES: i32 = isDefined(DESK) ? 1024 : 16;

/** MQTT-SN: the names of those topics; a module of both protocols has them where CONNECT is. Cost: 1 byte, over MQTT-SN only. */
export const TOPIC_NAMES_BYTES: i32 = isDefined(DESK) ? 131072 : isDefined(JOURNAL) ? 576 : 448;

/** MQTT-SN: what the journal adds to the name of a topic, within TOPIC_NAMES_BYTES. Cost: 0 bytes. */
export const TOPIC_RECORD_BYTES: i32 = isDefined(JOURNAL) ? 8 : 0;

/** MQTT-SN: QoS 2 messages remembered behind their PUBREL. Cost: 12 bytes, in the client only, over MQTT-SN only. */
export const COMPLETED_ENTRIES: i32 = isDefined(DESK) ? 64 : 8;

/** MQTT-SN: gateways known at once. Cost: 12 bytes, over MQTT-SN only. */
export const GATEWAY_ENTRIES: i32 = 4;

/** MQTT-SN: a client identifier, 23 characters (SN 5.3.1), which the host counts and a board takes for bytes. Cost: 1 byte, over MQTT-SN only. */
export const CLIENT_ID_BYTES: i32 = isDefined(DESK) ? 92 : 23;

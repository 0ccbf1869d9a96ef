// The numbers that cross the boundary, defined here once. `npm run build` makes host/contract.ts and firmware/shell/contract.h
// from this file; a test fails when they drift. Numbers are never reused: a board and a module may be of different age.

/** Version of the imports and exports; a shell refuses a module that answers another. */
export const ABI_VERSION: i32 = 1;

// What happened to a link: the second argument of link_changed.
/** The link is open: bytes can be sent. */
export const LINK_OPENED: i32 = 1;
/** The link is gone, or could not be opened; the third argument says why (REASON_…). */
export const LINK_CLOSED: i32 = 2;
/** The link takes bytes again after it answered 0 to link_send. */
export const LINK_WRITABLE: i32 = 3;

// Why a link closed or never opened. link_open and link_send answer them negated.
/** Nobody listens at the address. */
export const REASON_REFUSED: i32 = 1;
/** No route, or no answer from the network. */
export const REASON_UNREACHABLE: i32 = 2;
/** The host name is not known. */
export const REASON_NAME: i32 = 3;
/** The TLS handshake failed. */
export const REASON_TLS: i32 = 4;
/** The peer's certificate is not trusted, expired, or for another host. */
export const REASON_CERTIFICATE: i32 = 5;
/** The peer broke the connection off. */
export const REASON_RESET: i32 = 6;
/** The peer closed the connection in order. */
export const REASON_ENDED: i32 = 7;
/** The address is not one this board can open: its scheme, port or form. */
export const REASON_ADDRESS: i32 = 8;
/** The WebSocket handshake was refused. */
export const REASON_WEBSOCKET: i32 = 9;
/** Anything else the link layer reports. */
export const REASON_OTHER: i32 = 10;

// Errors: negated as the answer of an export, or the first detail of an event.
/** The outbox has no free entry or no room for the bytes. */
export const ERROR_OUTBOX_FULL: i32 = 1;
/** The packet is larger than the buffer that has to hold it. */
export const ERROR_TOO_LARGE: i32 = 2;
/** A topic name or filter has no characters [MQTT-4.7.3-1]. */
export const ERROR_TOPIC_EMPTY: i32 = 3;
/** A topic is longer than TOPIC_BYTES. */
export const ERROR_TOPIC_TOO_LONG: i32 = 4;
/** A topic name contains + or # [MQTT-3.3.2-2]. */
export const ERROR_TOPIC_WILDCARD: i32 = 5;
/** + or # is not alone in its level, or # is not last [MQTT-4.7.1-2] [MQTT-4.7.1-3]. */
export const ERROR_FILTER_WILDCARD: i32 = 6;
/** The text is not well-formed UTF-8 [MQTT-1.5.3-1]. */
export const ERROR_UTF8: i32 = 7;
/** The text contains U+0000 [MQTT-1.5.3-2]. */
export const ERROR_NUL: i32 = 8;
/** The quality of service is not 0, 1 or 2 [MQTT-3.3.1-4]. */
export const ERROR_QOS: i32 = 9;
/** A call came in a state that does not allow it: start twice, or subscribe without a filter. */
export const ERROR_STATE: i32 = 10;
/** A required configuration value is missing. */
export const ERROR_CONFIG_MISSING: i32 = 11;
/** A configuration value is outside its range or does not go with another. */
export const ERROR_CONFIG_INVALID: i32 = 12;
/** A configuration value, a credential for example, is longer than its limit. */
export const ERROR_CONFIG_TOO_LONG: i32 = 13;
/** A packet type that is reserved, or that a server never sends. */
export const ERROR_PACKET_TYPE: i32 = 14;
/** Reserved flags of a fixed header are not as the specification sets them [MQTT-2.2.2-2]. */
export const ERROR_FLAGS: i32 = 15;
/** A remaining length that its packet type cannot have, or of more than four bytes. */
export const ERROR_REMAINING_LENGTH: i32 = 16;
/** A packet identifier of 0 [MQTT-2.3.1-1]. */
export const ERROR_PACKET_ID: i32 = 17;
/** DUP set on a QoS 0 PUBLISH [MQTT-3.3.1-2]. */
export const ERROR_DUP: i32 = 18;
/** Reserved bits or an unknown return code in a CONNACK, or session present beside a refusal [MQTT-3.2.2-4]. */
export const ERROR_CONNACK: i32 = 19;
/** A SUBACK with an unknown return code, or with fewer or more of them than filters were asked for [MQTT-3.9.3-2]. */
export const ERROR_SUBACK: i32 = 20;
/** A packet that the protocol does not allow in this state: the first is not a CONNACK, or a second CONNACK, or the wrong acknowledgement. */
export const ERROR_UNEXPECTED: i32 = 21;
/** More than INBOX_ENTRIES QoS 2 messages wait for their PUBREL. */
export const ERROR_INBOX_FULL: i32 = 22;
/** Session present after a clean session was asked for [MQTT-3.2.2-1]. */
export const ERROR_SESSION_PRESENT: i32 = 23;
/** A command's payload is not a decimal number in its range. */
export const ERROR_COMMAND: i32 = 24;
/** The length a datagram states is not its own, or its message type cannot have it (SN 5.2.1). */
export const ERROR_LENGTH: i32 = 25;
/** A topic id of 0000 or FFFF, or the reserved topic id type 3 (SN 5.3.11). */
export const ERROR_TOPIC_ID: i32 = 26;
/** A message on a topic id that is not registered here; the gateway was told, and registers it again (SN 6.10). */
export const ERROR_UNREGISTERED: i32 = 27;
/** QoS -1 has no connection to register a topic on: it needs a pre-defined or a two-byte topic (SN 6.8). */
export const ERROR_NO_TOPIC_ID: i32 = 29;

// Why the board's storage did not take a record. store_write answers them negated.
/** There is no room for it. */
export const STORE_FULL: i32 = 1;
/** The storage does not work, or there is none. */
export const STORE_FAILED: i32 = 2;

// Why a bus of the board did not carry a transfer. i2c_transfer, onewire_transfer, onewire_triplet and adc_read answer them negated.
/** Nobody answers: no device acknowledges its address, or none on the wire shows its presence. */
export const BUS_ABSENT: i32 = 1;
/** A line of the bus is held low. */
export const BUS_STUCK: i32 = 2;
/** The transfer was not over in the time that the board allows it. */
export const BUS_TIMEOUT: i32 = 3;
/** This board has no such bus or channel. */
export const BUS_NONE: i32 = 4;

// Why a driver has no reading: the first detail of EVENT_READING_FAILED from 1001 on. Below stand the numbers of the board's own sensors, and of a
// project's own.
/** BUS_ABSENT: no sensor answers at this address, or on the wire. */
export const FAULT_ABSENT: i32 = 1001;
/** BUS_STUCK: a line of the bus is held low. */
export const FAULT_STUCK: i32 = 1002;
/** BUS_TIMEOUT: the bus was not ready in time. */
export const FAULT_TIMEOUT: i32 = 1003;
/** BUS_NONE: the board has no such bus or channel. */
export const FAULT_NO_BUS: i32 = 1004;
/** What the sensor said does not agree with its checksum. */
export const FAULT_CHECKSUM: i32 = 1005;
/** The conversion was not ready long after it should have been. */
export const FAULT_NOT_READY: i32 = 1006;
/** Another device answers at this address: its identity is not the sensor's. */
export const FAULT_OTHER_DEVICE: i32 = 1007;
/** The sensor was reset since its conversion began: the value is the one of its start. */
export const FAULT_RESET: i32 = 1008;
/** What was measured is outside of what the sensor can measure: a broken or shorted wire. */
export const FAULT_RANGE: i32 = 1009;
/** Several sensors are on the wire, and the setting does not say which. */
export const FAULT_SEVERAL: i32 = 1010;
/** The module has no sensor of a project's own. */
export const FAULT_NO_OWN: i32 = 1011;

// What a record holds: the upper 16 bits of its key. The lower ones are its place among those of its kind.
/** A PUBLISH of the outbox until it is acknowledged. */
export const RECORD_MESSAGE: i32 = 1;
/** That the PUBREC of such a message came. */
export const RECORD_RELEASE: i32 = 2;
/** Identifiers of inbound QoS 2 messages between PUBREC and PUBREL. */
export const RECORD_INBOX: i32 = 3;
/** MQTT-SN: a topic that is registered. */
export const RECORD_TOPIC: i32 = 4;
/** A reading that waits for the link. */
export const RECORD_READING: i32 = 5;

// What was waited for in vain: the first detail of EVENT_TIMEOUT.
/** The link to open. */
export const TIMEOUT_OPEN: i32 = 1;
/** The CONNACK. */
export const TIMEOUT_CONNACK: i32 = 2;
/** The PINGRESP. */
export const TIMEOUT_PINGRESP: i32 = 3;
/** The acknowledgement of a PUBLISH, SUBSCRIBE or UNSUBSCRIBE. */
export const TIMEOUT_REPLY: i32 = 4;
/** The link to take the bytes it was offered. */
export const TIMEOUT_SEND: i32 = 5;
/** The gateway's DISCONNECT, which confirms ours. */
export const TIMEOUT_DISCONNECT: i32 = 6;
/** An ADVERTISE: the gateway missed as many as the configuration allows. */
export const TIMEOUT_ADVERTISE: i32 = 7;

// Events. In brackets the two details, a and b. `delay` is the time to the next attempt in ms, -1 when there is none.
/** A link is being opened [number of the attempt since the last connection, from 1; 0]. */
export const EVENT_OPENING: i32 = 1;
/** CONNACK 0: the broker accepted [session present 0 or 1; 0]. */
export const EVENT_CONNECTED: i32 = 2;
/** CONNACK 1: protocol version refused [1; delay]. */
export const EVENT_REFUSED_VERSION: i32 = 3;
/** CONNACK 2: client identifier refused [2; delay]. */
export const EVENT_REFUSED_CLIENT_ID: i32 = 4;
/** CONNACK 3: server unavailable [3; delay]. */
export const EVENT_REFUSED_UNAVAILABLE: i32 = 5;
/** CONNACK 4: bad user name or password [4; delay]. */
export const EVENT_REFUSED_CREDENTIALS: i32 = 6;
/** CONNACK 5: not authorized [5; delay]. */
export const EVENT_REFUSED_AUTHORIZATION: i32 = 7;
/** The link closed or could not be opened [REASON_…; delay]. */
export const EVENT_LINK_CLOSED: i32 = 8;
/** The peer broke the protocol; the link was closed [ERROR_…; delay]. */
export const EVENT_PROTOCOL_ERROR: i32 = 9;
/** An answer did not come in time; the link was closed [TIMEOUT_…; delay]. */
export const EVENT_TIMEOUT: i32 = 10;
/** The session ended as asked: DISCONNECT was sent where there was a connection [0; 0]. */
export const EVENT_STOPPED: i32 = 11;
/** A message or a piece of one arrived; the inbound record describes it [packet identifier; 1 when this piece is the last]. */
export const EVENT_MESSAGE: i32 = 12;
/** A QoS 1 or 2 PUBLISH is acknowledged in full [packet identifier; 0]. */
export const EVENT_PUBLISHED: i32 = 13;
/** One filter of a SUBSCRIBE is answered [packet identifier; index of the filter × 256 + granted QoS, or + 128 when refused]. */
export const EVENT_SUBSCRIBED: i32 = 14;
/** An UNSUBSCRIBE is acknowledged [packet identifier; 0]. */
export const EVENT_UNSUBSCRIBED: i32 = 15;
/** An answer to nothing that was asked, or for an identifier that is not in flight, ignored [packet type 4, 5, 7, 9, 11 or 13, over MQTT-SN message type; identifier, 0 where it has none]. */
export const EVENT_UNKNOWN_ACKNOWLEDGEMENT: i32 = 16;
/** A QoS 2 message that was delivered before came again and was not delivered twice [packet identifier; 0]. */
export const EVENT_DUPLICATE: i32 = 17;
/** A reading was handed to the session [thousandths of the unit; packet identifier, 0 at QoS 0]. */
export const EVENT_READING: i32 = 18;
/** There is no reading [FAULT_…, or the number that the board or the project's own sensor gave; index of the reading, 0 of the only one]. */
export const EVENT_READING_FAILED: i32 = 19;
/** A reading was dropped [ERROR_…; readings dropped since start]. */
export const EVENT_READING_DROPPED: i32 = 20;
/** A command changed the interval [new interval in ms; 0]. */
export const EVENT_INTERVAL_CHANGED: i32 = 21;
/** A command was refused, the interval stays [ERROR_…; length of its payload in bytes]. */
export const EVENT_COMMAND_REFUSED: i32 = 22;
/** The configuration cannot be used; nothing was started [ERROR_…; CONFIG_… of the value at fault]. */
export const EVENT_CONFIG_REFUSED: i32 = 23;
/** `offline` could not be queued before the session ended [ERROR_…; 0]. */
export const EVENT_NOT_QUEUED: i32 = 24;
/** MQTT-SN: a CONNACK with a return code above 0 [return code; delay]. */
export const EVENT_REFUSED: i32 = 25;
/** MQTT-SN: a SEARCHGW is sent [its number since the search began; ms until the next]. */
export const EVENT_SEARCHING: i32 = 26;
/** MQTT-SN: a gateway answered a search or advertised itself [its GwId; 0]. */
export const EVENT_GATEWAY_FOUND: i32 = 27;
/** MQTT-SN: a gateway is silent or advertises no longer, another is looked for [its GwId; 0]. */
export const EVENT_GATEWAY_LOST: i32 = 28;
/** MQTT-SN: the gateway confirmed that we sleep [seconds; 0]. */
export const EVENT_ASLEEP: i32 = 29;
/** MQTT-SN: the gateway was asked for what waits, EVENT_ASLEEP follows when all of it came [0; 0]. */
export const EVENT_AWAKE: i32 = 30;
/** MQTT-SN: a datagram that is malformed or fits nothing was dropped [ERROR_…; datagrams dropped since start]. */
export const EVENT_DATAGRAM_DROPPED: i32 = 31;
/** MQTT-SN: the gateway is congested, the request is made again [packet identifier, 0 of none; ms until then]. */
export const EVENT_CONGESTED: i32 = 32;
/** MQTT-SN: the gateway refuses a PUBLISH or the registration of its topic for good; it left the outbox [packet identifier, 0 of a message sent without; return code]. */
export const EVENT_REJECTED: i32 = 33;
/** MQTT-SN: an update of the will is answered [packet identifier; return code]. */
export const EVENT_WILL_UPDATED: i32 = 34;
/** The board's storage did not take a record: a power cut may now cost what it holds [key of the record, the last of several; STORE_…]. */
export const EVENT_STORE_FAILED: i32 = 35;
/** A record of the journal is torn or corrupt: what it held is lost; or it finds no room, and stays where it is [key of the record; its length in bytes]. */
export const EVENT_RECORD_LOST: i32 = 36;
/** The journal was read at the start [messages back in the outbox; readings back in the buffer]. */
export const EVENT_RESTORED: i32 = 37;
/** A reading waits for the link [thousandths of the unit; readings that wait]. */
export const EVENT_READING_BUFFERED: i32 = 38;
/** flush() is over [messages not acknowledged; readings that wait]. */
export const EVENT_FLUSHED: i32 = 39;
/** What reading_1 to reading_8 measured; EVENT_READING, _BUFFERED or _DROPPED of it follows [index of the reading, from 1; thousandths of the unit]. */
export const EVENT_MEASURED: i32 = 40;
/** A device on the 1-wire bus: its code, as it is written in a setting [first four bytes; last four]. */
export const EVENT_SENSOR_FOUND: i32 = 42;
/** What was taken of an update was answered [status of the answer, docs/updates.md; the offset that is awaited, or the version]. */
export const EVENT_UPDATE: i32 = 41;

// Configuration keys. A board's file names them in lower case without the prefix: client_id = …
/** Client identifier, UTF-8; may be absent with a clean session. */
export const CONFIG_CLIENT_ID: i32 = 1;
/** User name, UTF-8. */
export const CONFIG_USERNAME: i32 = 2;
/** Password, bytes; needs a user name [MQTT-3.1.2-22]. */
export const CONFIG_PASSWORD: i32 = 3;
/** Topic name of the will. */
export const CONFIG_WILL_TOPIC: i32 = 4;
/** Payload of the will, bytes. */
export const CONFIG_WILL_PAYLOAD: i32 = 5;
/** QoS of the will: 0, 1, 2. Default 0. */
export const CONFIG_WILL_QOS: i32 = 6;
/** Whether the will is retained: 0, 1. Default 0. */
export const CONFIG_WILL_RETAIN: i32 = 7;
/** Keep alive in seconds: 0 (none) to 65535. Default 60. */
export const CONFIG_KEEP_ALIVE: i32 = 8;
/** Clean session: 0, 1. Default 1, and 0 where a journal keeps our side of the session. */
export const CONFIG_CLEAN_SESSION: i32 = 9;
/** Delay before the first reconnection in ms: 1 to 86400000. Default 1000. It doubles at each failure. */
export const CONFIG_RECONNECT_MIN: i32 = 10;
/** The longest delay between reconnections in ms: 1 to 86400000. Default 60000. */
export const CONFIG_RECONNECT_MAX: i32 = 11;
/** Time for a link to open, and again for the CONNACK, in ms: 1 to 86400000. Default 30000. */
export const CONFIG_CONNECT_TIMEOUT: i32 = 12;
/** Time for every other answer in ms: 1 to 86400000. Default 30000. */
export const CONFIG_REPLY_TIMEOUT: i32 = 13;
/** Topic name of the readings. Required by the sensor. */
export const CONFIG_TOPIC: i32 = 14;
/** QoS of the readings: 0, 1, 2; over MQTT-SN also -1, which only sends and never connects. Default 0. */
export const CONFIG_QOS: i32 = 15;
/** Whether the readings are retained: 0, 1. Default 0. */
export const CONFIG_RETAIN: i32 = 16;
/** Time between readings in ms: 100 to 86400000. Default 10000. */
export const CONFIG_INTERVAL: i32 = 17;
/** Which of the board's thermometers, from 0. Default 0. */
export const CONFIG_SENSOR: i32 = 18;
/** Topic name that holds `online` or `offline`. Without it there is no availability and no will. */
export const CONFIG_AVAILABILITY_TOPIC: i32 = 19;
/** Topic filter whose messages set the interval. Without it there are no commands. */
export const CONFIG_COMMAND_TOPIC: i32 = 20;
/** Text that follows the number in the payload, ` °C` for example. Default none: programs read the payload as a number. */
export const CONFIG_UNIT: i32 = 21;
/** Most QoS 2 messages sent and not yet acknowledged in full: 1 to 65535. Default 20: mosquitto acknowledges and forgets what is beyond. */
export const CONFIG_MAX_INFLIGHT: i32 = 22;
/** The protocol, which the board takes from its broker's address: 0 MQTT, 1 MQTT-SN. A module of one protocol refuses the other. */
export const CONFIG_PROTOCOL: i32 = 23;
/** MQTT-SN: whether the address is where gateways are searched, on link 1: 0, 1. Default 0. The board takes it from the address too. */
export const CONFIG_DISCOVERY: i32 = 24;
/** MQTT-SN: pre-defined topics, `1=myhome/temperature+2=myhome/humidity`: no topic name has a +. Ids are 1 to 65534. */
export const CONFIG_PREDEFINED: i32 = 25;
/** MQTT-SN: time until a request is sent again in ms (Tretry): 1 to 86400000. Default 10000. It doubles with each retry, up to eightfold. */
export const CONFIG_RETRY_INTERVAL: i32 = 26;
/** MQTT-SN: how often a request is sent again before the gateway counts as lost (Nretry): 0 to 255. Default 4. */
export const CONFIG_RETRIES: i32 = 27;
/** MQTT-SN: how long a congested gateway is left alone in ms (TWAIT): 1 to 86400000. Default 300000. */
export const CONFIG_CONGESTION_WAIT: i32 = 28;
/** MQTT-SN: the longest random delay before the first SEARCHGW in ms (TSEARCHGW), and the first interval between two: 1 to 86400000. Default 5000. */
export const CONFIG_SEARCH_DELAY: i32 = 29;
/** MQTT-SN: ADVERTISEs a gateway may miss (NADV): 1 to 255. Default 3. */
export const CONFIG_MISSED_ADVERTISEMENTS: i32 = 30;
/** MQTT-SN: whether the sensor sleeps between two readings: 0, 1. Default 0. */
export const CONFIG_SLEEP: i32 = 31;
/** MQTT-SN: wireless node id, 1 to 16 bytes: every message is encapsulated as a forwarder does (SN 5.5). Default none. */
export const CONFIG_NODE_ID: i32 = 32;
/** Whether the session outlives a power cut, by the board's storage: 0, 1. The board derives it from having a storage. */
export const CONFIG_JOURNAL: i32 = 33;
/** Readings that may wait while the link is down, beside the outbox: 0 to the module's limit. Default: the limit. */
export const CONFIG_BUFFER: i32 = 34;
/** What is dropped when they are more: 0 the oldest, 1 the newest, 2 every second of the older ones. Default 0. */
export const CONFIG_BUFFER_POLICY: i32 = 35;
/** Topic name of readings that waited. Default: that of the readings. */
export const CONFIG_BUFFERED_TOPIC: i32 = 36;
/** Topic name of the number of dropped readings, retained. Without it the number is told by events only. */
export const CONFIG_DIAGNOSTIC_TOPIC: i32 = 37;
/** A reading: driver, quantity, topic, as docs/sensors.md has them. Without any, `topic` is read from `sensor`. */
export const CONFIG_READING_1: i32 = 38;
/** Reading 2. */
export const CONFIG_READING_2: i32 = 39;
/** Reading 3. */
export const CONFIG_READING_3: i32 = 40;
/** Reading 4. */
export const CONFIG_READING_4: i32 = 41;
/** Reading 5. */
export const CONFIG_READING_5: i32 = 42;
/** Reading 6. */
export const CONFIG_READING_6: i32 = 43;
/** Reading 7. */
export const CONFIG_READING_7: i32 = 44;
/** Reading 8. */
export const CONFIG_READING_8: i32 = 45;
/** Topic name where new modules arrive; their answers go to it and `/status`. Without it, and in modules without updates, there are none. */
export const CONFIG_UPDATE_TOPIC: i32 = 46;

/** temperature answers this and below when there is no reading: READING_FAILED - n, with n the board's own number. */
export const READING_FAILED: i32 = -1000000;

// Made from assembly/limits.ts by scripts/boards.js; do not edit. They are those of the modules with drivers.

/** A topic name or filter. MQTT's own limit is 65535. */
export const TOPIC_BYTES = 128;
/** The CONNECT packet, with client identifier, will, user name and password. */
export const CONNECT_BYTES = 640;
/** MQTT-SN: a client identifier, 23 characters (SN 5.3.1), which the host counts and a board takes for bytes. */
export const CLIENT_ID_BYTES = 23;
/** The text that follows the number of a reading. */
export const UNIT_BYTES = 16;

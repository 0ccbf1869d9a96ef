// MQTT-SN 1.2 message types (SN 5.2.2), flags (SN 5.3.4) and return codes (SN 5.3.10).

export const ADVERTISE: u32 = 0x00;
export const SEARCHGW: u32 = 0x01;
export const GWINFO: u32 = 0x02;
export const CONNECT: u32 = 0x04;
export const CONNACK: u32 = 0x05;
export const WILLTOPICREQ: u32 = 0x06;
export const WILLTOPIC: u32 = 0x07;
export const WILLMSGREQ: u32 = 0x08;
export const WILLMSG: u32 = 0x09;
export const REGISTER: u32 = 0x0a;
export const REGACK: u32 = 0x0b;
export const PUBLISH: u32 = 0x0c;
export const PUBACK: u32 = 0x0d;
export const PUBCOMP: u32 = 0x0e;
export const PUBREC: u32 = 0x0f;
export const PUBREL: u32 = 0x10;
export const SUBSCRIBE: u32 = 0x12;
export const SUBACK: u32 = 0x13;
export const UNSUBSCRIBE: u32 = 0x14;
export const UNSUBACK: u32 = 0x15;
export const PINGREQ: u32 = 0x16;
export const PINGRESP: u32 = 0x17;
export const DISCONNECT: u32 = 0x18;
export const WILLTOPICUPD: u32 = 0x1a;
export const WILLTOPICRESP: u32 = 0x1b;
export const WILLMSGUPD: u32 = 0x1c;
export const WILLMSGRESP: u32 = 0x1d;
/** A message in a forwarder's envelope (SN 5.5). */
export const ENCAPSULATED: u32 = 0xfe;

export const DUP: u32 = 0x80;
/** The QoS stands five bits to the left; 3 is QoS -1. */
export const QOS_SHIFT: u32 = 5;
export const QOS_MINUS_1: u32 = 3;
export const RETAIN: u32 = 0x10;
export const RETAIN_SHIFT: u32 = 4;
export const WILL: u32 = 0x08;
export const CLEAN_SESSION: u32 = 0x04;

// Topic id types, the two lowest bits of the flags.
/** An id that was registered; in SUBSCRIBE and UNSUBSCRIBE a topic name. */
export const NORMAL: u32 = 0;
export const PREDEFINED: u32 = 1;
/** A topic name of two bytes in the place of the id. */
export const SHORT: u32 = 2;

export const ACCEPTED: u32 = 0;
export const CONGESTION: u32 = 1;
export const INVALID_TOPIC_ID: u32 = 2;
export const NOT_SUPPORTED: u32 = 3;

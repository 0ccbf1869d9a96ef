// MQTT 3.1.1 control packets: types in place in the first byte, with the flags the specification fixes (MQTT 2.2).

export const CONNECT: u32 = 0x10;
export const CONNACK: u32 = 0x20;
export const PUBLISH: u32 = 0x30;
export const PUBACK: u32 = 0x40;
export const PUBREC: u32 = 0x50;
export const PUBREL: u32 = 0x62;
export const PUBCOMP: u32 = 0x70;
export const SUBSCRIBE: u32 = 0x82;
export const SUBACK: u32 = 0x90;
export const UNSUBSCRIBE: u32 = 0xa2;
export const UNSUBACK: u32 = 0xb0;
export const PINGREQ: u32 = 0xc0;
export const PINGRESP: u32 = 0xd0;
export const DISCONNECT: u32 = 0xe0;

// Flags of PUBLISH (MQTT 3.3.1).
export const RETAIN: u32 = 1;
/** The two bits of the QoS, which stands one bit to the left. */
export const QOS: u32 = 6;
export const DUP: u32 = 8;

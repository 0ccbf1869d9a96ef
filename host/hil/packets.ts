// Kinds of packets by their fixed headers, which is all that a proxy needs to know of either protocol.

const mqttNames = [
  'RESERVED',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'RESERVED',
] as const;

/** By message type; those that are missing are reserved. */
const mqttsnNames = {
  0: 'ADVERTISE',
  1: 'SEARCHGW',
  2: 'GWINFO',
  4: 'CONNECT',
  5: 'CONNACK',
  6: 'WILLTOPICREQ',
  7: 'WILLTOPIC',
  8: 'WILLMSGREQ',
  9: 'WILLMSG',
  10: 'REGISTER',
  11: 'REGACK',
  12: 'PUBLISH',
  13: 'PUBACK',
  14: 'PUBCOMP',
  15: 'PUBREC',
  16: 'PUBREL',
  18: 'SUBSCRIBE',
  19: 'SUBACK',
  20: 'UNSUBSCRIBE',
  21: 'UNSUBACK',
  22: 'PINGREQ',
  23: 'PINGRESP',
  24: 'DISCONNECT',
  26: 'WILLTOPICUPD',
  27: 'WILLTOPICRESP',
  28: 'WILLMSGUPD',
  29: 'WILLMSGRESP',
} as const;

export type MqttName = (typeof mqttNames)[number];
export type MqttSnName = (typeof mqttsnNames)[keyof typeof mqttsnNames];
export type PacketName = MqttName | MqttSnName;

/** Of a whole MQTT packet. */
export function mqttName(packet: Uint8Array): PacketName {
  return mqttNames[(packet[0] ?? 0) >> 4] ?? 'RESERVED';
}

/** A length above 255 takes three bytes, of which the first is 1. */
const afterLength = (datagram: Uint8Array) => (datagram[0] === 1 ? 3 : 1);

/** Of a datagram of MQTT-SN. */
export function mqttsnName(datagram: Uint8Array): PacketName {
  const names: Readonly<Record<number, PacketName>> = mqttsnNames;
  return names[datagram[afterLength(datagram)] ?? 0xff] ?? 'RESERVED';
}

const USERNAME_FLAG = 0x80;
const PASSWORD_FLAG = 0x40;
const WILL_FLAG = 0x04;

/** Where user name and password begin in a CONNECT of MQTT; its length where it has none. In one that is malformed all behind the first byte may be such. */
export function credentialsAt(packet: Uint8Array): number {
  const long = (at: number) => 2 + (packet[at] ?? 0) * 256 + (packet[at + 1] ?? 0);
  let at = 1;
  while ((packet[at] ?? 0) >= 0x80) at++;
  at++; // the remaining length
  at += long(at) + 1; // the protocol's name and level
  const flags = packet[at] ?? 0xff;
  at += 3; // with the keep-alive
  at += long(at); // the client id
  if (flags & WILL_FLAG) at += long(at);
  if (flags & WILL_FLAG) at += long(at);
  if (at > packet.length) return 1;
  return flags & (USERNAME_FLAG | PASSWORD_FLAG) ? at : packet.length;
}

/** Whether a PUBLISH says that it may have come before. */
export const mqttDup = (packet: Uint8Array): boolean => mqttName(packet) === 'PUBLISH' && ((packet[0] ?? 0) & 0x08) !== 0;

export const mqttsnDup = (datagram: Uint8Array): boolean =>
  mqttsnName(datagram) === 'PUBLISH' && ((datagram[afterLength(datagram) + 1] ?? 0) & 0x80) !== 0;

/** Cuts a stream of MQTT into whole packets. */
export class PacketCutter {
  #rest: Buffer = Buffer.alloc(0);

  /** The packets that `chunk` completes. What cannot be cut, a length of more than four bytes, comes as it is. */
  push(chunk: Buffer): Buffer[] {
    let rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const packets: Buffer[] = [];
    for (let size = sizeOf(rest); size !== undefined && size <= rest.length; size = sizeOf(rest)) {
      packets.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    this.#rest = rest;
    return packets;
  }

  /** The beginning of a packet that never was whole. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }
}

/** Bytes of the packet that begins here; undefined while its length is not there in full. */
function sizeOf(bytes: Buffer): number | undefined {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const digit = bytes[1 + i];
    if (digit === undefined) return undefined;
    length += (digit & 0x7f) * 128 ** i;
    if (digit < 0x80) return 2 + i + length;
  }
  return bytes.length;
}

import type { Side } from './datagram.js';
import { hex, Malformed, Reader, type Subject, type TopicKind } from './reader.js';
import type { Report } from './rules.js';

export { Malformed } from './reader.js';

/** Read off the specification (SN 5.2.2), not taken from host/hil/packets.ts: the judge is to find a fault in that table, too. */
const NAMES = {
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

export type Name = (typeof NAMES)[keyof typeof NAMES];
export const ALL_NAMES: readonly Name[] = Object.values(NAMES);
const ENCAPSULATED = 0xfe;

const ONE_WAY: Readonly<Record<Side, ReadonlySet<Name>>> = {
  client: new Set(['SEARCHGW', 'CONNECT', 'WILLTOPIC', 'WILLMSG', 'SUBSCRIBE', 'UNSUBSCRIBE', 'WILLTOPICUPD', 'WILLMSGUPD']),
  gateway: new Set(['ADVERTISE', 'CONNACK', 'WILLTOPICREQ', 'WILLMSGREQ', 'SUBACK', 'UNSUBACK', 'WILLTOPICRESP', 'WILLMSGRESP']),
};

export interface Publish {
  readonly name: 'PUBLISH';
  readonly dup: boolean;
  readonly qos: number;
  readonly retain: boolean;
  readonly kind: TopicKind;
  /** Of a short name its two bytes. */
  readonly topicId: number;
  readonly id: number;
  /** In hex. */
  readonly data: string;
}

export interface Subscribe extends Subject {
  readonly name: 'SUBSCRIBE';
  readonly dup: boolean;
  readonly qos: number;
  readonly id: number;
}

export interface Connect {
  readonly name: 'CONNECT';
  readonly will: boolean;
  readonly clean: boolean;
  /** Keep alive in seconds. */
  readonly duration: number;
  readonly clientId: string;
}

export interface Register {
  readonly name: 'REGISTER';
  readonly topicId: number;
  readonly id: number;
  readonly topic: string;
}

export interface Acknowledgement {
  readonly name: 'REGACK' | 'PUBACK';
  readonly topicId: number;
  readonly id: number;
  readonly code: number;
}

export interface Suback {
  readonly name: 'SUBACK';
  readonly qos: number;
  readonly topicId: number;
  readonly id: number;
  readonly code: number;
}

export type Fields =
  | Connect
  | Register
  | Acknowledgement
  | Publish
  | Subscribe
  | Suback
  | ({ readonly name: 'UNSUBSCRIBE'; readonly id: number } & Subject)
  | { readonly name: 'PUBREC' | 'PUBREL' | 'PUBCOMP' | 'UNSUBACK'; readonly id: number }
  | { readonly name: 'CONNACK' | 'WILLTOPICRESP' | 'WILLMSGRESP'; readonly code: number }
  | { readonly name: 'WILLTOPIC' | 'WILLTOPICUPD'; readonly topic: string | undefined }
  | { readonly name: 'PINGREQ'; readonly clientId: string | undefined }
  | { readonly name: 'DISCONNECT'; readonly duration: number | undefined }
  | { readonly name: 'ADVERTISE' | 'SEARCHGW' | 'GWINFO' | 'WILLTOPICREQ' | 'WILLMSGREQ' | 'WILLMSG' | 'WILLMSGUPD' | 'PINGRESP' };

export interface Message {
  readonly fields: Fields;
  /** The message without its encapsulation, in hex, DUP left out: what is sent again is the same in it. */
  readonly content: string;
  /** The node id of an encapsulated one, in hex. */
  readonly node: string | undefined;
}

/** Reads one datagram. Throws `Malformed`; reports what else is wrong. */
export function decode(bytes: Uint8Array, from: Side, report: Report): Message {
  const { node, message } = unwrap(bytes, report);
  const { type, header } = typeAndHeader(message, report);
  const name = nameOf(type);
  if (!name) throw new Malformed('SN 5.2.2 type', `message type ${hex(type)}`);
  const other = from === 'client' ? 'gateway' : 'client';
  if (ONE_WAY[other].has(name)) report('SN 5.2.2 direction', `${name} from a ${from}`);
  const reader = new Reader(message.subarray(header), report);
  const fields = read(name, reader, from, report);
  reader.end();
  const content = Buffer.from(message);
  const dup = name === 'PUBLISH' || name === 'SUBSCRIBE';
  if (dup) content.writeUInt8(content.readUInt8(header) & 0x7f, header);
  return { fields, content: content.toString('hex'), node };
}

/** The name of the message a datagram seems to hold. */
export function nameIn(bytes: Uint8Array): string {
  const inner = bytes[1] === ENCAPSULATED && bytes[0] !== 1 ? bytes.subarray(bytes[0]) : bytes;
  return nameOf(inner[inner[0] === 1 ? 3 : 1] ?? -1) ?? 'reserved';
}

const nameOf = (type: number): Name | undefined => NAMES[type as keyof typeof NAMES];

function unwrap(bytes: Uint8Array, report: Report): { node: string | undefined; message: Uint8Array } {
  if (bytes[0] === 1 && bytes[3] === ENCAPSULATED) throw new Malformed('SN 5.5 message', 'a length of three bytes');
  if (bytes[1] !== ENCAPSULATED || bytes[0] === 1) return { node: undefined, message: bytes };
  const [length = 0, , control = 0] = bytes;
  if (length < 3 || length > bytes.length) throw new Malformed('SN 5.2.1 exact', `a length of ${length} of the encapsulation`);
  if (control > 3) report('SN 5.5 control', `control byte ${hex(control)}`);
  if (length === 3) report('SN 5.5 node id', 'there is none');
  const message = bytes.subarray(length);
  if (message.length === 0) throw new Malformed('SN 5.5 message', 'nothing follows the node id');
  if (message[message[0] === 1 ? 3 : 1] === ENCAPSULATED) throw new Malformed('SN 5.5 message', 'encapsulated twice');
  return { node: Buffer.from(bytes.subarray(3, length)).toString('hex'), message };
}

function typeAndHeader(bytes: Uint8Array, report: Report): { type: number; header: number } {
  const long = bytes[0] === 1;
  const header = long ? 4 : 2;
  if (bytes.length < header) throw new Malformed('SN 5.2 header', `${bytes.length} bytes`);
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes;
  const length = long ? (second << 8) | third : first;
  if (length !== bytes.length) throw new Malformed('SN 5.2.1 exact', `a length of ${length} in ${bytes.length} bytes`);
  if (long && length <= 255) report('SN 5.2.1 shortest', `three bytes for a length of ${length}`);
  return { type: long ? fourth : second, header };
}

function read(name: Name, reader: Reader, from: Side, report: Report): Fields {
  switch (name) {
    case 'ADVERTISE':
      reader.uint8('gateway id');
      if (reader.uint16('duration') === 0) report('SN 5.3.3 duration', 'ADVERTISE every 0 seconds');
      return { name };
    case 'SEARCHGW':
      reader.uint8('radius');
      return { name };
    case 'GWINFO': {
      reader.uint8('gateway id');
      const { length } = reader.rest();
      if (length > 0 !== (from === 'client')) report('SN 5.4.3 address', `an address of ${length} bytes from a ${from}`);
      return { name };
    }
    case 'CONNECT': {
      const { bits } = reader.flags(0x0c);
      const protocol = reader.uint8('protocol id');
      if (protocol !== 1) report('SN 5.3.8 protocol', `protocol id ${protocol}`);
      const duration = reader.uint16('duration');
      return { name, will: (bits & 8) !== 0, clean: (bits & 4) !== 0, duration, clientId: reader.clientId() };
    }
    case 'CONNACK':
    case 'WILLTOPICRESP':
    case 'WILLMSGRESP':
      return { name, code: reader.code() };
    case 'WILLTOPIC':
    case 'WILLTOPICUPD': {
      if (reader.left === 0) return { name, topic: undefined };
      if (reader.flags(0x70).qos < 0) report('SN 5.3.4 qos', `${name} of QoS -1`);
      if (reader.left === 0) report('SN 5.4.7 empty', 'flags without a topic');
      return { name, topic: reader.left === 0 ? undefined : reader.topicName() };
    }
    case 'WILLMSG':
    case 'WILLMSGUPD':
      reader.rest();
      return { name };
    case 'REGISTER': {
      const topicId = from === 'gateway' ? reader.topicId() : reader.uint16('topic id');
      if (from === 'client' && topicId !== 0) report('SN 5.4.10 topic id', `topic id ${hex(topicId, 4)}`);
      return { name, topicId, id: reader.messageId(), topic: reader.topicName() };
    }
    case 'REGACK':
    case 'PUBACK':
      return readAcknowledgement(name, reader, report);
    case 'PUBLISH':
      return readPublish(reader, report);
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
    case 'UNSUBACK':
      return { name, id: reader.messageId() };
    case 'SUBSCRIBE': {
      const { dup, qos, kind } = reader.flags(0xe3);
      if (qos < 0) report('SN 5.3.4 qos', 'SUBSCRIBE of QoS -1');
      return { name, dup, qos, id: reader.messageId(), ...reader.subject(kind) };
    }
    case 'UNSUBSCRIBE': {
      const { kind } = reader.flags(0x03);
      return { name, id: reader.messageId(), ...reader.subject(kind) };
    }
    case 'SUBACK': {
      const { qos } = reader.flags(0x60);
      if (qos < 0) report('SN 5.3.4 qos', 'SUBACK of QoS -1');
      const topicId = reader.uint16('topic id');
      if (topicId === 0xffff) report('SN 5.3.11 topic id', 'topic id FFFF');
      return { name, qos, topicId, id: reader.messageId(), code: reader.code() };
    }
    case 'PINGREQ':
      if (from === 'gateway' && reader.left > 0) report('SN 6.14 ping', 'a client id from a gateway');
      return { name, clientId: reader.left > 0 ? reader.clientId() : undefined };
    case 'DISCONNECT': {
      if (reader.left === 0) return { name, duration: undefined };
      const duration = reader.uint16('duration');
      if (duration === 0) report('SN 5.3.3 duration', 'a sleep of 0 seconds');
      if (from === 'gateway') report('SN 5.4 content', 'a gateway does not sleep: its DISCONNECT has no duration');
      return { name, duration };
    }
    case 'WILLTOPICREQ':
    case 'WILLMSGREQ':
    case 'PINGRESP':
      return { name };
  }
}

function readAcknowledgement(name: 'REGACK' | 'PUBACK', reader: Reader, report: Report): Acknowledgement {
  const topicId = reader.uint16('topic id');
  const id = reader.uint16('message id');
  const code = reader.code();
  // A refusal may have no topic id to tell, and that of a PUBLISH at QoS 0 no message id.
  const none = topicId === 0 && code === 0;
  if (none || (topicId === 0xffff && name === 'REGACK')) report('SN 5.3.11 topic id', `topic id ${hex(topicId, 4)}`);
  if (id === 0 && (name === 'REGACK' || code === 0)) report('SN 5.3.7 not 0', 'message id 0');
  return { name, topicId, id, code };
}

function readPublish(reader: Reader, report: Report): Publish {
  const { dup, qos, retain, kind } = reader.flags(0xf3);
  const topicId = kind === 'normal' || kind === 'predefined' ? reader.topicId() : reader.uint16('topic id');
  if (kind === 'short') reader.shortName(topicId);
  const id = reader.uint16('message id');
  if (qos > 0 && id === 0) report('SN 5.3.7 not 0', `message id 0 at QoS ${qos}`);
  if (qos <= 0 && id !== 0) report('SN 5.4.12 message id', `message id ${id} at QoS ${qos}`);
  if (qos <= 0 && dup) report('SN 5.3.4 dup', `DUP at QoS ${qos}`);
  if (qos < 0 && kind === 'normal') report('SN 5.3.4 type', 'a normal topic id at QoS -1, which has no connection to register it on');
  return { name: 'PUBLISH', dup, qos, retain, kind, topicId, id, data: Buffer.from(reader.rest()).toString('hex') };
}

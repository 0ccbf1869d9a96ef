import { isUtf8 } from 'node:buffer';
import type { Fault, FilterMessage, Message, PublishMessage, QoS } from './messages.js';
import * as sn from './messages.js';

const BAD_SIZE: Fault = 'wrong number of bytes for its type';
const BAD_TEXT: Fault = 'text is not UTF-8';

/**
 * Reads one datagram. A fault is a constant string: a flood of garbage allocates nothing. Byte fields are views of the datagram.
 * Both forms of the length are read, for messages of any size (SN 5.2.1). Bits that a message has no use for are not looked at.
 */
export function decode(datagram: Uint8Array): Message | Fault {
  const size = datagram.length;
  if (size < 2) return 'shorter than a header';
  let length = u8(datagram, 0);
  let at = 1;
  if (length === 1) {
    if (size < 4) return 'shorter than a header';
    length = u16(datagram, 1);
    at = 3;
  }
  const type = u8(datagram, at++);
  if (type === sn.ENCAPSULATED) return encapsulated(datagram, at, length);
  if (length !== size) return 'length does not match the datagram';
  return variablePart(type, datagram, at, size - at);
}

/** The variable part of `d`: `left` bytes from `at`. */
function variablePart(type: number, d: Uint8Array, at: number, left: number): Message | Fault {
  switch (type) {
    case sn.ADVERTISE:
      return left === 3 ? { type: 'ADVERTISE', gatewayId: u8(d, at), duration: u16(d, at + 1) } : BAD_SIZE;
    case sn.SEARCHGW:
      return left === 1 ? { type: 'SEARCHGW', radius: u8(d, at) } : BAD_SIZE;
    case sn.GWINFO:
      return left >= 1 ? { type: 'GWINFO', gatewayId: u8(d, at), address: d.subarray(at + 1) } : BAD_SIZE;
    case sn.CONNECT:
      return connect(d, at, left);
    case sn.CONNACK:
      return left === 1 ? { type: 'CONNACK', code: u8(d, at) } : BAD_SIZE;
    case sn.WILLTOPICREQ:
      return left === 0 ? { type: 'WILLTOPICREQ' } : BAD_SIZE;
    case sn.WILLTOPIC:
      return willTopic('WILLTOPIC', d, at, left);
    case sn.WILLMSGREQ:
      return left === 0 ? { type: 'WILLMSGREQ' } : BAD_SIZE;
    case sn.WILLMSG:
      return { type: 'WILLMSG', message: d.subarray(at) };
    case sn.REGISTER:
      return register(d, at, left);
    case sn.REGACK:
      return left === 5 ? { type: 'REGACK', topicId: u16(d, at), msgId: u16(d, at + 2), code: u8(d, at + 4) } : BAD_SIZE;
    case sn.PUBLISH:
      return publish(d, at, left);
    case sn.PUBACK:
      return left === 5 ? { type: 'PUBACK', topicId: u16(d, at), msgId: u16(d, at + 2), code: u8(d, at + 4) } : BAD_SIZE;
    case sn.PUBCOMP:
      return withId('PUBCOMP', d, at, left);
    case sn.PUBREC:
      return withId('PUBREC', d, at, left);
    case sn.PUBREL:
      return withId('PUBREL', d, at, left);
    case sn.SUBSCRIBE:
      return filter('SUBSCRIBE', d, at, left);
    case sn.SUBACK:
      return suback(d, at, left);
    case sn.UNSUBSCRIBE:
      return filter('UNSUBSCRIBE', d, at, left);
    case sn.UNSUBACK:
      return withId('UNSUBACK', d, at, left);
    case sn.PINGREQ: {
      const clientId = text(d, at);
      return clientId === undefined ? BAD_TEXT : { type: 'PINGREQ', clientId };
    }
    case sn.PINGRESP:
      return left === 0 ? { type: 'PINGRESP' } : BAD_SIZE;
    case sn.DISCONNECT:
      if (left !== 0 && left !== 2) return BAD_SIZE;
      return { type: 'DISCONNECT', duration: left === 2 ? u16(d, at) : 0 };
    case sn.WILLTOPICUPD:
      return willTopic('WILLTOPICUPD', d, at, left);
    case sn.WILLTOPICRESP:
      return left === 1 ? { type: 'WILLTOPICRESP', code: u8(d, at) } : BAD_SIZE;
    case sn.WILLMSGUPD:
      return { type: 'WILLMSGUPD', message: d.subarray(at) };
    case sn.WILLMSGRESP:
      return left === 1 ? { type: 'WILLMSGRESP', code: u8(d, at) } : BAD_SIZE;
    default:
      return 'reserved message type';
  }
}

/** Flags, ProtocolId, Duration, ClientId. An empty ClientId is for the gateway to refuse, with an answer. */
function connect(d: Uint8Array, at: number, left: number): Message | Fault {
  if (left < 4) return BAD_SIZE;
  const clientId = text(d, at + 4);
  if (clientId === undefined) return BAD_TEXT;
  const flags = u8(d, at);
  return {
    type: 'CONNECT',
    will: (flags & sn.WILL_FLAG) !== 0,
    clean: (flags & sn.CLEAN_FLAG) !== 0,
    protocolId: u8(d, at + 1),
    duration: u16(d, at + 2),
    clientId,
  };
}

/** Flags, WillTopic; or nothing at all, which deletes the will (SN 5.4.7). */
function willTopic(type: 'WILLTOPIC' | 'WILLTOPICUPD', d: Uint8Array, at: number, left: number): Message | Fault {
  if (left === 0) return { type, qos: 0, retain: false, topic: '' };
  const flags = u8(d, at);
  const qos = qosOf(flags);
  if (qos < 0) return 'reserved quality of service';
  const topic = text(d, at + 1);
  if (topic === undefined) return BAD_TEXT;
  return { type, qos: qos as QoS, retain: (flags & sn.RETAIN_FLAG) !== 0, topic };
}

/** TopicId, MsgId, TopicName. */
function register(d: Uint8Array, at: number, left: number): Message | Fault {
  if (left < 4) return BAD_SIZE;
  if (left === 4) return 'topic name is missing';
  const msgId = u16(d, at + 2);
  if (msgId === 0) return 'reserved message id 0';
  const topicName = text(d, at + 4);
  return topicName === undefined ? BAD_TEXT : { type: 'REGISTER', topicId: u16(d, at), msgId, topicName };
}

/** Flags, TopicId, MsgId, Data. */
function publish(d: Uint8Array, at: number, left: number): PublishMessage | Fault {
  if (left < 5) return BAD_SIZE;
  const flags = u8(d, at);
  const qos = qosOf(flags);
  const msgId = u16(d, at + 3);
  if (qos > 0 && msgId === 0) return 'reserved message id 0';
  return {
    type: 'PUBLISH',
    dup: (flags & sn.DUP_FLAG) !== 0,
    qos,
    retain: (flags & sn.RETAIN_FLAG) !== 0,
    topicType: flags & 3,
    topicId: u16(d, at + 1),
    msgId: qos > 0 ? msgId : 0, // not relevant below QoS 1 (SN 5.4.12), whatever stands there
    data: d.subarray(at + 5),
  };
}

/** Flags, MsgId, then TopicName or TopicId as TopicIdType says. */
function filter(type: FilterMessage['type'], d: Uint8Array, at: number, left: number): Message | Fault {
  if (left < 3) return BAD_SIZE;
  const flags = u8(d, at);
  const qos = qosOf(flags);
  if (qos < 0) return 'reserved quality of service';
  const msgId = u16(d, at + 1);
  if (msgId === 0) return 'reserved message id 0';
  const topicType = flags & 3;
  const message = { type, dup: (flags & sn.DUP_FLAG) !== 0, qos: qos as QoS, msgId, topicType };
  if (topicType === sn.NORMAL) {
    if (left === 3) return 'topic name is missing';
    const topicName = text(d, at + 3);
    return topicName === undefined ? BAD_TEXT : { ...message, topicId: 0, topicName };
  }
  return left === 5 ? { ...message, topicId: u16(d, at + 3), topicName: '' } : BAD_SIZE;
}

/** Flags, TopicId, MsgId, ReturnCode. */
function suback(d: Uint8Array, at: number, left: number): Message | Fault {
  if (left !== 6) return BAD_SIZE;
  const qos = qosOf(u8(d, at));
  if (qos < 0) return 'reserved quality of service';
  return { type: 'SUBACK', qos: qos as QoS, topicId: u16(d, at + 1), msgId: u16(d, at + 3), code: u8(d, at + 5) };
}

function withId(type: 'PUBCOMP' | 'PUBREC' | 'PUBREL' | 'UNSUBACK', d: Uint8Array, at: number, left: number): Message | Fault {
  if (left !== 2) return BAD_SIZE;
  const msgId = u16(d, at);
  return msgId === 0 ? 'reserved message id 0' : { type, msgId };
}

/** Ctrl and WirelessNodeId up to `length`; the message is the rest of the datagram (SN 5.5). */
function encapsulated(d: Uint8Array, at: number, length: number): Message | Fault {
  if (length > d.length) return 'length does not match the datagram';
  if (length <= at + 1) return 'wireless node id is missing';
  const message = d.subarray(length);
  const type = message[0] === 1 ? message[3] : message[1];
  if (type === sn.ENCAPSULATED) return 'encapsulated twice';
  return { type: 'ENCAPSULATED', radius: u8(d, at) & 3, node: d.subarray(at + 1, length), message };
}

/** Well-formed UTF-8 without U+0000 from `at` to the end, or undefined. */
function text(d: Uint8Array, at: number): string | undefined {
  const bytes = d.subarray(at);
  if (!isUtf8(bytes) || bytes.includes(0)) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function qosOf(flags: number): QoS | -1 {
  const bits = (flags >> 5) & 3;
  return bits === 3 ? -1 : (bits as QoS);
}

function u8(d: Uint8Array, at: number): number {
  return d[at] as number;
}

function u16(d: Uint8Array, at: number): number {
  return (u8(d, at) << 8) | u8(d, at + 1);
}

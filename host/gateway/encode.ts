import type { ConnectMessage, FilterMessage, PublishMessage, QoS, WillTopicMessage } from './messages.js';
import * as sn from './messages.js';

// One function a message, in the order of SN 5.4. Each answers a datagram of its own, with the shortest length that holds it.

/** Largest message in bytes: what the length of three bytes can say. */
export const LARGEST_MESSAGE = 0xffff;

/** Bytes of a PUBLISH with `length` bytes of data. */
export function publishSize(length: number): number {
  return length + (length + 7 > 255 ? 9 : 7);
}

/** Bytes of a REGISTER of a topic of `length` bytes. */
export function registerSize(length: number): number {
  return length + (length + 6 > 255 ? 8 : 6);
}

export function advertise(gatewayId: number, duration: number): Buffer {
  return message(sn.ADVERTISE, [gatewayId, ...u16(duration)]);
}

export function searchgw(radius: number): Buffer {
  return message(sn.SEARCHGW, [radius]);
}

/** `address` only from a client that answers for a gateway. */
export function gwinfo(gatewayId: number, address?: Uint8Array): Buffer {
  return message(sn.GWINFO, [gatewayId], address);
}

export function connect({
  will,
  clean,
  protocolId = 1,
  duration,
  clientId,
}: Omit<ConnectMessage, 'type' | 'protocolId'> & { protocolId?: number }): Buffer {
  return message(
    sn.CONNECT,
    [(will ? sn.WILL_FLAG : 0) | (clean ? sn.CLEAN_FLAG : 0), protocolId, ...u16(duration)],
    Buffer.from(clientId),
  );
}

export function connack(code: number): Buffer {
  return message(sn.CONNACK, [code]);
}

export function willtopicreq(): Buffer {
  return message(sn.WILLTOPICREQ, []);
}

/** An empty topic deletes the will. */
export function willtopic(will: Omit<WillTopicMessage, 'type'>): Buffer {
  return willTopicOf(sn.WILLTOPIC, will);
}

export function willmsgreq(): Buffer {
  return message(sn.WILLMSGREQ, []);
}

export function willmsg(payload: Uint8Array): Buffer {
  return message(sn.WILLMSG, [], payload);
}

/** `topicId` is 0 from a client. */
export function register(topicId: number, msgId: number, topicName: string): Buffer {
  return message(sn.REGISTER, [...u16(topicId), ...u16(msgId)], Buffer.from(topicName));
}

export function regack(topicId: number, msgId: number, code: number): Buffer {
  return message(sn.REGACK, [...u16(topicId), ...u16(msgId), code]);
}

export function publish({ dup, qos, retain, topicType, topicId, msgId, data }: Omit<PublishMessage, 'type'>): Buffer {
  const flags = (dup ? sn.DUP_FLAG : 0) | qosBits(qos) | (retain ? sn.RETAIN_FLAG : 0) | topicType;
  return message(sn.PUBLISH, [flags, ...u16(topicId), ...u16(msgId)], data);
}

export function puback(topicId: number, msgId: number, code: number): Buffer {
  return message(sn.PUBACK, [...u16(topicId), ...u16(msgId), code]);
}

export function pubrec(msgId: number): Buffer {
  return message(sn.PUBREC, u16(msgId));
}

export function pubrel(msgId: number): Buffer {
  return message(sn.PUBREL, u16(msgId));
}

export function pubcomp(msgId: number): Buffer {
  return message(sn.PUBCOMP, u16(msgId));
}

export function subscribe(request: Omit<FilterMessage, 'type'>): Buffer {
  return filterOf(sn.SUBSCRIBE, request);
}

export function suback(qos: QoS, topicId: number, msgId: number, code: number): Buffer {
  return message(sn.SUBACK, [qosBits(qos), ...u16(topicId), ...u16(msgId), code]);
}

export function unsubscribe(request: Omit<FilterMessage, 'type'>): Buffer {
  return filterOf(sn.UNSUBSCRIBE, request);
}

export function unsuback(msgId: number): Buffer {
  return message(sn.UNSUBACK, u16(msgId));
}

/** The client id only from a sleeper that asks for what was buffered. */
export function pingreq(clientId = ''): Buffer {
  return message(sn.PINGREQ, [], Buffer.from(clientId));
}

export function pingresp(): Buffer {
  return message(sn.PINGRESP, []);
}

/** `duration` in s only from a client that goes to sleep. */
export function disconnect(duration?: number): Buffer {
  return message(sn.DISCONNECT, duration === undefined ? [] : u16(duration));
}

export function willtopicupd(will: Omit<WillTopicMessage, 'type'>): Buffer {
  return willTopicOf(sn.WILLTOPICUPD, will);
}

export function willtopicresp(code: number): Buffer {
  return message(sn.WILLTOPICRESP, [code]);
}

export function willmsgupd(payload: Uint8Array): Buffer {
  return message(sn.WILLMSGUPD, [], payload);
}

export function willmsgresp(code: number): Buffer {
  return message(sn.WILLMSGRESP, [code]);
}

/** `inner` as a forwarder carries it for the wireless node `node` (SN 5.5). */
export function encapsulated(node: Uint8Array, inner: Uint8Array, radius = 0): Buffer {
  return Buffer.concat([message(sn.ENCAPSULATED, [radius & 3], node), inner]);
}

function willTopicOf(type: number, { qos, retain, topic }: Omit<WillTopicMessage, 'type'>): Buffer {
  if (topic === '') return message(type, []);
  return message(type, [qosBits(qos) | (retain ? sn.RETAIN_FLAG : 0)], Buffer.from(topic));
}

function filterOf(type: number, { dup, qos, topicType, topicId, msgId, topicName }: Omit<FilterMessage, 'type'>): Buffer {
  const flags = (dup ? sn.DUP_FLAG : 0) | qosBits(qos) | topicType;
  const name = topicType === sn.NORMAL ? Buffer.from(topicName) : Buffer.from(u16(topicId));
  return message(type, [flags, ...u16(msgId)], name);
}

function qosBits(qos: QoS | -1): number {
  return (qos & 3) << 5;
}

function u16(value: number): [high: number, low: number] {
  return [(value >> 8) & 255, value & 255];
}

/** Length, MsgType, `head`, `tail`. */
function message(type: number, head: readonly number[], tail?: Uint8Array): Buffer {
  const rest = 1 + head.length + (tail?.length ?? 0);
  const long = rest + 1 > 255; // SN 5.2.1
  const size = rest + (long ? 3 : 1);
  if (size > LARGEST_MESSAGE) throw new RangeError(`a message of ${size} bytes: MQTT-SN has room for ${LARGEST_MESSAGE}`);
  const datagram = Buffer.allocUnsafe(size);
  let at = 0;
  if (long) {
    datagram[at++] = 1;
    at = datagram.writeUInt16BE(size, at);
  } else datagram[at++] = size;
  datagram[at++] = type;
  for (const byte of head) datagram[at++] = byte;
  if (tail) datagram.set(tail, at);
  return datagram;
}

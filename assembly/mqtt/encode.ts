// One function a packet. Each writes at `p` and answers the address after the packet; what it reads is copied. Texts were checked
// by whoever took them in; sizes come from the …Size function beside.

import { bytes, readUint16, uint8, uint16, varint, varintSize } from '../bytes/cursor';
import { CONNECT, PUBLISH, QOS, SUBSCRIBE, UNSUBSCRIBE } from './packets';

function fixedHeader(p: usize, first: u32, remaining: u32): usize {
  p = uint8(p, first);
  return remaining < 128 ? uint8(p, remaining) : varint(p, remaining); // the common length costs no call and no loop
}

function packetSize(remaining: u32): u32 {
  return 1 + varintSize(remaining) + remaining;
}

// Flags of CONNECT (MQTT 3.1.2.3).
export const CONNECT_CLEAN_SESSION: u32 = 0x02;
export const CONNECT_WILL: u32 = 0x04;
export const CONNECT_WILL_RETAIN: u32 = 0x20;
export const CONNECT_PASSWORD: u32 = 0x40;
export const CONNECT_USERNAME: u32 = 0x80;

/** Bytes that connectHeader writes after the fixed header. */
export const CONNECT_HEADER_BYTES: u32 = 10;
/** Bytes to leave free before the variable header of a CONNECT for its fixed header. */
export const FIXED_HEADER_MOST: u32 = 5;

/** CONNECT without its fixed header and payload: protocol name and level, flags, keep alive in seconds (MQTT 3.1.2). */
export function connectHeader(p: usize, flags: u32, keepAlive: u32): usize {
  p = uint16(p, 4);
  store<u32>(p, 0x5454514d); // "MQTT"
  p = uint8(p + 4, 4); // protocol level of 3.1.1
  p = uint8(p, flags);
  return uint16(p, keepAlive);
}

/** Puts the fixed header of a CONNECT right before the `remaining` bytes at `p`; answers where the packet starts. */
export function prependConnect(p: usize, remaining: u32): usize {
  const start = p - 1 - varintSize(remaining);
  fixedHeader(start, CONNECT, remaining);
  return start;
}

function publishRemaining(topicLength: u32, payloadLength: u32, qos: u32): u32 {
  return 2 + topicLength + (qos ? 2 : 0) + payloadLength;
}

/** PUBLISH (MQTT 3.3) with `flags` of its first byte: DUP, QoS, retain. `payload` may be anywhere; `id` is read above QoS 0 only. */
export function encodePublish(p: usize, flags: u32, topic: usize, topicLength: u32, payload: usize, payloadLength: u32, id: u32): usize {
  p = fixedHeader(p, PUBLISH | flags, publishRemaining(topicLength, payloadLength, flags & QOS));
  store<u8>(p, topicLength >> 8);
  store<u8>(p, topicLength, 1);
  memory.copy(p + 2, topic, topicLength);
  p += 2 + topicLength;
  if (flags & QOS) p = uint16(p, id); // only above QoS 0 [MQTT-2.3.1-5]
  memory.copy(p, payload, payloadLength);
  return p + payloadLength;
}

/** A PUBLISH has at most so many bytes beside topic and payload at QoS 0: fixed header and the topic's length. */
export const PUBLISH_OVERHEAD_MOST: u32 = 7;

export function publishSize(topicLength: u32, payloadLength: u32, qos: u32): u32 {
  return packetSize(publishRemaining(topicLength, payloadLength, qos));
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP: the identifier and nothing else (MQTT 3.4 to 3.7). */
export function encodeAcknowledgement(p: usize, packet: u32, id: u32): usize {
  return uint16(fixedHeader(p, packet, 2), id);
}

export const ACKNOWLEDGEMENT_BYTES: u32 = 4;

/** SUBSCRIBE (MQTT 3.8). `filters` holds, for each: two bytes of length, the filter, one byte of QoS; it goes on the wire as it is. */
export function encodeSubscribe(p: usize, id: u32, filters: usize, length: u32): usize {
  return bytes(uint16(fixedHeader(p, SUBSCRIBE, 2 + length), id), filters, length);
}

export function subscribeSize(length: u32): u32 {
  return packetSize(2 + length);
}

/** UNSUBSCRIBE (MQTT 3.10). `filters` as for SUBSCRIBE, `count` of them: their QoS bytes are left out. */
export function encodeUnsubscribe(p: usize, id: u32, filters: usize, length: u32, count: u32): usize {
  p = uint16(fixedHeader(p, UNSUBSCRIBE, 2 + length - count), id);
  const end = filters + length;
  while (filters < end) {
    const size: u32 = 2 + readUint16(filters);
    p = bytes(p, filters, size);
    filters += size + 1;
  }
  return p;
}

/** PINGREQ and DISCONNECT: a fixed header alone (MQTT 3.12, 3.14). */
export function encodeEmpty(p: usize, packet: u32): usize {
  return fixedHeader(p, packet, 0);
}

export const EMPTY_BYTES: u32 = 2;

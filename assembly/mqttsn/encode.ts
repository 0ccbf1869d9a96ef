// One function a message. Each writes at `p` and answers the address after the message; what it reads is copied. Texts and ids were
// checked by whoever took them in.

import { bytes, uint8, uint16 } from '../bytes/cursor';
import { IS_CLIENT } from '../scope';
import { CONNECT, DISCONNECT, PUBLISH, REGISTER, SEARCHGW } from './messages';

/** Bytes of a message with `rest` bytes behind its type: the long form of the length only where it must be (SN 5.2.1). */
export function messageSize(rest: u32): u32 {
  return rest + (rest < 254 ? 2 : 4);
}

/** Length and type. Nothing that a sensor has to say needs the long form (limits.ts). */
function header(p: usize, type: u32, rest: u32): usize {
  p = !IS_CLIENT || rest < 254 ? uint8(p, rest + 2) : uint16(uint8(p, 1), rest + 4);
  return uint8(p, type);
}

/** SEARCHGW (SN 5.4.2). `radius` 0 reaches the whole network. */
export function encodeSearch(p: usize, radius: u32): usize {
  return uint8(header(p, SEARCHGW, 1), radius);
}

/** CONNECT (SN 5.4.4). `duration` is the keep alive in seconds. */
export function encodeConnect(p: usize, flags: u32, duration: u32, clientId: usize, length: u32): usize {
  p = uint8(uint8(header(p, CONNECT, 4 + length), flags), 1); // protocol id
  return bytes(uint16(p, duration), clientId, length);
}

/** WILLTOPIC and WILLTOPICUPD (SN 5.4.7, 5.4.22): without a topic they are empty and delete the will. */
export function encodeWillTopic(p: usize, type: u32, flags: u32, topic: usize, length: u32): usize {
  if (length == 0) return header(p, type, 0);
  return bytes(uint8(header(p, type, 1 + length), flags), topic, length);
}

/** WILLMSG, WILLMSGUPD and PINGREQ: nothing but bytes (SN 5.4.9, 5.4.23, 5.4.19). */
export function encodeBytes(p: usize, type: u32, from: usize, length: u32): usize {
  return bytes(header(p, type, length), from, length);
}

/** REGISTER (SN 5.4.10) as a client sends it: its topic id is 0000. */
export function encodeRegister(p: usize, id: u32, topic: usize, length: u32): usize {
  p = uint16(uint16(header(p, REGISTER, 4 + length), 0), id);
  return bytes(p, topic, length);
}

/** REGACK and PUBACK (SN 5.4.11, 5.4.13). */
export function encodeTopicAcknowledgement(p: usize, type: u32, topicId: u32, id: u32, code: u32): usize {
  return uint8(uint16(uint16(header(p, type, 5), topicId), id), code);
}

/** PUBLISH (SN 5.4.12) with all its flags. `id` is 0 at QoS 0 and -1. */
export function encodePublish(p: usize, flags: u32, topicId: u32, id: u32, payload: usize, length: u32): usize {
  p = header(p, PUBLISH, 5 + length);
  store<u8>(p, flags);
  store<u8>(p, topicId >> 8, 1);
  store<u8>(p, topicId, 2);
  store<u8>(p, id >> 8, 3);
  store<u8>(p, id, 4);
  memory.copy(p + 5, payload, length);
  return p + 5 + length;
}

export function publishSize(length: u32): u32 {
  return messageSize(5 + length);
}

/** PUBREC, PUBREL, PUBCOMP (SN 5.4.14). */
export function encodeAcknowledgement(p: usize, type: u32, id: u32): usize {
  return uint16(header(p, type, 2), id);
}

/** SUBSCRIBE and UNSUBSCRIBE (SN 5.4.15, 5.4.17): the filter by name, or as an id of two bytes. */
export function encodeSubscribe(p: usize, type: u32, flags: u32, id: u32, filter: usize, length: u32): usize {
  return bytes(uint16(uint8(header(p, type, 3 + length), flags), id), filter, length);
}

/** PINGRESP: a header alone. */
export function encodeEmpty(p: usize, type: u32): usize {
  return header(p, type, 0);
}

/** DISCONNECT (SN 5.4.21); above 0, `seconds` is how long the client sleeps. */
export function encodeDisconnect(p: usize, seconds: u32): usize {
  return seconds ? uint16(header(p, DISCONNECT, 2), seconds) : header(p, DISCONNECT, 0);
}

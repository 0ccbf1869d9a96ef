// The bytes of the link, cut into packets. The world writes behind what has arrived, in any split; next() answers one packet at a
// time, in place: nothing is copied out. A PUBLISH over the buffer arrives in pieces: its head (header, topic, identifier) stays at
// the front and the room behind it is filled again and again. Rules that need no state of the session are checked here.

import { receiveArea } from '../bytes/buffers';
import { readUint16 } from '../bytes/cursor';
import { topicNameFault } from '../bytes/topic';
import {
  ERROR_CONNACK,
  ERROR_DUP,
  ERROR_FLAGS,
  ERROR_PACKET_ID,
  ERROR_PACKET_TYPE,
  ERROR_QOS,
  ERROR_REMAINING_LENGTH,
  ERROR_SUBACK,
  ERROR_TOO_LARGE,
} from '../contract';
import { inbound } from '../delivery/inbound';
import { RECEIVE_BYTES } from '../limits';
import { CONNACK, DUP, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, RETAIN, SUBACK, UNSUBACK } from './packets';

/** next() answers this when the bytes at hand hold no further packet. */
export const NOTHING: i32 = 0;

// Where the decoder stands.
const HEADER: u32 = 0; // a packet begins at `start`
const BODY: u32 = 1; // the fixed header was read; the body is not complete
const PIECES: u32 = 2; // within a PUBLISH over the buffer, its head at the front

const buffer = receiveArea;
let state: u32 = 0; // HEADER
let start: u32 = 0;
let end: u32 = 0;
/** Where the next packet starts once the answered one is released. */
let released: u32 = 0;
/** Offset of the variable header from `start`, and the whole packet's size. */
let bodyOffset: u32 = 0;
let size: u32 = 0;
/** Within a PUBLISH in pieces: where pieces lie. */
let pieces: u32 = 0;

export function resetDecoder(): void {
  state = HEADER;
  start = end = released = 0;
}

/** Where the world writes what arrives; at most receiveRoom() bytes. */
export function receiveBuffer(): usize {
  release();
  if (start > 0) {
    // Only an unfinished packet moves, and only once: after that it starts at the front.
    memory.copy(buffer, buffer + start, end - start);
    end -= start;
    start = released = 0;
  }
  return buffer + end;
}

export function receiveRoom(): u32 {
  return <u32>RECEIVE_BYTES - end;
}

/** The world wrote `length` bytes at receiveBuffer(). */
export function received(length: u32): void {
  end += min(length, receiveRoom());
}

function release(): void {
  if (state == PIECES) {
    if (released) end = pieces; // all that lay there was one piece
    released = 0;
  } else {
    start = released;
    if (start == end) start = end = released = 0;
  }
}

/** The next packet's type and fixed flags (packets.ts), a PUBLISH without its flags; NOTHING; or an ERROR_… negated. */
export function next(): i32 {
  release();
  if (state == PIECES) return nextPiece();
  if (state == HEADER) {
    const fault = readFixedHeader();
    if (fault != 0 || state == HEADER) return -fault;
  }
  const first: u32 = load<u8>(buffer + start);
  if (end - start < size) {
    if (size <= <u32>RECEIVE_BYTES || end - start < <u32>RECEIVE_BYTES) return NOTHING; // it fits, or the buffer is not full yet
    return firstPiece(first);
  }
  released = start + size;
  state = HEADER;
  return readBody(first, buffer + start + bodyOffset, size - bodyOffset);
}

/** Reads type and remaining length; leaves state at HEADER while they are incomplete. Answers an ERROR_… or 0. */
function readFixedHeader(): i32 {
  if (start == end) return 0;
  const first: u32 = load<u8>(buffer + start);
  if (first >> 4 == PUBLISH >> 4) {
    if ((first & 6) == 6) return ERROR_QOS; // [MQTT-3.3.1-4]
    if ((first & (6 | DUP)) == DUP) return ERROR_DUP; // [MQTT-3.3.1-2]
  } else {
    const fault = firstByteFault(first);
    if (fault) return fault;
  }
  let remaining: u32 = 0;
  let shift: u32 = 0;
  let at = start + 1;
  let digit: u32;
  do {
    if (shift > 21) return ERROR_REMAINING_LENGTH; // four bytes at most (MQTT 2.2.3)
    if (at == end) return 0;
    digit = load<u8>(buffer + at++);
    remaining |= (digit & 127) << shift;
    shift += 7;
  } while (digit & 128);
  bodyOffset = at - start;
  size = bodyOffset + remaining;
  const fault = remainingLengthFault(first, remaining);
  if (!fault) state = BODY;
  return fault;
}

function firstByteFault(first: u32): i32 {
  switch (first & 0xf0) {
    case CONNACK:
    case PUBACK:
    case PUBREC:
    case PUBCOMP:
    case SUBACK:
    case UNSUBACK:
    case PINGRESP:
      return first & 0x0f ? ERROR_FLAGS : 0;
    case PUBREL & 0xf0:
      return first == PUBREL ? 0 : ERROR_FLAGS; // [MQTT-3.6.1-1]
  }
  return ERROR_PACKET_TYPE;
}

function remainingLengthFault(first: u32, remaining: u32): i32 {
  if (first >> 4 == PUBLISH >> 4) return remaining < (first & 6 ? 5 : 3) ? ERROR_REMAINING_LENGTH : 0;
  if (first == PINGRESP) return remaining ? ERROR_REMAINING_LENGTH : 0;
  if (first == SUBACK) return remaining < 3 ? ERROR_REMAINING_LENGTH : size > <u32>RECEIVE_BYTES ? ERROR_TOO_LARGE : 0;
  return remaining == 2 ? 0 : ERROR_REMAINING_LENGTH;
}

function readBody(first: u32, p: usize, length: u32): i32 {
  if (first >> 4 == PUBLISH >> 4) {
    const fault = readPublishHead(first, p, length);
    if (fault) return -fault;
    inbound.payloadLength = inbound.total;
    return PUBLISH;
  }
  if (first == PINGRESP) return first;
  if (first == CONNACK) {
    const flags: u32 = load<u8>(p);
    inbound.id = load<u8>(p + 1);
    inbound.count = flags;
    // Only session present may be set, and not beside a refusal; codes above 5 are reserved [MQTT-3.2.2-4].
    return flags > 1 || inbound.id > 5 || (flags && inbound.id) ? -ERROR_CONNACK : first;
  }
  inbound.id = readUint16(p);
  if (inbound.id == 0) return -ERROR_PACKET_ID; // [MQTT-2.3.1-1]
  if (first == SUBACK) {
    inbound.codes = <u32>p + 2;
    inbound.count = length - 2;
    for (let at = p + 2; at < p + length; ++at) {
      const code: u32 = load<u8>(at);
      if (code > 2 && code != 128) return -ERROR_SUBACK; // [MQTT-3.9.3-2]
    }
  }
  return first;
}

/** Reads topic and identifier of the PUBLISH whose variable header starts at `p`. Answers an ERROR_… or 0. */
function readPublishHead(first: u32, p: usize, length: u32): i32 {
  const qos = (first >> 1) & 3;
  const topicLength = readUint16(p);
  const head: u32 = 2 + topicLength + (qos ? 2 : 0);
  if (head > length) return ERROR_REMAINING_LENGTH;
  if (bodyOffset + head > <u32>RECEIVE_BYTES) return ERROR_TOO_LARGE; // what is not there is not looked at
  const fault = topicNameFault(p + 2, topicLength);
  if (fault) return fault;
  inbound.topic = <u32>p + 2;
  inbound.topicLength = topicLength;
  inbound.qos = qos;
  inbound.retain = first & RETAIN;
  inbound.dup = first & DUP ? 1 : 0;
  inbound.id = 0;
  if (qos) {
    inbound.id = readUint16(p + 2 + topicLength);
    if (inbound.id == 0) return ERROR_PACKET_ID;
  }
  inbound.payload = <u32>p + head;
  inbound.offset = 0;
  inbound.total = length - head;
  return 0;
}

/** The buffer is full of one PUBLISH that is larger: answers what is there of its payload. */
function firstPiece(first: u32): i32 {
  const fault = readPublishHead(first, buffer + bodyOffset, size - bodyOffset);
  if (fault) return -fault;
  pieces = inbound.payload - <u32>buffer;
  if (pieces >= <u32>RECEIVE_BYTES) return -ERROR_TOO_LARGE;
  state = PIECES;
  inbound.payloadLength = <u32>RECEIVE_BYTES - pieces;
  released = pieces;
  return PUBLISH;
}

function nextPiece(): i32 {
  const delivered = inbound.offset + inbound.payloadLength;
  const left = inbound.total - delivered;
  const have = end - pieces;
  if (have < left && end < <u32>RECEIVE_BYTES) return NOTHING;
  inbound.offset = delivered;
  inbound.payloadLength = min(have, left);
  released = pieces + inbound.payloadLength;
  if (have >= left) state = HEADER;
  return PUBLISH;
}

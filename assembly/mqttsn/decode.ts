// One datagram at a time, checked as a whole: it is one message, or it is malformed and answered with nothing (SN 5.2). Rules that
// need no state of the session are checked here.

import { receiveArea } from '../bytes/buffers';
import { readUint16 } from '../bytes/cursor';
import { topicNameFault } from '../bytes/topic';
import { ERROR_LENGTH, ERROR_PACKET_ID, ERROR_PACKET_TYPE, ERROR_QOS, ERROR_TOO_LARGE, ERROR_TOPIC_ID } from '../contract';
import { inbound } from '../delivery/inbound';
import { RECEIVE_BYTES } from '../limits';
import { IS_CLIENT } from '../scope';
import { isOurNode } from './datagram';
import {
  CONNECT,
  DISCONNECT,
  ENCAPSULATED,
  PUBACK,
  PUBLISH,
  QOS_MINUS_1,
  QOS_SHIFT,
  REGISTER,
  RETAIN,
  SHORT,
  SUBACK,
  WILLMSGRESP,
} from './messages';

/** decode() answers this when there is no message for us. */
export const NOTHING: i32 = -1000;

// Two bytes for each message type, 00 to 1D. The first: how many bytes follow the type, from 0x80 on that many or more, less 0x80. The
// second: where among them the topic id (bits 1, 0), the message id (4 to 2) and the return code (7 to 5) are; all bits set for nowhere.
const NEVER: u32 = 0x7f; // a client does not get such a message
const OR_MORE: u32 = 0x80;
function forms(): usize {
  return memory.data<u8>([
    0x03, 0xff, 0x01, 0xff, 0x81, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x01, 0x1f, 0x00, 0xff, 0x7f, 0xff, 0x00, 0xff, 0x7f, 0xff, 0x85, 0xe8,
    0x05, 0x88, 0x85, 0xed, 0x05, 0x88, 0x02, 0xe3, 0x02, 0xe3, 0x02, 0xe3, 0x7f, 0xff, 0x7f, 0xff, 0x06, 0xad, 0x7f, 0xff, 0x02, 0xe3,
    0x80, 0xff, 0x00, 0xff, 0x80, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x01, 0x1f, 0x7f, 0xff, 0x01, 0x1f,
  ]);
}

let length: u32 = 0;
let from: i32 = 0;

/** Where the message begins behind its type, and how many bytes there are. */
export let body: usize = 0;
export let rest: u32 = 0;

/** Where a message has them: flags or GwId, topic id, return code. */
export let flags: u32 = 0;
export let topicId: u32 = 0;
export let returnCode: u32 = 0;

/** A place for one datagram, of whichever link. It keeps what was read until the next one is written. */
export function datagramRoom(): u32 {
  return length ? 0 : RECEIVE_BYTES;
}

/** A datagram of `size` bytes was written, cut when it is larger than the room. */
export function datagramArrived(link: i32, size: u32): void {
  from = link;
  length = size + <u32>(size == 0); // an empty one is malformed, too
}

export function forgetDatagram(): void {
  length = 0;
}

/** The link that the datagram came by. */
export function arrivedBy(): i32 {
  return from;
}

/** The datagram's message type, its fields above and in `inbound`; NOTHING; or a negated ERROR_…. With ERROR_TOO_LARGE inbound.id is above 0 when a PUBLISH waits for an answer. */
export function decode(): i32 {
  let size = length;
  if (size == 0) return NOTHING;
  const whole = size <= <u32>RECEIVE_BYTES;
  let p: usize = receiveArea;
  length = 0;
  let envelope = false;
  while (true) {
    const start = p;
    if (size < 2) return -ERROR_LENGTH;
    let stated: u32 = load<u8>(p++);
    if (stated == 1) {
      if (size < 4) return -ERROR_LENGTH;
      stated = readUint16(p);
      p += 2;
    }
    const type: u32 = load<u8>(p++);
    const header = <u32>(p - start);
    if (IS_CLIENT && type == ENCAPSULATED && !envelope) {
      // The length of an envelope ends with its node id; the message follows (SN 5.5).
      if (stated <= header || stated > size) return -ERROR_LENGTH;
      if (!isOurNode(p + 1, stated - header - 1)) return NOTHING;
      p = start + stated;
      size -= stated;
      envelope = true;
      continue;
    }
    if (stated != size || stated < header) return -ERROR_LENGTH;
    body = p;
    rest = size - header;
    const read = readBody(type);
    if (whole) return read;
    if (read != PUBLISH) inbound.id = 0;
    return -ERROR_TOO_LARGE;
  }
}

function readBody(type: u32): i32 {
  const form = forms() + ((type <= WILLMSGRESP ? type : CONNECT) << 1);
  const rule: u32 = load<u8>(form);
  if (rule == NEVER) return -ERROR_PACKET_TYPE;
  if ((rule < OR_MORE ? rest != rule : rest < rule - OR_MORE) || (type == DISCONNECT && (rest & 0xfd) != 0)) return -ERROR_LENGTH;
  const places: u32 = load<u8>(form, 1);
  const p = body;
  flags = load<u8>(p);
  topicId = readUint16(p + (places & 3));
  inbound.id = (places & 0x1c) == 0x1c ? 0 : readUint16(p + ((places >> 2) & 7));
  returnCode = places >> 5 == 7 ? 0 : load<u8>(p + (places >> 5));
  const qos = (flags >> QOS_SHIFT) & 3;
  // Nobody sends a client QoS -1, or grants it (SN 6.8).
  if (qos == QOS_MINUS_1 && (type == PUBLISH || type == SUBACK)) return -ERROR_QOS;
  inbound.qos = qos;
  inbound.topic = <u32>p + 4;
  inbound.topicLength = rest - 4;
  if (type == PUBLISH) {
    const topicIdType = flags & 3;
    if (topicIdType == 3) return -ERROR_TOPIC_ID;
    // A topic of two bytes stands in the place of its id.
    inbound.topic = <u32>p + 1;
    inbound.topicLength = 2;
    inbound.payload = <u32>p + 5;
    inbound.payloadLength = inbound.total = rest - 5;
    if (IS_CLIENT) {
      inbound.retain = (flags & RETAIN) >> 4;
      inbound.dup = flags >> 7;
    }
    if (topicIdType == SHORT) {
      const fault = topicNameFault(p + 1, 2);
      if (fault) return -fault;
    } else if (isReserved(topicId)) return -ERROR_TOPIC_ID;
    if (qos == 0) {
      inbound.id = 0;
      return type;
    }
  } else if (type == REGISTER && isReserved(topicId)) return -ERROR_TOPIC_ID;
  // A PUBACK that refuses a QoS 0 message has no message id (SN 5.4.13).
  return (places & 0x1c) != 0x1c && inbound.id == 0 && (type != PUBACK || returnCode == 0) ? -ERROR_PACKET_ID : type;
}

/** Ids that no topic has (SN 5.3.11). */
export function isReserved(id: u32): bool {
  return id == 0 || id == 0xffff;
}

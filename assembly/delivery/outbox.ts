// Requests on their way out, in the order they were made: a PUBLISH until it is acknowledged in full, a SUBSCRIBE or UNSUBSCRIBE
// until it is answered. What a body means, and when to send it, is the session's business.
//
// A packet identifier's low bits are its entry's place, so an acknowledgement finds its entry without a search and an identifier in
// flight is never given out again. Bodies lie in a ring in the same order; a body's room returns when all before it have gone.

import { random } from '../board';
import { bytes } from '../bytes/cursor';
import { OUTBOX_BYTES, OUTBOX_ENTRIES } from '../limits';

export const FREE: u32 = 0;
/** Never sent. */
export const QUEUED: u32 = 1;
/** Sent, waits for its first acknowledgement. */
export const SENT: u32 = 2;
/** A QoS 2 PUBLISH whose PUBREC came: PUBREL is owed, or waits for PUBCOMP. */
export const RELEASED: u32 = 3;

export const PUBLISH_REQUEST: u32 = 0;
export const SUBSCRIBE_REQUEST: u32 = 1;
export const UNSUBSCRIBE_REQUEST: u32 = 2;
/** Updates of the will, over MQTT-SN: the body is the topic or the payload. */
export const WILL_TOPIC_REQUEST: u32 = 3;
export const WILL_PAYLOAD_REQUEST: u32 = 4;

const MASK: u32 = OUTBOX_ENTRIES - 1;
const ENTRY_BYTES: i32 = 24;

@unmanaged
@final
export class Entry {
  /** Topic of a PUBLISH, then its payload; or the filters of a request. */
  body: u32;
  length: u32;
  /** Time of the first sending on this connection. */
  sentAt: i32;
  id: u16;
  /** Bytes of topic at the start of the body; the number of filters of a request. */
  head: u16;
  /** Identifiers of the requests made before and after this one, 0 where there is none. */
  older: u16;
  newer: u16;
  kind: u8;
  stage: u8;
  qos: u8;
  retain: u8;
}

const entries = memory.data(OUTBOX_ENTRIES * ENTRY_BYTES, 4);
const ring = memory.data(OUTBOX_BYTES, 4);

// Identifiers, 0 for none: the ends of the list, and the first entry that was not sent on this connection.
let oldest: u32 = 0;
let newest: u32 = 0;
let unsent: u32 = 0;
let count: u32 = 0;
/** The first is drawn: on a kept session the broker may still hold the last ones of an earlier start, and takes them for the same message. */
let nextId: u32 = 0x10000;
let ringEnd: u32 = 0;

function entryOf(id: u32): Entry {
  return changetype<Entry>(entries + (id & MASK) * ENTRY_BYTES);
}

/** Room for `length` bytes that lie together, as an offset, or -1. */
function roomFor(length: u32): i32 {
  if (oldest == 0) ringEnd = 0;
  else {
    const start: u32 = entryOf(oldest).body - <u32>ring;
    if (ringEnd <= start) return start - ringEnd >= length ? ringEnd : -1;
    if (<u32>OUTBOX_BYTES - ringEnd < length) return start >= length ? 0 : -1;
  }
  return length <= <u32>OUTBOX_BYTES ? ringEnd : -1;
}

/**
 * Queues a request: `headLength` bytes at `head`, then `length` bytes at `body`, all copied. `headCount` is what Entry.head shall say.
 * Answers the packet identifier, or 0 when there is no free entry or no room.
 */
export function enqueue(kind: u32, qos: u32, retain: u32, headCount: u32, head: usize, headLength: u32, body: usize, length: u32): u32 {
  if (count == OUTBOX_ENTRIES) return 0;
  const offset = roomFor(headLength + length);
  if (offset < 0) return 0;
  let id: u32 = nextId > 0xffff ? random() & 0xffff : nextId;
  while (id == 0 || entryOf(id).stage != FREE) id = (id + 1) & 0xffff; // one entry is free, so this ends within one round
  nextId = (id + 1) & 0xffff;

  const entry = entryOf(id);
  entry.body = <u32>ring + <u32>offset;
  entry.length = headLength + length;
  entry.id = <u16>id;
  entry.head = <u16>headCount;
  entry.kind = <u8>kind;
  entry.stage = <u8>QUEUED;
  entry.qos = <u8>qos;
  entry.retain = <u8>retain;
  bytes(bytes(entry.body, head, headLength), body, length);
  ringEnd = <u32>offset + headLength + length;

  entry.older = <u16>newest;
  entry.newer = 0;
  if (newest) entryOf(newest).newer = <u16>id;
  else oldest = id;
  newest = id;
  if (unsent == 0) unsent = id;
  count++;
  return id;
}

/** The entry in flight or waiting under `id`, or null. */
export function find(id: u32): Entry | null {
  const entry = entryOf(id);
  return entry.stage != FREE && <u32>entry.id == id ? entry : null;
}

export function remove(entry: Entry): void {
  const older: u32 = entry.older;
  const newer: u32 = entry.newer;
  if (unsent == <u32>entry.id) unsent = newer;
  if (older) entryOf(older).newer = <u16>newer;
  else oldest = newer;
  if (newer) entryOf(newer).older = <u16>older;
  else newest = older;
  entry.stage = <u8>FREE;
  count--;
}

/** The next entry to send on this connection, or null. */
export function nextUnsent(): Entry | null {
  return unsent ? entryOf(unsent) : null;
}

/** Call after `entry`, which nextUnsent answered, was sent at time `now`. */
export function markSent(entry: Entry, now: i32): void {
  entry.sentAt = now;
  unsent = entry.newer;
}

/** A new connection: all that is unacknowledged is to be sent again, in the order it was made [MQTT-4.6.0-1]. */
export function rewind(): void {
  unsent = oldest;
}

/** Whether every request was sent on this connection. */
export function allSent(): bool {
  return unsent == 0;
}

/** The request that has waited longest for its answer on this connection, or null. */
export function longestWaiting(): Entry | null {
  return oldest == unsent ? null : entryOf(oldest);
}

/** Requests held: queued and in flight. */
export function held(): u32 {
  return count;
}

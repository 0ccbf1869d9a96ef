// Requests on their way out, in the order they were made: a PUBLISH until it is acknowledged in full, a SUBSCRIBE or UNSUBSCRIBE
// until it is answered. What a body means, and when to send it, is the session's business.
//
// A packet identifier's low bits are its entry's place, so an acknowledgement finds its entry without a search and an identifier in
// flight is never given out again. Bodies lie in a ring in the same order; a body's room returns when all before it have gone.

import { random } from '../board';
import { bytes } from '../bytes/cursor';
import { RECORD_MESSAGE, RECORD_RELEASE } from '../contract';
import { OUTBOX_BYTES, OUTBOX_ENTRIES, RECORD_BYTES } from '../limits';
import * as journal from './journal';
import { HAS_JOURNAL } from './journal';

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

/** How the journal has a message: this, and the body behind it. Acknowledged, only the first TOMBSTONE_BYTES of it are left. */
@unmanaged
@final
class Record {
  check: u32;
  /** Counts the requests; the lower half is the packet identifier. */
  sequence: u32;
  /** What `mark` was. */
  mark: u32;
  head: u16;
  qos: u8;
  retain: u8;
}

const HEAD_BYTES: u32 = RECORD_BYTES;
const TOMBSTONE_BYTES: u32 = 12;
/** That PUBREC came: check, sequence and mark, which are then also known where the tombstone is torn. */
const RELEASE_BYTES: u32 = 12;

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
/** The journal was read: what it had comes first. */
export let isRestored: bool = false;
/** The upper half of the sequence. */
let turn: u32 = 0;
/** A number of the application's that each record carries. After a restart it is that of the newest record. */
export let mark: u32 = 0;

export function setMark(value: u32): void {
  mark = value;
}

function entryOf(id: u32): Entry {
  return changetype<Entry>(entries + (id & MASK) * ENTRY_BYTES);
}

/** Room for `length` bytes that lie together, as an offset, or -1. */
function roomFor(length: u32): i32 {
  if (oldest == 0) ringEnd = 0;
  else {
    const start: u32 = entryOf(oldest).body - HEAD_BYTES - <u32>ring;
    if (ringEnd <= start) return start - ringEnd >= length ? ringEnd : -1;
    if (<u32>OUTBOX_BYTES - ringEnd < length) return start >= length ? 0 : -1;
  }
  return length <= <u32>OUTBOX_BYTES ? ringEnd : -1;
}

/**
 * Queues a request: `headLength` bytes at `head`, then `length` bytes at `body`, all copied. `headCount` is what Entry.head shall say.
 * Answers the packet identifier, or 0 when there is no free entry or no room, and before restore().
 */
export function enqueue(kind: u32, qos: u32, retain: u32, headCount: u32, head: usize, headLength: u32, body: usize, length: u32): u32 {
  if (count == OUTBOX_ENTRIES || (HAS_JOURNAL && !isRestored)) return 0;
  const offset = roomFor(HEAD_BYTES + headLength + length);
  if (offset < 0) return 0;
  let id: u32 = nextId > 0xffff ? random() & 0xffff : nextId;
  while (id == 0 || entryOf(id).stage != FREE) {
    if (HAS_JOURNAL && id == 0) turn += 0x10000;
    id = (id + 1) & 0xffff; // one entry is free, so this ends within one round
  }
  nextId = (id + 1) & 0xffff;

  const entry = entryOf(id);
  entry.body = <u32>ring + <u32>offset + HEAD_BYTES;
  entry.length = headLength + length;
  entry.id = <u16>id;
  entry.head = <u16>headCount;
  entry.kind = <u8>kind;
  entry.stage = <u8>QUEUED;
  entry.qos = <u8>qos;
  entry.retain = <u8>retain;
  bytes(bytes(entry.body, head, headLength), body, length);
  ringEnd = <u32>offset + HEAD_BYTES + headLength + length;
  append(entry, id);
  if (HAS_JOURNAL && isKept(entry)) {
    const record = recordOf(entry);
    record.sequence = turn | id;
    record.mark = mark;
    record.head = <u16>headCount;
    record.qos = <u8>qos;
    record.retain = <u8>retain;
    journal.write(RECORD_MESSAGE, id & MASK, changetype<usize>(record), HEAD_BYTES + entry.length);
  }
  return id;
}

/** The entry is the newest. */
function append(entry: Entry, id: u32): void {
  entry.older = <u16>newest;
  entry.newer = 0;
  if (newest) entryOf(newest).newer = <u16>id;
  else oldest = id;
  newest = id;
  if (unsent == 0) unsent = id;
  count++;
}

/** Whether the journal has it: a message that asks for an acknowledgement. QoS 0 costs no write. */
function isKept(entry: Entry): bool {
  return <u32>entry.kind == PUBLISH_REQUEST && <u32>entry.qos - 1 < 2;
}

function recordOf(entry: Entry): Record {
  return changetype<Record>(<usize>(entry.body - HEAD_BYTES));
}

/**
 * Takes back what the journal holds, in the order in which it was made; nothing is queued before. All of it may have been sent. Called again, it
 * does nothing. Answers how many requests there are.
 */
export function restore(): u32 {
  if (isRestored) return count;
  isRestored = true;
  let latest: u32 = 0;
  let isFirst = true;
  for (let place: u32 = 0; place <= MASK; ++place) {
    let length = journal.read(RECORD_MESSAGE, place, ring, OUTBOX_BYTES);
    if (length < TOMBSTONE_BYTES) length = journal.read(RECORD_RELEASE, place, ring, OUTBOX_BYTES);
    if (length < RELEASE_BYTES) continue;
    const record = changetype<Record>(ring);
    const sequence = record.sequence;
    if (isFirst || <i32>(sequence - latest) > 0) {
      isFirst = false;
      latest = sequence;
      mark = record.mark;
    }
    if (length < HEAD_BYTES || (sequence & MASK) != place || (sequence & 0xffff) == 0) continue;
    const entry = entryOf(place);
    entry.stage = <u8>QUEUED; // until it has its place in the order
    entry.sentAt = sequence;
  }
  if (!isFirst) {
    // The broker may hold identifiers of messages that the storage did not take: they are not given out again soon.
    latest += 1 + (random() & 0x7fff);
    turn = latest & 0xffff0000;
    nextId = latest & 0xffff;
  }
  while (restoreOldest()) {}
  return count;
}

/** Appends the oldest of the entries that wait for their place; false when none does. */
function restoreOldest(): bool {
  let first: Entry | null = null;
  for (let place: u32 = 0; place <= MASK; ++place) {
    const entry = entryOf(place);
    if (entry.stage == QUEUED && (!first || entry.sentAt - first.sentAt < 0)) first = entry;
  }
  if (!first) return false;
  const id: u32 = first.sentAt & 0xffff;
  const place = id & MASK;
  const length = journal.read(RECORD_MESSAGE, place, ring + ringEnd, OUTBOX_BYTES - ringEnd);
  const record = changetype<Record>(ring + ringEnd);
  first.stage = <u8>FREE;
  // An outbox that has shrunk since, or a storage that answers now this and now that.
  if (length < HEAD_BYTES || record.sequence != <u32>first.sentAt || <u32>record.head > length - HEAD_BYTES) return true;
  first.body = <u32>ring + ringEnd + HEAD_BYTES;
  first.length = length - HEAD_BYTES;
  first.id = <u16>id;
  first.head = record.head;
  first.qos = record.qos;
  first.retain = record.retain;
  first.kind = <u8>PUBLISH_REQUEST;
  first.stage = <u8>SENT;
  ringEnd += length;
  append(first, id);
  const release = memory.data(RELEASE_BYTES, 4);
  if (<u32>record.qos == 2 && journal.read(RECORD_RELEASE, place, release, RELEASE_BYTES) == RELEASE_BYTES) {
    if (changetype<Record>(release).sequence == record.sequence) first.stage = <u8>RELEASED;
  }
  return true;
}

/** PUBREC came for `entry`. False when the storage did not take note of it: then it counts as not come, and comes again. */
export function release(entry: Entry): bool {
  if (HAS_JOURNAL && entry.stage != RELEASED) {
    if (!journal.write(RECORD_RELEASE, <u32>entry.id & MASK, changetype<usize>(recordOf(entry)), RELEASE_BYTES)) return false;
  }
  entry.stage = <u8>RELEASED;
  return true;
}

/** The peer has forgotten the session: what it released without publishing would be lost, so all is published again. */
export function unrelease(): void {
  for (let id = oldest; id; id = entryOf(id).newer) {
    const entry = entryOf(id);
    if (entry.stage != RELEASED || !isKept(entry)) continue; // an update of the will has this stage, too
    entry.stage = <u8>SENT;
    if (HAS_JOURNAL) journal.erase(RECORD_RELEASE, id & MASK);
  }
}

/** The entry in flight or waiting under `id`, or null. */
export function find(id: u32): Entry | null {
  const entry = entryOf(id);
  return entry.stage != FREE && <u32>entry.id == id ? entry : null;
}

export function remove(entry: Entry): void {
  if (HAS_JOURNAL && isKept(entry)) {
    journal.write(RECORD_MESSAGE, <u32>entry.id & MASK, changetype<usize>(recordOf(entry)), TOMBSTONE_BYTES);
  }
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

/** What was sent on this connection only now leaves: answers are waited for from `now` on. */
export function waitFrom(now: i32): void {
  for (let id = oldest; id != unsent; id = entryOf(id).newer) entryOf(id).sentAt = now;
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

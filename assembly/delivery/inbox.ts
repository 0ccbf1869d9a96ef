// Identifiers of inbound QoS 2 messages between PUBREC and PUBREL, so that each message is delivered once. Open addressing in a
// table twice as long as what it holds; identifiers that follow one another, as brokers give them out, never collide. Those that do lie in the
// order of their homes: whoever is in its own ends every search, however many come behind it.

import { RECORD_INBOX } from '../contract';
import { INBOX_ENTRIES } from '../limits';
import * as journal from './journal';
import { CHECK_BYTES, HAS_JOURNAL } from './journal';

const PLACES: u32 = INBOX_ENTRIES * 2;
const MASK: u32 = PLACES - 1;
/** Asked for by a call, memory is taken only in a module that makes it. */
function table(): usize {
  return memory.data(INBOX_ENTRIES * 4, 4);
}

/** A record has all identifiers of one remainder by INBOX_ENTRIES: one, as long as a broker counts on. */
const REMAINDER: u32 = INBOX_ENTRIES - 1;
const RECORD_MOST: u32 = 20;
function record(): usize {
  return memory.data(RECORD_MOST, 4);
}

let count: u32 = 0;

function idAt(place: u32): u32 {
  return load<u16>(table() + (place << 1));
}

function setIdAt(place: u32, id: u32): void {
  store<u16>(table() + (place << 1), id);
}

/** The place of `id`, or the empty place where it would go. The table is never full, so the search ends. */
function placeOf(id: u32): u32 {
  let place = id & MASK;
  while (idAt(place) != id && idAt(place) != 0) place = (place + 1) & MASK;
  return place;
}

export function contains(id: u32): bool {
  return idAt(placeOf(id)) != 0;
}

export function isFull(): bool {
  return count == INBOX_ENTRIES;
}

/** How far from its home the identifier at `place` lies. */
function distance(place: u32): u32 {
  return (place - idAt(place)) & MASK;
}

/** Remembers `id`, which is not contained; the inbox is not full. */
export function add(id: u32): void {
  count++;
  let place = id & MASK;
  for (; idAt(place) != 0; place = (place + 1) & MASK) {
    if (distance(place) >= ((place - id) & MASK)) continue;
    const later = idAt(place); // its home lies behind: it makes way
    setIdAt(place, id);
    id = later;
  }
  setIdAt(place, id);
}

export function forget(id: u32): void {
  let hole = placeOf(id);
  if (idAt(hole) == 0) return;
  count--;
  // Whoever was pushed away from home moves a place back.
  for (let place = (hole + 1) & MASK; idAt(place) != 0 && distance(place) != 0; place = (place + 1) & MASK) {
    setIdAt(hole, idAt(place));
    hole = place;
  }
  setIdAt(hole, 0);
}

/** Puts into the journal whether `id` is remembered. False when the storage does not take it: then nothing may be acknowledged. */
export function save(id: u32): bool {
  if (!HAS_JOURNAL) return true;
  const place = id & REMAINDER;
  const start = record() + CHECK_BYTES;
  let end = start;
  for (let home = place; home < PLACES; home += INBOX_ENTRIES) {
    for (let at = home; idAt(at) != 0 && distance(at) >= ((at - home) & MASK); at = (at + 1) & MASK) {
      if ((idAt(at) & MASK) != home) continue;
      if (end == record() + RECORD_MOST) return journal.refuse(RECORD_INBOX, place);
      store<u16>(end, idAt(at));
      end += 2;
    }
  }
  return end == start ? journal.erase(RECORD_INBOX, place) : journal.write(RECORD_INBOX, place, record(), <u32>(end - record()));
}

/** Forgets `id`, also in the journal. False when the storage does not take it: it is remembered then. */
export function release(id: u32): bool {
  if (HAS_JOURNAL && !contains(id)) return true;
  forget(id);
  if (!HAS_JOURNAL || save(id)) return true;
  add(id);
  return false;
}

/** Takes back what the journal holds; the inbox is empty. */
export function restore(): void {
  for (let place: u32 = 0; place <= REMAINDER; ++place) {
    const end = record() + journal.read(RECORD_INBOX, place, record(), RECORD_MOST);
    for (let p = record() + CHECK_BYTES; p + 2 <= end; p += 2) {
      const id: u32 = load<u16>(p);
      if (id && !isFull() && !contains(id)) add(id);
    }
  }
}

export function clear(): void {
  if (HAS_JOURNAL) {
    for (let place: u32 = 0; place < PLACES && count > 0; ++place) {
      if (idAt(place)) journal.erase(RECORD_INBOX, idAt(place) & REMAINDER);
    }
  }
  memory.fill(table(), 0, INBOX_ENTRIES * 4);
  count = 0;
}

// Identifiers of inbound QoS 2 messages between PUBREC and PUBREL, so that each message is delivered once. Open addressing in a
// table twice as long as what it holds; identifiers that follow one another, as brokers give them out, never collide.

import { INBOX_ENTRIES } from '../limits';

const PLACES: u32 = INBOX_ENTRIES * 2;
const MASK: u32 = PLACES - 1;
/** Asked for by a call, memory is taken only in a module that makes it. */
function table(): usize {
  return memory.data(INBOX_ENTRIES * 4, 4);
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

/** Remembers `id`, which is not contained; the inbox is not full. */
export function add(id: u32): void {
  setIdAt(placeOf(id), id);
  count++;
}

export function forget(id: u32): void {
  let hole = placeOf(id);
  if (idAt(hole) == 0) return;
  count--;
  // Whatever was pushed past the hole moves back into it, so that a search never stops too early.
  for (let place = (hole + 1) & MASK; idAt(place) != 0; place = (place + 1) & MASK) {
    if (((place - idAt(place)) & MASK) >= ((place - hole) & MASK)) {
      setIdAt(hole, idAt(place));
      hole = place;
    }
  }
  setIdAt(hole, 0);
}

export function clear(): void {
  memory.fill(table(), 0, INBOX_ENTRIES * 4);
  count = 0;
}

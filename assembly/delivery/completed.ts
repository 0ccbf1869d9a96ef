// QoS 2 messages that were delivered. A datagram network delays and doubles: a copy of a PUBLISH that comes behind its own PUBREL must
// not be delivered again, though its identifier is free. It is known by identifier and content, for a time after its PUBREL.

import { COMPLETED_ENTRIES } from '../limits';
import { now } from './clock';

const ENTRY_BYTES: i32 = 12;
/** How long a network may hold a datagram back, in ms. */
const LIFETIME: u32 = 60000;

@unmanaged
@final
class Completed {
  content: u32;
  at: i32;
  id: u32;
}

function entries(): usize {
  return memory.data(COMPLETED_ENTRIES * ENTRY_BYTES, 4);
}
let next: usize = 0;

/** Notes a message that is being delivered; `content` is its hash. */
export function note(id: u32, content: u32): void {
  const entry = changetype<Completed>(entries() + next);
  entry.id = id;
  entry.content = content;
  entry.at = now;
  next = (next + ENTRY_BYTES) % (COMPLETED_ENTRIES * ENTRY_BYTES);
}

/** PUBREL came: copies of what was delivered under `id` may be on their way from now on, too. */
export function noteRelease(id: u32): void {
  for (let at: usize = entries(); at < entries() + COMPLETED_ENTRIES * ENTRY_BYTES; at += ENTRY_BYTES) {
    const entry = changetype<Completed>(at);
    if (entry.id == id) entry.at = now;
  }
}

export function wasDelivered(id: u32, content: u32): bool {
  for (let at: usize = entries(); at < entries() + COMPLETED_ENTRIES * ENTRY_BYTES; at += ENTRY_BYTES) {
    const entry = changetype<Completed>(at);
    if (entry.id == id && entry.content == content && <u32>(now - entry.at) < LIFETIME) return true;
  }
  return false;
}

/** The identifiers start anew. */
export function forgetCompleted(): void {
  memory.fill(entries(), 0, COMPLETED_ENTRIES * ENTRY_BYTES);
}

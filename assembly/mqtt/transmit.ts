// Packets encoded and not yet taken by the link, in one buffer. A writer reserves the most it needs, encodes, and commits where it ended.

import { link_send } from '../board';
import * as clock from '../delivery/clock';
import { remaining } from '../delivery/clock';
import { TRANSMIT_BYTES } from '../limits';

const buffer = memory.data(TRANSMIT_BYTES, 8);
let start: u32 = 0;
let end: u32 = 0;
/** When the link last took bytes: keep alive counts from here (MQTT 3.1.2.10). */
export let lastSent: i32 = 0;
/** When bytes began to wait without any being taken. */
let stalledAt: i32 = 0;

export function resetTransmit(): void {
  start = end = 0;
  lastSent = clock.now;
}

/** Room for a packet of `size` bytes, or 0 when there is none until the link takes more. */
export function reserve(size: u32): usize {
  if (<u32>TRANSMIT_BYTES - end < size) {
    flush();
    if (start > 0) {
      memory.copy(buffer, buffer + start, end - start);
      end -= start;
      start = 0;
    }
    if (<u32>TRANSMIT_BYTES - end < size) return 0;
  }
  return buffer + end;
}

/** The packet written at reserve() ends before `p`. */
export function commit(p: usize): void {
  if (start == end) stalledAt = clock.now;
  end = <u32>(p - buffer);
}

/** Offers the link what waits. A link that fails says so through link_changed, so its error needs no answer here. */
export function flush(): void {
  if (start == end) return;
  const taken = link_send(0, buffer + start, end - start);
  if (taken <= 0) return;
  start += min(<u32>taken, end - start);
  lastSent = stalledAt = clock.now;
  if (start == end) start = end = 0;
}

export function isEmpty(): bool {
  return start == end;
}

/** Milliseconds left for the link to take what waits, of `allowed`; the most there is when nothing waits. */
export function stallRemaining(allowed: i32): i32 {
  return start == end ? i32.MAX_VALUE : remaining(stalledAt + allowed);
}

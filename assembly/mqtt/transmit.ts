// Packets encoded and not yet taken by the link, in one buffer. A writer reserves the most it needs, encodes, and commits where it ended.

import { link_send } from '../board';
import { transmitArea } from '../bytes/buffers';
import * as clock from '../delivery/clock';
import { remaining } from '../delivery/clock';
import { waitFrom } from '../delivery/outbox';
import { TRANSMIT_BYTES } from '../limits';

const buffer = transmitArea;
let end: u32 = 0;
/** When the link last took bytes: keep alive counts from here (MQTT 3.1.2.10). */
export let lastSent: i32 = 0;
/** Bytes wait that the link was offered and did not take, and since when. */
let stalled: bool = false;
let stalledAt: i32 = 0;

export function resetTransmit(): void {
  end = 0;
  lastSent = clock.now;
  stalled = false;
}

/** Room for a packet of `size` bytes, or 0 when there is none until the link takes more. */
export function reserve(size: u32): usize {
  if (<u32>TRANSMIT_BYTES - end < size) flush();
  return <u32>TRANSMIT_BYTES - end < size ? 0 : buffer + end;
}

/** The packet written at reserve() ends before `p`. */
export function commit(p: usize): void {
  end = <u32>(p - buffer);
}

/** Offers the link what waits, until it takes no more: only then it says when it does again. A link that fails says so through link_changed. */
export function flush(): void {
  while (end) {
    const taken = link_send(0, buffer, end);
    if (taken <= 0) return;
    lastSent = clock.now;
    if (stalled) waitFrom(lastSent); // nobody answers what is still on its way
    stalled = false;
    const left = end - min(<u32>taken, end);
    if (left) memory.copy(buffer, buffer + taken, left); // rare: most links take all or nothing
    end = left;
  }
}

/** The last flush of a step: from now on what is left waits. */
export function settle(): void {
  flush();
  if (end == 0 || stalled) return;
  stalled = true;
  stalledAt = clock.now;
}

export function isEmpty(): bool {
  return end == 0;
}

/** Milliseconds left for the link to take what waits, of `allowed`; the most there is when nothing waits. */
export function stallRemaining(allowed: i32): i32 {
  return stalled ? remaining(stalledAt + allowed) : i32.MAX_VALUE;
}

// Last words before a deep sleep: everything gets a while to be acknowledged. What is not stays in the journal, so the board may sleep then.

import { event } from '../board';
import { EVENT_FLUSHED } from '../contract';
import { now, remaining } from '../delivery/clock';
import { held } from '../delivery/outbox';
import * as readings from '../delivery/readings';
import { pending } from '../drivers/measure';
import { HAS_DRIVERS } from '../scope';
import * as session from './session';

let wanted: bool = false;
/** Since the last step. */
let isNew: bool = false;
/** Ms, then the time when it is over. */
let deadline: i32 = 0;

/** Has EVENT_FLUSHED told when all is acknowledged or `ms` are over, whichever comes first; a sleeper wakes for it. Called again, the new deadline counts. */
export function flush(ms: i32): void {
  wanted = isNew = true;
  deadline = max(ms, 0);
  if (areWaiting()) session.wake();
}

/** Whether last words are being said. */
export function isFlushing(): bool {
  return wanted;
}

function areWaiting(): bool {
  return (held() | readings.count) != 0 || (HAS_DRIVERS && pending != 0) || session.isSending();
}

/** At the end of a step: ends it when it is over. Answers the ms until the next step, at most `idle`. */
export function pursueFlush(idle: i32): i32 {
  if (!wanted) return idle;
  if (isNew) deadline += now;
  isNew = false;
  const left = remaining(deadline);
  if (left && areWaiting() && !session.isStopped()) return min(idle, left);
  wanted = false;
  event(EVENT_FLUSHED, max<u32>(held(), session.isSending() ? 1 : 0), readings.count); // QoS 0 is not held, and still here
  return idle;
}

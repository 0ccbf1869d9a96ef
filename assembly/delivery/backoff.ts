import { random } from '../board';

let shortest: i32 = 0;
let longest: i32 = 0;
let ceiling: i32 = 0;
/** Attempts since the last connection. */
export let attempts: i32 = 0;
/** Since the last connection an attempt failed, or it was lost itself; or a sensor has said so, whose next readings are to wait. */
export let isDown: bool = false;

export function setDown(): void {
  isDown = true;
}

/** Delays in ms, both above 0. */
export function configureBackoff(first: i32, most: i32): void {
  shortest = min(first, most);
  longest = most;
  ceiling = shortest;
  attempts = 0;
}

/** A connection was made. It is forgiven what came before only once it has lasted: a peer that accepts and drops is not hurried back to. */
export function countSuccess(): void {
  attempts = 0;
  isDown = false;
}

/**
 * A connection came to its end after `lasted` ms. It has to outlast any delay: of two clients with one identifier each ends the other's connection
 * when its delay is over, and both have to become slow.
 */
export function countLoss(lasted: i32): void {
  if (lasted >= longest) ceiling = shortest;
}

/** The peer refused us for a reason that time does not mend: the next attempt waits for the longest delay. */
export function countRefusal(): void {
  ceiling = longest;
}

export function countAttempt(): void {
  attempts++;
}

/** The delay before the next attempt: half of it certain, half of it random, so that a fleet does not return as one. */
export function nextDelay(): i32 {
  isDown = true;
  const certain = ceiling - (ceiling >> 1);
  const delay = certain + <i32>(<u32>random() % <u32>((ceiling >> 1) + 1));
  ceiling = ceiling > longest >> 1 ? longest : ceiling << 1;
  return delay;
}

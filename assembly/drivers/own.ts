// A sensor of one's own. A project puts a file of its own in the place of this one: it exports the same two functions.

import { FAULT_NO_OWN, READING_FAILED } from '../contract';

/** Starts a measurement at `now`, in ms. Answers ms until it is ready, or READING_FAILED − n, n from 1 to 999. */
export function begin(_now: i32): i32 {
  return READING_FAILED - FAULT_NO_OWN;
}

/** Reads it: thousandths of its unit, or READING_FAILED − n. */
export function finish(): i32 {
  return READING_FAILED - FAULT_NO_OWN;
}

// The board's configuration as every part reads it. What cannot be used is noted with its key and told at the end: whoever reads goes on
// with some value.

import { config_number, config_text } from './board';
import { ERROR_CONFIG_INVALID, ERROR_CONFIG_TOO_LONG } from './contract';

/** The first value that cannot be used: an ERROR_…, or 0, and its CONFIG_…. */
export let fault: i32 = 0;
export let refusedKey: i32 = 0;

export function beginReading(): void {
  fault = 0;
}

/** Refuses the value of `key` unless `error` is 0. */
export function refuse(key: i32, error: i32): void {
  if (fault) return;
  fault = error;
  refusedKey = key;
}

/** A whole number from `least` to `most`. */
export function number(key: i32, otherwise: i32, least: i32, most: i32): i32 {
  const value = config_number(key, otherwise);
  if (value < least || value > most) refuse(key, ERROR_CONFIG_INVALID);
  return value;
}

/** Reads a text of at most `capacity` bytes; answers its length, 0 also when there is none. */
export function text(key: i32, to: usize, capacity: i32): u32 {
  const length = max(config_text(key, to, capacity), 0);
  if (length <= capacity) return length;
  refuse(key, ERROR_CONFIG_TOO_LONG);
  return 0;
}

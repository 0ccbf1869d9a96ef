// What outlives a power cut: small records in the board's storage. Each begins with a check of all that follows, so that one which a power cut
// tore, or in which bits fell over, is found out and costs what it held and nothing else. What a record holds is the business of whoever writes it.

import { config_number, event, store_read, store_write } from '../board';
import { hash } from '../bytes/compare';
import { CONFIG_CLEAN_SESSION, CONFIG_JOURNAL, EVENT_RECORD_LOST, STORE_FULL } from '../contract';
import * as settings from '../settings';

/** Whether the module has a journal; the board may still have no storage. */
export const HAS_JOURNAL: bool = isDefined(JOURNAL);
/** A record begins with its check. */
export const CHECK_BYTES: u32 = 4;

/** The board has a storage. */
let isOn: bool = false;
/** Of the last record that the storage did not take: STORE_…, 0 when it was told. */
export let failure: i32 = 0;
export let failedKey: i32 = 0;

/** Asks whether the board has a storage. */
export function openJournal(): void {
  isOn = config_number(CONFIG_JOURNAL, 0) == 1;
}

/** Whether the peer shall forget the session: by default unless a journal keeps our side of it. */
export function wantsCleanSession(): bool {
  return settings.number(CONFIG_CLEAN_SESSION, HAS_JOURNAL && isOn ? 0 : 1, 0, 1) != 0;
}

/** The failure was told. */
export function forgetFailure(): void {
  failure = 0;
}

/** The record needs more room than there is. */
export function refuse(kind: u32, place: u32): bool {
  return noted(kind, place, -STORE_FULL);
}

function noted(kind: u32, place: u32, answer: i32): bool {
  if (answer == 0) return true;
  failure = -answer;
  failedKey = (kind << 16) | place;
  return false;
}

/** Writes `length` bytes at `record`, whose first CHECK_BYTES it sets. False when the storage did not take them. */
export function write(kind: u32, place: u32, record: usize, length: u32): bool {
  if (!isOn) return true;
  store<u32>(record, hash(record + CHECK_BYTES, length - CHECK_BYTES));
  return noted(kind, place, store_write((kind << 16) | place, record, length));
}

export function erase(kind: u32, place: u32): bool {
  return !isOn || noted(kind, place, store_write((kind << 16) | place, 0, 0));
}

/** Reads a record to `to`; answers its length, 0 without one. One that is not whole is reported and erased; one over `capacity` reported and left. */
export function read(kind: u32, place: u32, to: usize, capacity: u32): u32 {
  if (!isOn) return 0;
  const key = (kind << 16) | place;
  const length = store_read(key, to, capacity);
  if (length < 0) return 0;
  const fits = <u32>length <= capacity;
  if (fits && <u32>length >= CHECK_BYTES && load<u32>(to) == hash(to + CHECK_BYTES, length - CHECK_BYTES)) return length;
  event(EVENT_RECORD_LOST, key, length);
  if (fits) erase(kind, place);
  return 0;
}

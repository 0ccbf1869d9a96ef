// Readings that wait until the outbox takes them, each with the time at which it was taken. With a journal and QoS above 0 they outlive a power
// cut: a slot of the buffer is a record as it stands, one write a reading. A reading that leaves costs none: `mark`, which the record of its
// message carries, says up to which serial number they have left, and the slots of those are free.

import { CONFIG_BUFFER, CONFIG_BUFFER_POLICY, RECORD_READING } from '../contract';
import { READING_ENTRIES, READING_NUMBERS } from '../limits';
import * as settings from '../settings';
import * as journal from './journal';
import { mark } from './outbox';

// What makes room: CONFIG_BUFFER_POLICY. Above both is THIN_OUT.
const DROP_OLDEST: i32 = 0;
const DROP_NEWEST: i32 = 1;

@unmanaged
@final
export class Reading {
  check: u32;
  /** Counts readings that waited, from 1. */
  serial: u32;
  /** Thousandths. */
  value: i32;
  /** Seconds since 1970, 0 when the board did not know. */
  time: u32;
}

/** Where there are several readings, which it is stands behind: 1 to 8, or 0. */
const NUMBER_OFFSET: usize = 16;
const HAS_NUMBERS: bool = READING_NUMBERS > 0;
const SLOT_BYTES: u32 = HAS_NUMBERS ? 20 : 16;
const SERIAL_OFFSET: usize = 4;
/** A difference of serial numbers from here on is one below 0. */
const BEFORE: u32 = 0x80000000;

/** Asked for by a call, memory is taken only in a module that makes it. */
function slots(): usize {
  return memory.data(READING_ENTRIES * 16 + READING_NUMBERS * 4, 4);
}

let limit: u32 = 0;
let policy: i32 = 0;
let isKept: bool = false;
let isRestored: bool = false;
/** Readings that wait. */
export let count: u32 = 0;
/** The last serial number that was given. */
let newest: u32 = 0;
/** Which of several readings comes next. */
let chosen: u32 = 0;
/** THIN_OUT: the last that was dropped; a sweep goes from the oldest to the newest. */
let swept: u32 = 0;

/** Reads the configuration; `keep` says whether readings go into the journal. */
export function configureReadings(keep: bool): void {
  isKept = keep;
  limit = settings.number(CONFIG_BUFFER, READING_ENTRIES, 0, READING_ENTRIES);
  policy = settings.number(CONFIG_BUFFER_POLICY, DROP_OLDEST, DROP_OLDEST, 2);
}

/** Takes back what the journal holds and has not left, once, when the outbox was restored. Answers how many readings wait. */
export function restoreReadings(): u32 {
  if (isRestored) return count;
  isRestored = true;
  newest = mark;
  for (let slot: u32 = 0; slot < <u32>READING_ENTRIES; ++slot) {
    const place = slots() + slot * SLOT_BYTES;
    const isWhole = isKept && journal.read(RECORD_READING, slot, place, SLOT_BYTES) == SLOT_BYTES;
    const reading = changetype<Reading>(place);
    if (!isWhole) reading.serial = mark;
    if (!isWaiting(place)) continue;
    count++;
    if (<i32>(reading.serial - newest) > 0) newest = reading.serial;
  }
  return count;
}

/** Whether there is a buffer at all. */
export function hasBuffer(): bool {
  return limit > 0;
}

/** Whether one has to go when another comes. */
export function isFull(): bool {
  return count >= limit;
}

/** Of several readings, which one is put aside next: 1 to 8, or 0. */
export function chooseReading(number: u32): void {
  chosen = number;
}

/** Puts a reading aside, of several the one that was chosen; when the buffer is full, in place of another. False when it is itself the one that goes. */
export function putAside(value: i32, time: u32): bool {
  let place = slots();
  if (isFull()) place = victim();
  else {
    while (isWaiting(place)) place += SLOT_BYTES;
    count++;
  }
  if (!place) return false;
  const reading = changetype<Reading>(place);
  reading.serial = ++newest;
  reading.value = value;
  reading.time = time;
  if (HAS_NUMBERS) store<u32>(place, chosen, NUMBER_OFFSET);
  if (isKept) journal.write(RECORD_READING, <u32>(place - slots()) / SLOT_BYTES, place, SLOT_BYTES);
  return true;
}

/** The reading that has waited longest; one does. */
export function oldest(): Reading {
  return changetype<Reading>(after(mark));
}

/** Which of several readings it is. */
export function numberOf(reading: Reading): u32 {
  return load<u32>(changetype<usize>(reading), NUMBER_OFFSET);
}

/** The oldest has left: `mark` is its serial number. */
export function hasLeft(): void {
  count--;
}

function serialOf(place: usize): u32 {
  return load<u32>(place, SERIAL_OFFSET);
}

function isWaiting(place: usize): bool {
  return serialOf(place) - mark - 1 < BEFORE;
}

/** Where the oldest reading newer than `serial` is, 0 without one; `mark` or above. */
function after(serial: u32): usize {
  let found: usize = 0;
  let nearest = BEFORE;
  for (let place = slots(); place < slots() + READING_ENTRIES * SLOT_BYTES; place += SLOT_BYTES) {
    const distance = serialOf(place) - serial - 1;
    if (distance >= nearest) continue;
    nearest = distance;
    found = place;
  }
  return found;
}

/** Where the reading is that makes room, 0 for the one that comes. */
function victim(): usize {
  if (policy == DROP_NEWEST) return 0;
  if (policy == DROP_OLDEST) return after(mark);
  // Every second, and from the oldest again when the newest is reached: what is left of a sweep lies twice as far apart.
  if (<i32>(swept - mark) < 0) swept = mark;
  const next = second();
  if (next) return next;
  swept = mark;
  return second();
}

/** Where the second reading behind `swept` is, 0 without one; it is swept. */
function second(): usize {
  const first = after(swept);
  const next = first ? after(serialOf(first)) : 0;
  if (next) swept = serialOf(next);
  return next;
}

// Maxim DS18B20, with power of its own (no parasite power): several on a wire, each chosen by its code, or one alone. While it converts, its
// scratchpad holds a mark in the two bytes that are the user's: at a loss of power it is gone, and the 85 °C of a sensor that was just switched
// on are not taken for a reading. Its EEPROM is never written.
// Data sheet 19-7487: table 1 (temperatures), figures 9 to 12 (scratchpad, configuration), 64-bit ROM code.

import { event, onewire_transfer, onewire_triplet } from '../board';
import { uint8 } from '../bytes/cursor';
import {
  EVENT_SENSOR_FOUND,
  FAULT_ABSENT,
  FAULT_CHECKSUM,
  FAULT_OTHER_DEVICE,
  FAULT_RANGE,
  FAULT_RESET,
  FAULT_SEVERAL,
  READING_FAILED,
} from '../contract';
import { crcMaxim } from './crc8';
import { busFault, bytesIn, bytesOut, Sensor, setAll, setValue, TEMPERATURE } from './sensor';

export const FAMILY: u32 = 0x28;
export const CODE_BYTES: u32 = 8;

const SEARCH_ROM: u32 = 0xf0;
const MATCH_ROM: u32 = 0x55;
const SKIP_ROM: u32 = 0xcc;
const CONVERT: u32 = 0x44;
const WRITE_SCRATCHPAD: u32 = 0x4e;
const READ_SCRATCHPAD: u32 = 0xbe;
const SCRATCHPAD_BYTES: u32 = 9;
const MARK_HIGH: u32 = 0x54;
const MARK_LOW: u32 = 0x32;
/** Of the configuration: what is always 0 and always 1. */
const FIXED_BITS: u32 = 0x9f;
const FIXED_VALUE: u32 = 0x1f;

/** With 12 bits, in ms; each bit less halves it. One more, since the clock may be about to tick. */
const CONVERT_MS: i32 = 750;

/** Sixteenths of a degree. */
const MOST: i32 = 125 * 16;
const LEAST: i32 = -55 * 16;

/** So many are told of, and a wire that never ends a search is left. */
const SEARCH_MOST: u32 = 32;

/** What a search found was told since the start. */
let told: bool = false;

export function forgetFound(): void {
  told = false;
}

/** Starts a conversion. Ms until it is ready, or READING_FAILED − FAULT_…. */
export function begin(sensor: Sensor): i32 {
  let fault: i32 = sensor.first ? 0 : searchOne();
  if (!fault) fault = readScratchpad(sensor);
  if (!fault && !isMarked(sensor)) {
    let p = uint8(choose(sensor), WRITE_SCRATCHPAD);
    p = uint8(uint8(p, MARK_HIGH), MARK_LOW);
    fault = say(uint8(p, configuration(sensor)));
  }
  if (!fault) fault = say(uint8(choose(sensor), CONVERT));
  return fault ? fault : ((CONVERT_MS << 1) >> (13 - sensor.where)) + 2;
}

/** Reads it; a reading, or none: there is nothing to wait for. */
export function finish(sensor: Sensor): i32 {
  const fault = readScratchpad(sensor);
  if (fault) return setAll(fault);
  if (!isMarked(sensor)) return setAll(READING_FAILED - FAULT_RESET);
  setValue(TEMPERATURE, temperatureOf(sensor));
  return 0;
}

/** Of the scratchpad. At fewer bits than 12 the lowest say nothing. */
function temperatureOf(sensor: Sensor): i32 {
  const raw = <i32>load<i16>(bytesIn()) & (-1 << (12 - sensor.where));
  if (raw > MOST || raw < LEAST) return READING_FAILED - FAULT_RANGE;
  // 62.5 thousandths each, half a thousandth away from zero.
  return (raw * 125 + (raw < 0 ? -1 : 1)) / 2;
}

function isMarked(sensor: Sensor): bool {
  return load<u8>(bytesIn(), 2) == MARK_HIGH && load<u8>(bytesIn(), 3) == MARK_LOW && <u32>load<u8>(bytesIn(), 4) == configuration(sensor);
}

function configuration(sensor: Sensor): u32 {
  return ((sensor.where - 9) << 5) | FIXED_VALUE;
}

/** Writes what chooses the sensor; answers where the command follows. */
function choose(sensor: Sensor): usize {
  if (!sensor.first) return uint8(bytesOut(), SKIP_ROM);
  const p = uint8(bytesOut(), MATCH_ROM);
  store<u32>(p, sensor.first);
  store<u32>(p, sensor.second, 4);
  return p + CODE_BYTES;
}

/** Says what was written up to `end`. */
function say(end: usize): i32 {
  return busFault(onewire_transfer(bytesOut(), <i32>(end - bytesOut()), bytesIn(), 0));
}

/** Reads the scratchpad to bytesIn(). 0, or READING_FAILED − FAULT_…. */
function readScratchpad(sensor: Sensor): i32 {
  const end = uint8(choose(sensor), READ_SCRATCHPAD);
  const answer = onewire_transfer(bytesOut(), <i32>(end - bytesOut()), bytesIn(), SCRATCHPAD_BYTES);
  if (answer < 0) return busFault(answer);
  // Others on the wire show their presence, and leave it high; a code that is nobody's.
  if ((load<u32>(bytesIn()) & load<u32>(bytesIn(), 4)) == 0xffffffff) return READING_FAILED - FAULT_ABSENT;
  const isWhole: bool = crcMaxim(bytesIn(), SCRATCHPAD_BYTES) == 0 && (load<u8>(bytesIn(), 4) & FIXED_BITS) == FIXED_VALUE;
  return isWhole ? 0 : READING_FAILED - FAULT_CHECKSUM;
}

/** Whether one DS18B20 is alone on the wire: 0, or READING_FAILED − FAULT_…. Those that are there are told of once. */
function searchOne(): i32 {
  let count: u32 = 0;
  let last: u32 = 0;
  do {
    uint8(bytesOut(), SEARCH_ROM);
    const answer = onewire_transfer(bytesOut(), 1, bytesIn(), 0);
    if (answer < 0) return busFault(answer);
    const found = walk(last);
    if (found < 0) return found;
    last = found;
    if (crcMaxim(bytesIn(), CODE_BYTES)) return READING_FAILED - FAULT_CHECKSUM;
    if (!told) event(EVENT_SENSOR_FOUND, bswap<i32>(load<i32>(bytesIn())), bswap<i32>(load<i32>(bytesIn(), 4)));
    count++;
  } while (last && count < SEARCH_MOST);
  told = true;
  if (count > 1) return READING_FAILED - FAULT_SEVERAL;
  return load<u8>(bytesIn()) == FAMILY ? 0 : READING_FAILED - FAULT_OTHER_DEVICE;
}

/**
 * Follows the codes on the wire to one of them, left in bytesIn(): as the last one up to place `last`, and from 0 to 1 there. Answers the last place,
 * from 1, where a 1 is left for another time, 0 without one; or READING_FAILED − FAULT_….
 */
function walk(last: u32): i32 {
  let left: u32 = 0;
  for (let place: u32 = 1; place <= CODE_BYTES * 8; ++place) {
    const at = bytesIn() + ((place - 1) >> 3);
    const mask = 1 << ((place - 1) & 7);
    const before = load<u8>(at) & mask ? 1 : 0;
    const answer = onewire_triplet(place < last ? before : place == last ? 1 : 0);
    if (answer < 0) return busFault(answer);
    if ((answer & 3) == 3) return READING_FAILED - FAULT_ABSENT; // it has gone meanwhile
    if (answer == 0) left = place;
    store<u8>(at, answer & 4 ? load<u8>(at) | mask : load<u8>(at) & ~mask);
  }
  return left;
}

// A reading of the board: which driver measures it, where, what of it is wanted, and the topic it goes to. One that shares its sensor with an
// earlier reading is measured with that one. All memory of drivers is asked for by calls: a module without them has none of it.

import { READING_FAILED } from '../contract';

// Drivers, in the order of their names in settings.ts.
export const SHT3X: u32 = 1;
export const BME280: u32 = 2;
export const DS18B20: u32 = 3;
export const NTC: u32 = 4;
export const BOARD: u32 = 5;
export const OWN: u32 = 6;
export const ADC: u32 = 7;

// Quantities, in the order of their names in settings.ts.
export const TEMPERATURE: u32 = 1;
export const HUMIDITY: u32 = 2;
export const PRESSURE: u32 = 3;
export const VALUE: u32 = 4;

@unmanaged
@final
export class Sensor {
  /** I2C address, analog channel, or number of the board's thermometer; of a DS18B20 its resolution in bits. The four below are zero where a driver has no use for them. */
  where: u32;
  /** Of a DS18B20 the first half of its code, as it comes on the wire, 0 for the only one; of an NTC beta. */
  first: u32;
  /** The other half; of an NTC ohms at 25 °C. */
  second: u32;
  /** Of an NTC ohms of the series resistor. */
  third: u32;
  /** Of an NTC millivolts of the supply. */
  fourth: u32;
  driver: u8;
  quantity: u8;
  /** 1 to 8, by its setting; 0 of the only reading, which `topic` and `sensor` describe. */
  number: u8;
  isPending: bool;
  /** How often the sensor was not ready. */
  tries: u32;
  /** A time; in the step in which it began, ms from the next on. */
  readyAt: i32;
  /** What begin() answered instead, READING_FAILED − n; or 0. */
  fault: i32;
  /** The reading that measures for this one: itself, or an earlier one. */
  source: usize;
  topic: usize;
  topicLength: u32;
}

export const SENSOR_BYTES: u32 = 48;
/** What tells one sensor from another: the fields up to `driver`, and that. */
export const KEY_BYTES: u32 = 21;

/** What finish() measured, by quantity; READING_FAILED − n where there is none. */
function values(): usize {
  return memory.data(16, 4);
}

export function valueOf(quantity: u32): i32 {
  return load<i32>(values() + ((quantity - 1) << 2));
}

export function setValue(quantity: u32, value: i32): void {
  store<i32>(values() + ((quantity - 1) << 2), value);
}

/** `value`, mostly READING_FAILED − n, is what there is of every quantity. Answers 0: nothing is waited for. */
export function setAll(value: i32): i32 {
  for (let quantity = TEMPERATURE; quantity <= VALUE; ++quantity) setValue(quantity, value);
  return 0;
}

/** What a bus answered: READING_FAILED − FAULT_…, or 0 where it is no BUS_…. */
export function busFault(answer: i32): i32 {
  return answer < 0 ? READING_FAILED - (1000 - answer) : 0;
}

/** Bytes on their way to and from a bus: the drivers', one after another. */
export function bytesOut(): usize {
  return memory.data(16, 4);
}
export function bytesIn(): usize {
  return memory.data(48, 4);
}

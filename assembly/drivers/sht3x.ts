// Sensirion SHT30, SHT31, SHT35: temperature and humidity over I2C, one measurement of high repeatability at a time, without clock stretching.
// Data sheet version 7: tables 4 (times), 9 (commands), 4.12 (checksum), 4.13 (conversion).

import { i2c_transfer } from '../board';
import { uint16 } from '../bytes/cursor';
import { BUS_ABSENT, FAULT_CHECKSUM, READING_FAILED } from '../contract';
import { crcSensirion } from './crc8';
import { busFault, bytesIn, bytesOut, HUMIDITY, Sensor, setAll, setValue, TEMPERATURE } from './sensor';

const MEASURE: u32 = 0x2400;
/** At most 15.5 ms; one more, since the clock may be about to tick. */
const MEASURE_MS: i32 = 17;
const AGAIN_MS: i32 = 5;

/** Starts a measurement. Ms until it is ready, or READING_FAILED − FAULT_…. */
export function begin(sensor: Sensor): i32 {
  uint16(bytesOut(), MEASURE);
  const answer = i2c_transfer(sensor.where, bytesOut(), 2, bytesIn(), 0);
  return answer < 0 ? busFault(answer) : MEASURE_MS;
}

/** Reads it. 0, or ms to wait: a sensor that still measures does not acknowledge its address. */
export function finish(sensor: Sensor): i32 {
  const answer = i2c_transfer(sensor.where, bytesOut(), 0, bytesIn(), 6);
  if (answer == -BUS_ABSENT) return AGAIN_MS;
  if (answer < 0) return setAll(busFault(answer));
  if (crcSensirion(bytesIn(), 3) != 0 || crcSensirion(bytesIn() + 3, 3) != 0) return setAll(READING_FAILED - FAULT_CHECKSUM);
  setValue(TEMPERATURE, <i32>share(bytesIn(), 35000) - 45000);
  setValue(HUMIDITY, share(bytesIn() + 3, 20000));
  return 0;
}

/** The word at `p` as a share of 65535, of a whole of 5 × `fifth`, rounded: 65535 is 5 × 13107, so that 32 bits are enough. */
function share(p: usize, fifth: u32): u32 {
  return ((((<u32>load<u8>(p)) << 8) | load<u8>(p, 1)) * fifth + 6553) / 13107;
}

// Bosch BME280: temperature, humidity, pressure over I2C; and BMP280, which has no humidity. Forced mode, no oversampling, no filter. What the
// driver needs is read from the sensor each time, so one that was plugged in anew or lost its power is none the worse.
// Data sheet BST-BME280-DS002: 4.2.3 (compensation; pressure with 64 bits, of two words), 5.4 (registers), 9.1 (times).

import { i2c_transfer } from '../board';
import { uint8 } from '../bytes/cursor';
import { FAULT_OTHER_DEVICE, FAULT_RANGE, FAULT_RESET, READING_FAILED } from '../contract';
import { busFault, bytesIn, bytesOut, HUMIDITY, PRESSURE, Sensor, setAll, setValue, TEMPERATURE } from './sensor';
import { add, divide, multiply, set, setProduct, shiftRight, Wide } from './wide';

const ID: u32 = 0xd0;
const ID_BME280: u32 = 0x60;
const ID_BMP280: u32 = 0x58;
const CTRL_HUM: u32 = 0xf2;
const CTRL_MEAS: u32 = 0xf4;
const CONFIG: u32 = 0xf5;
const STATUS: u32 = 0xf3;
const DATA: u32 = 0xf7;
const CALIBRATION: u32 = 0x88;
const CALIBRATION_HUMIDITY: u32 = 0xe1;

/** Each quantity once. */
const ONCE: u32 = 1;
const TEMPERATURE_AND_PRESSURE_ONCE_FORCED: u32 = 0x25;
/** Measuring, or its calibration is copied. */
const STATUS_BUSY: u32 = 9;
/** What stands in place of what was not measured. */
const NOT_MEASURED: i32 = 0x80000;

/** At most 9.3 ms; one more, since the clock may be about to tick. */
const MEASURE_MS: i32 = 11;
const AGAIN_MS: i32 = 2;

/** What a pressure sensor of 300 to 1100 hPa can say with some allowance, in 1/256 Pa. */
const PRESSURE_LEAST: i32 = 20000 << 8;
const PRESSURE_MOST: i32 = 120000 << 8;

/** Reads `length` bytes from register `from` to `to`. 0, or READING_FAILED − FAULT_…. */
function read(sensor: Sensor, from: u32, to: usize, length: u32): i32 {
  uint8(bytesOut(), from);
  return busFault(i2c_transfer(sensor.where, bytesOut(), 1, to, length));
}

/** Starts a measurement. Ms until it is ready, or READING_FAILED − FAULT_…. */
export function begin(sensor: Sensor): i32 {
  const fault = read(sensor, ID, bytesIn(), 1);
  if (fault) return fault;
  if (!isKnown()) return READING_FAILED - FAULT_OTHER_DEVICE;
  // Humidity first: it counts from the next write of CTRL_MEAS.
  let p = uint8(uint8(bytesOut(), CTRL_HUM), ONCE);
  p = uint8(uint8(p, CONFIG), 0);
  p = uint8(uint8(p, CTRL_MEAS), TEMPERATURE_AND_PRESSURE_ONCE_FORCED);
  const answer = i2c_transfer(sensor.where, bytesOut(), <i32>(p - bytesOut()), bytesIn(), 0);
  return answer < 0 ? busFault(answer) : MEASURE_MS;
}

function isKnown(): bool {
  const id: u32 = load<u8>(bytesIn());
  return id == ID_BME280 || id == ID_BMP280;
}

// Where finish() puts what it reads: the id, the status, the data, then the calibration.
const DATA_OFFSET: usize = 2;
const CALIBRATION_OFFSET: usize = DATA_OFFSET + 8;
const HUMIDITY_OFFSET: usize = CALIBRATION_OFFSET + 26;

function data(): usize {
  return bytesIn() + DATA_OFFSET;
}
function calibration(): usize {
  return bytesIn() + CALIBRATION_OFFSET;
}
function humidityCalibration(): usize {
  return bytesIn() + HUMIDITY_OFFSET;
}

/** Reads it. 0, or ms to wait. */
export function finish(sensor: Sensor): i32 {
  let fault = read(sensor, ID, bytesIn(), 1);
  if (!fault) fault = read(sensor, STATUS, bytesIn() + 1, 1);
  if (!fault) {
    if (load<u8>(bytesIn(), 1) & STATUS_BUSY) return AGAIN_MS;
    fault = read(sensor, DATA, data(), 8);
  }
  if (!fault) fault = read(sensor, CALIBRATION, calibration(), 26);
  if (!fault) fault = read(sensor, CALIBRATION_HUMIDITY, humidityCalibration(), 7);
  return fault ? setAll(fault) : compensate();
}

function compensate(): i32 {
  if (!isKnown()) return setAll(READING_FAILED - FAULT_OTHER_DEVICE);
  const rawTemperature = twenty(data() + 3);
  if (rawTemperature == NOT_MEASURED) return setAll(READING_FAILED - FAULT_RESET);
  const fine = fineTemperature(rawTemperature);
  setValue(TEMPERATURE, ((fine * 5 + 128) >> 8) * 10);
  const pressure = pressureOf(twenty(data()), fine);
  setValue(PRESSURE, pressure < PRESSURE_LEAST || pressure > PRESSURE_MOST ? READING_FAILED - FAULT_RANGE : (pressure * 10 + 128) >> 8);
  const isBme: bool = load<u8>(bytesIn()) == ID_BME280;
  // Of 1/1024 percent; thousandths of it, rounded.
  setValue(HUMIDITY, isBme ? (humidityOf(fine) * 125 + 64) >> 7 : READING_FAILED - FAULT_OTHER_DEVICE);
  return 0;
}

function twenty(p: usize): i32 {
  return ((<i32>load<u8>(p)) << 12) | ((<i32>load<u8>(p, 1)) << 4) | (<i32>load<u8>(p, 2) >> 4);
}

// Calibration is little-endian, as linear memory is.
function u16At(p: usize): i32 {
  return load<u16>(p);
}
function s16At(p: usize): i32 {
  return load<i16>(p);
}

/** t_fine; names and shifts are the data() sheet's. */
function fineTemperature(adc: i32): i32 {
  const t1 = u16At(calibration());
  const var1 = (((adc >> 3) - (t1 << 1)) * s16At(calibration() + 2)) >> 11;
  const off = (adc >> 4) - t1;
  const var2 = (((off * off) >> 12) * s16At(calibration() + 4)) >> 14;
  return var1 + var2;
}

// What pressureOf() computes with.
function sum(): Wide {
  return changetype<Wide>(memory.data(8, 4));
}
function term(): Wide {
  return changetype<Wide>(memory.data(8, 4));
}

/** Upper word of the dividend from which on 3125 times as much needs 64 bits; one below 0 is above it, without its sign. */
const DIVIDEND_END: u32 = 0x80000000 / 3125;
/** Upper word of 262144 Pa × 2¹⁶: P7 to P9 correct some percent, and that is far above PRESSURE_MOST. */
const QUOTIENT_END: u32 = 4;

/** 1/256 Pa, as the data sheet's variant with 64 bits has it; 0 where the calibration makes no sense, and far above PRESSURE_MOST. */
function pressureOf(adc: i32, fine: i32): i32 {
  const p = calibration() + 6;
  const off = fine - 128000;
  const divisor = divisorOf(p, off);
  if (divisor == 0) return 0;
  // ((2²⁰ − adc << 31) − off² × P6 − (off × P5 << 17) − (P4 << 35)) × 3125 / divisor
  const rest: u32 = 1048576 - adc;
  setProduct(sum(), off, off);
  multiply(sum(), -s16At(p + 10));
  setProduct(term(), off, -s16At(p + 8));
  multiply(term(), 1 << 17);
  add(sum(), term());
  set(term(), (rest >> 1) - (s16At(p + 6) << 3), rest << 31);
  add(sum(), term());
  if (sum().high >= DIVIDEND_END) return 0;
  multiply(sum(), 3125);
  divide(sum(), divisor);
  if (sum().high >= QUOTIENT_END) return 0;
  // It, + (it >> 13)² × P9 >> 25, + it × P8 >> 19; 256 of that are one of P7 << 4.
  const low = sum().low;
  const high = sum().high;
  const part = (high << 19) | (low >> 13);
  setProduct(term(), part, part);
  multiply(term(), s16At(p + 16));
  shiftRight(term(), 25);
  add(sum(), term());
  set(term(), high, low);
  multiply(term(), s16At(p + 14));
  shiftRight(term(), 19);
  add(sum(), term());
  shiftRight(sum(), 8);
  return <i32>sum().low + (s16At(p + 12) << 4);
}

/** (2⁴⁷ + (off² × P3 >> 8) + (off × P2 << 12)) × P1 >> 33. */
function divisorOf(p: usize, off: i32): u32 {
  setProduct(sum(), off, off);
  multiply(sum(), s16At(p + 4));
  shiftRight(sum(), 8);
  setProduct(term(), off, s16At(p + 2) << 12);
  add(sum(), term());
  set(term(), 1 << 15, 0);
  add(sum(), term());
  multiply(sum(), u16At(p));
  return sum().high >> 1;
}

/** 1/1024 percent. */
function humidityOf(fine: i32): i32 {
  const h = humidityCalibration();
  const adc = ((<i32>load<u8>(data(), 6)) << 8) | load<u8>(data(), 7);
  const h4 = ((<i32>load<i8>(h, 3)) << 4) | (load<u8>(h, 4) & 15);
  const h5 = ((<i32>load<i8>(h, 5)) << 4) | (<i32>load<u8>(h, 4) >> 4);
  const off = fine - 76800;
  const scaled = (((((off * <i32>load<i8>(h, 6)) >> 10) * (((off * <i32>load<u8>(h, 2)) >> 11) + 32768)) >> 10) + 2097152) * s16At(h);
  let value = (((adc << 14) - (h4 << 20) - h5 * off + 16384) >> 15) * ((scaled + 8192) >> 14);
  value -= ((((value >> 15) * (value >> 15)) >> 7) * <i32>load<u8>(calibration(), 25)) >> 4;
  return min(max(value, 0), 419430400) >> 12;
}

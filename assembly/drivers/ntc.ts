// A thermistor from the analog channel to ground, with a resistor from the supply to the channel: by its beta. What the divider says in
// microvolts, the logarithms and the division are whole numbers; the error of the arithmetic is below two thousandths of a degree.

import { adc_read } from '../board';
import { FAULT_RANGE, READING_FAILED } from '../contract';
import { busFault, Sensor, setAll, setValue, TEMPERATURE, VALUE } from './sensor';
import { divide, setProduct, Wide } from './wide';

/** 25 °C in thousandths of a kelvin. */
const T0: i32 = 298150;
const ZERO: i32 = 273150;
/** Thousandths of a degree Celsius that a thermistor can stand. */
const LEAST: i32 = -80000;
const MOST: i32 = 300000;
/** ln 2 × 2²⁰. */
const LN2: u32 = 726817;

/** Measures at once. */
export function finish(sensor: Sensor): i32 {
  const microvolts = adc_read(sensor.where);
  if (microvolts < 0) return setAll(busFault(microvolts));
  setValue(TEMPERATURE, temperatureOf(sensor, microvolts));
  return 0;
}

/** The voltage itself, in thousandths of a volt. */
export function finishVoltage(sensor: Sensor): i32 {
  const microvolts = adc_read(sensor.where);
  if (microvolts < 0) return setAll(busFault(microvolts));
  setValue(VALUE, (microvolts + 500) / 1000);
  return 0;
}

function temperatureOf(sensor: Sensor, microvolts: i32): i32 {
  const supply = <i32>sensor.fourth * 1000;
  // Within a 256th of either end, a wire is broken or shorted.
  const margin = supply >> 8;
  if (microvolts < margin || microvolts > supply - margin) return READING_FAILED - FAULT_RANGE;
  // 1/T = 1/T0 + ln(R/R0) / beta, with R = series × U / (supply − U)
  const logarithm: i32 = ln(sensor.third) + ln(microvolts) - ln(supply - microvolts) - ln(sensor.second);
  const beta: u32 = sensor.first;
  const high = logarithm >> 4;
  const low = logarithm & 15;
  // Times 298.15 kelvin, of which 65536 are one.
  const divisor: i32 = <i32>(beta << 16) + (high / 100) * 29815 + ((high % 100) * 29815 + ((low * 29815) >> 4)) / 100;
  const most = beta << 15; // above it is 323 °C and more
  if (divisor <= <i32>most) return READING_FAILED - FAULT_RANGE;
  const value = timesOver(T0, beta << 16, divisor) - ZERO;
  return value < LEAST || value > MOST ? READING_FAILED - FAULT_RANGE : value;
}

/** ln `value` × 2²⁰; `value` is above 0. */
function ln(value: u32): i32 {
  const zeros: u32 = clz(value);
  // value = 2^(31 − zeros) × m, m from 1 to 2; ln m = 2 (z + z³/3 + z⁵/5 + …), z = (m − 1) / (m + 1)
  const m = (value << zeros) >> 15;
  const numerator = (m - 65536) << 15;
  const denominator = m + 65536;
  const z = ((numerator / denominator) << 5) + ((numerator % denominator) << 5) / denominator;
  const square = ((z >> 4) * (z >> 4)) >> 16;
  let power = z;
  let sum = z;
  for (let n: u32 = 3; n < 13; n += 2) {
    power = (power * square) >> 16;
    sum += power / n;
  }
  return (31 - zeros) * LN2 + (sum << 1);
}

/** a × b / c, rounded down; `a` and `b` are not below 0, `c` is above 0. */
function timesOver(a: i32, b: i32, c: i32): i32 {
  const product = changetype<Wide>(memory.data(8, 4));
  setProduct(product, a, b);
  divide(product, c);
  return product.low;
}

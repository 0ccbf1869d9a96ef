import type { I2cDevice } from './i2c-bus.js';

/** The calibration of one sensor, by the names of the data sheet. */
export interface Bme280Calibration {
  t: readonly [number, number, number];
  p: readonly [number, number, number, number, number, number, number, number, number];
  h: readonly [number, number, number, number, number, number];
}

/** Temperature and pressure are the worked example of the data sheet of BMP280 (3.12); humidity those of a common BME280. */
export const exampleCalibration: Bme280Calibration = {
  t: [27504, 26435, -1000],
  p: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
  h: [75, 370, 0, 313, 50, 30],
};

/** What is measured, as the sensor's converters have it. */
export interface Bme280Raw {
  temperature: number;
  pressure: number;
  humidity: number;
}

/** 25.08 °C, 1006.533 hPa: the same example. */
export const exampleRaw: Bme280Raw = { temperature: 519888, pressure: 415148, humidity: 30000 };

const MEASURE_MS = 9.3;
const ID = 0xd0;
const RESET = 0xe0;
const CTRL_HUM = 0xf2;
const STATUS = 0xf3;
const CTRL_MEAS = 0xf4;
const DATA = 0xf7;

/** A Bosch BME280 or, with the id 0x58, a BMP280: registers, sleep and forced mode. */
export class Bme280 implements I2cDevice {
  raw: Bme280Raw;
  /** Its measurement never comes to an end. */
  stalls = false;
  readonly #registers = new Uint8Array(256);
  #at = 0;
  #readyAt: number | undefined;

  constructor({ id = 0x60, raw = exampleRaw, calibration = exampleCalibration } = {}) {
    this.raw = { ...raw };
    this.#registers[ID] = id;
    const view = new DataView(this.#registers.buffer);
    const { t, p, h } = calibration;
    for (const [i, value] of [...t, ...p].entries()) view.setUint16(0x88 + 2 * i, value & 0xffff, true);
    view.setUint8(0xa1, h[0]);
    view.setInt16(0xe1, h[1], true);
    view.setUint8(0xe3, h[2]);
    view.setUint8(0xe4, h[3] >> 4);
    view.setUint8(0xe5, (h[3] & 15) | ((h[4] & 15) << 4));
    view.setUint8(0xe6, h[4] >> 4);
    view.setInt8(0xe7, h[5]);
    this.reset();
  }

  /** A loss of power: what was measured is gone. */
  reset(): void {
    this.#readyAt = undefined;
    this.#registers[CTRL_HUM] = 0;
    this.#registers[CTRL_MEAS] = 0;
    this.#data({ temperature: 0x80000, pressure: 0x80000, humidity: 0x8000 });
  }

  #data({ temperature, pressure, humidity }: Bme280Raw): void {
    const twenty = (value: number) => [value >> 12, (value >> 4) & 0xff, (value & 15) << 4];
    this.#registers.set([...twenty(pressure), ...twenty(temperature), humidity >> 8, humidity & 0xff], DATA);
  }

  write(bytes: Uint8Array, now: number): boolean {
    this.#at = bytes[0] ?? 0;
    // Pairs of register and value, as the data sheet has writes of several bytes.
    for (let i = 0; i + 1 < bytes.length; i += 2) this.#set(bytes[i] ?? 0, bytes[i + 1] ?? 0, now);
    return true;
  }

  #set(register: number, value: number, now: number): void {
    if (register === RESET && value === 0xb6) this.reset();
    if (register < CTRL_HUM || register > 0xf5 || register === STATUS) return;
    this.#registers[register] = value;
    if (register === CTRL_MEAS && (value & 3) !== 0) this.#readyAt = now + MEASURE_MS;
  }

  read(to: Uint8Array, now: number): boolean {
    if (this.#readyAt !== undefined && now >= this.#readyAt && !this.stalls) {
      this.#readyAt = undefined;
      this.#registers[CTRL_MEAS] = (this.#registers[CTRL_MEAS] ?? 0) & ~3; // back to sleep
      const isBmp = this.#registers[ID] === 0x58;
      const hum = (this.#registers[CTRL_HUM] ?? 0) & 7;
      this.#data({ ...this.raw, ...((isBmp || hum === 0) && { humidity: 0x8000 }) });
    }
    this.#registers[STATUS] = this.#readyAt === undefined ? 0 : 8;
    for (let i = 0; i < to.length; i++) to[i] = this.#registers[(this.#at + i) & 0xff] ?? 0;
    return true;
  }
}

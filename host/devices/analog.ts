import { BUS_NONE } from '../contract.js';
import type { Adc } from './buses.js';

/** Analog channels: each answers microvolts, or a negated BUS_…. */
export class AnalogChannels implements Adc {
  readonly channels: (() => number)[];

  constructor(...channels: (() => number)[]) {
    this.channels = channels;
  }

  read(channel: number): number {
    return this.channels[channel]?.() ?? -BUS_NONE;
  }
}

/** A thermistor from its channel to ground, with a resistor from the supply to the channel. */
export class Thermistor {
  /** °C. */
  temperature: number;
  readonly #beta: number;
  readonly #ohms: number;
  readonly #series: number;
  readonly #supply: number;

  /** `ohms` at 25 °C, `supply` in volts. */
  constructor({ temperature = 21, beta = 3950, ohms = 10_000, series = 10_000, supply = 3.3 } = {}) {
    this.temperature = temperature;
    this.#beta = beta;
    this.#ohms = ohms;
    this.#series = series;
    this.#supply = supply;
  }

  /** The voltage at its channel in microvolts. */
  readonly microvolts = (): number => {
    const ohms = this.#ohms * Math.exp(this.#beta * (1 / (this.temperature + 273.15) - 1 / 298.15));
    return Math.round((this.#supply * 1e6 * ohms) / (ohms + this.#series));
  };
}

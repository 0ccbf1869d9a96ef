import type { I2cDevice } from './i2c-bus.js';

/** Of the data sheet: 15.5 ms at most of high repeatability. */
const MEASURE_MS = 15.5;

/** A Sensirion SHT3x: single shots without clock stretching. It does not acknowledge a read before its measurement is over. */
export class Sht3x implements I2cDevice {
  /** °C and % relative humidity. */
  temperature: number;
  humidity: number;
  /** What it says in place of those: the two words of the data sheet's conversion. */
  raw: { temperature: number; humidity: number } | undefined;
  /** The measurement never comes to an end. */
  stalls = false;
  /** Place of a byte of its answer that is garbled, 0 to 5. */
  garbles: number | undefined;
  /** Its address is acknowledged and its commands are not. */
  deaf = false;
  #readyAt: number | undefined;

  constructor({ temperature = 21, humidity = 45 } = {}) {
    this.temperature = temperature;
    this.humidity = humidity;
  }

  write(bytes: Uint8Array, now: number): boolean {
    if (this.deaf || bytes.length !== 2 || bytes[0] !== 0x24 || ![0x00, 0x0b, 0x16].includes(bytes[1] ?? -1)) return false;
    this.#readyAt = now + MEASURE_MS;
    return true;
  }

  read(to: Uint8Array, now: number): boolean {
    if (this.#readyAt === undefined || now < this.#readyAt || this.stalls) return false;
    this.#readyAt = undefined;
    const share = (part: number) => Math.min(Math.max(Math.round(part * 65535), 0), 65535);
    const { temperature, humidity } = this.raw ?? {
      temperature: share((this.temperature + 45) / 175),
      humidity: share(this.humidity / 100),
    };
    const words = [temperature, humidity].flatMap((word) => {
      const bytes = [word >> 8, word & 0xff];
      return [...bytes, crcSensirion(bytes)];
    });
    to.set(words.slice(0, to.length));
    if (this.garbles !== undefined) to[this.garbles] = (to[this.garbles] ?? 0) ^ 0x10;
    return true;
  }
}

/** CRC-8 with polynomial 31, from FF. The data sheet's example: BE EF has 92. */
export function crcSensirion(bytes: Iterable<number>): number {
  let crc = 0xff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x131 : 0)) & 0xff;
  }
  return crc;
}

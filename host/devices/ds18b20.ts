import { crcMaxim, type OnewireDevice } from './onewire-bus.js';

const CONVERT = 0x44;
const WRITE_SCRATCHPAD = 0x4e;
const READ_SCRATCHPAD = 0xbe;

/** A Maxim DS18B20 with power of its own. */
export class Ds18b20 implements OnewireDevice {
  readonly code: Uint8Array;
  /** °C. */
  temperature: number;
  /** Place of a byte of its scratchpad that is garbled on the way, 0 to 8. */
  garbles: number | undefined;
  /** What the scratchpad says in place of the temperature: sixteenths of a degree, 16 bits. */
  raw: number | undefined;
  #scratchpad = new Uint8Array(8);
  #converting: { until: number; raw: number } | undefined;

  /** `code` is 16 hexadecimal digits, or the 12 of the number between family and CRC. */
  constructor({ code = '000000000001', temperature = 21 }: { code?: string; temperature?: number } = {}) {
    const bytes = Buffer.from(code.length === 12 ? `28${code}` : code, 'hex').subarray(0, 8);
    this.code = Uint8Array.from(bytes.length === 8 ? bytes : [...bytes, crcMaxim(bytes)]);
    this.temperature = temperature;
    this.reset();
  }

  /** A loss of power: what it was told is gone, and 85 °C stands there. */
  reset(): void {
    this.#converting = undefined;
    this.#scratchpad = Uint8Array.of(0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10);
  }

  /** Bits of its resolution, 9 to 12. */
  get resolution(): number {
    return 9 + (((this.#scratchpad[4] ?? 0) >> 5) & 3);
  }

  command(bytes: Uint8Array, now: number): Uint8Array {
    if (this.#converting && now >= this.#converting.until) {
      this.#scratchpad[0] = this.#converting.raw & 0xff;
      this.#scratchpad[1] = (this.#converting.raw >> 8) & 0xff;
      this.#converting = undefined;
    }
    if (bytes[0] === CONVERT) {
      const unused = 12 - this.resolution;
      // The lowest bits of fewer than 12 are undefined: here they are set.
      const raw = this.raw ?? (Math.round(this.temperature * 16) & ~((1 << unused) - 1)) | ((1 << unused) - 1);
      this.#converting = { until: now + 750 / 2 ** unused, raw };
    }
    if (bytes[0] === WRITE_SCRATCHPAD) this.#scratchpad.set([bytes[1] ?? 0, bytes[2] ?? 0, ((bytes[3] ?? 0) & 0x60) | 0x1f], 2);
    if (bytes[0] !== READ_SCRATCHPAD) return new Uint8Array();
    const said = Uint8Array.of(...this.#scratchpad, crcMaxim(this.#scratchpad));
    if (this.garbles !== undefined) said[this.garbles] = (said[this.garbles] ?? 0) ^ 4;
    return said;
  }
}

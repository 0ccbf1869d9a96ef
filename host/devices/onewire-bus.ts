import { BUS_ABSENT } from '../contract.js';
import type { Onewire } from './buses.js';

const SEARCH_ROM = 0xf0;
const READ_ROM = 0x33;
const MATCH_ROM = 0x55;
const SKIP_ROM = 0xcc;

/** A device on a 1-wire bus, behind the commands that choose it. */
export interface OnewireDevice {
  /** Its 8 bytes: family, number, CRC; the first comes first. */
  readonly code: Uint8Array;
  /** A function command with what follows it. Answers what it says then; the wire stays high behind that. */
  command(bytes: Uint8Array, now: number): Uint8Array;
}

/** A 1-wire bus in software. Where several speak at once, the wire is low when one of them holds it low. */
export class OnewireBus implements Onewire {
  readonly devices: OnewireDevice[] = [];
  /** What every transfer answers instead, BUS_STUCK for example; 0: nothing is wrong with the bus. */
  fault = 0;
  /** Those that follow the search, and the place in their codes, from 0. */
  #searching: OnewireDevice[] = [];
  #place = 0;

  transfer(write: Uint8Array, read: Uint8Array, now: number): number {
    this.#searching = [];
    if (this.fault) return -this.fault;
    if (this.devices.length === 0) return -BUS_ABSENT;
    read.fill(0xff);
    const rom = write[0];
    if (rom === SEARCH_ROM) {
      this.#searching = [...this.devices];
      this.#place = 0;
    } else if (rom === READ_ROM) for (const { code } of this.devices) and(read, code);
    else if (rom === SKIP_ROM) for (const device of this.devices) and(read, device.command(write.slice(1), now));
    else if (rom === MATCH_ROM) {
      const device = this.devices.find(({ code }) => Buffer.compare(code, write.subarray(1, 9)) === 0);
      if (device) and(read, device.command(write.slice(9), now));
    }
    return 0;
  }

  triplet(direction: number): number {
    if (this.fault) return -this.fault;
    const place = this.#place++;
    const bitOf = ({ code }: OnewireDevice) => ((code[place >> 3] ?? 0) >> (place & 7)) & 1;
    const bit = this.#searching.every((device) => bitOf(device) === 1) ? 1 : 0;
    const complement = this.#searching.every((device) => bitOf(device) === 0) ? 1 : 0;
    const written = bit === complement ? (bit ? 1 : direction) : bit;
    this.#searching = this.#searching.filter((device) => bitOf(device) === written);
    return bit | (complement << 1) | (written << 2);
  }
}

function and(wire: Uint8Array, said: Uint8Array): void {
  for (let i = 0; i < wire.length; i++) wire[i] = (wire[i] ?? 0) & (said[i] ?? 0xff);
}

/** CRC-8 of Maxim's 1-wire devices. The example of application note 27: 02 1C B8 01 00 00 00 has A2. */
export function crcMaxim(bytes: Iterable<number>): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x8c : 0);
  }
  return crc;
}

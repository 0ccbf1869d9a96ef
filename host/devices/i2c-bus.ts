import { BUS_ABSENT } from '../contract.js';
import type { I2c } from './buses.js';

/** A device at an I2C bus: it speaks its registers. `now` is in ms. */
export interface I2cDevice {
  /** Takes `bytes` behind its address. False: it does not acknowledge. */
  write(bytes: Uint8Array, now: number): boolean;
  /** Fills `to`. False: it does not acknowledge its address. */
  read(to: Uint8Array, now: number): boolean;
}

/** An I2C bus in software, with devices that may be plugged and unplugged. */
export class I2cBus implements I2c {
  readonly #devices = new Map<number, I2cDevice>();
  /** What every transfer answers instead, BUS_STUCK for example; 0: nothing is wrong with the bus. */
  fault = 0;
  /** Transfers so far. */
  transfers = 0;

  /** Connects `device` at its 7-bit `address`, in place of another that is there. */
  attach(address: number, device: I2cDevice): void {
    this.#devices.set(address, device);
  }

  detach(address: number): void {
    this.#devices.delete(address);
  }

  transfer(address: number, write: Uint8Array, read: Uint8Array, now: number): number {
    this.transfers++;
    if (this.fault) return -this.fault;
    const device = this.#devices.get(address);
    if (!device) return -BUS_ABSENT;
    if (write.length > 0 && !device.write(write, now)) return -BUS_ABSENT;
    if (read.length > 0 && !device.read(read, now)) return -BUS_ABSENT;
    return 0;
  }
}

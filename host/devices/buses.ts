// What a board in software has at its pins, as its imports ask for it (docs/boundary.md). `now` is the board's clock in ms: a device on a bus
// needs time for a conversion.

export interface I2c {
  /** Writes to the device at the 7-bit `address`, then reads into `read`; either may be empty. 0 or a negated BUS_…. */
  transfer(address: number, write: Uint8Array, read: Uint8Array, now: number): number;
}

export interface Onewire {
  /** Reset, presence, bytes written, bytes read into `read`. 0 or a negated BUS_…. */
  transfer(write: Uint8Array, read: Uint8Array, now: number): number;
  /** A step of a search: bit | complement << 1 | written << 2, or a negated BUS_…. */
  triplet(direction: number, now: number): number;
}

export interface Adc {
  /** Microvolts, or a negated BUS_…. */
  read(channel: number): number;
}

/** The buses that a board has; one that is left out answers BUS_NONE. */
export interface Buses {
  i2c?: I2c | undefined;
  onewire?: Onewire | undefined;
  adc?: Adc | undefined;
}

// A node, as its configuration says it.

import type { BoardDescription } from './board.js';
import type { DriverName, Quantity } from './file.js';

/** A sensor, with defaults filled in. Pins are GPIO numbers. */
export interface Sensor {
  readonly driver: DriverName;
  /** 7-bit, of I2C. */
  readonly address?: number;
  /** None where the board has no pins. */
  readonly pin?: number;
  /** Of 1-wire: 16 hexadecimal digits. */
  readonly rom?: string;
  /** Bits. */
  readonly resolution?: number;
  /** Of the ADC of a lower rung. */
  readonly channel?: number;
  readonly beta?: number;
  /** At 25 °C, in Ω. */
  readonly ohms?: number;
  /** The series resistor, in Ω. */
  readonly series?: number;
  /** Of the divider, in mV. */
  readonly supply?: number;
  /** The thermometer of a lower rung. */
  readonly source?: string;
  readonly readings: readonly { readonly quantity: Quantity; readonly topic: string }[];
}

/** A configuration that was found good, with defaults filled in, secrets in their places, and paths absolute. */
export interface Config {
  /** Of the file. */
  readonly path: string;
  /** What is not wrong and yet not well, as sentences. */
  readonly warnings: readonly string[];
  /** For readBoard: a name, or a path. */
  readonly board: string;
  readonly device: string;
  readonly wifi?: { readonly ssid: string; readonly password?: string };
  readonly timeServer?: string;
  readonly broker: {
    /** Tried in their order; all of one kind. */
    readonly urls: readonly string[];
    readonly protocol: 'MQTT' | 'MQTT-SN';
    readonly username?: string;
    readonly password?: string;
    /** PEM files. */
    readonly authority?: string;
    readonly certificate?: string;
    readonly key?: string;
  };
  /** A name as in build/NAME.wasm, or the path of one's own. */
  readonly module: string;
  readonly sensors: readonly Sensor[];
  /** Of I2C, where it is not as on the board. */
  readonly i2c?: NonNullable<BoardDescription['i2c']>;
  /** ms. */
  readonly interval: number;
  readonly qos: number;
  readonly retain: boolean;
  readonly sleep: boolean;
  /** Of a board with Wi-Fi. */
  readonly power: 'on' | 'light' | 'deep';
  readonly journal: boolean;
  readonly availability?: string;
  readonly commands?: string;
  readonly updates?: {
    readonly topic?: string;
    /** Of ECDSA P-256, x and y, 128 hexadecimal digits. */
    readonly publicKey: string;
  };
  /** Further settings of the firmware, by their names. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** Paths of values that must not be shown, as `wifi.password`. */
  readonly secret: ReadonlySet<string>;
}

// The form of twobyte.config.json after the schema has taken out what does not fit: whatever is there is of the right type, and anything may be missing.

import type { BoardDescription } from './board.js';
import type { Faults, Path } from './faults.js';

export const quantities = ['temperature', 'humidity', 'pressure', 'value'] as const;
export type Quantity = (typeof quantities)[number];

export type DriverName = 'sht3x' | 'bme280' | 'ds18b20' | 'ntc' | 'adc' | 'dht22' | 'board' | 'own';

export type SensorFile = {
  driver?: DriverName;
  address?: string;
  /** A GPIO number, or what is printed beside it. */
  pin?: number | string;
  rom?: string;
  resolution?: number;
  channel?: number;
  beta?: number;
  ohms?: number;
  series?: number;
  supply?: number;
  source?: string;
} & { [quantity in Quantity]?: { topic?: string } };

export interface ConfigFile {
  board?: string;
  device?: string;
  wifi?: { ssid?: string; password?: string };
  timeServer?: string;
  broker?: {
    url?: string | (string | null)[];
    username?: string;
    password?: string;
    authority?: string;
    certificate?: string;
    key?: string;
  };
  module?: string;
  buses?: { i2c?: { sda?: number | string; scl?: number | string; hertz?: number } | string };
  sensors?: (SensorFile | null)[];
  interval?: number;
  qos?: number;
  retain?: boolean;
  sleep?: boolean;
  power?: 'on' | 'light' | 'deep';
  journal?: boolean;
  availability?: string;
  commands?: string;
  updates?: { topic?: string; publicKey?: string };
  settings?: Record<string, string | number>;
}

/** What a check reads, and where it says what it finds. */
export interface Checks {
  readonly file: ConfigFile;
  /** Unless it is at fault itself. */
  readonly board: BoardDescription | undefined;
  readonly faults: Faults;
  /** Of the configuration, absolute: paths in it count from there. */
  readonly directory: string;
  /** Whether a sentence must not show the value there. */
  readonly hides: (path: Path) => boolean;
  /** Paths, as pathText has them, of what was at fault and is not there any more: nobody is told that it is missing. */
  readonly gone: ReadonlySet<string>;
}

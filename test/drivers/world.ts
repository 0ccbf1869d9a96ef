import { Board } from '../../host/board.js';
import {
  CONFIG_CLIENT_ID,
  CONFIG_INTERVAL,
  CONFIG_READING_1,
  CONFIG_TOPIC,
  configNames,
  EVENT_CONFIG_REFUSED,
  EVENT_MEASURED,
  EVENT_READING_FAILED,
  EVENT_SENSOR_FOUND,
  errorNames,
  faultNames,
} from '../../host/contract.js';
import { AnalogChannels } from '../../host/devices/analog.js';
import { I2cBus } from '../../host/devices/i2c-bus.js';
import { OnewireBus } from '../../host/devices/onewire-bus.js';
import type { OpenLink } from '../../host/links/link.js';
import type { Storage } from '../../host/storage.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { CoveredModule } from './covered.js';

/** A board with drivers whose link never opens: what its sensors say is told by events. */
export class World {
  readonly clock = new VirtualClock(2 ** 31 - 5); // it wraps within the first round
  readonly i2c = new I2cBus();
  readonly onewire = new OnewireBus();
  readonly adc = new AnalogChannels();
  /** `1: 21.500` or `1: checksum`, in order, with the ms since the start. */
  readonly told: string[] = [];
  readonly at: number[] = [];
  readonly events: [code: number, a: number, b: number][] = [];
  /** Codes of 1-wire devices, as they were told. */
  readonly found: string[] = [];
  thermometers: (() => number | undefined)[] = [];
  hygrometers: (() => number | undefined)[] = [];
  /** What the configuration was refused for. */
  refused = '';
  /** The module has a sensor of one's own (covered.ts). */
  hasOwn = false;
  /** Where its link leads, by default nowhere. */
  link: OpenLink = () => ({ send: () => 0, pause() {}, resume() {}, close() {} });
  storage: Storage | undefined;
  board: Board<CoveredModule> | undefined;
  readonly #start = this.clock.now();

  /** Starts the board with these settings of reading_1, reading_2…; an empty one is left out. Answers what start() does. */
  start(readings: readonly string[], more: Readonly<Record<number, string | number>> = {}): number {
    this.board = new Board(
      {
        links: [this.link],
        storage: this.storage,
        config: new Map<number, string | number>([
          [CONFIG_CLIENT_ID, 'c'],
          [CONFIG_INTERVAL, 10_000],
          ...readings.flatMap((setting, i): [number, string][] => (setting ? [[CONFIG_READING_1 + i, setting]] : [])),
          ...Object.entries(more).map(([key, value]): [number, string | number] => [Number(key), value]),
        ]),
        thermometers: this.thermometers,
        hygrometers: this.hygrometers,
        buses: { i2c: this.i2c, onewire: this.onewire, adc: this.adc },
        clock: this.clock,
        random: () => 0,
        event: (code, a, b) => this.#event(code, a, b),
      },
      (imports) => new CoveredModule(imports, this.hasOwn),
    );
    return this.board.start();
  }

  #event(code: number, a: number, b: number): void {
    const hexadecimal = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
    if (code === EVENT_CONFIG_REFUSED) this.refused = `${configNames[b]}: ${errorNames[a]}`;
    this.events.push([code, a, b]);
    if (code === EVENT_SENSOR_FOUND) this.found.push(hexadecimal(a) + hexadecimal(b));
    if (code === EVENT_MEASURED) this.#tell(`${a}: ${(b / 1000).toFixed(3)}`);
    if (code === EVENT_READING_FAILED) this.#tell(`${b}: ${faultNames[a] ?? a}`);
  }

  #tell(what: string): void {
    this.told.push(what);
    this.at.push(this.clock.now() - this.#start);
  }

  /** What is told in the next `ms`, by default one interval. */
  round(ms = 10_000): string[] {
    const before = this.told.length;
    this.clock.advance(ms);
    return this.told.slice(before);
  }
}

/** What the first round of readings tells; `prepare` connects the sensors. */
export function measured(readings: readonly string[], prepare: (world: World) => void): string[] {
  const world = new World();
  prepare(world);
  world.start(readings);
  world.clock.advance(2_000);
  return world.told;
}

/** Why settings are refused: `reading_1: config_invalid`, or '' when they are not. */
export function refusal(readings: readonly string[], more: Readonly<Record<number, string | number>> = {}): string {
  const world = new World();
  world.start(readings, more);
  return world.refused;
}

export const TOPIC = { [CONFIG_TOPIC]: 'a' };

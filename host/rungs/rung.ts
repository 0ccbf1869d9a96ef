import { fileURLToPath } from 'node:url';
import { configNames } from '../contract.js';
import type { BoardEvent } from '../events.js';

export type { BoardEvent } from '../events.js';

// A rung is a place where the sensor module runs. Scenarios, tests and the demonstration start a board on one and watch its events.

export interface RunningBoard {
  /** Ends in order: `offline`, DISCONNECT. Resolves when it is over. */
  stop(): Promise<void>;
  /** Breaks off as a power cut does. */
  kill(): Promise<void>;
  /** Deep sleep: a module with a journal says its last words, then it breaks off. Resolves with the event 'flushed'. */
  sleep(): Promise<BoardEvent>;
  /** A reset of the machine, as its host may ask for; of a board that has a machine of its own. */
  restart?(): Promise<void>;
}

/** What a board tells while it runs. */
export interface BoardListener {
  event(event: BoardEvent): void;
  /** A line for people. */
  says(line: string): void;
  /** It ended by itself, which it should not. */
  failed(error: Error): void;
}

/**
 * Settings by name: those of CONFIG_… in lower case (`client_id`, `topic`, `interval`…), and `broker`, `thermometer` (host/thermometers.ts),
 * `module` (a name as in build/NAME.wasm, or the path of a file that ends so; by default the one that speaks the protocol of the broker's address, and not the other,
 * with drivers where there is a `reading_…`),
 * `journal` (the path of its file; each rung has a form of its own), `modules` (where deployed modules are kept, a form of its own too) with
 * `public_key` and `update_trial`.
 */
export type BoardSettings = Readonly<Record<string, string | number>>;

export const sensorModules = [
  'sensor-mqtt',
  'sensor-mqttsn',
  'sensor',
  'sensor-mqtt-journal',
  'sensor-mqttsn-journal',
  'sensor-journal',
  'node-mqtt',
  'node-mqttsn',
  'node',
] as const;

/** Whether the module keeps a journal where it is given one. */
export const keepsJournal = (module: string): boolean => module.endsWith('-journal') || module.startsWith('node');

/** Whether a setting `module` is the path of a file, of a project's own module. */
const isModuleFile = (module: string): boolean => module.endsWith('.wasm');

/** Where the file of a module is, one in build/ or a project's own; this file runs as build/js/host/rungs/rung.js. */
export function modulePath(module: string): string {
  return isModuleFile(module) ? module : fileURLToPath(new URL(`../../../${module}.wasm`, import.meta.url));
}

/** The name of the module that a board with these settings runs. */
export function moduleOf({ broker, module, journal, ...rest }: BoardSettings): string {
  if (typeof module === 'string' && isModuleFile(module)) return module;
  // Whatever else is wrong with the address, the board says.
  const protocol = /^\s*mqtt-sn\b/i.test(String(broker)) ? 'mqttsn' : 'mqtt';
  if (module === undefined && Object.keys(rest).some((name) => name.startsWith('reading_'))) return `node-${protocol}`;
  if (module === undefined) return `sensor-${protocol}${journal === undefined ? '' : '-journal'}`;
  const known = sensorModules.find((name) => name === module);
  if (!known) throw new TypeError(`setting 'module': '${module}' is none; take ${sensorModules.join(', ')}`);
  if (journal !== undefined && !keepsJournal(known))
    throw new TypeError(`setting 'journal': the module '${known}' keeps none; take '${known}-journal'`);
  return known;
}

/** What runs the module on a board: wasm3 interprets it; with `aot` wasm2c and a C compiler have compiled it. */
export type Engine = 'wasm3' | 'aot';

export type Rung = (settings: BoardSettings, listener: BoardListener) => Promise<RunningBoard>;

/** A line of a board's settings text. In quotation marks, blanks at either end stay, and the board takes off only the outer pair. */
export function settingLine([name, value]: [string, string | number]): string {
  if (/[\r\n]/.test(String(value))) throw new TypeError(`setting '${name}': a line break cannot be written to a board's settings`);
  return `${name} = "${value}"\n`;
}

/** Settings by their CONFIG_… numbers; throws where one is not known. */
export function configByNumber(settings: BoardSettings): Map<number, string | number> {
  const numbers = new Map(Object.entries(configNames).map(([number, name]) => [name, Number(number)]));
  return new Map(
    Object.entries(settings).map(([name, value]) => {
      const number = numbers.get(name);
      if (number === undefined) throw new TypeError(`setting '${name}' is not known; take one of ${[...numbers.keys()].join(', ')}`);
      return [number, value];
    }),
  );
}

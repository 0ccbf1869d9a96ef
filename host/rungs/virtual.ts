import { readFileSync } from 'node:fs';
import { publicKeyFromHex } from '../deploy/keys.js';
import { ModuleStore } from '../deploy/module-store.js';
import { Receiver } from '../deploy/receiver.js';
import { FileStorage } from '../journal/file-storage.js';
import { routeTo } from '../links/address.js';
import { builtModule } from '../module.js';
import { ModuleLife } from './module-life.js';
import { type BoardListener, type BoardSettings, configByNumber, moduleOf, type RunningBoard } from './rung.js';
import { simulatedSensors } from './simulated.js';

/** The sensor module in this process, with real links and the real clock. */
export async function startVirtual(settings: BoardSettings, listener: BoardListener): Promise<RunningBoard> {
  const { broker, journal } = settings;
  const module = moduleAt(moduleOf(settings));
  const sensors = simulatedSensors(settings);
  const receiver = receiverOf(settings);
  const { links, discovery, config } = routeTo(String(broker).trim().split(/\s+/));
  const numbers = new Map([...configByNumber(moduleSettings(settings)), ...config]);
  const storage = journal === undefined ? undefined : new FileStorage(String(journal), { damaged: (what) => listener.says(what) });
  const life = new ModuleLife({
    module,
    receiver,
    board: { links, discovery, config: numbers, ...sensors, ...(storage && { storage }) },
    listener,
    over: () => storage?.close(),
  });
  life.start();
  return {
    stop: () => life.stop(),
    kill: async () => life.cut(),
    sleep: () => life.sleep(),
  };
}

/** What a board reads itself; all else is its module's. */
const boardSettings: ReadonlySet<string> = new Set(
  'broker thermometer module journal modules public_key update_trial i2c onewire adc dht22'.split(' '),
);

function moduleSettings(settings: BoardSettings): BoardSettings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !boardSettings.has(name)));
}

/** A module in build/, or a project's own. */
function moduleAt(name: string): WebAssembly.Module {
  return name.endsWith('.wasm') ? new WebAssembly.Module(readFileSync(name)) : builtModule(name);
}

/** The board's part in updates, where it has a place for modules. */
function receiverOf({ modules, public_key: key, update_trial: trial }: BoardSettings): Receiver | undefined {
  if (modules === undefined) {
    if (key !== undefined) throw new TypeError("setting 'public_key': without 'modules' there is no place for new modules");
    return undefined;
  }
  return new Receiver({
    store: new ModuleStore(String(modules)),
    publicKey:
      key === undefined
        ? undefined
        : publicKeyFromHex(/^[0-9a-f]{128}$/i.test(String(key)) ? String(key) : readFileSync(String(key), 'utf8')),
    trialMs: trial === undefined ? undefined : trialOf(trial),
  });
}

function trialOf(value: string | number): number {
  if (/^\d{1,10}$/.test(String(value)) && Number(value) >= 1 && Number(value) < 2 ** 31) return Number(value);
  throw new TypeError(`setting 'update_trial': '${value}' is none; update_trial is a time in ms, at least 1`);
}

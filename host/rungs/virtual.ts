import { readFileSync } from 'node:fs';
import { Board } from '../board.js';
import { configNames, EVENT_CONFIG_REFUSED, EVENT_FLUSHED, EVENT_STOPPED, errorNames, eventNames } from '../contract.js';
import { SIMULATED_DHT22, simulatedBuses } from '../devices/simulated.js';
import { errorText } from '../errors.js';
import { FileStorage } from '../journal/file-storage.js';
import { routeTo } from '../links/address.js';
import { builtModule, Module } from '../module.js';
import { thermometer } from '../thermometers.js';
import { type BoardEvent, type BoardListener, type BoardSettings, moduleOf, type RunningBoard } from './rung.js';

/** How long the last words before a deep sleep may take. */
const FLUSH_MS = 5_000;

/** The sensor module in this process, with real links and the real clock. */
export async function startVirtual(settings: BoardSettings, listener: BoardListener): Promise<RunningBoard> {
  const { broker, thermometer: name, module: _, journal, i2c, onewire, adc, dht22, ...rest } = settings;
  const dht = isSimulated('dht22', dht22);
  const module = moduleAt(moduleOf(settings));
  let stopped = () => {};
  let flushed = (_: BoardEvent) => {};
  let refused = '';
  const { links, discovery, config } = routeTo(String(broker).trim().split(/\s+/));
  const storage = journal === undefined ? undefined : new FileStorage(String(journal), { damaged: (what) => listener.says(what) });
  const board = new Board(
    {
      links,
      discovery,
      config: new Map([...configByNumber(rest), ...config]),
      thermometers: [thermometer(String(name)), ...(dht ? [() => SIMULATED_DHT22.temperature] : [])],
      hygrometers: dht ? [() => SIMULATED_DHT22.humidity, () => SIMULATED_DHT22.humidity] : [],
      buses: simulatedBuses({ i2c: isSimulated('i2c', i2c), onewire: isSimulated('onewire', onewire), adc: isSimulated('adc', adc) }),
      ...(storage && { storage }),
      failed(error) {
        storage?.close();
        listener.failed(error);
      },
      event(code, a, b) {
        if (code === EVENT_CONFIG_REFUSED) refused = `${configNames[b]}: ${errorText(a)}`;
        if (code === EVENT_STOPPED) stopped();
        const event = { event: eventNames[code] ?? String(code), at: performance.timeOrigin + performance.now(), a, b };
        listener.event(event);
        if (code === EVENT_FLUSHED) flushed(event);
      },
    },
    (imports) => new Module(module, imports),
  );
  const result = board.start();
  if (result < 0) {
    storage?.close();
    throw new Error(`the module does not start: ${refused || errorNames[-result]}`);
  }
  const cut = () => {
    board.halt();
    storage?.close();
  };
  return {
    stop: () =>
      new Promise((resolve) => {
        stopped = () => {
          storage?.close();
          resolve();
        };
        board.stop();
      }),
    kill: async () => cut(),
    sleep: () =>
      new Promise((resolve, reject) => {
        flushed = (event) => {
          cut();
          resolve(event);
        };
        if (board.module.flush(FLUSH_MS)) board.step();
        else reject(new Error('this module has no journal, and cannot sleep without loss'));
      }),
  };
}

/** A module in build/, or a project's own. */
function moduleAt(name: string): WebAssembly.Module {
  return name.endsWith('.wasm') ? new WebAssembly.Module(readFileSync(name)) : builtModule(name);
}

/** Whether the setting of a bus gives the board the simulated one; another it does not have. */
function isSimulated(name: string, value: string | number | undefined): boolean {
  if (value === undefined || value === 'simulated') return value !== undefined;
  throw new TypeError(`setting '${name}': '${value}' is at no pin of this board; take simulated`);
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

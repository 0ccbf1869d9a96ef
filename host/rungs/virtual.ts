import { readFileSync } from 'node:fs';
import { Board } from '../board.js';
import {
  BUS_ABSENT,
  BUS_STUCK,
  BUS_TIMEOUT,
  configNames,
  EVENT_CONFIG_REFUSED,
  EVENT_CONNECTED,
  EVENT_FLUSHED,
  EVENT_STOPPED,
  errorNames,
  eventNames,
  FAULT_ABSENT,
  READING_FAILED,
} from '../contract.js';
import { publicKeyFromHex } from '../deploy/keys.js';
import { ModuleStore } from '../deploy/module-store.js';
import { PROOF_MS, Receiver } from '../deploy/receiver.js';
import { SIMULATED_DHT22, simulatedBuses } from '../devices/simulated.js';
import { errorText } from '../errors.js';
import { FileStorage } from '../journal/file-storage.js';
import { routeTo } from '../links/address.js';
import { builtModule, Module } from '../module.js';
import { thermometer } from '../thermometers.js';
import { type BoardEvent, type BoardListener, type BoardSettings, moduleOf, type RunningBoard } from './rung.js';

/** How long the last words before a deep sleep may take. */
const FLUSH_MS = 5_000;

/** How long the farewell of a module may take that is followed by another. */
const STOP_MS = 5_000;

/** The sensor module in this process, with real links and the real clock. */
export async function startVirtual(settings: BoardSettings, listener: BoardListener): Promise<RunningBoard> {
  const {
    broker,
    thermometer: name,
    module: _,
    journal,
    modules: _m,
    public_key: _p,
    update_trial: _t,
    i2c,
    onewire,
    adc,
    dht22,
    ...rest
  } = settings;
  const dht = simulatedFault('dht22', dht22);
  const dhtSays = (value: number) => () => (dht ? READING_FAILED - (FAULT_ABSENT - BUS_ABSENT + dht) : value);
  const module = moduleAt(moduleOf(settings));
  const receiver = receiverOf(settings);
  let stopped = () => {};
  let flushed = (_: BoardEvent) => {};
  let refused = '';
  let isEnding = false;
  const { links, discovery, config } = routeTo(String(broker).trim().split(/\s+/));
  const numbers = new Map([...configByNumber(rest), ...config]);
  const thermometers = [thermometer(String(name)), ...(dht === undefined ? [] : [dhtSays(SIMULATED_DHT22.temperature)])];
  const hygrometers = dht === undefined ? [] : [dhtSays(SIMULATED_DHT22.humidity), dhtSays(SIMULATED_DHT22.humidity)];
  const buses = simulatedBuses({
    i2c: simulatedFault('i2c', i2c),
    onewire: simulatedFault('onewire', onewire),
    adc: simulatedFault('adc', adc),
  });
  const storage = journal === undefined ? undefined : new FileStorage(String(journal), { damaged: (what) => listener.says(what) });

  let board: Board<Module>;
  let timers: NodeJS.Timeout[] = [];
  const quiet = () => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  };
  /** Starts the module whose turn it is, and the next one where a new one is no good. Throws when it is the one that the board came with. */
  const live = () => {
    const deployed = receiver?.next();
    receiver?.begins();
    const began = performance.now();
    const isOver = () => receiver?.ran(performance.now() - began) === false;
    try {
      refused = '';
      board = make(deployed ? new WebAssembly.Module(Buffer.from(deployed)) : module);
      const result = board.start();
      if (result < 0) throw new Error(`the module does not start: ${refused || errorNames[-result]}`);
    } catch (error) {
      return goOn((error as Error).message, error as Error);
    }
    if (!receiver || isEnding) return;
    const late = () => isOver() && goOn(`did not reach its broker within ${Math.ceil(receiver.trialMs / 1000)} s`);
    timers.push(...[receiver.trialMs, PROOF_MS].map((ms) => setTimeout(late, ms + 1).unref()));
  };
  /** The module that runs is no good: the board goes on with another. */
  const goOn = (why: string, error = new Error(why)) => {
    quiet();
    board?.halt();
    if (!receiver?.failed(why)) throw error;
    listener.says(`the deployed module: ${why}; the board goes on with another`);
    live();
  };
  const follow = () => {
    quiet();
    board.halt();
    receiver?.ended();
    live();
  };
  const make = (wasm: WebAssembly.Module) => {
    let isFollowed = false;
    const made: Board<Module> = new Board(
      {
        links,
        discovery,
        config: numbers,
        thermometers,
        hygrometers,
        buses,
        update: receiver,
        ...(storage && { storage }),
        failed(error) {
          try {
            goOn(error.message, error);
          } catch {
            storage?.close();
            listener.failed(error);
          }
        },
        stepped() {
          if (!receiver?.complete || isFollowed || isEnding) return;
          isFollowed = true;
          timers.push(setTimeout(follow, STOP_MS));
          made.stop();
        },
        event(code, a, b) {
          if (code === EVENT_CONFIG_REFUSED) refused = `${configNames[b]}: ${errorText(a)}`;
          if (code === EVENT_CONNECTED) receiver?.connected();
          if (code === EVENT_STOPPED) {
            if (isFollowed && !isEnding) setImmediate(follow);
            else stopped();
          }
          const event = { event: eventNames[code] ?? String(code), at: performance.timeOrigin + performance.now(), a, b };
          listener.event(event);
          if (code === EVENT_FLUSHED) flushed(event);
        },
      },
      (imports) => new Module(wasm, imports),
    );
    return made;
  };

  try {
    live();
  } catch (error) {
    storage?.close();
    throw error;
  }
  const cut = () => {
    isEnding = true;
    quiet();
    board.halt();
    storage?.close();
  };
  return {
    stop: () =>
      new Promise((resolve) => {
        isEnding = true;
        quiet();
        stopped = () => {
          receiver?.ended();
          storage?.close();
          resolve();
        };
        board.stop();
      }),
    kill: async () => cut(),
    sleep: () =>
      new Promise((resolve, reject) => {
        flushed = (event) => {
          receiver?.ended();
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

/** What the simulated bus that a setting names answers instead, 0 when it works; undefined without the setting. Another bus the board does not have. */
function simulatedFault(name: string, value: string | number | undefined): number | undefined {
  const faults = { simulated: 0, 'simulated:stuck': BUS_STUCK, 'simulated:timeout': BUS_TIMEOUT };
  const fault = Object.entries(faults).find(([known]) => known === value);
  if (fault || value === undefined) return fault?.[1];
  throw new TypeError(`setting '${name}': '${value}' is at no pin of this board; take simulated`);
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
    trialMs: trial === undefined ? undefined : Number(trial),
  });
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

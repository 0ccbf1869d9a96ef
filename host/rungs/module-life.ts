import { Board, type BoardParts } from '../board.js';
import { configNames, EVENT_CONFIG_REFUSED, EVENT_CONNECTED, EVENT_FLUSHED, EVENT_STOPPED, errorNames, eventNames } from '../contract.js';
import { PROOF_MS, type Receiver } from '../deploy/receiver.js';
import { errorText } from '../errors.js';
import type { BoardEvent } from '../events.js';
import { Module } from '../module.js';
import type { BoardListener } from './rung.js';

/** How long the last words before a deep sleep may take. */
const FLUSH_MS = 5_000;
/** How long the farewell of a module may take that is followed by another. */
const STOP_MS = 5_000;
/** What a timer of Node can count. */
const MOST_MS = 2 ** 31 - 1;

export interface LifeParts {
  /** The module that the board came with. */
  module: WebAssembly.Module;
  /** Says which module is to run; without it, it is always the one above. */
  receiver: Receiver | undefined;
  /** What every one of them finds at the board. */
  board: Omit<BoardParts, 'update' | 'failed' | 'stepped' | 'event'>;
  listener: BoardListener;
  /** Nothing runs any more, for whatever reason: what the modules used can be closed. Called once. */
  over(): void;
}

/** Who waits for the end, and what it is told when that came by a fault. */
interface Waiting {
  resolve(): void;
  reject(fault: Error): void;
}

/**
 * The modules of a board in software one after another: a new one is started when it is kept, and left for the one before when it is no good. Once it is to end,
 * none is started any more.
 */
export class ModuleLife {
  readonly #parts: LifeParts;
  #board: Board<Module> | undefined;
  #timers: NodeJS.Timeout[] = [];
  /** 'ending': the module that runs says farewell, and none follows. */
  #state: 'lives' | 'ending' | 'over' = 'lives';
  #waiting: Waiting[] = [];
  #flushed: BoardEvent | undefined;
  #goesToSleep = false;
  /** Of the module that runs: the setting that it refused, whether it is to be followed, and whether it has said farewell. */
  #refused = '';
  #isFollowed = false;
  #hasStopped = false;

  constructor(parts: LifeParts) {
    this.#parts = parts;
  }

  /** Starts the module whose turn it is. Throws when not even the one that the board came with starts; it is over then. */
  start(): void {
    const fault = this.#live();
    if (!fault) return;
    this.#finish();
    throw fault;
  }

  /** Ends in order. Resolves when it is over, also by a trap, which is told. */
  stop(): Promise<void> {
    return this.#end(
      () => this.#farewell(),
      (fault, resolve) => {
        this.#parts.listener.says(fault.message);
        resolve();
      },
    );
  }

  /** Breaks off as a power cut does. */
  cut(): void {
    this.#board?.halt();
    this.#finish();
  }

  /** The last words of a module with a journal, then it breaks off. Rejects when it has none, or traps. */
  async sleep(): Promise<BoardEvent> {
    const board = this.#board;
    if (this.#state !== 'lives' || !board?.module.flush(FLUSH_MS))
      throw new Error('this module has no journal, and cannot sleep without loss');
    this.#goesToSleep = true;
    await this.#end(
      () => board.step(),
      (fault, _, reject) => reject(fault),
    );
    if (!this.#flushed) throw new Error('the module did not say its last words');
    return this.#flushed;
  }

  /** Lets none follow, and does what makes the module end. */
  #end(begin: () => void, failed: (fault: Error, resolve: () => void, reject: (fault: Error) => void) => void): Promise<void> {
    if (this.#state === 'over') return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject: (fault) => failed(fault, resolve, reject) });
      this.#state = 'ending';
      this.#quiet();
      if (this.#hasStopped) this.#finish();
      else begin();
    });
  }

  /** Starts modules until one runs. Answers why none does. */
  #live(): Error | undefined {
    for (;;) {
      const fault = this.#begin();
      if (!fault) {
        this.#watchTrial();
        return undefined;
      }
      if (!this.#isLeft(fault)) return fault;
    }
  }

  /** Starts the module whose turn it is. Answers why it does not run. */
  #begin(): Error | undefined {
    const { receiver, board: parts, module } = this.#parts;
    const deployed = receiver?.next();
    receiver?.begins();
    this.#refused = '';
    this.#isFollowed = this.#hasStopped = false;
    let isStarting = true;
    let trap: Error | undefined;
    try {
      const wasm = deployed ? new WebAssembly.Module(Buffer.from(deployed)) : module;
      this.#board = new Board(
        {
          ...parts,
          update: receiver,
          failed: (error) => {
            if (isStarting) trap = error;
            else this.#failed(error);
          },
          stepped: () => this.#stepped(),
          event: (code, a, b) => this.#event(code, a, b),
        },
        (imports) => new Module(wasm, imports),
      );
      const result = this.#board.start();
      return result < 0 ? new Error(`the module does not start: ${this.#refused || errorNames[-result]}`) : trap;
    } catch (error) {
      return error as Error;
    } finally {
      isStarting = false;
    }
  }

  /** A module on trial has so long to reach its broker, and so long to run in order then. */
  #watchTrial(): void {
    const { receiver } = this.#parts;
    if (!receiver || this.#state !== 'lives') return;
    const began = performance.now();
    const look = () => {
      if (receiver.ran(performance.now() - began)) return;
      this.#failed(new Error(`did not reach its broker within ${Math.ceil(receiver.trialMs / 1000)} s`));
    };
    for (const ms of [receiver.trialMs, PROOF_MS]) this.#timers.push(setTimeout(look, Math.min(ms + 1, MOST_MS)).unref());
  }

  /** The module that ran is no good: the board goes on with another, or is over. */
  #failed(fault: Error): void {
    const last = this.#isLeft(fault) ? this.#live() : fault;
    if (!last) return;
    const isExpected = this.#state !== 'lives';
    this.#finish(last);
    if (!isExpected) this.#parts.listener.failed(last);
  }

  /** Halts the module that is no good, and notes that. False: no other is to be started. */
  #isLeft({ message }: Error): boolean {
    this.#quiet();
    this.#board?.halt();
    const isDeployed = this.#parts.receiver?.failed(message) === true;
    if (this.#state !== 'lives' || !(isDeployed || this.#isFollowed)) return false;
    this.#parts.listener.says(`the ${isDeployed ? 'deployed ' : ''}module: ${message}; the board goes on with another`);
    return true;
  }

  /** When a new module is kept, the one that runs makes room. */
  #stepped(): void {
    if (!this.#parts.receiver?.complete || this.#isFollowed || this.#state !== 'lives') return;
    this.#isFollowed = true;
    this.#timers.push(setTimeout(() => this.#follow(), STOP_MS));
    this.#farewell();
  }

  #farewell(): void {
    try {
      this.#board?.stop();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#failed(new Error(`the module trapped when it was to stop: ${error.message}`, { cause: error }));
    }
  }

  #follow(): void {
    if (this.#state !== 'lives') return;
    this.#quiet();
    this.#board?.halt();
    this.#parts.receiver?.ended();
    const fault = this.#live();
    if (!fault) return;
    this.#finish();
    this.#parts.listener.failed(fault);
  }

  #event(code: number, a: number, b: number): void {
    const { receiver, listener } = this.#parts;
    if (code === EVENT_CONFIG_REFUSED) this.#refused = `${configNames[b]}: ${errorText(a)}`;
    if (code === EVENT_CONNECTED) receiver?.connected();
    const event = { event: eventNames[code] ?? String(code), at: performance.timeOrigin + performance.now(), a, b };
    listener.event(event);
    if (code === EVENT_STOPPED) this.#said();
    if (code !== EVENT_FLUSHED || !this.#goesToSleep) return;
    this.#flushed = event;
    receiver?.ended();
    this.cut();
  }

  /** Farewell is said. */
  #said(): void {
    this.#hasStopped = true;
    if (this.#state === 'ending') {
      this.#parts.receiver?.ended();
      this.#finish();
    } else if (this.#isFollowed) setImmediate(() => this.#follow()); // the step is to end first
  }

  #quiet(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #finish(fault?: Error): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#quiet();
    const board = this.#board;
    setImmediate(() => board?.halt()); // the step is to end first; nothing of the module is due any more then
    this.#parts.over();
    for (const { resolve, reject } of this.#waiting) {
      if (fault) reject(fault);
      else resolve();
    }
  }
}

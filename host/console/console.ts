import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Bridge, bridgeOver, type Way } from '../bridge/bridge.js';
import { type Clock, realClock } from '../clock.js';
import type { BoardEvent } from '../events.js';
import { DEFAULT_BAUD } from '../links/address.js';
import { type KeptPort, keepPort } from '../links/kept-port.js';
import type { Command, Upload } from '../links/line-messages.js';
import { printable } from '../printable.js';

export { UploadRefused } from '../bridge/uploading.js';
export type { Command, Upload } from '../links/line-messages.js';

/** A serial port of this machine, or a stream of bytes that stands for the wire. `baud` in bits a second: 115200 of a port, no limit of a stream. */
export type ConsoleWire = { path: string; baud?: number } | { duplex: Duplex; baud?: number };

export interface ConsoleOptions {
  /** Where the board's link leads when it goes by the same line (docs/serial.md); none: the board is told that there is none. */
  brokers?: readonly Way[];
  gateway?: Way;
  clock?: Clock;
}

/** What a board is, as its event `board` says it. */
export interface BoardDescription {
  /** 'posix', 'qemu-rv32', or the port of a chip. */
  board: string;
  /** 'linux', 'rv32', 'esp32c3'. */
  chip: string;
  firmware: string;
  /** ABI_VERSION of docs/boundary.md. */
  boundary: number;
  /** The module's name or file, '' without one. */
  module: string;
  /** Of a signed module; 0 of another. */
  version: number;
  /** Whether it has settings that it can start with. */
  settings: boolean;
}

/** An event of a board: with those of a module what `board` says. */
export type ConsoleEvent = BoardEvent & Partial<Omit<BoardDescription, 'module'>>;

export interface ConsoleEvents {
  /** Of the module, or of the board: 'started', 'board', 'unconfigured'. */
  event: [event: ConsoleEvent];
  /** A line for people. */
  says: [line: string];
  /** The board answered for the first time, or `anew`: it has started since. */
  started: [anew: boolean];
  /** What a person should know of the wire, or of the way to the broker. */
  remark: [text: string];
}

/** An event may be lost on the wire: a board that does not describe itself is asked again. */
const DESCRIBE_TRIES = 3;
const DESCRIBE_MS = 2000;
/** Until a board that is there has answered a hello: two of them, and a start. */
const READY_MS = 6000;

const MOST_WORD = 255;

/** What an event `board` says, whose texts may come from anybody: undefined when something is missing, or is no word. */
function descriptionIn(event: object): BoardDescription | undefined {
  const { board, chip, firmware, boundary, module, version, settings } = event as Record<string, unknown>;
  const isWord = (text: unknown): text is string => typeof text === 'string' && text.length <= MOST_WORD && printable(text) === text;
  if (!isWord(board) || !isWord(chip) || !isWord(firmware) || !isWord(module)) return undefined;
  if (typeof boundary !== 'number' || typeof version !== 'number' || typeof settings !== 'boolean') return undefined;
  return { board, chip, firmware, boundary, module, version, settings };
}

/** The board does not do, or say, what is waited for. */
export class BoardSilent extends Error {}

/** A board at the other end of a serial line: what it says, and what it is asked. */
export class BoardConsole extends EventEmitter<ConsoleEvents> {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #bridge: Bridge;
  #port: KeptPort | undefined;
  #answers = false;

  /** Opens the wire and looks for the board; rejects when the port cannot be opened, with a sentence for people. */
  static async open(wire: ConsoleWire, options: ConsoleOptions = {}): Promise<BoardConsole> {
    const console = new BoardConsole(wire, options);
    if ('path' in wire) await console.#openPort(wire.path, wire.baud ?? DEFAULT_BAUD);
    return console;
  }

  private constructor(wire: ConsoleWire, { brokers = [], gateway, clock = realClock }: ConsoleOptions) {
    super();
    this.#clock = clock;
    this.#name = 'path' in wire ? wire.path : 'the wire';
    const baud = wire.baud ?? ('path' in wire ? DEFAULT_BAUD : undefined);
    const parts = {
      brokers,
      gateway,
      clock,
      ...(baud !== undefined && { baud }),
      event: (json: string) => this.emit('event', { a: 0, b: 0, ...JSON.parse(json) }),
      says: (line: string) => this.emit('says', line),
      started: (anew: boolean) => this.#started(anew),
      tell: (text: string) => this.emit('remark', text),
    };
    this.#bridge = 'duplex' in wire ? bridgeOver(wire.duplex, parts) : new Bridge(parts, (message) => this.#port?.send(message));
  }

  async #openPort(path: string, baud: number): Promise<void> {
    const bridge = this.#bridge;
    try {
      this.#port = await keepPort(
        path,
        baud,
        {
          received: (message) => bridge.take(message),
          away: (why) => {
            this.emit('remark', why);
            bridge.wireLost();
          },
          back: () => {
            this.emit('remark', `${path} is back`);
            bridge.begin();
          },
        },
        this.#clock,
      );
    } catch (error) {
      await bridge.close();
      throw error;
    }
    bridge.begin();
  }

  #started(anew: boolean): void {
    if (this.#answers && !anew) return;
    this.#answers = true;
    this.emit('started', anew);
  }

  /** Whether the board has answered. */
  get answers(): boolean {
    return this.#answers;
  }

  /** Resolves when the board has answered; rejects with a BoardSilent when it does not within `ms`. */
  async ready(ms = READY_MS): Promise<void> {
    if (this.#answers) return;
    await this.#first<'started', true>(
      'started',
      () => true,
      ms,
      `no board answers at ${this.#name}: is it on, does it run Twobyte's firmware, and at this baud rate?`,
    );
  }

  /** The next event for which `test` holds; rejects with a BoardSilent, in the words of `missing`, when none comes within `ms`. */
  next(test: (event: ConsoleEvent) => boolean, ms: number, missing: string): Promise<ConsoleEvent> {
    return this.#first('event', (event) => (test(event) ? event : undefined), ms, missing);
  }

  /** Asks the board to stop in order, for its last words before sleep, for a restart, or what it is; resolves when it has taken that. */
  command(what: Command): Promise<void> {
    return this.#bridge.command(what);
  }

  /**
   * Brings bytes to the board; resolves when it has kept them, which settings and certificates count from its next start on. Rejects with an UploadRefused,
   * in the board's words, when it does not want them. `progress`: how many it has.
   */
  upload(what: Upload, bytes: Uint8Array, progress?: (sent: number) => void): Promise<void> {
    return this.#bridge.upload(what, bytes, progress);
  }

  /** What the board is. */
  async describe(): Promise<BoardDescription> {
    for (let tries = 1; ; tries++) {
      const told = this.next(
        ({ event }) => event === 'board',
        DESCRIBE_MS,
        `the board at ${this.#name} does not say what it is; its firmware is older`,
      );
      told.catch(() => {}); // when the command fails first
      await this.command('tell');
      try {
        const description = descriptionIn(await told);
        if (description) return description;
        throw new BoardSilent(`the board at ${this.#name} does not say all of what it is; its firmware is older, or newer`);
      } catch (error) {
        if (tries === DESCRIBE_TRIES) throw error;
      }
    }
  }

  /** Ends in order: a board whose link goes by the line hears that it is over. Resolves when the port is free for other programs; a stream that was given stays open. */
  async close(): Promise<void> {
    await this.#bridge.close();
    await this.#port?.close();
  }

  /** Resolves with the first value that `pick` finds in what is emitted under `name`. */
  #first<K extends keyof ConsoleEvents, T>(
    name: K,
    pick: (value: ConsoleEvents[K][0]) => T | undefined,
    ms: number,
    missing: string,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const listener = (value: ConsoleEvents[K][0]) => {
        const found = pick(value);
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const events = this as EventEmitter;
      const cancel = this.#clock.after(ms, () => {
        end();
        reject(new BoardSilent(missing));
      });
      const end = () => {
        cancel();
        events.off(name, listener);
      };
      events.on(name, listener);
    });
  }
}

import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { posixRung } from '../../host/rungs/posix.js';
import type { BoardEvent, BoardSettings, Rung, RunningBoard } from '../../host/rungs/rung.js';
import { startVirtual } from '../../host/rungs/virtual.js';
import { type Connected, connected, Heard, ownTopic, within } from '../interop/peers.js';

// What a scenario is given: one rung, a broker, and boards that end with the test.

/** This file runs as build/js/test/rungs/world.js. */
const built = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const posixBoard = built('posix/twobyte-posix');
export const sanitizedBoard = built('posix-sanitized/twobyte-posix');
export const sensorModule = built('sensor-mqtt.wasm');

const isBuilt = (path: string) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** For a test's `skip`: what has to be installed for this executable to be built. */
export const skipUnbuilt = (path: string) =>
  isBuilt(path) ? false : 'the posix board is not built: apt-get install build-essential cmake';

export type RungName = 'virtual' | 'posix';

export const rungs: Readonly<Record<RungName, { start: Rung; skip: string | false }>> = {
  virtual: { start: startVirtual, skip: false },
  posix: { start: posixRung(posixBoard), skip: skipUnbuilt(posixBoard) },
};

/** A board on its rung, and what it tells. */
export interface Here extends RunningBoard {
  events: Heard<BoardEvent>;
  /** Resolves with the nth event of that name. */
  tells(name: string, count?: number): Promise<BoardEvent>;
}

export class World {
  readonly #t: TestContext;
  readonly #start: Rung;
  readonly #rung: RungName;

  /** `port` is the broker's, `topic` the scenario's own. */
  constructor(
    t: TestContext,
    rung: RungName,
    readonly port: number,
    readonly topic = ownTopic(),
  ) {
    this.#t = t;
    this.#rung = rung;
    this.#start = rungs[rung].start;
  }

  /** The same with another broker. */
  at(port: number): World {
    return new World(this.#t, this.#rung, port, this.topic);
  }

  /** A board that reads each tenth of a second, unless the settings say otherwise. */
  async board(settings: BoardSettings = {}): Promise<Here> {
    const events = new Heard<BoardEvent>();
    const board = await this.#start(this.#settings(settings), {
      event: (event) => events.add(event),
      says: () => {},
      failed: (error) => events.fail(error),
    });
    this.#t.after(() => board.kill());
    const tells = async (name: string, count = 1) => {
      const named = (all: readonly BoardEvent[]) => all.filter(({ event }) => event === name);
      const all = await events.until((all) => named(all).length >= count, `event ${count} '${name}'`);
      return named(all)[count - 1] as BoardEvent;
    };
    return { events, tells, stop: () => within(board.stop(), 'the end of the board'), kill: () => board.kill() };
  }

  /** What a board says that does not start. */
  refusal(settings: BoardSettings): Promise<string> {
    const refused = new Promise<string>((resolve, reject) => {
      const said: string[] = [];
      this.#start(this.#settings(settings), {
        event: ({ event }) => event === 'connected' && reject(new Error('it started')),
        says: (line) => said.push(line),
        failed: ({ message }) => resolve([message, ...said].join('\n')),
      }).then(
        (board) => this.#t.after(() => board.kill()),
        ({ message }: Error) => resolve(message),
      );
    });
    return within(refused, 'the refusal');
  }

  #settings(settings: BoardSettings): BoardSettings {
    return {
      broker: `mqtt://127.0.0.1:${this.port}`,
      thermometer: 'simulated:1',
      client_id: `board-${this.topic.replace(/\W/g, '')}`,
      topic: this.topic,
      interval: 100,
      reconnect_min: 10,
      reconnect_max: 50,
      ...settings,
    };
  }

  /** A client that is subscribed to `filters`. */
  async hearing(filters: string | string[] = this.topic): Promise<Connected> {
    const peer = await connected(this.#t, `mqtt://127.0.0.1:${this.port}`);
    await peer.client.subscribeAsync(filters, { qos: 2 });
    return peer;
  }

  /** A file of the scenario's own. */
  async file(name: string, text: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'twobyte-scenario-'));
    this.#t.after(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, name), text);
    return join(directory, name);
  }

  after(end: () => Promise<unknown>): void {
    this.#t.after(end);
  }
}

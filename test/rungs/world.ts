import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type EmbeddedOptions, startGateway } from '../../host/gateway/embedded.js';
import { posixRung } from '../../host/rungs/posix.js';
import { qemuRung } from '../../host/rungs/qemu.js';
import type { BoardEvent, BoardSettings, Rung, RunningBoard } from '../../host/rungs/rung.js';
import { startVirtual } from '../../host/rungs/virtual.js';
import { type Connected, connected, Heard, ownTopic, within } from '../interop/peers.js';
import { Capture as SnCapture } from '../protocol/sn/capture.js';
import type { Datagram } from '../protocol/sn/datagram.js';
import { connection, type Place, placeFor, type Wire, wireTo } from './places.js';

// What a scenario is given: one rung, one protocol, a broker, and boards that end with the test. Over MQTT-SN the board is at a capture in front of a
// gateway of the scenario's own, which leads to that same broker.

/** This file runs as build/js/test/rungs/world.js. */
const built = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const posixBoard = built('posix/twobyte-posix');
export const sanitizedBoard = built('posix-sanitized/twobyte-posix');
/** The posix board with the sensor modules compiled in. */
export const compiledBoard = built('posix-aot/twobyte-posix');
/** Images for an emulated rv32 machine; those with a module compiled in are named by it. */
export const emulatedBoards = built('qemu-rv32');
/** What ends a posix board at a chosen call when it is preloaded: firmware/test/power_cut.c. */
export const powerCut = built('posix/libpower_cut.so');
export const sensorModule = built('sensor-mqtt.wasm');
export const journalModule = built('sensor-mqtt-journal.wasm');

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
  isBuilt(path) ? false : `the posix board is not built: apt-get install build-essential cmake${path === compiledBoard ? ' wabt' : ''}`;

const skipNoImage = (image: string, packages = '') =>
  isBuilt(join(emulatedBoards, image))
    ? false
    : `the emulated board is not built: apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc${packages}`;

export type RungName = 'virtual' | 'posix' | 'posix-aot' | 'qemu-rv32' | 'qemu-rv32-aot' | 'sanitized';
export type Protocol = 'mqtt' | 'mqtt-sn';

export const rungs: Readonly<Record<RungName, { start: Rung; skip: string | false }>> = {
  virtual: { start: startVirtual, skip: false },
  posix: { start: posixRung(posixBoard), skip: skipUnbuilt(posixBoard) },
  /** The same with its modules compiled by wasm2c, in the place of wasm3. */
  'posix-aot': { start: posixRung(compiledBoard), skip: skipUnbuilt(compiledBoard) },
  /** The board's C without an operating system, on an emulated rv32 machine whose UART is bridged here. */
  'qemu-rv32': { start: qemuRung(emulatedBoards), skip: skipNoImage('twobyte-rv32') },
  'qemu-rv32-aot': { start: qemuRung(emulatedBoards, 'aot'), skip: skipNoImage('twobyte-rv32-sensor', ' wabt') },
  /** The posix board with address, leak and undefined-behaviour sanitizers: what they report is a finding of the scenario. */
  sanitized: { start: posixRung(sanitizedBoard), skip: skipUnbuilt(sanitizedBoard) },
};

/** How long a board may take to end in order when its scenario is over. */
const END_MS = 500;

/** Where a scenario is told: `module` is what the board runs, `port` the broker's. */
export interface Ground {
  rung: RungName;
  protocol: Protocol;
  module?: string;
  port: number;
}

/** A gateway of one scenario, and the capture in front of it. */
export interface Way {
  /** The capture's. */
  address: string;
  /** The gateway's own. */
  gateway: string;
  capture: SnCapture;
}

/** A board on its rung, and what it tells. */
export interface Here extends RunningBoard {
  events: Heard<BoardEvent>;
  /** Its lines for people. */
  words: Heard<string>;
  /** Resolves with the nth event of that name. */
  tells(name: string, count?: number): Promise<BoardEvent>;
  restart(): Promise<void>;
}

export class World {
  readonly #t: TestContext;
  readonly #captures: SnCapture[];
  readonly #reports: string[];

  /** A world with a broker, and over MQTT-SN with a gateway to it. */
  static async on(t: TestContext, ground: Ground): Promise<World> {
    const world = new World(t, ground, `mqtt://127.0.0.1:${ground.port}`, ownTopic());
    return ground.protocol === 'mqtt' ? world : world.#at(ground.port, (await world.way()).address);
  }

  /** `address` is where its boards connect, `topic` the scenario's own. */
  private constructor(
    t: TestContext,
    readonly ground: Ground,
    readonly address: string,
    readonly topic: string,
    captures: SnCapture[] = [],
    reports: string[] = [],
  ) {
    this.#t = t;
    this.#captures = captures;
    this.#reports = reports;
  }

  get port(): number {
    return this.ground.port;
  }

  get protocol(): Protocol {
    return this.ground.protocol;
  }

  #at(port: number, address: string): World {
    return new World(this.#t, { ...this.ground, port }, address, this.topic, this.#captures, this.#reports);
  }

  /** The same with another broker, which the boards reach by MQTT. */
  at(port: number): World {
    return this.#at(port, `mqtt://127.0.0.1:${port}`);
  }

  /** A broker of the scenario's own that is not there yet, and may go: over MQTT-SN the gateway goes with it. Boards and hearers are at `there`. */
  async place(): Promise<Place & { there: World }> {
    const place = await placeFor(this.protocol);
    this.#t.after(() => place.goes());
    return Object.assign(place, { there: this.#at(place.port, place.address) });
  }

  /** What boards of this world say passes through it and may be held up. */
  async wire(): Promise<Wire> {
    const wire = await wireTo(this.protocol, Number(new URL(this.address).port));
    this.#t.after(() => wire.close());
    return wire;
  }

  /** A gateway of its own to the broker, with a capture in front, which is judged. */
  async way(options: EmbeddedOptions = {}): Promise<Way> {
    const gateway = await startGateway(`mqtt://127.0.0.1:${this.port}`, { connection, ...options });
    this.#t.after(() => gateway.close());
    const capture = await this.capture(gateway.port);
    return { address: `mqtt-sn://127.0.0.1:${capture.port}`, gateway: gateway.url, capture };
  }

  /** A capture in front of the gateway at `port`, which is judged. */
  async capture(port: number): Promise<SnCapture> {
    const capture = await SnCapture.to(port);
    this.#t.after(() => capture.close());
    this.#captures.push(capture);
    return capture;
  }

  /** What sanitizers said of boards that have ended. */
  get reports(): readonly string[] {
    return this.#reports;
  }

  /** The event by which a board learns that its peer is gone: a line that carries datagrams tells nothing of it, silence does. */
  get tellsLoss(): 'link_closed' | 'timeout' {
    return this.ground.rung.startsWith('qemu') && this.protocol === 'mqtt-sn' ? 'timeout' : 'link_closed';
  }

  /** A command over the receive buffer of a module for one protocol. A line carries no datagram over 1,024 bytes. */
  get largeCommand(): string {
    return 'x'.repeat(this.tellsLoss === 'timeout' ? 900 : 3000);
  }

  /** Settings for boards that shall notice silence soon. */
  get impatient(): BoardSettings {
    return this.tellsLoss === 'timeout' ? { retry_interval: 200, retries: 1 } : {};
  }

  /** Whether a board of this rung counts what it allocates. */
  get countsHeap(): boolean {
    return this.ground.rung !== 'virtual' && this.ground.rung !== 'sanitized';
  }

  /** A board that is killed has no leak to report: with sanitizers it may end by itself first, if nothing holds it up. */
  async #end(board: RunningBoard): Promise<void> {
    if (this.ground.rung === 'sanitized') await Promise.race([board.stop(), setTimeout(END_MS, undefined, { ref: false })]);
    await board.kill();
  }

  #heard(line: string): void {
    if (/Sanitizer|runtime error/.test(line)) this.#reports.push(line);
  }

  /** What the strict checker found in all that boards and gateways said to each other. */
  get findings() {
    return this.#captures.flatMap(({ findings }) => findings);
  }

  /** All that boards and gateways said to each other. */
  get datagrams(): Datagram[] {
    return this.#captures.flatMap(({ clients }) => clients.flatMap(({ datagrams }) => datagrams));
  }

  /** A board that reads each tenth of a second, unless the settings say otherwise. */
  async board(settings: BoardSettings = {}): Promise<Here> {
    const events = new Heard<BoardEvent>();
    const words = new Heard<string>();
    const board = await rungs[this.ground.rung].start(this.#settings(settings), {
      event: (event) => events.add(event),
      says: (line) => {
        words.add(line);
        this.#heard(line);
      },
      failed: (error) => events.fail(error),
    });
    this.#t.after(() => this.#end(board));
    const tells = async (name: string, count = 1) => {
      const named = (all: readonly BoardEvent[]) => all.filter(({ event }) => event === name);
      const all = await events.until((all) => named(all).length >= count, `event ${count} '${name}'`);
      return named(all)[count - 1] as BoardEvent;
    };
    return {
      events,
      words,
      tells,
      stop: () => within(board.stop(), 'the end of the board'),
      kill: () => board.kill(),
      sleep: () => within(board.sleep(), 'the last words of the board'),
      restart: () => within(Promise.resolve(board.restart?.()), 'the answer of the board that is to restart'),
    };
  }

  /** What a board says that does not start. */
  refusal(settings: BoardSettings): Promise<string> {
    const refused = new Promise<string>((resolve, reject) => {
      const said: string[] = [];
      rungs[this.ground.rung]
        .start(this.#settings(settings), {
          event: ({ event }) => event === 'connected' && reject(new Error('it started')),
          says: (line) => {
            this.#heard(line);
            said.push(line);
          },
          failed: ({ message }) => resolve([message, ...said].join('\n')),
        })
        .then(
          (board) => this.#t.after(() => board.kill()),
          ({ message }: Error) => resolve(message),
        );
    });
    return within(refused, 'the refusal');
  }

  /** Client id of the world's boards, at most 23 bytes. */
  get clientId(): string {
    return `board-${this.topic.replace(/\W/g, '')}`;
  }

  #settings(settings: BoardSettings): BoardSettings {
    const { module } = this.ground;
    return {
      broker: this.address,
      thermometer: 'simulated:1',
      client_id: this.clientId,
      topic: this.topic,
      interval: 100,
      reconnect_min: 10,
      reconnect_max: 50,
      ...(module !== undefined && { module: settings.journal === undefined ? module : `${module}-journal` }),
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
    const path = await this.filePath(name);
    await writeFile(path, text);
    return path;
  }

  /** Where such a file may be. */
  async filePath(name: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'twobyte-scenario-'));
    this.#t.after(() => rm(directory, { recursive: true, force: true }));
    return join(directory, name);
  }

  after(end: () => Promise<unknown>): void {
    this.#t.after(end);
  }

  /** For peers that end with the test by themselves. */
  get test(): TestContext {
    return this.#t;
  }
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { type EmbeddedOptions, startGateway } from '../gateway/embedded.js';
import type { BoardEvent, BoardListener, BoardSettings, RunningBoard } from '../rungs/rung.js';
import { DatagramProxy } from './datagram-proxy.js';
import { addressOf, connection, type Ground, type HilBoard, NotHere, type Protocol } from './ground.js';
import { Heard, within } from './heard.js';
import { type Hearing, hearing } from './hearing.js';
import { type Place, placeFor } from './places.js';
import type { Frame, ScriptedProxy } from './proxy.js';
import { StreamProxy } from './stream-proxy.js';

// What a scenario is given: one rung, one protocol, a broker, and boards that end with it. Boards are at a proxy in front of the broker, or of a
// gateway of the scenario's own that leads to it.

/** How long a board may take to end in order when its scenario is over. */
const END_MS = 500;

/** A gateway of one scenario, and the proxy in front of it. */
export interface Way {
  /** The proxy's. */
  address: string;
  /** The gateway's own. */
  gateway: string;
  proxy: ScriptedProxy;
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

/** Something that boards said, for the report of a scenario that fails. */
export interface Remark {
  /** In ms of performance.now(). */
  at: number;
  /** Which of the scenario's boards, from 1. */
  board: number;
  what: string;
}

/** What a world and those at other brokers have in common. */
interface Shared {
  readonly ends: (() => Promise<unknown>)[];
  /** Boards that are being started. */
  readonly starts: Set<Promise<unknown>>;
  /** The scenario is: nothing begins any more, and what comes late ends at once. */
  over: boolean;
  readonly proxies: ScriptedProxy[];
  readonly remarks: Remark[];
  readonly reports: string[];
  boards: number;
}

interface Target {
  host: string;
  port: number;
}

let topics = 0;

/** A topic of one scenario's own, with levels in Chinese where the path of the readings has them. */
const ownTopic = () => `myhome/底楼/客厅/温度/${process.pid}-${++topics}`;

export class World {
  readonly #shared: Shared;
  /** What is behind `address`. */
  readonly #target: Target;

  /** A world with a broker, and over MQTT-SN with a gateway to it. Its owner calls end(). */
  static async on(ground: Ground): Promise<World> {
    const shared: Shared = { ends: [], starts: new Set(), over: false, proxies: [], remarks: [], reports: [], boards: 0 };
    const { host, port } = ground.broker;
    const world = new World(ground, addressOf({ host, port }), ground.broker, ownTopic(), shared);
    if (ground.lacks?.wire !== undefined && ground.protocol === 'mqtt') return world;
    if (ground.protocol === 'mqtt') return world.#at((await world.#proxy(ground.broker)).address, ground.broker);
    const { address, gateway } = await world.way();
    return world.#at(address, { host: '127.0.0.1', port: Number(new URL(gateway).port) });
  }

  /** `address` is where its boards connect, `topic` the scenario's own. */
  private constructor(
    readonly ground: Ground,
    readonly address: string,
    target: Target,
    readonly topic: string,
    shared: Shared,
  ) {
    this.#target = target;
    this.#shared = shared;
  }

  get protocol(): Protocol {
    return this.ground.protocol;
  }

  /** Of the broker, for clients and gateways in this process. */
  get broker(): string {
    return addressOf(this.ground.broker);
  }

  /** The same without what logs in. */
  get bareBroker(): string {
    const { host, port } = this.ground.broker;
    return addressOf({ host, port });
  }

  #at(address: string, target: Target, broker = this.ground.broker): World {
    return new World({ ...this.ground, broker }, address, target, this.topic, this.#shared);
  }

  /** The same with a broker of the scenario's own, which lets in one user only: over MQTT. */
  async guarded(username: string, password: string): Promise<World> {
    const broker = await this.#ownBroker()({ login: { username, password } });
    this.after(() => broker.stop());
    const target = { host: '127.0.0.1', port: broker.port };
    return this.#at((await this.#proxy(target)).address, target, { ...target, username, password });
  }

  /** A broker of the scenario's own that is not there yet, and may go: over MQTT-SN the gateway goes with it. Boards and hearers are at `there`. */
  async place(): Promise<Place & { there: World }> {
    if (this.ground.lacks?.wire !== undefined) throw new NotHere(this.ground.lacks.wire);
    const startProxy = async (target: number, port: number) =>
      this.#keep(await this.#carrier.to({ host: '127.0.0.1', port: target }, { port }));
    const place = await placeFor(this.protocol, { startBroker: this.#ownBroker(), startProxy });
    this.after(() => place.goes());
    const at = (port: number) => ({ host: '127.0.0.1', port });
    return Object.assign(place, { there: this.#at(place.address, at(place.target), at(place.port)) });
  }

  #ownBroker() {
    const { ownBroker } = this.ground;
    if (typeof ownBroker === 'string') throw new NotHere(ownBroker);
    return ownBroker;
  }

  /** A proxy in front of what boards of this world connect to: what passes through it is held up and lost as the scenario says. */
  wire(): Promise<ScriptedProxy> {
    return this.#proxy(this.#target, 'wire');
  }

  /** A gateway of its own to the broker, with a proxy in front. */
  async way(options: EmbeddedOptions = {}): Promise<Way> {
    const gateway = await startGateway(this.broker, { connection, ...options });
    this.after(() => gateway.close());
    const proxy = await this.proxyTo(gateway.port);
    return { address: proxy.address, gateway: gateway.url, proxy };
  }

  /** A proxy in front of what speaks this world's protocol at a port of the loopback address. */
  proxyTo(port: number): Promise<ScriptedProxy> {
    return this.#proxy({ host: '127.0.0.1', port });
  }

  get #carrier(): typeof StreamProxy | typeof DatagramProxy {
    return this.protocol === 'mqtt' ? StreamProxy : DatagramProxy;
  }

  async #proxy(target: Target, kind: 'way' | 'wire' = 'way'): Promise<ScriptedProxy> {
    if (this.ground.lacks?.wire !== undefined) throw new NotHere(this.ground.lacks.wire);
    const proxy = this.#keep(await this.#carrier.to(target));
    this.ground.watch?.(proxy, this.protocol, kind);
    return proxy;
  }

  #keep(proxy: ScriptedProxy): ScriptedProxy {
    this.after(() => proxy.close());
    this.#shared.proxies.push(proxy);
    return proxy;
  }

  /** All that passed through proxies, or was to, in the order in which it came. */
  get frames(): Frame[] {
    return this.#shared.proxies.flatMap(({ frames }) => frames).sort((one, other) => one.at - other.at);
  }

  /** What boards said. */
  get remarks(): readonly Remark[] {
    return this.#shared.remarks;
  }

  /** What sanitizers said of boards that have ended. */
  get reports(): readonly string[] {
    return this.#shared.reports;
  }

  /** The event by which a board learns that its peer is gone: a line that carries datagrams tells nothing of it, silence does. */
  get tellsLoss(): 'link_closed' | 'timeout' {
    return (this.ground.rung.startsWith('qemu') || this.ground.rung === 'board') && this.protocol === 'mqtt-sn' ? 'timeout' : 'link_closed';
  }

  /** A command over the receive buffer of a module for one protocol. A line carries no datagram over 1,024 bytes. */
  get largeCommand(): string {
    return 'x'.repeat(this.tellsLoss === 'timeout' ? 900 : 3000);
  }

  /** Settings for boards that shall notice silence soon. */
  get impatient(): BoardSettings {
    return this.tellsLoss === 'timeout' ? { retry_interval: 200, retries: 1 } : {};
  }

  /** What a reading says. A board behind a port may have a module that keeps readings, which adds a time to those that had to wait. */
  reading(payload: Uint8Array): string {
    const text = String(payload);
    return this.ground.rung === 'board' ? text.replace(/ \d{10}$/, '') : text;
  }

  /** Whether a board of this rung counts what it allocates. */
  get countsHeap(): boolean {
    return this.ground.rung !== 'virtual' && this.ground.rung !== 'sanitized';
  }

  /** A board that is killed has no leak to report: with sanitizers it may end by itself first, if nothing holds it up. */
  async #end(board: HilBoard): Promise<void> {
    if (this.ground.rung === 'sanitized') await Promise.race([board.stop(), setTimeout(END_MS, undefined, { ref: false })]);
    await (board.leave?.() ?? board.kill());
  }

  #says(board: number, line: string): void {
    this.#shared.remarks.push({ at: performance.now(), board, what: `says   ${line}` });
    if (/Sanitizer|runtime error/.test(line)) this.#shared.reports.push(line);
  }

  #tells(board: number, { event, a, b, at: _, ...rest }: BoardEvent): void {
    const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    this.#shared.remarks.push({ at: performance.now(), board, what: `event  ${event} ${a} ${b}${more}` });
  }

  /** A board that reads each tenth of a second, unless the settings say otherwise. */
  async board(settings: BoardSettings = {}): Promise<Here> {
    const events = new Heard<BoardEvent>();
    const words = new Heard<string>();
    const number = this.#another();
    const board = await this.#start(settings, {
      event: (event) => {
        this.#tells(number, event);
        events.add(event);
      },
      says: (line) => {
        this.#says(number, line);
        words.add(line);
      },
      failed: (error) => events.fail(error),
    });
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

  /** A board that ends with the scenario; one whose start is overtaken by the scenario's end is ended as soon as it has started. */
  async #start(settings: BoardSettings, listener: BoardListener): Promise<HilBoard> {
    const { starts, over } = this.#shared;
    if (over) throw new Error('the scenario is over, and starts no board');
    const start = this.ground.start(this.#settings(settings), listener).then((board) => {
      this.after(() => this.#end(board));
      return board;
    });
    starts.add(start);
    try {
      return await start;
    } finally {
      starts.delete(start);
    }
  }

  #another(): number {
    return ++this.#shared.boards;
  }

  /** What a board says that does not start. */
  refusal(settings: BoardSettings): Promise<string> {
    const number = this.#another();
    const refused = new Promise<string>((resolve, reject) => {
      const said: string[] = [];
      this.#start(settings, {
        event: (event) => {
          this.#tells(number, event);
          if (event.event === 'connected') reject(new Error('it started'));
        },
        says: (line) => {
          this.#says(number, line);
          said.push(line);
        },
        failed: ({ message }) => resolve([message, ...said].join('\n')),
      }).catch((error: Error) => (error instanceof NotHere ? reject(error) : resolve(error.message)));
    });
    return within(refused, 'the refusal');
  }

  /** Client id of the world's boards, at most 23 bytes. */
  get clientId(): string {
    return `board-${this.topic.replace(/\W/g, '')}`;
  }

  #settings(settings: BoardSettings): BoardSettings {
    const { module, broker, protocol } = this.ground;
    return {
      broker: this.address,
      thermometer: 'simulated:1',
      client_id: this.clientId,
      topic: this.topic,
      interval: 100,
      reconnect_min: 10,
      reconnect_max: 50,
      ...(broker.username !== undefined && protocol === 'mqtt' && { username: broker.username, password: broker.password ?? '' }),
      ...(module !== undefined && { module: settings.journal === undefined ? module : `${module}-journal` }),
      ...settings,
    };
  }

  /** A client that is subscribed to `filters`. */
  async hearing(filters: string | string[] = this.topic): Promise<Hearing> {
    const peer = await hearing(this.broker, filters);
    this.after(() => peer.client.endAsync(true));
    return peer;
  }

  /** A file of the scenario's own, which its boards can read. */
  async file(name: string, text: string): Promise<string> {
    if (this.ground.lacks?.files !== undefined) throw new NotHere(this.ground.lacks.files);
    const path = await this.filePath(name);
    await writeFile(path, text);
    return path;
  }

  /** Where such a file may be. */
  async filePath(name: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'twobyte-scenario-'));
    this.after(() => rm(directory, { recursive: true, force: true }));
    return join(directory, name);
  }

  /** Says what is to be done when the scenario is over; what was said last is done first. */
  after(end: () => Promise<unknown>): void {
    this.#shared.ends.push(end);
    if (this.#shared.over) void this.#endAll().catch(() => {});
  }

  /** Ends all that is left of the scenario, and waits for boards that are still being started. */
  async end(): Promise<void> {
    this.#shared.over = true;
    await this.#endAll();
    await Promise.allSettled(this.#shared.starts);
    await this.#endAll();
  }

  async #endAll(): Promise<void> {
    const { ends } = this.#shared;
    for (let end = ends.pop(); end; end = ends.pop()) await end();
  }
}

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { Aedes } from 'aedes';
import { type DeployOptions, deploy } from '../../host/deploy/deployment.js';
import { makeKeys, readPrivateKey } from '../../host/deploy/keys.js';
import { type ModuleLabel, signModule } from '../../host/deploy/module-file.js';
import { channelOver } from '../../host/deploy/over-mqtt.js';
import type { BoardEvent, BoardSettings, Rung, RunningBoard } from '../../host/rungs/rung.js';
import { connected as connectedTo, Heard } from '../interop/peers.js';
import { sensorModule, skipUnbuilt } from '../rungs/world.js';

// Who deploys, the broker between, and the board.

export const nodeModule = () => readFileSync(sensorModule.replace('sensor-mqtt', 'node-mqtt'));

/** For a test's `skip`: false, or what has to be installed for this posix board to be built, and to verify signatures. */
export function skipUnverifying(board: string): string | false {
  const unbuilt = skipUnbuilt(board);
  if (unbuilt) return unbuilt;
  // The test of the library says whether there is one.
  const { stdout, error } = spawnSync(join(dirname(board), 'update_psa_test'), { encoding: 'utf8' });
  if (error) return `update_psa_test does not run (${error.message}): build the posix board anew`;
  return stdout.startsWith('missing') ? 'the posix board cannot verify signatures: apt-get install libmbedtls-dev' : false;
}

/** A broker that can be cut off and comes back at its port. */
export class QuickBroker {
  readonly #aedes: Aedes;
  readonly #sockets = new Set<Socket>();
  #server = createServer();
  port = 0;

  static async open(): Promise<QuickBroker> {
    const broker = new QuickBroker(await Aedes.createBroker());
    await broker.listen();
    return broker;
  }

  constructor(aedes: Aedes) {
    this.#aedes = aedes;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async listen(): Promise<void> {
    // Without it the broker's small packets wait for acknowledgements of TCP, 40 ms each.
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      void this.#aedes.handle(socket);
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Every connection breaks, and nobody listens. */
  async cut(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#aedes.close();
  }
}

/** Keys, files and settings of one test. */
export class Bench {
  readonly directory = mkdtempSync(join(tmpdir(), 'twobyte-deploy-'));
  readonly keys = makeKeys(join(this.directory, 'keys'));
  readonly topic: string;

  constructor(
    readonly t: TestContext,
    readonly broker: QuickBroker,
    name: string,
  ) {
    this.topic = `deploy/${name.replace(/\W/g, '-')}`;
    t.after(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  signed(module: Uint8Array, label: Partial<ModuleLabel> = {}, keys = this.keys): Buffer {
    return signModule(module, { version: 1, name: 'node-mqtt', boundary: 1, ...label }, readPrivateKey(keys.privateKey));
  }

  settings(more: BoardSettings = {}): BoardSettings {
    return {
      broker: this.broker.url,
      module: 'node-mqtt',
      thermometer: 'simulated:1',
      client_id: this.topic.slice(0, 40),
      topic: `${this.topic}/t`,
      interval: 60_000,
      reconnect_min: 50,
      reconnect_max: 200,
      modules: this.file('modules'),
      public_key: this.keys.publicHex,
      update_topic: this.topic,
      ...more,
    };
  }

  /** A board that ends with the test. */
  board(rung: Rung, more: BoardSettings = {}, without = ''): Promise<Board> {
    return this.started(rung, Object.fromEntries(Object.entries(this.settings(more)).filter(([name]) => name !== without)));
  }

  /** The same with these settings alone. */
  async started(rung: Rung, settings: BoardSettings): Promise<Board> {
    const board = new Board();
    await board.start(rung, settings);
    this.t.after(() => board.kill());
    await board.tells('connected');
    return board;
  }

  /** Deploys by a client of its own, which ends with the test. */
  async deploys(file: Uint8Array, options: DeployOptions = {}): Promise<string> {
    const { client } = await connectedTo(this.t, this.broker.url, { reconnectPeriod: 50, maxReconnectPeriod: 200 });
    client.on('error', () => {}); // a broker that is cut off, for example
    try {
      return await deploy(await channelOver(client, this.topic), file, { answerMs: 500, patienceMs: 20_000, ...options });
    } finally {
      await client.endAsync(true);
    }
  }
}

/** A board that can be started again. */
export class Board {
  readonly events = new Heard<BoardEvent>();
  readonly words = new Heard<string>();
  /** Resolves when a board ended by itself. */
  readonly ended: Promise<void>;
  #end = () => {};
  #running: RunningBoard | undefined;
  #ended = false;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async start(rung: Rung, settings: BoardSettings): Promise<void> {
    this.#ended = false;
    this.#running = await rung(settings, {
      event: (event) => this.events.add(event),
      says: (line) => this.words.add(line),
      failed: (error) => {
        this.#ended = true;
        this.#end();
        this.words.add(error.message);
      },
    });
  }

  tells(name: string, count = 1): Promise<readonly BoardEvent[]> {
    return this.events.until((all) => all.filter(({ event }) => event === name).length >= count, `${name}, ${count} times`, 20_000);
  }

  count(name: string): number {
    return this.events.all.filter(({ event }) => event === name).length;
  }

  async kill(): Promise<void> {
    if (!this.#ended) await this.#running?.kill();
    this.#running = undefined;
  }
}

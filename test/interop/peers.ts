import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { DEADLINE_MS, Heard, within } from '../../host/hil/heard.js';
import { type Client, type ClientOptions, connect, type Message } from '../../host/index.js';

export { DEADLINE_MS, Heard, within };

/** What an emitter must have to be waited for: our client and MQTT.js's have it both. */
interface Emitter {
  once(name: string, listener: (...values: unknown[]) => void): unknown;
}

/** The next event of that name. Unlike events.once it does not fail with the first error: errors are what many tests bring about. */
export function event<T = unknown>(emitter: object, name: string, ms = DEADLINE_MS): Promise<T> {
  const next = new Promise<T>((resolve) => {
    (emitter as Emitter).once(name, (value) => resolve(value as T));
  });
  return within(next, `the event '${name}'`, ms);
}

export interface Connected {
  client: Client;
  messages: Heard<Message>;
  sessionPresent: boolean;
}

/** A client of one test, connected; it ends with the test. It hears messages from its first moment on. */
export async function connected(t: TestContext, url: string, options: ClientOptions = {}): Promise<Connected> {
  const client = connect(url, { reconnectPeriod: 0, ...options });
  t.after(() => client.endAsync(true));
  const messages = listen(client);
  const { sessionPresent } = await outcome(client);
  return { client, messages, sessionPresent };
}

/** The messages a client receives from now on. */
export function listen(client: Client): Heard<Message> {
  const messages = new Heard<Message>();
  client.on('message', (_topic, _payload, message) => messages.add(message));
  return messages;
}

/** The first connection, or the error that came in its place. */
function outcome(client: Client): Promise<{ sessionPresent: boolean }> {
  const first = new Promise<{ sessionPresent: boolean }>((resolve, reject) => {
    client.once('error', reject);
    client.once('connect', (details) => {
      client.off('error', reject);
      resolve(details);
    });
  });
  return within(first, 'the connection');
}

/** A client that is expected not to get through: its first error. */
export async function firstError(t: TestContext, url: string, options: ClientOptions = {}): Promise<Error & { code: number | string }> {
  const client = connect(url, { reconnectPeriod: 0, ...options });
  t.after(() => client.endAsync(true));
  const stopped = event(client, 'end');
  const error = await event<Error & { code: number | string }>(client, 'error');
  await stopped; // it does not go on in secret
  return error;
}

/** A wire that can be cut, between a client and the broker at `port`. */
export class Wire {
  readonly #server = createServer({ allowHalfOpen: true });
  readonly #sockets = new Set<Socket>();
  readonly #ended = new Heard<true>();

  static async to(t: TestContext, port: number): Promise<Wire> {
    const wire = new Wire();
    wire.#server.on('connection', (near) => {
      const far = dial({ port, host: '127.0.0.1', allowHalfOpen: true });
      for (const socket of [near, far]) {
        wire.#sockets.add(socket);
        socket.on('error', () => {}).on('close', () => wire.#sockets.delete(socket));
      }
      near.pipe(far);
      far.pipe(near);
      far.on('end', () => wire.#ended.add(true));
    });
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    t.after(() => {
      wire.#server.close();
      wire.cut();
    });
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when the broker has ended a connection: it has then acted on all that came before. */
  async brokerEnded(): Promise<void> {
    await this.#ended.count(1);
  }

  /** From now on nothing passes. */
  hold(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Breaks all connections off. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

let names = 0;

/** A topic of one test's own, with levels in Chinese where the path of the readings has them. */
export function ownTopic(): string {
  return `myhome/底楼/客厅/温度/${process.pid}-${++names}`;
}

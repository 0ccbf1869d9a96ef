import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Waiting } from '../waiting.js';
import { Conversation, type Finding, type Options } from './checker.js';
import type { Datagram, Side } from './datagram.js';
import { decode, type Name, nameIn } from './messages.js';

const HOST = '127.0.0.1';

/** What one client and the gateway said to each other, over all its sockets. */
export interface Captured {
  /** In the order of the wire, with times of performance.now(). */
  readonly datagrams: Datagram[];
  readonly checked: Conversation;
  /** From its CONNECT. */
  clientId: string | undefined;
}

/** A socket of a client and the one that speaks for it to the gateway. */
interface Pair {
  readonly from: RemoteInfo;
  readonly upstream: Socket;
  captured: Captured;
}

/**
 * A proxy at a free UDP port of 127.0.0.1 in front of a gateway. It keeps and checks all that passes, before it passes it on, for each client by
 * itself: a client that comes back from another port is known by the client id of its CONNECT.
 *
 *     await using capture = await Capture.to(gateway.port);
 *     … clients send to capture.port …
 *     assert.deepEqual(capture.findings, []);
 */
export class Capture implements AsyncDisposable {
  /** In the order in which they first spoke. */
  readonly clients: Captured[] = [];
  readonly #socket: Socket;
  readonly #target: number;
  readonly #options: Options;
  readonly #pairs = new Map<number, Pair>();
  readonly #waiting = new Waiting();
  readonly #losing: { from: Side; name: Name | undefined; left: number }[] = [];
  #closed = false;

  /** `options` are those of the checker: `judged: 'client'` in front of a gateway of others. */
  static async to(port: number, options: Options = {}): Promise<Capture> {
    const socket = createSocket('udp4');
    const capture = new Capture(socket, port, options);
    socket.bind(0, HOST);
    await once(socket, 'listening');
    return capture;
  }

  private constructor(socket: Socket, target: number, options: Options) {
    this.#socket = socket;
    this.#target = target;
    this.#options = options;
    socket.on('message', (bytes, from) => this.#fromClient(bytes, from));
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Of all clients. */
  get findings(): Finding[] {
    return this.clients.flatMap(({ checked }) => checked.findings);
  }

  /** The conversation of one client. */
  of(clientId: string): Captured {
    const found = this.clients.find((each) => each.clientId === clientId);
    if (!found)
      throw new Error(`no client '${clientId}' connected; ${this.clients.map((each) => `'${each.clientId}'`).join(', ') || 'none'} did`);
    return found;
  }

  /** How many messages of this kind one side sent so far, over all clients: `PUBLISH` of the client, for example. */
  count(from: Side, name: Name): number {
    const all = this.clients.flatMap(({ datagrams }) => datagrams);
    return all.filter((datagram) => datagram.from === from && nameIn(datagram.bytes) === name).length;
  }

  /** Resolves when that many messages of this kind have come. */
  until(from: Side, name: Name, count = 1): Promise<void> {
    return this.#waiting.until(() => this.count(from, name), count, `${name} of the ${from}`);
  }

  /** Loses the next `count` messages of this kind (of any, without one) that this side sends. */
  lose(from: Side, name?: Name, count = 1): void {
    this.#losing.push({ from, name, left: count });
  }

  /** From now on everything passes. */
  loseNothing(): void {
    this.#losing.length = 0;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const sockets = [this.#socket, ...[...this.#pairs.values()].map(({ upstream }) => upstream)];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #fromClient(bytes: Buffer, from: RemoteInfo): void {
    const pair = this.#pairs.get(from.port) ?? this.#accept(from);
    this.#recognize(pair, bytes);
    if (this.#note(pair.captured, 'client', bytes)) pair.upstream.send(bytes, this.#target, HOST);
  }

  #accept(from: RemoteInfo): Pair {
    const upstream = createSocket('udp4');
    const captured: Captured = { datagrams: [], checked: new Conversation(this.#options), clientId: undefined };
    const pair: Pair = { from, upstream, captured };
    this.#pairs.set(from.port, pair);
    upstream.on('message', (bytes) => {
      if (this.#note(pair.captured, 'gateway', bytes) && !this.#closed) this.#socket.send(bytes, from.port, from.address);
    });
    return pair;
  }

  /** Finds the conversation that a datagram belongs to, by its client id or else by its socket. */
  #recognize(pair: Pair, bytes: Buffer): void {
    const id = clientIdIn(bytes);
    const known = id === undefined ? undefined : this.clients.find(({ clientId }) => clientId === id);
    if (known) {
      pair.captured = known;
      return;
    }
    if (id !== undefined && pair.captured.clientId !== undefined) {
      pair.captured = { datagrams: [], checked: new Conversation(this.#options), clientId: id }; // another client at the same socket
    } else if (id !== undefined) pair.captured.clientId = id;
    if (!this.clients.includes(pair.captured)) this.clients.push(pair.captured);
  }

  /** Answers whether the datagram is to be passed on. */
  #note({ datagrams, checked }: Captured, from: Side, bytes: Buffer): boolean {
    const name = nameIn(bytes);
    const losing = this.#losing.find((each) => each.left > 0 && each.from === from && (each.name ?? name) === name);
    if (losing) losing.left--;
    const datagram: Datagram = { from, bytes: Uint8Array.from(bytes), at: performance.now(), ...(losing && { lost: true }) };
    datagrams.push(datagram);
    checked.take(datagram);
    this.#waiting.look();
    return !losing;
  }
}

/** The client id of a CONNECT, or of the PINGREQ of a client that sleeps. */
function clientIdIn(bytes: Uint8Array): string | undefined {
  try {
    const { fields } = decode(bytes, 'client', () => {});
    return fields.name === 'CONNECT' || fields.name === 'PINGREQ' ? fields.clientId : undefined;
  } catch {
    return undefined; // malformed: the checker says so
  }
}

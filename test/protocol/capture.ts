import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Checker, type Connection, type Direction } from './checker.js';
import { Framer, type Name, nameOf } from './packets.js';
import type { Packet } from './tshark.js';
import { Waiting } from './waiting.js';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly checked: Connection;
  cut: boolean;
  over: boolean;
}

/**
 * A proxy at a free port of 127.0.0.1 that shows all that passes, in both directions and over all connections, to a checker, and keeps the
 * packets. It records what it passes on, before it does.
 *
 *     await using capture = await Capture.to(broker.port);
 *     … a client connects to capture.port …
 *     await capture.close();
 *     assert.deepEqual(capture.checker.findings, []);
 */
export class Capture implements AsyncDisposable {
  readonly checker = new Checker();
  /** Whole packets, in the order of the wire. */
  readonly packets: Packet[] = [];
  readonly #server: Server;
  readonly #counts = new Map<string, number>();
  readonly #pairs = new Set<Pair>();
  readonly #waiting = new Waiting();
  #held: Direction | undefined;
  #last: { direction: Direction; name: Name; count: number } | undefined;

  static async to(port: number): Promise<Capture> {
    const server = createServer({ allowHalfOpen: true });
    const capture = new Capture(server, port);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return capture;
  }

  private constructor(server: Server, target: number) {
    this.#server = server;
    server.on('connection', (client) => this.#accept(client, connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many packets of this kind one side sent so far: `PUBLISH` of the client, for example. */
  count(direction: Direction, name: Name): number {
    return this.#counts.get(`${direction} ${name}`) ?? 0;
  }

  /** Resolves when that many packets of this kind have passed. */
  until(direction: Direction, name: Name, count = 1): Promise<void> {
    return this.#waiting.until(() => this.count(direction, name), count, `${name} of the ${direction}`);
  }

  /** From now on nothing that this side sends passes, on any connection, until release() or cut(). */
  hold(direction: Direction): void {
    this.#held = direction;
    for (const pair of this.#pairs) pair[direction].pause();
  }

  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held) for (const pair of this.#pairs) pair[held].resume();
  }

  /** Breaks all connections off, with what is held back. New ones pass. */
  cut(): void {
    for (const pair of this.#pairs) {
      pair.cut = true;
      for (const socket of [pair.client, pair.server]) {
        if (socket.writableEnded)
          socket.destroy(); // a reset of what is already ending fails, and the handle stays
        else socket.resetAndDestroy();
      }
      this.#over(pair);
    }
    this.#held = undefined;
  }

  /** Passes the next packet of this kind on, but no answer: then breaks all connections off. */
  cutAfter(direction: Direction, name: Name): void {
    this.#last = { direction, name, count: this.count(direction, name) + 1 };
  }

  /** Breaks off what is left, and gives the port up. To have a DISCONNECT captured, wait for it with until() first. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket, server: Socket): void {
    const pair: Pair = { client, server, checked: this.checker.connection(), cut: false, over: false };
    this.#pairs.add(pair);
    this.#forward(pair, 'client');
    this.#forward(pair, 'server');
  }

  #forward(pair: Pair, from: Direction): void {
    const source = pair[from];
    const sink = pair[from === 'client' ? 'server' : 'client'];
    const framer = new Framer();
    source.setNoDelay(true);
    if (this.#held === from) source.pause();
    source.on('data', (bytes: Buffer) => {
      if (pair.over) return;
      pair.checked[from](bytes);
      this.#keep(framer, from, bytes);
      const last = this.#last;
      if (last && this.count(last.direction, last.name) >= last.count) {
        this.#last = undefined;
        this.hold(last.direction === 'client' ? 'server' : 'client');
        sink.write(bytes, () => this.cut());
      } else if (!sink.write(bytes)) source.pause();
    });
    sink.on('drain', () => {
      if (this.#held !== from) source.resume();
    });
    source.on('end', () => sink.end());
    source.on('error', () => {
      pair.cut = true;
      sink.destroy();
    });
    source.on('close', () => {
      sink.end();
      if (sink.closed) this.#over(pair);
    });
  }

  #keep(framer: Framer, direction: Direction, chunk: Uint8Array): void {
    try {
      framer.push(chunk);
      for (let frame = framer.next(); frame; frame = framer.next()) {
        this.packets.push({ direction, bytes: frame.raw });
        const kind = `${direction} ${nameOf((frame.raw[0] ?? 0) >> 4)}`;
        this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
      }
    } catch {
      // cannot be cut into packets: the checker says so
    }
    this.#waiting.look();
  }

  #over(pair: Pair): void {
    if (pair.over) return;
    pair.over = true;
    this.#pairs.delete(pair);
    pair.checked.end(pair.cut);
  }
}

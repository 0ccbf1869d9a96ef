import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { mqttDup, mqttName, PacketCutter } from './packets.js';
import { type Frame, ScriptedProxy, type Side } from './proxy.js';

interface Pair {
  readonly number: number;
  readonly board: Socket;
  readonly peer: Socket;
  /** What waits, by its sender. */
  readonly held: Readonly<Record<Side, Frame[]>>;
  /** Who has said all, while it waits. */
  readonly finished: Set<Side>;
  cut: boolean;
  over: boolean;
}

const other = (side: Side): Side => (side === 'board' ? 'peer' : 'board');

/** A proxy between boards and a broker of MQTT: whole packets pass, in their order, unless its script says otherwise. */
export class StreamProxy extends ScriptedProxy {
  readonly #host: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #count = 0;

  /** Listens at `port` of the loopback address (a free one without it) for connections to the broker at `target`. */
  static async to(target: { host: string; port: number }, { port = 0, host = '127.0.0.1' } = {}): Promise<StreamProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new StreamProxy(server, target, host);
    server.listen(port, host);
    await once(server, 'listening');
    return proxy;
  }

  private constructor(server: Server, target: { host: string; port: number }, host: string) {
    super();
    this.#server = server;
    this.#host = host;
    server.on('connection', (board) => this.#accept(board, connect({ ...target, allowHalfOpen: true, noDelay: true })));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `mqtt://${this.#host}:${this.port}`;
  }

  silence(from: Side): void {
    this.hold(from);
  }

  hear(): void {
    this.release();
  }

  cut(): void {
    for (const pair of this.#pairs) {
      pair.cut = true;
      for (const socket of [pair.board, pair.peer]) {
        if (socket.writableEnded)
          socket.destroy(); // a reset of what is already ending fails, and the handle stays
        else socket.resetAndDestroy();
      }
      this.#over(pair);
    }
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  protected releaseHeld(): void {
    for (const pair of this.#pairs)
      for (const side of ['board', 'peer'] as const) {
        for (const frame of pair.held[side].splice(0)) {
          this.pass(frame);
          pair[other(side)].write(frame.bytes);
        }
        if (pair.finished.has(side)) pair[other(side)].end();
      }
  }

  #accept(board: Socket, peer: Socket): void {
    const pair: Pair = {
      number: ++this.#count,
      board,
      peer,
      held: { board: [], peer: [] },
      finished: new Set(),
      cut: false,
      over: false,
    };
    this.#pairs.add(pair);
    this.#forward(pair, 'board');
    this.#forward(pair, 'peer');
  }

  #forward(pair: Pair, from: Side): void {
    const source = pair[from];
    const sink = pair[other(from)];
    const waiting = pair.held[from];
    const cutter = new PacketCutter();
    source.on('data', (chunk: Buffer) => {
      let flows = true;
      for (const bytes of cutter.push(chunk)) {
        if (pair.over) return;
        const frame = this.judge(from, pair.number, mqttName(bytes), mqttDup(bytes), bytes, waiting.length > 0);
        if (frame.fate === 'held') waiting.push(frame);
        else if (frame.fate === 'passed') flows = sink.write(bytes);
      }
      if (!flows) source.pause();
    });
    sink.on('drain', () => source.resume());
    source.on('end', () => {
      sink.write(cutter.end());
      if (waiting.length > 0) pair.finished.add(from);
      else sink.end();
    });
    source.on('error', () => {
      pair.cut = true;
      sink.destroy();
    });
    source.on('close', () => {
      if (waiting.length === 0) sink.end();
      if (sink.closed) this.#over(pair);
    });
  }

  #over(pair: Pair): void {
    if (pair.over) return;
    pair.over = true;
    for (const frame of [...pair.held.board, ...pair.held.peer]) frame.fate = 'lost';
    this.#pairs.delete(pair);
    this.ended(pair.number, pair.cut);
  }
}

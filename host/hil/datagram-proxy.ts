import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mqttsnDup, mqttsnName } from './packets.js';
import { type Frame, ScriptedProxy, type Side } from './proxy.js';

/** A socket of a board and the one that speaks for it to the gateway. */
interface Pair {
  readonly number: number;
  readonly from: RemoteInfo;
  readonly upstream: Socket;
}

/** A proxy between boards and a gateway of MQTT-SN: datagrams pass unless its script says otherwise. */
export class DatagramProxy extends ScriptedProxy {
  readonly #host: string;
  readonly #socket: Socket;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Map<string, Pair>();
  readonly #held: { frame: Frame; send: () => void }[] = [];
  #closed = false;

  /** Listens at `port` of the loopback address (a free one without it) for datagrams to the gateway at `target`. */
  static async to(target: { host: string; port: number }, { port = 0, host = '127.0.0.1' } = {}): Promise<DatagramProxy> {
    const socket = createSocket('udp4');
    const proxy = new DatagramProxy(socket, target, host);
    socket.bind(port, host);
    await once(socket, 'listening');
    return proxy;
  }

  private constructor(socket: Socket, target: { host: string; port: number }, host: string) {
    super();
    this.#socket = socket;
    this.#target = target;
    this.#host = host;
    socket.on('message', (bytes, from) => this.#fromBoard(bytes, from));
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get address(): string {
    return `mqtt-sn://${this.#host}:${this.port}`;
  }

  silence(from: Side): void {
    this.lose(from, undefined, Number.POSITIVE_INFINITY);
  }

  hear(): void {
    this.loseNothing();
  }

  cut(): void {
    for (const { frame } of this.#held.splice(0)) frame.fate = 'lost';
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const sockets = [this.#socket, ...[...this.#pairs.values()].map(({ upstream }) => upstream)];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  protected releaseHeld(): void {
    for (const { frame, send } of this.#held.splice(0)) {
      this.pass(frame);
      send();
    }
  }

  #fromBoard(bytes: Buffer, from: RemoteInfo): void {
    const pair = this.#pairs.get(`${from.address} ${from.port}`) ?? this.#accept(from);
    this.#take('board', pair, bytes, () => pair.upstream.send(bytes, this.#target.port, this.#target.host));
  }

  #accept(from: RemoteInfo): Pair {
    const upstream = createSocket('udp4');
    const pair: Pair = { number: this.#pairs.size + 1, from, upstream };
    this.#pairs.set(`${from.address} ${from.port}`, pair);
    upstream.on('message', (bytes) => this.#take('peer', pair, bytes, () => this.#socket.send(bytes, from.port, from.address)));
    return pair;
  }

  #take(from: Side, { number }: Pair, bytes: Buffer, forward: () => void): void {
    const send = () => {
      if (!this.#closed) forward();
    };
    const frame = this.judge(from, number, mqttsnName(bytes), mqttsnDup(bytes), bytes, false);
    if (frame.fate === 'held') this.#held.push({ frame, send });
    else if (frame.fate === 'passed') send();
  }
}

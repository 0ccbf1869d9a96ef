import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connectAsync } from '../../host/client.js';
import { decode } from '../../host/gateway/decode.js';
import * as sn from '../../host/gateway/encode.js';
import type { Fault, Message } from '../../host/gateway/messages.js';

// Load for a gateway from one process: many light clients, each with a socket of its own, and somebody who sends garbage.

const TICK_MS = 10;
/** Tretry and Nretry, SN 7.2. */
const RETRY_MS = 10_000;
const RETRIES = 5;
const QUEUE_BYTES = 4 * 1024 * 1024;
const TOPIC_ROOT = 'myhome/底楼';

/** A request that waits for its answer. */
interface Request {
  datagram: Buffer;
  /** When it was due, and when it was sent last. */
  due: number;
  sent: number;
  tries: number;
}

/** A client that connects, registers its topic and publishes at QoS 1, one message after another. */
class LightClient {
  readonly name: string;
  readonly #swarm: Swarm;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #waiting: Buffer[] = [];
  readonly #due: number[] = [];
  #outstanding: Request | undefined;
  #topicId = 0;
  #msgId = 0;
  #published = 0;

  constructor(swarm: Swarm, name: string, port: number) {
    this.#swarm = swarm;
    this.name = name;
    this.#port = port;
    this.#socket = createSocket('udp4');
    this.#socket.on('message', (datagram) => this.#take(datagram));
  }

  async opens(): Promise<void> {
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
  }

  connects(): void {
    this.#ask(sn.connect({ will: false, clean: true, duration: 600, clientId: this.name }), performance.now());
  }

  publishes(now: number): void {
    const msgId = (this.#msgId % 0xffff) + 1;
    this.#msgId = msgId;
    const data = Buffer.from(`${this.name} ${this.#published++}`);
    const datagram = sn.publish({ dup: false, qos: 1, retain: false, topicType: 0, topicId: this.#topicId, msgId, data });
    if (!this.#outstanding) {
      this.#ask(datagram, now);
      return;
    }
    this.#waiting.push(datagram); // one at a time (SN 6.9)
    this.#due.push(now);
  }

  /** Sends again what had no answer for too long. */
  looksAfter(now: number): void {
    const request = this.#outstanding;
    if (!request || now - request.sent < RETRY_MS || request.tries > RETRIES) return;
    if (request.datagram[1] === 0x0c) request.datagram[2] = (request.datagram[2] ?? 0) | 0x80; // DUP
    request.sent = now;
    request.tries++;
    this.#swarm.resent++;
    this.#send(request.datagram);
  }

  /** Leaves in order; the answer is not waited for. */
  closes(): void {
    this.#socket.send(sn.disconnect(), this.#port, '127.0.0.1', () => this.#socket.close());
  }

  #ask(datagram: Buffer, due: number): void {
    this.#outstanding = { datagram, due, sent: performance.now(), tries: 1 };
    this.#send(datagram);
  }

  #send(datagram: Buffer): void {
    this.#socket.send(datagram, this.#port, '127.0.0.1');
  }

  #take(datagram: Buffer): void {
    const fault = this.#follow(decode(datagram));
    if (fault) this.#swarm.fails(`${this.name}: ${fault}`);
  }

  /** Does what a message asks for; answers what is wrong with it. */
  #follow(message: Message | Fault): string | undefined {
    if (typeof message === 'string') return `the gateway sent a malformed datagram: ${message}`;
    if ('code' in message && message.code !== 0) return `${message.type} with code ${message.code}`;
    if (message.type === 'DISCONNECT') return 'it was disconnected';
    if (message.type === 'CONNACK') this.#ask(sn.register(0, 1, `${TOPIC_ROOT}/${this.name}/温度`), performance.now());
    if (message.type === 'REGACK') {
      this.#topicId = message.topicId;
      this.#outstanding = undefined;
      this.#swarm.isReady();
    }
    if (message.type === 'PUBACK' && this.#outstanding?.datagram.readUInt16BE(5) === message.msgId) {
      this.#swarm.acknowledged(performance.now() - this.#outstanding.due);
      this.#outstanding = undefined;
      if (this.#waiting.length > 0) this.#ask(this.#waiting.shift() as Buffer, this.#due.shift() as number);
    }
    return undefined;
  }
}

export interface SwarmRun {
  published: number;
  /** Published and not acknowledged in the end. */
  unacknowledged: number;
  /** Published and not heard by the subscriber in the end. */
  lost: number;
  /** Copies that the subscriber heard. */
  repeated: number;
  /** Datagrams that clients sent again for want of an answer. */
  resent: number;
  /** From when a message was due to its PUBACK, in ms, in ascending order. */
  latencies: number[];
}

/** Clients at one gateway, and a subscriber at the broker behind it that hears all they publish. */
export class Swarm implements AsyncDisposable {
  resent = 0;
  readonly #clients: LightClient[];
  readonly #heard = new Set<string>();
  #repeated = 0;
  #ready = 0;
  #latencies: number[] = [];
  #fault: string | undefined;
  readonly #end: () => Promise<unknown>;

  private constructor(port: number, count: number, subscriber: Awaited<ReturnType<typeof connectAsync>>) {
    this.#clients = Array.from({ length: count }, (_, i) => new LightClient(this, `c${i}`, port));
    subscriber.on('message', (_topic, payload) => {
      const text = String(payload);
      if (this.#heard.has(text)) this.#repeated++;
      else this.#heard.add(text);
    });
    this.#end = () => subscriber.endAsync();
  }

  /** `count` clients that connect to the gateway at `port` all at once, as after a power cut, and register a topic each within `deadline` ms. */
  static async of(count: number, port: number, brokerUrl: string, deadline: number): Promise<Swarm> {
    const subscriber = await connectAsync(brokerUrl);
    await subscriber.subscribeAsync(`${TOPIC_ROOT}/#`, { qos: 1 });
    const swarm = new Swarm(port, count, subscriber);
    try {
      for (const client of swarm.#clients) await client.opens();
      for (const client of swarm.#clients) client.connects();
      await swarm.#ticks(deadline, () => swarm.#ready === count);
      if (swarm.#ready < count) throw new Error(`${swarm.#ready} of ${count} clients are connected after ${deadline} ms`);
    } catch (error) {
      await swarm[Symbol.asyncDispose]();
      throw error;
    }
    return swarm;
  }

  isReady(): void {
    this.#ready++;
  }

  acknowledged(ms: number): void {
    this.#latencies.push(ms);
  }

  /** Something that must not be; the run ends with it. */
  fails(fault: string): void {
    this.#fault ??= fault;
  }

  /** Each client publishes once a second, one after another within it, for so many seconds; then what is missing has `deadline` ms to come. */
  async publishes(seconds: number, deadline: number): Promise<SwarmRun> {
    const count = this.#clients.length;
    const all = seconds * count;
    const repeated = this.#repeated;
    const resent = this.resent;
    this.#heard.clear();
    this.#latencies = [];
    let published = 0;
    const start = performance.now();
    await this.#ticks(seconds * 1000 + deadline, (now) => {
      for (; published < all && start + (published * 1000) / count <= now; published++) this.#clients[published % count]?.publishes(now);
      return published === all && this.#latencies.length === all && this.#heard.size === all;
    });
    return {
      published,
      unacknowledged: published - this.#latencies.length,
      lost: published - this.#heard.size,
      repeated: this.#repeated - repeated,
      resent: this.resent - resent,
      latencies: this.#latencies.sort((a, b) => a - b),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.closes();
    await this.#end();
  }

  /** Calls `tick` until it answers true or the time is over. */
  #ticks(ms: number, tick: (now: number) => boolean): Promise<void> {
    const end = performance.now() + ms;
    return new Promise((resolve, reject) => {
      const timer = setInterval(() => {
        const now = performance.now();
        for (const client of this.#clients) client.looksAfter(now);
        const over = tick(now) || now >= end;
        if (!over && this.#fault === undefined) return;
        clearInterval(timer);
        if (this.#fault === undefined) resolve();
        else reject(new Error(this.#fault));
      }, TICK_MS);
    });
  }
}

/** One address that sends `rate` malformed datagrams a second to `port` until it is disposed of. */
export class Garbage implements AsyncDisposable {
  sent = 0;
  readonly #socket = createSocket('udp4');
  readonly #timer: NodeJS.Timeout;
  #seed = 1;

  constructor(port: number, rate: number) {
    this.#socket.bind(0, '127.0.0.1', () => this.#socket.setSendBufferSize(QUEUE_BYTES));
    const start = performance.now();
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - start) / 1000) * rate);
      for (; this.sent < due; this.sent++) this.#socket.send(this.#datagram(), port, '127.0.0.1');
    }, TICK_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  /** 1 to 64 bytes of which the first does not say how many they are. */
  #datagram(): Buffer {
    const datagram = Buffer.allocUnsafe(1 + (this.#random() & 63));
    for (let i = 0; i < datagram.length; i++) datagram[i] = this.#random();
    datagram[0] = datagram.length + 1;
    return datagram;
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed >>> 24;
  }
}

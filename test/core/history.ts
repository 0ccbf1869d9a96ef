import assert from 'node:assert/strict';
import { Board } from '../../host/board.js';
import {
  CONFIG_CLIENT_ID,
  CONFIG_KEEP_ALIVE,
  configNames,
  EVENT_COMMAND_REFUSED,
  EVENT_CONFIG_REFUSED,
  EVENT_DATAGRAM_DROPPED,
  EVENT_LINK_CLOSED,
  EVENT_MESSAGE,
  EVENT_NOT_QUEUED,
  EVENT_PROTOCOL_ERROR,
  EVENT_READING_DROPPED,
  EVENT_TIMEOUT,
  errorNames,
  eventNames,
  REASON_RESET,
  reasonNames,
  timeoutNames,
} from '../../host/contract.js';
import type { Link, LinkListener, OpenLink } from '../../host/links/link.js';
import { builtModule, ClientModule, type Imports, type InboundMessage, Module } from '../../host/module.js';
import type { Storage } from '../../host/storage.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { bytes } from '../protocol/script.js';

// A conversation between a module and a scripted peer, on a clock that the test moves. Nothing here waits: what a call causes has
// happened when it returns.

/** The other end of every link the module opens. */
class Peer {
  /** Bytes the client sent that hears() did not ask for yet. */
  sent = Buffer.alloc(0);
  /** Addresses as the module chose them, one a connection. */
  readonly choices: number[] = [];
  /** Bytes the link takes from now on, and at most in one call. */
  capacity = Number.POSITIVE_INFINITY;
  portion = Number.POSITIVE_INFINITY;
  /** A REASON_… negated that send() answers, when set. */
  sendError = 0;
  listener: LinkListener | undefined;
  isPaused = false;
  isAccepted = false;
  #refused = false;
  #arriving: Buffer[] = [];

  opener(choice: number): OpenLink {
    return (listener) => {
      this.choices.push(choice);
      this.listener = listener;
      this.isPaused = this.isAccepted = this.#refused = false;
      this.#arriving = [];
      this.sent = Buffer.alloc(0);
      const link: Link = {
        send: (data) => this.#take(data),
        pause: () => {
          this.isPaused = true;
        },
        resume: () => {
          this.isPaused = false;
        },
        close: () => {
          if (this.listener === listener) this.listener = undefined;
        },
      };
      return link;
    };
  }

  #take(data: Uint8Array): number {
    if (!this.isAccepted) throw new Error('bytes for a link that is not open');
    if (this.sendError) return this.sendError;
    const length = Math.min(data.length, this.capacity, this.portion);
    this.capacity -= length;
    this.sent = Buffer.concat([this.sent, data.subarray(0, length)]);
    if (length === 0) this.#refused = true;
    return length;
  }

  /** The link takes `count` more bytes, and says so when it answered 0 before. */
  takes(count: number): void {
    this.capacity = count;
    if (!this.#refused) return;
    this.#refused = false;
    this.listener?.writable();
    this.pump();
  }

  says(data: Buffer): void {
    this.#arriving.push(data);
    this.pump();
  }

  /** Hands over what has arrived, as far as the board reads. */
  pump(): void {
    while (!this.isPaused && this.listener) {
      const chunk = this.#arriving.shift();
      if (!chunk) return;
      this.listener.received(chunk);
    }
  }

  /** Chunks the board left in the system's buffers. */
  get unread(): number {
    return this.#arriving.length;
  }
}

export { VirtualClock };

export type Config = Iterable<readonly [key: number, value: string | number | Uint8Array]>;

export interface Options {
  /** Added to a client identifier `c` and no keep alive. */
  config?: Config;
  /** Where the clock starts, in ms. */
  origin?: number;
  /** 32 bits for back-off; 0 makes each delay its shortest. */
  random?: () => number;
  /** How many addresses the broker has. */
  addresses?: number;
  thermometers?: (() => number | undefined)[];
  /** What a module with a journal finds at its start, and leaves. */
  storage?: Storage;
  /** Seconds since 1970 when the clock shows 0; without it the board does not know the time. */
  epoch?: number;
}

/** A message or a piece of one, its payload as text and copied. */
export interface Heard {
  topic: string;
  payload: string;
  offset: number;
  total: number;
  qos: number;
  retain: boolean;
  dup: boolean;
  id: number;
}

export function copied({ payload, ...rest }: InboundMessage): Heard {
  return { ...rest, payload: Buffer.from(payload).toString() };
}

/** A client whose memory a test may look at. */
export class OpenClient extends ClientModule {
  get bytes(): Buffer {
    return this.memory;
  }

  /** Publishes at QoS 0 without setting the topic, which the host does when it has changed. */
  publishAgain(): number {
    return this.exports.publish(0, 0, 0);
  }

  /** Says that bytes were written which were not, as a faulty board does. */
  claims(length: number): void {
    this.exports.link_received(0, length);
  }
}

const detailNames: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  [EVENT_LINK_CLOSED]: reasonNames,
  [EVENT_PROTOCOL_ERROR]: errorNames,
  [EVENT_TIMEOUT]: timeoutNames,
  [EVENT_CONFIG_REFUSED]: errorNames,
  [EVENT_READING_DROPPED]: errorNames,
  [EVENT_COMMAND_REFUSED]: errorNames,
  [EVENT_NOT_QUEUED]: errorNames,
  [EVENT_DATAGRAM_DROPPED]: errorNames,
};

/** An event as tests write it: `published 7 0`, `protocol_error flags 500`. */
export function told(code: number, a: number, b: number): string {
  const detail = code === EVENT_CONFIG_REFUSED ? configNames[b] : b;
  return `${eventNames[code]} ${detailNames[code]?.[a] ?? a} ${detail}`;
}

export class History<M extends Module> {
  readonly board: Board<M>;
  readonly clock: VirtualClock;
  readonly peer = new Peer();
  /** Changes count at the next start. */
  readonly config: Map<number, string | number | Uint8Array>;
  #events: string[] = [];
  /** Called at each event, after it was noted. */
  during: (code: number, a: number, b: number) => void = () => {};

  constructor(load: (imports: Imports) => M, options: Options) {
    this.clock = new VirtualClock(options.origin);
    this.config = new Map<number, string | number | Uint8Array>([
      [CONFIG_CLIENT_ID, 'c'],
      [CONFIG_KEEP_ALIVE, 0],
      ...(options.config ?? []),
    ]);
    this.board = new Board(
      {
        links: Array.from({ length: options.addresses ?? 1 }, (_, choice) => this.peer.opener(choice)),
        config: this.config,
        clock: this.clock,
        random: options.random ?? (() => 0),
        thermometers: options.thermometers ?? [],
        storage: options.storage,
        unixTime: () => (options.epoch ? options.epoch + Math.floor(this.clock.now() / 1_000) : 0),
        event: (code, a, b) => {
          this.#events.push(told(code, a, b));
          this.during(code, a, b);
        },
      },
      load,
    );
  }

  get module(): M {
    return this.board.module;
  }

  /** Starts, and the link opens. */
  opens(): this {
    if (!this.peer.listener) assert.equal(this.board.start(), 0);
    this.accepts();
    return this;
  }

  /** The peer accepts the connection that the module opens. */
  accepts(): void {
    assert.ok(this.peer.listener, 'no link is being opened');
    this.peer.isAccepted = true;
    this.peer.listener.opened();
    this.peer.pump();
  }

  /** From nothing to connected; what was sent and told until then is put aside. */
  connects({ present = false } = {}): this {
    this.opens();
    this.says(present ? '20 02 01 00' : '20 02 00 00');
    const connected = this.#events.indexOf(`connected ${present ? 1 : 0} 0`);
    assert.ok(connected >= 0, `not connected: ${this.#events.join(', ')}`);
    this.#events.splice(0, connected + 1);
    assert.equal(this.peer.sent[0], 0x10, 'the first packet is no CONNECT');
    const length = 2 + (this.peer.sent[1] ?? 0); // one below 128 bytes
    this.peer.sent = this.peer.sent.subarray(length);
    return this;
  }

  /** The link breaks, and the next attempt's is open and accepted. */
  reconnects({ present = false } = {}): this {
    this.cuts();
    this.retries();
    return this.connects({ present });
  }

  /** Time passes until the next attempt begins. */
  retries(): void {
    for (let waits = 0; !this.isOpen; waits++) {
      assert.ok(this.clock.next !== undefined && waits < 100, 'no attempt follows');
      this.clock.advance(this.clock.next);
    }
  }

  /** The link is gone. */
  cuts(reason = REASON_RESET): void {
    this.peer.listener?.closed(reason, 'cut');
  }

  /** The peer sends packets in the notation of bytes(), together or in pieces of `split` bytes. */
  says(packets: string | Buffer, split = Number.POSITIVE_INFINITY): void {
    const data = typeof packets === 'string' ? bytes(packets) : packets;
    const size = Math.min(split, data.length);
    for (let at = 0; at < data.length; at += size) this.peer.says(data.subarray(at, at + size));
  }

  /** What the client sent since this was last asked is exactly this. */
  hears(...packets: string[]): void {
    const expected = Buffer.concat(packets.map(bytes)).toString('hex');
    assert.equal(this.#takeSent().toString('hex'), expected);
  }

  /** What the client sent since this was last asked. */
  heard(): Buffer {
    return this.#takeSent();
  }

  #takeSent(): Buffer {
    this.board.step();
    const { sent } = this.peer;
    this.peer.sent = Buffer.alloc(0);
    return sent;
  }

  /** The events since this was last asked are exactly these. */
  happens(...events: string[]): void {
    assert.deepEqual(this.happened(), events);
  }

  /** The events since this was last asked. */
  happened(): string[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  waits(ms: number): void {
    this.clock.advance(ms);
    this.peer.pump();
  }

  get isOpen(): boolean {
    return this.peer.listener !== undefined;
  }
}

/** A history of the client module, with the messages it hears. */
export class ClientHistory extends History<OpenClient> {
  readonly messages: Heard[] = [];

  constructor(options: Options = {}, compiled?: WebAssembly.Module) {
    super((imports) => new OpenClient(imports, compiled), options);
    this.during = (code) => {
      if (code === EVENT_MESSAGE) this.note();
    };
  }

  note(): void {
    this.messages.push(copied(this.module.message()));
  }

  /** Payloads in the order of their arrival, once each time. */
  get payloads(): string[] {
    return this.messages.map(({ payload }) => payload);
  }

  publish(topic: string, payload: string | Uint8Array, qos = 0, retain = false): number {
    return this.module.publish(topic, payload, qos, retain);
  }
}

export const clientHistory = (options: Options = {}): ClientHistory => new ClientHistory(options);

export const sensorHistory = (options: Options = {}): History<Module> =>
  new History((imports) => new Module(builtModule('sensor-mqtt'), imports), options);

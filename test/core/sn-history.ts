import assert from 'node:assert/strict';
import { Board } from '../../host/board.js';
import {
  CONFIG_CLIENT_ID,
  CONFIG_DISCOVERY,
  CONFIG_KEEP_ALIVE,
  CONFIG_PROTOCOL,
  EVENT_MESSAGE,
  REASON_RESET,
} from '../../host/contract.js';
import type { Link, LinkListener, OpenLink, Sender } from '../../host/links/link.js';
import { builtModule, type Imports, type Module } from '../../host/module.js';
import type { Storage } from '../../host/storage.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { bytes } from '../protocol/script.js';
import { type Datagram, type Finding, judge } from '../protocol/sn/checker.js';
import { type Config, copied, type Heard, OpenClient, told } from './history.js';

// A conversation between a module and a scripted MQTT-SN gateway, datagram by datagram, on a clock that the test moves. Nothing here waits: what
// a call causes has happened when it returns.

/** What is at the other end of a link that carries datagrams. */
class DatagramPeer {
  /** Datagrams the module sent that nobody asked for yet. */
  sent: Buffer[] = [];
  /** While it is set, send() answers 0. */
  isBusy = false;
  /** A REASON_… negated that send() answers, when set. */
  sendError = 0;
  listener: LinkListener | undefined;
  isAccepted = false;
  #refused = false;
  readonly #note: (from: Datagram['from'], data: Uint8Array) => void;

  /** `note` is told all that passes. */
  constructor(note: (from: Datagram['from'], data: Uint8Array) => void = () => {}) {
    this.#note = note;
  }

  open(listener: LinkListener): Link {
    this.listener = listener;
    this.isAccepted = this.#refused = false;
    this.sent = [];
    return {
      datagrams: true,
      send: (data) => this.#take(data),
      pause() {},
      resume() {},
      close: () => {
        if (this.listener === listener) this.listener = undefined;
      },
    };
  }

  accepts(): void {
    assert.ok(this.listener, 'no link is being opened');
    this.isAccepted = true;
    this.listener.opened();
  }

  says(data: Uint8Array, from: Sender): void {
    assert.ok(this.listener && this.isAccepted, 'no link is open to say something by');
    this.#note('gateway', data);
    this.listener.received(data, from);
  }

  breaks(reason: number): void {
    const { listener } = this;
    this.listener = undefined;
    listener?.closed(reason, 'cut');
  }

  /** Takes datagrams again, and says so when one was refused. */
  takes(): void {
    this.isBusy = false;
    if (!this.#refused) return;
    this.#refused = false;
    this.listener?.writable();
  }

  #take(data: Uint8Array): number {
    if (!this.isAccepted) throw new Error('a datagram for a link that is not open');
    if (this.sendError) return this.sendError;
    if (this.isBusy) {
      this.#refused = true;
      return 0;
    }
    this.#note('client', data);
    this.sent.push(Buffer.from(data));
    return data.length;
  }
}

export interface SnOptions {
  /** Added to a client identifier `c` and no keep alive. */
  config?: Config;
  /** Where the clock starts, in ms. */
  origin?: number;
  /** 32 bits for back-off and delays; 0 makes each its shortest. */
  random?: () => number;
  /** How many gateways the board knows, without discovery. */
  addresses?: number;
  /** Gateways are searched on link 1. */
  discovery?: boolean;
  thermometers?: (() => number | undefined)[];
  /** What a module with a journal finds at its start, and leaves. */
  storage?: Storage;
  /** Seconds since 1970 when the clock shows 0; without it the board does not know the time. */
  epoch?: number;
}

/** Where the gateway of link 0 is, and the one that answers on link 1 unless told otherwise. */
export const GATEWAY: Sender = { host: '192.0.2.1', port: 1884 };

const CONNECT = 0x04;
const WILLTOPIC = 0x07;
const WILLMSG = 0x09;

export class SnHistory<M extends Module> {
  readonly board: Board<M>;
  readonly clock: VirtualClock;
  /** The other end of link 0. */
  readonly peer = new DatagramPeer((from, data) => this.#note(from, data));
  /** The other end of link 1, where gateways are searched. */
  readonly searched = new DatagramPeer();
  /** Changes count at the next start. */
  readonly config: Map<number, string | number | Uint8Array>;
  /** What link 0 was opened to, one an opening: the number of an address, or a gateway as `host:port` or by its network address in hex. */
  readonly opened: string[] = [];
  /** All that passed on link 0, as the module saw it. */
  readonly conversation: Datagram[] = [];
  #events: string[] = [];
  /** Called at each event, after it was noted. */
  during: (code: number, a: number, b: number) => void = () => {};

  /** `load` makes the module, as Board takes it. */
  constructor(load: (imports: Imports) => M, options: SnOptions = {}) {
    const { addresses = 1, discovery = false } = options;
    this.clock = new VirtualClock(options.origin);
    this.config = new Map<number, string | number | Uint8Array>([
      [CONFIG_CLIENT_ID, 'c'],
      [CONFIG_KEEP_ALIVE, 0],
      [CONFIG_PROTOCOL, 1],
      [CONFIG_DISCOVERY, discovery ? 1 : 0],
      ...(options.config ?? []),
    ]);
    this.board = new Board(
      {
        links: Array.from({ length: addresses }, (_, choice) => this.#opener(String(choice))),
        ...(discovery && { discovery: { search: (listener) => this.searched.open(listener), gateway: (at) => this.#opener(place(at)) } }),
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

  /** What the module did that MQTT-SN does not allow, all in all; what the scripted gateway does is not judged. */
  get faults(): Finding[] {
    return judge(this.conversation, { vantage: 'client', judged: 'client' });
  }

  get isOpen(): boolean {
    return this.peer.listener !== undefined;
  }

  /** Starts where nothing is open yet, and the link to the gateway opens. */
  opens(): this {
    if (!this.peer.listener) assert.equal(this.board.start(), 0);
    this.accepts();
    return this;
  }

  /** The link that is being opened is open. */
  accepts(): void {
    this.peer.accepts();
  }

  /** From nothing to connected, through the handshake of the will where there is one; what was sent and told until then is put aside. */
  connects(): this {
    this.opens();
    const flags = this.#takes(CONNECT, 'CONNECT')[2] ?? 0;
    if (flags & 0x08) {
      this.says('02 06');
      this.#takes(WILLTOPIC, 'WILLTOPIC');
      this.says('02 08');
      this.#takes(WILLMSG, 'WILLMSG');
    }
    this.says('03 05 00');
    const connected = this.#events.findIndex((event) => event.startsWith('connected '));
    assert.ok(connected >= 0, `not connected: ${this.#events.join(', ')}`);
    this.#events.splice(0, connected + 1);
    return this;
  }

  /** The link breaks, and the next attempt's is open and accepted. */
  reconnects(): this {
    this.cuts();
    this.retries();
    return this.connects();
  }

  /** Time passes until the module opens link 0 again. */
  retries(): void {
    for (let waits = 0; !this.isOpen; waits++) {
      assert.ok(this.clock.next !== undefined && waits < 100, 'no attempt follows');
      this.clock.advance(this.clock.next);
    }
  }

  /** The link is gone: a gateway's port that nobody listens at any more, or the network. */
  cuts(reason = REASON_RESET): void {
    this.peer.breaks(reason);
  }

  /** The gateway sends datagrams in the notation of bytes(), each string one. */
  says(...datagrams: (string | Uint8Array)[]): void {
    for (const datagram of datagrams) this.peer.says(typeof datagram === 'string' ? bytes(datagram) : datagram, GATEWAY);
  }

  /** What the client sent since this was last asked is exactly this, each string one datagram. */
  hears(...datagrams: string[]): void {
    assert.deepEqual(this.heard().map(shown), datagrams.map(bytes).map(shown));
  }

  /** What the client sent since this was last asked. */
  heard(): Buffer[] {
    this.board.step();
    return this.peer.sent.splice(0);
  }

  /** Link 0 takes nothing (send answers 0) until it is told to. */
  getsBusy(): void {
    this.peer.isBusy = true;
  }

  /** Link 0 takes datagrams again, and the module hears it where it was refused. */
  takes(): void {
    this.peer.takes();
  }

  /** Starts where nothing was started yet, and the searching link opens. */
  startsSearching(): this {
    if (!this.searched.listener) assert.equal(this.board.start(), 0);
    this.searched.accepts();
    return this;
  }

  /** What was sent on the searching link since this was last asked is exactly this, each string one datagram. */
  searches(...datagrams: string[]): void {
    this.board.step();
    assert.deepEqual(this.searched.sent.splice(0).map(shown), datagrams.map(bytes).map(shown));
  }

  /** A datagram comes by the searching link: a GWINFO or an ADVERTISE, from a gateway or from another client. */
  gatewaySays(datagram: string, from: Sender = GATEWAY): void {
    this.searched.says(bytes(datagram), from);
  }

  /** The events since this was last asked are exactly these. */
  happens(...events: string[]): void {
    assert.deepEqual(this.happened(), events);
  }

  /** The events since this was last asked. */
  happened(): string[] {
    return this.#events.splice(0);
  }

  waits(ms: number): void {
    this.clock.advance(ms);
  }

  /** The next datagram, of this type: of an encapsulated one, the message within. */
  #takes(type: number, name: string): Buffer {
    this.board.step();
    const datagram = this.peer.sent.shift();
    const message = datagram && (datagram[1] === 0xfe ? datagram.subarray(datagram[0]) : datagram);
    assert.equal(message?.[1], type, `no ${name}: ${datagram ? shown(datagram) : 'nothing'}`);
    return message as Buffer;
  }

  #opener(to: string): OpenLink {
    return (listener) => {
      this.opened.push(to);
      return this.peer.open(listener);
    };
  }

  #note(from: Datagram['from'], data: Uint8Array): void {
    this.conversation.push({ from, bytes: Uint8Array.from(data), at: this.clock.now() });
  }
}

/** A history of the client module, with the messages it hears. */
export class SnClientHistory extends SnHistory<OpenClient> {
  readonly messages: Heard[] = [];

  constructor(options: SnOptions = {}, load = (imports: Imports) => new OpenClient(imports, builtModule('client-mqttsn'))) {
    super(load, options);
    this.during = (code) => {
      if (code === EVENT_MESSAGE) this.messages.push(copied(this.module.message()));
    };
  }

  /** Payloads in the order of their arrival, once each time. */
  get payloads(): string[] {
    return this.messages.map(({ payload }) => payload);
  }

  publish(topic: string, payload: string | Uint8Array, qos = 0, retain = false): number {
    return this.module.publish(topic, payload, qos, retain);
  }
}

function place(at: Sender | Uint8Array): string {
  return at instanceof Uint8Array ? Buffer.from(at).toString('hex') : `${at.host}:${at.port}`;
}

/** Bytes in the notation of bytes(), for people to compare. */
function shown(data: Buffer): string {
  return data.toString('hex').replace(/(..)(?=.)/g, '$1 ');
}

import type { Clock } from './clock.js';
import { realClock } from './clock.js';
import {
  BUS_NONE,
  CONFIG_JOURNAL,
  LINK_CLOSED,
  LINK_OPENED,
  LINK_WRITABLE,
  READING_FAILED,
  REASON_ADDRESS,
  STORE_FAILED,
} from './contract.js';
import { encodeAnswer, REFUSED } from './deploy/messages.js';
import type { Buses } from './devices/buses.js';
import type { Discovery, Link, OpenLink, Sender } from './links/link.js';
import type { Imports, Module } from './module.js';
import type { Storage } from './storage.js';

/** step() answers this when only a call from outside makes something due; no timer then keeps the process alive. */
const NEVER = 2 ** 31 - 1;

/** Links of a module: to the broker or the gateway, and to where gateways are searched. */
const BROKER = 0;
const SEARCH = 1;
/** Gateways that a module may have remembered. */
const GATEWAY_SLOTS = 4;
/** Datagrams that wait for the module to have read the one before; what does not fit is dropped, as the network may do too. */
const WAITING_DATAGRAMS = 64;
/** A connection that lasted less, from its opening to the next, does not keep its broker; in ms. */
const KEPT_MS = 60_000;

/** The board's part in an update, docs/updates.md. */
export interface BoardUpdate {
  /** A message of whoever deploys; `payload` is valid during the call. */
  take(payload: Uint8Array): number;
  /** What is to be published about it, once; undefined when there is nothing. */
  answer(): Uint8Array | undefined;
}

/** What a board in software is made of. */
export interface BoardParts {
  /** The brokers in the order in which they are tried, round after round; the one that held a connection is tried again first. */
  links: readonly OpenLink[];
  /** Where gateways are searched; the links above are then not used. */
  discovery?: Discovery | undefined;
  /** Configuration by CONFIG_… number. A number may stand as text in decimal. */
  config?: ReadonlyMap<number, string | number | Uint8Array>;
  /** Thermometers: each answers thousandths of a degree Celsius, or undefined when it cannot be read. */
  thermometers?: readonly (() => number | undefined)[];
  /** Hygrometers, in thousandths of a percent. */
  hygrometers?: readonly (() => number | undefined)[];
  /** What is connected to the board's buses. */
  buses?: Buses | undefined;
  /** Takes new modules; without it the board takes none. */
  update?: BoardUpdate | undefined;
  /** What outlives a power cut; without it a module with a journal works in memory alone. */
  storage?: Storage | undefined;
  /** Seconds since 1970 UTC, 0 while unknown. Default: the system's. */
  unixTime?: () => number;
  clock?: Clock;
  /** 32 random bits, for back-off. */
  random?: () => number;
  /** Takes every event of the module, during its step. */
  event(code: number, a: number, b: number): void;
  /** A step is over: the module may have room again. */
  stepped?(): void;
  /** The module trapped in a step, and the board is over as by `halt`. Without it the trap is thrown. V8 does not end a call that takes too long. */
  failed?(error: Error): void;
}

/** A board in software: gives a module the imports that the firmware gives, runs its steps, and moves bytes between it and its links. */
export class Board<M extends Module> {
  readonly module: M;
  /** What the system said of the last link that closed by itself, until another is opened. */
  linkMessage = '';
  /** Datagrams that arrived and were not handed in: the module did not read as fast, or closed the link. */
  datagramsDropped = 0;
  readonly #parts: BoardParts;
  readonly #clock: Clock;
  readonly #links: (Link | undefined)[] = [];
  readonly #gateways: (OpenLink | undefined)[] = [];
  /** Which of the brokers is used, counted on with each change; and when it was opened. */
  #server = 0;
  #openedAt: number | undefined;
  /** What waits to be handed in, one in a step, of both links in the order in which it arrived. */
  #datagrams: { of: Link; number: number; datagram: Uint8Array; from: Sender | undefined }[] = [];
  /** Of the datagram that was handed in last. */
  #sender: Sender | undefined;
  /** Bytes of a stream that arrived while the module had no room; reading is paused as long as there are any. */
  #waiting: Uint8Array[] = [];
  #stepping = false;
  #stepWanted = false;
  #halted = false;
  #askedUpdate = false;
  #cancelTimer: (() => void) | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** `load` makes the module from the imports it is given. */
  constructor(parts: BoardParts, load: (imports: Imports) => M) {
    this.#parts = parts;
    this.#clock = parts.clock ?? realClock;
    this.module = load(this.#imports());
  }

  /** Number of the broker that was opened last, in the order of the links. */
  get server(): number {
    return this.#parts.links.length > 0 ? this.#server % this.#parts.links.length : 0;
  }

  /** Starts the module. Answers 0 or a negated ERROR_…. */
  start(): number {
    const result = this.module.start();
    if (result === 0) this.step();
    return result;
  }

  /** Ends the module's session in order; EVENT_STOPPED follows. */
  stop(): void {
    this.module.stop();
    this.step();
  }

  /** Breaks the board off as a power cut does: no DISCONNECT is sent, and nothing runs any more. */
  halt(): void {
    this.#closeLink(BROKER);
    this.#closeLink(SEARCH);
    this.#sleep();
    this.#halted = true;
  }

  /** Lets the module do what is due. A call from within an event is carried out when the present step is over. */
  step(): void {
    this.#stepWanted = true;
    if (this.#stepping || this.#halted) return;
    this.#stepping = true;
    let idle = 0;
    let now = 0;
    try {
      while (!this.#halted && (this.#stepWanted || idle === 0)) {
        this.#stepWanted = false;
        now = this.#clock.now();
        idle = this.module.step(now);
        if (this.#waiting.length > 0) this.#handIn();
        if (this.#datagrams.length > 0) this.#handInDatagram();
      }
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError) || !this.#parts.failed) throw error;
      this.halt();
      this.#parts.failed(new Error(`the module trapped in a step: ${error.message}`, { cause: error }));
    } finally {
      this.#stepping = false; // also when a listener threw: the module goes on where it was
    }
    if (this.#halted) return;
    if (idle < NEVER) this.#wakeAt(now + idle);
    else this.#sleep();
    this.#parts.stepped?.(); // last: it may step again
  }

  #sleep(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #wakeAt(due: number): void {
    if (this.#cancelTimer && this.#timerAt <= due) return; // an earlier timer is harmless and saves a new one at every step
    this.#cancelTimer?.();
    this.#timerAt = due;
    this.#cancelTimer = this.#clock.after(Math.ceil(due - this.#clock.now()), () => {
      this.#cancelTimer = undefined;
      this.step();
    });
  }

  #imports(): Imports {
    const parts = this.#parts;
    const random = parts.random ?? (() => (Math.random() * 2 ** 32) | 0);
    return {
      linkOpen: (link, choice) => this.#openLink(link, choice),
      linkSend: (link, bytes) => this.#links[link]?.send(bytes) ?? 0,
      linkClose: (link) => this.#closeLink(link),
      rememberGateway: (slot, address) => this.#rememberGateway(slot, address),
      random,
      configText: (key) => {
        const value = parts.config?.get(key);
        return value === undefined || value instanceof Uint8Array ? value : Buffer.from(String(value));
      },
      configNumber: (key, otherwise) => {
        if (key === CONFIG_JOURNAL) return parts.storage ? 1 : 0;
        const value = parts.config?.get(key);
        if (value === undefined) return otherwise;
        const number = Number(value);
        return Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : -1; // -1 is outside every range, so it is refused by name
      },
      storeWrite: (key, bytes) => parts.storage?.write(key, bytes) ?? -STORE_FAILED,
      storeRead: (key) => parts.storage?.read(key),
      unixTime: parts.unixTime ?? (() => Math.floor(Date.now() / 1000)),
      temperature: (sensor) => {
        const value = parts.thermometers?.[sensor]?.();
        return value === undefined ? READING_FAILED : Math.round(value);
      },
      humidity: (sensor) => {
        const hygrometer = parts.hygrometers?.[sensor];
        return hygrometer ? Math.round(hygrometer() ?? READING_FAILED) : READING_FAILED - BUS_NONE;
      },
      i2cTransfer: (address, write, read) => parts.buses?.i2c?.transfer(address, write, read, this.#clock.now()) ?? -BUS_NONE,
      onewireTransfer: (write, read) => parts.buses?.onewire?.transfer(write, read, this.#clock.now()) ?? -BUS_NONE,
      onewireTriplet: (direction) => parts.buses?.onewire?.triplet(direction, this.#clock.now()) ?? -BUS_NONE,
      adcRead: (channel) => parts.buses?.adc?.read(channel) ?? -BUS_NONE,
      event: (code, a, b) => parts.event(code, a, b),
      updateTake: (payload) => {
        if (parts.update) return parts.update.take(payload);
        this.#askedUpdate = true;
        return 0;
      },
      updateAnswer: () => parts.update?.answer() ?? this.#refuseUpdate(),
    };
  }

  /** A board that takes no new modules says so to whoever deploys one. */
  #refuseUpdate(): Uint8Array | undefined {
    if (!this.#askedUpdate) return undefined;
    this.#askedUpdate = false;
    return encodeAnswer({ status: REFUSED, offset: 0, text: 'this board takes no new modules: it has no place to keep them' });
  }

  #openLink(number: number, choice: number): number {
    this.#closeLink(number);
    this.linkMessage = '';
    const open = this.#openerOf(number, choice);
    if (!open) return -REASON_ADDRESS;
    const link: Link = open({
      opened: () => this.#tell(number, link, LINK_OPENED, 0),
      writable: () => this.#tell(number, link, LINK_WRITABLE, 0),
      closed: (reason, message) => {
        if (link !== this.#links[number]) return;
        this.linkMessage = message;
        this.#dropDatagrams(link);
        this.#tell(number, link, LINK_CLOSED, reason);
      },
      received: (chunk, from) => {
        if (link !== this.#links[number]) return;
        if (link.datagrams) this.#takeDatagram(number, link, chunk, from);
        else this.#takeBytes(chunk);
      },
    });
    this.#links[number] = link;
    return 0;
  }

  #openerOf(number: number, choice: number): OpenLink | undefined {
    const { links, discovery } = this.#parts;
    if (number === SEARCH) return discovery?.search;
    if (number !== BROKER) return undefined;
    return discovery ? this.#gateways[choice] : links[this.#chooseServer(choice) % links.length];
  }

  #chooseServer(choice: number): number {
    const now = this.#clock.now();
    const opened = this.#openedAt;
    if (opened !== undefined && (choice > 0 || now - opened < KEPT_MS)) this.#server++;
    this.#openedAt = now;
    return this.#server;
  }

  #rememberGateway(slot: number, address: Uint8Array | undefined): number {
    const from = address ?? this.#sender;
    const open = from && this.#parts.discovery?.gateway(from);
    if (!open || slot < 0 || slot >= GATEWAY_SLOTS) return -REASON_ADDRESS;
    this.#gateways[slot] = open;
    return 0;
  }

  #tell(number: number, link: Link, what: number, reason: number): void {
    if (link !== this.#links[number]) return;
    this.module.linkChanged(number, what, reason);
    this.step();
  }

  #closeLink(number: number): void {
    const link = this.#links[number];
    if (!link) return;
    this.#links[number] = undefined;
    if (link.datagrams) this.#dropDatagrams(link);
    else this.#waiting = [];
    link.close();
  }

  #takeDatagram(number: number, of: Link, datagram: Uint8Array, from: Sender | undefined): void {
    if (this.#datagrams.length >= WAITING_DATAGRAMS) {
      this.datagramsDropped++;
      return;
    }
    this.#datagrams.push({ of, number, datagram, from });
    if (this.#stepping) return; // the step hands it in
    this.#handInDatagram();
    this.step();
  }

  /** Hands in the datagram that waits longest when the module has room for it, and asks for a step that reads it. */
  #handInDatagram(): void {
    const first = this.#datagrams[0];
    if (!first || !this.module.receivedDatagram(first.number, first.datagram)) return;
    this.#datagrams.shift();
    this.#sender = first.from;
    this.#stepWanted = true;
  }

  /** What came by a link is over with it. */
  #dropDatagrams(link: Link): void {
    const kept = this.#datagrams.filter(({ of }) => of !== link);
    this.datagramsDropped += this.#datagrams.length - kept.length;
    this.#datagrams = kept;
  }

  #takeBytes(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#handIn();
    this.step();
  }

  /** Moves the bytes that wait into the module, as far as there is room; asks for a step when anything moved. */
  #handIn(): void {
    let chunk = this.#waiting[0];
    while (chunk) {
      const taken = this.module.received(0, chunk);
      if (taken > 0) this.#stepWanted = true;
      if (taken < chunk.length) {
        this.#waiting[0] = chunk.subarray(taken);
        if (taken > 0) return; // the step reads what was handed in, then comes back for the rest
        this.#links[BROKER]?.pause();
        return;
      }
      this.#waiting.shift();
      chunk = this.#waiting[0];
    }
    this.#links[BROKER]?.resume();
  }
}

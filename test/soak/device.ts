import { readFileSync } from 'node:fs';
import binaryen from 'assemblyscript/binaryen';
import {
  CONFIG_JOURNAL,
  EVENT_COMMAND_REFUSED,
  EVENT_CONNECTED,
  EVENT_DATAGRAM_DROPPED,
  EVENT_INTERVAL_CHANGED,
  EVENT_READING,
  EVENT_READING_DROPPED,
  EVENT_STOPPED,
  LINK_CLOSED,
  LINK_OPENED,
  READING_FAILED,
  REASON_ENDED,
  REASON_REFUSED,
  REASON_RESET,
  REASON_UNREACHABLE,
  RECORD_MESSAGE,
} from '../../host/contract.js';
import type { Exports } from '../../host/module.js';

// A module on a board that only counts, for years of virtual time: no buffers are copied that need not be, and all of the module's state is in
// sight, which is its linear memory and its global variables.

const NEVER = 2 ** 31 - 1;
const LATENCY_MS = 20;
/** What is left of the record of a message when it is acknowledged. */
const TOMBSTONE_BYTES = 12;
/** A step that asks for the next at once goes on; more of them in one moment are a loop. */
const STEPS_MOST = 1000;

const instrumented = new Map<string, { module: WebAssembly.Module; globals: number }>();

/** The built module `name`, its global variables exported as g0, g1 and so on; nothing else of it is changed. */
function openModule(name: string) {
  let opened = instrumented.get(name);
  if (!opened) {
    // This file runs as build/js/test/soak/device.js.
    const built = binaryen.readBinary(readFileSync(new URL(`../../../${name}.wasm`, import.meta.url)));
    built.setFeatures(binaryen.Features.MutableGlobals | binaryen.Features.BulkMemory | binaryen.Features.SignExt);
    const globals = built.getNumGlobals();
    for (let i = 0; i < globals; i++) built.addGlobalExport(binaryen.getGlobalInfo(built.getGlobalByIndex(i)).name, `g${i}`);
    opened = { module: new WebAssembly.Module(Uint8Array.from(built.emitBinary())), globals };
    instrumented.set(name, opened);
  }
  return opened;
}

/** Pseudo-random numbers that a seed decides (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return t ^ (t >>> 14);
  }

  /** From 0 to below `most`. */
  below(most: number): number {
    return (this.bits() >>> 0) % most;
  }
}

/** What happened, as counts that a month may be compared by. */
export function noCounts() {
  return {
    readings: 0,
    dropped: 0,
    delivered: 0,
    availability: 0,
    again: 0,
    connections: 0,
    commands: 0,
    refused: 0,
    sends: 0,
    bytesSent: 0,
    bytesHeard: 0,
    steps: 0,
    messageWrites: 0,
    tombstoneWrites: 0,
    otherWrites: 0,
    bytesWritten: 0,
  };
}

export type Counts = ReturnType<typeof noCounts>;

/** The other end of the link. What it answers goes through Device.answer. */
export interface Peer {
  /** Messages of datagrams, or a stream. */
  readonly datagrams: boolean;
  /** `length` bytes of the module's memory at `at`: whole packets, or a datagram. */
  takes(memory: Uint8Array, at: number, length: number): void;
  /** The link is gone. */
  ended(): void;
  /** It was started anew and knows nothing of before. */
  forgets(): void;
  /** Somebody sends a command, which is kept until it is delivered; a retained one comes again with each subscription. */
  command(payload: string, retain?: boolean): void;
  /** Over MQTT-SN: it registers the topic of the commands. */
  registers(): void;
  /** It ends the connection: over MQTT-SN by DISCONNECT, over MQTT by a packet that there is not. */
  expels(): void;
  /** Its identifiers begin anew. */
  renumbers(): void;
  /** Whether it still has something for the device. */
  readonly waits: boolean;
}

/** There is no more of a module than this. */
export interface State {
  memory: Buffer;
  variables: number[];
}

export interface DeviceOptions {
  module: string;
  config: ReadonlyMap<number, string | number>;
  /** Where the module's clock starts, in ms. */
  origin?: number;
  /** Without it the board has no storage. */
  storage?: boolean;
}

export class Device {
  readonly memory: Uint8Array;
  readonly records = new Map<number, Uint8Array>();
  now: number;
  counts = noCounts();
  chance = new Chance(1);
  /** Of a datagram, that it is lost, in thousandths. */
  loss = 0;
  isStopped = true;
  isConnected = false;
  /** The most records that were there at once. */
  recordsMost = 0;
  /** The number of the last reading that the thermometer was asked for, and when. */
  reading = 0;
  readAt = 0;
  /** The packet identifier of the last reading. */
  lastId = 0;
  /** What only ever moves on in the module, as the outside sees it. */
  readonly moved = { readingsDropped: 0, datagramsDropped: 0, registration: 0 };
  /** Connections since the beginning. */
  connections = 0;
  heard: ((code: number, a: number) => void) | undefined;
  thermometerFails = false;
  /** Readings that the module took and the peer has not. */
  readonly awaited = new Set<number>();
  peer!: Peer;
  protected readonly exports: Exports;
  readonly #globals: WebAssembly.Global[];
  readonly #config: Map<number, string | number>;
  #due = Number.POSITIVE_INFINITY;
  #arrivals: { at: number; bytes: Uint8Array }[] = [];
  /** What becomes of the link, told at `#outcomeAt`: 0 for its opening, or a REASON_…. */
  #outcome = 0;
  #outcomeAt = Number.POSITIVE_INFINITY;
  #isOpen = false;
  /** The stream went through a time without network: the peer has given it up. */
  #isStale = false;
  #isNetworkUp = true;
  #isPeerUp = true;
  #script: { at: number; work: () => void }[] = [];

  constructor({ module: name, config, origin = 0, storage = false }: DeviceOptions) {
    const { module, globals } = openModule(name);
    this.now = origin;
    this.#config = new Map(config);
    const view = (at: number, length: number) => this.memory.subarray(at, at + length);
    const board = {
      link_open: () => this.#open(),
      link_send: (_link: number, at: number, length: number) => this.#send(at, length),
      link_close: () => this.#close(),
      random: () => this.chance.bits(),
      remember_gateway: () => -1,
      config_text: (key: number, to: number, capacity: number) => {
        const value = this.#config.get(key);
        if (value === undefined) return -1;
        const text = Buffer.from(String(value));
        if (text.length <= capacity) this.memory.set(text, to);
        return text.length;
      },
      config_number: (key: number, otherwise: number) => {
        if (key === CONFIG_JOURNAL) return storage ? 1 : 0;
        return Number(this.#config.get(key) ?? otherwise);
      },
      store_write: (key: number, at: number, length: number) => {
        if (key >> 16 !== RECORD_MESSAGE) this.counts.otherWrites++;
        else if (length === TOMBSTONE_BYTES) this.counts.tombstoneWrites++;
        else this.counts.messageWrites++;
        this.counts.bytesWritten += length;
        if (length === 0) this.records.delete(key);
        else this.records.set(key, Uint8Array.from(view(at, length)));
        if (this.records.size > this.recordsMost) this.recordsMost = this.records.size;
        return 0;
      },
      store_read: (key: number, to: number, capacity: number) => {
        const record = this.records.get(key);
        if (!record) return -1;
        this.memory.set(record.subarray(0, capacity), to);
        return record.length;
      },
      unix_time: () => 0,
      temperature: () => {
        if (this.thermometerFails) return READING_FAILED;
        this.reading = (this.reading + 1) % READINGS;
        this.readAt = this.now;
        return (FIRST_READING + this.reading) * 100;
      },
      event: (code: number, a: number, b: number) => this.#event(code, a, b),
    };
    const { exports } = new WebAssembly.Instance(module, { board });
    this.exports = exports as unknown as Exports;
    this.#globals = Array.from({ length: globals }, (_, i) => exports[`g${i}`] as WebAssembly.Global);
    this.memory = new Uint8Array(this.exports.memory.buffer);
  }

  /** Bytes of linear memory that there are, and that are used. */
  get memoryBytes(): [there: number, used: number] {
    return [this.exports.memory.buffer.byteLength, this.exports.memory_bytes()];
  }

  /** The whole state of the module. */
  get state(): State {
    const memory = Buffer.from(this.exports.memory.buffer.slice(0, (this.memoryBytes[1] + 3) & ~3));
    return { memory, variables: this.#globals.map(({ value }) => value as number) };
  }

  /** Starts the module, again after isStopped, with other values in its configuration. */
  start(changed: Iterable<readonly [key: number, value: string | number]> = []): void {
    for (const [key, value] of changed) this.#config.set(key, value);
    const fault = this.exports.start();
    if (fault) throw new Error(`start() answered ${fault}`);
    this.isStopped = false;
    this.step();
  }

  /** Ends the session in order and waits until it has. */
  stop(): void {
    this.exports.stop();
    this.step();
    this.runUntil(() => this.isStopped);
  }

  /** Something to come. */
  plan(at: number, work: () => void): void {
    this.#script.push({ at, work });
    this.#script.sort((a, b) => a.at - b.at);
  }

  /** Lets time go by up to `until`. */
  run(until: number): void {
    while (this.#next(until)) {}
    this.now = until;
  }

  /** Lets time go by until `condition` holds, at most a week. */
  runUntil(condition: () => boolean): void {
    const limit = this.now + 7 * 86_400_000;
    while (!condition()) if (!this.#next(limit)) throw new Error(`a week went by at ${this.now} ms: ${condition}`);
  }

  /** Does what is due next, unless it is due after `until`. */
  #next(until: number): boolean {
    const arrivalAt = this.#arrivals[0]?.at ?? Number.POSITIVE_INFINITY;
    const planned = this.#script[0]?.at ?? Number.POSITIVE_INFINITY;
    const at = Math.min(arrivalAt, planned, this.#outcomeAt, this.#due);
    if (at > until) return false;
    this.now = Math.max(at, this.now);
    if (at === arrivalAt) this.#handIn();
    else if (at === planned) this.#script.shift()?.work();
    else if (at === this.#outcomeAt) this.#tellOutcome();
    else this.step();
    return true;
  }

  protected step(): void {
    for (let steps = 0; steps < STEPS_MOST; steps++) {
      this.counts.steps++;
      const idle = this.exports.step(this.now | 0);
      if (idle === 0 && !this.isStopped) continue;
      this.#due = idle < NEVER ? this.now + idle : Number.POSITIVE_INFINITY;
      return;
    }
    throw new Error(`it wants to be stepped again and again at ${this.now} ms`);
  }

  #open(): number {
    this.#close();
    this.#isStale = false;
    if (this.peer.datagrams) this.#tellLater(0, 0);
    else if (!this.#isNetworkUp) this.#tellLater(REASON_UNREACHABLE, 3000);
    else if (!this.#isPeerUp) this.#tellLater(REASON_REFUSED, LATENCY_MS);
    else this.#tellLater(0, LATENCY_MS);
    return 0;
  }

  #tellLater(outcome: number, ms: number): void {
    this.#outcome = outcome;
    this.#outcomeAt = this.now + ms;
  }

  #tellOutcome(): void {
    this.#outcomeAt = Number.POSITIVE_INFINITY;
    this.#isOpen = this.#outcome === 0;
    if (!this.#isOpen) {
      this.isConnected = false;
      this.#arrivals = [];
      this.peer.ended();
    }
    this.exports.link_changed(0, this.#isOpen ? LINK_OPENED : LINK_CLOSED, this.#outcome);
    this.step();
  }

  #send(at: number, length: number): number {
    if (!this.#isOpen) throw new Error('bytes for a link that is not open');
    this.counts.sends++;
    this.counts.bytesSent += length;
    if (this.peer.datagrams && this.memory[at + 1] === REGISTER) this.moved.registration = this.#uint16(at + 4);
    if (this.#isNetworkUp && this.#isStale) this.#tellLater(REASON_RESET, LATENCY_MS);
    else if (this.#isNetworkUp && this.#isPeerUp && !this.#isLost()) this.peer.takes(this.memory, at, length);
    return length;
  }

  #uint16(at: number): number {
    return ((this.memory[at] ?? 0) << 8) | (this.memory[at + 1] ?? 0);
  }

  #isLost(): boolean {
    return this.loss > 0 && this.chance.below(1000) < this.loss;
  }

  #close(): void {
    this.isConnected = this.#isOpen = false;
    this.#outcomeAt = Number.POSITIVE_INFINITY;
    if (this.#arrivals.length > 0) this.#arrivals = [];
    this.peer.ended();
  }

  /** The peer answers: whole packets, or a datagram. */
  answer(bytes: Uint8Array): void {
    if (this.#isNetworkUp && this.#isPeerUp && !this.#isLost()) this.#arrivals.push({ at: this.now + LATENCY_MS, bytes });
  }

  #handIn(): void {
    const arrival = this.#arrivals.shift();
    if (!arrival || !this.#isNetworkUp || this.#isStale) return;
    const { bytes } = arrival;
    const to = this.exports.link_buffer(0);
    if (this.exports.link_room(0) < bytes.length) throw new Error('there is no room for an answer');
    this.memory.set(bytes, to);
    this.counts.bytesHeard += bytes.length;
    this.exports.link_received(0, bytes.length);
    this.step();
  }

  /** The network goes or comes back; a stream does not outlive it. */
  set network(isUp: boolean) {
    if (!isUp && !this.peer.datagrams) this.#isStale = true;
    this.#isNetworkUp = isUp;
  }

  /** The link closes by itself. */
  breaks(): void {
    this.#tellLater(REASON_RESET, 1);
  }

  /** The peer's process ends or is started again. */
  set peerRuns(isUp: boolean) {
    this.#isPeerUp = isUp;
    if (!isUp && !this.peer.datagrams && this.#isOpen && this.#isNetworkUp) this.#tellLater(REASON_ENDED, 1);
  }

  #event(code: number, a: number, b: number): void {
    switch (code) {
      case EVENT_READING:
        this.lastId = b;
        this.counts.readings++;
        this.awaited.add(this.reading);
        break;
      case EVENT_READING_DROPPED:
        this.counts.dropped++;
        this.moved.readingsDropped = b;
        break;
      case EVENT_CONNECTED:
        this.counts.connections++;
        this.connections++;
        this.isConnected = true;
        break;
      case EVENT_INTERVAL_CHANGED:
        this.counts.commands++;
        break;
      case EVENT_COMMAND_REFUSED:
        this.counts.refused++;
        break;
      case EVENT_DATAGRAM_DROPPED:
        this.moved.datagramsDropped = b;
        break;
      case EVENT_STOPPED:
        this.isStopped = true;
        break;
    }
    this.heard?.(code, a);
  }

  /** The peer was given a reading: `length` bytes of text at `at`. */
  delivered(memory: Uint8Array, at: number, length: number): void {
    let tenths = 0;
    for (let i = at; i < at + length; i++) if (memory[i] !== POINT) tenths = tenths * 10 + ((memory[i] ?? 0) - ZERO);
    if (this.awaited.delete(tenths - FIRST_READING)) this.counts.delivered++;
    else this.counts.again++;
  }
}

/** MQTT-SN's message type. */
const REGISTER = 0x0a;
const POINT = 0x2e;
const ZERO = 0x30;
/** Each reading is its number, 1000.0 to 9999.9, so that all are of one length and none is like one that may still be under way. */
const FIRST_READING = 10_000;
const READINGS = 90_000;

/** The text of reading `number`. */
export function reading(number: number): string {
  return ((FIRST_READING + (number % READINGS)) / 10).toFixed(1);
}

import { readFileSync } from 'node:fs';
import {
  ABI_VERSION,
  BUS_NONE,
  ERROR_OUTBOX_FULL,
  ERROR_TOO_LARGE,
  ERROR_TOPIC_EMPTY,
  ERROR_TOPIC_TOO_LONG,
  ERROR_UTF8,
  READING_FAILED,
  REASON_ADDRESS,
  STORE_FAILED,
} from './contract.js';

// Loads a module and passes texts and bytes across its boundary (docs/boundary.md). No other file of the host knows a pointer.

/** What a module asks of the world, with texts and bytes in place of pointers. */
export interface Imports {
  linkOpen(link: number, choice: number): number;
  /** `bytes` is a view of the module's memory, valid during the call. */
  linkSend(link: number, bytes: Uint8Array): number;
  linkClose(link: number): void;
  /**
   * Keeps in `slot` the network address of a gateway, or without one the sender of the datagram handed in last. 0 or a negated REASON_…, which is
   * also the answer of a host that leaves this out.
   */
  rememberGateway?(slot: number, address?: Uint8Array): number;
  random(): number;
  configText(key: number): Uint8Array | undefined;
  configNumber(key: number, otherwise: number): number;
  /** Writes a record, of no bytes removes it. 0 or a negated STORE_…, which is also the answer of a host without storage. `bytes` is a view of the module's memory. */
  storeWrite?(key: number, bytes: Uint8Array): number;
  /** The record of `key`; only modules with a journal ask. */
  storeRead?(key: number): Uint8Array | undefined;
  /** Seconds since 1970 UTC, 0 while unknown. */
  unixTime?(): number;
  temperature(sensor: number): number;
  /** Thousandths of a percent, or READING_FAILED − n. A host that leaves this or what follows out has no such sensor or bus (BUS_NONE). */
  humidity?(sensor: number): number;
  /** Writes, then reads into `read`, a view of the module's memory; either may be empty. 0 or a negated BUS_…. */
  i2cTransfer?(address: number, write: Uint8Array, read: Uint8Array): number;
  /** Resets the wire, writes, reads. 0 or a negated BUS_…. */
  onewireTransfer?(write: Uint8Array, read: Uint8Array): number;
  /** A step of a search: bit | complement << 1 | written << 2, or a negated BUS_…. */
  onewireTriplet?(direction: number): number;
  /** Microvolts, or a negated BUS_…. */
  adcRead?(channel: number): number;
  event(code: number, a: number, b: number): void;
  /** A message about a new module; 0, or -1 of a host that takes none, which is also the answer of one that leaves this out. `payload` is a view of the module's memory. */
  updateTake?(payload: Uint8Array): number;
  /** What is to be published about it, once. */
  updateAnswer?(): Uint8Array | undefined;
}

/** What every module exports (docs/boundary.md). */
export interface Exports {
  memory: WebAssembly.Memory;
  abi_version(): number;
  memory_bytes(): number;
  start(): number;
  stop(): void;
  step(now: number): number;
  link_buffer(link: number): number;
  link_room(link: number): number;
  link_received(link: number, length: number): void;
  link_changed(link: number, what: number, reason: number): void;
  /** Of modules with a journal. */
  flush?(ms: number): void;
}

interface ClientExports extends Exports {
  topic_buffer(): number;
  topic_limit(): number;
  payload_buffer(): number;
  payload_limit(): number;
  inbound(): number;
  set_topic(length: number): number;
  publish(length: number, qos: number, retain: number): number;
  add_filter(length: number, qos: number): number;
  clear_filters(): void;
  subscribe(): number;
  unsubscribe(): number;
  outbox_held(): number;
}

interface SnClientExports extends ClientExports {
  sleep(seconds: number): number;
  wake(): void;
  collect(): void;
  update_will_topic(length: number, qos: number, retain: number): number;
  update_will_payload(length: number): number;
}

const compiled = new Map<string, WebAssembly.Module>();

/** The built module `name` ('sensor-mqtt', 'client-mqtt'), compiled once a process. */
export function builtModule(name: string): WebAssembly.Module {
  let module = compiled.get(name);
  if (!module) {
    // This file runs as build/js/host/module.js.
    module = new WebAssembly.Module(readFileSync(new URL(`../../${name}.wasm`, import.meta.url)));
    compiled.set(name, module);
  }
  return module;
}

/** A running module: the exports that every module has. */
export class Module<E extends Exports = Exports> {
  protected readonly exports: E;
  /** The whole linear memory; it never grows, so the view stays good. */
  protected readonly memory: Buffer;

  constructor(module: WebAssembly.Module, imports: Imports) {
    const view = (address: number, length: number) => this.memory.subarray(address, address + length);
    const board = {
      link_open: (link: number, choice: number) => imports.linkOpen(link, choice),
      link_send: (link: number, data: number, length: number) => imports.linkSend(link, view(data, length)),
      link_close: (link: number) => imports.linkClose(link),
      // Imports that a module does not ask for are passed over: one of MQTT alone knows no gateways.
      remember_gateway: (slot: number, address: number, length: number) =>
        imports.rememberGateway?.(slot, length > 0 ? view(address, length) : undefined) ?? -REASON_ADDRESS,
      random: () => imports.random(),
      config_text: (key: number, to: number, capacity: number) => {
        const value = imports.configText(key);
        if (!value) return -1;
        if (value.length <= capacity) this.memory.set(value, to);
        return value.length;
      },
      config_number: (key: number, otherwise: number) => imports.configNumber(key, otherwise),
      store_write: (key: number, data: number, length: number) => imports.storeWrite?.(key, view(data, length)) ?? -STORE_FAILED,
      store_read: (key: number, to: number, capacity: number) => {
        const record = imports.storeRead?.(key);
        if (!record) return -1;
        this.memory.set(record.length > capacity ? record.subarray(0, capacity) : record, to);
        return record.length;
      },
      unix_time: () => imports.unixTime?.() ?? 0,
      temperature: (sensor: number) => imports.temperature(sensor),
      humidity: (sensor: number) => imports.humidity?.(sensor) ?? READING_FAILED - BUS_NONE,
      i2c_transfer: (address: number, write: number, writeLength: number, read: number, readLength: number) =>
        imports.i2cTransfer?.(address, view(write, writeLength), view(read, readLength)) ?? -BUS_NONE,
      onewire_transfer: (write: number, writeLength: number, read: number, readLength: number) =>
        imports.onewireTransfer?.(view(write, writeLength), view(read, readLength)) ?? -BUS_NONE,
      onewire_triplet: (direction: number) => imports.onewireTriplet?.(direction) ?? -BUS_NONE,
      adc_read: (channel: number) => imports.adcRead?.(channel) ?? -BUS_NONE,
      event: (code: number, a: number, b: number) => imports.event(code, a, b),
      update_take: (payload: number, length: number) => imports.updateTake?.(view(payload, length)) ?? -1,
      update_answer: (to: number, capacity: number) => {
        const answer = imports.updateAnswer?.();
        if (!answer || answer.length > capacity) return 0;
        this.memory.set(answer, to);
        return answer.length;
      },
    };
    const instance = new WebAssembly.Instance(module, { board });
    this.exports = instance.exports as unknown as E;
    this.memory = Buffer.from(this.exports.memory.buffer);
    const version = this.exports.abi_version();
    if (version !== ABI_VERSION)
      throw new Error(`the module speaks version ${version} of the boundary, this host version ${ABI_VERSION}: build both from one source`);
  }

  /** Bytes of memory the module uses. */
  get memoryBytes(): number {
    return this.exports.memory_bytes();
  }

  /** 0, or a negated ERROR_…. */
  start(): number {
    return this.exports.start();
  }

  stop(): void {
    this.exports.stop();
  }

  /** Last words before a deep sleep: EVENT_FLUSHED follows within `ms`. False when the module has no journal, and does not know this. */
  flush(ms: number): boolean {
    this.exports.flush?.(ms);
    return this.exports.flush !== undefined;
  }

  /** Does what is due at `now` (ms); answers the ms until the next step is due. */
  step(now: number): number {
    return this.exports.step(now | 0);
  }

  /** Hands in bytes that arrived, as many as fit, and answers how many; step() reads them. */
  received(link: number, bytes: Uint8Array): number {
    const to = this.exports.link_buffer(link); // first: it makes room
    const room = this.exports.link_room(link);
    const part = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.memory.set(part, to);
    this.exports.link_received(link, part.length);
    return part.length;
  }

  /** Hands in one datagram, cut where it is too long; false while the one before was not read. */
  receivedDatagram(link: number, datagram: Uint8Array): boolean {
    const to = this.exports.link_buffer(link);
    const room = this.exports.link_room(link);
    if (room === 0) return false;
    this.memory.set(datagram.length > room ? datagram.subarray(0, room) : datagram, to);
    this.exports.link_received(link, datagram.length); // its full length: the module tells that it was cut
    return true;
  }

  linkChanged(link: number, what: number, reason = 0): void {
    this.exports.link_changed(link, what, reason);
  }
}

/** A message, or a piece of one, as the module sees it during EVENT_MESSAGE. */
export interface InboundMessage {
  topic: string;
  /** A view of the module's memory: copy what is kept. */
  payload: Uint8Array;
  /** Offset of this piece and length of the whole payload, in bytes. */
  offset: number;
  total: number;
  qos: number;
  retain: boolean;
  dup: boolean;
  /** Packet identifier, 0 at QoS 0. */
  id: number;
}

/** Strings up to this many UTF-16 units are written by a loop: cheaper than a call into the runtime. */
const SHORT = 48;

/** The module behind the Node client. Calls that send answer a packet identifier (0 at QoS 0 and −1) or a negated ERROR_…. */
export class ClientModule<E extends ClientExports = ClientExports> extends Module<E> {
  /** Filters that one subscribe or unsubscribe takes. */
  readonly filtersAtOnce: number = 100;
  readonly #topicAt: number;
  readonly #topicLimit: number;
  readonly #payloadAt: number;
  readonly #inbound: Uint32Array;
  /** The topic that the module has in its buffer, checked. */
  #topic: string | undefined;
  /** The last inbound topic, and its bytes: a subscriber hears the same few again and again. */
  #inboundTopic = '';
  #inboundTopicBytes = Buffer.alloc(0);

  /** Largest payload in bytes. */
  readonly payloadLimit: number;

  constructor(imports: Imports, module = builtModule('client-mqtt')) {
    super(module, imports);
    this.#topicAt = this.exports.topic_buffer();
    this.#topicLimit = this.exports.topic_limit();
    this.#payloadAt = this.exports.payload_buffer();
    this.payloadLimit = this.exports.payload_limit();
    this.#inbound = new Uint32Array(this.exports.memory.buffer, this.exports.inbound(), 12);
  }

  publish(topic: string, payload: string | Uint8Array, qos: number, retain: boolean): number {
    if (topic !== this.#topic) {
      const fault = this.#setTopic(topic);
      if (fault) return fault;
    }
    const length = this.writePayload(payload);
    return length > this.payloadLimit ? -ERROR_TOO_LARGE : this.exports.publish(length, qos, retain ? 1 : 0);
  }

  subscribe(filters: readonly { filter: string; qos: number }[]): number {
    return this.#addFilters(filters) || this.exports.subscribe();
  }

  unsubscribe(filters: readonly string[]): number {
    return this.#addFilters(filters.map((filter) => ({ filter, qos: 0 }))) || this.exports.unsubscribe();
  }

  /** 0, or a negated ERROR_… when one of the filters is malformed. */
  filterFault(filters: readonly { filter: string; qos: number }[]): number {
    const fault = this.#addFilters(filters);
    this.exports.clear_filters();
    return fault;
  }

  /** Requests queued and in flight. */
  get held(): number {
    return this.exports.outbox_held();
  }

  /** What EVENT_MESSAGE announces; to be called during that event only. */
  message(): InboundMessage {
    const r = this.#inbound;
    const topicAt = r[0] ?? 0;
    const payloadAt = r[2] ?? 0;
    return {
      topic: this.#readTopic(topicAt, topicAt + (r[1] ?? 0)),
      payload: this.memory.subarray(payloadAt, payloadAt + (r[3] ?? 0)),
      offset: r[4] ?? 0,
      total: r[5] ?? 0,
      qos: r[6] ?? 0,
      retain: r[7] === 1,
      dup: r[8] === 1,
      id: r[9] ?? 0,
    };
  }

  #readTopic(start: number, end: number): string {
    const known = this.#inboundTopicBytes;
    if (known.length !== end - start || known.compare(this.memory, start, end) !== 0) {
      this.#inboundTopicBytes = Buffer.from(this.memory.subarray(start, end));
      this.#inboundTopic = this.#inboundTopicBytes.toString();
    }
    return this.#inboundTopic;
  }

  #setTopic(topic: string): number {
    if (topic === '') return -ERROR_TOPIC_EMPTY;
    const length = this.writeTopic(topic);
    const fault = length < 0 ? length : this.exports.set_topic(length);
    if (!fault) this.#topic = topic;
    return fault;
  }

  /** Writes to the topic buffer, which then no longer holds the topic of the publishes. Answers the length or a negated ERROR_…. */
  protected writeTopic(text: string): number {
    this.#topic = undefined;
    if (!text.isWellFormed()) return -ERROR_UTF8;
    const length = this.#write(text, this.#topicAt, this.#topicLimit);
    return length > this.#topicLimit ? -ERROR_TOPIC_TOO_LONG : length;
  }

  /** Writes to the payload buffer and answers the length; above payloadLimit nothing useful was written. */
  protected writePayload(payload: string | Uint8Array): number {
    if (typeof payload === 'string') return this.#write(payload, this.#payloadAt, this.payloadLimit);
    if (payload.length <= this.payloadLimit) this.memory.set(payload, this.#payloadAt);
    return payload.length;
  }

  #addFilters(filters: readonly { filter: string; qos: number }[]): number {
    this.exports.clear_filters();
    for (const { filter, qos } of filters) {
      const length = this.writeTopic(filter);
      const fault = length < 0 ? length : this.exports.add_filter(length, qos);
      if (fault) return fault;
    }
    return 0;
  }

  /** Writes `text` as UTF-8 and answers its length; above `limit` nothing useful was written. */
  #write(text: string, at: number, limit: number): number {
    const memory = this.memory;
    if (text.length <= SHORT && text.length <= limit) {
      let i = 0;
      for (; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 127) break;
        memory[at + i] = unit;
      }
      if (i === text.length) return i;
    }
    if (text.length * 3 > limit) {
      const length = Buffer.byteLength(text);
      if (length > limit) return length;
    }
    return memory.write(text, at, limit);
  }
}

/** The module of MQTT-SN behind the Node client. */
export class SnClientModule extends ClientModule<SnClientExports> {
  override readonly filtersAtOnce = 1;

  constructor(imports: Imports, module = builtModule('client-mqttsn')) {
    super(imports, module);
  }

  /** 0 or a negated ERROR_…; the sleep begins when nothing waits. */
  sleep(seconds: number): number {
    return this.exports.sleep(seconds);
  }

  wake(): void {
    this.exports.wake();
  }

  collect(): void {
    this.exports.collect();
  }

  /** Without a topic the will is deleted. */
  updateWillTopic(topic: string, qos: number, retain: boolean): number {
    const length = this.writeTopic(topic);
    return length < 0 ? length : this.exports.update_will_topic(length, qos, retain ? 1 : 0);
  }

  updateWillPayload(payload: string | Uint8Array): number {
    const length = this.writePayload(payload);
    return length > this.payloadLimit ? -ERROR_TOO_LARGE : this.exports.update_will_payload(length);
  }
}

/** Whether the answer of a call says that the outbox is full and the call may be made again later. */
export function isOutboxFull(answer: number): boolean {
  return answer === -ERROR_OUTBOX_FULL;
}

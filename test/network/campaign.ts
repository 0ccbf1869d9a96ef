import assert from 'node:assert/strict';
import { Board } from '../../host/board.js';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_KEEP_ALIVE,
  CONFIG_PREDEFINED,
  CONFIG_PROTOCOL,
  CONFIG_RECONNECT_MAX,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  EVENT_CONNECTED,
  EVENT_MESSAGE,
  EVENT_PUBLISHED,
  EVENT_SUBSCRIBED,
  eventNames,
  RECORD_INBOX,
} from '../../host/contract.js';
import { Gateway } from '../../host/gateway/gateway.js';
import type { Limits } from '../../host/gateway/limits.js';
import { Predefined } from '../../host/gateway/predefined.js';
import type { OpenLink } from '../../host/links/link.js';
import { builtModule, ClientModule } from '../../host/module.js';
import type { QoS } from '../../host/options.js';
import type { Storage } from '../../host/storage.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { MqttBroker } from '../gateway/mqtt-broker.js';
import { TestBroker } from '../gateway/world.js';
import type { MemoryJournal } from '../journal/memory.js';
import { Conversation, type Datagram, type Side } from '../protocol/sn/checker.js';
import { type Conditions, Network, type Station } from './network.js';

// Decisions and restrictions:
//
// - The client module and the gateway are the real ones; the broker is in memory and between them and the clock nothing takes time of its own.
// - Every datagram goes through the checker twice, as the client and as the gateway saw it, and none is kept but the last few.
// - A stream is a number of messages in one direction, numbered across its topics; the number is the payload.

const CONNECT = 0x04;
const PUBLISH = 0x0c;
const DUP = 0x80;
/** Datagrams shown with a finding. */
const SHOWN = 24;
/** Messages under way in one direction. */
const WINDOW = 16;
/** Between two messages at QoS 0, in ms. */
const PACE_MS = 40;
const HOUR = 3_600_000;

export interface Stream {
  topics: readonly string[];
  qos: QoS;
  count: number;
}

export interface CampaignOptions {
  weather?: Partial<Conditions>;
  /** Of the module, added to a kept session and short retries. */
  config?: Iterable<readonly [key: number, value: string | number]>;
  limits?: Partial<Limits>;
  /** Ms that the broker takes. */
  latency?: number;
  up?: Stream | undefined;
  down?: Stream | undefined;
  /** What the client subscribes to. */
  filters?: readonly string[];
  /** Of the gateway. Its connections to the broker are then the real ones, and its broker speaks bytes. */
  journal?: MemoryJournal;
  /** Not every datagram is judged: where somebody dies every second, answers to the one before still come. */
  unjudged?: boolean;
  /** Of the client, which then is the module with a journal. */
  storage?: Storage;
}

export const PREDEFINED = [7, 'myhome/底楼/门/开'] as const;

/** What only the client module of MQTT-SN exports. */
interface Sleep {
  sleep(seconds: number): number;
  wake(): void;
  collect(): void;
}

export class SnClient extends ClientModule {
  readonly #sleep = this.exports as unknown as Sleep;

  sleep(seconds: number): number {
    return this.#sleep.sleep(seconds);
  }

  wake(): void {
    this.#sleep.wake();
  }

  collect(): void {
    this.#sleep.collect();
  }
}

/** A message as it arrived. */
export interface Arrived {
  topic: string;
  number: number;
  qos: number;
}

/** One client, one gateway, a network between them, and what came of their messages. */
export class Campaign {
  readonly clock = new VirtualClock();
  readonly network: Network;
  readonly broker: TestBroker | MqttBroker;
  readonly station: Station;
  board: Board<SnClient>;
  gateway: Gateway;
  /** What arrived at the client, in order. */
  readonly received: Arrived[] = [];
  /** Distinct messages of the stream down that arrived. */
  readonly delivered = new Set<number>();
  /** Messages of the stream down that a gateway which died had perhaps taken from the broker and not delivered. */
  readonly atRisk = new Set<number>();
  /** How often each event happened. */
  readonly events = new Map<string, number>();
  /** What the checker found, as each side saw it. */
  readonly findings: string[] = [];
  /** Datagrams sent by both, and how many of them were a PUBLISH sent again. */
  datagrams = 0;
  repeated = 0;
  published = 0;
  acknowledged = 0;
  announced = 0;
  isConnected = false;
  /** Called for each datagram that a side sends or receives. */
  watch: (by: Side, datagram: Datagram) => void = () => {};
  during: (code: number, a: number, b: number) => void = () => {};
  /** Asked before each thing that the gateway does: sends a datagram, sends to the broker, writes its journal. False kills it there. */
  gatewayActs: () => boolean = () => true;
  /** The same of the client: sends a datagram, writes its journal. */
  clientActs: () => boolean = () => true;
  #isGatewayDead = false;
  #isClientDead = false;
  #flows = false;
  /** Messages at QoS 2 that the client was told and its journal does not know yet. */
  #unrecorded = 0;
  readonly options: CampaignOptions;
  #subscribed = 0;
  readonly #witnesses = { client: new Witness('client'), gateway: new Witness('gateway') };

  constructor(
    readonly seed: number,
    options: CampaignOptions = {},
  ) {
    this.options = options;
    const { weather = {}, latency = 0 } = options;
    this.network = new Network(this.clock, seed, { up: weather, down: weather });
    this.broker = options.journal ? new MqttBroker(this.clock) : new TestBroker(this.clock);
    this.broker.latency = latency;
    this.gateway = this.#makeGateway();
    this.network.gateway((bytes, peer) => this.#isGatewayDead || this.gateway.receive(bytes, peer));
    this.station = this.network.client('c');
    this.station.saw = this.#judges();
    this.board = this.#makeBoard();
    if (this.broker instanceof MqttBroker) this.broker.effect = () => this.#happensAtGateway();
  }

  /** A link by which nothing goes when the client is dead. */
  readonly #open: OpenLink = (listener) => {
    const link = this.station.open(listener);
    return { ...link, send: (bytes) => (this.#happensAtClient() ? link.send(bytes) : bytes.length) };
  };

  #makeBoard(): Board<SnClient> {
    const { options } = this;
    const { storage } = options;
    return new Board(
      {
        links: [this.#open],
        config: new Map<number, string | number>([
          [CONFIG_CLIENT_ID, 'c'],
          [CONFIG_PROTOCOL, 1],
          [CONFIG_CLEAN_SESSION, 0],
          [CONFIG_KEEP_ALIVE, 60],
          [CONFIG_RETRY_INTERVAL, 1000],
          [CONFIG_RETRIES, 4],
          [CONFIG_RECONNECT_MAX, 8000],
          [CONFIG_PREDEFINED, PREDEFINED.join('=')],
          ...(options.config ?? []),
        ]),
        clock: this.clock,
        random: this.network.random(),
        event: (code, a, b) => this.#happened(code, a, b),
        ...(storage && { storage: { write: (key, bytes) => this.#stores(storage, key, bytes), read: (key) => storage.read(key) } }),
      },
      (imports) => new SnClient(imports, builtModule(storage ? 'client-mqttsn-journal' : 'client-mqttsn')),
    );
  }

  get module(): SnClient {
    return this.board.module;
  }

  count(event: string): number {
    return this.events.get(event) ?? 0;
  }

  /** Connects and subscribes. */
  begins(): this {
    const { filters = [] } = this.options;
    assert.equal(this.board.start(), 0);
    for (const filter of filters) assert.ok(this.module.subscribe([{ filter, qos: this.options.down?.qos ?? 2 }]) > 0);
    this.board.step();
    this.until(() => this.isConnected && this.#subscribed === filters.length, 'is connected and subscribed');
    return this;
  }

  /** Both streams flow. */
  flows(): this {
    this.#flows = true;
    this.#publish();
    this.#announce();
    for (const direction of ['up', 'down'] as const) if (this.options[direction]?.qos === 0) this.#pace(direction);
    return this;
  }

  /** Time passes until `done`, at most `most` ms. */
  until(done: () => boolean, what: string, most = 100 * HOUR): void {
    const end = this.clock.now() + most;
    while (!done()) {
      if (this.findings.length > 0) throw new Error(this.findings[0]);
      if (this.clock.now() >= end) assert.fail(`not in time: ${what}; ${this.told()}`);
      this.clock.advance(Math.max(this.clock.next ?? 1000, 1));
    }
  }

  /** All that was to be sent has arrived, as far as its QoS promises it. */
  get isDone(): boolean {
    const { up, down } = this.options;
    const answered = this.options.storage ? this.module.held === 0 : this.acknowledged === up?.count;
    const upDone = !up || (this.published === up.count && (up.qos === 0 || answered));
    const downDone = !down || (this.announced === down.count && (down.qos === 0 || this.#due === 0));
    return upDone && downDone;
  }

  /** From the first message to the last, then the exchanges that are open come to their end. */
  runs(): this {
    this.begins().flows();
    this.until(() => this.isDone, 'all has arrived');
    this.clock.advance(120_000);
    return this;
  }

  /** The gateway dies without a word, and another begins with nothing but the broker's memory. */
  restartsGateway(): void {
    if (!this.options.journal)
      for (let number = 0; number < this.announced; number++) if (!this.delivered.has(number)) this.atRisk.add(number);
    this.#isGatewayDead = false;
    this.broker.cuts();
    this.#witnesses.gateway = new Witness('gateway', this.options.journal !== undefined);
    this.gateway = this.#makeGateway();
    if (this.options.journal) this.gateway.start();
    if (this.announced > 0) this.#announce();
  }

  /** Numbers of the stream up as the broker got them. */
  get arrived(): Arrived[] {
    return this.broker.published.map((line) => {
      const [topic = '', number, qos] = line.split(' ');
      return { topic, number: Number(number), qos: Number(qos) };
    });
  }

  told(): string {
    const events = [...this.events].map(([name, count]) => `${count} ${name}`).join(', ');
    return `published ${this.published}, acknowledged ${this.acknowledged}, announced ${this.announced}, delivered ${this.delivered.size}; ${events}`;
  }

  /** Messages of the stream down that are to arrive. */
  get #due(): number {
    let due = this.announced - this.delivered.size;
    for (const number of this.atRisk) if (!this.delivered.has(number)) due--;
    return due;
  }

  /** Whether what the gateway is about to do happens; it dies before it otherwise. */
  #happensAtGateway(): boolean {
    if (this.#isGatewayDead) return false;
    if (this.gatewayActs()) return true;
    this.#isGatewayDead = true;
    this.clock.after(0, () => this.restartsGateway());
    return false;
  }

  /** Whether what the client is about to do happens. */
  #happensAtClient(): boolean {
    if (this.#isClientDead) return false;
    if (this.clientActs()) return true;
    this.#isClientDead = true;
    this.clock.after(0, () => this.restartsClient());
    return false;
  }

  #stores(storage: Storage, key: number, bytes: Uint8Array): number {
    if (!this.#happensAtClient()) return 0;
    if (key >>> 16 === RECORD_INBOX) this.#unrecorded = 0;
    return storage.write(key, bytes);
  }

  /** The power of the client comes back: its application has forgotten what it was told and the journal does not know. */
  restartsClient(): void {
    this.board.halt();
    this.isConnected = false;
    this.received.splice(this.received.length - this.#unrecorded);
    this.#unrecorded = 0;
    this.delivered.clear();
    for (const { number } of this.received) this.delivered.add(number);
    this.#isClientDead = false;
    this.#witnesses.client = new Witness('client', true);
    this.board = this.#makeBoard();
    assert.equal(this.board.start(), 0);
    if (this.#flows) this.#publish();
  }

  #makeGateway(): Gateway {
    const { journal } = this.options;
    const gateway: Gateway = new Gateway({
      clock: this.clock,
      openBroker: this.broker.open,
      transport: {
        send: (peer, datagram) => {
          if (gateway === this.gateway && this.#happensAtGateway()) this.network.send(peer, datagram);
        },
      },
      journal: journal && {
        write: (records, durable) => (gateway === this.gateway && this.#happensAtGateway() ? journal.write(records, durable) : 0),
        read: (part, key) => journal.read(part, key),
        keys: (part) => journal.keys(part),
        parts: () => journal.parts(),
      },
      limits: { retryTime: 1500, retries: 4, ...this.options.limits },
      predefined: new Predefined([PREDEFINED]),
      random: this.network.random(),
    });
    return gateway;
  }

  #judges(): (by: Side, datagram: Datagram, link: number) => void {
    // Once it has heard a CONNECT by a new link, the gateway takes what comes by an older one for a stranger's.
    let current = 0;
    return (by, datagram, link) => {
      if (by === datagram.from) {
        this.datagrams++;
        if (datagram.bytes[1] === PUBLISH && (datagram.bytes[2] ?? 0) >= DUP) this.repeated++;
      }
      if (by === 'gateway' && datagram.from === 'client' && datagram.bytes[1] === CONNECT) current = Math.max(current, link);
      if (!this.options.unjudged && (by === 'client' || link >= current)) this.findings.push(...this.#witnesses[by].sees(datagram));
      this.watch(by, datagram);
    };
  }

  #happened(code: number, a: number, b: number): void {
    const name = eventNames[code] ?? String(code);
    this.events.set(name, this.count(name) + 1);
    switch (code) {
      case EVENT_CONNECTED:
        this.isConnected = true;
        break;
      case EVENT_SUBSCRIBED:
        this.#subscribed++;
        break;
      case EVENT_PUBLISHED:
        this.acknowledged++;
        this.#publish();
        break;
      case EVENT_MESSAGE: {
        const { topic, payload, qos } = this.module.message();
        const number = Number(Buffer.from(payload).toString());
        if (this.#isClientDead) break;
        this.received.push({ topic, number, qos });
        if (qos === 2 && this.options.storage) this.#unrecorded++;
        this.delivered.add(number);
        this.#announce();
        break;
      }
    }
    this.during(code, a, b);
  }

  /** The client publishes as much as may be under way. */
  #publish(): void {
    const { up } = this.options;
    if (!up || up.qos === 0) return;
    while (this.published < up.count && this.module.held < WINDOW && !this.#isClientDead) this.#publishNext(up);
    this.board.step();
  }

  #publishNext({ topics, qos }: Stream): void {
    const number = this.published;
    assert.ok(this.module.publish(topics[number % topics.length] as string, String(number), qos, false) >= 0);
    if (!this.#isClientDead) this.published++;
  }

  /** The broker gets for the client as much as may be under way. */
  #announce(): void {
    const { down } = this.options;
    if (!down || down.qos === 0) return;
    while (this.announced < down.count && this.#due < WINDOW) this.#announceNext(down);
  }

  #announceNext({ topics, qos }: Stream): void {
    const number = this.announced++;
    this.broker.says(topics[number % topics.length] as string, String(number), qos);
  }

  /** QoS 0 waits for nothing. */
  #pace(direction: 'up' | 'down'): void {
    const stream = this.options[direction] as Stream;
    const sent = direction === 'up' ? this.published : this.announced;
    if (sent === stream.count) return;
    if (direction === 'down') this.#announceNext(stream);
    else {
      this.#publishNext(stream);
      this.board.step();
    }
    this.clock.after(PACE_MS, () => this.#pace(direction));
  }
}

/** Judges a conversation as one side sees it, and shows what came before a finding. */
class Witness {
  readonly #conversation: Conversation;
  readonly #last: Datagram[] = [];
  #number = 0;

  /** `remembers`: the side has a journal, and knows more than this witness, who was not there from the beginning. */
  constructor(
    readonly side: Side,
    readonly remembers = false,
  ) {
    this.#conversation = new Conversation({ vantage: side });
  }

  /** Answers what is wrong with the datagram. */
  sees(datagram: Datagram): string[] {
    const { findings } = this.#conversation;
    this.#last[this.#number++ % SHOWN] = datagram;
    this.#conversation.take(datagram);
    const known = findings.splice(0).filter(({ what }) => !(this.remembers && /was not sent before$|before its PUBREC$/.test(what)));
    return known.map(({ rule, what, message }) => {
      const before = Array.from({ length: SHOWN }, (_, i) => this.#last[(this.#number + i) % SHOWN]);
      const lines = before.map((each) => each && `  ${each.at?.toFixed(0)} ${each.from} ${Buffer.from(each.bytes).toString('hex')}`);
      return `as the ${this.side} saw it: ${rule}: ${what} (${message})\n${lines.filter(Boolean).join('\n')}`;
    });
  }
}

/** What is wrong with what arrived of a stream at QoS 2: each message is to come once, in order on its topic. */
export function faultAtQos2(stream: Stream, arrived: readonly Arrived[], lost: ReadonlySet<number> = new Set()): string | undefined {
  return faultInOrder(stream, arrived.filter(isOf(stream)), lost);
}

/** At QoS 1: each is to come, and the first of its copies in order on its topic. What is in `lost` need not come. */
export function faultAtQos1(stream: Stream, arrived: readonly Arrived[], lost: ReadonlySet<number> = new Set()): string | undefined {
  const seen = new Set<number>();
  const isFirst = ({ number }: Arrived) => !seen.has(number) && seen.add(number);
  return faultInOrder(stream, arrived.filter(isOf(stream)).filter(isFirst), lost);
}

/** At QoS 0: none comes more often than the network makes copies, here twice. */
export function faultAtQos0(stream: Stream, arrived: readonly Arrived[]): string | undefined {
  const copies = new Map<number, number>();
  for (const { number } of arrived.filter(isOf(stream))) {
    const count = (copies.get(number) ?? 0) + 1;
    if (count > 2) return `${number} came ${count} times`;
    copies.set(number, count);
  }
  return undefined;
}

const isOf =
  ({ topics }: Stream) =>
  ({ topic }: Arrived) =>
    topics.includes(topic);

function faultInOrder({ topics, count, qos }: Stream, arrived: readonly Arrived[], lost: ReadonlySet<number>): string | undefined {
  const next = new Map(topics.map((topic, place) => [topic, place]));
  for (const message of arrived) {
    let due = next.get(message.topic) as number;
    while (due < message.number && lost.has(due)) due += topics.length;
    if (message.number !== due) return `${message.number} came on ${message.topic}, ${due} was due`;
    if (message.qos !== qos) return `${message.number} came at QoS ${message.qos}`;
    next.set(message.topic, due + topics.length);
  }
  for (const [topic, due] of next)
    for (let missing = due; missing < count; missing += topics.length) if (!lost.has(missing)) return `${missing} never came on ${topic}`;
  return undefined;
}

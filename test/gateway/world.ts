import assert from 'node:assert/strict';
import type { BrokerConnection, BrokerListener, BrokerOptions, OpenBroker } from '../../host/gateway/connection.js';
import { decode } from '../../host/gateway/decode.js';
import * as sn from '../../host/gateway/encode.js';
import { Gateway, type GatewayParts } from '../../host/gateway/gateway.js';
import type { Message, QoS } from '../../host/gateway/messages.js';
import type { Publication } from '../../host/gateway/publication.js';
import { VirtualClock } from '../core/history.js';

// A gateway between scripted devices and a broker of a few lines, on a clock that the test moves. The broker and the network take no time:
// what a datagram causes has happened when sends() returns.

interface Kept {
  subscriptions: Map<string, QoS>;
  queue: Publication[];
}

/** A connection as the broker sees it. */
export interface Seen {
  options: BrokerOptions;
  listener: BrokerListener;
  ended: 'in order' | 'by force' | 'cut' | undefined;
}

/** An MQTT broker of a few lines: sessions, subscriptions, retained messages, wills. It can hold its answers back, and be away. */
export class TestBroker {
  /** Everything published, in order: `topic payload`, with QoS and retain. */
  readonly published: string[] = [];
  /** Every connection that was ever opened. */
  readonly connections: Seen[] = [];
  /** Filters that are refused. */
  readonly refuses = new Set<string>();
  /** Client ids that are refused. */
  readonly bans = new Set<string>();
  /** Ms until it acts on what it is sent. */
  latency = 0;
  #away = false;
  #holding = false;
  #held: { seen: Seen; work: () => void }[] = [];
  readonly #kept = new Map<string, Kept>();
  readonly #retained = new Map<string, Publication>();
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  readonly open: OpenBroker = (options, listener) => {
    const seen: Seen = { options, listener, ended: undefined };
    this.connections.push(seen);
    this.#clock.after(0, () => this.#welcome(seen));
    const waits = (work: () => void) => {
      if (seen.ended === 'cut') return;
      if (this.#away || this.#holding) this.#held.push({ seen, work });
      else if (this.latency > 0) this.#clock.after(this.latency, () => seen.ended !== 'cut' && work());
      else work();
    };
    const connection: BrokerConnection = {
      publish: (message, done) => {
        const copy = { ...message, payload: Uint8Array.from(message.payload) };
        if (message.qos === 0) done();
        waits(() => {
          this.publish(copy);
          if (message.qos > 0) done();
        });
      },
      subscribe: (filter, qos, done) =>
        waits(() => {
          if (this.refuses.has(filter)) return done(128);
          this.#sessionOf(options).subscriptions.set(filter, qos);
          done(qos);
          for (const message of this.#retained.values())
            if (matches(filter, message.topic)) listener.message({ ...message, qos: least(qos, message.qos), retain: true });
        }),
      unsubscribe: (filter, done) =>
        waits(() => {
          this.#sessionOf(options).subscriptions.delete(filter);
          done();
        }),
      end: (force, done) => {
        if (seen.ended === 'cut') return;
        // In order: what was asked for before has its answers first.
        const due = this.#held.filter((held) => held.seen === seen);
        this.#held = this.#held.filter((held) => held.seen !== seen);
        if (!force && !this.#away) for (const { work } of due) work();
        seen.ended ??= force ? 'by force' : 'in order';
        if (options.clean) this.#kept.delete(options.clientId);
        this.#clock.after(0, done);
      },
    };
    return connection;
  };

  /** Publishes as anybody may. */
  publish({ topic, payload, qos, retain }: Publication): void {
    this.published.push(`${topic} ${Buffer.from(payload)} ${qos}${retain ? ' retained' : ''}`);
    if (retain) this.#retained.set(topic, { topic, payload, qos, retain });
    for (const [clientId, { subscriptions, queue }] of this.#kept) {
      const granted = [...subscriptions].filter(([filter]) => matches(filter, topic)).map(([, most]) => most);
      if (granted.length === 0) continue;
      const message = { topic, payload, qos: least(Math.max(...granted) as QoS, qos), retain: false };
      const seen = this.connections.findLast(({ options, ended }) => options.clientId === clientId && !ended);
      if (seen) seen.listener.message(message);
      else if (message.qos > 0) queue.push(message);
    }
  }

  says(topic: string, payload: string, qos: QoS = 0, retain = false): void {
    this.publish({ topic, payload: Buffer.from(payload), qos, retain });
    this.published.pop();
  }

  /** Answers are held back until it goes on. */
  holds(): void {
    this.#holding = true;
  }

  goesOn(): void {
    this.#holding = false;
    for (const { work } of this.#held.splice(0)) work();
  }

  goesAway(): void {
    this.#away = true;
    for (const { listener, ended } of this.connections) if (!ended) listener.away('gone');
  }

  comesBack({ forgetful = false } = {}): void {
    this.#away = false;
    if (forgetful) this.#kept.clear();
    for (const seen of this.connections) if (!seen.ended) this.#welcome(seen);
    this.goesOn();
  }

  /** Whoever is connected dies: nothing that is not here yet comes, and nobody hears of it. */
  cuts(): void {
    this.#held = [];
    for (const seen of this.connections) {
      if (seen.ended) continue;
      seen.ended = 'cut';
      if (seen.options.clean) this.#kept.delete(seen.options.clientId);
    }
  }

  /** Ends a client's session for good. */
  expels(clientId: string): void {
    const seen = this.connections.findLast(({ options, ended }) => options.clientId === clientId && !ended);
    if (seen) {
      seen.ended = 'by force';
      seen.listener.refused('not authorized');
    }
  }

  /** What became of each connection under `clientId`. */
  fates(clientId: string): string[] {
    return this.connections.filter(({ options }) => options.clientId === clientId).map(({ ended }) => ended ?? 'open');
  }

  #welcome(seen: Seen): void {
    const { options, listener, ended } = seen;
    if (ended) return;
    if (this.#away) {
      listener.away('nobody there');
      return;
    }
    if (this.bans.has(options.clientId)) {
      seen.ended = 'by force';
      listener.refused('not authorized');
      return;
    }
    if (options.clean) this.#kept.delete(options.clientId);
    const present = this.#kept.has(options.clientId);
    const { queue } = this.#sessionOf(options);
    listener.connected(present);
    for (const message of queue.splice(0)) listener.message(message);
  }

  #sessionOf({ clientId }: BrokerOptions): Kept {
    const kept = this.#kept.get(clientId) ?? { subscriptions: new Map(), queue: [] };
    this.#kept.set(clientId, kept);
    return kept;
  }
}

function least(a: QoS, b: QoS): QoS {
  return a < b ? a : b;
}

const patterns = new Map<string, RegExp>();

function matches(filter: string, topic: string): boolean {
  let pattern = patterns.get(filter);
  if (!pattern) {
    const levels = filter.split('/').map((level) => (level === '#' ? '.*' : level === '+' ? '[^/]*' : level));
    pattern = new RegExp(`^${levels.join('/')}$`);
    patterns.set(filter, pattern);
  }
  return pattern.test(topic);
}

/** A device at one address: sends datagrams, and hears what comes back as one line a message. */
export class Device {
  readonly #gateway: Gateway;
  readonly #clock: VirtualClock;
  readonly peer: string;
  #heard: Message[] = [];

  constructor(gateway: Gateway, clock: VirtualClock, peer: string) {
    this.#gateway = gateway;
    this.#clock = clock;
    this.peer = peer;
  }

  takes(datagram: Uint8Array): void {
    const message = decode(datagram);
    assert.notEqual(typeof message, 'string', `the gateway sent ${Buffer.from(datagram).toString('hex')}: ${String(message)}`);
    this.#heard.push(message as Message);
  }

  /** Sends datagrams; what they cause has happened afterwards. */
  sends(...datagrams: Uint8Array[]): void {
    for (const datagram of datagrams) this.#gateway.receive(datagram, this.peer);
    this.#clock.advance(0);
  }

  /** What came since the last look, a line a message. */
  hears(): string[] {
    return this.#messages().map(describe);
  }

  /** Sends, and answers what came back. */
  asks(...datagrams: Uint8Array[]): string[] {
    this.#messages();
    this.sends(...datagrams);
    return this.hears();
  }

  /** Connects without a will. */
  connects(clientId: string, { clean = true, duration = 60 } = {}): void {
    assert.deepEqual(this.asks(sn.connect({ will: false, clean, duration, clientId })), ['CONNACK 0']);
  }

  /** Registers a topic and answers its id. */
  registers(topic: string): number {
    this.#messages();
    this.sends(sn.register(0, 9999, topic));
    const [answer] = this.#messages();
    assert.ok(answer?.type === 'REGACK' && answer.code === 0);
    return answer.topicId;
  }

  /** Subscribes to a name; answers the topic id. */
  subscribes(topicName: string, qos: QoS = 0): number {
    this.#messages();
    this.sends(sn.subscribe({ dup: false, qos, msgId: 9998, topicType: 0, topicId: 0, topicName }));
    const answer = this.#messages().find(({ type }) => type === 'SUBACK');
    assert.ok(answer?.type === 'SUBACK' && answer.code === 0);
    return answer.topicId;
  }

  #messages(): Message[] {
    this.#clock.advance(0);
    return this.#heard.splice(0);
  }
}

/** PUBLISH on a registered topic. */
export function published(
  topicId: number,
  data: string,
  {
    qos = 0,
    msgId = 0,
    dup = false,
    retain = false,
    topicType = 0,
  }: { qos?: QoS | -1; msgId?: number; dup?: boolean; retain?: boolean; topicType?: number } = {},
): Buffer {
  return sn.publish({ dup, qos, retain, topicType, topicId, msgId, data: Buffer.from(data) });
}

/** A message on a line. */
export function describe(message: Message): string {
  switch (message.type) {
    case 'CONNACK':
    case 'WILLTOPICRESP':
    case 'WILLMSGRESP':
      return `${message.type} ${message.code}`;
    case 'REGISTER':
      return `REGISTER ${message.topicId} ${message.topicName} #${message.msgId}`;
    case 'REGACK':
    case 'PUBACK':
      return `${message.type} ${message.topicId} #${message.msgId} ${message.code}`;
    case 'PUBLISH': {
      const kind = ['', 'pre-defined ', 'short '][message.topicType] ?? '? ';
      const marks = `${message.dup ? ' dup' : ''}${message.retain ? ' retained' : ''}`;
      return `PUBLISH ${kind}${message.topicId} ${Buffer.from(message.data)} QoS ${message.qos}${message.msgId ? ` #${message.msgId}` : ''}${marks}`;
    }
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
    case 'UNSUBACK':
      return `${message.type} #${message.msgId}`;
    case 'SUBACK':
      return `SUBACK ${message.topicId} #${message.msgId} QoS ${message.qos} ${message.code}`;
    case 'GWINFO':
    case 'ADVERTISE':
      return `${message.type} ${message.gatewayId}`;
    case 'ENCAPSULATED': {
      const inner = decode(message.message);
      return `[${Buffer.from(message.node).toString('hex')}] ${typeof inner === 'string' ? inner : describe(inner)}`;
    }
    default:
      return message.type;
  }
}

export interface World {
  clock: VirtualClock;
  broker: TestBroker;
  gateway: Gateway;
  said: string[];
  advertised: string[];
  device(peer: string): Device;
}

/** The first topic id and the first MsgId of each client are 1. */
export function world(parts: Partial<GatewayParts> = {}): World {
  const clock = new VirtualClock();
  const broker = new TestBroker(clock);
  const devices = new Map<string, Device>();
  const said: string[] = [];
  const advertised: string[] = [];
  const gateway = new Gateway({
    clock,
    openBroker: broker.open,
    transport: {
      send: (peer, datagram) => devices.get(peer)?.takes(datagram),
      broadcast: (datagram) => advertised.push(describe(decode(datagram) as Message)),
    },
    random: () => 0,
    say: (text) => said.push(text),
    ...parts,
  });
  const device = (peer: string) => {
    const made = new Device(gateway, clock, peer);
    devices.set(peer, made);
    return made;
  };
  return { clock, broker, gateway, said, advertised, device };
}

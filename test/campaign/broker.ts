import mqtt, { type IPublishPacket, type Packet, type Parser } from 'mqtt-packet';
import type { Clock } from '../../host/clock.js';
import type { BrokerListener, OpenBroker } from '../../host/gateway/connection.js';
import type { Level } from './model.js';

// A broker with sessions, in virtual time, written apart from the project's code: MQTT 3.1.1 over byte streams with mqtt-packet as codec, and the way
// in by which the gateway comes. It can die at any packet, before or behind its effect, and come back with or without what it knew.
//
// A session counts as present once its client was heard in it. MQTT 3.1.1 cannot tell a client that missed the CONNACK of a new session that the next
// one, "session present", is not about the session it knows: what either side then takes for known is not promised.

export interface Publication {
  topic: string;
  payload: string;
  qos: Level;
}

interface Outgoing extends Publication {
  id: number;
  /** PUBREC came. */
  released: boolean;
}

interface Session {
  subscriptions: Map<string, Level>;
  queue: Publication[];
  inflight: Outgoing[];
  /** QoS 2 messages that came, until PUBREL. */
  taken: Map<number, Publication>;
  nextId: number;
  /** The client was heard since the session began. */
  isUsed: boolean;
}

/** A TCP connection as the broker sees it. */
export interface Connection {
  receive(bytes: Uint8Array): void;
  /** The other side is gone. */
  closed(): void;
}

interface Peer {
  send(packet: Packet): void;
  close(): void;
  clientId: string | undefined;
  isOver: boolean;
}

/** A gateway's connection. */
interface Line {
  clientId: string;
  listener: BrokerListener;
  isOver: boolean;
  isConnected: boolean;
}

export interface Death {
  /** The packet it dies at, counted over all it gets. */
  at: number;
  when: 'before' | 'after';
  forgets: boolean;
  /** How long it is away, in ms. */
  ms: number;
}

export interface BrokerOptions {
  clock: Clock;
  /** Ms between a packet and what it causes. */
  latency: number;
  /** When a QoS 2 message goes on to subscribers: at PUBLISH or at PUBREL, as brokers differ. */
  forwards: 'PUBLISH' | 'PUBREL';
  /** Identifiers are given out from 1 to this one. */
  identifiers: number;
  inflight: number;
  arrived(message: Publication): void;
  queued(message: Publication): void;
  forgot(): void;
  note(line: string): void;
}

export class Broker {
  isAway = false;
  /** In the order in which they happen. */
  deaths: Death[] = [];
  /** Packets and requests that came. */
  packets = 0;
  /** What a client did that the specification does not allow. */
  readonly faults: string[] = [];
  #sessions = new Map<string, Session>();
  readonly #peers = new Set<Peer>();
  readonly #lines = new Set<Line>();
  /** What gateways asked for while it was away. */
  #waiting: (() => void)[] = [];
  readonly #options: BrokerOptions;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** A TCP connection: `send` and `close` act on its other side. */
  accept(send: (bytes: Uint8Array) => void, close: () => void): Connection {
    const { note, clock, latency } = this.#options;
    const parser: Parser = mqtt.parser({ protocolVersion: 4 });
    const peer: Peer = {
      clientId: undefined,
      isOver: false,
      send: (packet) => {
        if (peer.isOver) return;
        note(`  broker: ${describe(packet)}`);
        send(mqtt.generate(packet));
      },
      close: () => {
        if (peer.isOver) return;
        peer.isOver = true;
        this.#peers.delete(peer);
        close();
      },
    };
    this.#peers.add(peer);
    parser.on('packet', (packet) => {
      clock.after(latency, () => {
        if (!peer.isOver) void this.#dying(describe(packet), () => this.#act(peer, packet));
      });
    });
    parser.on('error', (error) => {
      this.faults.push(`the broker cannot read it: ${error.message}`);
      peer.close();
    });
    return {
      receive: (bytes) => void (peer.isOver || parser.parse(Buffer.from(bytes))),
      closed: () => {
        peer.isOver = true;
        this.#peers.delete(peer);
      },
    };
  }

  /** For the gateway. Between the two nothing is lost; requests made while the broker is away are made when it is back. */
  readonly open: OpenBroker = ({ clientId, clean }, listener) => {
    const { clock, latency } = this.#options;
    const line: Line = { clientId, listener, isOver: false, isConnected: false };
    if (clean) this.#sessions.delete(clientId);
    this.#lines.add(line);
    clock.after(latency, () => this.#welcome(line));
    const request = (what: string, work: () => void) => {
      const carryOut = () => {
        if (line.isOver) return;
        if (this.isAway) this.#waiting.push(carryOut);
        else if (!this.#dying(what, work)) this.#waiting.push(carryOut);
      };
      clock.after(latency, carryOut);
    };
    return {
      publish: ({ topic, payload, qos }, done) => {
        const text = Buffer.from(payload).toString();
        if (qos === 0) clock.after(0, done);
        request(`PUBLISH ${text}`, () => {
          this.#forward({ topic, payload: text, qos });
          if (qos > 0) done();
        });
      },
      subscribe: (filter, qos, done) =>
        request(`SUBSCRIBE ${filter}`, () => {
          this.#sessionOf(clientId).subscriptions.set(filter, qos);
          done(qos);
        }),
      unsubscribe: (filter, done) =>
        request(`UNSUBSCRIBE ${filter}`, () => {
          this.#sessionOf(clientId).subscriptions.delete(filter);
          done();
        }),
      end: (_force, done) => {
        line.isOver = true;
        this.#lines.delete(line);
        if (clean) this.#sessions.delete(clientId);
        clock.after(0, done);
      },
    };
  };

  /** The gateway died: its connections are gone. */
  cuts(): void {
    for (const line of this.#lines) line.isOver = true;
    this.#lines.clear();
  }

  /** Publishes as any other client does. */
  publish(message: Publication): void {
    for (const [clientId, session] of this.#sessions) {
      const granted = [...session.subscriptions].filter(([filter]) => matches(filter, message.topic)).map(([, qos]) => qos);
      if (granted.length === 0) continue;
      const qos = Math.min(message.qos, Math.max(...granted)) as Level;
      const isThere = !this.isAway && (this.#peerOf(clientId) ?? this.#lineOf(clientId)) !== undefined;
      if (qos === 0 && !isThere) continue;
      const copy = { ...message, qos };
      this.#options.queued(copy);
      session.queue.push(copy);
      this.#pump(clientId);
    }
  }

  /** Whether nothing is on its way to the client. */
  isDone(clientId: string): boolean {
    const session = this.#sessions.get(clientId);
    return !session || (session.queue.length === 0 && session.inflight.length === 0);
  }

  isSubscribed(clientId: string): boolean {
    return (this.#sessions.get(clientId)?.subscriptions.size ?? 0) > 0;
  }

  dies(forgets: boolean, ms: number): void {
    const { note, clock, forgot } = this.#options;
    note(`the broker dies${forgets ? ' and forgets' : ''}, for ${ms} ms`);
    this.isAway = true;
    for (const peer of [...this.#peers]) peer.close();
    for (const line of this.#lines) line.isConnected = false;
    if (forgets) {
      this.#sessions = new Map();
      forgot();
    }
    // A listener is never called from within a request.
    clock.after(0, () => {
      for (const { listener } of this.#lines) listener.away('gone');
    });
    clock.after(Math.max(ms, 1), () => {
      note('the broker is back');
      this.isAway = false;
      for (const line of this.#lines) this.#welcome(line);
      for (const work of this.#waiting.splice(0)) work();
    });
  }

  /** Acts on a packet, and dies before or behind it when it is time. Answers whether it acted. */
  #dying(what: string, act: () => void): boolean {
    this.#options.note(`  client: ${what}`);
    const [death] = this.deaths;
    if (++this.packets !== death?.at) {
      act();
      return true;
    }
    this.deaths.shift();
    if (death.when === 'after') {
      const peers = [...this.#peers];
      for (const peer of peers) peer.send = () => {}; // the effect is there, the answer is not
      act();
    }
    this.dies(death.forgets, death.ms);
    return death.when === 'after';
  }

  #sessionOf(clientId: string): Session {
    let session = this.#sessions.get(clientId);
    if (!session) {
      session = { subscriptions: new Map(), queue: [], inflight: [], taken: new Map(), nextId: 1, isUsed: false };
      this.#sessions.set(clientId, session);
    }
    return session;
  }

  #peerOf(clientId: string): Peer | undefined {
    return [...this.#peers].find((peer) => peer.clientId === clientId);
  }

  #lineOf(clientId: string): Line | undefined {
    return [...this.#lines].find((line) => line.clientId === clientId && line.isConnected);
  }

  #welcome(line: Line): void {
    if (line.isOver || this.isAway || line.isConnected) return;
    line.isConnected = true;
    const present = this.#sessions.has(line.clientId);
    this.#sessionOf(line.clientId);
    line.listener.connected(present);
    this.#pump(line.clientId);
  }

  #act(peer: Peer, packet: Packet): void {
    if (packet.cmd === 'connect') {
      const { clientId, clean } = packet;
      this.#peerOf(clientId)?.close();
      if (clean) this.#sessions.delete(clientId);
      const sessionPresent = this.#sessions.get(clientId)?.isUsed ?? false;
      if (!sessionPresent) this.#sessions.delete(clientId);
      peer.clientId = clientId;
      const session = this.#sessionOf(clientId);
      peer.send({ cmd: 'connack', returnCode: 0, sessionPresent });
      for (const each of session.inflight) {
        if (each.released) peer.send({ cmd: 'pubrel', messageId: each.id });
        else peer.send(publishOf(each, true));
      }
      this.#pump(clientId);
      return;
    }
    const { clientId } = peer;
    if (clientId === undefined) {
      this.faults.push(`${packet.cmd} before CONNECT`);
      peer.close();
      return;
    }
    const session = this.#sessionOf(clientId);
    session.isUsed = true;
    switch (packet.cmd) {
      case 'publish':
        this.#take(peer, session, packet);
        return;
      case 'pubrel': {
        const id = packet.messageId ?? 0;
        const message = session.taken.get(id);
        session.taken.delete(id);
        if (message && this.#options.forwards === 'PUBREL') this.#forward(message);
        peer.send({ cmd: 'pubcomp', messageId: id });
        return;
      }
      case 'puback':
      case 'pubcomp':
        session.inflight = session.inflight.filter(({ id }) => id !== packet.messageId);
        this.#pump(clientId);
        return;
      case 'pubrec': {
        const each = session.inflight.find(({ id }) => id === packet.messageId);
        if (each) each.released = true;
        peer.send({ cmd: 'pubrel', messageId: packet.messageId ?? 0 });
        return;
      }
      case 'subscribe':
        for (const { topic, qos } of packet.subscriptions) session.subscriptions.set(topic, qos as Level);
        peer.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(({ qos }) => qos) });
        return;
      case 'pingreq':
        peer.send({ cmd: 'pingresp' });
        return;
      case 'disconnect':
        peer.close();
        return;
    }
    this.faults.push(`a client sent ${packet.cmd}`);
  }

  #take(peer: Peer, { taken }: Session, { topic, payload, qos, dup, messageId: id = 0 }: IPublishPacket): void {
    const message = { topic, payload: String(payload), qos: qos as Level };
    if (qos === 0) {
      this.#forward(message);
      return;
    }
    if (qos === 1) {
      this.#forward(message);
      peer.send({ cmd: 'puback', messageId: id });
      return;
    }
    const known = taken.get(id);
    if (known && !dup) this.faults.push(`'${message.payload}' came without DUP under identifier ${id}, which is in use`);
    if (known && known.payload !== message.payload)
      this.faults.push(`'${message.payload}' came under identifier ${id}, which is in use for '${known.payload}'`);
    if (!known) {
      taken.set(id, message);
      if (this.#options.forwards === 'PUBLISH') this.#forward(message);
    }
    peer.send({ cmd: 'pubrec', messageId: id });
  }

  #forward(message: Publication): void {
    this.#options.arrived(message);
  }

  /** Sends what waits, as far as it may. */
  #pump(clientId: string): void {
    if (this.isAway) return;
    const session = this.#sessionOf(clientId);
    const line = this.#lineOf(clientId);
    if (line) {
      // From here on the gateway has it.
      for (const { topic, payload, qos } of session.queue.splice(0))
        this.#options.clock.after(
          0,
          () => line.isOver || line.listener.message({ topic, payload: Buffer.from(payload), qos, retain: false }),
        );
      return;
    }
    const peer = this.#peerOf(clientId);
    if (!peer) return;
    const most = Math.min(this.#options.inflight, this.#options.identifiers - 1);
    while (session.queue.length > 0 && session.inflight.length < most) {
      const message = session.queue.shift() as Publication;
      const each: Outgoing = { ...message, id: message.qos > 0 ? this.#freeId(session) : 0, released: false };
      if (message.qos > 0) session.inflight.push(each);
      peer.send(publishOf(each, false));
    }
  }

  #freeId(session: Session): number {
    while (session.inflight.some(({ id }) => id === session.nextId)) session.nextId = (session.nextId % this.#options.identifiers) + 1;
    const id = session.nextId;
    session.nextId = (id % this.#options.identifiers) + 1;
    return id;
  }
}

function publishOf({ topic, payload, qos, id }: Outgoing, dup: boolean): Packet {
  return { cmd: 'publish', topic, payload, qos, dup: dup && qos > 0, retain: false, ...(qos > 0 && { messageId: id }) };
}

function describe(packet: Packet): string {
  const id = 'messageId' in packet && packet.messageId ? ` #${packet.messageId}` : '';
  switch (packet.cmd) {
    case 'publish':
      return `PUBLISH ${packet.topic} '${packet.payload}' QoS ${packet.qos}${id}${packet.dup ? ' DUP' : ''}`;
    case 'connack':
      return `CONNACK ${packet.sessionPresent ? 'session present' : 'no session'}`;
    default:
      return `${packet.cmd.toUpperCase()}${id}`;
  }
}

function matches(filter: string, topic: string): boolean {
  return filter.endsWith('/#') ? topic.startsWith(filter.slice(0, -1)) : filter === topic;
}

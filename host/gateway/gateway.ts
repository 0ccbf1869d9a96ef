import { type Clock, realClock } from '../clock.js';
import type { Journal } from '../journal/journal.js';
import { printable } from '../printable.js';
import type { OpenBroker } from './connection.js';
import { Counters } from './counters.js';
import { decode } from './decode.js';
import { advertise, connack, disconnect, encapsulated, gwinfo, LARGEST_MESSAGE } from './encode.js';
import { Endings } from './endings.js';
import { ForgettingJournal } from './forgetting.js';
import { clientsIn } from './kept.js';
import { defaultLimits, ENDING_MS, LINES, type Limits, QUIET_MS } from './limits.js';
import {
  CONGESTION,
  type ConnectMessage,
  type Fault,
  type Message,
  NOT_SUPPORTED,
  PREDEFINED,
  type PublishMessage,
  SHORT,
} from './messages.js';
import { Predefined } from './predefined.js';
import { type Address, Session, type SessionParts } from './session.js';
import { shortName, topicFault } from './topics.js';
import { type Broker, Uplink } from './uplink.js';
import { Watch } from './watch.js';

/** Carries datagrams between the gateway and its peers. A peer's name is the transport's own. Datagrams may be lost. */
export interface Transport {
  /** Sends a datagram, or loses it. The bytes are the transport's to keep. */
  send(peer: string, datagram: Uint8Array): void;
  /** Sends a datagram to all who may listen, for ADVERTISE. */
  broadcast?(datagram: Uint8Array): void;
  /** Bytes of the largest datagram to `peer`; what is larger is not sent. */
  largest?(peer: string): number;
}

export interface GatewayParts {
  transport: Transport;
  openBroker: OpenBroker;
  clock?: Clock;
  limits?: Partial<Limits>;
  predefined?: Predefined;
  /** Where messages of QoS 1 and 2 outlive the gateway, of sessions that are kept. `openBroker` has to know what BrokerOptions.kept is. */
  journal?: Journal | undefined;
  /** 32 random bits, for the first ids that are given out. */
  random?(): number;
  /** Something people have to know. */
  say?(text: string): void;
  /** Each event, when somebody follows them. */
  debug?(text: string): void;
}

/**
 * A transparent MQTT-SN 1.2 gateway: one connection to the broker for each client. It knows no socket: datagrams come by receive() and leave by the
 * transport, and all time is the clock's.
 */
export class Gateway {
  readonly counters = new Counters();
  readonly #transport: Transport;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #parts: GatewayParts;
  readonly #broker: Broker;
  readonly #sessionParts: SessionParts;
  readonly #watch: Watch;
  readonly #byId = new Map<string, Session>();
  readonly #byAddress = new Map<string, Session>();
  /** Addresses that clients had before they connected from another, with the client id: as many as there may be clients. */
  readonly #left = new Map<string, string>();
  /** For publications without a connection. */
  readonly #own: Uplink;
  /** The broker refused it: it is not asked again before. */
  #ownBarredUntil = Number.NEGATIVE_INFINITY;
  #cancelAdvertise: (() => void) | undefined;
  #stopped = false;
  /** Lines told since, and lines that were too many. */
  #saidSince = Number.NEGATIVE_INFINITY;
  #said = 0;
  #unsaid = 0;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#transport = parts.transport;
    this.#limits = { ...defaultLimits, ...parts.limits };
    this.#clock = parts.clock ?? realClock;
    const random = parts.random ?? (() => (Math.random() * 2 ** 32) | 0);
    this.#watch = new Watch(this.#clock, this.#limits.garbage);
    this.#broker = { clock: this.#clock, limits: this.#limits, open: parts.openBroker, endings: new Endings(), inflight: 0, unsent: 0 };
    const say = (text: string) => this.#say(text);
    const debug = (text: () => string) => parts.debug?.(printable(text()));
    const journal = parts.journal && new ForgettingJournal(parts.journal);
    this.#sessionParts = {
      clock: this.#clock,
      limits: this.#limits,
      counters: this.counters,
      predefined: parts.predefined ?? new Predefined(),
      broker: this.#broker,
      journal,
      random,
      send: (address, datagram) => this.#send(address, datagram),
      largest: ({ peer, node }) =>
        Math.min(this.#transport.largest?.(peer) ?? LARGEST_MESSAGE, LARGEST_MESSAGE) - (node ? node.length + 3 : 0),
      moved: (session, address) => this.#moved(session, address),
      over: (session) => {
        if (this.#byId.get(session.clientId) === session) this.#byId.delete(session.clientId);
      },
      say,
      debug,
    };
    this.#own = new Uplink(`twobyte-gw${this.#limits.gatewayId}-${(random() >>> 0).toString(16)}`, this.#broker, {
      connected: () => {},
      message: () => {},
      away: (reason) => say(`the gateway's own connection: the broker is away: ${reason}`),
      refused: (reason) => {
        this.#ownBarredUntil = this.#clock.now() + QUIET_MS;
        say(`the gateway's own connection: the broker refuses it: ${reason}`);
      },
      notGranted: () => {},
      trouble: say,
    });
    for (const clientId of journal ? clientsIn(journal) : []) {
      const session = new Session(clientId, this.#sessionParts);
      this.#byId.set(clientId, session);
      session.restore();
    }
    const tooMany = this.#byId.size - this.#limits.clients;
    if (tooMany > 0) say(`the journal has ${this.#byId.size} sessions, and there may be ${this.#limits.clients}; forgotten: ${tooMany}`);
    while (this.#byId.size > this.#limits.clients && this.#makeRoom());
  }

  /** Clients by state, and messages that wait for them. */
  get clients(): { id: string; state: string; buffered: number }[] {
    return [...this.#byId.values()].map(({ clientId: id, state, buffered }) => ({ id, state, buffered }));
  }

  /** Goes on where an earlier gateway with this journal ended; advertises from now on, where that was asked for. */
  start(): void {
    for (const session of this.#byId.values()) session.goOn();
    const { advertise: seconds, gatewayId } = this.#limits;
    if (seconds === 0) return;
    const tell = () => {
      this.#transport.broadcast?.(advertise(gatewayId, seconds));
      this.#cancelAdvertise = this.#clock.after(seconds * 1000, tell);
    };
    tell();
  }

  /** Ends in order: clients are told, connections to the broker end; then `done`. What is under way has some time. */
  stop(done: () => void): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelAdvertise?.();
    let undelivered = 0;
    for (const { buffered, kept } of this.#byId.values()) undelivered += buffered - kept;
    if (undelivered > 0) this.#parts.say?.(`${undelivered} messages that waited for clients are gone`);
    for (const session of this.#byId.values()) session.stop();
    this.#own.close();
    const give = this.#clock.now() + 2 * ENDING_MS;
    const look = () => {
      if (this.#broker.endings.size === 0 || this.#clock.now() >= give) done();
      else this.#clock.after(20, look);
    };
    look();
  }

  /** A datagram arrived from `peer`. It may be anything, and as many as the network carries. */
  receive(datagram: Uint8Array, peer: string): void {
    if (this.#stopped) return;
    if (this.#watch.isIgnored(peer)) {
      this.counters.count('datagrams ignored after garbage');
      return;
    }
    const message = decode(datagram);
    if (typeof message === 'string') {
      this.#malformed(message, peer);
      return;
    }
    if (message.type !== 'ENCAPSULATED') {
      this.#handle(message, { key: peer, peer, node: undefined });
      return;
    }
    const inner = decode(message.message);
    if (typeof inner === 'string') {
      this.#malformed(inner, peer);
      return;
    }
    const node = Uint8Array.from(message.node);
    this.#handle(inner, { key: `${peer} node ${Buffer.from(node).toString('hex')}`, peer, node });
  }

  #handle(message: Message, address: Address): void {
    this.#parts.debug?.(`${address.key} → ${message.type}`); // neither is the peer's own words
    switch (message.type) {
      case 'CONNECT':
        this.#connect(message, address);
        return;
      case 'SEARCHGW':
        this.#send(address, gwinfo(this.#limits.gatewayId));
        return;
      case 'ADVERTISE':
      case 'GWINFO':
        return; // another gateway's, or a client's that answers for one
      case 'CONNACK':
      case 'WILLTOPICREQ':
      case 'WILLMSGREQ':
      case 'SUBACK':
      case 'UNSUBACK':
      case 'PINGRESP':
      case 'WILLTOPICRESP':
      case 'WILLMSGRESP':
        this.counters.count('messages out of place'); // only gateways say so
        return;
      case 'PUBLISH':
        if (message.qos < 0) {
          this.#publishUnconnected(message, address);
          return;
        }
        break;
      case 'PINGREQ':
        if (message.clientId !== '') {
          this.#wake(message.clientId, address);
          return;
        }
        break;
    }
    const session = this.#byAddress.get(address.key);
    if (session) session.handle(message);
    else this.#stranger(address);
  }

  #connect(message: ConnectMessage, address: Address): void {
    const { clientId } = message;
    if (!this.#watch.mayConnect(address.peer)) {
      this.counters.count('CONNECTs ignored: too many from one address');
      return;
    }
    const fault = this.#connectFault(message);
    if (fault) {
      this.counters.count('connections refused: not supported');
      this.#say(`a client at ${address.key} cannot connect: ${fault}`);
      this.#send(address, connack(NOT_SUPPORTED));
      return;
    }
    let session = this.#byId.get(clientId);
    if (!session) {
      if (this.#broker.endings.size >= this.#limits.clients) {
        this.counters.count('connections refused: too many are ending');
        this.#send(address, connack(CONGESTION));
        return;
      }
      if (this.#byId.size >= this.#limits.clients && !this.#makeRoom()) {
        this.counters.count('connections refused: too many clients');
        this.#say(`client '${clientId}' cannot connect: there are ${this.#limits.clients} already`);
        this.#send(address, connack(CONGESTION));
        return;
      }
      session = new Session(clientId, this.#sessionParts);
      this.#byId.set(clientId, session);
    }
    session.connect(message, address);
  }

  #connectFault({ protocolId, clientId }: ConnectMessage): string | undefined {
    if (protocolId !== 1) return `it speaks protocol ${protocolId}; this gateway speaks MQTT-SN 1.2, which is protocol 1`;
    if (clientId === '') return 'its client id is empty';
    if (Buffer.byteLength(clientId) > this.#limits.clientId) return `its client id is longer than ${this.#limits.clientId} bytes`;
    return clientId === this.#own.clientId ? 'its client id is the gateway’s own' : undefined;
  }

  /**
   * Forgets a client whose session is kept: of those that disconnected the first for whom nothing waits, else the first; when there is none, of those
   * that were lost, or whose messages the broker does not have yet, the first. The broker has its subscriptions, and keeps what comes from now on.
   */
  #makeRoom(): boolean {
    const rank = ({ state, buffered, offered }: Session) => (state === 'lost' || offered > 0 ? 2 : buffered > 0 ? 1 : 0);
    let chosen: Session | undefined;
    for (const session of this.#byId.values()) {
      if (session.state !== 'disconnected' && session.state !== 'lost') continue;
      const before = chosen ? rank(session) - rank(chosen) || session.restsSince - chosen.restsSince : -1;
      if (before < 0) chosen = session;
    }
    if (!chosen) return false;
    chosen.giveUp();
    this.counters.count('kept sessions forgotten: too many clients');
    return true;
  }

  #wake(clientId: string, address: Address): void {
    const session = this.#byId.get(clientId);
    if (session?.isLive) session.wake(address);
    else if (!session?.isGreeting) this.#stranger(address);
  }

  /** QoS −1 needs no connection and has no answer (SN 6.8). */
  #publishUnconnected({ topicType, topicId, data: payload, retain }: PublishMessage, { peer }: Address): void {
    if (!this.#limits.qosMinusOne) {
      this.counters.count('QoS −1 dropped: switched off');
      return;
    }
    if (!this.#watch.mayPublish(peer, this.#limits.qosMinusOneRate)) {
      this.counters.count('QoS −1 dropped: too many from one address');
      return;
    }
    const topic = this.#unconnectedTopic(topicType, topicId);
    if (topic === undefined) {
      this.counters.count('QoS −1 dropped: no such topic');
      return;
    }
    if (!this.#own.isOpen && this.#clock.now() >= this.#ownBarredUntil) this.#own.open(true, undefined);
    // Also while the first connection is made: what comes then is what it is made for.
    const sent = this.#own.publish({ topic, payload, qos: 0, retain }, () => {});
    this.counters.count(sent ? 'publications' : 'QoS −1 dropped: congestion');
  }

  #unconnectedTopic(topicType: number, topicId: number): string | undefined {
    if (topicType === PREDEFINED) return this.#sessionParts.predefined.topicOf(topicId);
    const topic = topicType === SHORT ? shortName(topicId) : undefined;
    return topic !== undefined && topicFault(topic) ? undefined : topic;
  }

  /** Somebody who takes himself for connected, to a gateway that was started anew perhaps: he is told, so that he connects again. */
  #stranger(address: Address): void {
    this.counters.count('messages from strangers');
    const clientId = this.#left.get(address.key);
    if (clientId !== undefined && this.#byId.get(clientId)?.isLive) {
      this.#left.delete(address.key); // told once
      this.counters.count('clients whose place another took');
      this.#say(
        `client '${clientId}' is connected from elsewhere, and ${address.key} still speaks as if it were: do two clients use this id?`,
      );
    }
    if (this.#watch.mayAnswer(address.key)) this.#send(address, disconnect());
  }

  #moved(session: Session, address: Address | undefined): void {
    if (session.address && this.#byAddress.get(session.address.key) === session) {
      this.#byAddress.delete(session.address.key);
      if (address && address.key !== session.address.key) this.#remember(session.address.key, session.clientId);
    }
    if (!address) return;
    this.#left.delete(address.key);
    const other = this.#byAddress.get(address.key);
    this.#byAddress.set(address.key, session);
    if (other && other !== session) other.displaced();
  }

  #remember(key: string, clientId: string): void {
    const [oldest] = this.#left.keys();
    if (this.#left.size >= this.#limits.clients && oldest !== undefined) this.#left.delete(oldest);
    this.#left.set(key, clientId);
  }

  #malformed(fault: Fault, peer: string): void {
    this.counters.count(`malformed: ${fault}`);
    this.#watch.garbage(peer);
    this.#say(`a malformed datagram from ${peer} was dropped: ${fault}`);
  }

  /** Tells people, who read no more than so many lines. */
  #say(text: string): void {
    const now = this.#clock.now();
    if (now - this.#saidSince >= QUIET_MS) {
      if (this.#unsaid > 0) this.#parts.say?.(`${this.#unsaid} lines more were not told`);
      this.#saidSince = now;
      this.#said = this.#unsaid = 0;
    }
    if (this.#said++ < LINES) this.#parts.say?.(printable(text));
    else this.#unsaid++;
  }

  #send({ key, peer, node }: Address, datagram: Uint8Array): void {
    if (this.#parts.debug) this.#parts.debug(`${key} ← ${nameOf(datagram)}`);
    this.#transport.send(peer, node ? encapsulated(node, datagram) : datagram);
  }
}

/** What a datagram of our own is, for people. */
function nameOf(datagram: Uint8Array): string {
  const message = decode(datagram);
  return typeof message === 'string' ? message : message.type;
}

import mqtt from 'mqtt-packet';
import { REASON_RESET } from '../../host/contract.js';
import type { BrokerConnection, BrokerListener, OpenBroker } from '../../host/gateway/connection.js';
import { KeptConnection } from '../../host/gateway/kept-connection.js';
import type { Publication } from '../../host/gateway/publication.js';
import type { Link, LinkListener, OpenLink } from '../../host/links/link.js';
import { configOf, type QoS } from '../../host/options.js';
import type { VirtualClock } from '../../host/testing/virtual-clock.js';

// An MQTT broker of a few lines that speaks bytes, for connections whose module is the real one. It keeps every session, with what is under way in both
// directions, and publishes a QoS 2 message at its PUBLISH.

interface Outgoing extends Publication {
  id: number;
  isReleased: boolean;
  isSent: boolean;
}

interface Kept {
  subscriptions: Map<string, QoS>;
  /** Messages to the client until they are acknowledged in full. */
  queue: Outgoing[];
  nextId: number;
  /** QoS 2 messages of the client between PUBLISH and PUBREL. */
  received: Set<number>;
}

interface Connection {
  listener: LinkListener;
  clientId: string;
  isOver: boolean;
}

export class MqttBroker {
  /** Everything published, in order: `topic payload QoS`. */
  readonly published: string[] = [];
  /** Ms until it gets what it is sent, and until what it sends arrives. */
  latency = 0;
  /** Asked before bytes are sent to it; false when the sender is dead by now. */
  effect: () => boolean = () => true;
  /** Whether what was sent before a cut arrives. */
  arrivesAfterCut = true;
  readonly #clock: VirtualClock;
  readonly #kept = new Map<string, Kept>();
  readonly #connections = new Set<Connection>();
  /** Counts those who died: what they still have in hand does not happen. */
  #lives = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Connections of a gateway with a journal. */
  readonly open: OpenBroker = (options, listener) => {
    const { clientId, clean, will, kept } = options;
    if (!kept) return this.#unkept(clientId, listener);
    const config = configOf(new URL('mqtt://broker'), { clientId, clean, keepalive: 600, reconnectPeriod: 1000, ...(will && { will }) });
    const soon = (action: () => void) => void this.#clock.after(0, action);
    return new KeptConnection({
      links: [this.#link(this.#lives)],
      config,
      kept,
      listener,
      most: 65_535,
      clock: this.#clock,
      soon,
      random: () => 7,
    });
  };

  /** A session that is not kept: connected, and of no further interest. */
  #unkept(clientId: string, listener: BrokerListener): BrokerConnection {
    this.#kept.delete(clientId);
    this.#clock.after(0, () => listener.connected(false));
    return {
      publish: (_, done) => void this.#clock.after(0, done),
      subscribe: (_, qos, done) => void this.#clock.after(0, () => done(qos)),
      unsubscribe: (_, done) => void this.#clock.after(0, done),
      end: (_, done) => void this.#clock.after(0, done),
    };
  }

  #link =
    (life: number): OpenLink =>
    (listener): Link => {
      const connection: Connection = { listener, clientId: '', isOver: life !== this.#lives };
      this.#connections.add(connection);
      const parser = mqtt.parser();
      parser.on('packet', (packet) => this.#act(connection, packet));
      this.#clock.after(0, () => connection.isOver || listener.opened());
      let isOpen = true;
      return {
        send: (bytes) => {
          if (!isOpen || life !== this.#lives || !this.effect()) return bytes.length;
          const copy = Buffer.from(bytes);
          this.#clock.after(this.latency, () => {
            if (!connection.isOver || this.arrivesAfterCut) parser.parse(copy);
          });
          return bytes.length;
        },
        pause() {},
        resume() {},
        close: () => {
          isOpen = false;
          this.#connections.delete(connection);
          connection.isOver = true;
        },
      };
    };

  /** Publishes as anybody may. */
  says(topic: string, payload: string, qos: QoS = 0): void {
    this.#publish({ topic, payload: Buffer.from(payload), qos, retain: false });
  }

  /** Whoever is connected dies, and hears nothing more. */
  cuts(): void {
    this.#lives++;
    for (const connection of this.#connections) connection.isOver = true;
    this.#connections.clear();
  }

  /** All connections break off; their owners are told. */
  breaks(): void {
    for (const connection of [...this.#connections]) {
      connection.isOver = true;
      this.#connections.delete(connection);
      this.#clock.after(0, () => connection.listener.closed(REASON_RESET, 'reset'));
    }
  }

  /** Messages that are not acknowledged to it. */
  waiting(clientId: string): number {
    return this.#kept.get(clientId)?.queue.length ?? 0;
  }

  #publish({ topic, payload, qos, retain }: Publication): void {
    for (const [clientId, kept] of this.#kept) {
      const granted = [...kept.subscriptions].filter(([filter]) => matches(filter, topic)).map(([, most]) => most);
      if (granted.length === 0) continue;
      kept.nextId = (kept.nextId % 65_535) + 1;
      const most = Math.min(qos, Math.max(...granted)) as QoS;
      kept.queue.push({ topic, payload, qos: most, retain, id: kept.nextId, isReleased: false, isSent: false });
      this.#flush(clientId, kept);
    }
  }

  #flush(clientId: string, kept: Kept): void {
    const connection = [...this.#connections].find((each) => each.clientId === clientId);
    if (!connection) return;
    for (const message of kept.queue) {
      if (message.isSent) continue;
      message.isSent = true;
      this.#deliver(connection, message, false);
    }
    kept.queue = kept.queue.filter(({ qos }) => qos > 0);
  }

  #deliver(connection: Connection, { topic, payload, qos, retain, id, isReleased }: Outgoing, dup: boolean): void {
    if (isReleased) this.#send(connection, { cmd: 'pubrel', messageId: id });
    else this.#send(connection, { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: dup && qos > 0, messageId: id });
  }

  #send(connection: Connection, packet: mqtt.Packet): void {
    const bytes = mqtt.generate(packet);
    this.#clock.after(this.latency, () => connection.isOver || connection.listener.received(bytes));
  }

  #act(connection: Connection, packet: mqtt.Packet): void {
    const id = packet.messageId ?? 0;
    if (packet.cmd === 'connect') {
      this.#welcome(connection, packet.clientId, packet.clean === true);
      return;
    }
    const kept = this.#kept.get(connection.clientId);
    if (!kept) return;
    switch (packet.cmd) {
      case 'publish':
        if (packet.qos < 2 || !kept.received.has(id)) {
          this.published.push(`${packet.topic} ${packet.payload} ${packet.qos}`);
          this.#publish({ topic: packet.topic, payload: Buffer.from(packet.payload), qos: packet.qos, retain: packet.retain });
        }
        if (packet.qos === 2) kept.received.add(id);
        if (packet.qos > 0) this.#send(connection, { cmd: packet.qos === 2 ? 'pubrec' : 'puback', messageId: id });
        break;
      case 'pubrel':
        kept.received.delete(id);
        this.#send(connection, { cmd: 'pubcomp', messageId: id });
        break;
      case 'puback':
      case 'pubcomp':
        kept.queue = kept.queue.filter((message) => message.id !== id);
        break;
      case 'pubrec': {
        const message = kept.queue.find((each) => each.id === id);
        if (message) message.isReleased = true;
        this.#send(connection, { cmd: 'pubrel', messageId: id });
        break;
      }
      case 'subscribe':
        for (const { topic, qos } of packet.subscriptions) kept.subscriptions.set(topic, qos as QoS);
        this.#send(connection, { cmd: 'suback', messageId: id, granted: packet.subscriptions.map(({ qos }) => qos) });
        break;
      case 'pingreq':
        this.#send(connection, { cmd: 'pingresp' });
        break;
      case 'disconnect':
        this.#connections.delete(connection);
        break;
    }
  }

  #welcome(connection: Connection, clientId: string, clean: boolean): void {
    if (connection.isOver) return;
    for (const other of this.#connections) {
      if (other.clientId !== clientId) continue;
      other.isOver = true;
      this.#connections.delete(other);
    }
    connection.clientId = clientId;
    if (clean) this.#kept.delete(clientId);
    const present = this.#kept.get(clientId);
    const kept: Kept = present ?? { subscriptions: new Map(), queue: [], nextId: 0, received: new Set() };
    this.#kept.set(clientId, kept);
    this.#send(connection, { cmd: 'connack', returnCode: 0, sessionPresent: present !== undefined });
    for (const message of kept.queue) if (message.isSent) this.#deliver(connection, message, true);
    this.#flush(clientId, kept);
  }
}

function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true;
    if (levels[i] === undefined || (level !== '+' && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

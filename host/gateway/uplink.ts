import type { Clock } from '../clock.js';
import type { BrokerConnection, Failure, OpenBroker } from './connection.js';
import type { Endings } from './endings.js';
import type { Kept } from './kept.js';
import { ENDING_MS, type Limits, MESSAGE_COST, TOTAL_UNSENT_BYTES, UNSENT_BYTES } from './limits.js';
import type { QoS } from './messages.js';
import type { Publication } from './publication.js';
import type { Offered } from './taken.js';

/** What all uplinks of a gateway share. */
export interface Broker {
  clock: Clock;
  limits: Limits;
  open: OpenBroker;
  endings: Endings;
  /** Requests of all clients that wait for the broker. */
  inflight: number;
  /** Bytes of QoS 0 publications of all clients that no broker has taken yet. */
  unsent: number;
}

export interface UplinkListener {
  connected(): void;
  message(message: Publication): void;
  /** No connection, or no longer. */
  away(reason: string): void;
  refused(reason: string): void;
  /** The broker has lost a session and no longer grants a subscription. */
  notGranted(filter: string): void;
  trouble(what: string): void;
}

/** How long a will waits for a broker that is away. */
const WILL_WAIT_MS = 60_000;

/** The way of one client to the broker: at most one connection at a time, its subscriptions, and how much waits for it. */
export class Uplink {
  readonly clientId: string;
  /** What the client has subscribed to, for a broker that has forgotten. */
  readonly subscriptions = new Map<string, QoS>();
  /** Filters that the broker has been asked for on this connection and were not there before. */
  readonly #asked = new Set<string>();
  clean = true;
  /** The will that the present connection was made with. */
  will: Publication | undefined;
  /** The broker accepted the present connection, and it is there. */
  connected = false;
  readonly #broker: Broker;
  readonly #listener: UplinkListener;
  #connection: BrokerConnection | undefined;
  /** Connections given up that wait for the broker to take a will, and what ends them. */
  readonly #leaving = new Map<BrokerConnection, () => void>();
  /** Calls off an opening that waits for the end of another connection. */
  #callOff: (() => void) | undefined;
  #everConnected = false;
  #awaySince = 0;
  #inflight = 0;
  /** QoS 0 messages that wait for the broker to come back. */
  #unsent = 0;
  /** Bytes of those, and of others that a slow broker has not taken. */
  #unsentBytes = 0;
  /** Counts the times that these began from nothing. */
  #epoch = 0;

  /** `kept`: what outlives the gateway, of sessions that are kept. */
  constructor(
    clientId: string,
    broker: Broker,
    listener: UplinkListener,
    private readonly kept?: Kept,
  ) {
    this.clientId = clientId;
    this.#broker = broker;
    this.#listener = listener;
  }

  get isOpen(): boolean {
    return this.#connection !== undefined || this.#callOff !== undefined;
  }

  /** Whether requests wait for the broker. */
  get isBusy(): boolean {
    return this.#inflight > 0;
  }

  /** Whether the broker is there, or was a moment ago. */
  get isUsable(): boolean {
    return this.#everConnected && !this.#awayTooLong;
  }

  get #awayTooLong(): boolean {
    const { clock, limits } = this.#broker;
    return !this.connected && clock.now() - this.#awaySince >= limits.brokerAbsence;
  }

  /** Whether there is no room for another request. */
  get isCongested(): boolean {
    const { limits, inflight } = this.#broker;
    return !this.isUsable || this.#inflight >= limits.inflight || inflight >= limits.totalInflight;
  }

  /** Whether a subscription to `filter` is one of those there are, or may be another. */
  hasRoomFor(filter: string): boolean {
    const { subscriptions } = this;
    if (subscriptions.has(filter) || this.#asked.has(filter)) return true;
    const { limits } = this.#broker;
    if (subscriptions.size + this.#asked.size >= limits.subscriptions) return false;
    let bytes = Buffer.byteLength(filter);
    for (const filters of [subscriptions.keys(), this.#asked]) for (const other of filters) bytes += Buffer.byteLength(other);
    return bytes <= limits.subscriptionBytes;
  }

  /** Connects; what comes of it is told to the listener. */
  open(clean: boolean, will: Publication | undefined): void {
    this.close(true);
    this.clean = clean;
    this.will = will;
    let now = true;
    const callOff = this.#broker.endings.whenOver(this.clientId, () => {
      now = false;
      this.#callOff = undefined;
      this.#connect();
    });
    if (now) this.#callOff = callOff;
  }

  /** Ends the connection in order; what is under way has some time, unless `force`. */
  close(force = false): void {
    this.#callOff?.();
    this.#callOff = undefined;
    const connection = this.#release();
    if (connection) this.#end(connection, force, this.#broker.endings.began(this.clientId));
  }

  /** Publishes the will, then ends the connection. A broker that is away is waited for. Answers false when there is no connection to publish by. */
  closeWith(will: Publication): boolean {
    const { clock, endings } = this.#broker;
    const connection = this.#connection;
    if (!connection) {
      this.close();
      return false;
    }
    const { connected } = this;
    const over = endings.began(this.clientId);
    if (connected) {
      this.#release();
      connection.publish(will, () => {});
      this.#end(connection, false, over);
      return true;
    }
    const leave = () => {
      callOff();
      this.#end(connection, false, over);
    };
    const callOff = clock.after(WILL_WAIT_MS, leave);
    this.#leaving.set(connection, leave);
    this.#release();
    connection.publish(will, () => {});
    return true;
  }

  /** Publishes the will of a client whose session is kept, whatever else waits. Answers false when there is no connection to publish by. */
  publishWill(will: Publication): boolean {
    this.#connection?.publish(will, () => {});
    return this.#connection !== undefined;
  }

  /** Publishes; answers false when there is no room (`done` is then not called). */
  publish(message: Publication, done: (failure?: Failure) => void, offered?: Offered): boolean {
    const connection = this.#connection;
    if (!connection) return false;
    if (message.qos === 0) {
      // Nobody hears of it when it fails, so a few also wait for the first connection.
      if (this.#awayTooLong || (!this.connected && ++this.#unsent > this.#broker.limits.inflight)) return false;
      const size = Buffer.byteLength(message.topic) + message.payload.length + MESSAGE_COST;
      if (this.#unsentBytes + size > UNSENT_BYTES || this.#broker.unsent + size > TOTAL_UNSENT_BYTES) return false;
      connection.publish(message, this.#weighed(size, done));
      return true;
    }
    if (this.isCongested) return false;
    connection.publish(message, this.#counted(connection, done), offered);
    return true;
  }

  /** Subscribes; answers false when there is no room. */
  subscribe(filter: string, qos: QoS, done: (granted: QoS | 128 | Failure) => void): boolean {
    const connection = this.#connection;
    if (!connection || this.isCongested) return false;
    if (!this.subscriptions.has(filter)) this.#asked.add(filter);
    const answered = (granted: QoS | 128 | Failure) => {
      // Of a connection that ended meanwhile it is not this client's any more, or not yet asked for again.
      if (connection === this.#connection) {
        this.#asked.delete(filter);
        if (typeof granted === 'number' && granted <= 2) this.subscriptions.set(filter, qos);
      }
      done(granted);
    };
    connection.subscribe(filter, qos, this.#counted(connection, answered));
    return true;
  }

  /** Unsubscribes; answers false when there is no room. */
  unsubscribe(filter: string, done: (failure?: Failure) => void): boolean {
    const connection = this.#connection;
    if (!connection || this.isCongested) return false;
    this.subscriptions.delete(filter);
    connection.unsubscribe(filter, this.#counted(connection, done));
    return true;
  }

  #connect(): void {
    const { clientId, clean, will } = this;
    const { clock } = this.#broker;
    this.#everConnected = this.connected = false;
    this.#awaySince = clock.now();
    let told = false;
    let connection: BrokerConnection | undefined;
    const current = () => connection !== undefined && connection === this.#connection;
    connection = this.#broker.open(
      { clientId, clean, will, ...(!clean && this.kept && { kept: this.kept }) },
      {
        connected: (sessionPresent) => {
          if (connection) this.#leaving.get(connection)?.();
          if (current()) this.#arrived(sessionPresent);
        },
        message: (message) => current() && this.#listener.message(message),
        away: (reason) => {
          if (!current()) return;
          const before = this.connected || !told;
          if (this.connected) this.#awaySince = clock.now();
          this.connected = false;
          told = true;
          if (before) this.#listener.away(reason);
        },
        refused: (reason) => {
          if (!current()) return;
          this.#release();
          this.#listener.refused(reason);
        },
        trouble: (what) => this.#listener.trouble(what),
      },
    );
    this.#connection = connection;
  }

  #arrived(sessionPresent: boolean): void {
    this.connected = this.#everConnected = true;
    this.#allSent();
    if (!sessionPresent) {
      for (const [filter, qos] of this.subscriptions)
        this.#connection?.subscribe(filter, qos, (granted) => {
          if (granted !== 128) return;
          this.subscriptions.delete(filter);
          this.#listener.notGranted(filter);
        });
    }
    this.#listener.connected();
  }

  /** The connection is no longer this uplink's. */
  #release(): BrokerConnection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    this.connected = this.#everConnected = false;
    this.#broker.inflight -= this.#inflight;
    this.#inflight = 0;
    this.#allSent();
    this.#asked.clear();
    return connection;
  }

  #end(connection: BrokerConnection, force: boolean, over: () => void): void {
    this.#leaving.delete(connection);
    const callOff = this.#broker.clock.after(ENDING_MS, () => {
      connection.end(true, over);
      over();
    });
    connection.end(force, () => {
      callOff();
      over();
    });
  }

  /** `done`, and a QoS 0 message of a connection that is there weighs no more. One that waits for a connection does until there is one. */
  #weighed(size: number, done: (failure?: Failure) => void): (failure?: Failure) => void {
    const { connected } = this;
    const epoch = this.#epoch;
    this.#unsentBytes += size;
    this.#broker.unsent += size;
    return (failure) => {
      if (connected && epoch === this.#epoch) {
        this.#unsentBytes -= size;
        this.#broker.unsent -= size;
      }
      done(failure);
    };
  }

  #allSent(): void {
    this.#broker.unsent -= this.#unsentBytes;
    this.#unsent = this.#unsentBytes = 0;
    this.#epoch++;
  }

  /** `done`, and the request no longer counts. After the connection was released it does not count anyway. */
  #counted<Answer extends unknown[]>(connection: BrokerConnection, done: (...answer: Answer) => void): (...answer: Answer) => void {
    this.#inflight++;
    this.#broker.inflight++;
    return (...answer) => {
      if (connection === this.#connection) {
        this.#inflight--;
        this.#broker.inflight--;
      }
      done(...answer);
    };
  }
}

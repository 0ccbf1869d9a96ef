import { EventEmitter } from 'node:events';
import { Board } from './board.js';
import {
  configNames,
  ERROR_TOO_LARGE,
  EVENT_CONFIG_REFUSED,
  EVENT_CONNECTED,
  EVENT_LINK_CLOSED,
  EVENT_MESSAGE,
  EVENT_OPENING,
  EVENT_PROTOCOL_ERROR,
  EVENT_PUBLISHED,
  EVENT_REFUSED_AUTHORIZATION,
  EVENT_REFUSED_CLIENT_ID,
  EVENT_REFUSED_CREDENTIALS,
  EVENT_REFUSED_UNAVAILABLE,
  EVENT_REFUSED_VERSION,
  EVENT_STOPPED,
  EVENT_SUBSCRIBED,
  EVENT_TIMEOUT,
  EVENT_UNSUBSCRIBED,
  errorNames,
  reasonNames,
  timeoutNames,
} from './contract.js';
import { configFaultText, errorText, reasonText, refusalText, TwobyteError, timeoutText } from './errors.js';
import { linkTo } from './links/address.js';
import type { Link } from './links/link.js';
import { Assembly, type Message, type MessagePiece, pieceOf } from './messages.js';
import { ClientModule, type InboundMessage, isOutboxFull } from './module.js';
import { type ClientOptions, configOf, optionOf, type QoS } from './options.js';
import {
  describe,
  type Filters,
  fail,
  filterList,
  type Granted,
  type Pending,
  type PublishOptions,
  publishMisuse,
  type Queued,
} from './requests.js';

interface ClientEvents {
  /** The broker accepted the connection. */
  connect: [{ sessionPresent: boolean }];
  message: [topic: string, payload: Buffer, packet: Message];
  /** A part of a large message. With a listener here, large messages are not put together for `message`. */
  piece: [piece: MessagePiece];
  /** Another attempt begins. */
  reconnect: [];
  /** A connection, or an attempt, came to its end. */
  close: [];
  /** The connection was lost. */
  offline: [];
  /** What went wrong; reconnection goes on by itself where it can. Without a listener it is told by the calls that wait, if any. */
  error: [TwobyteError];
  /** The client has stopped: end() is done, or the broker refused us, or the connection went and reconnectPeriod is 0. reconnect() starts it again. */
  end: [];
}

const DEFAULT_QUEUE_LIMIT = 1_000_000;
const nothing = () => {};

/**
 * Connects to the broker at `url`: mqtt, mqtts, ws or wss. Throws a TwobyteError when the options cannot be used; everything later is an event.
 */
export function connect(url: string, options: ClientOptions = {}): Client {
  return new Client(url, options);
}

/**
 * connect() that resolves with the first CONNACK and rejects when the first attempt fails. Messages of a kept session (`clean: false`) may come
 * right behind the CONNACK, before the caller has the client: then use connect() and listen to `message` first.
 */
export async function connectAsync(url: string, options: ClientOptions = {}): Promise<Client> {
  const client = connect(url, options);
  return new Promise((resolve, reject) => {
    const fail = (error: TwobyteError) => {
      client.end(true);
      reject(error);
    };
    client.once('error', fail);
    client.once('connect', () => {
      client.off('error', fail);
      resolve(client);
    });
  });
}

/** An MQTT 3.1.1 client with the events and methods of MQTT.js. The protocol runs in a Wasm module, the same code that runs on a board. */
export class Client extends EventEmitter<ClientEvents> {
  readonly options: ClientOptions;
  connected = false;
  reconnecting = false;
  disconnecting = false;
  /** The module was told to stop. */
  #leaving = false;
  readonly #board: Board<ClientModule>;
  readonly #module: ClientModule;
  /** By packet identifier. */
  readonly #pending: (Pending | undefined)[] = [];
  #queue: Queued[] = [];
  #queueHead = 0;
  readonly #subscriptions = new Map<string, QoS>();
  #stepScheduled = false;
  #stopped = true;
  #everConnected = false;
  #ending: ((error?: Error) => void)[] = [];
  readonly #assembly: Assembly;
  #lastError: TwobyteError | undefined;
  #link: Link | undefined;
  #paused = false;

  constructor(url: string, options: ClientOptions) {
    super();
    this.options = options;
    this.#assembly = new Assembly(options.maximumMessageSize);
    const open = linkTo(url, options);
    const config = configOf(new URL(url), options);
    this.#board = new Board(
      {
        links: [(listener) => this.#pausable(open(listener))],
        config,
        event: (code, a, b) => this.#happened(code, a, b),
        stepped: () => this.#stepped(),
      },
      (imports) => new ClientModule(imports),
    );
    this.#module = this.#board.module;
    this.reconnect();
  }

  /** Starts again after end(), or after the broker refused us. */
  reconnect(): this {
    if (!this.#stopped) return this;
    this.#lastError = undefined;
    const result = this.#board.start();
    if (result < 0) throw this.#lastError ?? new TwobyteError(errorText(-result), errorNames[-result] ?? -result);
    this.#stopped = false;
    this.disconnecting = this.#leaving = false;
    return this;
  }

  /**
   * Publishes, or queues while there is no connection; returns at once. `done` is called when the message is acknowledged in full (QoS 1, 2) or
   * handed to the connection or its queue (QoS 0), or with the error. Payloads are copied.
   */
  publish(
    topic: string,
    payload: string | Uint8Array,
    options?: PublishOptions | ((error?: Error) => void),
    done?: (error?: Error) => void,
  ): this {
    if (typeof options === 'function') return this.publish(topic, payload, {}, options);
    const qos = options?.qos ?? 0;
    const retain = options?.retain ?? false;
    const report = done ?? ((error?: Error) => error && this.#reportError(error));
    const misuse = publishMisuse(topic, payload, qos);
    if (misuse) {
      queueMicrotask(() => report(new TwobyteError(misuse, 'ERROR_TYPE')));
      return this;
    }
    if (this.#queue.length === 0 && !this.disconnecting && !this.#stopped) {
      const answer = this.#module.publish(topic, payload, qos, retain);
      if (answer >= 0) {
        this.#scheduleStep();
        if (answer > 0) this.#pending[answer] = { kind: 'publish', done: report };
        else if (done) queueMicrotask(done);
        return this;
      }
      if (!isOutboxFull(answer)) {
        const error = this.#requestError(-answer, `publish to '${topic}'`);
        queueMicrotask(() => report(error));
        return this;
      }
    }
    // The caller may use its payload again, so what has to wait is copied here.
    const kept = typeof payload === 'string' ? payload : Buffer.from(payload);
    this.#enqueue({ send: () => this.#module.publish(topic, kept, qos, retain), pending: { kind: 'publish', done: report } });
    return this;
  }

  publishAsync(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.publish(topic, payload, options ?? {}, (error) => (error ? reject(error) : resolve()));
    });
  }

  subscribe(
    filters: Filters,
    options?: { qos?: QoS } | ((error: Error | undefined, granted: Granted[]) => void),
    done?: (error: Error | undefined, granted: Granted[]) => void,
  ): this {
    if (typeof options === 'function') return this.subscribe(filters, {}, options);
    const list = filterList(filters, options?.qos ?? 0);
    const report = done ?? ((error: Error | undefined) => error && this.#reportError(error));
    this.#enqueue({ send: () => this.#module.subscribe(list), pending: { kind: 'subscribe', filters: list, granted: [], done: report } });
    return this;
  }

  /** Resolves with the answer to each filter; a refused one has the QoS 128. */
  subscribeAsync(filters: Filters, options?: { qos?: QoS }): Promise<Granted[]> {
    return new Promise((resolve, reject) => {
      this.subscribe(filters, options ?? {}, (error, granted) => (error ? reject(error) : resolve(granted)));
    });
  }

  unsubscribe(filters: string | readonly string[], done?: (error?: Error) => void): this {
    const list = typeof filters === 'string' ? [filters] : [...filters];
    const report = done ?? ((error?: Error) => error && this.#reportError(error));
    this.#enqueue({ send: () => this.#module.unsubscribe(list), pending: { kind: 'unsubscribe', filters: list, done: report } });
    return this;
  }

  unsubscribeAsync(filters: string | readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.unsubscribe(filters, (error) => (error ? reject(error) : resolve()));
    });
  }

  /**
   * Ends the session: waits for what is unacknowledged while there is a connection (not with `force`), sends DISCONNECT, closes. Requests that
   * had no answer fail: what was handed over may still have arrived, and is sent again after reconnect(). So are QoS 0 messages that still
   * wait for a connection.
   */
  end(force: boolean | (() => void) = false, done: (error?: Error) => void = nothing): this {
    if (typeof force === 'function') return this.end(false, force);
    if (this.#stopped) {
      queueMicrotask(done);
      return this;
    }
    this.#ending.push(done);
    this.disconnecting = true;
    if (force || !this.connected) this.#leave();
    else this.#endWhenIdle();
    return this;
  }

  endAsync(force = false): Promise<void> {
    return new Promise((resolve) => {
      this.end(force, () => resolve());
    });
  }

  /**
   * Stops reading from the broker, for a listener that cannot keep up; what was read before (less than a megabyte) is still delivered. Answers are
   * not read either: paused for longer than keepalive and replyTimeout, the connection counts as lost and is made again.
   */
  pause(): this {
    this.#paused = true;
    this.#link?.pause();
    return this;
  }

  /** Reads on after pause(). */
  resume(): this {
    this.#paused = false;
    this.#link?.resume();
    return this;
  }

  /** A link that stays unread while the client is paused, whatever the board has room for. */
  #pausable(link: Link): Link {
    this.#link = link;
    return {
      send: (bytes) => link.send(bytes),
      pause: () => link.pause(),
      resume: () => {
        if (!this.#paused) link.resume();
      },
      close: () => link.close(),
    };
  }

  /** After each step: the module may have room for what is queued, and may have finished what end() waits for. */
  #stepped(): void {
    if (this.#queue.length > 0) this.#drainQueue();
    if (this.disconnecting) this.#endWhenIdle();
  }

  /** What end() waits for: nothing queued here, nothing queued or in flight in the module. */
  #endWhenIdle(): void {
    if (!this.#leaving && this.#queue.length === 0 && this.#module.held === 0) this.#leave();
  }

  #leave(): void {
    this.#leaving = true; // its step comes back to #stepped
    this.#board.stop();
  }

  #enqueue(request: Queued): void {
    if (this.disconnecting || this.#stopped) {
      queueMicrotask(() => fail(request.pending, new TwobyteError('the client has ended; reconnect() starts it again', 'ERROR_STATE')));
      return;
    }
    const limit = this.options.queueLimit ?? DEFAULT_QUEUE_LIMIT;
    if (this.#queue.length - this.#queueHead >= limit) {
      queueMicrotask(() =>
        fail(request.pending, new TwobyteError(`more than queueLimit = ${limit} requests are waiting`, 'ERROR_OUTBOX_FULL')),
      );
      return;
    }
    this.#queue.push(request);
    this.#drainQueue();
  }

  /** Hands waiting requests to the module, in order, as long as it has room. */
  #drainQueue(): void {
    const from = this.#queueHead;
    while (this.#queueHead < this.#queue.length) {
      const { send, pending } = this.#queue[this.#queueHead] as Queued;
      const answer = send();
      if (isOutboxFull(answer)) break;
      this.#queueHead++;
      if (answer > 0) this.#pending[answer] = pending;
      else if (answer < 0) queueMicrotask(() => fail(pending, this.#requestError(-answer, describe(pending))));
      else if (pending?.kind === 'publish') queueMicrotask(pending.done);
    }
    if (this.#queueHead > from) this.#scheduleStep();
    if (this.#queueHead === this.#queue.length || this.#queueHead > 1024) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
  }

  /** Steps once when the present turn is over: what was published in one turn leaves in one write. */
  #scheduleStep(): void {
    if (this.#stepScheduled) return;
    this.#stepScheduled = true;
    setImmediate(() => {
      this.#stepScheduled = false;
      if (!this.#stopped) this.#board.step();
    });
  }

  #happened(code: number, a: number, b: number): void {
    switch (code) {
      case EVENT_MESSAGE:
        this.#deliver(this.#module.message());
        break;
      case EVENT_PUBLISHED:
      case EVENT_UNSUBSCRIBED:
        this.#answered(a);
        break;
      case EVENT_SUBSCRIBED:
        this.#granted(a, b);
        break;
      case EVENT_OPENING:
        this.reconnecting = this.#everConnected || a > 1;
        if (this.reconnecting) this.emit('reconnect');
        break;
      case EVENT_CONNECTED:
        this.#arrived(a === 1);
        break;
      case EVENT_REFUSED_VERSION:
      case EVENT_REFUSED_CLIENT_ID:
      case EVENT_REFUSED_CREDENTIALS:
      case EVENT_REFUSED_AUTHORIZATION:
        this.#lost(new TwobyteError(refusalText(a), a), true); // trying again cannot help
        break;
      case EVENT_REFUSED_UNAVAILABLE:
        this.#lost(new TwobyteError(refusalText(a), a));
        break;
      case EVENT_LINK_CLOSED:
        this.#lost(new TwobyteError(`${reasonText(a)} (${this.#board.linkMessage})`, nameOf('REASON', reasonNames, a)));
        break;
      case EVENT_PROTOCOL_ERROR:
        this.#lost(new TwobyteError(errorText(a), nameOf('ERROR', errorNames, a)));
        break;
      case EVENT_TIMEOUT:
        this.#lost(new TwobyteError(timeoutText(a), nameOf('TIMEOUT', timeoutNames, a)));
        break;
      case EVENT_CONFIG_REFUSED:
        this.#lastError = new TwobyteError(
          `option ${optionOf(b)} (${configNames[b]}): ${configFaultText(a, b)}`,
          nameOf('ERROR', errorNames, a),
        );
        break;
      case EVENT_STOPPED:
        this.#ended();
        break;
    }
  }

  #arrived(sessionPresent: boolean): void {
    this.connected = true;
    this.reconnecting = false;
    this.#everConnected = true;
    if (this.#paused) this.#link?.pause(); // only now: a new connection has to read its CONNACK
    if (!sessionPresent && this.options.resubscribe !== false && this.#subscriptions.size > 0) {
      const list = [...this.#subscriptions].map(([filter, qos]) => ({ filter, qos }));
      for (let from = 0; from < list.length; from += 100) {
        const part = list.slice(from, from + 100);
        this.#enqueue({
          send: () => this.#module.subscribe(part),
          pending: { kind: 'subscribe', filters: part, granted: [], done: (error, granted) => this.#resubscribed(error, granted) },
        });
      }
    }
    this.emit('connect', { sessionPresent });
  }

  #resubscribed(error: Error | undefined, granted: readonly Granted[]): void {
    if (error) this.#reportError(error);
    for (const { topic, qos } of granted)
      if (qos === 128) this.#reportError(new TwobyteError(`the broker no longer grants the subscription to '${topic}'`, qos));
  }

  #lost(error: TwobyteError, forGood = false): void {
    const was = this.connected;
    this.connected = false;
    this.#lastError = error;
    this.#assembly.reset();
    this.#reportError(error);
    if (was) this.emit('offline');
    this.emit('close');
    if (forGood || this.options.reconnectPeriod === 0 || this.disconnecting) this.#board.stop();
  }

  #ended(): void {
    const was = this.connected;
    this.connected = false;
    this.#stopped = true;
    const error = this.#lastError ?? new TwobyteError('the client ended before the answer came', 'ERROR_STATE');
    for (const pending of this.#pending.splice(0)) fail(pending, error);
    for (const { pending } of this.#queue.splice(0).slice(this.#queueHead)) fail(pending, error);
    this.#queueHead = 0;
    if (was) this.emit('close');
    this.emit('end');
    for (const done of this.#ending.splice(0)) done();
  }

  #answered(id: number): void {
    const pending = this.#pending[id];
    this.#pending[id] = undefined;
    if (pending?.kind === 'unsubscribe') for (const filter of pending.filters) this.#subscriptions.delete(filter);
    if (pending?.kind === 'publish' || pending?.kind === 'unsubscribe') pending.done();
  }

  /** One filter of a SUBSCRIBE is answered: `detail` is its index × 256 + the return code. */
  #granted(id: number, detail: number): void {
    const pending = this.#pending[id];
    if (pending?.kind !== 'subscribe') return;
    const index = detail >> 8;
    const asked = pending.filters[index];
    if (!asked) return;
    const qos = (detail & 255) as Granted['qos'];
    pending.granted.push({ topic: asked.filter, qos });
    if (qos === 128) this.#subscriptions.delete(asked.filter);
    else this.#subscriptions.set(asked.filter, asked.qos);
    if (index + 1 < pending.filters.length) return;
    this.#pending[id] = undefined;
    pending.done(undefined, pending.granted);
  }

  #deliver(inbound: InboundMessage): void {
    if (inbound.payload.length < inbound.total && this.listenerCount('piece') > 0) {
      this.emit('piece', pieceOf(inbound));
      return;
    }
    const message = this.#assembly.add(inbound);
    if (message instanceof TwobyteError) this.#reportError(message);
    else if (message) this.emit('message', message.topic, message.payload, message);
  }

  /** An error without a listener must not end the process: the network comes and goes. */
  #reportError(error: Error): void {
    const reported = error instanceof TwobyteError ? error : new TwobyteError(error.message, 'ERROR_STATE');
    if (this.listenerCount('error') > 0) this.emit('error', reported);
  }

  #requestError(error: number, what: string): TwobyteError {
    const limit = error === ERROR_TOO_LARGE ? `; the limit is ${this.#module.payloadLimit} bytes of payload` : '';
    return new TwobyteError(`${what}: ${errorText(error)}${limit}`, nameOf('ERROR', errorNames, error));
  }
}

function nameOf(family: string, names: Readonly<Record<number, string>>, number: number): string {
  return `${family}_${(names[number] ?? String(number)).toUpperCase()}`;
}

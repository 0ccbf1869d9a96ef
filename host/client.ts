import { EventEmitter } from 'node:events';
import { Board } from './board.js';
import {
  CONFIG_CLIENT_ID,
  ERROR_TOO_LARGE,
  EVENT_ASLEEP,
  EVENT_CONFIG_REFUSED,
  EVENT_CONNECTED,
  EVENT_LINK_CLOSED,
  EVENT_MESSAGE,
  EVENT_OPENING,
  EVENT_PUBLISHED,
  EVENT_RECORD_LOST,
  EVENT_REJECTED,
  EVENT_RESTORED,
  EVENT_STOPPED,
  EVENT_STORE_FAILED,
  EVENT_SUBSCRIBED,
  EVENT_UNSUBSCRIBED,
  EVENT_WILL_UPDATED,
  REASON_ENDED,
  REASON_RESET,
} from './contract.js';
import { connectionError, errorCode, errorText, isForGood, journalError, returnCodeText, TwobyteError } from './errors.js';
import type { ClientEvents } from './events.js';
import { type Flushed, Flushes } from './flush.js';
import { ClientJournal } from './journal/client-journal.js';
import { isMqttSn, routeTo } from './links/address.js';
import { Valve } from './links/valve.js';
import { Assembly, pieceOf } from './messages.js';
import { builtModule, ClientModule, type InboundMessage, isOutboxFull, SnClientModule } from './module.js';
import { SnPart } from './mqttsn.js';
import { type ClientOptions, checkCredentials, configError, configOf, discreet, type QoS, type Will } from './options.js';
import {
  describe,
  type Filters,
  fail,
  filterList,
  type Granted,
  type PublishOptions,
  publishMisuse,
  type Queued,
  Requests,
} from './requests.js';
import { Subscriptions } from './subscriptions.js';
import { Takeover } from './takeover.js';

const DEFAULT_QUEUE_LIMIT = 1_000_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MOST_MS = 60_000;
/** Of 65,507 bytes over UDP, what the header of a PUBLISH leaves. */
const MOST_OF_A_DATAGRAM = 65_498;
const nothing = () => {};
const ended = () => new TwobyteError('the client has ended; reconnect() starts it again', 'ERROR_STATE');

/** A broker's address; or several, of one protocol, tried in this order round after round. One that held a connection is tried again first. */
export type Addresses = string | readonly string[];

/**
 * Connects to the broker at `url`: mqtt, mqtts, ws or wss; or to a gateway of MQTT-SN: mqtt-sn, mqtt-sn+serial. Throws a TwobyteError when the options cannot be used; everything later is an event.
 */
export function connect(url: Addresses, options: ClientOptions = {}): Client {
  return new Client(url, options);
}

/**
 * connect() that resolves with the first CONNACK and rejects when the first attempt fails. Messages of a kept session (`clean: false`) may come
 * right behind the CONNACK, before the caller has the client: then use connect() and listen to `message` first.
 */
export async function connectAsync(url: Addresses, options: ClientOptions = {}): Promise<Client> {
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

/**
 * A client of MQTT 3.1.1 or, where the address says so, of MQTT-SN 1.2, with the events and methods of MQTT.js. The protocol runs in a Wasm module, the
 * same code that runs on a board.
 */
export class Client extends EventEmitter<ClientEvents> {
  /** As given; what is secret is not enumerable. */
  readonly options: ClientOptions;
  connected = false;
  reconnecting = false;
  disconnecting = false;
  /** With the option journal: messages of an earlier run that were unacknowledged when this one began. */
  restored = 0;
  /** The module was told to stop. */
  #leaving = false;
  readonly #board: Board<ClientModule>;
  readonly #module: ClientModule;
  readonly #journal: ClientJournal | undefined;
  readonly #sn: SnPart | undefined;
  readonly #requests: Requests;
  readonly #flushes = new Flushes(() => this.#unacknowledged);
  readonly #subscriptions: Subscriptions;
  #stepScheduled = false;
  #stopped = true;
  #everConnected = false;
  #ending: ((error?: Error) => void)[] = [];
  readonly #assembly: Assembly;
  #lastError: TwobyteError | undefined;
  readonly #valve = new Valve();
  #endTimer: NodeJS.Timeout | undefined;
  readonly #clientId: string;
  readonly #takeover: Takeover;
  /** Requests that were answered, for end(): as long as there are answers, it waits. */
  #answers = 0;

  constructor(addresses: Addresses, options: ClientOptions) {
    super();
    this.options = discreet(options);
    const urls = typeof addresses === 'string' ? [addresses] : addresses;
    const [url = ''] = urls;
    const { links, discovery, config: route } = routeTo(urls, options);
    this.#assembly = new Assembly(options.maximumMessageSize);
    this.#requests = new Requests(options.queueLimit ?? DEFAULT_QUEUE_LIMIT);
    const overSn = isMqttSn(url);
    if (!overSn && options.connectionless) throw new TypeError('option connectionless: MQTT always connects; only MQTT-SN can do without');
    checkCredentials(urls.map((address) => new URL(address)));
    const config = new Map([...route, ...configOf(new URL(url), options, overSn)]);
    this.#clientId = String(config.get(CONFIG_CLIENT_ID));
    this.#takeover = new Takeover(2 * (options.maxReconnectPeriod ?? DEFAULT_MOST_MS));
    if (options.journal !== undefined)
      this.#journal = new ClientJournal(options.journal, {
        damaged: (what) => setImmediate(() => this.#reportError(new TwobyteError(what, 'RECORD_LOST'))),
        failed: (error) => setImmediate(() => this.#reportError(error)),
      });
    this.#board = new Board<ClientModule>(
      {
        links: links.map((open) => this.#valve.through(open)),
        discovery: discovery && {
          search: discovery.search,
          gateway: (address) => {
            const open = discovery.gateway(address);
            return open && this.#valve.through(open);
          },
        },
        config,
        storage: this.#journal,
        event: (code, a, b) => this.#happened(code, a, b),
        stepped: () => this.#stepped(),
      },
      (imports) => {
        const module = builtModule(`client-${overSn ? 'mqttsn' : 'mqtt'}${options.journal ? '-journal' : ''}`);
        return overSn ? new SnClientModule(imports, module) : new ClientModule(imports, module);
      },
    );
    this.#module = this.#board.module;
    this.#subscriptions = new Subscriptions(this.#module);
    if (this.#module instanceof SnClientModule)
      this.#sn = new SnPart(this.#module, {
        events: this,
        patience: options.connectTimeout ?? DEFAULT_TIMEOUT_MS,
        step: () => this.#scheduleStep(),
        enqueue: (request) => this.#enqueue(request),
        lost: (error) => this.#lost(error),
      });
    this.reconnect();
  }

  /** Number of the broker in use or tried last, in the order of the addresses. */
  get server(): number {
    return this.#board.server;
  }

  /** Over MQTT-SN: the gateway holds what arrives until wakeAsync(), collectAsync() or its turn. */
  get asleep(): boolean {
    return this.#sn?.asleep ?? false;
  }

  /** Starts again after end(), or after the broker refused us with stopOnRefusal. */
  reconnect(): this {
    if (!this.#stopped) return this;
    this.#lastError = undefined;
    if (this.#journal?.fault) throw this.#journal.fault; // what the module has of it is not to be written back
    this.#journal?.open();
    const result = this.#board.start();
    if (result < 0) {
      this.#journal?.close();
      throw this.#lastError ?? new TwobyteError(errorText(-result), errorCode(-result));
    }
    if (this.#journal?.fault) {
      this.#board.halt();
      throw this.#journal.fault;
    }
    this.#stopped = false;
    this.disconnecting = this.#leaving = false;
    return this;
  }

  /**
   * Publishes, or queues while there is no connection or the client sleeps; returns at once. `done` is called when the message is acknowledged in full (QoS 1, 2) or
   * handed to the connection or its queue (QoS 0 and −1), or with the error. Payloads are copied.
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
    let error = misuse ? new TwobyteError(misuse, 'ERROR_TYPE') : undefined;
    if (!misuse && (qos === -1 || this.options.connectionless)) error = this.#misuse(qos === -1, `publish to '${topic}'`);
    if (error) {
      queueMicrotask(() => report(error));
      return this;
    }
    if (this.#requests.isEmpty && !this.disconnecting && !this.#stopped) {
      const answer = this.#module.publish(topic, payload, qos, retain);
      if (answer >= 0) {
        this.#scheduleStep();
        if (answer > 0) this.#requests.await(answer, { kind: 'publish', done: report });
        else if (done) queueMicrotask(done);
        return this;
      }
      if (!isOutboxFull(answer)) {
        const error = this.#requestError(answer, `publish to '${topic}'`);
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
    const report = done ?? ((error: Error | undefined) => error && this.#reportError(error));
    for (const request of this.#subscriptions.subscribe(filterList(filters, options?.qos ?? 0), report)) this.#enqueue(request);
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
    for (const request of this.#subscriptions.unsubscribe(list, report)) this.#enqueue(request);
    return this;
  }

  unsubscribeAsync(filters: string | readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.unsubscribe(filters, (error) => (error ? reject(error) : resolve()));
    });
  }

  /**
   * Over MQTT-SN: sleeps for so many seconds at a time, 1 to 65535, as soon as nothing waits for its answer; asleep, it changes the time. The gateway
   * holds what arrives; it is fetched before each time is over. What is published meanwhile waits for wakeAsync(). Resolves when the gateway has
   * confirmed it, if need be over another connection; rejects when it cannot be, or was called off.
   */
  async sleepAsync(seconds: number): Promise<void> {
    return this.#needSn('sleepAsync').sleep(seconds);
  }

  /** Ends the sleep, and one that was only asked for. Resolves when the client is connected: at once when it does not sleep. */
  async wakeAsync(): Promise<void> {
    return this.#needSn('wakeAsync').wake(this.connected);
  }

  /** A sleeper fetches what the gateway holds for it. Resolves when all has come as messages, and the client sleeps again. */
  async collectAsync(): Promise<void> {
    return this.#needSn('collectAsync').collect();
  }

  /** Over MQTT-SN: replaces the will, or deletes it. Resolves when the gateway has confirmed topic and payload. */
  async updateWillAsync(will: Will | undefined): Promise<void> {
    return this.#needSn('updateWillAsync').updateWill(will);
  }

  /**
   * Waits until all that was asked for is acknowledged, at most `ms`, then calls `done` once with what is not. Of that, with a journal, a process that
   * ends then loses only QoS 0 and what waits beyond the 4,096 messages of the outbox. Without a connection it waits for one; over MQTT-SN a sleeper wakes, if there is anything to say.
   */
  flush(ms: number, done: (error: Error | undefined, flushed: Flushed) => void): this {
    const unacknowledged = this.#unacknowledged;
    if (!(ms >= 0 && ms < 2 ** 31)) {
      const error = new TwobyteError(`flush: the deadline must be a number of ms from 0 to ${2 ** 31 - 1}, not ${ms}`, 'ERROR_TYPE');
      queueMicrotask(() => done(error, { unacknowledged }));
      return this;
    }
    this.#flushes.add(unacknowledged === 0 || this.#stopped ? 0 : ms, (flushed) => done(undefined, flushed));
    if (unacknowledged > 0 && this.asleep) this.#sn?.wake(false).catch(nothing); // a gateway that is lost is an error of its own
    return this;
  }

  flushAsync(ms: number): Promise<Flushed> {
    return new Promise((resolve, reject) => {
      this.flush(ms, (error, flushed) => (error ? reject(error) : resolve(flushed)));
    });
  }

  /**
   * Ends the session: waits for what is unacknowledged while there is a connection (not with `force`), sends DISCONNECT, closes. Requests that
   * had no answer fail: what was handed over may still have arrived, and is sent again after reconnect(). So are QoS 0 messages that still
   * wait for a connection.
   *
   * Over MQTT-SN a sleeper first wakes for what waits. Nothing is waited for when replyTimeout has passed without an answer; the gateway then has the
   * shorter of replyTimeout and connectTimeout to confirm the DISCONNECT. With `force` it is sent, and not waited for.
   */
  end(force: boolean | (() => void) = false, done: (error?: Error) => void = nothing): this {
    if (typeof force === 'function') return this.end(false, force);
    if (this.#stopped) {
      queueMicrotask(done);
      return this;
    }
    this.#ending.push(done);
    this.disconnecting = true;
    const wakes = !force && this.asleep && this.#isBusy;
    this.#sn?.ending(wakes);
    if (force || !(this.connected || wakes)) {
      this.#leave(force);
      return this;
    }
    if (this.#sn) this.#limitEnd();
    this.#endWhenIdle();
    return this;
  }

  endAsync(force = false): Promise<void> {
    return new Promise((resolve) => {
      this.end(force, () => resolve());
    });
  }

  /**
   * Stops reading from the broker, for a listener that cannot keep up; what was read before (less than a megabyte) is still delivered. Answers are
   * not read either: paused for longer than keepalive and replyTimeout, the connection counts as lost and is made again. Over MQTT-SN 64 datagrams wait;
   * what comes beyond is sent again by the gateway above QoS 0.
   */
  pause(): this {
    this.#valve.shut();
    return this;
  }

  /** Reads on after pause(). */
  resume(): this {
    this.#valve.open();
    return this;
  }

  /** After each step: the module may have room for what is queued, and may have finished what end() waits for. */
  #stepped(): void {
    if (!this.#requests.isEmpty) this.#drainQueue();
    this.#flushes.look();
    if (this.disconnecting) this.#endWhenIdle();
  }

  get #unacknowledged(): number {
    return this.#requests.waiting + this.#module.held;
  }

  get #isBusy(): boolean {
    return !this.#requests.isEmpty || this.#module.held > 0;
  }

  /** What end() waits for: nothing queued here, nothing queued or in flight in the module. */
  #endWhenIdle(): void {
    if (!this.#leaving && !this.#isBusy) this.#leave(false);
  }

  /** Over MQTT-SN the gateway counts as lost only after minutes of retries: end() does not wait as long for an answer. */
  #limitEnd(): void {
    const answers = this.#answers;
    clearTimeout(this.#endTimer);
    this.#endTimer = setTimeout(() => {
      if (this.#stopped || this.#leaving) return;
      if (this.#answers > answers) this.#limitEnd();
      else this.#leave(true);
    }, this.options.replyTimeout ?? DEFAULT_TIMEOUT_MS);
  }

  #leave(force: boolean): void {
    this.#leaving = true; // its step comes back to #stepped
    this.#board.stop();
    if (force && this.#sn && !this.#stopped) this.#board.stop(); // the second time it waits for no answer
  }

  /** What this client cannot do, in words: everything over MQTT-SN without a connection, but to publish at QoS −1; and that over MQTT. */
  #misuse(isCast: boolean, what: string): TwobyteError | undefined {
    if (isCast && !this.#sn) return new TwobyteError(`${what}: QoS −1 is of MQTT-SN; over MQTT it is 0, 1 or 2`, 'ERROR_QOS');
    if (!isCast && this.#sn && this.options.connectionless)
      return new TwobyteError(`${what}: a client that is connectionless only publishes at QoS −1`, 'ERROR_STATE');
    return undefined;
  }

  #needSn(method: string): SnPart {
    const fault = this.#misuse(false, method) ?? (this.#stopped || this.disconnecting ? ended() : undefined);
    if (fault && this.#sn) throw fault;
    if (!this.#sn)
      throw new TwobyteError(`${method}: MQTT has no such thing; connect to an MQTT-SN gateway, with mqtt-sn://`, 'ERROR_STATE');
    return this.#sn;
  }

  #enqueue(request: Queued): void {
    const { pending } = request;
    const misuse = pending?.kind === 'publish' ? undefined : this.#misuse(false, describe(pending));
    const isOver = this.disconnecting || this.#stopped;
    const fault = misuse ?? (isOver ? ended() : this.#requests.add(request));
    if (fault) queueMicrotask(() => fail(pending, fault));
    else this.#drainQueue();
  }

  #drainQueue(): void {
    if (this.#requests.drain((answer, pending) => this.#requestError(answer, describe(pending)))) this.#scheduleStep();
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
        this.#sn?.opening();
        this.reconnecting = this.#everConnected || a > 1;
        if (this.reconnecting) this.emit('reconnect');
        break;
      case EVENT_CONNECTED:
        this.#arrived(a === 1);
        break;
      case EVENT_REJECTED:
        this.#rejected(a, b);
        break;
      case EVENT_WILL_UPDATED:
        this.#answered(a, b > 0 ? new TwobyteError(`the gateway refuses the update of the will: ${returnCodeText(b)}`, b) : undefined);
        break;
      case EVENT_CONFIG_REFUSED:
        this.#lastError = configError(a, b);
        break;
      case EVENT_RESTORED:
        this.restored = a;
        break;
      case EVENT_STORE_FAILED:
      case EVENT_RECORD_LOST:
        setImmediate(() => this.#reportError(journalError(code, a, b))); // in the constructor nobody listens yet
        break;
      case EVENT_STOPPED:
        this.#ended();
        break;
      default: {
        if (code === EVENT_ASLEEP) this.connected = false;
        if (this.#sn?.happened(code, a, b)) break;
        const error = connectionError(code, a, this.#board.linkMessage);
        if (error) this.#lost(this.#takenOver(code, a) ?? error, this.options.stopOnRefusal === true && isForGood(code, a));
      }
    }
  }

  /** The end of a connection, where it looks as if another client took its place again and again. */
  #takenOver(code: number, reason: number): TwobyteError | undefined {
    const times = this.#takeover.lost(code === EVENT_LINK_CLOSED && (reason === REASON_ENDED || reason === REASON_RESET));
    if (times === 0) return undefined;
    const who = this.#sn ? 'gateway' : 'broker';
    return new TwobyteError(
      `the ${who} ended the connection ${times} times in a row soon after it began: does another client use the id '${this.#clientId}'?`,
      'REASON_TAKEOVER',
    );
  }

  /** The gateway does not take a publish, nor will it. */
  #rejected(id: number, code: number): void {
    const pending = this.#requests.awaiting(id);
    const what = pending ? describe(pending) : 'a message';
    const error = new TwobyteError(`the gateway refuses ${what}: ${returnCodeText(code)}`, code);
    if (id > 0) this.#answered(id, error);
    else this.#reportError(error); // of QoS 0 or −1, which nobody waits for
  }

  #arrived(sessionPresent: boolean): void {
    this.connected = true;
    this.reconnecting = false;
    this.#everConnected = true;
    this.#takeover.connected();
    this.#valve.connected();
    this.#sn?.connected();
    const { list } = this.#subscriptions;
    if (!sessionPresent && this.options.resubscribe !== false && list.length > 0)
      for (const request of this.#subscriptions.subscribe(list, (error, granted) => this.#resubscribed(error, granted)))
        this.#enqueue(request);
    this.emit('connect', { sessionPresent });
  }

  #resubscribed(error: Error | undefined, granted: readonly Granted[]): void {
    if (error) this.#reportError(error);
    for (const { topic, qos } of granted)
      if (qos === 128) this.#reportError(new TwobyteError(`the broker no longer grants the subscription to '${topic}'`, qos));
  }

  #lost(error: TwobyteError, forGood = false): void {
    const was = this.connected || this.asleep;
    this.connected = false;
    this.#lastError = error;
    this.#sn?.lost(error);
    this.#assembly.reset();
    this.#reportError(error);
    if (was) this.emit('offline');
    this.emit('close');
    if (forGood || this.options.reconnectPeriod === 0 || this.disconnecting) this.#board.stop();
  }

  #ended(): void {
    const was = this.connected || this.asleep;
    this.connected = false;
    this.#stopped = true;
    clearTimeout(this.#endTimer);
    this.#journal?.close();
    const error = this.#lastError ?? new TwobyteError('the client ended before the answer came', 'ERROR_STATE');
    this.#sn?.ended(error);
    this.#requests.failAll(error);
    this.#flushes.end();
    if (was) this.emit('close');
    this.emit('end');
    for (const done of this.#ending.splice(0)) done();
  }

  #answered(id: number, error?: Error): void {
    const pending = this.#requests.answered(id);
    this.#answers++;
    if (pending?.kind === 'unsubscribe') this.#subscriptions.forget(pending.filters);
    if (pending && pending.kind !== 'subscribe') pending.done(error);
  }

  #granted(id: number, detail: number): void {
    const pending = this.#requests.awaiting(id);
    if (pending?.kind !== 'subscribe' || !this.#subscriptions.answered(pending, detail)) return;
    this.#requests.answered(id);
    this.#answers++;
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

  /** `answer` is a negated ERROR_…. */
  #requestError(answer: number, what: string): TwobyteError {
    const limit =
      -answer === ERROR_TOO_LARGE ? `; the limit is ${this.#sn ? MOST_OF_A_DATAGRAM : this.#module.payloadLimit} bytes of payload` : '';
    return new TwobyteError(`${what}: ${errorText(-answer)}${limit}`, errorCode(-answer));
  }
}

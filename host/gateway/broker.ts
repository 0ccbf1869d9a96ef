import { type Addresses, type Client, connect } from '../client.js';
import { TwobyteError } from '../errors.js';
import { routeTo } from '../links/address.js';
import { type ClientOptions, checkCredentials, configOf, type QoS } from '../options.js';
import type { Kept } from './kept.js';
import { KeptConnection } from './kept-connection.js';
import type { Offered } from './taken.js';

/** A message, and the will of a client. */
export interface Publication {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
}

export interface BrokerOptions {
  clientId: string;
  clean: boolean;
  /** What the broker publishes should the gateway die. */
  will: Publication | undefined;
  /** What outlives the gateway, of a session that is kept and a gateway that has a journal. */
  kept?: Kept | undefined;
}

/** What a connection tells its owner, never from within a call. */
export interface BrokerListener {
  /** Connected, for the first time or again. Without a session at the broker the subscriptions are gone. */
  connected(sessionPresent: boolean): void;
  /** A message; the payload is the listener's own. */
  message(message: Publication): void;
  /** There is no connection, or no longer; it is tried again. */
  away(reason: string): void;
  /** The broker does not want this client. Nothing follows. */
  refused(reason: string): void;
  /** Something people have to know: the journal fails. */
  trouble?(what: string): void;
}

/** Why a request failed: the broker can never take it, or not now, or the connection ended before the answer. */
export type Failure = 'impossible' | 'congestion' | 'ended';

/** The connection of one client to the broker. Requests that are made while it is away are sent when it is back. */
export interface BrokerConnection {
  /** `done` is called when the broker has the message as its QoS promises; at QoS 0 when it was handed over. The payload is copied. Where
   * there is a journal, `offered` is noted with it, and is acknowledged by Kept. */
  publish(message: Publication, done: (failure?: Failure) => void, offered?: Offered): void;
  /** Answers the QoS granted; 128 when the broker refused. */
  subscribe(filter: string, qos: QoS, done: (granted: QoS | 128 | Failure) => void): void;
  unsubscribe(filter: string, done: (failure?: Failure) => void): void;
  /** Waits for what is under way unless `force`, sends DISCONNECT and closes; the broker keeps its will to itself. The listener hears nothing more. */
  end(force: boolean, done: () => void): void;
}

export type OpenBroker = (options: BrokerOptions, listener: BrokerListener) => BrokerConnection;

const CONGESTED = new Set<number | string>(['ERROR_OUTBOX_FULL']);
const ENDED = new Set<number | string>(['ERROR_STATE']);

/** The largest payload that is taken from the broker in bytes: no datagram holds more. */
const LARGEST = 65_535;

/** Connections to the broker at `url` through the Node client. `options` say what all connections share: credentials, TLS. */
export function brokerAt(url: Addresses, options: ClientOptions = {}): OpenBroker {
  return ({ clientId, clean, will, kept }, listener) => {
    const all: ClientOptions = {
      reconnectPeriod: 1000,
      maxReconnectPeriod: 10_000,
      stopOnRefusal: true,
      connectTimeout: 10_000,
      replyTimeout: 20_000,
      ...options,
      clientId,
      clean,
      resubscribe: false, // the session does: it also knows the subscriptions from before
      maximumMessageSize: LARGEST,
      ...(will && { will }),
    };
    try {
      return kept ? keptConnection(url, all, kept, listener) : new ClientConnection(connect(url, all), listener);
    } catch (error) {
      // What a stranger put into a datagram must not end the process, nor what stands in the settings.
      if (!(error instanceof TwobyteError || error instanceof TypeError)) throw error;
      return impossible(error.message, listener);
    }
  };
}

function keptConnection(url: Addresses, options: ClientOptions, kept: Kept, listener: BrokerListener): BrokerConnection {
  const urls = typeof url === 'string' ? [url] : url;
  checkCredentials(urls.map((address) => new URL(address)));
  const { links, config } = routeTo(urls, options);
  const all = new Map([...config, ...configOf(new URL(urls[0] ?? ''), options)]);
  return new KeptConnection({ links, config: all, kept, listener, most: LARGEST });
}

/** A connection that cannot even be tried. */
function impossible(reason: string, listener: BrokerListener): BrokerConnection {
  let over = false;
  setImmediate(() => over || listener.refused(reason));
  return {
    publish: (_message, done) => queueMicrotask(() => done('ended')),
    subscribe: (_filter, _qos, done) => queueMicrotask(() => done('ended')),
    unsubscribe: (_filter, done) => queueMicrotask(() => done('ended')),
    end(_force, done) {
      over = true;
      queueMicrotask(done);
    },
  };
}

class ClientConnection implements BrokerConnection {
  readonly #client: Client;
  #over = false;

  constructor(client: Client, listener: BrokerListener) {
    this.#client = client;
    let last = 'the connection ended';
    client.on('connect', ({ sessionPresent }) => this.#over || listener.connected(sessionPresent));
    client.on('message', (topic, payload, { qos, retain }) => this.#over || listener.message({ topic, payload, qos, retain }));
    client.on('error', (error) => {
      last = error.message;
    });
    client.on('close', () => this.#over || listener.away(last));
    client.on('end', () => {
      if (this.#over) return;
      this.#over = true;
      listener.refused(last);
    });
  }

  publish({ topic, payload, qos, retain }: Publication, done: (failure?: Failure) => void): void {
    this.#client.publish(topic, payload, { qos, retain }, (error) => done(error && failureOf(error)));
  }

  subscribe(filter: string, qos: QoS, done: (granted: QoS | 128 | Failure) => void): void {
    this.#client.subscribe(filter, { qos }, (error, granted) => done(error ? failureOf(error) : (granted[0]?.qos ?? 128)));
  }

  unsubscribe(filter: string, done: (failure?: Failure) => void): void {
    this.#client.unsubscribe(filter, (error) => done(error && failureOf(error)));
  }

  end(force: boolean, done: () => void): void {
    this.#over = true;
    this.#client.end(force, done);
  }
}

function failureOf(error: Error): Failure {
  return failureBy(error instanceof TwobyteError ? error.code : 'ERROR_STATE');
}

/** What the `code` of an error comes to. */
export function failureBy(code: number | string): Failure {
  if (CONGESTED.has(code)) return 'congestion';
  // Only what the module refuses has a name of this kind; the rest tells why the connection ended.
  return typeof code === 'string' && code.startsWith('ERROR_') && !ENDED.has(code) && IMPOSSIBLE.test(code) ? 'impossible' : 'ended';
}

const IMPOSSIBLE = /TOO_LARGE|TOPIC|FILTER|UTF8|NUL|TYPE/;

import { type Addresses, type Client, connect } from '../client.js';
import { TwobyteError } from '../errors.js';
import { routeTo } from '../links/address.js';
import { type ClientOptions, checkCredentials, configOf, type QoS } from '../options.js';
import { type BrokerConnection, type BrokerListener, type Failure, failureBy, type OpenBroker } from './connection.js';
import type { Kept } from './kept.js';
import { KeptConnection } from './kept-connection.js';
import type { Publication } from './publication.js';

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

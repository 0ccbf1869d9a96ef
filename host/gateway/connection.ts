import type { QoS } from '../options.js';
import type { Kept } from './kept.js';
import type { Publication } from './publication.js';
import type { Offered } from './taken.js';

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

/** What the `code` of an error comes to. */
export function failureBy(code: number | string): Failure {
  if (CONGESTED.has(code)) return 'congestion';
  // Only what the module refuses has a name of this kind; the rest tells why the connection ended.
  return typeof code === 'string' && code.startsWith('ERROR_') && !ENDED.has(code) && IMPOSSIBLE.test(code) ? 'impossible' : 'ended';
}

const IMPOSSIBLE = /TOO_LARGE|TOPIC|FILTER|UTF8|NUL|TYPE/;

import { randomBytes } from 'node:crypto';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_CONNECT_TIMEOUT,
  CONFIG_KEEP_ALIVE,
  CONFIG_MAX_INFLIGHT,
  CONFIG_PASSWORD,
  CONFIG_RECONNECT_MAX,
  CONFIG_RECONNECT_MIN,
  CONFIG_REPLY_TIMEOUT,
  CONFIG_USERNAME,
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_QOS,
  CONFIG_WILL_RETAIN,
  CONFIG_WILL_TOPIC,
} from './contract.js';
import type { LinkOptions } from './links/address.js';

export type QoS = 0 | 1 | 2;

/** Names and defaults are those of MQTT.js where it has them. Times in ms unless said otherwise. */
export interface ClientOptions extends LinkOptions {
  /** Default: `twobyte_` and eight random hexadecimal digits. */
  clientId?: string;
  username?: string;
  password?: string | Uint8Array;
  /** Clean session. Default true. */
  clean?: boolean;
  /** Seconds, 0 to 65535; 0 turns it off. Default 60. */
  keepalive?: number;
  /** The first delay before a reconnection; it doubles at each failure, half of it random. 0 turns reconnection off. Default 1000. */
  reconnectPeriod?: number;
  /** The longest delay before a reconnection. Default 60000. */
  maxReconnectPeriod?: number;
  /** For the connection to open, and again for the CONNACK. Default 30000. */
  connectTimeout?: number;
  /** For every other answer; then the connection is given up and what is unacknowledged is sent again on the next. Default 30000. */
  replyTimeout?: number;
  /**
   * Most QoS 2 messages sent and not yet acknowledged in full, 1 to 65535; the others wait their turn. Default 20, as mosquitto has it: with its
   * own default it acknowledges what is beyond and forgets it.
   */
  maxInflight?: number;
  /** Subscribe again when the broker has no session of ours. Default true. */
  resubscribe?: boolean;
  /** Requests held in this process when the module's outbox is full; above it publish fails. Default 1,000,000. */
  queueLimit?: number;
  /** Largest inbound payload put together from pieces, in bytes; a larger one is reported and dropped. Default 16 MiB. Pieces have no limit. */
  maximumMessageSize?: number;
  will?: { topic: string; payload?: string | Uint8Array; qos?: QoS; retain?: boolean };
}

/** The module's configuration for these options and the credentials of the URL. */
export function configOf(url: URL, options: ClientOptions): Map<number, string | number | Uint8Array> {
  const config = new Map<number, string | number | Uint8Array>();
  const set = (key: number, value: string | number | Uint8Array | undefined) => {
    if (value !== undefined) config.set(key, value);
  };
  const username = options.username ?? decoded('user name', url.username);
  const password = options.password ?? decoded('password', url.password);
  set(CONFIG_CLIENT_ID, options.clientId ?? `twobyte_${randomBytes(4).toString('hex')}`);
  set(CONFIG_USERNAME, username);
  set(CONFIG_PASSWORD, password);
  set(CONFIG_CLEAN_SESSION, options.clean === false ? 0 : 1);
  set(CONFIG_KEEP_ALIVE, options.keepalive);
  set(CONFIG_RECONNECT_MIN, options.reconnectPeriod || undefined);
  set(CONFIG_RECONNECT_MAX, options.maxReconnectPeriod);
  set(CONFIG_CONNECT_TIMEOUT, options.connectTimeout);
  set(CONFIG_REPLY_TIMEOUT, options.replyTimeout);
  set(CONFIG_MAX_INFLIGHT, options.maxInflight);
  const { will } = options;
  if (will) {
    if (typeof will.topic !== 'string') throw new TypeError('option will: its topic is missing');
    set(CONFIG_WILL_TOPIC, will.topic);
    set(CONFIG_WILL_PAYLOAD, will.payload ?? '');
    set(CONFIG_WILL_QOS, will.qos ?? 0);
    set(CONFIG_WILL_RETAIN, will.retain ? 1 : 0);
  }
  return config;
}

/** A part of a URL as it was meant, undefined when it is empty. */
function decoded(what: string, text: string): string | undefined {
  try {
    return text ? decodeURIComponent(text) : undefined;
  } catch {
    throw new TypeError(`the ${what} in the address has a % that begins no escape; write %25 for it`);
  }
}

/** The option that a CONFIG_… comes from, for messages. */
export function optionOf(key: number): string {
  const names: Record<number, string> = {
    [CONFIG_CLIENT_ID]: 'clientId',
    [CONFIG_USERNAME]: 'username',
    [CONFIG_PASSWORD]: 'password',
    [CONFIG_CLEAN_SESSION]: 'clean',
    [CONFIG_KEEP_ALIVE]: 'keepalive',
    [CONFIG_RECONNECT_MIN]: 'reconnectPeriod',
    [CONFIG_RECONNECT_MAX]: 'maxReconnectPeriod',
    [CONFIG_CONNECT_TIMEOUT]: 'connectTimeout',
    [CONFIG_REPLY_TIMEOUT]: 'replyTimeout',
    [CONFIG_MAX_INFLIGHT]: 'maxInflight',
    [CONFIG_WILL_TOPIC]: 'will.topic',
    [CONFIG_WILL_PAYLOAD]: 'will.payload',
    [CONFIG_WILL_QOS]: 'will.qos',
    [CONFIG_WILL_RETAIN]: 'will.retain',
  };
  return names[key] ?? `configuration value ${key}`;
}

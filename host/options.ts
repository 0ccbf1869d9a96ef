import { randomBytes } from 'node:crypto';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_CONGESTION_WAIT,
  CONFIG_CONNECT_TIMEOUT,
  CONFIG_KEEP_ALIVE,
  CONFIG_MAX_INFLIGHT,
  CONFIG_MISSED_ADVERTISEMENTS,
  CONFIG_NODE_ID,
  CONFIG_PASSWORD,
  CONFIG_PREDEFINED,
  CONFIG_QOS,
  CONFIG_RECONNECT_MAX,
  CONFIG_RECONNECT_MIN,
  CONFIG_REPLY_TIMEOUT,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  CONFIG_SEARCH_DELAY,
  CONFIG_USERNAME,
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_QOS,
  CONFIG_WILL_RETAIN,
  CONFIG_WILL_TOPIC,
  configNames,
} from './contract.js';
import { configFaultText, errorCode, TwobyteError } from './errors.js';
import type { LinkOptions } from './links/address.js';
import { kindOf } from './requests.js';
import type { Storage } from './storage.js';

export type QoS = 0 | 1 | 2;

/** Names and defaults are those of MQTT.js where it has them. Times in ms unless said otherwise. */
export interface ClientOptions extends LinkOptions {
  /** Default: `twobyte_` and eight random hexadecimal digits. Over MQTT-SN it has 1 to 23 characters. */
  clientId?: string;
  /** MQTT-SN has no user names and passwords. */
  username?: string;
  password?: string | Uint8Array;
  /** Clean session. Default true, with a journal false. */
  clean?: boolean;
  /** Seconds, 0 to 65535; 0 turns it off. Default 60. */
  keepalive?: number;
  /** The first delay before a reconnection; it doubles at each failure, half of it random. 0 turns reconnection off. Default 1000. */
  reconnectPeriod?: number;
  /** The longest delay before a reconnection. Default 60000. */
  maxReconnectPeriod?: number;
  /**
   * End when the broker refuses us for a reason that time does not mend: version, client id, credentials, authorization; over MQTT-SN invalid topic id and
   * not supported. Otherwise such a refusal is followed by the longest delay. Default false.
   */
  stopOnRefusal?: boolean;
  /** For the connection to open, and again for the CONNACK. Default 30000. */
  connectTimeout?: number;
  /** For every other answer; then the connection is given up and what is unacknowledged is sent again on the next. Default 30000. */
  replyTimeout?: number;
  /**
   * Most QoS 2 messages sent and not yet acknowledged in full, 1 to 65535; the others wait their turn. Default 20, as mosquitto has it: with its
   * own default it acknowledges what is beyond and forgets it.
   */
  maxInflight?: number;
  /** Subscribe again when the broker has no session of ours; over MQTT-SN, which does not tell, at each connection. Default true. */
  resubscribe?: boolean;
  /** Requests held in this process when the module's outbox is full; above it publish fails. Default 1,000,000. */
  queueLimit?: number;
  /**
   * Largest inbound payload put together from pieces, in bytes; a larger one is reported and dropped. Default 16 MiB. Pieces have no limit but over
   * WebSocket, where a frame that is a MiB larger than this ends the connection.
   */
  maximumMessageSize?: number;
  will?: Will;
  /**
   * A file, or a storage of one's own, where messages of QoS 1 and 2, both ways, outlive this process until they are acknowledged: sent again, or known
   * as delivered, by the next client with the same journal, client id and broker. Needs clientId; clean is then false by default. One client at a time
   * has the file, until `end`; it is private (mode 600), and each message costs two or three synchronised writes. What waits for room beyond 4,096
   * messages is not in it.
   */
  journal?: string | Storage;

  // The others are of MQTT-SN only; over MQTT they have no effect, but for connectionless, which is refused.

  /** Topics whose ids, 1 to 65534, the gateway knows from a list of its own: `{ 1: 'myhome/底楼/客厅/温度' }`. At most 512. */
  predefinedTopics?: Readonly<Record<number, string>>;
  /** Never connects: publish() at QoS −1 is all it can, and nobody answers. Default false. */
  connectionless?: boolean;
  /** Until a request is sent again (Tretry); it doubles with each retry, up to eightfold. Default 10000. */
  retryInterval?: number;
  /** How often a request is sent again before the gateway counts as lost (Nretry), 0 to 255. Default 4. */
  retries?: number;
  /** How long a congested gateway is left alone (TWAIT). Default 300000. */
  congestionWait?: number;
  /** The longest random delay before the first search for a gateway (TSEARCHGW), and the first interval between two. Default 5000. */
  searchDelay?: number;
  /** Advertisements that a gateway may miss before another is looked for (NADV), 1 to 255. Default 3. */
  missedAdvertisements?: number;
  /** Wireless node id, 1 to 16 bytes: every message is encapsulated as a forwarder does. Default none. */
  nodeId?: string | Uint8Array;
}

/** What the broker publishes should the client be lost. */
export interface Will {
  topic: string;
  payload?: string | Uint8Array;
  qos?: QoS;
  retain?: boolean;
}

/** What only its owner may read: not enumerable on a client, so that console.log(client) and JSON leave it out. */
const SECRETS = ['password', 'key', 'passphrase', 'pfx', 'headers'] as const;

/** The same options for a client to keep: secrets can be asked for by name, and are not shown with the rest. */
export function discreet(options: ClientOptions): ClientOptions {
  const kept = { ...options };
  for (const name of SECRETS) if (name in kept) Object.defineProperty(kept, name, { enumerable: false });
  return kept;
}

type Config = Map<number, string | number | Uint8Array>;

/** The user name and the password are told once: those of further brokers, where their addresses have any, are the same. Throws a TypeError. */
export function checkCredentials([first, ...others]: readonly URL[]): void {
  for (const { username, password, host } of others)
    if ((username || password) && (username !== first?.username || password !== first.password))
      throw new TypeError(`address of ${host}: all brokers are told one user name and password; put them into the options`);
}

function checkJournal(journal: unknown): void {
  if (journal === undefined || (typeof journal === 'string' && journal !== '')) return;
  if (journal === '') throw new TypeError('option journal: the path is empty');
  const { read, write } = (typeof journal === 'object' && journal ? journal : {}) as Partial<Record<keyof Storage, unknown>>;
  if (typeof read !== 'function' || typeof write !== 'function')
    throw new TypeError(`option journal: it must be a path, or an object with functions read and write, not ${kindOf(journal)}`);
}

/** The module's configuration for these options and the credentials of the URL. Throws a TypeError. */
export function configOf(url: URL, options: ClientOptions, overSn = false): Config {
  const config: Config = new Map();
  checkJournal(options.journal);
  if (options.journal && options.clientId === undefined)
    throw new TypeError('option journal: the session is found again under its clientId; give one that stays the same');
  const set = (key: number, value: string | number | Uint8Array | undefined) => {
    if (value !== undefined) config.set(key, value);
  };
  const username = options.username ?? decoded('user name', url.username);
  const password = options.password ?? decoded('password', url.password);
  set(CONFIG_CLIENT_ID, options.clientId ?? `twobyte_${randomBytes(4).toString('hex')}`);
  set(CONFIG_USERNAME, username);
  set(CONFIG_PASSWORD, password);
  set(CONFIG_CLEAN_SESSION, (options.clean ?? !options.journal) ? 1 : 0);
  set(CONFIG_KEEP_ALIVE, options.keepalive);
  set(CONFIG_RECONNECT_MIN, options.reconnectPeriod || undefined);
  set(CONFIG_RECONNECT_MAX, options.maxReconnectPeriod);
  set(CONFIG_CONNECT_TIMEOUT, options.connectTimeout);
  set(CONFIG_REPLY_TIMEOUT, options.replyTimeout);
  set(CONFIG_MAX_INFLIGHT, options.maxInflight);
  if (overSn) configureSn(options, set);
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

const CLIENT_ID_CHARACTERS = 23;
const NODE_ID_BYTES = 16;
const LARGEST_TOPIC_ID = 65_534;

function configureSn(options: ClientOptions, set: (key: number, value: string | number | Uint8Array | undefined) => void): void {
  const { clientId, nodeId, connectionless } = options;
  for (const name of ['username', 'password'] as const)
    if (options[name] !== undefined) throw new TypeError(`option ${name}: MQTT-SN 1.2 has no user names and passwords; leave it out`);
  if (clientId !== undefined && (typeof clientId !== 'string' || clientId === '' || [...clientId].length > CLIENT_ID_CHARACTERS))
    throw new TypeError(`option clientId: over MQTT-SN it has 1 to ${CLIENT_ID_CHARACTERS} characters`);
  if (connectionless !== undefined && typeof connectionless !== 'boolean')
    throw new TypeError(`option connectionless: it must be true or false, not ${kindOf(connectionless)}`);
  if (nodeId !== undefined) {
    if (typeof nodeId !== 'string' && !(nodeId instanceof Uint8Array))
      throw new TypeError(`option nodeId: it must be a string, a Buffer or a Uint8Array, not ${kindOf(nodeId)}`);
    const length = Buffer.byteLength(nodeId);
    if (length < 1 || length > NODE_ID_BYTES) throw new TypeError(`option nodeId: it has 1 to ${NODE_ID_BYTES} bytes, not ${length}`);
  }
  set(CONFIG_NODE_ID, nodeId);
  set(CONFIG_QOS, connectionless ? -1 : undefined);
  set(CONFIG_PREDEFINED, predefinedText(options.predefinedTopics));
  set(CONFIG_RETRY_INTERVAL, options.retryInterval);
  set(CONFIG_RETRIES, options.retries);
  set(CONFIG_CONGESTION_WAIT, options.congestionWait);
  set(CONFIG_SEARCH_DELAY, options.searchDelay);
  set(CONFIG_MISSED_ADVERTISEMENTS, options.missedAdvertisements);
}

/** As CONFIG_PREDEFINED has it: `1=a/b+2=c/d`. */
function predefinedText(topics: unknown): string | undefined {
  if (topics === undefined) return undefined;
  if (typeof topics !== 'object' || topics === null || Array.isArray(topics) || topics instanceof Map)
    throw new TypeError(`option predefinedTopics: it must be an object such as { 1: 'myhome/temperature' }, not ${kindOf(topics)}`);
  const idOf = new Map<string, string>();
  const parts = Object.entries(topics as Record<string, unknown>).map(([id, topic]) => {
    if (!/^[1-9]\d*$/.test(id) || Number(id) > LARGEST_TOPIC_ID)
      throw new TypeError(`option predefinedTopics: the id '${id}' is not a whole number from 1 to ${LARGEST_TOPIC_ID}`);
    if (typeof topic !== 'string' || topic === '' || !topic.isWellFormed() || /[+#\0]/.test(topic))
      throw new TypeError(
        `option predefinedTopics: ${typeof topic === 'string' ? `'${topic}'` : kindOf(topic)} (id ${id}) is not a topic name`,
      );
    const other = idOf.get(topic);
    if (other !== undefined) throw new TypeError(`option predefinedTopics: '${topic}' has two ids, ${other} and ${id}`);
    idOf.set(topic, id);
    return `${id}=${topic}`;
  });
  return parts.length > 0 ? parts.join('+') : undefined;
}

/** A part of a URL as it was meant, undefined when it is empty. */
function decoded(what: string, text: string): string | undefined {
  try {
    return text ? decodeURIComponent(text) : undefined;
  } catch {
    throw new TypeError(`the ${what} in the address has a % that begins no escape; write %25 for it`);
  }
}

/** What an EVENT_CONFIG_REFUSED says: an ERROR_… of a CONFIG_…, for people by the option it comes from. */
export function configError(error: number, key: number): TwobyteError {
  return new TwobyteError(`option ${optionOf(key)} (${configNames[key]}): ${configFaultText(error, key)}`, errorCode(error));
}

function optionOf(key: number): string {
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
    [CONFIG_PREDEFINED]: 'predefinedTopics',
    [CONFIG_QOS]: 'connectionless',
    [CONFIG_RETRY_INTERVAL]: 'retryInterval',
    [CONFIG_RETRIES]: 'retries',
    [CONFIG_CONGESTION_WAIT]: 'congestionWait',
    [CONFIG_SEARCH_DELAY]: 'searchDelay',
    [CONFIG_MISSED_ADVERTISEMENTS]: 'missedAdvertisements',
    [CONFIG_NODE_ID]: 'nodeId',
    [CONFIG_WILL_TOPIC]: 'will.topic',
    [CONFIG_WILL_PAYLOAD]: 'will.payload',
    [CONFIG_WILL_QOS]: 'will.qos',
    [CONFIG_WILL_RETAIN]: 'will.retain',
  };
  return names[key] ?? `configuration value ${key}`;
}

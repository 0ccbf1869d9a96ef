import type { Clause, Report } from './clauses.js';

/** One packet cut out of the stream; `header` bytes of `raw` are the fixed header. */
export interface Frame {
  readonly raw: Uint8Array;
  readonly header: number;
}

export interface Will {
  readonly topic: string;
  readonly message: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
}

export interface Publish {
  readonly name: 'PUBLISH';
  readonly dup: boolean;
  readonly qos: number;
  readonly retain: boolean;
  readonly topic: string;
  /** 0 at QoS 0. */
  readonly id: number;
  readonly payload: Uint8Array;
}

export interface Connect {
  readonly name: 'CONNECT';
  readonly cleanSession: boolean;
  readonly keepAlive: number;
  readonly clientId: string;
  readonly will?: Will | undefined;
  readonly userName?: string | undefined;
  readonly password?: Uint8Array | undefined;
}

export interface Connack {
  readonly name: 'CONNACK';
  readonly sessionPresent: boolean;
  readonly code: number;
}

export interface Request {
  readonly name: 'SUBSCRIBE' | 'UNSUBSCRIBE';
  readonly id: number;
  /** `qos` is 0 in an UNSUBSCRIBE. */
  readonly filters: readonly { readonly filter: string; readonly qos: number }[];
}

export interface Suback {
  readonly name: 'SUBACK';
  readonly id: number;
  readonly codes: readonly number[];
}

export type Fields =
  | Connect
  | Connack
  | Publish
  | Request
  | Suback
  | { readonly name: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP' | 'UNSUBACK'; readonly id: number }
  | { readonly name: 'PINGREQ' | 'PINGRESP' | 'DISCONNECT' }
  /** A packet that cannot be read, or one of another version of the protocol. */
  | { readonly name: 'UNDECODED' };

/** What makes the rest of a packet (of a CONNECT's stream, for the length) unreadable. */
export class Malformed extends Error {
  constructor(
    readonly clause: Clause,
    what: string,
  ) {
    super(what);
  }
}

/** Cuts a stream, split anywhere, into packets. */
export class Framer {
  #pending: Uint8Array = new Uint8Array(0);

  /** Bytes of the packet under way. */
  get rest(): Uint8Array {
    return this.#pending;
  }

  push(chunk: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
  }

  /** The next whole packet, if there is one. Throws `Malformed` when no later byte can be understood. */
  next(): Frame | undefined {
    const bytes = this.#pending;
    let length = 0;
    for (let i = 1; i < bytes.length; i++) {
      const digit = bytes[i] ?? 0;
      length += (digit & 0x7f) * 128 ** (i - 1);
      if (digit < 0x80) {
        const header = i + 1;
        if (bytes.length < header + length) return undefined;
        this.#pending = bytes.subarray(header + length);
        return { raw: bytes.slice(0, header + length), header };
      }
      if (i === 4) throw new Malformed('MQTT-2.2.3', 'the remaining length goes on after four bytes');
    }
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Reader {
  #at: number;

  constructor(
    readonly raw: Uint8Array,
    from: number,
    readonly report: Report,
  ) {
    this.#at = from;
  }

  get left(): number {
    return this.raw.length - this.#at;
  }

  bytes(count: number, what: string, clause: Clause = 'MQTT-2.2.3'): Uint8Array {
    if (count > this.left) throw new Malformed(clause, `${what} needs ${count} bytes and ${this.left} are left`);
    this.#at += count;
    return this.raw.subarray(this.#at - count, this.#at);
  }

  uint8(what: string): number {
    return this.bytes(1, what)[0] ?? 0;
  }

  uint16(what: string, clause?: Clause): number {
    const [high = 0, low = 0] = this.bytes(2, what, clause);
    return (high << 8) | low;
  }

  /** `absent` is the clause broken when the packet ends where the field should begin. */
  binary(what: string, absent?: Clause): Uint8Array {
    return this.bytes(this.uint16(what, this.left === 0 ? absent : undefined), what);
  }

  string(what: string, absent?: Clause): string {
    const bytes = this.binary(what, absent);
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      this.report('MQTT-1.5.3-1', `${what} ${Buffer.from(bytes).toString('hex')}`);
      return Buffer.from(bytes).toString('latin1');
    }
    if (text.includes('\0')) this.report('MQTT-1.5.3-2', `${what} ${JSON.stringify(text)}`);
    return text;
  }

  topicName(what: string, wildcard: Clause, absent?: Clause): string {
    const topic = this.string(what, absent);
    if (topic === '') this.report('MQTT-4.7.3-1', `${what} is empty`);
    if (/[+#]/.test(topic)) this.report(wildcard, `${what} ${JSON.stringify(topic)}`);
    return topic;
  }

  topicFilter(): string {
    const filter = this.string('topic filter');
    const shown = `topic filter ${JSON.stringify(filter)}`;
    if (filter === '') this.report('MQTT-4.7.3-1', 'topic filter is empty');
    const levels = filter.split('/');
    if (levels.some((level, i) => level.includes('#') && (level !== '#' || i < levels.length - 1))) this.report('MQTT-4.7.1-2', shown);
    if (levels.some((level) => level.includes('+') && level !== '+')) this.report('MQTT-4.7.1-3', shown);
    return filter;
  }

  id(): number {
    const id = this.uint16('packet identifier');
    if (id === 0) this.report('MQTT-2.3.1-1', 'packet identifier 0');
    return id;
  }

  /** Of an acknowledgement: whether it is right shows when it is compared with what is in flight. */
  acknowledged(): number {
    return this.uint16('packet identifier');
  }
}

const NAMES = 'CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK PINGREQ PINGRESP DISCONNECT';

export type Name = Exclude<Fields['name'], 'UNDECODED'>;

export function nameOf(type: number): Name | undefined {
  return NAMES.split(' ')[type - 1] as Name | undefined;
}

/** Table 2.2; the types whose own section repeats the rule are reported by that section. */
const FLAGS: Partial<Record<Name, { flags: number; clause: Clause }>> = {
  PUBREL: { flags: 2, clause: 'MQTT-3.6.1-1' },
  SUBSCRIBE: { flags: 2, clause: 'MQTT-3.8.1-1' },
  UNSUBSCRIBE: { flags: 2, clause: 'MQTT-3.10.1-1' },
  DISCONNECT: { flags: 0, clause: 'MQTT-3.14.1-1' },
};

/** Reads one packet and reports what is wrong with it taken alone. Throws `Malformed` when its fields cannot be told. */
export function decode(frame: Frame, report: Report): Fields {
  const first = frame.raw[0] ?? 0;
  const name = nameOf(first >> 4);
  if (name === undefined) throw new Malformed('MQTT-2.2.1', `packet type ${first >> 4}`);
  const flags = first & 15;
  if (frame.header > 2 && frame.raw[frame.header - 1] === 0) report('MQTT-2.2.3', 'the remaining length is not in its shortest form');
  const rule = FLAGS[name] ?? { flags: 0, clause: 'MQTT-2.2.2-1' };
  if (name !== 'PUBLISH' && flags !== rule.flags) report(rule.clause, `${name} with flags ${flags}`);
  const reader = new Reader(frame.raw, frame.header, report);
  const fields = content(name, flags, reader);
  if (reader.left > 0) throw new Malformed('MQTT-2.2.3', `${name} has ${reader.left} bytes too many`);
  return fields;
}

function content(name: Name, flags: number, reader: Reader): Fields {
  switch (name) {
    case 'CONNECT':
      return connect(reader);
    case 'CONNACK': {
      const acknowledge = reader.uint8('connect acknowledge flags');
      if (acknowledge > 1) reader.report('MQTT-3.2.2', `connect acknowledge flags ${acknowledge}`);
      const code = reader.uint8('connect return code');
      if (code > 5) reader.report('MQTT-3.2.2-6', `connect return code ${code}`);
      return { name, sessionPresent: (acknowledge & 1) === 1, code };
    }
    case 'PUBLISH':
      return publish(flags, reader);
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE':
      return request(name, reader);
    case 'SUBACK': {
      const id = reader.acknowledged();
      const codes = [...reader.bytes(reader.left, 'return codes')];
      for (const code of codes) if (code > 2 && code !== 0x80) reader.report('MQTT-3.9.3-2', `return code ${code}`);
      return { name, id, codes };
    }
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
    case 'UNSUBACK':
      return { name, id: reader.acknowledged() };
    default:
      return { name };
  }
}

function connect(reader: Reader): Connect {
  const { report } = reader;
  const protocol = reader.string('protocol name');
  if (protocol !== 'MQTT') throw new Malformed('MQTT-3.1.2-1', `protocol name ${JSON.stringify(protocol)}`);
  const level = reader.uint8('protocol level');
  if (level !== 4) throw new Malformed('MQTT-3.1.2-2', `protocol level ${level}`);
  const flags = reader.uint8('connect flags');
  const qos = (flags >> 3) & 3;
  const has = { clean: flags & 2, will: flags & 4, retain: flags & 0x20, password: flags & 0x40, userName: flags & 0x80 };
  if (flags & 1) report('MQTT-3.1.2-3', `connect flags ${flags}`);
  if (!has.will && qos) report('MQTT-3.1.2-13', `will QoS ${qos}`);
  if (!has.will && has.retain) report('MQTT-3.1.2-15', `connect flags ${flags}`);
  if (has.will && qos === 3) report('MQTT-3.1.2-14', 'will QoS 3');
  if (has.password && !has.userName) report('MQTT-3.1.2-22', `connect flags ${flags}`);
  const keepAlive = reader.uint16('keep alive');
  const clientId = reader.string('client identifier', 'MQTT-3.1.3-3');
  if (clientId === '' && !has.clean) report('MQTT-3.1.3-7', 'empty client identifier with clean session 0');
  let will: Will | undefined;
  if (has.will) {
    const topic = reader.topicName('will topic', 'MQTT-4.7.1-1', 'MQTT-3.1.2-9');
    will = { topic, message: reader.binary('will message', 'MQTT-3.1.2-9'), qos, retain: has.retain > 0 };
  }
  const userName = has.userName ? reader.string('user name', 'MQTT-3.1.2-19') : undefined;
  const password = has.password ? reader.binary('password', 'MQTT-3.1.2-21') : undefined;
  return { name: 'CONNECT', cleanSession: has.clean > 0, keepAlive, clientId, will, userName, password };
}

function publish(flags: number, reader: Reader): Publish {
  const qos = (flags >> 1) & 3;
  const dup = (flags & 8) > 0;
  if (qos === 3) throw new Malformed('MQTT-3.3.1-4', 'QoS 3');
  if (qos === 0 && dup) reader.report('MQTT-3.3.1-2', 'DUP at QoS 0');
  const topic = reader.topicName('topic name', 'MQTT-3.3.2-2');
  const id = qos ? reader.id() : 0;
  return { name: 'PUBLISH', dup, qos, retain: (flags & 1) === 1, topic, id, payload: reader.bytes(reader.left, 'payload') };
}

function request(name: 'SUBSCRIBE' | 'UNSUBSCRIBE', reader: Reader): Request {
  const id = reader.id();
  const filters: { filter: string; qos: number }[] = [];
  if (reader.left === 0) reader.report(name === 'SUBSCRIBE' ? 'MQTT-3.8.3-3' : 'MQTT-3.10.3-2', `${name} without a topic filter`);
  while (reader.left > 0) {
    const filter = reader.topicFilter();
    const qos = name === 'SUBSCRIBE' ? reader.uint8('requested QoS') : 0;
    if (qos > 2) reader.report('MQTT-3.8.3-4', `requested QoS byte ${qos}`);
    filters.push({ filter, qos });
  }
  return { name, id, filters };
}

/** Section 4.7, for a filter and a name that are well-formed. */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false; // [MQTT-4.7.2-1]
  const levels = topic.split('/');
  const pattern = filter.split('/');
  const last = pattern.at(-1) === '#' ? pattern.length - 1 : -1;
  // 'a/#' takes 'a' as well: the multi-level wildcard includes the parent level.
  if (last < 0 ? levels.length !== pattern.length : levels.length < last) return false;
  return pattern.every((level, i) => i === last || level === '+' || level === levels[i]);
}

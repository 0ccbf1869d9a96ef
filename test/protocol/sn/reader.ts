import type { Report, Rule } from './rules.js';

/** A datagram that a receiver has to drop: nothing of it can be relied on. */
export class Malformed extends Error {
  constructor(
    readonly rule: Rule,
    what: string,
  ) {
    super(what);
  }
}

export type TopicKind = 'normal' | 'predefined' | 'short' | 'reserved';

/** A topic by name (normal, short) or by its pre-defined id. */
export interface Subject {
  readonly kind: TopicKind;
  readonly topic: string;
  readonly topicId: number;
}

export const hex = (value: number, digits = 2) => value.toString(16).toUpperCase().padStart(digits, '0');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the fields of a message, and reports what is wrong with each. */
export class Reader {
  #at = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly report: Report,
  ) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  uint8(what: string): number {
    if (this.left < 1) throw new Malformed('SN 5.4 content', `it ends before its ${what}`);
    return this.bytes[this.#at++] ?? 0;
  }

  uint16(what: string): number {
    return (this.uint8(what) << 8) | this.uint8(what);
  }

  rest(): Uint8Array {
    const rest = this.bytes.subarray(this.#at);
    this.#at = this.bytes.length;
    return rest;
  }

  end(): void {
    if (this.left > 0) throw new Malformed('SN 5.4 content', `${this.left} bytes too many`);
  }

  flags(used: number): Flags {
    const value = this.uint8('flags');
    if (value & ~used) this.report('SN 5.3.4 unused', `flags ${hex(value)}`);
    const kind = KINDS[value & used & 3] ?? 'reserved';
    if (kind === 'reserved') this.report('SN 5.3.4 type', `flags ${hex(value)}`);
    const qos = ((value & used) >> 5) & 3;
    return { dup: (value & used & 0x80) !== 0, qos: qos === 3 ? -1 : qos, retain: (value & 0x10) !== 0, bits: value, kind };
  }

  /** The message id of a message that must have one. */
  messageId(): number {
    const id = this.uint16('message id');
    if (id === 0) this.report('SN 5.3.7 not 0', 'message id 0');
    return id;
  }

  topicId(): number {
    const id = this.uint16('topic id');
    if (id === 0 || id === 0xffff) this.report('SN 5.3.11 topic id', `topic id ${hex(id, 4)}`);
    return id;
  }

  code(): number {
    const code = this.uint8('return code');
    if (code > 3) this.report('SN 5.3.10 code', `return code ${code}`);
    return code;
  }

  text(what: string, bytes = this.rest()): string {
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      this.report('SN 5.3 utf-8', `${what} ${Buffer.from(bytes).toString('hex')}`);
      return Buffer.from(bytes).toString('latin1');
    }
    if (text.includes('\0')) this.report('SN 5.3 nul', `${what} ${JSON.stringify(text)}`);
    return text;
  }

  topicName(bytes = this.rest()): string {
    const topic = this.text('topic name', bytes);
    if (topic === '') this.report('SN 5.3.12 empty', 'an empty topic name');
    if (/[+#]/.test(topic)) this.report('SN 5.3.12 wildcard', `topic name ${JSON.stringify(topic)}`);
    return topic;
  }

  topicFilter(): string {
    const filter = this.text('topic filter');
    if (filter === '') this.report('SN 5.3.12 empty', 'an empty topic filter');
    const levels = filter.split('/');
    const isBad = (level: string, i: number) => (/[+#]/.test(level) && level.length > 1) || (level === '#' && i < levels.length - 1);
    if (levels.some(isBad)) this.report('SN 6.9 filter', `topic filter ${JSON.stringify(filter)}`);
    return filter;
  }

  clientId(): string {
    const bytes = this.rest();
    if (bytes.length < 1 || bytes.length > 23) this.report('SN 5.3.1 client id', `a client id of ${bytes.length} bytes`);
    return this.text('client id', bytes);
  }

  /** What SUBSCRIBE and UNSUBSCRIBE are about. */
  subject(kind: TopicKind): Subject {
    if (kind === 'normal') return { kind, topic: this.topicFilter(), topicId: 0 };
    if (kind === 'predefined') return { kind, topic: '', topicId: this.topicId() };
    const topicId = this.uint16('topic id');
    return { kind, topic: kind === 'short' ? this.shortName(topicId) : '', topicId };
  }

  shortName(topicId: number): string {
    return this.topicName(Uint8Array.of(topicId >> 8, topicId & 0xff));
  }
}

export interface Flags {
  readonly dup: boolean;
  readonly qos: number;
  readonly retain: boolean;
  readonly kind: TopicKind;
  readonly bits: number;
}

const KINDS: readonly TopicKind[] = ['normal', 'predefined', 'short', 'reserved'];

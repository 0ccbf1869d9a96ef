import { ClientJudge } from './client.js';
import type { Datagram, Side } from './datagram.js';
import { GatewayJudge } from './gateway.js';
import { decode, Malformed, type Message, type Name, nameIn } from './messages.js';
import type { Report, Rule } from './rules.js';

// Decisions and restrictions:
//
// - Written from MQTT-SN 1.2 (14 November 2013); it shares nothing with the codecs it judges.
// - Datagrams are lost and overtake one another, so what a side has done right shows only in the order in which that side saw them: a
//   conversation says whose order it is in, and only that side is held to the rules of conversations. `between` is a place where nothing is lost
//   and nothing overtakes, a proxy on the loopback: both are held to them, as far as messages that cross there allow.
// - A datagram that a receiver has to drop changes nothing: an answer to it is one too many. Anything else is taken as it was meant, so that one
//   fault is one finding.
// - Not seen: timers but the keep alive, counts of retries, and answers that never come.

export type { Datagram, Side } from './datagram.js';
export type { Rule } from './rules.js';

export interface Finding {
  readonly rule: Rule;
  /** Who sent the message. */
  readonly from: Side;
  /** Its name and its first bytes. */
  readonly message: string;
  readonly what: string;
  /** Which datagram of the conversation, from 0. */
  readonly number: number;
  readonly at: number | undefined;
}

export interface Options {
  /** In whose order the conversation is. Default `between`. */
  vantage?: Side | 'between';
  /** Whose faults are told. Default both. */
  judged?: Side | 'both';
}

const SHOWN_BYTES = 24;

/** A conversation of one client with a gateway, over all its connections, datagram by datagram. */
export class Conversation {
  readonly findings: Finding[] = [];
  /** Kinds of messages that could be read, by sender. */
  readonly kinds: Readonly<Record<Side, Set<Name>>> = { client: new Set(), gateway: new Set() };
  readonly #vantage: Side | 'between';
  readonly #judged: Side | 'both';
  readonly #judges: Readonly<Record<Side, ClientJudge | GatewayJudge>>;
  #node: string | undefined;
  #count = 0;

  constructor({ vantage = 'between', judged = 'both' }: Options = {}) {
    this.#vantage = vantage;
    this.#judged = judged;
    this.#judges = { client: new ClientJudge(vantage === 'client'), gateway: new GatewayJudge(vantage === 'gateway') };
  }

  take({ from, bytes, at, lost }: Datagram): void {
    const number = this.#count++;
    const report: Report = (rule, what) => {
      if (this.#judged !== 'both' && this.#judged !== from) return;
      this.findings.push({ rule, from, message: shown(bytes), what, number, at });
    };
    let message: Message;
    try {
      message = decode(bytes, from, report);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      report(error.rule, error.message);
      return;
    }
    this.kinds[from].add(message.fields.name);
    this.#checkNode(message.node, report);
    const hearer = from === 'client' ? 'gateway' : 'client';
    if (this.#holds(from)) this.#judges[from].sent(message, at, report);
    if (!lost && this.#holds(hearer)) this.#judges[hearer].heard(message);
  }

  /** Whether a side is held to the rules of conversations. */
  #holds(side: Side): boolean {
    return this.#vantage === 'between' || this.#vantage === side;
  }

  /** The power of one side was cut. */
  restart(side: Side): void {
    this.#judges[side].restart();
  }

  /** A client that is behind a forwarder stays there. */
  #checkNode(node: string | undefined, report: Report): void {
    const expected = this.#node ?? node ?? '';
    this.#node ??= node ?? '';
    if ((node ?? '') !== expected) report('SN 5.5 node id', `node ${node || 'none'}, it was ${expected || 'none'} before`);
  }
}

/** What is wrong with a whole conversation. */
export function judge(conversation: Iterable<Datagram>, options: Options = {}): Finding[] {
  const judged = new Conversation(options);
  for (const datagram of conversation) judged.take(datagram);
  return judged.findings;
}

function shown(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, SHOWN_BYTES))
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
  return `${nameIn(bytes)} ${hex}${bytes.length > SHOWN_BYTES ? ' …' : ''}`;
}

import { Judge } from './judge.js';
import type { Connect, Fields, Message, Name } from './messages.js';
import type { Report, Rule } from './rules.js';

type State = 'apart' | 'connecting' | 'active' | 'leaving' | 'falling asleep' | 'asleep' | 'awake' | 'dismissed';

const ANSWERS: ReadonlySet<Name> = new Set(['PUBACK', 'PUBREC', 'PUBCOMP', 'REGACK', 'PINGRESP']);
const ALWAYS: ReadonlySet<Name> = new Set(['CONNECT', 'SEARCHGW', 'GWINFO']);

/** What may be sent beside it (PUBREL answers a PUBREC that was late), and the rule that says so. PINGREQ has rules of its own. */
const ALLOWED: Readonly<Record<Exclude<State, 'active' | 'dismissed'>, { rule: Rule; names: ReadonlySet<Name> }>> = {
  apart: { rule: 'SN 6.2 connected', names: new Set() },
  connecting: { rule: 'SN 6.2 connected', names: new Set(['WILLTOPIC', 'WILLMSG', 'DISCONNECT']) },
  leaving: { rule: 'SN 6.12 over', names: new Set(['DISCONNECT']) },
  'falling asleep': { rule: 'SN 6.14 asleep', names: new Set(['DISCONNECT', 'PUBREL', ...ANSWERS]) },
  asleep: { rule: 'SN 6.14 asleep', names: new Set(['PINGREQ', 'DISCONNECT', 'PUBREL', ...ANSWERS]) },
  awake: { rule: 'SN 6.14 asleep', names: new Set(['PINGREQ', 'DISCONNECT', 'PUBREL', ...ANSWERS]) },
};

/** A gateway drops a client that is silent for so many of its durations. */
const DURATIONS = 1.5;

/** Judges what a client sends. */
export class ClientJudge extends Judge {
  #state: State = 'apart';
  #connect: { fields: Connect; content: string } | undefined;
  /** The CONNECT ends a sleep. */
  #wakes = false;
  #askedForTopic = 0;
  #askedForMessage = 0;
  /** The step of the handshake that may be sent again. */
  #lastStep = '';
  #sentAt: number | undefined;
  /** The content of the message that was sent last. */
  #last = '';
  /** Names that were asked about, by message id. */
  readonly #subscribing = new Map<number, string | undefined>();
  readonly #registering = new Map<number, string>();

  constructor(strict: boolean) {
    super('client', strict);
  }

  override sent(message: Message, at: number | undefined, report: Report): void {
    const { fields } = message;
    this.#checkAlive(fields, at, report);
    const isAgain = this.#last === message.content;
    this.#last = message.content;
    if (isAgain && !this.strict && this.#crosses(fields.name)) return;
    if (fields.name === 'CONNECT') {
      this.#connecting(fields, message.content, report);
      return;
    }
    if (ALWAYS.has(fields.name) || (fields.name === 'PUBLISH' && fields.qos < 0)) return;
    if (this.#state === 'dismissed') {
      this.#noteCrossing(message);
      return;
    }
    if (!this.#checkState(fields, report)) return;
    switch (fields.name) {
      case 'WILLTOPIC':
      case 'WILLMSG':
        this.#handshake(fields.name, message.content, report);
        break;
      case 'PINGREQ':
        this.#ping(fields.clientId, report);
        break;
      case 'DISCONNECT':
        this.#state = fields.duration === undefined ? 'leaving' : 'falling asleep';
        break;
      case 'SUBSCRIBE':
        this.checkUnused(fields.id, fields.name, report);
        this.requests.send(fields.name, fields.id, message.content, fields.dup, report);
        this.#subscribing.set(fields.id, fields.kind === 'normal' && !/[+#]/.test(fields.topic) ? fields.topic : undefined);
        break;
      case 'UNSUBSCRIBE':
        this.checkUnused(fields.id, fields.name, report);
        this.requests.send(fields.name, fields.id, message.content, undefined, report);
        break;
      case 'WILLTOPICUPD':
      case 'WILLMSGUPD':
        this.requests.send(fields.name, 0, message.content, undefined, report);
        break;
      case 'REGISTER':
        this.#registering.set(fields.id, fields.topic);
        this.sentByBoth(message, report);
        break;
      default:
        this.sentByBoth(message, report);
    }
  }

  override heard(message: Message): void {
    const { fields } = message;
    this.heardByBoth(message);
    switch (fields.name) {
      case 'WILLTOPICREQ':
        if (this.#state === 'connecting') this.#askedForTopic++;
        break;
      case 'WILLMSGREQ':
        if (this.#state === 'connecting') this.#askedForMessage++;
        break;
      case 'CONNACK':
        if (this.#state === 'connecting') this.#state = fields.code === 0 ? 'active' : 'apart';
        break;
      case 'REGACK': {
        const topic = this.#registering.get(fields.id);
        const isAnswer = this.requests.answered('REGISTER', fields.id, fields.code);
        if (isAnswer && fields.code === 0 && topic !== undefined) this.topics.told.set(fields.topicId, topic);
        break;
      }
      case 'SUBACK': {
        const topic = this.#subscribing.get(fields.id);
        const isAnswer = this.requests.answered('SUBSCRIBE', fields.id, fields.code);
        if (isAnswer && fields.code === 0 && fields.topicId !== 0 && topic !== undefined) this.topics.told.set(fields.topicId, topic);
        break;
      }
      case 'UNSUBACK':
        this.requests.answered('UNSUBSCRIBE', fields.id);
        break;
      case 'WILLTOPICRESP':
        this.requests.answered('WILLTOPICUPD', 0, fields.code);
        break;
      case 'WILLMSGRESP':
        this.requests.answered('WILLMSGUPD', 0, fields.code);
        break;
      case 'PUBLISH':
        if (fields.kind === 'normal') this.topics.revive(fields.topicId);
        break;
      case 'PINGRESP':
        if (this.#state === 'awake') this.#state = 'asleep';
        break;
      case 'DISCONNECT':
        this.#disconnected();
        break;
    }
  }

  override restart(): void {
    super.restart();
    this.#state = 'apart';
    this.#connect = undefined;
  }

  /** A confirmation that comes twice looks like a dismissal: to one that sleeps or connects it changes nothing. */
  #disconnected(): void {
    if (this.#state === 'falling asleep') this.#state = 'asleep';
    else if (this.#state === 'leaving') this.#state = 'apart';
    else if (this.#state === 'active') this.#state = this.strict ? 'apart' : 'dismissed'; // elsewhere it may still be on its way
  }

  #connecting(fields: Connect, content: string, report: Report): void {
    const again = this.#connect?.content === content;
    if (this.#state === 'connecting') {
      // A sleeper whose CONNECT has no answer gives the gateway up, and begins anew as it did at first.
      const anew = this.#wakes && this.#connect?.fields.clientId === fields.clientId;
      if (!again && !anew) report('SN 6.2 one', `a CONNECT of ${JSON.stringify(this.#connect?.fields.clientId)} has no answer yet`);
      if (again) return;
    }
    this.#wakes = this.#state === 'asleep' || this.#state === 'awake' || this.#state === 'falling asleep';
    this.reconnect(fields.clean, this.#wakes);
    this.#connect = { fields, content };
    this.#state = 'connecting';
    this.#askedForTopic = 0;
    this.#askedForMessage = 0;
    this.#lastStep = '';
  }

  /** What crosses the gateway's DISCONNECT counts as sent: it may come again with DUP. Whether it may be sent at all shows at the client only. */
  #noteCrossing(message: Message): void {
    const { fields, content } = message;
    if (fields.name === 'PUBLISH') this.sentByBoth(message, () => {});
    else if (fields.name === 'SUBSCRIBE') this.requests.send(fields.name, fields.id, content, fields.dup, () => {});
  }

  #checkState({ name }: Fields, report: Report): boolean {
    if (this.#state === 'active') {
      if (name !== 'WILLTOPIC' && name !== 'WILLMSG') return true;
      report(name === 'WILLTOPIC' ? 'SN 6.2 will topic' : 'SN 6.2 will message', 'the handshake is over');
      return false;
    }
    const { rule, names } = ALLOWED[this.#state as keyof typeof ALLOWED];
    if (names.has(name)) return true;
    if (this.#state === 'connecting' && this.#wakes && ANSWERS.has(name)) return true; // to what came before it wanted to wake
    report(rule, `${name} of a client that is ${this.#state}`);
    return false;
  }

  /** Between the two sides, what is sent again may cross its answer, which has already changed the state here. */
  #crosses(name: Name): boolean {
    if (name === 'DISCONNECT') return this.#state === 'apart';
    return this.#state === 'active' && (name === 'CONNECT' || name === 'WILLMSG');
  }

  #handshake(name: 'WILLTOPIC' | 'WILLMSG', content: string, report: Report): void {
    const isTopic = name === 'WILLTOPIC';
    const asked = isTopic ? this.#askedForTopic : this.#askedForMessage;
    if (isTopic && asked > 0) this.#askedForTopic--;
    else if (!isTopic && asked > 0) this.#askedForMessage--;
    else if (this.#lastStep !== content) report(isTopic ? 'SN 6.2 will topic' : 'SN 6.2 will message', 'the gateway did not ask for it');
    if (isTopic && !this.#connect?.fields.will) report('SN 6.2 will topic', 'CONNECT came without a will');
    this.#lastStep = content;
  }

  #ping(clientId: string | undefined, report: Report): void {
    const sleeps = this.#state === 'asleep' || this.#state === 'awake';
    if (sleeps && clientId === undefined) report('SN 6.14 ping', 'without a client id, asleep');
    if (!sleeps && clientId !== undefined) report('SN 6.14 ping', `with a client id, ${this.#state}`);
    if (sleeps && clientId !== undefined && clientId !== this.#connect?.fields.clientId) {
      report('SN 6.14 ping', `client id ${JSON.stringify(clientId)}, CONNECT had ${JSON.stringify(this.#connect?.fields.clientId)}`);
    }
    if (sleeps) this.#state = 'awake';
  }

  #checkAlive({ name }: Fields, at: number | undefined, report: Report): void {
    const duration = this.#connect?.fields.duration ?? 0;
    const last = this.#sentAt;
    this.#sentAt = at;
    if (at === undefined || last === undefined || duration === 0 || this.#state !== 'active' || name === 'CONNECT') return;
    if (at - last > duration * 1000 * DURATIONS) report('SN 6.11 alive', `${name} after ${at - last} ms, CONNECT promised ${duration} s`);
  }
}

import type { Side } from './datagram.js';
import { Outgoing, Owed, Requests, Topics } from './exchanges.js';
import type { Acknowledgement, Fields, Message, Publish } from './messages.js';
import type { Report } from './rules.js';

/** Judges what one side sends by what it sent and heard before. What is the same for both sides is here. */
export abstract class Judge {
  protected readonly topics = new Topics();
  protected readonly owed = new Owed();
  protected readonly requests: Requests;
  protected readonly outgoing: Outgoing;
  /** Topic ids of PUBLISHes at QoS 0 that were heard: their refusals have no message id. */
  readonly #heardAtQos0 = new Set<number>();
  /** The kind of topic that was last published under a number at QoS 0. */
  readonly #sentAtQos0 = new Map<number, Publish['kind']>();
  /** A power cut: what the other side may rely on is not known. */
  #forgetful = false;

  /** `strict` when the conversation is in the order in which this side saw it. */
  constructor(
    readonly side: Side,
    protected readonly strict: boolean,
  ) {
    this.requests = new Requests(strict);
    this.outgoing = new Outgoing(strict, side === 'client');
  }

  abstract sent(message: Message, at: number | undefined, report: Report): void;
  abstract heard(message: Message): void;

  /** The judged side has lost its memory, as far as it does not keep it. */
  restart(): void {
    this.outgoing.forget();
    this.#forgetful = true;
  }

  protected reconnect(clean: boolean, resumed: boolean): void {
    if (clean || !resumed) this.topics.connect(clean);
    this.outgoing.connect(clean);
    this.requests.connect();
  }

  /** Answers whether the message was one of those that both sides send. */
  protected sentByBoth({ fields, content }: Message, report: Report): boolean {
    switch (fields.name) {
      case 'PUBLISH':
        this.#publish(fields, report);
        return true;
      case 'PUBREL':
        this.outgoing.pubrel(fields.id, report);
        return true;
      case 'PUBACK':
        this.#puback(fields, report);
        return true;
      case 'PUBREC': {
        const publish = this.answer(fields, fields.id, report);
        if (publish?.name === 'PUBLISH') this.#checkKnown(publish, report);
        return true;
      }
      case 'PUBCOMP':
        this.answer(fields, fields.id, report);
        return true;
      case 'PINGRESP':
        this.answer(fields, 0, report);
        return true;
      case 'REGISTER':
        this.checkUnused(fields.id, 'REGISTER', report);
        if (this.side === 'client') this.requests.send('REGISTER', fields.id, content, undefined, report);
        return true;
      case 'REGACK': {
        const register = this.answer(fields, fields.id, report);
        if (register?.name !== 'REGISTER') return true;
        if (this.side === 'client' && fields.topicId !== register.topicId) {
          report('SN 6.6 answer', `REGACK ${fields.id} with topic id ${fields.topicId}, REGISTER had ${register.topicId}`);
        }
        if (fields.code === 0) this.tell(fields.topicId, register.topic, report);
        return true;
      }
      default:
        return false;
    }
  }

  protected heardByBoth({ fields }: Message): void {
    switch (fields.name) {
      case 'PUBLISH':
        if (fields.qos > 0) this.owed.add(fields.qos === 1 ? 'PUBACK' : 'PUBREC', fields.id, fields);
        else this.#heardAtQos0.add(fields.topicId);
        break;
      case 'PUBACK': {
        const published = this.outgoing.puback(fields.id, fields.code)?.kind ?? this.#sentAtQos0.get(fields.topicId);
        if (fields.code === 2 && published === 'normal') this.topics.forget(fields.topicId);
        break;
      }
      case 'PUBREC':
        this.outgoing.pubrec(fields.id);
        break;
      case 'PUBREL':
        this.owed.add('PUBCOMP', fields.id, fields);
        break;
      case 'PUBCOMP':
        this.outgoing.pubcomp(fields.id);
        break;
      case 'REGISTER':
        this.owed.add('REGACK', fields.id, fields);
        break;
      case 'PINGREQ':
        this.owed.add('PINGRESP', 0, fields);
        break;
    }
  }

  /** What this answers, or a finding. */
  protected answer({ name }: Fields, id: number, report: Report): Fields | undefined {
    const asked = this.owed.take(name, id);
    if (!asked) report('SN 6.6 answer', `${name}${id ? ` ${id}` : ''}: nothing waits for it`);
    return asked;
  }

  protected tell(id: number, name: string, report: Report): void {
    const told = this.topics.told.get(id);
    if (this.side === 'gateway' && told !== undefined && told !== name) {
      report('SN 6.5 one name', `topic id ${id} stands for ${JSON.stringify(told)} and ${JSON.stringify(name)}`);
    }
    this.topics.told.set(id, name);
  }

  protected checkUnused(id: number, except: 'REGISTER' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | undefined, report: Report): void {
    if (this.side === 'gateway') return; // its REGISTERs and its PUBLISHes are answered by different messages
    const taken = this.requests.holds(id, except) || (except !== undefined && this.outgoing.holds(id));
    if (taken) report('SN 5.3.7 in use', `message id ${id}`);
  }

  #publish(publish: Publish, report: Report): void {
    const { kind, topicId, id, qos } = publish;
    if (qos < 0) {
      if (this.side === 'gateway') report('SN 6.8 one way', 'PUBLISH at QoS -1');
      return;
    }
    if (kind === 'normal' && !this.topics.told.has(topicId)) {
      report(this.side === 'client' ? 'SN 6.5 registered' : 'SN 6.10 registered', `topic id ${topicId}`);
    }
    if (qos === 0) {
      this.#sentAtQos0.set(topicId, kind);
      return;
    }
    this.checkUnused(id, undefined, report);
    // The name of a pre-defined topic is known to the two sides alone; it may be registered by it later.
    const topic = kind === 'normal' ? this.topics.told.get(topicId) : kind === 'short' ? `short ${topicId}` : undefined;
    this.outgoing.publish(publish, topic, report);
  }

  #puback(puback: Acknowledgement, report: Report): void {
    const { id, topicId, code } = puback;
    if (id === 0 && code !== 0) {
      if (!this.#heardAtQos0.has(topicId)) report('SN 6.6 answer', `nothing was published at QoS 0 on topic id ${topicId}`);
      return;
    }
    const isOnIt = (asked: Fields) => asked.name === 'PUBLISH' && asked.topicId === topicId; // of two connections, this one's
    const publish = this.owed.take('PUBACK', id, isOnIt) ?? (code === 0 ? undefined : this.owed.take('PUBREC', id, isOnIt));
    if (publish?.name !== 'PUBLISH') {
      report('SN 6.6 answer', `PUBACK ${id}: nothing waits for it`);
      return;
    }
    if (topicId !== publish.topicId) report('SN 6.6 answer', `PUBACK ${id} with topic id ${topicId}, PUBLISH had ${publish.topicId}`);
    if (code === 0) this.#checkKnown(publish, report);
  }

  #checkKnown({ kind, topicId, id }: Publish, report: Report): void {
    if (kind !== 'normal' || this.topics.knows(topicId) || this.#forgetful) return;
    report('SN 6.6 unknown id', `PUBLISH ${id} on topic id ${topicId} is accepted`);
  }
}

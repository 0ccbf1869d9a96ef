import { Judge } from './judge.js';
import type { Connect, Fields, Message, Name, Register, Suback } from './messages.js';
import type { Report } from './rules.js';

/** What the gateway takes the client for. */
type State = 'apart' | 'connecting' | 'active' | 'asleep' | 'awake';

const ALWAYS: ReadonlySet<Name> = new Set(['ADVERTISE', 'GWINFO', 'DISCONNECT', 'CONNACK', 'WILLTOPICREQ', 'WILLMSGREQ']);

const ANSWERS: ReadonlySet<Name> = new Set([
  'PINGRESP',
  'REGACK',
  'PUBACK',
  'PUBREC',
  'PUBCOMP',
  'SUBACK',
  'UNSUBACK',
  'WILLTOPICRESP',
  'WILLMSGRESP',
]);

/** What only a client that is connected may ask. */
const ASKING: ReadonlySet<Name> = new Set(['PUBLISH', 'PUBREL', 'REGISTER', 'SUBSCRIBE', 'UNSUBSCRIBE', 'WILLTOPICUPD', 'WILLMSGUPD']);

/** Judges what a gateway sends to one client. It changes the client's state by what it sends itself: until then the client's wish is on its way. */
export class GatewayJudge extends Judge {
  #state: State = 'apart';
  #connect: { fields: Connect; content: string } | undefined;
  #heardWillTopic = false;
  #wantsSleep = false;
  /** REGISTERs of the gateway without an answer. */
  readonly #registering = new Map<number, Register>();

  constructor(strict: boolean) {
    super('gateway', strict);
  }

  override heard(message: Message): void {
    const { fields } = message;
    if (this.#state === 'apart' && ASKING.has(fields.name)) return; // a stranger is told DISCONNECT, and nothing else
    this.heardByBoth(message);
    if (this.#state === 'apart' || this.#state === 'connecting') this.outgoing.doubt();
    switch (fields.name) {
      case 'CONNECT':
        this.#connecting(fields, message.content);
        break;
      case 'WILLTOPIC':
        if (this.#state !== 'connecting') break;
        this.#heardWillTopic = true;
        if (fields.topic === undefined) this.owed.add('CONNACK', 0, fields); // no topic, no will
        break;
      case 'WILLMSG':
        // Also when it comes again: the CONNACK may have been lost.
        if ((this.#state === 'connecting' || this.#state === 'active') && this.#heardWillTopic) this.owed.add('CONNACK', 0, fields);
        break;
      case 'SUBSCRIBE':
        this.owed.add('SUBACK', fields.id, fields);
        break;
      case 'UNSUBSCRIBE':
        this.owed.add('UNSUBACK', fields.id, fields);
        break;
      case 'WILLTOPICUPD':
        this.owed.add('WILLTOPICRESP', 0, fields);
        break;
      case 'WILLMSGUPD':
        this.owed.add('WILLMSGRESP', 0, fields);
        break;
      case 'REGACK': {
        const register = this.#registering.get(fields.id);
        if (!register || register.topicId !== fields.topicId) break;
        this.#registering.delete(fields.id);
        if (fields.code === 0) this.topics.told.set(register.topicId, register.topic);
        break;
      }
      case 'PINGREQ':
        if (this.#state === 'asleep' && fields.clientId !== undefined) this.#state = 'awake';
        break;
      case 'DISCONNECT':
        this.#wantsSleep = fields.duration !== undefined && this.#state !== 'apart' && this.#state !== 'connecting';
        break;
    }
  }

  override sent(message: Message, _at: number | undefined, report: Report): void {
    const { fields } = message;
    if (!this.#checkState(fields, report)) return;
    switch (fields.name) {
      case 'CONNACK':
        this.#connack(fields.code, report);
        break;
      case 'WILLTOPICREQ':
      case 'WILLMSGREQ':
        this.#handshake(fields.name, report);
        break;
      case 'SUBACK':
        this.#suback(fields, report);
        break;
      case 'UNSUBACK':
        this.answer(fields, fields.id, report);
        break;
      case 'WILLTOPICRESP':
      case 'WILLMSGRESP':
        this.answer(fields, 0, report);
        break;
      case 'DISCONNECT':
        this.#state = this.#wantsSleep ? 'asleep' : 'apart';
        if (this.#state === 'apart') this.outgoing.doubt();
        this.#wantsSleep = false;
        break;
      case 'PINGRESP':
        this.answer(fields, 0, report);
        if (this.#state === 'awake') this.#state = 'asleep';
        break;
      case 'REGISTER':
        this.#register(fields, report);
        break;
      case 'PUBLISH':
        if (fields.kind === 'normal' && !this.#connect?.fields.clean) this.topics.revive(fields.topicId);
        this.sentByBoth(message, report);
        break;
      default:
        this.sentByBoth(message, report);
    }
  }

  #connecting(fields: Connect, content: string): void {
    const again = this.#connect?.content === content && (this.#state === 'connecting' || this.#state === 'active');
    if (!again) {
      this.reconnect(fields.clean, this.#state === 'asleep' || this.#state === 'awake');
      this.#registering.clear();
    }
    this.#connect = { fields, content };
    this.#state = 'connecting';
    this.#wantsSleep = this.#heardWillTopic = false;
    if (!fields.will) this.owed.add('CONNACK', 0, fields);
  }

  #checkState({ name }: Fields, report: Report): boolean {
    if (ALWAYS.has(name) || this.#state === 'active' || this.#state === 'awake') return true;
    if (this.#state === 'asleep' && ANSWERS.has(name)) return true; // to a PINGREQ that came twice, or to what it should not have sent
    if (this.#state === 'asleep') report('SN 6.14 buffered', `${name} to a client that sleeps`);
    else report('SN 6.2 not connected', name);
    return false;
  }

  #connack(code: number, report: Report): void {
    const asked = this.owed.take('CONNACK');
    const refuses = code !== 0 && this.#state === 'connecting';
    if (!asked && !refuses) {
      report('SN 6.2 connack', this.#state === 'connecting' ? 'the will is missing' : 'nothing waits for it');
    }
    if (this.#state === 'connecting') this.#state = code === 0 ? 'active' : 'apart';
  }

  #handshake(name: 'WILLTOPICREQ' | 'WILLMSGREQ', report: Report): void {
    const rule = name === 'WILLTOPICREQ' ? 'SN 6.2 will topic' : 'SN 6.2 will message';
    if (this.#state !== 'connecting') report(rule, `${name}: no CONNECT waits`);
    else if (!this.#connect?.fields.will) report(rule, `${name}: CONNECT came without a will`);
    else if (name === 'WILLMSGREQ' && !this.#heardWillTopic) report(rule, `${name} before WILLTOPIC`);
  }

  #register(register: Register, report: Report): void {
    const { id, topicId, topic } = register;
    const told = this.topics.told.get(topicId);
    if (told !== undefined && told !== topic) {
      report('SN 6.5 one name', `topic id ${topicId} stands for ${JSON.stringify(told)} and ${JSON.stringify(topic)}`);
    }
    const open = this.#registering.get(id);
    if (open && open.topic !== topic) report('SN 5.3.7 in use', `message id ${id}`);
    this.#registering.set(id, register);
  }

  #suback(suback: Suback, report: Report): void {
    const { id, qos, topicId, code } = suback;
    const asked = this.answer(suback, id, report);
    if (asked?.name !== 'SUBSCRIBE') return;
    if (qos > asked.qos) report('SN 6.9 granted', `QoS ${qos} where ${asked.qos} was asked for`);
    const shown = `topic id ${topicId}`;
    if (code !== 0) {
      if (topicId !== 0 && topicId !== asked.topicId) report('SN 6.9 topic id', `${shown} where it refuses`);
    } else if (asked.kind === 'normal') {
      const isWild = /[+#]/.test(asked.topic);
      if (isWild !== (topicId === 0)) report('SN 6.9 topic id', `${shown} for ${JSON.stringify(asked.topic)}`);
      if (!isWild && topicId !== 0) this.tell(topicId, asked.topic, report);
    } else if (topicId !== 0 && topicId !== asked.topicId) {
      report('SN 6.9 topic id', `${shown}, SUBSCRIBE had ${asked.topicId}`); // a gateway may leave out what the client said itself
    }
  }
}

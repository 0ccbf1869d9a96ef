import type { Clock } from '../clock.js';
import type { Failure } from './connection.js';
import type { Counters } from './counters.js';
import type { Delivery } from './delivery.js';
import { puback, pubcomp, pubrec, regack, suback, unsuback } from './encode.js';
import type { Kept } from './kept.js';
import {
  ACCEPTED,
  CONGESTION,
  type FilterMessage,
  INVALID_TOPIC_ID,
  NORMAL,
  NOT_SUPPORTED,
  PREDEFINED,
  type PublishMessage,
  type QoS,
  SHORT,
} from './messages.js';
import type { Predefined } from './predefined.js';
import type { Registrations } from './registrations.js';
import { type Asked, hashOf, type Offered, Taken } from './taken.js';
import { filterFault, hasWildcard, shortName, topicFault } from './topics.js';
import type { Uplink } from './uplink.js';

export interface RequestParts {
  clock: Clock;
  counters: Counters;
  predefined: Predefined;
  registrations: Registrations;
  delivery: Delivery;
  uplink: Uplink;
  kept: Kept | undefined;
  send(datagram: Uint8Array): void;
  debug(text: () => string): void;
}

/** What a topic of a request comes to: its name, or the return code that says why not. */
type Named = { topic: string; topicId: number } | { code: number };

/** What one client asks of the broker: registrations, publications, subscriptions. */
export class Requests {
  readonly #parts: RequestParts;
  readonly taken = new Taken();
  /** Subscriptions and the like that wait for the broker, by MsgId. A repeated request is answered once the first is. */
  readonly #waiting = new Map<number, object>();
  /** The last SUBSCRIBE or UNSUBSCRIBE that was answered: a copy of it is answered again and not asked again. */
  #answered: { request: string; answer: Uint8Array } | undefined;
  #abandoned = false;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  /** The client begins anew: answers to what it asked before are not for it. */
  abandon(): void {
    this.#abandoned = true;
    this.#waiting.clear();
    this.#answered = undefined;
  }

  register(msgId: number, topic: string): void {
    const { registrations, uplink, send, counters } = this.#parts;
    if (topicFault(topic)) {
      send(regack(0, msgId, NOT_SUPPORTED));
      return;
    }
    // Who cannot publish now need not register now: it hears of the congestion one message earlier.
    const topicId = uplink.isCongested ? registrations.idOf(topic) : registrations.add(topic);
    if (topicId === undefined) {
      counters.count(uplink.isCongested ? 'registrations refused: congestion' : 'registrations refused: too many');
      send(regack(0, msgId, CONGESTION));
      return;
    }
    registrations.learned(topicId);
    send(regack(topicId, msgId, ACCEPTED));
  }

  publish(message: PublishMessage): void {
    const { clock, uplink, counters, debug } = this.#parts;
    const { qos, retain, msgId, topicId, data: payload } = message;
    const named = this.#topicOf(message);
    if ('code' in named) {
      this.#refuse(message, named.code);
      return;
    }
    const { topic } = named;
    const hash = qos > 0 ? hashOf(message, topic) : 0;
    if (qos > 0) {
      const verdict = this.taken.look(message, hash, clock.now());
      if (verdict !== 'new') counters.count('repeated publications');
      if (verdict === 'offered') return;
      if (verdict === 'taken') {
        this.#accept(message);
        return;
      }
    }
    debug(() => `PUBLISH '${topic}', QoS ${qos}, ${payload.length} bytes`);
    if (qos <= 0) {
      if (!uplink.publish({ topic, payload, qos: 0, retain }, () => {})) counters.count('publications dropped: QoS 0 in congestion');
      else counters.count('publications');
      return;
    }
    const offered = this.taken.offer(message, hash);
    const done = (failure?: Failure) => {
      if (failure === 'ended' && offered.place !== undefined) return; // the next connection goes on with it
      if (failure) {
        if (this.#settles(offered)) this.#failed(message, failure);
      } else if (offered.place === undefined && this.acknowledged(offered)) this.confirm(offered);
    };
    if (uplink.publish({ topic, payload, qos: qos as QoS, retain }, done, offered)) return;
    this.taken.settle(msgId, offered);
    counters.count('publications refused: congestion');
    this.#parts.send(puback(topicId, msgId, CONGESTION));
  }

  /** The broker has what was offered. False when the client has meant something else by its MsgId since. */
  acknowledged(offered: Offered): boolean {
    if (!this.#settles(offered)) return false;
    const { msgId, hash, qos } = offered;
    const now = this.#parts.clock.now();
    if (qos === 1) this.taken.complete(msgId, hash, now);
    else this.taken.receive(msgId, hash, now);
    return true;
  }

  /** Tells the client so; one that has not asked since a restart asks again. */
  confirm({ asked }: Offered): void {
    this.#parts.counters.count('publications');
    if (asked) this.#accept(asked);
  }

  pubrel(msgId: number): void {
    if (this.taken.isOffered(msgId)) return; // a copy from an earlier exchange under this id
    if (this.taken.release(msgId, this.#parts.clock.now())) this.#parts.kept?.releases(this.taken);
    this.#parts.send(pubcomp(msgId)); // also for an id that is not known
  }

  subscribe(message: FilterMessage): void {
    const { uplink, registrations, send, counters } = this.#parts;
    if (this.#isRepeated(message)) return;
    const { msgId, qos, topicType } = message;
    const refuse = (code: number) => send(suback(0, message.topicId, msgId, code));
    const named = this.#filterOf(message);
    if ('code' in named) {
      refuse(named.code);
      return;
    }
    const filter = named.topic;
    if (!uplink.hasRoomFor(filter)) {
      counters.count('subscriptions refused: too many');
      refuse(CONGESTION);
      return;
    }
    let { topicId } = named;
    if (topicType === NORMAL && !hasWildcard(filter)) {
      const id = registrations.add(filter);
      if (id === undefined) {
        refuse(CONGESTION);
        return;
      }
      topicId = id;
    }
    const ours = this.#wait(message);
    const accepted = uplink.subscribe(filter, qos, (granted) => {
      if (!this.#settle(message, ours)) return;
      if (typeof granted !== 'number') {
        if (granted === 'ended') return; // the client asks again when it is connected again
        return refuse(granted === 'congestion' ? CONGESTION : NOT_SUPPORTED);
      }
      if (granted === 128) {
        counters.count('subscriptions refused by the broker');
        return refuse(NOT_SUPPORTED);
      }
      if (topicType === NORMAL) registrations.learned(topicId);
      this.#answer(message, suback(granted, topicId, msgId, ACCEPTED));
    });
    if (accepted) return;
    this.#settle(message, ours);
    refuse(CONGESTION);
  }

  unsubscribe(message: FilterMessage): void {
    if (this.#isRepeated(message)) return;
    const named = this.#filterOf(message);
    // There is no code that refuses, and nothing was subscribed to under such a name.
    if ('code' in named) {
      this.#parts.send(unsuback(message.msgId));
      return;
    }
    const ours = this.#wait(message);
    const accepted = this.#parts.uplink.unsubscribe(named.topic, (failure) => {
      if (this.#settle(message, ours) && !failure) this.#answer(message, unsuback(message.msgId));
    });
    if (!accepted) this.#settle(message, ours); // no answer: the client asks again
  }

  /** PUBACK, or PUBREC at QoS 2. */
  #accept({ qos, topicId, msgId }: Asked): void {
    this.#parts.send(qos === 2 ? pubrec(msgId) : puback(topicId, msgId, ACCEPTED));
  }

  #settles(offered: Offered): boolean {
    return !this.#abandoned && this.taken.settle(offered.msgId, offered);
  }

  #refuse({ topicId, msgId }: PublishMessage, code: number): void {
    this.#parts.counters.count(
      code === INVALID_TOPIC_ID ? 'publications refused: unknown topic id' : 'publications refused: not supported',
    );
    this.#parts.send(puback(topicId, msgId, code)); // also at QoS 0 (SN 6.6)
  }

  #failed(message: PublishMessage, failure: Failure): void {
    if (failure === 'ended') return; // no answer: it is offered again on the next connection
    this.#refuse(message, failure === 'congestion' ? CONGESTION : NOT_SUPPORTED);
  }

  #topicOf({ topicType, topicId }: PublishMessage): Named {
    const { registrations, predefined, delivery } = this.#parts;
    const known = (topic: string | undefined): Named => (topic === undefined ? { code: INVALID_TOPIC_ID } : { topic, topicId });
    switch (topicType) {
      case NORMAL:
        registrations.learned(topicId);
        return known(registrations.topicOf(topicId));
      case PREDEFINED: {
        const topic = predefined.topicOf(topicId);
        if (topic !== undefined) delivery.knowsPredefined(topicId);
        return known(topic);
      }
      case SHORT: {
        const topic = shortName(topicId);
        return known(topic !== undefined && topicFault(topic) ? undefined : topic);
      }
      default:
        return { code: NOT_SUPPORTED };
    }
  }

  #filterOf({ topicType, topicId, topicName }: FilterMessage): Named {
    switch (topicType) {
      case NORMAL:
        return filterFault(topicName) ? { code: NOT_SUPPORTED } : { topic: topicName, topicId: 0 };
      case PREDEFINED: {
        const topic = this.#parts.predefined.topicOf(topicId);
        if (topic === undefined) return { code: INVALID_TOPIC_ID };
        this.#parts.delivery.knowsPredefined(topicId);
        return { topic, topicId };
      }
      case SHORT: {
        const topic = shortName(topicId);
        return topic === undefined || filterFault(topic) ? { code: INVALID_TOPIC_ID } : { topic, topicId: 0 };
      }
      default:
        return { code: NOT_SUPPORTED };
    }
  }

  /** Whether a request is a copy of one that waits (its answer comes) or was the last to be answered (it is answered again). */
  #isRepeated(message: FilterMessage): boolean {
    if (this.#answered?.request === keyOf(message) && message.dup) {
      this.#parts.send(this.#answered.answer);
      return true;
    }
    return this.#waiting.has(message.msgId) && !this.#parts.uplink.isCongested;
  }

  #wait({ msgId }: FilterMessage): object {
    const ours = {};
    this.#waiting.set(msgId, ours);
    return ours;
  }

  #settle({ msgId }: FilterMessage, ours: object): boolean {
    if (this.#waiting.get(msgId) !== ours) return false;
    this.#waiting.delete(msgId);
    return true;
  }

  #answer(message: FilterMessage, answer: Uint8Array): void {
    this.#answered = { request: keyOf(message), answer };
    this.#parts.send(answer);
  }
}

function keyOf({ type, msgId, qos, topicType, topicId, topicName }: FilterMessage): string {
  return `${type} ${msgId} ${qos} ${topicType} ${topicId} ${topicName}`;
}

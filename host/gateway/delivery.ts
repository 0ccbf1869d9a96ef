import type { Clock } from '../clock.js';
import { publish, publishSize, pubrel, register, registerSize } from './encode.js';
import type { Kept, Reserved } from './kept.js';
import type { Limits } from './limits.js';
import { ACCEPTED, CONGESTION, INVALID_TOPIC_ID, NORMAL, PREDEFINED, SHORT, type TopicRef } from './messages.js';
import type { Predefined } from './predefined.js';
import type { Publication } from './publication.js';
import type { Registrations } from './registrations.js';
import { shortId } from './topics.js';

/** Why a message for a client was dropped. */
export type Dropped = 'buffer full' | 'too large' | 'refused by the client' | 'topic name too long' | 'QoS 0 while disconnected';

export interface DeliveryParts {
  clock: Clock;
  limits: Limits;
  registrations: Registrations;
  predefined: Predefined;
  /** The first MsgId. */
  firstId: number;
  send(datagram: Uint8Array): void;
  /** Largest datagram to the client in bytes. */
  largest(): number;
  dropped(why: Dropped): void;
  /** All that flush() asked for has arrived. */
  flushed(): void;
  /** No answer came after all retries. */
  unanswered(): void;
  kept: Kept | undefined;
}

interface Item extends Publication {
  number: number;
  /** The journal has it. */
  isKept: boolean;
  /** 0 until it is sent. */
  msgId: number;
  stage: 'waiting' | 'sent' | 'released';
  /** Times that the client did not know its topic. */
  refusals: number;
}

/** The one request that the client has to answer. */
interface Request {
  kind: 'REGISTER' | 'PUBLISH' | 'PUBREL';
  msgId: number;
  /** Of a REGISTER, or of a PUBLISH. */
  ref: TopicRef;
  encode(again: boolean): Uint8Array;
  tries: number;
}

/**
 * Messages on their way to one client, in order and one at a time: REGISTER where it is needed, PUBLISH, and what its QoS wants (SN 6.6, 6.10).
 * The message in flight is the head of the queue; what is behind it waits, so that the order stays.
 */
export class Delivery {
  /** Pre-defined ids that the client has shown to know. */
  readonly #predefinedKnown = new Set<number>();
  readonly #parts: DeliveryParts;
  #queue: Item[] = [];
  #bytes = 0;
  #count = 0;
  #nextId: number;
  #request: Request | undefined;
  #cancel: (() => void) | undefined;
  /** Whether the client listens: not now, until it has what waits, or all the time. */
  #mode: 'closed' | 'flushing' | 'open' = 'closed';
  /** Flushing: messages from this number on wait for the next time. */
  #end = 0;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#nextId = parts.firstId;
  }

  /** Messages that wait or are in flight. */
  get size(): number {
    return this.#queue.length;
  }

  /** How many of them the journal has. */
  get kept(): number {
    return this.#queue.reduce((sum, { isKept }) => sum + (isKept ? 1 : 0), 0);
  }

  /** Number and MsgId of the next message that goes into the journal: the client has to hear the same MsgId after a restart. */
  reserve(): Reserved {
    return { number: this.#count++, msgId: this.#takeId() };
  }

  /** Takes back what the journal holds, in its order. It may have been sent. */
  restore(records: readonly (Publication & Reserved & { isReleased: boolean })[]): void {
    for (const { isReleased, ...record } of records) {
      this.#queue.push({ ...record, isKept: true, stage: isReleased ? 'released' : 'sent', refusals: 0 });
      this.#bytes += sizeOf(record);
      this.#count = record.number + 1;
      this.#nextId = (record.msgId % 0xffff) + 1;
    }
  }

  /** Takes a message from the broker, which the journal has when it is `reserved`. */
  add(message: Publication, reserved?: Reserved): void {
    const { limits, dropped } = this.#parts;
    const { number, msgId } = reserved ?? { number: this.#count++, msgId: 0 };
    this.#queue.push({ ...message, number, msgId, isKept: reserved !== undefined, stage: 'waiting', refusals: 0 });
    this.#bytes += sizeOf(message);
    while (this.#queue.length > limits.bufferedMessages || this.#bytes > limits.bufferedBytes) {
      const inFlight = this.#request !== undefined || this.#queue[0]?.stage !== 'waiting';
      const [oldest] = this.#queue.splice(inFlight ? 1 : 0, 1);
      if (!oldest) break; // only what is in flight is left
      this.#bytes -= sizeOf(oldest);
      if (oldest.isKept) this.#parts.kept?.forget(oldest.number);
      dropped('buffer full');
    }
    this.#pump();
  }

  /** The client listens: all that comes is delivered. */
  open(): void {
    this.#mode = 'open';
    this.#pump();
  }

  /** The client listens for a moment: what is there now is delivered, then flushed() is called. Once more: what is unanswered is sent again. */
  flush(): void {
    if (this.#mode === 'closed') this.#end = this.#count;
    this.#mode = 'flushing';
    if (this.#request) this.#sendAgain(this.#request, 0);
    else this.#pump();
  }

  /** The client does not listen; what is unanswered is sent again next time. */
  close(): void {
    this.#mode = 'closed';
    this.#settle();
  }

  /** The client is gone; messages of QoS 0 do not wait for it. */
  forgetUnreliable(): void {
    const kept = this.#queue.filter(({ qos }) => qos > 0);
    for (let left = this.#queue.length - kept.length; left > 0; left--) this.#parts.dropped('QoS 0 while disconnected');
    this.#queue = kept;
    this.#bytes = kept.reduce((sum, item) => sum + sizeOf(item), 0);
  }

  /** The client used a pre-defined id, so it has the same table. */
  knowsPredefined(id: number): void {
    this.#predefinedKnown.add(id);
  }

  regack(msgId: number, code: number): void {
    const item = this.#queue[0];
    const request = this.#answered('REGISTER', msgId);
    if (!request || !item) return;
    if (code === CONGESTION) {
      this.#wait(request);
      return;
    }
    if (code === ACCEPTED) this.#parts.registrations.learned(request.ref.topicId);
    else if (code === INVALID_TOPIC_ID && this.#mayRefuse(item)) this.#parts.registrations.remove(item.topic);
    else this.#drop('refused by the client');
    this.#settle();
    this.#pump();
  }

  puback(topicId: number, msgId: number, code: number): void {
    // A QoS 0 message can be refused, too: the next on this topic is registered again.
    if (msgId === 0 && code === INVALID_TOPIC_ID) {
      this.#unknown(topicId);
      return;
    }
    const item = this.#inFlight(msgId);
    if (!item) return;
    const request = this.#answered('PUBLISH', msgId);
    if (code === ACCEPTED) {
      if (item.qos === 2) return; // a PUBACK that accepts is no answer at QoS 2
      this.#shift();
    } else if (!request) return;
    else if (code === CONGESTION) {
      this.#wait(request);
      return;
    } else if (code === INVALID_TOPIC_ID && this.#mayRefuse(item)) this.#unknown(request.ref.topicId);
    else this.#drop('refused by the client');
    this.#settle();
    this.#pump();
  }

  pubrec(msgId: number): void {
    const item = this.#inFlight(msgId);
    if (item?.qos === 2) {
      // Before PUBREL, which lets the client forget the MsgId. The client says PUBREC again when this one counts as not come.
      if (item.isKept && !this.#parts.kept?.released(item)) return;
      item.stage = 'released';
      this.#settle();
      this.#pump();
    } else if (this.#mode !== 'closed') this.#parts.send(pubrel(msgId)); // also for an id that is not known, so that the client can end the exchange
  }

  pubcomp(msgId: number): void {
    const item = this.#queue[0];
    if (item?.stage !== 'released' || item.msgId !== msgId) return;
    this.#shift();
    this.#settle();
    this.#pump();
  }

  #pump(): void {
    while (this.#mode !== 'closed' && !this.#request) {
      const item = this.#queue[0];
      if (item && (this.#mode === 'open' || item.number < this.#end)) this.#start(item);
      else {
        if (this.#mode === 'open') return;
        this.#mode = 'closed';
        this.#parts.flushed();
      }
    }
  }

  /** Sends what the message at the head needs next. */
  #start(item: Item): void {
    if (item.stage === 'released') {
      this.#ask({
        kind: 'PUBREL',
        msgId: item.msgId,
        ref: { topicType: NORMAL, topicId: 0 },
        encode: () => pubrel(item.msgId),
        tries: 0,
      });
      return;
    }
    // Not before: where the client will be when it listens again, nobody knows.
    if (publishSize(item.payload.length) > this.#parts.largest()) {
      this.#drop('too large');
      return;
    }
    const ref = this.#refOf(item.topic);
    if (!ref) {
      this.#introduce(item);
      return;
    }
    const { qos, retain, payload: data } = item;
    if (qos === 0) {
      this.#parts.send(publish({ dup: false, qos, retain, ...ref, msgId: 0, data }));
      this.#shift();
      return;
    }
    item.msgId ||= this.#takeId();
    const { msgId } = item;
    const sentBefore = item.stage === 'sent';
    item.stage = 'sent';
    this.#ask({
      kind: 'PUBLISH',
      msgId,
      ref,
      encode: (again) => publish({ dup: again || sentBefore, qos, retain, ...ref, msgId, data }),
      tries: 0,
    });
  }

  /** Tells the client the id of a topic. */
  #introduce({ topic }: Item): void {
    // Before it has an id, for which others would be given up.
    if (registerSize(Buffer.byteLength(topic)) > this.#parts.largest()) {
      this.#drop('too large');
      return;
    }
    const topicId = this.#parts.registrations.introduce(topic);
    if (topicId === undefined) {
      this.#drop('topic name too long');
      return;
    }
    const msgId = this.#takeId();
    const datagram = register(topicId, msgId, topic);
    this.#ask({ kind: 'REGISTER', msgId, ref: { topicType: NORMAL, topicId }, encode: () => datagram, tries: 0 });
  }

  /** How to name a topic so that the client understands; undefined when it has to be registered. */
  #refOf(topic: string): TopicRef | undefined {
    const { registrations, predefined } = this.#parts;
    const id = registrations.idOf(topic);
    if (id !== undefined && registrations.knows(id)) return { topicType: NORMAL, topicId: id };
    const predefinedId = predefined.idOf(topic);
    if (predefinedId !== undefined && this.#predefinedKnown.has(predefinedId)) return { topicType: PREDEFINED, topicId: predefinedId };
    const short = shortId(topic);
    return short === undefined ? undefined : { topicType: SHORT, topicId: short };
  }

  /** The client does not know an id: what comes next on its topic is registered first. */
  #unknown(topicId: number): void {
    this.#parts.registrations.forgot(topicId);
    this.#predefinedKnown.delete(topicId);
  }

  #mayRefuse(item: Item): boolean {
    return item.refusals++ < this.#parts.limits.retries;
  }

  #ask(request: Request): void {
    this.#request = request;
    this.#parts.registrations.inFlight = request.ref.topicType === NORMAL ? request.ref.topicId : 0;
    this.#parts.send(request.encode(false));
    this.#wakeIn(this.#parts.limits.retryTime, request);
  }

  #wakeIn(ms: number, request: Request): void {
    this.#cancel?.();
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#cancel = undefined;
      if (request.tries >= this.#parts.limits.retries) this.#parts.unanswered();
      else this.#sendAgain(request, request.tries + 1);
    });
  }

  #sendAgain(request: Request, tries: number): void {
    request.tries = tries;
    this.#parts.send(request.encode(true));
    this.#wakeIn(this.#parts.limits.retryTime, request);
  }

  /** The client is congested: it is alive, so its retries begin anew after TWAIT. */
  #wait(request: Request): void {
    request.tries = -1;
    this.#wakeIn(this.#parts.limits.congestionWait, request);
  }

  /** The message that was sent and waits for its first answer, which may come late: while it waits to be sent again, or its topic is told again. */
  #inFlight(msgId: number): Item | undefined {
    const item = this.#queue[0];
    return item?.stage === 'sent' && item.msgId === msgId ? item : undefined;
  }

  #answered(kind: Request['kind'], msgId: number): Request | undefined {
    const request = this.#request;
    return request?.kind === kind && request.msgId === msgId ? request : undefined;
  }

  /** Nothing is outstanding. */
  #settle(): void {
    this.#cancel?.();
    this.#cancel = this.#request = undefined;
    this.#parts.registrations.inFlight = 0;
  }

  #drop(why: Dropped): void {
    this.#parts.dropped(why);
    this.#shift();
  }

  #shift(): void {
    const item = this.#queue.shift();
    if (!item) return;
    this.#bytes -= sizeOf(item);
    if (item.isKept) this.#parts.kept?.forget(item.number);
  }

  #takeId(): number {
    const id = this.#nextId;
    this.#nextId = (id % 0xffff) + 1; // never 0
    return id;
  }
}

function sizeOf({ topic, payload }: Publication): number {
  return Buffer.byteLength(topic) + payload.length;
}

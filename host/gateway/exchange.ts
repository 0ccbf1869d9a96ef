import type { Clock } from '../clock.js';
import type { Counters } from './counters.js';
import { Delivery, type DeliveryParts } from './delivery.js';
import type { Kept } from './kept.js';
import type { Limits } from './limits.js';
import type { Message } from './messages.js';
import type { Predefined } from './predefined.js';
import { Registrations } from './registrations.js';
import { Requests } from './requests.js';
import type { Uplink } from './uplink.js';

export interface ExchangeParts extends Pick<DeliveryParts, 'send' | 'largest' | 'dropped' | 'flushed' | 'unanswered'> {
  clock: Clock;
  limits: Limits;
  counters: Counters;
  predefined: Predefined;
  uplink: Uplink;
  /** What outlives the gateway, where it has a journal. */
  kept: Kept | undefined;
  /** 32 random bits. */
  random(): number;
  debug(text: () => string): void;
}

/** What a client and its gateway have between them, and a clean session forgets: topic ids, what is under way in both directions. */
export class Exchange {
  readonly delivery: Delivery;
  readonly #registrations: Registrations;
  readonly requests: Requests;

  constructor(parts: ExchangeParts) {
    const { limits, random } = parts;
    const registrations = new Registrations(limits.registrations, limits.registrationBytes, random());
    this.#registrations = registrations;
    this.delivery = new Delivery({ ...parts, registrations, firstId: ((random() >>> 0) % 0xffff) + 1 });
    this.requests = new Requests({ ...parts, registrations, delivery: this.delivery });
  }

  /** Acts on a message that belongs here; answers whether it does. */
  handle(message: Message): boolean {
    switch (message.type) {
      case 'REGISTER':
        this.requests.register(message.msgId, message.topicName);
        return true;
      case 'REGACK':
        this.delivery.regack(message.msgId, message.code);
        return true;
      case 'PUBLISH':
        this.requests.publish(message);
        return true;
      case 'PUBACK':
        this.delivery.puback(message.topicId, message.msgId, message.code);
        return true;
      case 'PUBREC':
        this.delivery.pubrec(message.msgId);
        return true;
      case 'PUBREL':
        this.requests.pubrel(message.msgId);
        return true;
      case 'PUBCOMP':
        this.delivery.pubcomp(message.msgId);
        return true;
      case 'SUBSCRIBE':
        this.requests.subscribe(message);
        return true;
      case 'UNSUBSCRIBE':
        this.requests.unsubscribe(message);
        return true;
      default:
        return false;
    }
  }

  /** Takes back what the journal holds. */
  restore(kept: Kept, now: number): void {
    this.delivery.restore(kept.queue());
    kept.restoreTaken(this.requests.taken, now);
  }

  /** The client has connected again and may have been started anew. */
  resume(): void {
    this.#registrations.forgotAll();
    this.delivery.open();
  }

  /** The client begins anew: nothing more comes from here. */
  abandon(): void {
    this.delivery.close();
    this.requests.abandon();
  }
}

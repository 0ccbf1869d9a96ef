import type { Clock } from '../clock.js';
import { willmsgreq, willtopicreq } from './encode.js';
import type { Limits } from './limits.js';
import type { ConnectMessage, Message } from './messages.js';
import type { Publication } from './publication.js';
import { topicFault } from './topics.js';

export interface GreetingParts {
  clock: Clock;
  limits: Limits;
  send(datagram: Uint8Array): void;
  /** The client gave its will, or deleted it. */
  willGiven(will: Publication | undefined): void;
  /** Its will cannot be. */
  willRefused(fault: string): void;
  /** The will never came. */
  silent(): void;
  /** The broker did not answer in time. */
  late(): void;
}

/** What stands between a CONNECT and its CONNACK: the will is asked for (SN 6.2), then the broker is waited for. */
export class Greeting {
  readonly message: ConnectMessage;
  readonly #parts: GreetingParts;
  #waitsFor: 'nothing' | 'will topic' | 'will message' | 'broker' = 'nothing';
  #will: Publication | undefined;
  #callOff: (() => void) | undefined;

  constructor(message: ConnectMessage, parts: GreetingParts) {
    this.message = message;
    this.#parts = parts;
  }

  get waitsForBroker(): boolean {
    return this.#waitsFor === 'broker';
  }

  /** Asks for the will; once more, when the CONNECT comes again. */
  askForWill(): void {
    if (this.#waitsFor === 'nothing') this.#waitsFor = 'will topic';
    if (!this.waitsForBroker) this.#ask();
  }

  awaitBroker(): void {
    this.#waitsFor = 'broker';
    this.#wakeIn(this.#parts.limits.connectDeadline, () => this.#parts.late());
  }

  /** What the client says meanwhile; all but its will is a copy of something older. */
  handle(message: Message): void {
    if (this.#waitsFor === 'broker') return;
    if (message.type === 'WILLTOPIC') {
      const { topic, qos, retain } = message;
      const fault = topic === '' ? undefined : topicFault(topic);
      if (topic === '')
        this.#parts.willGiven(undefined); // the client deletes its will (SN 5.4.7)
      else if (fault) this.#parts.willRefused(`the topic of its will, '${topic}': ${fault}`);
      else {
        this.#will = { topic, payload: new Uint8Array(), qos, retain };
        this.#waitsFor = 'will message';
        this.#ask();
      }
    } else if (message.type === 'WILLMSG' && this.#will) {
      this.#parts.willGiven({ ...this.#will, payload: Uint8Array.from(message.message) });
    }
  }

  end(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  /**
   * One datagram for the one that came: nobody knows yet whether the sender is at this address. It is the client that asks again when something
   * is lost (SN 6.13); it has as long as its retries take.
   */
  #ask(): void {
    const { limits, send, silent } = this.#parts;
    send(this.#waitsFor === 'will topic' ? willtopicreq() : willmsgreq());
    this.#wakeIn(limits.retryTime * (limits.retries + 1), silent);
  }

  #wakeIn(ms: number, action: () => void): void {
    this.#callOff?.();
    this.#callOff = this.#parts.clock.after(ms, action);
  }
}

import type { EventEmitter } from 'node:events';
import {
  EVENT_ASLEEP,
  EVENT_AWAKE,
  EVENT_CONGESTED,
  EVENT_DATAGRAM_DROPPED,
  EVENT_GATEWAY_FOUND,
  EVENT_GATEWAY_LOST,
  EVENT_SEARCHING,
} from './contract.js';
import { errorCode, errorText, TwobyteError } from './errors.js';
import type { ClientEvents } from './events.js';
import type { SnClientModule } from './module.js';
import type { Will } from './options.js';
import { publishMisuse, type Queued } from './requests.js';
import { Sleep } from './sleep.js';

/** What the client's part of MQTT-SN asks of the client. */
export interface SnOwner {
  events: EventEmitter<ClientEvents>;
  /** How long a search goes on before it is an error, in ms. */
  patience: number;
  step(): void;
  enqueue(request: Queued): void;
  lost(error: TwobyteError): void;
}

const LONGEST_SLEEP = 65_535;

/** What a client can do over MQTT-SN only, and what it is told there only. */
export class SnPart {
  readonly #module: SnClientModule;
  readonly #owner: SnOwner;
  readonly #sleep = new Sleep();
  #searchTimer: NodeJS.Timeout | undefined;

  constructor(module: SnClientModule, owner: SnOwner) {
    this.#module = module;
    this.#owner = owner;
  }

  get asleep(): boolean {
    return this.#sleep.asleep;
  }

  async sleep(seconds: number): Promise<void> {
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST_SLEEP)
      throw new TwobyteError(
        `sleepAsync: the time must be a whole number of seconds from 1 to ${LONGEST_SLEEP}, not ${seconds}`,
        'ERROR_TYPE',
      );
    const answer = this.#module.sleep(seconds);
    if (answer < 0) throw new TwobyteError(`sleepAsync: ${errorText(-answer)}`, errorCode(-answer));
    this.#owner.step();
    return this.#sleep.began(seconds);
  }

  /** Ends the sleep; resolves when a client that is not `connected` is. */
  async wake(connected: boolean): Promise<void> {
    this.#module.wake();
    this.#sleep.calledOff(new TwobyteError('the sleep was called off by wakeAsync()', 'ERROR_STATE'));
    this.#owner.step();
    if (!connected) return this.#sleep.ended();
  }

  async collect(): Promise<void> {
    if (!this.asleep) throw new TwobyteError('collectAsync: the client does not sleep; messages come by themselves', 'ERROR_STATE');
    this.#module.collect();
    this.#owner.step();
    return this.#sleep.collected();
  }

  async updateWill(will: Will | undefined): Promise<void> {
    const { topic = '', payload = '', qos = 0, retain = false } = will ?? {};
    if (will && topic === '')
      throw new TwobyteError('updateWillAsync: the topic is missing; without a will at all it is deleted', 'ERROR_TYPE');
    const misuse = publishMisuse(topic, payload, qos);
    if (misuse) throw new TwobyteError(`updateWillAsync: ${misuse}`, 'ERROR_TYPE');
    const kept = typeof payload === 'string' ? payload : Buffer.from(payload);
    const update = (send: () => number) =>
      new Promise<void>((resolve, reject) => {
        this.#owner.enqueue({ send, pending: { kind: 'will', done: (error) => (error ? reject(error) : resolve()) } });
      });
    const updates = [update(() => this.#module.updateWillTopic(topic, qos, retain))];
    if (will) updates.push(update(() => this.#module.updateWillPayload(kept)));
    await Promise.all(updates);
  }

  /** Takes the events of MQTT-SN that are no one else's; answers whether this was one. */
  happened(code: number, a: number, b: number): boolean {
    const { events } = this.#owner;
    switch (code) {
      case EVENT_ASLEEP:
        this.#sleep.slept(a);
        events.emit('asleep', a);
        return true;
      case EVENT_AWAKE:
        this.#sleep.fetching();
        events.emit('awake');
        return true;
      case EVENT_SEARCHING:
        this.#searching();
        return true;
      case EVENT_GATEWAY_FOUND:
      case EVENT_GATEWAY_LOST:
        events.emit('gateway', { id: a, found: code === EVENT_GATEWAY_FOUND });
        return true;
      case EVENT_CONGESTED:
        events.emit('congested', { wait: b });
        return true;
      case EVENT_DATAGRAM_DROPPED:
        events.emit('dropped', { reason: errorText(a), code: errorCode(a), total: b });
        return true;
    }
    return false;
  }

  /** A gateway is connected to: none is searched. */
  opening(): void {
    clearTimeout(this.#searchTimer);
    this.#searchTimer = undefined;
  }

  connected(): void {
    this.#sleep.woke();
  }

  lost(error: TwobyteError): void {
    this.#sleep.lost(error);
  }

  /** end() was called. With `forWork` a sleeper wakes. */
  ending(forWork: boolean): void {
    this.#sleep.calledOff(new TwobyteError('the client has ended', 'ERROR_STATE'));
    if (!forWork) return;
    this.#module.wake();
    this.#owner.step();
  }

  ended(error: TwobyteError): void {
    this.opening();
    this.#sleep.lost(error);
    this.#sleep.calledOff(error);
  }

  /** The search goes on without an end; whoever waits for a connection hears now and then that there is none. */
  #searching(): void {
    const { patience } = this.#owner;
    this.#searchTimer ??= setTimeout(() => {
      this.#searchTimer = undefined;
      this.#owner.lost(new TwobyteError(`no gateway answered a search within ${patience / 1000} s`, 'TIMEOUT_SEARCH'));
    }, patience);
  }
}

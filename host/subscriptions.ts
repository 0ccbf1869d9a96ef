import type { ClientModule } from './module.js';
import type { QoS } from './options.js';
import { type Granted, merged, type Pending, parts, type Queued } from './requests.js';

type Filter = { filter: string; qos: QoS };

/** What the broker has granted, and the requests that change it: each of as many filters as the module takes at once. */
export class Subscriptions {
  readonly #module: ClientModule;
  readonly #granted = new Map<string, QoS>();

  constructor(module: ClientModule) {
    this.#module = module;
  }

  /** What to subscribe to again when the broker has forgotten it. */
  get list(): Filter[] {
    return [...this.#granted].map(([filter, qos]) => ({ filter, qos }));
  }

  /** The requests that subscribe to a list; `done` has the answers to all of them. */
  subscribe(list: readonly Filter[], done: (error: Error | undefined, granted: Granted[]) => void): Queued[] {
    const each = parts(list, this.#module.filtersAtOnce);
    const fault = this.#fault(each);
    const answers = merged(each.length, done);
    return each.map((filters, index) => ({
      send: () => fault ?? this.#module.subscribe(filters),
      pending: { kind: 'subscribe', filters, granted: [], done: (error, granted) => answers[index]?.(error, granted) },
    }));
  }

  unsubscribe(list: readonly string[], done: (error?: Error) => void): Queued[] {
    const each = parts(list, this.#module.filtersAtOnce);
    const fault = this.#fault(each.map((filters) => filters.map((filter) => ({ filter, qos: 0 }))));
    const answers = merged(each.length, done);
    return each.map((filters, index) => ({
      send: () => fault ?? this.#module.unsubscribe(filters),
      pending: { kind: 'unsubscribe', filters, done: (error) => answers[index]?.(error) },
    }));
  }

  /** One filter of a SUBSCRIBE is answered: `detail` is its index × 256 + the return code. Whether it was the last. */
  answered(pending: Pending & { kind: 'subscribe' }, detail: number): boolean {
    const index = detail >> 8;
    const asked = pending.filters[index];
    if (!asked) return false;
    const qos = (detail & 255) as Granted['qos'];
    pending.granted.push({ topic: asked.filter, qos });
    if (qos === 128) this.#granted.delete(asked.filter);
    else this.#granted.set(asked.filter, asked.qos);
    return index + 1 === pending.filters.length;
  }

  forget(filters: readonly string[]): void {
    for (const filter of filters) this.#granted.delete(filter);
  }

  /** A list that takes several requests is refused as a whole when one filter is malformed, as one that takes a single request is. */
  #fault(each: readonly (readonly { filter: string; qos: number }[])[]): number | undefined {
    return each.length > 1 ? each.map((filters) => this.#module.filterFault(filters)).find((answer) => answer < 0) : undefined;
  }
}

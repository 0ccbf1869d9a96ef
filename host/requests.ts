import { TwobyteError } from './errors.js';
import { isOutboxFull } from './module.js';
import type { QoS } from './options.js';

/** The answer to one filter: the QoS granted, or 128 when the broker refused it. */
export interface Granted {
  topic: string;
  qos: QoS | 128;
}

export interface PublishOptions {
  /** −1, over MQTT-SN: sent once, without a connection or over the one there is, to a pre-defined topic or one of two bytes. Default 0. */
  qos?: QoS | -1;
  retain?: boolean;
}

/** One filter, several, or several with a QoS each. */
export type Filters = string | readonly string[] | Readonly<Record<string, { qos: QoS }>>;

/** A request that waits for its answer. */
export type Pending =
  | { kind: 'publish'; done(error?: Error): void }
  | {
      kind: 'subscribe';
      filters: readonly { filter: string; qos: QoS }[];
      granted: Granted[];
      done(error: Error | undefined, granted: Granted[]): void;
    }
  | { kind: 'unsubscribe'; filters: readonly string[]; done(error?: Error): void }
  | { kind: 'will'; done(error?: Error): void };

/** A request that the module has no room for yet. */
export interface Queued {
  send(): number;
  pending: Pending | undefined;
}

/** The filters with a QoS each. */
export function filterList(filters: Filters, qos: QoS): { filter: string; qos: QoS }[] {
  if (typeof filters === 'string') return [{ filter: filters, qos }];
  if (Array.isArray(filters)) return filters.map((filter: string) => ({ filter, qos }));
  return Object.entries(filters as Readonly<Record<string, { qos: QoS }>>).map(([filter, { qos }]) => ({ filter, qos }));
}

/** A request in the words of an error. */
export function describe(pending: Pending | undefined): string {
  if (pending?.kind === 'subscribe') return `subscribe to '${pending.filters.map(({ filter }) => filter).join("', '")}'`;
  if (pending?.kind === 'unsubscribe') return `unsubscribe from '${pending.filters.join("', '")}'`;
  return pending?.kind === 'will' ? 'update of the will' : 'publish';
}

/** The list in parts of at most `most`; one part, if an empty one, in any case. */
export function parts<T>(list: readonly T[], most: number): (readonly T[])[] {
  if (list.length <= most) return [list];
  return Array.from({ length: Math.ceil(list.length / most) }, (_, index) => list.slice(index * most, (index + 1) * most));
}

/** One answer of several: each part calls its own, and the last calls `done` with what the first failure was and what was granted, in order. */
export function merged(
  count: number,
  done: (error: Error | undefined, granted: Granted[]) => void,
): ((error?: Error, granted?: Granted[]) => void)[] {
  const answers: Granted[][] = [];
  let left = count;
  let failure: Error | undefined;
  return Array.from({ length: count }, (_, index) => (error?: Error, granted: Granted[] = []) => {
    failure ??= error;
    answers[index] = granted;
    if (--left === 0) done(failure, answers.flat());
  });
}

/** Tells whoever waits for the answer. */
export function fail(pending: Pending | undefined, error: Error): void {
  if (pending?.kind === 'subscribe') pending.done(error, []);
  else pending?.done(error);
}

/** What of a publish is not of the type it must be, for callers without types; undefined when all is. */
export function publishMisuse(topic: unknown, payload: unknown, qos: unknown): string | undefined {
  if (typeof topic !== 'string') return `publish: the topic must be a string, not ${kindOf(topic)}`;
  const to = `publish to '${topic}'`;
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array))
    return `${to}: the payload must be a string, a Buffer or a Uint8Array, not ${kindOf(payload)}; String(value) makes a string of a number`;
  if (!Number.isInteger(qos)) return `${to}: the QoS must be 0, 1 or 2, not ${String(qos)}`;
  return undefined;
}

export function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? `an ${value.constructor?.name ?? 'object'}` : typeof value;
}

/** Requests on their way: what waits for the module's room, and by packet identifier what waits for its answer. */
export class Requests {
  readonly #limit: number;
  readonly #pending: (Pending | undefined)[] = [];
  #queue: Queued[] = [];
  #queueHead = 0;

  /** `limit`: requests that may wait for room. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether none waits for room. */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** How many wait for room. */
  get waiting(): number {
    return this.#queue.length - this.#queueHead;
  }

  /** The module has it: `id` will be answered. */
  await(id: number, pending: Pending | undefined): void {
    this.#pending[id] = pending;
  }

  /** What waits for the answer to `id`. */
  awaiting(id: number): Pending | undefined {
    return this.#pending[id];
  }

  /** The answer to `id` is there: what waits for it is taken out. */
  answered(id: number): Pending | undefined {
    const pending = this.#pending[id];
    this.#pending[id] = undefined;
    return pending;
  }

  /** Lets a request wait for room; answers why it cannot. */
  add(request: Queued): TwobyteError | undefined {
    if (this.#queue.length - this.#queueHead >= this.#limit)
      return new TwobyteError(`more than queueLimit = ${this.#limit} requests are waiting`, 'ERROR_OUTBOX_FULL');
    this.#queue.push(request);
    return undefined;
  }

  /** Hands waiting requests to the module, in order, as long as it has room; answers whether it took one. `errorOf` makes words of a negated ERROR_…. */
  drain(errorOf: (answer: number, pending: Pending | undefined) => TwobyteError): boolean {
    const from = this.#queueHead;
    while (this.#queueHead < this.#queue.length) {
      const { send, pending } = this.#queue[this.#queueHead] as Queued;
      const answer = send();
      if (isOutboxFull(answer)) break;
      this.#queueHead++;
      if (answer > 0) this.#pending[answer] = pending;
      else if (answer < 0) queueMicrotask(() => fail(pending, errorOf(answer, pending)));
      else if (pending?.kind === 'publish') queueMicrotask(pending.done);
    }
    const moved = this.#queueHead > from;
    if (this.#queueHead === this.#queue.length || this.#queueHead > 1024) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
    return moved;
  }

  /** None will be answered any more. */
  failAll(error: Error): void {
    for (const pending of this.#pending.splice(0)) fail(pending, error);
    for (const { pending } of this.#queue.splice(0).slice(this.#queueHead)) fail(pending, error);
    this.#queueHead = 0;
  }
}

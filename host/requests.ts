import type { QoS } from './options.js';

/** The answer to one filter: the QoS granted, or 128 when the broker refused it. */
export interface Granted {
  topic: string;
  qos: QoS | 128;
}

export interface PublishOptions {
  qos?: QoS;
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
  | { kind: 'unsubscribe'; filters: readonly string[]; done(error?: Error): void };

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
  return 'publish';
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

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? `an ${value.constructor?.name ?? 'object'}` : typeof value;
}

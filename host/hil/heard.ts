import { EventEmitter, once } from 'node:events';
import { inspect } from 'node:util';

/** How long anything that a scenario waits for may take, in ms. */
export const DEADLINE_MS = 10_000;

/** What is waited for, named: the one that waits in vain says for what. Its deadline is in ms. */
export async function within<T>(promise: Promise<T>, what: string, ms = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What somebody said, in order, for those who wait for more of it. */
export class Heard<T> {
  readonly all: T[] = [];
  readonly #more = new EventEmitter().setMaxListeners(0);
  #failure: Error | undefined;

  add(value: T): void {
    this.all.push(value);
    this.#more.emit('more');
  }

  /** Nothing more will come: who waits need not wait until the deadline. */
  fail(error: Error): void {
    this.#failure = error;
    this.#more.emit('more');
  }

  /** Resolves when `enough` holds. */
  async until(enough: (all: readonly T[]) => boolean, what: string, ms = DEADLINE_MS): Promise<readonly T[]> {
    const signal = AbortSignal.timeout(ms);
    while (!enough(this.all)) {
      if (this.#failure) throw this.#failure;
      await once(this.#more, 'more', { signal }).catch(() => {
        throw new Error(`${what} did not come within ${ms} ms; what came: ${inspect(this.all.slice(-20), { breakLength: 200 })}`);
      });
    }
    return this.all;
  }

  count(count: number, ms?: number): Promise<readonly T[]> {
    return this.until((all) => all.length >= count, `number ${count}`, ms);
  }
}

import type { Clock } from '../clock.js';

interface Timer {
  readonly due: number;
  /** Counts timers: of two that are due at once, the older fires first. */
  readonly rank: number;
  readonly action: () => void;
  over: boolean;
}

const MOST_CALLED_OFF = 64;

/** Time that stands still until a test advances it. */
export class VirtualClock implements Clock {
  #now: number;
  #asked = 0;
  /** A heap: the timer at n fires before those at 2n + 1 and 2n + 2. It may hold timers that were called off. */
  #timers: Timer[] = [];
  #calledOff = 0;
  #made = 0;

  /** `origin` in ms: near 2 ** 31 or 2 ** 32 the module sees its clock wrap. */
  constructor(origin = 0) {
    this.#now = origin;
  }

  now(): number {
    // A board asks at each step: one that steps for ever while time stands still must fail its test, not hang it.
    if (++this.#asked > 1_000_000) throw new Error('the board is kept spinning');
    return this.#now;
  }

  after(ms: number, action: () => void): () => void {
    const timer: Timer = { due: this.#now + Math.max(ms, 0), rank: this.#made++, action, over: false };
    this.#push(timer);
    return () => this.#callOff(timer);
  }

  /** Lets `ms` pass; timers fire in the order in which they are due, each at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.#asked = 0;
    for (let next = this.#first; next && next.due <= end; next = this.#first) {
      this.#pop();
      next.over = true;
      if (next.due > this.#now) {
        this.#now = next.due; // otherwise it is late after skip()
        this.#asked = 0;
      }
      next.action();
    }
    this.#now = end;
  }

  /** Lets `ms` pass while the board is kept from running: timers that were due fire late, when the clock next advances. */
  skip(ms: number): void {
    this.#now += ms;
  }

  /** Ms until the next timer, undefined when there is none. */
  get next(): number | undefined {
    const first = this.#first;
    return first && first.due - this.#now;
  }

  get #first(): Timer | undefined {
    while (this.#timers[0]?.over) {
      this.#pop();
      this.#calledOff--;
    }
    return this.#timers[0];
  }

  #callOff(timer: Timer): void {
    if (timer.over) return;
    timer.over = true;
    this.#calledOff++;
    if (this.#calledOff <= MOST_CALLED_OFF || this.#calledOff * 2 < this.#timers.length) return;
    this.#timers = this.#timers.filter(({ over }) => !over).sort((a, b) => (isBefore(a, b) ? -1 : 1)); // sorted is a heap, too
    this.#calledOff = 0;
  }

  #push(timer: Timer): void {
    const timers = this.#timers;
    let at = timers.length;
    timers.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = timers[above] as Timer;
      if (!isBefore(timer, parent)) break;
      timers[at] = parent;
      at = above;
    }
    timers[at] = timer;
  }

  #pop(): void {
    const timers = this.#timers;
    const last = timers.pop();
    if (!last || timers.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= timers.length) break;
      if (below + 1 < timers.length && isBefore(timers[below + 1] as Timer, timers[below] as Timer)) below++;
      const child = timers[below] as Timer;
      if (!isBefore(child, last)) break;
      timers[at] = child;
      at = below;
    }
    timers[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.rank < b.rank);
}

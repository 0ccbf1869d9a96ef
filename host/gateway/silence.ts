import type { Clock } from '../clock.js';

/** Watches that somebody is heard in time. */
export class Silence {
  readonly #clock: Clock;
  #lastHeard = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  heard(): void {
    this.#lastHeard = this.#clock.now();
  }

  /** Calls `over` once nothing was heard for `patience` ms; 0 waits for ever. What was watched for before is not. */
  watch(patience: number, over: () => void): void {
    this.end();
    if (patience === 0) return;
    const left = () => this.#lastHeard + patience - this.#clock.now();
    // A word does not move the timer: it looks how long ago the last one was, and waits for the rest.
    const look = () => {
      this.#cancel = undefined;
      if (left() > 0) this.#cancel = this.#clock.after(left(), look);
      else over();
    };
    this.#cancel = this.#clock.after(Math.max(left(), 0), look);
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

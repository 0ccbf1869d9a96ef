/** So many connections in a row that the broker ended soon are no accident. */
const TIMES = 3;

/**
 * Notices that the broker ends one connection after another soon after it began. That is what becomes of two clients with one identifier: each
 * ends the connection of the other.
 */
export class Takeover {
  readonly #soon: number;
  readonly #now: () => number;
  #began: number | undefined;
  #times = 0;

  /** What lasts less than `soon` ms ended soon. */
  constructor(soon: number, now = () => performance.now()) {
    this.#soon = soon;
    this.#now = now;
  }

  connected(): void {
    this.#began = this.#now();
  }

  /** A connection or an attempt came to its end, by the broker or otherwise. Answers how often in a row it did so soon, 0 while that means nothing. */
  lost(byBroker: boolean): number {
    if (this.#began === undefined) return 0;
    this.#times = byBroker && this.#now() - this.#began < this.#soon ? this.#times + 1 : 0;
    this.#began = undefined;
    return this.#times >= TIMES ? this.#times : 0;
  }
}

/** What flush() tells. */
export interface Flushed {
  /** Requests that were made and are not acknowledged. */
  unacknowledged: number;
}

/** Who waits for everything to be acknowledged, each until a deadline of its own. */
export class Flushes {
  readonly #unacknowledged: () => number;
  readonly #waiting = new Map<(flushed: Flushed) => void, NodeJS.Timeout>();

  constructor(unacknowledged: () => number) {
    this.#unacknowledged = unacknowledged;
  }

  /** `done` is called when nothing is unacknowledged, or after `ms`. */
  add(ms: number, done: (flushed: Flushed) => void): void {
    const each = (flushed: Flushed) => done(flushed); // of its own, should `done` be given twice
    this.#waiting.set(
      each,
      setTimeout(() => this.#tell(each), ms),
    );
  }

  /** Something was acknowledged, perhaps the last. */
  look(): void {
    if (this.#waiting.size > 0 && this.#unacknowledged() === 0) this.end();
  }

  /** Nothing more will be acknowledged. */
  end(): void {
    for (const each of [...this.#waiting.keys()]) this.#tell(each);
  }

  #tell(each: (flushed: Flushed) => void): void {
    clearTimeout(this.#waiting.get(each));
    this.#waiting.delete(each);
    each({ unacknowledged: this.#unacknowledged() });
  }
}

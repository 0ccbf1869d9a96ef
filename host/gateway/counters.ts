/** What happened how often, by name. */
export class Counters {
  readonly #counts = new Map<string, number>();

  count(what: string, by = 1): void {
    this.#counts.set(what, this.of(what) + by);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** All of them, for people and for tests. */
  all(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

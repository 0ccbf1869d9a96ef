import type { Journal, JournalRecord } from '../journal/journal.js';

/**
 * A journal that forgets parts also while it takes no writes: nobody reads them any more, and they are gone before one of them is written to. Others are
 * removed as soon as it takes something: with the gateway it would forget that they are to be forgotten.
 */
export class ForgettingJournal implements Journal {
  readonly #journal: Journal;
  /** Parts that are still there, each with those that go in one write with it. */
  readonly #doomed = new Map<string, readonly string[]>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Removes parts, now or later. False when it is later. */
  forget(parts: readonly string[]): boolean {
    for (const part of parts) this.#doomed.set(part, parts);
    return this.#remove(parts) === 0;
  }

  write(records: readonly JournalRecord[], durable?: boolean): number {
    for (const { part } of records) {
      const doomed = this.#doomed.get(part);
      const failure = doomed ? this.#remove(doomed) : 0;
      if (failure) return failure;
    }
    const answer = this.#journal.write(records, durable);
    const [another] = this.#doomed.values();
    if (another && answer === 0) this.#remove(another);
    return answer;
  }

  read(part: string, key: number): Uint8Array | undefined {
    return this.#doomed.has(part) ? undefined : this.#journal.read(part, key);
  }

  keys(part: string): number[] {
    return this.#doomed.has(part) ? [] : this.#journal.keys(part);
  }

  parts(): string[] {
    return this.#journal.parts().filter((part) => !this.#doomed.has(part));
  }

  #remove(parts: readonly string[]): number {
    const gone = parts.flatMap((part) => this.#journal.keys(part).map((key) => ({ part, key, bytes: new Uint8Array() })));
    const answer = gone.length > 0 ? this.#journal.write(gone) : 0;
    if (answer === 0) for (const part of parts) this.#doomed.delete(part);
    return answer;
  }
}

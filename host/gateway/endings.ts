/**
 * Connections to the broker that are coming to their end, by client id. The next under the same id has to wait: the broker would close the one
 * before it, and publish its will.
 */
export class Endings {
  readonly #under = new Map<string, number>();
  #waiting: { clientId: string; action: () => void }[] = [];

  /** A connection begins to end; call what this answers when it is over. */
  began(clientId: string): () => void {
    this.#under.set(clientId, (this.#under.get(clientId) ?? 0) + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = (this.#under.get(clientId) ?? 1) - 1;
      if (left > 0) return void this.#under.set(clientId, left);
      this.#under.delete(clientId);
      const due = this.#waiting.filter((waiting) => waiting.clientId === clientId);
      this.#waiting = this.#waiting.filter((waiting) => waiting.clientId !== clientId);
      for (const { action } of due) action();
    };
  }

  /** Calls `action` when none is ending, at once if that is now. Answers a function that calls it off. */
  whenOver(clientId: string, action: () => void): () => void {
    if (!this.#under.has(clientId)) {
      action();
      return () => {};
    }
    const waiting = { clientId, action };
    this.#waiting.push(waiting);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
    };
  }

  get size(): number {
    return this.#under.size;
  }
}

const DEADLINE_MS = 10_000;

/** Those who wait for something to come. */
export class Waiting {
  readonly #looks = new Set<() => void>();

  /** Something came: whoever waits looks again. */
  look(): void {
    for (const look of this.#looks) look();
  }

  /** Resolves when there are `wanted`; `what` says of what, should they not come in time. */
  async until(count: () => number, wanted: number, what: string): Promise<void> {
    let look = () => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        look = () => count() >= wanted && resolve();
        const fail = () => reject(new Error(`${wanted} ${what} did not come: ${count()} did`));
        timer = setTimeout(fail, DEADLINE_MS);
        this.#looks.add(look);
        look();
      });
    } finally {
      clearTimeout(timer);
      this.#looks.delete(look);
    }
  }
}

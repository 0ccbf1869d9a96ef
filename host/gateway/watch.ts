import type { Clock } from '../clock.js';
import { STRANGERS, WATCHED_ADDRESSES } from './limits.js';

/** What addresses did within the present second: who sends garbage is ignored for its rest, who is a stranger is answered once. */
export class Watch {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #garbage = new Map<string, number>();
  readonly #answered = new Set<string>();
  #until = Number.NEGATIVE_INFINITY;

  /** `limit`: malformed datagrams a second. */
  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  isIgnored(peer: string): boolean {
    if (this.#garbage.size === 0) return false;
    this.#turn();
    return (this.#garbage.get(peer) ?? 0) >= this.#limit;
  }

  garbage(peer: string): void {
    this.#turn();
    const count = this.#garbage.get(peer);
    if (count !== undefined || this.#garbage.size < WATCHED_ADDRESSES) this.#garbage.set(peer, (count ?? 0) + 1);
  }

  mayAnswer(address: string): boolean {
    this.#turn();
    if (this.#answered.has(address) || this.#answered.size >= STRANGERS) return false;
    this.#answered.add(address);
    return true;
  }

  #turn(): void {
    const now = this.#clock.now();
    if (now < this.#until) return;
    this.#until = now + 1000;
    this.#garbage.clear();
    this.#answered.clear();
  }
}

import type { Clock } from '../clock.js';
import { CONNECTS, STRANGERS, WATCHED_ADDRESSES } from './limits.js';

/**
 * What addresses did within the present second: who sends garbage is ignored for its rest, who connects without end
 * is not heard doing so, who is a stranger is answered once.
 */
export class Watch {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #garbage = new Map<string, number>();
  readonly #connects = new Map<string, number>();
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
    add(this.#garbage, peer);
  }

  /** A CONNECT came; whether it may be taken. */
  mayConnect(peer: string): boolean {
    this.#turn();
    if ((this.#connects.get(peer) ?? 0) >= CONNECTS) return false;
    add(this.#connects, peer);
    return true;
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
    this.#connects.clear();
    this.#answered.clear();
  }
}

/** Counts for `peer`, where it is watched. */
function add(counts: Map<string, number>, peer: string): void {
  const count = counts.get(peer);
  if (count !== undefined || counts.size < WATCHED_ADDRESSES) counts.set(peer, (count ?? 0) + 1);
}

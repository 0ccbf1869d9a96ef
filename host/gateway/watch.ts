import type { Clock } from '../clock.js';
import { CONNECTS, STRANGERS, WATCHED_ADDRESSES } from './limits.js';

/** Addresses beyond those that are watched; no peer has such a name. */
const OTHERS = '';

/**
 * What addresses did within the present second: who sends garbage is ignored for its rest, who connects without end
 * is not heard doing so, who is a stranger is answered once.
 */
export class Watch {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #garbage = new Map<string, number>();
  readonly #connects = new Map<string, number>();
  readonly #unconnected = new Map<string, number>();
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
    return this.#takes(this.#connects, peer, CONNECTS);
  }

  /** A publication without a connection came; whether it may be taken. `most` a second. */
  mayPublish(peer: string, most: number): boolean {
    return this.#takes(this.#unconnected, peer, most);
  }

  mayAnswer(address: string): boolean {
    this.#turn();
    if (this.#answered.has(address) || this.#answered.size >= STRANGERS) return false;
    this.#answered.add(address);
    return true;
  }

  #takes(counts: Map<string, number>, peer: string, most: number): boolean {
    this.#turn();
    const watched = counts.has(peer) || counts.size < WATCHED_ADDRESSES ? peer : OTHERS;
    const count = counts.get(watched) ?? 0;
    if (count < most) counts.set(watched, count + 1);
    return count < most;
  }

  #turn(): void {
    const now = this.#clock.now();
    if (now < this.#until) return;
    this.#until = now + 1000;
    this.#garbage.clear();
    this.#connects.clear();
    this.#unconnected.clear();
    this.#answered.clear();
  }
}

/** Counts for `peer`, where it is watched: the garbage of many must not silence who is not among them. */
function add(counts: Map<string, number>, peer: string): void {
  const count = counts.get(peer);
  if (count !== undefined || counts.size < WATCHED_ADDRESSES) counts.set(peer, (count ?? 0) + 1);
}

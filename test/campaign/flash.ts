import { STORE_FAILED, STORE_FULL } from '../../host/contract.js';
import { MemoryStorage } from '../../host/storage.js';
import type { Power } from './power.js';

/** What a storage does for a while: refuses because it fails or is full, leaves a torn record and says so, or says nothing of it. */
export type Sickness = 'fails' | 'is full' | 'tears' | 'spoils';

export interface FlashListener {
  /** A record was written, `whole` or torn; of no bytes, it was removed. `answered`: the module was told, or will be, that it is there. */
  wrote(kind: number, place: number, length: number, whole: boolean, answered: boolean): void;
  refused(kind: number, place: number, sickness: Sickness): void;
}

/** Records that outlive power cuts, some of them torn. */
export class Flash extends MemoryStorage {
  sickness: Sickness | undefined;
  /** Keys of records that are neither what was last written nor what was before. */
  readonly torn = new Set<number>();
  writes = 0;
  readonly #power: Power;
  readonly #random: () => number;
  readonly #listener: FlashListener;

  constructor(power: Power, random: () => number, listener: FlashListener) {
    super();
    this.#power = power;
    this.#random = random;
    this.#listener = listener;
  }

  override write(key: number, bytes: Uint8Array): number {
    const when = this.#power.effect();
    if (when === 'before') this.#power.cut();
    if (when === 'within') {
      this.#tear(key, bytes);
      this.#power.cut();
    }
    const answer = this.#write(key, bytes);
    if (when) this.#power.cut();
    return answer;
  }

  #write(key: number, bytes: Uint8Array): number {
    const { sickness } = this;
    if (sickness === undefined) {
      this.#put(key, bytes, true);
      return 0;
    }
    this.#listener.refused(key >> 16, key & 0xffff, sickness);
    if (sickness === 'tears' || sickness === 'spoils') this.#tear(key, bytes, sickness === 'spoils');
    if (sickness === 'spoils') return 0;
    return sickness === 'is full' ? -STORE_FULL : -STORE_FAILED;
  }

  #put(key: number, bytes: Uint8Array, whole: boolean, answered = whole): void {
    this.writes++;
    super.write(key, bytes);
    if (whole) this.torn.delete(key);
    else this.torn.add(key);
    this.#listener.wrote(key >> 16, key & 0xffff, bytes.length, whole, answered || whole);
  }

  /** Leaves a mixture: the head of what is written, and behind it what was there before, or anything, or nothing. */
  #tear(key: number, bytes: Uint8Array, answered = false): void {
    const before = this.records.get(key) ?? new Uint8Array();
    const draw = this.#random();
    const at = this.#random() % Math.max(bytes.length, 1);
    const mixed = Buffer.from(bytes);
    switch (draw % 4) {
      case 0:
        for (let i = at; i < mixed.length; i++) mixed[i] = before[i] ?? 0xff;
        break;
      case 1:
        for (let i = at; i < mixed.length; i++) mixed[i] = this.#random() & 255;
        break;
      case 2:
        mixed.fill(0xff, at);
        break;
    }
    const left = draw % 4 === 3 ? mixed.subarray(0, at) : mixed;
    if (left.length > 0 && !left.equals(before)) this.#put(key, left, left.equals(bytes), answered);
    else if (answered) this.#put(key, bytes, true); // one that silently keeps what was before is found out by nobody
  }
}

import { STORE_FULL } from '../../host/contract.js';
import type { Journal, JournalRecord } from '../../host/journal/journal.js';

/** A journal in memory that outlives its users, and may lose power. */
export class MemoryJournal implements Journal {
  /** All writes, and those that were to be sure at once. */
  writes = 0;
  syncs = 0;
  bytes = 0;
  /** It takes nothing. */
  isFull = false;
  #records = new Map<string, Map<number, Uint8Array>>();
  /** What a power cut leaves. */
  #sure = new Map<string, Map<number, Uint8Array>>();
  #pending: JournalRecord[] = [];

  write(records: readonly JournalRecord[], durable = true): number {
    if (this.isFull) return -STORE_FULL;
    this.writes++;
    if (durable) this.syncs++;
    for (const { part, key, bytes } of records) {
      this.bytes += bytes.length;
      const copy = Uint8Array.from(bytes);
      put(this.#records, part, key, copy);
      this.#pending.push({ part, key, bytes: copy });
    }
    if (durable) for (const { part, key, bytes } of this.#pending.splice(0)) put(this.#sure, part, key, bytes);
    return 0;
  }

  read(part: string, key: number): Uint8Array | undefined {
    return this.#records.get(part)?.get(key);
  }

  keys(part: string): number[] {
    return [...(this.#records.get(part)?.keys() ?? [])];
  }

  parts(): string[] {
    return [...this.#records.keys()];
  }

  /** What was not sure is gone. */
  losesPower(): void {
    this.#pending = [];
    this.#records = new Map([...this.#sure].map(([part, records]) => [part, new Map(records)]));
  }
}

function put(parts: Map<string, Map<number, Uint8Array>>, part: string, key: number, bytes: Uint8Array): void {
  const records = parts.get(part) ?? new Map<number, Uint8Array>();
  parts.set(part, records);
  if (bytes.length > 0) records.set(key, bytes);
  else records.delete(key);
  if (records.size === 0) parts.delete(part);
}

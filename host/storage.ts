/** Records that outlive a power cut, by key (docs/boundary.md). */
export interface Storage {
  /** Writes a copy of `bytes` as the record of `key`, of no bytes removes it. 0 when it outlives a power cut, else a negated STORE_…. */
  write(key: number, bytes: Uint8Array): number;
  /** The record, valid until the next write; undefined when there is none. */
  read(key: number): Uint8Array | undefined;
}

/** Records in memory, which outlive the board in software that writes them, but not the process. */
export class MemoryStorage implements Storage {
  readonly records = new Map<number, Uint8Array>();

  write(key: number, bytes: Uint8Array): number {
    if (bytes.length === 0) this.records.delete(key);
    else this.records.set(key, Uint8Array.from(bytes));
    return 0;
  }

  read(key: number): Uint8Array | undefined {
    return this.records.get(key);
  }
}

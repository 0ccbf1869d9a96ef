import type { JournalRecord } from './frames.js';

export type { JournalRecord } from './frames.js';

/** Records that outlive a power cut, in parts by name, in each by a number of 32 bits. */
export interface Journal {
  /**
   * Writes copies of the records, all or none of them; of no bytes, it removes one. 0 when they outlive a power cut, else a negated STORE_…. What is not
   * `durable` is sure with the next write that is, and outlives the process at once. Removals that are not durable count at once even when they fail;
   * they are then written with the next write.
   */
  write(records: readonly JournalRecord[], durable?: boolean): number;
  /** The record, valid until the next write; undefined when there is none. */
  read(part: string, key: number): Uint8Array | undefined;
  keys(part: string): number[];
  /** Names of the parts that have a record. */
  parts(): string[];
}

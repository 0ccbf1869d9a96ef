import type { Storage } from '../storage.js';
import { FileJournal, type FileJournalOptions } from './file-journal.js';

/** Records in a file of one client's own. Throws a TwobyteError when the file cannot be had: another process has it, it is no journal. */
export class FileStorage implements Storage {
  readonly #journal: FileJournal;

  constructor(path: string, options: FileJournalOptions = {}) {
    this.#journal = new FileJournal(path, options);
  }

  write(key: number, bytes: Uint8Array): number {
    return this.#journal.write([{ part: '', key, bytes }]);
  }

  read(key: number): Uint8Array | undefined {
    return this.#journal.read('', key);
  }

  /** Gives the file back; what is written from now on fails. */
  close(): void {
    this.#journal.close();
  }
}

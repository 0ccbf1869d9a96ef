import { STORE_FAILED } from '../contract.js';
import type { Storage } from '../storage.js';
import type { FileJournalOptions } from './file-journal.js';
import { FileStorage } from './file-storage.js';

/** The journal of a client: a storage that its application made, or a file that is the client's own between open() and close(). */
export class ClientJournal implements Storage {
  readonly #where: string | Storage;
  readonly #options: FileJournalOptions;
  #file: FileStorage | undefined;

  constructor(where: string | Storage, options: FileJournalOptions) {
    this.#where = where;
    this.#options = options;
  }

  /** Throws a TwobyteError when the file cannot be had. */
  open(): void {
    if (typeof this.#where === 'string') this.#file ??= new FileStorage(this.#where, this.#options);
  }

  /** The file is another's now, until it is opened again. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  write(key: number, bytes: Uint8Array): number {
    return this.#storage?.write(key, bytes) ?? -STORE_FAILED;
  }

  read(key: number): Uint8Array | undefined {
    return this.#storage?.read(key);
  }

  get #storage(): Storage | undefined {
    return typeof this.#where === 'string' ? this.#file : this.#where;
  }
}

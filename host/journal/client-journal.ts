import { STORE_FAILED } from '../contract.js';
import { TwobyteError } from '../errors.js';
import { kindOf } from '../requests.js';
import type { Storage } from '../storage.js';
import type { FileJournalOptions } from './file-journal.js';
import { FileStorage } from './file-storage.js';

export interface ClientJournalOptions extends FileJournalOptions {
  /** Told when a storage of the application does not keep to what it has to do. */
  failed(error: TwobyteError): void;
}

/**
 * The journal of a client: a storage that its application made, or a file that is the client's own between open() and close(). Nothing that it throws goes
 * through the module. What cannot be read must not be written over: from then on no write is taken.
 */
export class ClientJournal implements Storage {
  readonly #where: string | Storage;
  readonly #options: ClientJournalOptions;
  #file: FileStorage | undefined;
  #fault: TwobyteError | undefined;

  constructor(where: string | Storage, options: ClientJournalOptions) {
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

  /** Why a record could not be read: what the module knows is not what the journal has. */
  get fault(): TwobyteError | undefined {
    return this.#fault;
  }

  write(key: number, bytes: Uint8Array): number {
    const storage = this.#storage;
    if (this.#fault || !storage) return -STORE_FAILED;
    try {
      const answer: unknown = storage.write(key, bytes);
      if (typeof answer === 'number' && answer <= 0) return answer;
      throw new TypeError(`it answered ${typeof answer === 'number' ? answer : kindOf(answer)}, not 0 or a negated STORE_…`);
    } catch (error) {
      this.#options.failed(faultOf('write', error));
      return -STORE_FAILED;
    }
  }

  read(key: number): Uint8Array | undefined {
    if (this.#fault) return undefined;
    try {
      const record: unknown = this.#storage?.read(key);
      if (record === undefined || record instanceof Uint8Array) return record;
      throw new TypeError(`it answered ${kindOf(record)}, not a Uint8Array or undefined`);
    } catch (error) {
      this.#fault = faultOf('read', error);
      return undefined;
    }
  }

  get #storage(): Storage | undefined {
    return typeof this.#where === 'string' ? this.#file : this.#where;
  }
}

function faultOf(call: 'read' | 'write', error: unknown): TwobyteError {
  return new TwobyteError(`option journal: its ${call} failed: ${error instanceof Error ? error.message : String(error)}`, 'ERROR_JOURNAL');
}

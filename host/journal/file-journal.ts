import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { STORE_FAILED, STORE_FULL } from '../contract.js';
import { TwobyteError } from '../errors.js';
import { type Damage, frame, HEADER_BYTES, header, headerOf, isBeginning, type JournalRecord, readFrames } from './frames.js';
import type { Journal } from './journal.js';
import { type Holder, lock, unlock } from './lock.js';

// Decisions and restrictions:
//
// - One file, written at its end only; each durable write is one fdatasync. All live records are in memory, too.
// - What a power cut left half written at the end is cut off: nobody was told that it was done, and what it was to replace is still there.
// - A frame in the middle that bits fell over in costs the records it names, and nothing else; when it no longer names them, they are as they were before
//   it. Both are told. Then the file is written anew.
// - The file is written anew beside the old one, and renamed, when more than half of it is out of date, beyond a megabyte.
// - One process at a time: a lock beside it, which one that died leaves to the next, but for one in another container that still may be alive. The
//   machines that share a network file system do not see each other's locks: the file belongs on a local disk.

/** Bytes that may be out of date before they are worth a new file. */
const SLACK = 1024 * 1024;

export interface FileJournalOptions {
  /** Told for each damage that was found, in words. */
  damaged?: ((what: string, damage: Damage) => void) | undefined;
}

/** Records in a file, in parts by name. Throws a TwobyteError when the file cannot be had. */
export class FileJournal implements Journal {
  readonly path: string;
  readonly #parts = new Map<string, Map<number, Uint8Array>>();
  #file = -1;
  #mark = 0;
  /** Where the next frame goes. */
  #end = 0;
  /** Bytes of a file that holds the live records only, one a frame. */
  #live = HEADER_BYTES;
  /** From this size on it may be worth a new file. */
  #most = SLACK;
  /** Removals that were not written yet: they go with the next write. */
  #owed: JournalRecord[] = [];
  /** There was no room for a new file: the live records have to become as few before another is tried. */
  #tooMuch = Number.POSITIVE_INFINITY;
  /** What is in the file is not known: the next write makes a new one. */
  #doubtful = false;
  #closed = false;

  constructor(path: string, { damaged }: FileJournalOptions = {}) {
    const failed = (what: string, error: unknown) => refusal(path, `${what}: ${(error as Error).message}`);
    let holder: Holder | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.path = join(realpathSync(dirname(path)), basename(path)); // wherever this process goes, and by whatever name others call it
      holder = lock(this.#lockPath);
    } catch (error) {
      throw failed('cannot be locked', error);
    }
    if (holder === process.pid) throw refusal(path, 'it is open in this process already; each user needs one of its own');
    if (holder === 'elsewhere')
      throw refusal(path, `a process of another container or machine has it open; if that is gone, remove ${this.#lockPath}`);
    if (holder !== undefined) throw refusal(path, `process ${holder} has it open; end that one, or use another path`);
    try {
      this.#load(damaged);
    } catch (error) {
      this.close();
      throw error instanceof TwobyteError ? error : failed('cannot be opened', error);
    }
  }

  /** Where a new file is written before it takes the place of the old one. */
  get #beside(): string {
    return `${this.path}.new`;
  }

  get #lockPath(): string {
    return `${this.path}.lock`;
  }

  write(records: readonly JournalRecord[], durable = true): number {
    if (this.#file < 0) return -STORE_FAILED;
    const news = records.filter(
      ({ part, key, bytes }) => bytes.length > 0 || this.read(part, key) !== undefined || (durable && this.#isOwed(part, key)),
    );
    if (news.length === 0) return 0;
    const answer = this.#append(news, durable);
    if (answer !== 0) {
      if (durable || news.some(({ bytes }) => bytes.length > 0)) return answer;
      this.#owed.push(...news);
    }
    for (const { part, key, bytes } of news) this.#set(part, key, Uint8Array.from(bytes));
    return answer;
  }

  read(part: string, key: number): Uint8Array | undefined {
    return this.#parts.get(part)?.get(key >>> 0);
  }

  keys(part: string): number[] {
    return [...(this.#parts.get(part)?.keys() ?? [])];
  }

  parts(): string[] {
    return [...this.#parts.keys()];
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#end;
  }

  close(): void {
    if (this.#closed) return; // the lock may be another's by now
    this.#closed = true;
    if (this.#file >= 0) {
      if (this.#owed.length > 0) this.#append([], true);
      try {
        this.sync(this.#file);
      } catch {} // of what was durable nothing is left to sync
      closeSync(this.#file);
    }
    this.#file = -1;
    try {
      unlock(this.#lockPath);
    } catch {} // somebody removed it
  }

  /** Writes all of `bytes` at `at`. */
  protected put(file: number, bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) {
      const count = writeSync(file, bytes, done, bytes.length - done, at + done);
      if (count === 0) throw Object.assign(new Error('EIO: nothing was written'), { code: 'EIO', syscall: 'write' });
      done += count;
    }
  }

  protected sync(file: number): void {
    fdatasyncSync(file);
  }

  /** Writes these records as one frame, in a new file when it is time for one. */
  #append(news: readonly JournalRecord[], durable: boolean): number {
    try {
      if (this.#doubtful || (this.#end > this.#most && this.#end > 2 * this.#live)) this.#shrink();
    } catch (error) {
      if (this.#doubtful) return numberOf(error);
      this.#most = 2 * this.#end; // there was no room for a second file; it works without
    }
    const answer = this.#appendHere(news, durable);
    if (answer !== -STORE_FULL || this.#end <= this.#live || this.#live > this.#tooMuch) return answer;
    try {
      this.#shrink();
    } catch (error) {
      this.#tooMuch = this.#live / 2;
      return numberOf(error);
    }
    return this.#appendHere(news, durable);
  }

  #appendHere(news: readonly JournalRecord[], durable: boolean): number {
    let bytes: Buffer;
    try {
      bytes = frame(this.#mark, [...this.#owed, ...news]);
    } catch {
      return -STORE_FAILED; // a name or a record beyond what a frame can have
    }
    try {
      this.put(this.#file, bytes, this.#end);
      if (durable) this.sync(this.#file);
    } catch (error) {
      this.#withdraw(error);
      return numberOf(error);
    }
    this.#end += bytes.length;
    this.#owed = [];
    this.#tooMuch = Number.POSITIVE_INFINITY;
    return 0;
  }

  #isOwed(part: string, key: number): boolean {
    return this.#owed.some((record) => record.part === part && record.key >>> 0 === key >>> 0);
  }

  /** A frame that nobody is told of must not come to light. What a failed sync has written, nobody knows. */
  #withdraw(error: unknown): void {
    this.#doubtful = (error as NodeJS.ErrnoException).syscall !== 'write';
    try {
      ftruncateSync(this.#file, this.#end);
    } catch {
      this.#doubtful = true;
    }
  }

  #load(damaged: FileJournalOptions['damaged']): void {
    this.#open();
    const file = this.#file < 0 ? Buffer.alloc(0) : readFileSync(this.#file);
    const first = file.length > 0 ? headerOf(file) : undefined;
    if (file.length > 0 && !first) throw this.#refusal('this is no journal, or its header is lost; move it away or use another path');
    this.#clearBeside();
    if (!first) {
      this.#renew();
      return;
    }
    if ((fstatSync(this.#file).mode & 0o077) !== 0) fchmodSync(this.#file, 0o600);
    const tell = (damage: Damage) => damaged?.(`journal ${this.path}: ${textOf(damage)}`, damage);
    let isWhole = true;
    this.#mark = first.mark;
    this.#end = readFrames(
      file,
      this.#mark,
      ({ part, key, bytes }) => this.#set(part, key, Uint8Array.from(bytes)),
      (damage) => {
        isWhole &&= damage.isTail;
        if (!damage.isTail) for (const { part, key } of damage.records) this.#set(part, key, new Uint8Array());
        tell(damage);
      },
    );
    if (first.damaged) tell(first.damaged);
    if (!isWhole || first.damaged) {
      try {
        this.#renew();
        return;
      } catch (error) {
        if (this.#doubtful || numberOf(error) !== -STORE_FULL) throw error;
      } // it can be read as it is, and is told again
    }
    if (this.#end < file.length) {
      ftruncateSync(this.#file, this.#end);
      this.sync(this.#file);
    }
  }

  /** The file as it is; a link would have a second lock, and be replaced by a file. */
  #open(): void {
    try {
      this.#file = openSync(this.path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code === 'ELOOP') throw this.#refusal('it is a symbolic link; name the file itself');
      if (code === 'EISDIR') throw this.#refusal('it is a directory; name a file in it');
      throw error;
    }
    if (!fstatSync(this.#file).isFile()) throw this.#refusal('it is not a regular file; name another');
  }

  /** A renewal that a power cut ended leaves a file; another of that name is not ours to remove. */
  #clearBeside(): void {
    const found = lstatSync(this.#beside, { throwIfNoEntry: false });
    if (!found) return;
    if (!found.isFile() || !isBeginning(readFileSync(this.#beside)))
      throw this.#refusal(
        `${this.#beside} has the name under which it is written anew, and is not its own; move that away or use another path`,
      );
    rmSync(this.#beside);
  }

  #refusal(words: string): TwobyteError {
    return refusal(this.path, words);
  }

  #set(part: string, key: number, bytes: Uint8Array): void {
    const at = key >>> 0;
    let records = this.#parts.get(part);
    const before = records?.get(at);
    const cost = (length: number) => 30 + Buffer.byteLength(part) + length;
    if (before) this.#live -= cost(before.length);
    if (bytes.length === 0) {
      records?.delete(at);
      if (records?.size === 0) this.#parts.delete(part);
      return;
    }
    this.#live += cost(bytes.length);
    records ??= new Map();
    this.#parts.set(part, records);
    records.set(at, bytes);
  }

  /** Leaves the live records only; without any, a full disk takes that, too. */
  #shrink(): void {
    if (this.#live > HEADER_BYTES || this.#doubtful) {
      this.#renew();
      return;
    }
    this.#doubtful = true;
    ftruncateSync(this.#file, HEADER_BYTES);
    this.sync(this.#file);
    this.#doubtful = false;
    this.#end = HEADER_BYTES;
    this.#owed = [];
  }

  /** Writes a file with the live records only, and puts it in the place of the old one. */
  #renew(): void {
    const mark = randomBytes(4).readUInt32LE();
    const chunks: Buffer[] = [header(mark)];
    for (const [part, records] of this.#parts) for (const [key, bytes] of records) chunks.push(frame(mark, [{ part, key, bytes }]));
    const whole = Buffer.concat(chunks);
    const file = openSync(this.#beside, 'wx+', 0o600);
    try {
      this.put(file, whole, 0);
      this.sync(file);
      renameSync(this.#beside, this.path);
    } catch (error) {
      closeSync(file);
      rmSync(this.#beside, { force: true });
      throw error;
    }
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = file;
    this.#mark = mark;
    this.#end = whole.length;
    this.#owed = [];
    this.#most = Math.max(SLACK, 2 * this.#end);
    this.#doubtful = true; // until the directory, too, is sure
    const directory = openSync(dirname(this.path), 'r');
    try {
      this.sync(directory);
    } finally {
      closeSync(directory);
    }
    this.#doubtful = false;
  }
}

function refusal(path: string, words: string): TwobyteError {
  return new TwobyteError(`journal ${path}: ${words}`, 'ERROR_JOURNAL');
}

function numberOf(error: unknown): number {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' ? -STORE_FULL : -STORE_FAILED;
}

function textOf({ at, length, isTail, records }: Damage): string {
  if (isTail) return `its last ${length} bytes, at ${at}, are a write that was interrupted; they are cut off`;
  if (at < HEADER_BYTES) return `a copy of its header, at ${at}, cannot be read; the other is whole, and nothing is lost`;
  const what = records.map(({ part, key }) => `record ${key}${part && ` of ${part}`}`).join(', ');
  return `${length} bytes at ${at} cannot be read; ${what ? `lost: ${what}` : 'which records they changed is not known; those are as they were before'}`;
}

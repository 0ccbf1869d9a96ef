import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { ModuleFault } from './module-file.js';

export type Fate = 'new' | 'proved' | 'left';

/** A place for a deployed module, as firmware/shell/slots.h has it. */
export interface StoredSlot {
  /** Signed; empty: nothing was ever offered for this slot. */
  header: Buffer;
  /** What there is of the module. */
  bytes: Buffer;
  whole: boolean;
  sequence: number;
  fate: Fate;
  /** In a row. */
  failures: number;
  /** It was started, and what became of it is not known. */
  trial: boolean;
}

export const emptySlot = (): StoredSlot => ({
  header: Buffer.alloc(0),
  bytes: Buffer.alloc(0),
  whole: false,
  sequence: 0,
  fate: 'new',
  failures: 0,
  trial: false,
});

interface Written {
  slots: (Omit<StoredSlot, 'header' | 'bytes'> & { header: string; bytes: string })[];
  left: { version: number; why: string };
}

/** The slots of a board in software. Without a path they live as long as this object, which stands for the board's flash. */
export class ModuleStore {
  readonly slots: [StoredSlot, StoredSlot] = [emptySlot(), emptySlot()];
  /** The deployed module that was left last, and why; version 0: none. */
  left = { version: 0, why: '' };
  readonly #path: string | undefined;

  /** Throws a ModuleFault when the file holds something else. */
  constructor(path?: string) {
    this.#path = path;
    if (path === undefined || !existsSync(path)) return;
    try {
      const { slots, left } = JSON.parse(readFileSync(path, 'utf8')) as Written;
      for (const [i, slot] of slots.entries())
        this.slots[i === 0 ? 0 : 1] = { ...slot, header: Buffer.from(slot.header, 'base64'), bytes: Buffer.from(slot.bytes, 'base64') };
      this.left = { version: left.version, why: left.why };
    } catch (error) {
      throw new ModuleFault(
        `modules: ${path}: cannot be read as modules of a board in software (${(error as Error).message}): name another file`,
      );
    }
  }

  /** Keeps all of it, or what was kept before. */
  save(): void {
    if (this.#path === undefined) return;
    const slots = this.slots.map((slot) => ({ ...slot, header: slot.header.toString('base64'), bytes: slot.bytes.toString('base64') }));
    const written: Written = { slots, left: this.left };
    writeFileSync(`${this.#path}.new`, JSON.stringify(written), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

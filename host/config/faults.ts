// What is wrong with a file, as sentences: where, what, what to do. All of them are told at once.

import { printable } from '../printable.js';

/** Where a value stands: keys and indices from the root. */
export type Path = readonly (string | number)[];

/** A configuration or a board that cannot be used. The message has a line for each fault, none of which shows a secret. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

/** Gathers the faults of one file. */
export class Faults {
  readonly #file: string;
  readonly #found: string[] = [];

  /** `file` as whoever reads the faults knows it. */
  constructor(file: string) {
    this.#file = file;
  }

  get count(): number {
    return this.#found.length;
  }

  /** `what` is the rest of the sentence: what is wrong there, and what to do. */
  add(path: Path, what: string): void {
    const sentence = printable(`${this.#file}: ${path.length ? `${pathText(path)}: ` : ''}${what}`);
    if (!this.#found.includes(sentence)) this.#found.push(sentence);
  }

  /** Sentences of another file. */
  addAll(sentences: readonly string[]): void {
    for (const sentence of sentences) this.#found.push(sentence);
  }

  /** Throws a ConfigFault unless there are none. */
  throwAny(): void {
    if (this.#found.length) throw new ConfigFault(this.#found);
  }
}

/** `sensors[1].pin`; a key that is no word stands in quotes: `labels["A 0"]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w$-]+$/.test(part)) text += text ? `.${part}` : part;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** The one of `names` that was probably meant by `word`; undefined when none is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const name of names) {
    const same = name.toLowerCase().replace(/[^a-z0-9]/g, '') === word.toLowerCase().replace(/[^a-z0-9]/g, '');
    const edits = same ? 0 : distance(word.toLowerCase(), name.toLowerCase());
    if (edits < least) [best, least] = [name, edits];
  }
  return best;
}

/** Letters to insert, remove, replace or swap with their neighbour until one is the other. */
function distance(a: string, b: string): number {
  const rows: number[][] = [[...Array(b.length + 1).keys()]];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const kept = (rows[i - 1]?.[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(kept, (rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** `a, b or c`. */
export function anyOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** Numbers in their order, with runs of three and more as a range: `4, 13, 16–19 or 33`. */
export function anyNumber(numbers: readonly number[]): string {
  const parts: string[] = [];
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    if (end - at >= 2) parts.push(`${sorted[at]}–${sorted[end]}`);
    else for (let each = at; each <= end; each++) parts.push(String(sorted[each]));
    at = end + 1;
  }
  return anyOf(parts);
}

// JSON as RFC 8259 has it, with what JSON.parse does not tell: line and column of what is wrong, without a piece of the text, which may hold a
// password; and keys that are given twice.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A text that is not JSON. Line and column are counted from 1, the column in characters. */
export class JsonFault extends Error {
  constructor(
    readonly line: number,
    readonly column: number,
    readonly what: string,
  ) {
    super(`${line}:${column}: ${what}`);
  }
}

/** Deeper than any file of ours, and far from where the stack of a recursion ends. */
const MOST_DEPTH = 64;

const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** The value that `text` holds; throws JsonFault. A byte order mark before it, as some editors write one, is passed over. */
export function parseJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith('\ufeff') ? 1 : 0;
  }

  value(depth: number): Json {
    if (depth > MOST_DEPTH) throw this.#fault(`values are nested more than ${MOST_DEPTH} deep; make it flatter`);
    this.#blanks();
    const next = this.#text[this.#at];
    if (next === '{') return this.#object(depth);
    if (next === '[') return this.#array(depth);
    if (next === '"') return this.#string();
    const word = /[-+.\w]*/y;
    word.lastIndex = this.#at;
    const [found = ''] = word.exec(this.#text) ?? [];
    if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(found)) {
      this.#at += found.length;
      return Number(found);
    }
    if (found === 'true' || found === 'false' || found === 'null') {
      this.#at += found.length;
      return found === 'null' ? null : found === 'true';
    }
    throw this.#fault(next === "'" ? 'a text stands in double quotes, not single ones' : `a value is missing here${this.#hint()}`);
  }

  end(): void {
    this.#blanks();
    if (this.#at < this.#text.length) throw this.#fault('there is more behind the end of the value; remove it');
  }

  #object(depth: number): Json {
    const object: { [key: string]: Json } = {};
    this.#at++;
    this.#blanks();
    if (this.#takes('}')) return object;
    for (;;) {
      this.#blanks();
      if (this.#text[this.#at] !== '"') {
        throw this.#fault(
          this.#text[this.#at] === '}' ? 'a comma stands before the }; remove it' : `a key in double quotes is missing here${this.#hint()}`,
        );
      }
      const before = this.#at;
      const key = this.#string();
      if (Object.hasOwn(object, key)) {
        this.#at = before;
        throw this.#fault('this key is given twice; remove one of them');
      }
      this.#blanks();
      if (!this.#takes(':')) throw this.#fault('a colon is missing between the key and its value');
      // Not an assignment: that of __proto__ would set something else.
      Object.defineProperty(object, key, { value: this.value(depth + 1), enumerable: true, writable: true, configurable: true });
      this.#blanks();
      if (this.#takes('}')) return object;
      if (!this.#takes(',')) throw this.#fault(this.#over('{') ?? 'a comma or a } is missing here');
    }
  }

  #array(depth: number): Json {
    const array: Json[] = [];
    this.#at++;
    this.#blanks();
    if (this.#takes(']')) return array;
    for (;;) {
      this.#blanks();
      if (array.length && this.#text[this.#at] === ']') throw this.#fault('a comma stands before the ]; remove it');
      array.push(this.value(depth + 1));
      this.#blanks();
      if (this.#takes(']')) return array;
      if (!this.#takes(',')) throw this.#fault(this.#over('[') ?? 'a comma or a ] is missing here');
    }
  }

  #string(): string {
    const begin = this.#at++;
    let text = '';
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || next === '\n' || next === '\r') {
        this.#at = begin;
        throw this.#fault('the quotation mark is not closed on this line');
      }
      if (next === '"') {
        this.#at++;
        return text;
      }
      if (next < ' ') throw this.#fault('a control character stands in a text; write it as \\u and four digits, or \\t');
      text += next === '\\' ? this.#escape() : next;
      this.#at++;
    }
  }

  /** Stands on the backslash; leaves on the last character of the escape. */
  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    const plain = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (plain !== undefined) {
      this.#at++;
      return plain;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits))
      throw this.#fault('behind a backslash stands one of " \\ / b f n r t, or u and four hexadecimal digits');
    this.#at += 5;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #blanks(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '.')) this.#at++;
  }

  #over(opened: string): string | undefined {
    return this.#at < this.#text.length ? undefined : `the file ends within a ${opened}; close it`;
  }

  #hint(): string {
    if (this.#at >= this.#text.length) return '; the file ends too early';
    return this.#text[this.#at] === '/' ? '; JSON has no comments' : '';
  }

  #fault(what: string): JsonFault {
    const before = this.#text.slice(0, this.#at).split('\n');
    const column = [...(before.at(-1) ?? '').replace('\ufeff', '')].length + 1;
    return new JsonFault(before.length, column, what);
  }
}

const END_OF_LINE = 0x0a;

/** Cuts a stream of bytes into lines, which do not contain their end. */
export class LineSplitter {
  readonly #limit: number;
  #rest: Buffer[] = [];
  #restLength = 0;

  /** A line longer than `limit` bytes is refused, so that no more than that has to be kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The lines that end in `chunk`, or undefined where a line is too long: then it goes on no further. */
  *push(chunk: Buffer): Generator<Buffer | undefined> {
    let from = 0;
    for (let to = chunk.indexOf(END_OF_LINE); to >= 0; to = chunk.indexOf(END_OF_LINE, from)) {
      yield this.#line(chunk.subarray(from, to));
      from = to + 1;
    }
    if (from === chunk.length) return;
    this.#rest.push(chunk.subarray(from));
    this.#restLength += chunk.length - from;
    if (this.#restLength > this.#limit) yield undefined;
  }

  /** What stands after the last end of line, if anything. */
  *end(): Generator<Buffer | undefined> {
    if (this.#restLength > 0) yield this.#line(Buffer.alloc(0));
  }

  #line(tail: Buffer): Buffer | undefined {
    const line = this.#restLength > 0 ? Buffer.concat([...this.#rest, tail]) : tail;
    this.#rest = [];
    this.#restLength = 0;
    return line.length > this.#limit ? undefined : line;
  }
}

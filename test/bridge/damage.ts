import { Transform, type TransformCallback } from 'node:stream';

export type Fault = 'flipped' | 'lost' | 'doubled';

/** Passes frames on, and harms those that the test chooses, by their number from 0. */
export class Damage extends Transform {
  /** Frames that came so far. */
  frames = 0;
  harmed = 0;
  readonly #fault: Fault;
  readonly #chosen: (frame: number) => boolean;
  #rest = Buffer.alloc(0);

  constructor(fault: Fault, chosen: (frame: number) => boolean) {
    super();
    this.#fault = fault;
    this.#chosen = chosen;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    // A frame begins with 00 and ends with the next.
    for (let end = bytes.indexOf(0, 1); end > 0; end = bytes.indexOf(0, 1)) {
      this.push(this.#pass(bytes.subarray(0, end + 1)));
      bytes = bytes.subarray(end + 1);
    }
    this.#rest = Buffer.from(bytes);
    done();
  }

  #pass(frame: Buffer): Buffer {
    const number = this.frames++;
    if (!this.#chosen(number)) return frame;
    this.harmed++;
    if (this.#fault === 'lost') return Buffer.alloc(0);
    if (this.#fault === 'doubled') return Buffer.concat([frame, frame]);
    const harmed = Buffer.from(frame);
    const at = (number * 7 + 1) % frame.length;
    harmed[at] = (harmed[at] as number) ^ (1 << (number % 8));
    return harmed;
  }
}

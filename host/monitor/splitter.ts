import { FrameDecoder } from '../links/framing.js';

/** What a board's wire carries: frames (docs/serial.md), between them lines of text such as boot messages, and bytes that are neither. */
export type Piece = { kind: 'frame'; message: Buffer } | { kind: 'text'; line: string } | { kind: 'noise'; bytes: number };

/** The longest message of a board, and its frame's code bytes and CRC. */
const LONGEST_MESSAGE = 1024;
const LONGEST_RUN = LONGEST_MESSAGE + 16;
/** Of text beside bytes that are none, so many characters are taken for words. */
const LEAST_WORDS = 4;

const [TAB, END_OF_LINE, RETURN, ESCAPE] = [0x09, 0x0a, 0x0d, 0x1b];

/** Whether a byte may be of a line of text in UTF-8. */
const isTextual = (byte: number) =>
  (byte >= 0x20 && byte !== 0x7f) || byte === TAB || byte === END_OF_LINE || byte === RETURN || byte === ESCAPE;

/**
 * Cuts the bytes of a wire into frames and lines of text, in their order. A run between two zeros is a frame when it decodes as one. A run that has only text is
 * given away line by line; no frame of a board looks like that, since the second or third byte of each is a kind or type below 20.
 */
export class Splitter {
  readonly #decoder = new FrameDecoder(LONGEST_MESSAGE);
  #run: number[] = [];
  #textual = true;

  /** The pieces that `chunk` completes. */
  push(chunk: Uint8Array): Piece[] {
    const pieces: Piece[] = [];
    for (const byte of chunk) {
      if (byte === 0) this.#delimiter(pieces);
      else {
        this.#run.push(byte);
        this.#textual &&= isTextual(byte);
        if ((byte === END_OF_LINE && this.#textual) || this.#run.length >= LONGEST_RUN) this.#words(pieces);
      }
    }
    return pieces;
  }

  /** What is there without its end, when the wire has been silent: a prompt, or a frame that was cut. */
  flush(): Piece[] {
    const pieces: Piece[] = [];
    this.#words(pieces);
    return pieces;
  }

  #delimiter(pieces: Piece[]): void {
    if (this.#run.length === 0) return;
    const [message] = this.#decoder.decode(Uint8Array.of(...this.#run, 0));
    if (message) {
      this.#clear();
      pieces.push({ kind: 'frame', message });
    } else this.#words(pieces);
  }

  #clear(): void {
    this.#run = [];
    this.#textual = true;
  }

  /** The run is no frame: what of it is text, by lines. */
  #words(pieces: Piece[]): void {
    const run = this.#run;
    const whole = this.#textual;
    this.#clear();
    let noise = 0;
    let words: number[] = [];
    const end = () => {
      const line = lineOf(words);
      if (line === undefined || (!whole && line.length < LEAST_WORDS)) noise += words.length;
      else if (line !== '') pieces.push({ kind: 'text', line });
      words = [];
    };
    for (const byte of run) {
      if (byte === END_OF_LINE) end();
      else if (isTextual(byte)) words.push(byte);
      else {
        end();
        noise++;
      }
    }
    end();
    if (noise > 0) pieces.push({ kind: 'noise', bytes: noise });
  }
}

/** Colours and cursor movements of a terminal. */
const sequences = new RegExp(`${String.fromCharCode(ESCAPE)}\\[[0-9;?]*[A-Za-z]`, 'g');

/** Text of a line without its end and without colours; undefined when it is not UTF-8 for the most part. */
function lineOf(bytes: number[]): string | undefined {
  const text = Buffer.from(bytes).toString();
  const strange = text.split('\ufffd').length - 1;
  return strange * 4 > text.length ? undefined : text.replace(sequences, '').replace(/\r+$/, '');
}

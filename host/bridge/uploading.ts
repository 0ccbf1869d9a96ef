import { crc32 } from 'node:zlib';
import type { Clock } from '../clock.js';
import { CHUNK_BYTES, chunk, type FromBoard, offer, type TAKEN, type Upload } from '../links/line-messages.js';

/** Until a message without an answer is sent again, from its last byte on the wire, in ms; it doubles with each repetition, to the most. */
const AGAIN_MS = 300;
const MOST_AGAIN_MS = 2000;
/** After so many repetitions the board is asked for its hello: it may have started anew, and that hello was damaged. */
const ASK_TRIES = 3;
/** Without an answer for so long, the upload is given up. A board that erases its flash says nothing meanwhile. */
const SILENCE_MS = 20_000;
/** A board that starts anew at each try never has all of it. */
const STARTS = 20;
/** What a frame has beside a chunk's bytes. */
const FRAME_BYTES = 20;

/** The board does not want what is uploaded; the message is the board's. */
export class UploadRefused extends Error {}

export interface UploadListener {
  put(message: Uint8Array): void;
  /** Asks the board for a hello. */
  ask(): void;
  /** The board has so many bytes. */
  progress(sent: number): void;
  /** It is over; nothing follows. */
  done(error?: Error): void;
}

/** Brings bytes to a board: an offer, then chunk after chunk, each until it is answered (docs/serial.md). */
export class Uploading {
  readonly #what: Upload;
  readonly #bytes: Uint8Array;
  readonly #crc: number;
  readonly #clock: Clock;
  readonly #listener: UploadListener;
  readonly #byteMs: number;
  #number: number;
  #start: number | undefined;
  #starts = 0;
  /** Offset of the chunk in flight; undefined: the offer is. */
  #offset: number | undefined;
  #tries = 0;
  #heard: number;
  #cancel = () => {};

  /** `last` is the number of the upload before, 1 to 255; `byteMs`: what a byte takes on the wire. begin() has to follow. */
  constructor(what: Upload, bytes: Uint8Array, clock: Clock, listener: UploadListener, last: number, byteMs = 0) {
    this.#number = last;
    this.#what = what;
    this.#bytes = Uint8Array.from(bytes); // a copy
    this.#crc = crc32(bytes);
    this.#clock = clock;
    this.#listener = listener;
    this.#byteMs = byteMs;
    this.#heard = clock.now();
  }

  /** Of its last offer: a board takes another of the same number for a repetition. */
  get number(): number {
    return this.#number;
  }

  /** Offers it to a board of this start, which says itself from where it goes on; undefined: none has said hello yet. */
  begin(start: number | undefined): void {
    if (start !== undefined) {
      if (this.#starts++ === STARTS) {
        this.end(new Error('the board starts anew again and again'));
        return;
      }
      this.#number = (this.#number % 255) + 1;
      this.#heard = this.#clock.now();
    }
    this.#start = start;
    this.#offset = undefined;
    this.#tries = 0;
    this.#send();
  }

  taken({ start, number, status, awaited, text }: FromBoard & { kind: typeof TAKEN }): void {
    if (start !== this.#start || number !== this.#number) return;
    this.#heard = this.#clock.now();
    if (status === 'refused') {
      this.end(new UploadRefused(text || 'the board gives no reason'));
      return;
    }
    if (awaited !== this.#offset) this.#listener.progress(Math.min(awaited, this.#bytes.length));
    if (status === 'done') this.end();
    // The answer to a repetition is none to what is in flight now; that one's own comes, or it is sent again.
    if (status === 'done' || awaited === this.#offset || awaited >= this.#bytes.length) return;
    this.#offset = awaited;
    this.#tries = 0;
    this.#send();
  }

  /** Sends nothing more. */
  end(error?: Error): void {
    this.#cancel();
    this.#listener.done(error);
  }

  #send(): void {
    this.#cancel();
    if (this.#clock.now() - this.#heard >= SILENCE_MS) {
      const silent = this.#start === undefined ? 'the board has not said hello; is it there?' : 'the board does not answer';
      const old = this.#offset === undefined && this.#start !== undefined ? '; a firmware older than this program takes no uploads' : '';
      this.end(new Error(silent + old));
      return;
    }
    const bytes = this.#offset === undefined ? new Uint8Array() : this.#bytes.subarray(this.#offset, this.#offset + CHUNK_BYTES);
    if (this.#start !== undefined)
      this.#listener.put(
        this.#offset === undefined
          ? offer(this.#start, this.#number, this.#what, this.#bytes.length, this.#crc)
          : chunk(this.#start, this.#number, this.#offset, bytes),
      );
    const patience = Math.min(AGAIN_MS * 2 ** this.#tries, MOST_AGAIN_MS) + (bytes.length + 2 * FRAME_BYTES) * this.#byteMs;
    if (++this.#tries > ASK_TRIES && this.#start !== undefined) this.#listener.ask();
    this.#cancel = this.#clock.after(patience, () => this.#send());
  }
}

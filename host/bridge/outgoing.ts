import type { Clock } from '../clock.js';
import { CLOSE, DATA, item, OPENED, PIECE_BYTES } from '../links/line-messages.js';

/** Until an item is sent again, from its last byte on the wire, in ms: at first, least and most. It follows what acknowledgements take, and doubles with each repetition of one. */
const PATIENCE_MS = 200;
const LEAST_PATIENCE_MS = 50;
const MOST_PATIENCE_MS = 2000;
/** Without a sign of the board, the stream is given up. */
const SILENCE_MS = 10_000;
/** Above so many bytes the owner is asked to send no more, below so many to go on. */
const FULL_BYTES = 16_384;
const LOW_BYTES = 4096;

export interface OutgoingListener {
  put(message: Uint8Array): void;
  /** There is room again, after send() answered false. */
  drained(): void;
  /** The board has acknowledged all, the close too. */
  closed(): void;
  /** No sign of the board for too long. */
  silent(): void;
}

/** The host's direction of one stream: items one at a time, each until it is acknowledged. */
export class Outgoing {
  /** How often items were sent again. */
  repeated = 0;
  readonly #epoch: number;
  readonly #clock: Clock;
  readonly #listener: OutgoingListener;
  /** What a byte takes on the wire. */
  readonly #byteMs: number;
  #number = 0;
  #patience = PATIENCE_MS;
  #opened = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #full = false;
  /** The reason of a close that was asked for; then no bytes are taken. */
  #reason: number | undefined;
  #flying: { message: Uint8Array; kind: number; tries: number; held: boolean; since: number; sent: number; wait: number } | undefined;
  #cancel = () => {};

  constructor(epoch: number, clock: Clock, listener: OutgoingListener, byteMs = 0) {
    this.#byteMs = byteMs;
    this.#epoch = epoch;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** A close was asked for. */
  get closing(): boolean {
    return this.#reason !== undefined;
  }

  open(): void {
    this.#opened = true;
    this.#next();
  }

  /** Takes all of `bytes`; false: no more for now, drained() follows. */
  send(bytes: Uint8Array): boolean {
    if (this.#reason !== undefined || bytes.length === 0) return true;
    this.#waiting.push(Buffer.from(bytes)); // a copy
    this.#waitingBytes += bytes.length;
    this.#full ||= this.#waitingBytes > FULL_BYTES;
    this.#next();
    return !this.#full;
  }

  /** Behind what was taken. */
  close(reason: number): void {
    this.#reason ??= reason;
    this.#next();
  }

  /** Sends nothing more. */
  end(): void {
    this.#cancel();
    this.#cancel = () => {};
    this.#flying = undefined;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#reason ??= 0;
  }

  /** The board awaits item `number`; `held`: it has it, and its owner has no room. */
  acknowledged(number: number, held: boolean): void {
    const flying = this.#flying;
    if (!flying) return;
    const now = this.#clock.now();
    if (number === this.#number && held) {
      flying.held = true;
      flying.since = now;
    }
    if (number !== ((this.#number + 1) & 0xffff)) return;
    // A repetition's acknowledgement may be that of the first, which came too late; what the board held tells nothing of the wire.
    if (flying.tries > 1) this.#patience *= 1.5;
    else if (!flying.held) this.#patience = (this.#patience * 3 + Math.max(now - flying.sent, 0) * 2 + LEAST_PATIENCE_MS) / 4;
    this.#patience = Math.min(this.#patience, MOST_PATIENCE_MS);
    this.#cancel();
    this.#flying = undefined;
    this.#number = number;
    if (flying.kind === CLOSE) this.#listener.closed();
    else this.#next();
    if (!this.#full || this.#waitingBytes >= LOW_BYTES) return;
    this.#full = false;
    this.#listener.drained();
  }

  /** Somebody is there: what waits for an answer is sent again at once. */
  hurry(): void {
    if (!this.#flying) return;
    this.#flying.wait = 0;
    this.#again();
  }

  #next(): void {
    if (this.#flying) return;
    const [kind, body] = this.#item();
    if (kind === 0) return;
    const now = this.#clock.now();
    const message = item(kind, this.#epoch, this.#number, body);
    this.#flying = { message, kind, tries: 0, held: false, since: now, sent: now, wait: 0 };
    this.#again();
  }

  #item(): [kind: number, body?: Uint8Array] {
    const first = this.#number === 0;
    if (first && this.#opened) return [OPENED];
    if (!first && this.#waitingBytes > 0) return [DATA, this.#piece()];
    return this.#reason ? [CLOSE, Uint8Array.of(this.#reason)] : [0];
  }

  #piece(): Buffer {
    const parts: Buffer[] = [];
    let room = Math.min(PIECE_BYTES, this.#waitingBytes);
    this.#waitingBytes -= room;
    for (let chunk = this.#waiting[0]; chunk && room > 0; chunk = this.#waiting[0]) {
      const part = chunk.subarray(0, room);
      parts.push(part);
      room -= part.length;
      if (part.length === chunk.length) this.#waiting.shift();
      else this.#waiting[0] = chunk.subarray(part.length);
    }
    return Buffer.concat(parts);
  }

  #again(): void {
    const flying = this.#flying;
    if (!flying) return;
    const now = this.#clock.now();
    if (now - flying.since >= SILENCE_MS) {
      this.#listener.silent();
      return;
    }
    if (flying.tries++ > 0) this.repeated++;
    flying.wait = flying.wait === 0 ? this.#patience : Math.min(flying.wait * 2, MOST_PATIENCE_MS);
    const onWire = flying.message.length * this.#byteMs;
    flying.sent = now + onWire;
    this.#listener.put(flying.message);
    this.#cancel();
    this.#cancel = this.#clock.after(onWire + flying.wait, () => this.#again());
  }
}

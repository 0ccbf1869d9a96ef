import type { Clock } from '../../host/clock.js';
import { REASON_REFUSED, REASON_RESET } from '../../host/contract.js';
import type { Link, LinkListener, OpenLink } from '../../host/links/link.js';
import type { Broker, Connection } from './broker.js';

// TCP in virtual time, between a board and the broker: bytes come in pieces of any size, late and in order, and a connection may break at any byte.

export interface WireOptions {
  clock: Clock;
  random: () => number;
  broker: Broker;
  /** Shares of calls of send() that answer 0, and that take only a part. */
  busy: number;
  partial: number;
  /** Bytes of the longest piece. */
  piece: number;
  /** Longest time on the way, in ms. */
  delay: number;
  note(line: string): void;
}

/** Where a connection breaks: with that byte of all that was sent in one direction, which does not arrive; or nothing passes from then on. */
export interface Break {
  direction: 'up' | 'down';
  at: number;
  how: 'resets' | 'hangs';
}

export class Wire {
  /** Bytes sent so far. */
  readonly sent = { up: 0, down: 0 };
  breaks: Break[] = [];
  readonly #options: WireOptions;
  #pipe: Pipe | undefined;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  readonly open: OpenLink = (listener) => {
    const pipe = new Pipe(this.#options, listener, (direction, bytes) => this.#takes(direction, bytes, pipe));
    this.#pipe = pipe;
    return pipe;
  };

  /** The board is off: what it handed over last may be lost, and the broker may not hear of it for long. */
  cut(loses: boolean, closes: boolean): void {
    this.#pipe?.abandon(loses, closes);
  }

  /** Answers how many of the bytes arrive. */
  #takes(direction: 'up' | 'down', bytes: Uint8Array, pipe: Pipe): number {
    const from = this.sent[direction];
    this.sent[direction] += bytes.length;
    const here = this.breaks.find((each) => each.direction === direction && each.at > from && each.at <= from + bytes.length);
    if (!here) return bytes.length;
    this.breaks = this.breaks.filter((each) => each !== here);
    this.#options.note(`the connection ${here.how} at byte ${here.at} ${direction}`);
    if (here.how === 'hangs') pipe.hang();
    else pipe.reset();
    return here.at - 1 - from;
  }
}

class Pipe implements Link {
  #connection: Connection | undefined;
  #isOpen = false;
  /** The board's side, the broker's side. */
  #hears = true;
  #reaches = true;
  #hangs = false;
  readonly #arrival = { up: 0, down: 0 };
  readonly #options: WireOptions;
  readonly #listener: LinkListener;
  readonly #takes: (direction: 'up' | 'down', bytes: Uint8Array) => number;

  constructor(options: WireOptions, listener: LinkListener, takes: (direction: 'up' | 'down', bytes: Uint8Array) => number) {
    this.#options = options;
    this.#listener = listener;
    this.#takes = takes;
    const { clock, broker } = options;
    clock.after(1 + this.#random(options.delay), () => {
      if (!this.#hears) return;
      if (broker.isAway) {
        this.#hears = false;
        listener.closed(REASON_REFUSED, 'refused');
        return;
      }
      this.#isOpen = true;
      this.#connection = broker.accept(
        (bytes) => this.#down(bytes),
        () => this.#ended(),
      );
      listener.opened();
    });
  }

  send(bytes: Uint8Array): number {
    const { clock, busy, partial } = this.#options;
    if (!this.#isOpen) return 0;
    const draw = this.#random(1000) / 1000;
    if (draw < busy) {
      clock.after(1 + this.#random(50), () => this.#hears && this.#isOpen && this.#listener.writable());
      return 0;
    }
    const length = draw < busy + partial ? 1 + this.#random(bytes.length) : bytes.length;
    if (length < bytes.length) clock.after(1 + this.#random(50), () => this.#hears && this.#isOpen && this.#listener.writable());
    const taken = Uint8Array.from(bytes.subarray(0, length));
    const arriving = this.#takes('up', taken);
    this.#inPieces(taken.subarray(0, arriving), 'up', (piece) => {
      if (this.#reaches && !this.#hangs) this.#connection?.receive(piece);
    });
    return length;
  }

  pause(): void {}
  resume(): void {}

  close(): void {
    if (!this.#hears) return;
    this.#hears = this.#isOpen = false;
    this.#later('up', () => this.#connection?.closed());
  }

  hang(): void {
    this.#hangs = true;
  }

  reset(): void {
    this.#later('up', () => this.#connection?.closed());
    this.#later('down', () => {
      if (!this.#hears) return;
      this.#hears = this.#isOpen = false;
      this.#listener.closed(REASON_RESET, 'reset');
    });
  }

  abandon(loses: boolean, closes: boolean): void {
    this.#hears = this.#isOpen = false;
    if (loses) this.#reaches = false;
    if (closes) this.#later('up', () => this.#connection?.closed());
  }

  #down(bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes);
    const arriving = this.#takes('down', copy);
    this.#inPieces(copy.subarray(0, arriving), 'down', (piece) => {
      if (this.#hears && !this.#hangs) this.#listener.received(piece);
    });
  }

  /** The broker closed. */
  #ended(): void {
    if (this.#hangs) return;
    this.#later('down', () => {
      if (!this.#hears) return;
      this.#hears = this.#isOpen = false;
      this.#listener.closed(REASON_RESET, 'ended');
    });
  }

  #inPieces(bytes: Uint8Array, direction: 'up' | 'down', deliver: (piece: Uint8Array) => void): void {
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + this.#random(this.#options.piece);
      const piece = bytes.subarray(at, at + length);
      this.#later(direction, () => deliver(piece));
      at += length;
    }
  }

  /** Behind all that was sent before in that direction. */
  #later(direction: 'up' | 'down', action: () => void): void {
    const { clock, delay } = this.#options;
    const due = Math.max(this.#arrival[direction], clock.now() + 1 + this.#random(delay));
    this.#arrival[direction] = due;
    clock.after(due - clock.now(), action);
  }

  #random(below: number): number {
    return below > 0 ? this.#options.random() % below : 0;
  }
}

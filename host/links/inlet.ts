import type { LinkListener, Sender } from './link.js';

/** Datagrams that wait while the listener is paused. What comes beyond is dropped, as a network may: MQTT-SN asks again for what matters. */
const WAITING_DATAGRAMS = 64;

/** The inward half of a datagram link: keeps what arrives while the listener is paused, and tells the end after it. */
export class Inlet {
  readonly #listener: LinkListener;
  readonly #waiting: [message: Uint8Array, from: Sender | undefined][] = [];
  #paused = false;
  #silent = false;
  #end: [reason: number, message: string] | undefined;

  constructor(listener: LinkListener) {
    this.#listener = listener;
  }

  /** Closed, by either side: the listener hears nothing more, or nothing but what waits and the end. */
  get over(): boolean {
    return this.#silent || this.#end !== undefined;
  }

  take(message: Uint8Array, from?: Sender): void {
    if (this.over || this.#waiting.length >= WAITING_DATAGRAMS) return;
    this.#waiting.push([message, from]);
    this.#deliver();
  }

  /** The link is gone; only the first reason counts. */
  end(reason: number, message: string): void {
    this.#end ??= [reason, message];
    this.#deliver();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    queueMicrotask(() => this.#deliver());
  }

  /** The listener closed the link. */
  silence(): void {
    this.#silent = true;
    this.#waiting.length = 0;
  }

  #deliver(): void {
    while (!this.#silent && !this.#paused) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#listener.received(...next);
    }
    if (this.#silent || this.#waiting.length > 0 || !this.#end) return;
    this.#silent = true;
    this.#listener.closed(...this.#end);
  }
}

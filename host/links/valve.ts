import type { Link, OpenLink } from './link.js';

/** Keeps links unread while it is shut, whatever the board has room for. */
export class Valve {
  #link: Link | undefined;
  #shut = false;

  /** The same way to a peer, through this valve. */
  through(open: OpenLink): OpenLink {
    return (listener) => {
      const link = open(listener);
      this.#link = link;
      return {
        ...(link.datagrams && { datagrams: true }),
        send: (bytes) => link.send(bytes),
        pause: () => link.pause(),
        resume: () => {
          if (!this.#shut) link.resume();
        },
        close: () => link.close(),
      };
    };
  }

  shut(): void {
    this.#shut = true;
    this.#link?.pause();
  }

  open(): void {
    this.#shut = false;
    this.#link?.resume();
  }

  /** A new connection has read its CONNACK; only now it goes unread, if it has to. */
  connected(): void {
    if (this.#shut) this.#link?.pause();
  }
}

import type { OpenLink } from '../../host/links/link.js';

/** Before the effect, in the middle of it, or after it. */
export type When = 'before' | 'within' | 'after';

export interface Cut {
  /** The effect of this start of the board: 1 is its first. */
  at: number;
  when: When;
}

/** What a power cut throws, from within the module. */
export class PowerCut extends Error {
  constructor() {
    super('the power is cut');
  }
}

/** Counts what a board leaves behind outside of itself, writes and sends, and cuts the power at one of them. */
export class Power {
  /** Effects since the board started, and in all. */
  count = 0;
  total = 0;
  cuts = 0;
  /** Of this start; undefined lets it live. */
  next: Cut | undefined;

  /** The board starts. */
  on(cut: Cut | undefined): void {
    this.count = 0;
    this.next = cut;
  }

  /** An effect begins: answers when the power goes, if it does. */
  effect(): When | undefined {
    this.total++;
    return ++this.count === this.next?.at ? this.next.when : undefined;
  }

  cut(): never {
    this.cuts++;
    throw new PowerCut();
  }

  /** `open`, where each message counts. Of bytes that are cut in the middle, half are sent; of a datagram none. */
  link(open: OpenLink): OpenLink {
    return (listener) => {
      const link = open(listener);
      return {
        ...(link.datagrams && { datagrams: true }),
        send: (bytes) => {
          const when = this.effect();
          if (when === 'before') this.cut();
          if (when === 'within') {
            if (!link.datagrams) link.send(bytes.subarray(0, bytes.length >> 1));
            this.cut();
          }
          const taken = link.send(bytes);
          if (when) this.cut();
          return taken;
        },
        pause: () => link.pause(),
        resume: () => link.resume(),
        close: () => link.close(),
      };
    };
  }
}

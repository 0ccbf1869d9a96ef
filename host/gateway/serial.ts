import type { Clock } from '../clock.js';
import type { Link } from '../links/link.js';
import { openSerial } from '../links/serial.js';
import type { Transport } from './gateway.js';

export interface SerialTransport extends Transport {
  /** The one peer at the other end. */
  readonly peer: string;
  close(): void;
}

/** The longest message that a board takes from a serial line, in bytes (docs/serial.md). */
const LARGEST = 1024;

/** Between two attempts to open a line that went away. */
const REOPEN_MS = 2000;

/**
 * Opens a serial line; rejects when that cannot be done. A line that goes away later, with its plug perhaps, is opened again as soon as it is back;
 * `say` tells both.
 */
export async function serialTransport(
  path: string,
  baud: number,
  receive: (datagram: Uint8Array, peer: string) => void,
  say: (text: string) => void,
  clock: Clock,
): Promise<SerialTransport> {
  const peer = `serial ${path}`;
  let link: Link;
  let closed = false;
  let callOff = () => {};

  /** Opens; `done` hears how it went, `gone` that it ended later. */
  const open = (done: (fault?: string) => void, gone: () => void) => {
    let opened = false;
    link = openSerial(path, baud, {
      opened() {
        opened = true;
        done();
      },
      received: (datagram) => receive(datagram, peer),
      writable: () => {},
      closed(_reason, message) {
        if (!opened) done(message);
        else {
          say(message);
          gone();
        }
      },
    });
  };
  const reopen = () => {
    if (closed) return;
    callOff = clock.after(REOPEN_MS, () =>
      open((fault) => {
        if (fault === undefined) say(`${path} is back`);
        else reopen();
      }, reopen),
    );
  };
  await new Promise<void>((resolve, reject) => {
    open((fault) => (fault === undefined ? resolve() : reject(new Error(fault))), reopen);
  });
  return {
    peer,
    send: (_peer, datagram) => void link.send(datagram), // a line that is busy loses it
    broadcast: (datagram) => void link.send(datagram),
    largest: () => LARGEST,
    close() {
      closed = true;
      callOff();
      link.close();
    },
  };
}

import type { Clock } from '../clock.js';
import { keepPort } from '../links/kept-port.js';
import { CONSOLE, readMessage } from '../links/line-messages.js';
import { printable } from '../printable.js';
import type { Transport } from './gateway.js';

export interface SerialTransport extends Transport {
  /** The one peer at the other end. */
  readonly peer: string;
  close(): void;
}

/** The longest message that a board takes from a serial line, in bytes (docs/serial.md). */
const LARGEST = 1024;

/**
 * Opens a serial line; rejects when that cannot be done. A line that goes away later, with its plug perhaps, is opened again as soon as it is back;
 * `say` tells both, and what the board says to people. The line's other messages are for a bridge, and pass by.
 */
export async function serialTransport(
  path: string,
  baud: number,
  receive: (datagram: Uint8Array, peer: string) => void,
  say: (text: string) => void,
  clock: Clock,
): Promise<SerialTransport> {
  const peer = `serial ${path}`;
  const received = (message: Uint8Array) => {
    if (message[0] !== 0) receive(message, peer);
    else {
      const said = readMessage(Buffer.from(message));
      if (said?.kind === CONSOLE) say(`${path}: ${printable(said.text)}`);
    }
  };
  const port = await keepPort(path, baud, { received, away: say, back: () => say(`${path} is back`) }, clock);
  return {
    peer,
    send: (_peer, datagram) => port.send(datagram),
    broadcast: (datagram) => port.send(datagram),
    largest: () => LARGEST,
    close: () => void port.close(),
  };
}

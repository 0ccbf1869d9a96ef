import type { Clock } from '../clock.js';
import { openSerial, type SerialLink } from './serial.js';

/** Between two attempts to open a port that went away. */
const REOPEN_MS = 2000;

export interface PortListener {
  received(message: Uint8Array): void;
  /** The port went away, and is opened again as soon as it is back. */
  away(why: string): void;
  back(): void;
}

export interface KeptPort {
  /** What a busy line, or one that is away, does not take is lost. */
  send(message: Uint8Array): void;
  /** Resolves when other programs can open it. */
  close(): Promise<void>;
}

/** Opens a serial port; rejects when that cannot be done. One that goes away later, with its plug perhaps, is opened again when it is back. */
export async function keepPort(path: string, baud: number, listener: PortListener, clock: Clock): Promise<KeptPort> {
  let link: SerialLink;
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
      received: (message) => listener.received(message),
      writable: () => {},
      closed(_reason, message) {
        if (!opened) done(message);
        else {
          listener.away(message);
          gone();
        }
      },
    });
  };
  const reopen = () => {
    if (closed) return;
    callOff = clock.after(REOPEN_MS, () =>
      open((fault) => {
        if (fault === undefined) listener.back();
        else reopen();
      }, reopen),
    );
  };
  await new Promise<void>((resolve, reject) => {
    open((fault) => (fault === undefined ? resolve() : reject(new Error(fault))), reopen);
  });
  return {
    send: (message) => void link.send(message),
    close() {
      closed = true;
      callOff();
      link.close();
      return link.freed;
    },
  };
}

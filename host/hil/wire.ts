import { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { type OpenedPort, openPort, resetBy } from '../ports/open.js';

const READ_BYTES = 4096;
/** What a port said last, for what a chip's own boot loader writes between frames. */
const KEPT_BYTES = 8192;

/** A serial port as a stream, which remembers what it heard last. */
export interface PortWire {
  path: string;
  duplex: Duplex;
  /** What came last, as Latin-1. */
  heard(): string;
  /** Resets the board by DTR and RTS; rejects where there are no such lines. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a port; rejects with a sentence when it is absent, busy, or not to be had. */
export async function openWire(path: string, baud: number): Promise<PortWire> {
  const port = await openPort(path, baud);
  let kept = Buffer.alloc(0);
  const duplex = streamOf(port, (chunk) => {
    kept = Buffer.concat([kept, chunk]).subarray(-KEPT_BYTES);
  });
  return {
    path,
    duplex,
    heard: () => kept.toString('latin1'),
    reset: () => resetBy(port, path, (ms) => setTimeout(ms)),
    close: () =>
      new Promise((resolve) => {
        duplex.once('close', resolve);
        duplex.destroy();
      }),
  };
}

function streamOf(port: OpenedPort, tap: (chunk: Buffer) => void): Duplex {
  const buffer = Buffer.alloc(READ_BYTES);
  const duplex: Duplex = new Duplex({
    read() {
      port.read(buffer, 0, READ_BYTES).then(
        ({ bytesRead }) => {
          const chunk = Buffer.from(buffer.subarray(0, bytesRead));
          tap(chunk);
          duplex.push(chunk);
        },
        (error: Error) => duplex.destroy(error),
      );
    },
    write(chunk: Buffer, _, done) {
      port.write(chunk).then(() => done(), done);
    },
    destroy(error, done) {
      port.close().then(
        () => done(error),
        () => done(error), // already gone
      );
    },
  });
  duplex.on('error', () => {}); // 'close' follows
  return duplex;
}

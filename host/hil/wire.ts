import { Duplex } from 'node:stream';
import { type OpenedPort, openPort, readPort, resetBy } from '../ports/open.js';

const READ_BYTES = 4096;
/** What a port said last, for what a chip's own boot loader writes between frames. */
const KEPT_BYTES = 8192;

/** A serial port, which remembers what it heard last. */
export interface PortWire {
  path: string;
  /** The port as a stream, for one owner at a time: the one before hears its end. */
  lend(): Duplex;
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
  let owner: Duplex | undefined;
  let closed = false;
  const read = async () => {
    const buffer = Buffer.alloc(READ_BYTES);
    while (!closed) {
      const bytesRead = await readPort(port, buffer);
      const chunk = Buffer.from(buffer.subarray(0, bytesRead));
      kept = Buffer.concat([kept, chunk]).subarray(-KEPT_BYTES);
      owner?.push(chunk);
    }
  };
  read().catch((error: Error) => owner?.destroy(error)); // the port is gone, or closed
  return {
    path,
    lend() {
      owner?.destroy();
      owner = streamTo(port);
      return owner;
    },
    heard: () => kept.toString('latin1'),
    reset: () => resetBy(port, path),
    async close() {
      closed = true;
      owner?.destroy();
      await port.close().catch(() => {}); // already gone
    },
  };
}

/** What is read is pushed; a board says little, and nobody has to hold it up. */
function streamTo(port: OpenedPort): Duplex {
  const duplex = new Duplex({
    read() {},
    write: (chunk: Buffer, _, done) => void port.write(chunk).then(() => done(), done),
  });
  duplex.on('error', () => {}); // 'close' follows
  return duplex;
}

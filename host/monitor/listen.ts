import { type OpenedPort, openPort, readPort } from '../ports/open.js';

const READ_BYTES = 4096;
/** Between two attempts to open a port that went away: those of a chip's own USB are away for as long as it takes to restart, and then have much to say. */
const REOPEN_MS = 250;

export interface Listener {
  bytes(chunk: Buffer): void;
  /** The port went away, and is opened again as soon as it is back. */
  away(): void;
  back(): void;
}

export interface Listening {
  /** The port as it is now. */
  port: OpenedPort;
  /** Resolves when it has let go of the port. */
  close(): Promise<void>;
}

/** Reads a port and writes nothing. Rejects with a PortFault when it cannot be opened; one that goes away later is looked for until it is back. */
export async function listen(path: string, baud: number, listener: Listener): Promise<Listening> {
  let port: OpenedPort | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const lost = (from: OpenedPort) => {
    if (closed || from !== port) return;
    port = undefined;
    from.close().catch(() => {}); // already gone
    listener.away();
    reopen();
  };
  const read = (from: OpenedPort) => {
    const buffer = Buffer.alloc(READ_BYTES);
    readPort(from, buffer).then(
      (bytesRead) => {
        if (closed || from !== port) return;
        listener.bytes(buffer.subarray(0, bytesRead));
        read(from);
      },
      () => lost(from),
    );
  };
  const reopen = () => {
    timer = setTimeout(async () => {
      try {
        const opened = await openPort(path, baud);
        if (closed) {
          await opened.close();
          return;
        }
        port = opened;
      } catch {
        if (!closed) reopen();
        return;
      }
      listener.back();
      read(port);
    }, REOPEN_MS);
  };

  const first = await openPort(path, baud);
  port = first;
  read(first);
  return {
    port: first,
    async close() {
      closed = true;
      clearTimeout(timer);
      await port?.close().catch(() => {}); // gone
    },
  };
}

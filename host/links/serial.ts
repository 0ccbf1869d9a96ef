import { REASON_ADDRESS, REASON_OTHER, REASON_REFUSED, REASON_RESET, REASON_UNREACHABLE } from '../contract.js';
import { type OpenedPort, openPort, readPort } from '../ports/open.js';
import { PortFault, type PortFaultKind } from '../ports/ports.js';
import { encodeFrame, FrameDecoder } from './framing.js';
import { Inlet } from './inlet.js';
import type { Link, LinkListener, OpenLink } from './link.js';
import { GRACE_MS } from './stream.js';

/** With so many frames not yet taken by the system, send() answers 0. */
const BUSY_FRAMES = 16;
const READ_BYTES = 4096;

/** A port's faults as a module hears of them. */
const reasons: Readonly<Record<PortFaultKind, number>> = {
  absent: REASON_UNREACHABLE,
  forbidden: REASON_REFUSED,
  busy: REASON_REFUSED,
  none: REASON_ADDRESS,
  other: REASON_OTHER,
};

export function serialLink(path: string, baud: number): OpenLink {
  return (listener) => openSerial(path, baud, listener);
}

/** A link whose port other programs can open when it is free. */
export interface SerialLink extends Link {
  /** Resolves when the port is given back, after its close or its end; what was taken may still be on its way for GRACE_MS. */
  freed: Promise<void>;
}

/** One end of a serial line, a board's or a gateway's: eight data bits, no parity, one stop bit, messages in frames (docs/serial.md). */
export function openSerial(path: string, baud: number, listener: LinkListener): SerialLink {
  const inlet = new Inlet(listener);
  const decoder = new FrameDecoder();
  let port: OpenedPort | undefined;
  let frames: Buffer[] = [];
  let held = 0; // frames that send() took and the system has not
  let refused = false; // send() answered 0 and writable() is owed
  let opening = true;

  let free = () => {};
  const freed = new Promise<void>((resolve) => {
    free = resolve;
  });

  const leave = () => {
    if (port)
      port.close().then(free, free); // rejected: already gone
    else if (!opening) free();
    port = undefined;
  };
  const fail = (error: Error) => {
    leave();
    inlet.end(REASON_RESET, `${path} is gone: ${error.message}`);
  };

  const buffer = Buffer.alloc(READ_BYTES);
  const read = (from: OpenedPort) => {
    readPort(from, buffer).then((bytesRead) => {
      // Each by itself: a listener that throws costs neither the next message nor the reading.
      for (const message of decoder.decode(buffer.subarray(0, bytesRead))) queueMicrotask(() => inlet.take(message));
      if (from === port) read(from);
    }, fail);
  };

  const write = (to: OpenedPort) => {
    const count = frames.length;
    const batch = Buffer.concat(frames);
    frames = [];
    to.write(batch).then(() => {
      held -= count;
      if (frames.length > 0) write(to);
      else if (inlet.over) leave();
      if (!refused || inlet.over) return;
      refused = false;
      listener.writable();
    }, fail);
  };

  openPort(path, baud).then(
    (opened) => {
      opening = false;
      port = opened;
      if (inlet.over) return leave();
      read(opened);
      listener.opened();
    },
    (error: Error) => {
      opening = false;
      free();
      inlet.end(error instanceof PortFault ? reasons[error.kind] : REASON_OTHER, error.message);
    },
  );

  return {
    datagrams: true,
    freed,
    send(message) {
      if (!port || inlet.over) return 0; // opened() or closed() is on its way
      if (held >= BUSY_FRAMES) {
        refused = true;
        return 0;
      }
      frames.push(encodeFrame(message));
      if (held++ === 0) write(port);
      return message.length;
    },
    pause: () => inlet.pause(),
    resume: () => inlet.resume(),
    close() {
      inlet.silence();
      if (held === 0) return leave();
      setTimeout(leave, GRACE_MS).unref(); // nobody may read at the other end
    },
  };
}

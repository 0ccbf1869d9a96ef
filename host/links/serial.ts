import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { REASON_ADDRESS, REASON_OTHER, REASON_REFUSED, REASON_RESET, REASON_UNREACHABLE } from '../contract.js';
import { encodeFrame, FrameDecoder } from './framing.js';
import { Inlet } from './inlet.js';
import type { Link, LinkListener, OpenLink } from './link.js';
import { GRACE_MS } from './stream.js';

/** With so many frames not yet taken by the system, send() answers 0. */
const BUSY_FRAMES = 16;
const READ_BYTES = 4096;

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
  let port: Port | undefined;
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
  const read = (from: Port) => {
    from.read(buffer, 0, READ_BYTES).then(({ bytesRead }) => {
      // Each by itself: a listener that throws costs neither the next message nor the reading.
      for (const message of decoder.decode(buffer.subarray(0, bytesRead))) queueMicrotask(() => inlet.take(message));
      if (from === port) read(from);
    }, fail);
  };

  const write = (to: Port) => {
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
    (error) => {
      opening = false;
      free();
      inlet.end(...explainOpening(path, error));
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

type Port = Awaited<ReturnType<typeof openPort>>;

async function openPort(path: string, baud: number) {
  if (process.platform !== 'win32') {
    // The package says what went wrong only in words; these have codes.
    if (!(await stat(path)).isCharacterDevice()) throw new Error(NOT_A_TTY);
    await access(path, constants.R_OK | constants.W_OK);
  }
  const { autoDetect } = await import('@serialport/bindings-cpp'); // here, so that only those who use it load it
  return autoDetect().open({ path, baudRate: baud, hupcl: false }); // lines that drop when a program ends would reset some boards
}

const NOT_A_TTY = 'Inappropriate ioctl for device'; // as the system says it

function explainOpening(path: string, error: Error & { code?: string }): [reason: number, message: string] {
  const { code = '', message } = error;
  if (code === 'ENOENT' || code === 'ENOTDIR' || /No such (file|device)/.test(message))
    return [REASON_UNREACHABLE, `${path} is not there; is the board plugged in?`];
  if (code === 'EACCES' || code === 'EPERM' || /Permission denied/.test(message))
    return [REASON_REFUSED, `no permission for ${path}; join the group that owns it, dialout on Debian`];
  if (/Cannot lock port/.test(message)) return [REASON_REFUSED, `${path} is in use by another program`];
  if (/Inappropriate ioctl|Is a directory/.test(message)) return [REASON_ADDRESS, `${path} is not a serial port`];
  if (/baud rate/.test(message)) return [REASON_ADDRESS, `${path}: ${message}`];
  return [REASON_OTHER, `${path} cannot be opened: ${message}`];
}

// Messages of a serial line itself: 00, a kind, a body; numbers are big-endian (docs/serial.md).

export const HELLO = 0x00;
export const CONSOLE = 0x01;
export const EVENT = 0x02;
export const LOST = 0x03;
export const CLOCK = 0x04;
export const COMMAND = 0x05;
export const COMMANDED = 0x06;
export const OFFER = 0x07;
export const CHUNK = 0x08;
export const TAKEN = 0x09;
export const OPEN = 0x10;
export const OPENED = 0x11;
export const DATA = 0x12;
export const CLOSE = 0x13;
export const ACKNOWLEDGEMENT = 0x14;
export const NO_SUCH_STREAM = 0x15;

const VERSION = 1;
const ANSWER = 1;
const HELD = 1;

/** Most bytes of the stream in one item. */
export const PIECE_BYTES = 512;

/** What the host may ask of a board, by its number. */
export const commandNumbers = { stop: 1, flush: 2, restart: 3, tell: 4 } as const;
export type Command = keyof typeof commandNumbers;

/** What the host may upload, by its number: settings as `key = value` lines, a signed module, and PEM texts. */
export const uploadNumbers = { settings: 1, module: 2, authority: 3, certificate: 4, key: 5 } as const;
export type Upload = keyof typeof uploadNumbers;

/** Most bytes of an upload in one chunk. */
export const CHUNK_BYTES = 256;

/** What becomes of an upload: the board awaits more of it, has kept it, or refuses it. */
const statuses = ['go on', 'done', 'refused'] as const;
export type UploadStatus = (typeof statuses)[number];

function message(kind: number, length: number, write: (body: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(2 + length);
  bytes[1] = kind;
  write(bytes.subarray(2));
  return bytes;
}

/** Asks for the board's hello. */
export const hello = (start: number, epoch: number) =>
  message(HELLO, 10, (body) => {
    body[0] = VERSION;
    body[1] = ANSWER;
    body.writeUInt32BE(start, 2);
    body.writeUInt32BE(epoch, 6);
  });

export const clock = (seconds: number) => message(CLOCK, 4, (body) => body.writeUInt32BE(seconds));

export const command = (start: number, number: number, what: Command) =>
  message(COMMAND, 6, (body) => {
    body.writeUInt32BE(start);
    body[4] = number;
    body[5] = commandNumbers[what];
  });

export const offer = (start: number, number: number, what: Upload, length: number, crc: number) =>
  message(OFFER, 14, (body) => {
    body.writeUInt32BE(start);
    body[4] = number;
    body[5] = uploadNumbers[what];
    body.writeUInt32BE(length, 6);
    body.writeUInt32BE(crc, 10);
  });

export const chunk = (start: number, number: number, offset: number, bytes: Uint8Array) =>
  message(CHUNK, 9 + bytes.length, (body) => {
    body.writeUInt32BE(start);
    body[4] = number;
    body.writeUInt32BE(offset, 5);
    body.set(bytes, 9);
  });

export const item = (kind: number, epoch: number, number: number, body: Uint8Array = new Uint8Array()) =>
  message(kind, 6 + body.length, (bytes) => {
    bytes.writeUInt32BE(epoch);
    bytes.writeUInt16BE(number, 4);
    bytes.set(body, 6);
  });

export const acknowledgement = (epoch: number, awaited: number, held: boolean) =>
  item(ACKNOWLEDGEMENT, epoch, awaited, Uint8Array.of(held ? HELD : 0));

export const noSuchStream = (epoch: number) => message(NO_SUCH_STREAM, 4, (body) => body.writeUInt32BE(epoch));

/** An item of the stream. */
export type Item =
  | { kind: typeof OPEN; epoch: number; number: number; choice: number }
  | { kind: typeof DATA; epoch: number; number: number; body: Buffer }
  | { kind: typeof CLOSE; epoch: number; number: number };

/** What a board says. */
export type FromBoard =
  | Item
  | { kind: typeof HELLO; version: number; start: number; epoch: number }
  | { kind: typeof CONSOLE | typeof EVENT; text: string }
  | { kind: typeof LOST; consoles: number; events: number }
  | { kind: typeof COMMANDED; start: number; number: number }
  | { kind: typeof TAKEN; start: number; number: number; status: UploadStatus; awaited: number; text: string }
  | { kind: typeof ACKNOWLEDGEMENT; epoch: number; number: number; held: boolean }
  | { kind: typeof NO_SUCH_STREAM; epoch: number };

/** Reads a message that begins with 00; undefined when a board says no such thing. */
export function readMessage(bytes: Buffer): FromBoard | undefined {
  const kind = bytes[1];
  const body = bytes.subarray(2);
  switch (kind) {
    case HELLO:
      if (body.length !== 10) return undefined;
      return { kind, version: body[0] as number, start: body.readUInt32BE(2), epoch: body.readUInt32BE(6) };
    case CONSOLE:
    case EVENT:
      return { kind, text: body.toString() };
    case LOST:
      return body.length === 8 ? { kind, consoles: body.readUInt32BE(0), events: body.readUInt32BE(4) } : undefined;
    case COMMANDED:
      return body.length === 5 ? { kind, start: body.readUInt32BE(0), number: body[4] as number } : undefined;
    case TAKEN:
      return readTaken(body);
    case NO_SUCH_STREAM:
      return body.length === 4 ? { kind, epoch: body.readUInt32BE(0) } : undefined;
    default:
      return body.length < 6 ? undefined : readItem(kind, body.readUInt32BE(0), body.readUInt16BE(4), body.subarray(6));
  }
}

function readItem(kind: number | undefined, epoch: number, number: number, body: Buffer): FromBoard | undefined {
  switch (kind) {
    case OPEN:
      return body.length === 4 && number === 0 ? { kind, epoch, number, choice: body.readUInt32BE(0) } : undefined;
    case DATA:
      return body.length >= 1 && body.length <= PIECE_BYTES ? { kind, epoch, number, body } : undefined;
    case CLOSE:
      return body.length === 1 ? { kind, epoch, number } : undefined;
    case ACKNOWLEDGEMENT:
      return body.length === 1 ? { kind, epoch, number, held: (Number(body[0]) & HELD) !== 0 } : undefined;
    default:
      return undefined;
  }
}

function readTaken(body: Buffer): FromBoard | undefined {
  const status = statuses[body[5] ?? statuses.length];
  if (body.length < 10 || !status) return undefined;
  const [start, awaited] = [body.readUInt32BE(0), body.readUInt32BE(6)];
  return { kind: TAKEN, start, number: body[4] as number, status, awaited, text: body.toString('utf8', 10) };
}

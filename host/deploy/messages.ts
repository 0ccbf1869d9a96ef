// The messages of an update, as the payloads of MQTT (docs/updates.md). firmware/shell/update.c speaks the same.

export const OFFER = 1;
export const CHUNK = 2;
export const ANSWER = 3;
export const ASK = 4;

/** Most bytes of a module in one chunk. */
export const CHUNK_BYTES = 256;
/** Most bytes of an answer, its text included. */
const ANSWER_BYTES = 192;

/** What an answer says. */
export const GO_ON = 0;
export const KEPT = 1;
export const REFUSED = 2;
export const RUNS = 3;
export const LEFT = 4;
export type Status = typeof GO_ON | typeof KEPT | typeof REFUSED | typeof RUNS | typeof LEFT;

/** As the offset that is awaited: the header is. */
export const AWAITS_OFFER = 0xffffffff;

export interface Answer {
  status: Status;
  /** That is awaited; with RUNS and LEFT the version it is about. */
  offset: number;
  text: string;
}

export function encodeOffer(header: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(OFFER), header]);
}

export function encodeChunk(offset: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5, CHUNK);
  head.writeUInt32BE(offset, 1);
  return Buffer.concat([head, bytes]);
}

export function encodeAsk(): Buffer {
  return Buffer.of(ASK);
}

/** A text that does not fit is cut, within no character. */
export function encodeAnswer({ status, offset, text }: Answer): Buffer {
  const head = Buffer.of(ANSWER, status, 0, 0, 0, 0);
  head.writeUInt32BE(offset, 2);
  let words = text;
  while (Buffer.byteLength(words) > ANSWER_BYTES - head.length) words = words.slice(0, -1);
  return Buffer.concat([head, Buffer.from(words)]);
}

/** Undefined: it is no answer. */
export function decodeAnswer(payload: Uint8Array): Answer | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const status = bytes[1];
  if (bytes.length < 6 || bytes[0] !== ANSWER || status === undefined || status > LEFT) return undefined;
  return { status: status as Status, offset: bytes.readUInt32BE(2), text: bytes.toString('utf8', 6) };
}

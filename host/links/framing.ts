// Messages on a serial wire: 00 COBS(message ‖ crc) 00. docs/serial.md has the reasons and an example.

/** The longest message a receiver takes unless it says otherwise, in bytes: MQTT-SN has no longer one (SN 5.2.1). */
export const MAXIMUM_MESSAGE = 65_535;

const CRC_BYTES = 2;
/** A block of COBS is its code, which counts itself, and up to 254 bytes; this code stands for no zero after them. */
const FULL_BLOCK = 0xff;

/** CRC-16/X-25: polynomial 1021 reflected, a byte at a time. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  return crc;
});

/** CRC-16/X-25 of `bytes`. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  return crc ^ 0xffff;
}

/** The frame of `message`, with both its delimiters. */
export function encodeFrame(message: Uint8Array): Buffer {
  const crc = crc16(message);
  const plain = Buffer.concat([message, Buffer.of(crc & 0xff, crc >>> 8)]);
  const frame = Buffer.alloc(plain.length + Math.ceil(plain.length / (FULL_BLOCK - 1)) + 3);
  let codeAt = 1; // after the delimiter
  let end = 2;
  for (const [i, byte] of plain.entries()) {
    if (byte !== 0) frame[end++] = byte;
    const full = end - codeAt === FULL_BLOCK;
    // A full block at the very end needs no other after it.
    if (byte === 0 || (full && i < plain.length - 1)) {
      frame[codeAt] = end - codeAt;
      codeAt = end++;
    }
  }
  frame[codeAt] = end - codeAt;
  return frame.subarray(0, end + 1); // the rest is zero, and with it the delimiter
}

/** Takes a wire's bytes in any pieces and finds the messages among them. It never holds more than one message. */
export class FrameDecoder {
  /** Runs of bytes between delimiters that were no frame: a wrong CRC, broken COBS, or longer than `maximum`. */
  bad = 0;
  readonly #plain: Buffer;
  /** Bytes of #plain in use. */
  #length = 0;
  /** Bytes until the next code of COBS. */
  #left = 0;
  /** Whether a zero stands between the present block and the next. */
  #zeroDue = false;
  /** Whether the frame has begun, and whether it is already known to be bad. */
  #begun = false;
  #spoilt = false;

  /** `maximum`: the longest message in bytes. */
  constructor(maximum = MAXIMUM_MESSAGE) {
    this.#plain = Buffer.alloc(maximum + CRC_BYTES);
  }

  /** The messages that `chunk` completes; each is the caller's own. */
  decode(chunk: Uint8Array): Buffer[] {
    const messages: Buffer[] = [];
    for (const byte of chunk) {
      if (byte !== 0) this.#take(byte);
      else if (this.#begun) {
        const message = this.#finish();
        if (message) messages.push(message);
        else this.bad++;
        this.#begun = false;
      }
    }
    return messages;
  }

  #take(byte: number): void {
    if (!this.#begun) {
      this.#begun = true;
      this.#spoilt = false;
      this.#zeroDue = false;
      this.#length = 0;
      this.#left = 0;
    }
    if (this.#left > 0) {
      this.#left--;
      this.#put(byte);
      return;
    }
    if (this.#zeroDue) this.#put(0);
    this.#left = byte - 1;
    this.#zeroDue = byte < FULL_BLOCK;
  }

  #put(byte: number): void {
    if (this.#length < this.#plain.length) this.#plain[this.#length++] = byte;
    else this.#spoilt = true;
  }

  /** The message of the frame that ends here, unless it is bad. The CRC of nothing is 0000, so zeros alone would pass for an empty message. */
  #finish(): Buffer | undefined {
    const end = this.#length - CRC_BYTES;
    if (this.#spoilt || this.#left > 0 || end < 1) return undefined;
    const message = Buffer.from(this.#plain.subarray(0, end));
    return crc16(message) === this.#plain.readUInt16LE(end) ? message : undefined;
  }
}

import { TwobyteError } from './errors.js';
import { LARGEST_MESSAGE } from './links/link.js';
import type { InboundMessage } from './module.js';
import type { QoS } from './options.js';

/** A message as its listeners get it. The payload is the listener's own. */
export interface Message {
  topic: string;
  payload: Buffer;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  /** Packet identifier, 0 at QoS 0. */
  messageId: number;
}

/** A part of a message that is larger than the module's receive buffer. Its payload is valid during the call only. */
export interface MessagePiece extends Omit<Message, 'payload'> {
  payload: Uint8Array;
  /** Offset of the piece in the whole payload, and length of the whole, in bytes. An offset of 0 begins a message, also one that broke off before. */
  offset: number;
  total: number;
}

/** What listeners of `piece` get. */
export function pieceOf({ id, qos, ...rest }: InboundMessage): MessagePiece {
  return { ...rest, qos: qos as QoS, messageId: id };
}

/** Makes whole messages of pieces, which arrive in order and one message after another. */
export class Assembly {
  #pieces: Uint8Array[] = [];

  /** `maximum`: bytes of the largest payload that is put together. */
  constructor(private readonly maximum = LARGEST_MESSAGE) {}

  /** The connection is gone: what is unfinished comes again from its beginning, if at all. */
  reset(): void {
    this.#pieces = [];
  }

  /** The message that `piece` completes; an error when it is too large, with its last piece; otherwise nothing yet. */
  add({ topic, payload, offset, total, qos, retain, dup, id }: InboundMessage): Message | TwobyteError | undefined {
    const message = { topic, qos: qos as QoS, retain, dup, messageId: id };
    if (payload.length === total) return { ...message, payload: Buffer.from(payload) };
    if (offset === 0) this.#pieces = [];
    const last = offset + payload.length === total;
    if (total > this.maximum) {
      const words = `a message of ${total} bytes to '${topic}' was dropped: maximumMessageSize is ${this.maximum}; listen to 'piece' to read it in parts`;
      return last ? new TwobyteError(words, 'ERROR_TOO_LARGE') : undefined;
    }
    this.#pieces.push(Uint8Array.from(payload));
    if (!last) return undefined;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return { ...message, payload: whole };
  }
}

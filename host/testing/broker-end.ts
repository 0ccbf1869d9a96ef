import type { Clock } from '../clock.js';
import { REASON_REFUSED, REASON_RESET } from '../contract.js';
import type { LinkListener, OpenLink } from '../links/link.js';

// The broker's end of a connection on a clock that a test moves: it accepts everything, acknowledges at once, and keeps nothing. What a module sends is
// trusted to be MQTT 3.1.1: the codec has tests of its own.

const CONNECT = 1;
const PUBLISH = 3;
const PUBREL = 6;
const SUBSCRIBE = 8;
const UNSUBSCRIBE = 10;
const PINGREQ = 12;

export interface Published {
  topic: string;
  payload: Buffer;
  qos: number;
  retain: boolean;
}

/** Where a board's link leads. What it answers arrives when the clock next advances. */
export class BrokerEnd {
  readonly #clock: Clock;
  readonly #published: (message: Published) => void;
  #listener: LinkListener | undefined;
  #rest = Buffer.alloc(0);
  #away = false;

  /** `published` hears each message of the module. */
  constructor(clock: Clock, published: (message: Published) => void) {
    this.#clock = clock;
    this.#published = published;
  }

  /** The connections that a board opens; the one before is over with it. */
  readonly open: OpenLink = (listener) => {
    this.#rest = Buffer.alloc(0);
    this.#listener = listener;
    this.#later(listener, () => {
      if (this.#away) this.#end(listener, REASON_REFUSED, 'the broker is away');
      else listener.opened();
    });
    return {
      send: (bytes) => {
        this.#take(bytes);
        return bytes.length;
      },
      pause() {},
      resume() {},
      close: () => {
        if (this.#listener === listener) this.#listener = undefined;
      },
    };
  };

  /** Breaks the connection, and refuses others; or takes them again. */
  away(isAway: boolean): void {
    this.#away = isAway;
    if (isAway && this.#listener) this.#end(this.#listener, REASON_RESET, 'the broker went away');
  }

  /** A message to the module at QoS 0. */
  send(topic: string, payload: Uint8Array): void {
    const name = Buffer.from(topic);
    const body = Buffer.concat([Buffer.of(name.length >> 8, name.length & 255), name, payload]);
    this.#say(Buffer.concat([Buffer.of(PUBLISH << 4, ...lengthBytes(body.length)), body]));
  }

  #end(listener: LinkListener, reason: number, message: string): void {
    if (this.#listener !== listener) return;
    this.#listener = undefined;
    listener.closed(reason, message);
  }

  #later(listener: LinkListener, action: () => void): void {
    this.#clock.after(0, () => {
      if (this.#listener === listener) action();
    });
  }

  #say(bytes: Buffer): void {
    const listener = this.#listener;
    if (listener) this.#later(listener, () => listener.received(bytes));
  }

  #take(bytes: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (let whole = packetLength(this.#rest); whole && whole.end <= this.#rest.length; whole = packetLength(this.#rest)) {
      const first = this.#rest[0] ?? 0;
      const body = this.#rest.subarray(whole.start, whole.end);
      this.#rest = this.#rest.subarray(whole.end);
      this.#answer(first >> 4, first & 15, body);
    }
  }

  #answer(type: number, flags: number, body: Buffer): void {
    const id = body.subarray(0, 2);
    if (type === CONNECT) this.#say(Buffer.of(0x20, 2, 0, 0));
    else if (type === PUBLISH) this.#takePublish(flags, body);
    else if (type === PUBREL) this.#say(Buffer.of(0x70, 2, ...id));
    else if (type === SUBSCRIBE) this.#grant(id, body.subarray(2));
    else if (type === UNSUBSCRIBE) this.#say(Buffer.of(0xb0, 2, ...id));
    else if (type === PINGREQ) this.#say(Buffer.of(0xd0, 0));
  }

  /** Each filter gets the QoS it asks for. */
  #grant(id: Buffer, filters: Buffer): void {
    const granted: number[] = [];
    for (let at = 0; at < filters.length; ) {
      at += 2 + filters.readUInt16BE(at) + 1;
      granted.push(filters[at - 1] ?? 0);
    }
    this.#say(Buffer.of(0x90, 2 + granted.length, ...id, ...granted));
  }

  #takePublish(flags: number, body: Buffer): void {
    const qos = (flags >> 1) & 3;
    const end = 2 + body.readUInt16BE(0);
    const id = body.subarray(end, end + 2);
    this.#published({
      topic: body.toString('utf8', 2, end),
      payload: Buffer.from(body.subarray(qos ? end + 2 : end)),
      qos,
      retain: (flags & 1) === 1,
    });
    if (qos) this.#say(Buffer.of(qos === 1 ? 0x40 : 0x50, 2, ...id));
  }
}

/** Where the body of the first packet begins and ends, undefined while its length is not whole. */
function packetLength(bytes: Buffer): { start: number; end: number } | undefined {
  let length = 0;
  for (let at = 1; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    length += (byte & 127) * 128 ** (at - 1);
    if (byte < 128) return { start: at + 1, end: at + 1 + length };
  }
  return undefined;
}

/** A remaining length as it stands in a packet. */
function lengthBytes(length: number): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...lengthBytes(length >> 7)];
}

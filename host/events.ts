import type { TwobyteError } from './errors.js';
import type { Message, MessagePiece } from './messages.js';

/** What a client tells, with what its listeners get. */
export interface ClientEvents {
  /** The broker accepted the connection. */
  connect: [{ sessionPresent: boolean }];
  message: [topic: string, payload: Buffer, packet: Message];
  /** A part of a large message. With a listener here, large messages are not put together for `message`. */
  piece: [piece: MessagePiece];
  /** Another attempt begins. */
  reconnect: [];
  /** A connection, or an attempt, came to its end. */
  close: [];
  /** The connection was lost. */
  offline: [];
  /** What went wrong; reconnection goes on by itself where it can. Without a listener it is told by the calls that wait, if any. */
  error: [TwobyteError];
  /** The client has stopped: end() is done, or the broker refused us with stopOnRefusal, or the connection went and reconnectPeriod is 0. reconnect() starts it again. */
  end: [];

  // The others are of MQTT-SN.

  /** A gateway was found where they are searched, or is silent: another is looked for. `id` is its GwId. */
  gateway: [gateway: { id: number; found: boolean }];
  /** The gateway confirmed that we sleep, so many seconds at a time; also after each `awake`. */
  asleep: [seconds: number];
  /** The gateway was asked for what waits for us; `asleep` follows it, or `connect` when the sleep is over. */
  awake: [];
  /** The gateway is congested: the request is made again by itself in `wait` ms. */
  congested: [{ wait: number }];
  /** A datagram was dropped: it was malformed, or fits nothing. `total` counts them. */
  dropped: [{ reason: string; code: string; total: number }];
}

/** An EVENT_… of the module as its board reports it. */
export interface BoardEvent {
  /** Name in lower case without the prefix: 'connected', 'reading'. */
  event: string;
  /** Wall clock in ms, with the part of a millisecond that the rung knows. */
  at: number;
  a: number;
  b: number;
  /** Allocations of the shell and the engine, with 'started' before it and with 'ended' after it; only where they are counted. */
  allocations?: number;
  /** With 'started': bytes of heap, of the module's linear memory, and of the module; only where they are counted. */
  heap?: number;
  memory?: number;
  module?: number;
  /** With 'ended': the most that was ever in use of the stack, in bytes; only where it is measured. */
  stack?: number;
}

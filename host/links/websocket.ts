import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import { type RawData, WebSocket } from 'ws';
import { REASON_ENDED, REASON_OTHER, REASON_RESET, REASON_WEBSOCKET } from '../contract.js';
import { LARGEST_MESSAGE, type Link, type LinkListener, type OpenLink } from './link.js';
import { explain, GRACE_MS } from './stream.js';

/** From this many bytes on their way, send() answers 0. */
const BUSY_BYTES = 64 * 1024;
/** The largest packet MQTT has [MQTT-2.2.3]. */
const LARGEST_PACKET = 268_435_455 + 5;
/** What a frame may have beside the largest message: its topic, and other packets. Fragments, chunks and unread pongs have limits in ws. */
const FRAME_SPARE = 1024 * 1024;
const UNSUPPORTED_DATA = 1003;
const NO_CLOSE_FRAME = 1006;

export interface WebsocketOptions {
  /** Header fields of the WebSocket handshake, an Authorization for example. */
  headers?: Record<string, string> | undefined;
  /** Bytes of the largest message that is wanted. A frame is held whole, whatever is in it, so one that is much larger ends the connection. */
  maximumMessageSize?: number | undefined;
}

/** Links over WebSocket to `url` (ws: or wss:, without credentials or fragment); `connect` begins the connection below. */
export function websocketLink(
  url: URL,
  connect: () => Socket,
  { headers = {}, maximumMessageSize = LARGEST_MESSAGE }: WebsocketOptions = {},
): OpenLink {
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  }
  const maxPayload = Math.min(maximumMessageSize + FRAME_SPARE, LARGEST_PACKET);
  return (listener) => open(url, connect, { headers, maxPayload }, listener);
}

function open(
  url: URL,
  connect: () => Socket,
  limits: { headers: Record<string, string>; maxPayload: number },
  listener: LinkListener,
): Link {
  let opened = false; // before, and when the handshake failed, ws has nothing to pause, and fails when asked to
  let silent = false; // closed, by either side: the listener hears nothing more
  let paused = false;
  let refused = false; // send() answered 0 and writable() is owed
  let failure: Error | undefined;
  let end: [reason: number, message: string] | undefined;
  const arrived: Buffer[] = []; // one read may bring many frames, and ws hands them all over however soon it is paused

  const options = {
    perMessageDeflate: false,
    closeTimeout: GRACE_MS,
    ...limits,
    createConnection() {
      const socket = connect();
      socket.on('error', (error) => {
        failure = error; // once open, ws keeps this to itself
      });
      return socket;
    },
  };
  const socket = new WebSocket(url, 'mqtt', options);

  /** Hands over what arrived, as long as the listener reads; the end waits until all of it was. */
  const deliver = () => {
    while (!silent && !paused) {
      const chunk = arrived.shift();
      if (!chunk) break;
      listener.received(chunk);
    }
    if (silent || arrived.length || !end) return;
    silent = true;
    listener.closed(...end);
  };

  const over = (reason: number, message: string) => {
    end ??= [reason, message];
    deliver();
  };

  socket.on('open', () => {
    opened = true;
    if (paused) socket.pause();
    if (!silent) listener.opened();
  });
  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (silent || end) return;
    if (!isBinary) {
      socket.close(UNSUPPORTED_DATA);
      return over(REASON_WEBSOCKET, 'the peer sent a text frame; MQTT travels in binary frames'); // [MQTT-6.0.0-1]
    }
    arrived.push(data as Buffer); // not fragments, not an ArrayBuffer: binaryType is ws's default
    deliver();
  });
  socket.on('error', (error) => {
    const [reason, message] = explain(error);
    over(reason === REASON_OTHER ? REASON_WEBSOCKET : reason, message); // not of the system, so of ws
  });
  socket.on('close', (code, reason) => {
    if (failure) return over(...explain(failure));
    if (code === NO_CLOSE_FRAME) return over(REASON_RESET, 'the peer broke off without a WebSocket close');
    over(REASON_ENDED, `the peer closed the WebSocket with ${code}${reason.length ? ` ${JSON.stringify(String(reason))}` : ''}`);
  });

  const sent = () => {
    if (!refused || silent || end || socket.readyState !== WebSocket.OPEN || socket.bufferedAmount >= BUSY_BYTES) return;
    refused = false;
    listener.writable();
  };

  return {
    send(bytes) {
      if (silent || end || socket.readyState !== WebSocket.OPEN) return 0; // opened() or closed() is on its way
      if (socket.bufferedAmount >= BUSY_BYTES) {
        refused = true;
        return 0;
      }
      socket.send(Buffer.from(bytes), sent); // a copy: ws may keep the reference
      return bytes.length;
    },
    pause() {
      paused = true;
      if (opened) socket.pause();
    },
    resume() {
      paused = false;
      if (opened) socket.resume();
      queueMicrotask(deliver);
    },
    close() {
      silent = true;
      arrived.length = 0;
      if (opened) socket.resume(); // unread, the peer's close frame would not arrive
      socket.close(); // after what was taken; while opening, it breaks off
    },
  };
}

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { type LinkOptions, linkTo } from '../../host/links/address.js';
import type { Link, LinkListener, OpenLink, Sender } from '../../host/links/link.js';

const DEADLINE_MS = 10_000;

export const bytes = (text: string) => new TextEncoder().encode(text);

/** Waits for the next event of that name; a test that waits in vain fails with its name. */
export async function next<T>(emitter: EventEmitter, event: string): Promise<T> {
  const [value] = await once(emitter, event, { signal: AbortSignal.timeout(DEADLINE_MS) });
  return value as T;
}

/** Listens to a link and notes what it hears, in order; a call from within a call of the link is a fault. */
export class Ear extends EventEmitter implements LinkListener {
  readonly heard: string[] = [];
  text = '';
  /** Where the last datagram came from. */
  from: Sender | undefined;
  reason = 0;
  message = '';
  calling = false;
  /** What a test does between two chunks. */
  onChunk: () => void = () => {};

  opened = () => this.note('opened');
  writable = () => this.note('writable');
  received = (chunk: Uint8Array, from?: Sender) => {
    this.from = from;
    this.text += Buffer.from(chunk).toString('latin1');
    this.note('received');
    this.onChunk();
  };
  closed = (reason: number, message: string) => {
    this.reason = reason;
    this.message = message;
    this.note('closed');
  };

  note(what: string): void {
    assert.equal(this.calling, false, `${what} came from within a call of the link`);
    this.heard.push(what);
    this.emit('heard');
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await next(this, 'heard');
  }

  hears(what: string): Promise<void> {
    return this.until(() => this.heard.includes(what));
  }
}

/** A link of one test, closed with it. */
export function dial(t: TestContext, url: string, options?: LinkOptions): { link: Link; ear: Ear } {
  return begin(t, () => linkTo(url, options));
}

/** The same of a link that has no address of its own. */
export function begin(t: TestContext, opener: () => OpenLink): { link: Link; ear: Ear } {
  const ear = new Ear();
  const guard = <T>(call: () => T): T => {
    ear.calling = true;
    try {
      return call();
    } finally {
      ear.calling = false;
    }
  };
  const inner = guard(() => opener()(ear));
  const link: Link = {
    ...(inner.datagrams && { datagrams: inner.datagrams }),
    send: (data) => guard(() => inner.send(data)),
    pause: () => guard(() => inner.pause()),
    resume: () => guard(() => inner.resume()),
    close: () => guard(() => inner.close()),
  };
  t.after(() => link.close());
  return { link, ear };
}

/** Lets a server listen on a free port for one test; answers the port. Connections left over are cut with it. */
export async function listening(t: TestContext, server: Server | HttpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A scripted peer: what it reads, and the side of the connection it holds. */
export async function tcpPeer(t: TestContext, script: (socket: Socket) => void = () => {}): Promise<{ url: string; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, script);
  return { url: `mqtt://127.0.0.1:${await listening(t, server)}`, server };
}

export async function wsPeer(t: TestContext, script: (socket: WebSocket, headers: IncomingHttpHeaders, path: string) => void = () => {}) {
  const http = createHttpServer();
  const server = new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' });
  server.on('connection', (socket, request) => script(socket, request.headers, request.url ?? ''));
  return { url: `ws://127.0.0.1:${await listening(t, http)}`, server, http };
}

/** The socket below a WebSocket of the peer, to script what ws has no word for. */
export const below = (socket: WebSocket) => (socket as unknown as { _socket: Socket })._socket;

/** Enough turns of the event loop for anything already on its way within the process to be told. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

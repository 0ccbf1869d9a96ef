import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { BoardListener, BoardSettings, RunningBoard } from '../rungs/rung.js';
import type { ScriptedProxy } from './proxy.js';

/** `sanitized` is the posix board with sanitizers, of the tests; `board` is one behind a serial port. */
export type RungName = 'virtual' | 'posix' | 'posix-aot' | 'qemu-rv32' | 'qemu-rv32-aot' | 'sanitized' | 'board';
export type Protocol = 'mqtt' | 'mqtt-sn';

/** A broker that scenarios share. */
export interface SharedBroker {
  host: string;
  port: number;
  /** Where it wants a login. */
  username?: string;
  password?: string;
}

/** The address of a broker, with what logs in to it where that is said. */
export function addressOf({ host, port, username, password = '' }: SharedBroker): string {
  const login = username === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  return `mqtt://${login}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A broker of one scenario's own. */
export interface OwnBroker {
  port: number;
  /** Once more does nothing. */
  stop(): Promise<void>;
}

export interface OwnBrokerOptions {
  /** Default: a free one. */
  port?: number;
  /** The only one that it lets in; default: everybody. */
  login?: { username: string; password: string };
}

/** A board of a scenario. */
export interface HilBoard extends RunningBoard {
  /** The scenario is over; without it, kill() ends the board. */
  leave?(): Promise<void>;
}

/** Where a scenario is told, and what it is told with. */
export interface Ground {
  rung: RungName;
  protocol: Protocol;
  /** What the board runs; default: the module of its protocol. */
  module?: string;
  /** Starts a board there. */
  start(settings: BoardSettings, listener: BoardListener): Promise<HilBoard>;
  broker: SharedBroker;
  /** Starts a broker on the loopback address; or a sentence: why there is none but the shared one. */
  ownBroker: ((options: OwnBrokerOptions) => Promise<OwnBroker>) | string;
  /** What there is not, and why: files that boards can read; a proxy on the way to the broker, which boards then reach themselves. */
  lacks?: { files?: string; wire?: string };
  /** Sees each proxy before anything passes: in front of a gateway of its own (`way`), or of what others use, too (`wire`). */
  watch?(proxy: ScriptedProxy, protocol: Protocol, kind: 'way' | 'wire'): void;
}

/** Thrown by what a ground cannot do: the scenario is skipped, and says why. */
export class NotHere extends Error {}

/** How a gateway of a scenario connects to its broker: again at once. */
export const connection = { reconnectPeriod: 20, maxReconnectPeriod: 50 };

/** A port of 127.0.0.1 that nobody listened at a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A port of 127.0.0.1 that no datagrams went to a moment ago. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

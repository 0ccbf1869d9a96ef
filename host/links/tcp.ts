import { connect, type Socket } from 'node:net';
import type { OpenLink } from './link.js';
import { streamLink } from './stream.js';

/** Begins a TCP connection. */
export const tcpSocket = (host: string, port: number) => (): Socket => connect({ host, port });

export function tcpLink(host: string, port: number): OpenLink {
  const socket = tcpSocket(host, port);
  return (listener) => streamLink(socket(), 'connect', listener);
}

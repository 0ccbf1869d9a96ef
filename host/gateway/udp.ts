import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import type { Transport } from './gateway.js';

export interface UdpOptions {
  /** 0 takes a free one. */
  port: number;
  /** Default: all of IPv4. */
  host?: string;
  /** Where ADVERTISE goes; a multicast group is joined, so that SEARCHGW is heard there. */
  group?: { host: string; port: number };
}

export interface UdpTransport extends Transport {
  /** The port it listens at. */
  readonly port: number;
  close(): void;
}

/** Largest payload of a datagram over IPv4, in bytes. */
const LARGEST = 65_507;

/** For bursts of many clients; the system may grant less. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Listens; `receive` gets each datagram with its sender as a peer. Rejects when the port cannot be had. */
export async function openUdp(
  { port, host = '0.0.0.0', group }: UdpOptions,
  receive: (datagram: Uint8Array, peer: string) => void,
): Promise<UdpTransport> {
  // A group's port may be shared with clients on this machine.
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reuseAddr: group !== undefined });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  socket.on('error', () => {}); // a datagram that could not be sent is a lost one
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER);
  } catch {
    // the system's own size has to do
  }
  if (group) listenTo(socket, group.host);
  socket.on('message', (datagram, { address, port: from }) => receive(datagram, `${address} ${from}`));
  return {
    port: (socket.address() as AddressInfo).port,
    send(peer, datagram) {
      const space = peer.lastIndexOf(' ');
      socket.send(datagram, Number(peer.slice(space + 1)), peer.slice(0, space), lost);
    },
    broadcast(datagram) {
      if (group) socket.send(datagram, group.port, group.host, lost);
    },
    largest: () => LARGEST,
    close: () => socket.close(),
  };
}

function lost(): void {
  // as any datagram may be
}

/** Throws when the group cannot be joined. */
function listenTo(socket: Socket, host: string): void {
  const multicast = isIPv6(host) ? /^ff/i.test(host) : /^(22[4-9]|23\d)\./.test(host);
  if (multicast) socket.addMembership(host);
  else socket.setBroadcast(true);
}

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
  /** Closes when what was sent has left. */
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
  let underWay = 0; // datagrams that the system has not taken yet
  let closing = false;
  const send = (datagram: Uint8Array, to: number, address: string) => {
    underWay++;
    socket.send(datagram, to, address, () => {
      if (--underWay === 0 && closing) socket.close(); // one that failed is lost, as any may be
    });
  };
  return {
    port: (socket.address() as AddressInfo).port,
    send(peer, datagram) {
      const space = peer.lastIndexOf(' ');
      if (!closing) send(datagram, Number(peer.slice(space + 1)), peer.slice(0, space));
    },
    broadcast(datagram) {
      if (group && !closing) send(datagram, group.port, group.host);
    },
    largest: () => LARGEST,
    close() {
      closing = true;
      if (underWay === 0) socket.close();
    },
  };
}

/** Throws when the group cannot be joined. */
function listenTo(socket: Socket, host: string): void {
  const multicast = isIPv6(host) ? /^ff/i.test(host) : /^(22[4-9]|23\d)\./.test(host);
  if (multicast) socket.addMembership(host);
  else socket.setBroadcast(true);
}

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Transport } from './gateway.js';
import { SENDING_BYTES } from './limits.js';

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
  /** Datagrams that were not sent, for the system did not take those before. */
  readonly dropped: number;
  /** Closes when what was sent has left. */
  close(): void;
}

/** Largest payload of a datagram over IPv4, in bytes. */
const LARGEST = 65_507;

/** For bursts of many clients; the system may grant less. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Listens; `receive` gets each datagram with its sender as a peer. Rejects when the port cannot be had, or the group not be joined. */
export async function openUdp(
  { port, host = '0.0.0.0', group }: UdpOptions,
  receive: (datagram: Uint8Array, peer: string) => void,
): Promise<UdpTransport> {
  const heard = (datagram: Uint8Array, { address, port: from }: RemoteInfo) => receive(datagram, `${address} ${from}`);
  // Only a port that is the group's own is shared, with the clients on this machine; any other must be ours alone.
  const hearsGroup = group !== undefined && group.port === port && isAny(host);
  const socket = await bound(host, port, hearsGroup);
  socket.on('message', heard);
  let ear: Socket | undefined;
  try {
    if (group) {
      // Bound to one address, or to another port, a socket does not hear what is sent to the group.
      if (!hearsGroup) ear = await bound(process.platform === 'win32' ? '0.0.0.0' : group.host, group.port, true);
      ear?.on('message', heard);
      join(ear ?? socket, socket, group.host, host);
    }
  } catch (error) {
    socket.close();
    ear?.close();
    throw error;
  }
  let underWay = 0; // datagrams that the system has not taken yet
  let bytesUnderWay = 0;
  let dropped = 0;
  let closing = false;
  const send = (datagram: Uint8Array, to: number, address: string) => {
    if (bytesUnderWay + datagram.length > SENDING_BYTES) {
      dropped++;
      return;
    }
    underWay++;
    bytesUnderWay += datagram.length;
    socket.send(datagram, to, address, () => {
      bytesUnderWay -= datagram.length;
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
    get dropped() {
      return dropped;
    },
    close() {
      closing = true;
      ear?.close();
      if (underWay === 0) socket.close();
    },
  };
}

/** A socket that is bound, and from then on takes errors for lost datagrams. */
async function bound(host: string, port: number, shared: boolean): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reuseAddr: shared });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  socket.on('error', () => {});
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER);
  } catch {
    // the system's own size has to do
  }
  return socket;
}

/** Lets `ear` hear the group and `mouth` speak to it, over the interface of `host` where that is one address. */
function join(ear: Socket, mouth: Socket, group: string, host: string): void {
  const multicast = isIPv6(group) ? /^ff/i.test(group) : /^(22[4-9]|23\d)\./.test(group);
  if (!multicast) mouth.setBroadcast(true);
  else if (isAny(host)) ear.addMembership(group);
  else {
    ear.addMembership(group, host);
    mouth.setMulticastInterface(host);
  }
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

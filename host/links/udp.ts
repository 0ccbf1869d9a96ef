import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Inlet } from './inlet.js';
import type { Discovery, Link, LinkListener, OpenLink, Sender } from './link.js';
import { explain } from './stream.js';

/** With so many datagrams not yet passed on by the system, send() answers 0. */
const BUSY_SENDS = 16;
/** A search stays in its own network: SEARCHGW has a radius of its own beyond it. */
const SEARCH_HOPS = 1;
const LIMITED_BROADCAST = '255.255.255.255';

type Sent = (error: Error | null) => void;
type Transmit = (bytes: Buffer, sent: Sent) => void;
/** Makes a socket that ends with the link; only `shared` ones may have a port in common with others. */
type SocketOf = (family: number, shared?: boolean) => Socket;

/**
 * Links to the gateway at `host`; each hears only that one. Of a name with several addresses, an opening takes the next one when nothing was
 * heard from the last: nothing else tells that nobody is there.
 */
export function udpLink(host: string, port: number): OpenLink {
  let turn = -1;
  let heard = false;
  return (listener) =>
    open(listener, async (socketOf, inlet) => {
      const addresses = await lookup(host, { all: true });
      if (!heard) turn = (turn + 1) % addresses.length;
      heard = false;
      const { address, family } = addresses[turn % addresses.length] as (typeof addresses)[number];
      const socket = socketOf(family);
      await new Promise<void>((resolve, reject) => {
        const connected = (error?: Error) => (error ? reject(error) : resolve());
        socket.connect(port, address, connected as () => void); // the types do not know that it is called with an error, too
      });
      socket.on('message', (message, from) => {
        heard = true;
        inlet.take(message, sender(from));
      });
      return (bytes, sent) => socket.send(bytes, sent);
    });
}

/**
 * Gateways searched at `host`: a multicast group, a broadcast address, or one host that is asked directly. `via` names the network that a
 * group is joined on, as Node does: an address of this host, or `::%eth0` for IPv6; without it the system chooses.
 */
export function udpDiscovery(host: string, port: number, via?: string): Discovery {
  return {
    search: (listener) => open(listener, (socketOf, inlet) => openSearch(host, port, via, socketOf, inlet)),
    gateway(address) {
      const found = address instanceof Uint8Array ? networkAddress(address, port) : address;
      return found && isOneHost(found.host) ? udpLink(found.host, found.port) : undefined;
    },
  };
}

/**
 * Asks from a socket of its own, where answers to it arrive. What is sent to all arrives at a second socket: several boards of one host share
 * its port, and the system gives a datagram to one host only to one of them. That socket is bound to the group or the broadcast address,
 * so that it takes nothing that was sent to a gateway on this host.
 */
async function openSearch(host: string, port: number, via: string | undefined, socketOf: SocketOf, inlet: Inlet): Promise<Transmit> {
  const { address, family } = await lookup(host);
  const multicast = isMulticast(address);
  const asking = socketOf(family);
  await bound(asking, 0);
  if (family === 4) asking.setBroadcast(true); // also of a network that is not ours
  if (multicast) {
    asking.setMulticastTTL(SEARCH_HOPS);
    if (via !== undefined) asking.setMulticastInterface(via);
  }
  if (multicast || isBroadcast(address)) {
    const shared = socketOf(family, true);
    await bound(shared, port, boundAddress(address, via));
    if (multicast) shared.addMembership(address, via);
    const own = asking.address().port;
    shared.on('message', (message, from) => {
      if (from.port !== own || !isOurs(from.address)) inlet.take(message, sender(from)); // not what we sent ourselves
    });
  }
  asking.on('message', (message, from) => inlet.take(message, sender(from)));
  return (bytes, sent) => asking.send(bytes, port, address, sent);
}

/** A link over the sockets that `begin` opens and readies for sending. */
function open(listener: LinkListener, begin: (socketOf: SocketOf, inlet: Inlet) => Promise<Transmit>): Link {
  const inlet = new Inlet(listener);
  const sockets: Socket[] = [];
  let transmit: Transmit | undefined;
  let sending = 0;
  let refused = false; // send() answered 0 and writable() is owed

  const leave = () => {
    for (const socket of sockets.splice(0)) socket.close();
  };
  const fail = (error: Error) => {
    leave();
    inlet.end(...explain(error));
  };
  const socketOf: SocketOf = (family, shared = false) => {
    const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', reuseAddr: shared, ipv6Only: family === 6 });
    socket.on('error', fail);
    sockets.push(socket);
    return socket;
  };
  const sent: Sent = (error) => {
    sending--;
    if (error) return fail(error);
    if (inlet.over) {
      if (sending === 0) leave();
    } else if (refused) {
      refused = false;
      listener.writable();
    }
  };

  begin(socketOf, inlet).then((ready) => {
    if (inlet.over) return leave();
    transmit = ready;
    listener.opened();
  }, fail);

  return {
    datagrams: true,
    send(bytes) {
      if (!transmit || inlet.over) return 0; // opened() or closed() is on its way
      if (sending >= BUSY_SENDS) {
        refused = true;
        return 0;
      }
      sending++;
      transmit(Buffer.from(bytes), sent); // a copy: the socket keeps the reference
      return bytes.length;
    },
    pause: () => inlet.pause(),
    resume: () => inlet.resume(),
    close() {
      inlet.silence();
      if (sending === 0) leave();
    },
  };
}

function bound(socket: Socket, port: number, address?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port, ...(address !== undefined && { address }) }, resolve);
  });
}

/** Windows binds to no group; a group of one link (ff01, ff02) is bound with its zone, or not at all. Undefined is any address. */
function boundAddress(address: string, via: string | undefined): string | undefined {
  if (process.platform === 'win32') return undefined;
  if (!/^ff[0-9a-f][12]:/i.test(address)) return address;
  const zone = via?.split('%')[1];
  return zone === undefined ? undefined : `${address}%${zone}`;
}

const sender = ({ address, port }: RemoteInfo): Sender => ({ host: address, port });

/** The address of a GWINFO (SN 5.4.3), which leaves open what it consists of; the port is the one of the search where it has none. */
function networkAddress(bytes: Uint8Array, searched: number): Sender | undefined {
  const view = Buffer.from(bytes);
  const long = view.length === 16 || view.length === 18;
  if (!long && view.length !== 4 && view.length !== 6) return undefined;
  const size = long ? 16 : 4;
  const port = view.length > size ? view.readUInt16BE(size) : searched;
  if (port === 0) return undefined;
  const host = long ? (view.toString('hex', 0, size).match(/.{4}/g) ?? []).join(':') : view.subarray(0, size).join('.');
  return { host, port };
}

/** Whether the IP address `host` is one at which gateways are searched: of a multicast group, or of all hosts of the network. */
export function isGroup(host: string): boolean {
  return isMulticast(host) || host === LIMITED_BROADCAST;
}

function isMulticast(host: string): boolean {
  if (isIPv4(host)) return Number.parseInt(host, 10) >= 224 && Number.parseInt(host, 10) < 240;
  return isIPv6(host) && /^ff..:/i.test(host);
}

function isOneHost(host: string): boolean {
  return isIP(host) !== 0 && !isGroup(host) && !/^(0\.0\.0\.0|[0:]+)$/.test(host);
}

/** Whether `address` reaches all hosts, or all of a network that this host is in. */
function isBroadcast(address: string): boolean {
  const word = (text: string) => text.split('.').reduce((value, part) => (value << 8) | Number(part), 0);
  const isOf = ({ family, address: own, netmask }: { family: string; address: string; netmask: string }) =>
    family === 'IPv4' && ~word(netmask) !== 0 && word(address) === (word(own) | ~word(netmask));
  return address === LIMITED_BROADCAST || (isIPv4(address) && interfaces().some(isOf));
}

function isOurs(address: string): boolean {
  const [bare] = address.split('%');
  return interfaces().some((each) => each.address === bare);
}

const interfaces = () => Object.values(networkInterfaces()).flatMap((each) => each ?? []);

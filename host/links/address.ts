import { domainToASCII } from 'node:url';
import { CONFIG_DISCOVERY, CONFIG_PROTOCOL } from '../contract.js';
import type { Discovery, OpenLink } from './link.js';
import { serialLink } from './serial.js';
import { tcpLink, tcpSocket } from './tcp.js';
import { type TlsOptions, tlsLink, tlsSocket } from './tls.js';
import { isGroup, udpDiscovery, udpLink } from './udp.js';
import { type WebsocketOptions, websocketLink } from './websocket.js';

/** TLS options apply to mqtts:// and wss://, those of WebSocket to ws:// and wss://; elsewhere they have no effect. */
export interface LinkOptions extends TlsOptions, WebsocketOptions {}

export type Address = StreamAddress | UdpAddress | SerialAddress;

export interface StreamAddress {
  carrier: 'tcp' | 'tls' | 'ws' | 'wss';
  /** A name in ASCII, or an IP address without brackets. */
  host: string;
  port: number;
  /** Path and query, for WebSocket. */
  path: string;
}

/** MQTT-SN over UDP. */
export interface UdpAddress {
  carrier: 'udp';
  host: string;
  port: number;
  /** Whether gateways are searched there, instead of the one that is there being used. */
  search: boolean;
}

/** MQTT-SN over a serial line. */
export interface SerialAddress {
  carrier: 'serial';
  /** Of the device file, absolute. */
  path: string;
  /** Bits per second. */
  baud: number;
}

const schemes: Readonly<Record<string, [carrier: Address['carrier'], port: number]>> = {
  'mqtt:': ['tcp', 1883],
  'tcp:': ['tcp', 1883],
  'mqtts:': ['tls', 8883],
  'ssl:': ['tls', 8883],
  'tls:': ['tls', 8883],
  'ws:': ['ws', 80],
  'wss:': ['wss', 443],
  'mqtt-sn:': ['udp', 1884],
  'mqtt-sn+serial:': ['serial', 0],
};

export const DEFAULT_BAUD = 115_200;
/** What the drivers of serial ports know, from a teleprinter's rate to the fastest of USB adapters. */
/** Rates of a serial line that are worth asking for. */
export const BAUD_RANGE = [50, 4_000_000] as const;

/** What a board takes from its broker's address. */
export interface Route {
  /** The broker or the gateway itself; none when gateways are searched. */
  links: OpenLink[];
  discovery: Discovery | undefined;
  /** The values of CONFIG_PROTOCOL and CONFIG_DISCOVERY, by number. */
  config: ReadonlyMap<number, number>;
}

/** `urls`: one address, or several brokers of one protocol, in the order in which they are tried. */
export function routeTo(urls: string | URL | readonly (string | URL)[], options: LinkOptions = {}): Route {
  const all = typeof urls === 'string' || urls instanceof URL ? [urls] : urls;
  const [first] = all;
  if (first === undefined) throw new TypeError('no address: the list of brokers is empty');
  const overSn = isMqttSn(first);
  const discovery = discoveryAt(first);
  for (const url of all) {
    if (isMqttSn(url) !== overSn)
      throw new TypeError(`address '${redact(String(url))}': it speaks another protocol than the first address`);
    if (all.length > 1 && discoveryAt(url))
      throw new TypeError(`address '${redact(String(url))}': gateways are searched there; such an address stands alone`);
  }
  const config = new Map([
    [CONFIG_PROTOCOL, overSn ? 1 : 0],
    [CONFIG_DISCOVERY, discovery ? 1 : 0],
  ]);
  return { links: discovery ? [] : all.map((url) => linkTo(url, options)), discovery, config };
}

/** Whether what speaks at `url` speaks MQTT-SN. */
export function isMqttSn(url: string | URL): boolean {
  const { carrier } = parseAddress(url);
  return carrier === 'udp' || carrier === 'serial';
}

/**
 * How to open links to `url`. Credentials in it are not for the link; a bad address or unreadable keys are thrown, and so is one where gateways are
 * searched (discoveryAt).
 */
export function linkTo(url: string | URL, options: LinkOptions = {}): OpenLink {
  const address = parseAddress(url);
  if (address.carrier === 'serial') return serialLink(address.path, address.baud);
  const { carrier, host, port } = address;
  if (carrier === 'udp') {
    if (address.search)
      throw new TypeError(`address '${redact(String(url))}': gateways are searched there; it is not one of a gateway itself.`);
    return udpLink(host, port);
  }
  if (carrier === 'tcp') return tcpLink(host, port);
  if (carrier === 'tls') return tlsLink(host, port, options);
  const target = new URL(`${carrier}://${host.includes(':') ? `[${host}]` : host}:${port}${address.path}`);
  return websocketLink(target, carrier === 'wss' ? tlsSocket(host, port, options) : tcpSocket(host, port), options);
}

/** How gateways are searched at `url`; undefined when it is the address of the gateway or the broker itself. */
export function discoveryAt(url: string | URL): Discovery | undefined {
  const address = parseAddress(url);
  return address.carrier === 'udp' && address.search ? udpDiscovery(address.host, address.port) : undefined;
}

type Refuse = (what: string) => TypeError;

export function parseAddress(url: string | URL): Address {
  const text = String(url);
  const shown = redact(text);
  const refuse: Refuse = (what) =>
    new TypeError(
      `address '${shown}': ${what}. Write mqtt://host:1883, mqtts://host:8883, ws://host:80/path or wss://host:443/path ` +
        '(tcp:// is mqtt://; ssl:// and tls:// are mqtts://), mqtt-sn://host:1884, without the port for these defaults; ' +
        `or mqtt-sn+serial:///dev/ttyUSB0?baud=${DEFAULT_BAUD}.`,
    );

  const scheme = /^\s*([a-z][a-z0-9+.-]*:)\/\//i.exec(text)?.[1]?.toLowerCase();
  if (!scheme) throw refuse('it has no scheme');
  const known = Object.hasOwn(schemes, scheme) && schemes[scheme];
  if (!known) throw refuse(`the scheme ${scheme}// is not known`);
  const [carrier, usualPort] = known;

  if (!URL.canParse(text)) {
    const [, port] = /:(\d+)\s*(?:[/?#]|$)/.exec(shown) ?? [];
    throw refuse(Number(port) > 65535 ? `port ${port} is not within 1 to 65535` : 'its host is missing, or host or port are malformed');
  }
  const parsed = new URL(text);
  if (carrier === 'serial') return serialAddress(parsed, refuse);
  const { hostname, port: digits, pathname, search } = parsed;
  if (!hostname) throw refuse('its host is missing');
  if (digits === '0') throw refuse('port 0 is not within 1 to 65535');
  const host = plainHost(hostname);
  if (!host) throw refuse('its host is not a valid name');
  const port = Number(digits) || usualPort;
  if (carrier === 'udp') return { carrier, host, port, search: isSearch(parsed, refuse) || isGroup(host) };
  return { carrier, host, port, path: (pathname || '/') + search };
}

/** Whether the address ends in ?search; it may have nothing else behind its port. */
function isSearch({ username, password, pathname, searchParams, hash }: URL, refuse: Refuse): boolean {
  if (username || password) throw refuse('MQTT-SN 1.2 has no user names and passwords; leave out what stands before the @');
  if (pathname.length > 1 || hash) throw refuse('an address of MQTT-SN has no path');
  checkSettings(searchParams, 'search', refuse);
  if (searchParams.get('search')) throw refuse("'search' has no value; write ?search");
  return searchParams.has('search');
}

function serialAddress({ host, pathname, searchParams, hash }: URL, refuse: Refuse): SerialAddress {
  if (host) throw refuse('a host stands where the path of a serial port should; three slashes begin an absolute path');
  let path = '';
  try {
    path = decodeURIComponent(pathname);
  } catch {
    throw refuse('in its path, a % is not followed by two hexadecimal digits; write %25 for the sign itself');
  }
  if (path.length < 2 || hash) throw refuse('its path is missing or is not one of a serial port');
  checkSettings(searchParams, 'baud', refuse);
  const baud = searchParams.get('baud') ?? String(DEFAULT_BAUD);
  const [least, most] = BAUD_RANGE;
  if (!/^\d+$/.test(baud) || Number(baud) < least || Number(baud) > most)
    throw refuse(`baud '${baud}' is not a whole number within ${least} to ${most}`);
  return { carrier: 'serial', path, baud: Number(baud) };
}

/** Refuses settings behind the ? that the address does not have, or has twice. */
function checkSettings(settings: URLSearchParams, only: string, refuse: Refuse): void {
  for (const name of settings.keys()) if (name !== only) throw refuse(`'${name}' is not known behind the ?; '${only}' is`);
  if (settings.getAll(only).length > 1) throw refuse(`'${only}' stands there twice`);
}

/** Only schemes the URL standard knows (ws, wss) have their names made ASCII there; '' when that cannot be done. */
function plainHost(hostname: string): string {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  try {
    return domainToASCII(decodeURIComponent(hostname));
  } catch {
    return '';
  }
}

/** An address as it may be shown. What does not parse may have its password anywhere, so all that could be one goes. */
export function redact(text: string): string {
  return text
    .replace(/^([^/@]*:\/\/)?.*@/s, '$1…@') // user and password, which may hold / ? # and @
    .replace(/(:\/\/(?:\[[^\]]*\]|[^:/?#[]*):)(?!\d+(?:[/?#]|$))[^/?#]*/, '$1…') // user:password without an @ looks like host:port
    .replace(/([?#]).*/s, '$1…'); // a token in the query
}

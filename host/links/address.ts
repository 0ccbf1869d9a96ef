import { domainToASCII } from 'node:url';
import type { OpenLink } from './link.js';
import { tcpLink, tcpSocket } from './tcp.js';
import { type TlsOptions, tlsLink, tlsSocket } from './tls.js';
import { websocketLink } from './websocket.js';

/** TLS options apply to mqtts:// and wss://, headers to ws:// and wss://; elsewhere they have no effect. */
export interface LinkOptions extends TlsOptions {
  /** Header fields of the WebSocket handshake, an Authorization for example. */
  headers?: Record<string, string> | undefined;
}

export interface Address {
  carrier: 'tcp' | 'tls' | 'ws' | 'wss';
  /** A name in ASCII, or an IP address without brackets. */
  host: string;
  port: number;
  /** Path and query, for WebSocket. */
  path: string;
}

const schemes: Readonly<Record<string, [carrier: Address['carrier'], port: number]>> = {
  'mqtt:': ['tcp', 1883],
  'tcp:': ['tcp', 1883],
  'mqtts:': ['tls', 8883],
  'ssl:': ['tls', 8883],
  'tls:': ['tls', 8883],
  'ws:': ['ws', 80],
  'wss:': ['wss', 443],
};

/** How to open links to `url`. Credentials in it are not for the link; a bad address or unreadable keys are thrown. */
export function linkTo(url: string | URL, options: LinkOptions = {}): OpenLink {
  const { carrier, host, port, path } = parseAddress(url);
  if (carrier === 'tcp') return tcpLink(host, port);
  if (carrier === 'tls') return tlsLink(host, port, options);
  const target = new URL(`${carrier}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`);
  return websocketLink(target, carrier === 'wss' ? tlsSocket(host, port, options) : tcpSocket(host, port), options.headers);
}

export function parseAddress(url: string | URL): Address {
  const text = String(url);
  const shown = redact(text);
  const refuse = (what: string) =>
    new TypeError(
      `address '${shown}': ${what}. Write mqtt://host:1883, mqtts://host:8883, ws://host:80/path or wss://host:443/path ` +
        '(tcp:// is mqtt://; ssl:// and tls:// are mqtts://), without the port for these defaults.',
    );

  const scheme = /^\s*([a-z][a-z0-9+.-]*:)\/\//i.exec(text)?.[1]?.toLowerCase();
  if (!scheme) throw refuse('it has no scheme');
  const known = Object.hasOwn(schemes, scheme) && schemes[scheme];
  if (!known) throw refuse(`the scheme ${scheme}// is not known`);

  if (!URL.canParse(text)) {
    const [, port] = /:(\d+)\s*(?:[/?#]|$)/.exec(shown) ?? [];
    throw refuse(Number(port) > 65535 ? `port ${port} is not within 1 to 65535` : 'its host is missing, or host or port are malformed');
  }
  const { hostname, port: digits, pathname, search } = new URL(text);
  if (!hostname) throw refuse('its host is missing');
  if (digits === '0') throw refuse('port 0 is not within 1 to 65535');
  const host = plainHost(hostname);
  if (!host) throw refuse('its host is not a valid name');
  return { carrier: known[0], host, port: Number(digits) || known[1], path: (pathname || '/') + search };
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

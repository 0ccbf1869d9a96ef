import { isIP } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { OpenLink } from './link.js';
import { streamLink } from './stream.js';

/** `ca`, `cert`, `key`, `passphrase` and the rest of `node:tls`; a `ca` takes the place of the system's list of authorities. */
export interface TlsOptions extends SecureContextOptions {
  /** Only `false` accepts a certificate that is not trusted, expired or for another host. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /** The name asked for and expected in the certificate. Default: the host of the address. */
  servername?: string | undefined;
  /** Takes the place of the check of the host name; undefined accepts the certificate, an Error says why not. */
  checkServerIdentity?: ConnectionOptions['checkServerIdentity'];
}

/** Said aloud, or the environment (--tls-min-v1.0) would decide. */
const OLDEST = 'TLSv1.2';

/** The options that have a value: one that is there and undefined must not hide ours. */
const given = (options: TlsOptions) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as TlsOptions;

let warned = false;

/** Once a process: whoever reads its stderr shall know. */
function warnInsecure(host: string, port: number): void {
  if (warned) return;
  warned = true;
  process.emitWarning(
    `rejectUnauthorized: false: the client of ${host}:${port} accepts any certificate, so whoever is on the way can read and change everything, passwords too`,
    { code: 'TWOBYTE_INSECURE' },
  );
}

/** Begins a TLS connection. Keys and certificates are read here, once, and what cannot be read is thrown. */
export function tlsSocket(host: string, port: number, options: TlsOptions = {}): () => TLSSocket {
  let secureContext: ReturnType<typeof createSecureContext>;
  try {
    secureContext = createSecureContext({ ...(!options.secureProtocol && { minVersion: OLDEST }), ...given(options) });
  } catch (error) {
    throw new TypeError(
      `TLS to ${host}:${port}: ca, cert, key or passphrase cannot be used (${(error as Error).message}). Give PEM text, cert with its key.`,
    );
  }
  const servername = options.servername ?? (isIP(host) ? '' : host); // an IP address is no name to ask for
  const rejectUnauthorized = options.rejectUnauthorized !== false; // said aloud, or NODE_TLS_REJECT_UNAUTHORIZED would decide
  if (!rejectUnauthorized) warnInsecure(host, port);
  const { checkServerIdentity } = options;
  return () => connect({ host, port, servername, secureContext, rejectUnauthorized, ...(checkServerIdentity && { checkServerIdentity }) });
}

export function tlsLink(host: string, port: number, options?: TlsOptions): OpenLink {
  const socket = tlsSocket(host, port, options);
  return (listener) => streamLink(socket(), 'secureConnect', listener);
}

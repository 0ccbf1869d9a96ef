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

/** Begins a TLS connection. Keys and certificates are read here, once, and what cannot be read is thrown. */
export function tlsSocket(host: string, port: number, options: TlsOptions = {}): () => TLSSocket {
  let secureContext: ReturnType<typeof createSecureContext>;
  try {
    secureContext = createSecureContext(options);
  } catch (error) {
    throw new TypeError(
      `TLS to ${host}:${port}: ca, cert, key or passphrase cannot be used (${(error as Error).message}). Give PEM text, cert with its key.`,
    );
  }
  const servername = options.servername ?? (isIP(host) ? '' : host); // an IP address is no name to ask for
  const rejectUnauthorized = options.rejectUnauthorized !== false; // said aloud, or NODE_TLS_REJECT_UNAUTHORIZED would decide
  const { checkServerIdentity } = options;
  return () => connect({ host, port, servername, secureContext, rejectUnauthorized, ...(checkServerIdentity && { checkServerIdentity }) });
}

export function tlsLink(host: string, port: number, options?: TlsOptions): OpenLink {
  const socket = tlsSocket(host, port, options);
  return (listener) => streamLink(socket(), 'secureConnect', listener);
}

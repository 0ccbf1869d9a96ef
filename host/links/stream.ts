import type { Socket } from 'node:net';
import {
  REASON_CERTIFICATE,
  REASON_ENDED,
  REASON_NAME,
  REASON_OTHER,
  REASON_REFUSED,
  REASON_RESET,
  REASON_TLS,
  REASON_UNREACHABLE,
} from '../contract.js';
import type { Link, LinkListener } from './link.js';

/** How long a closed link may take to flush what it took, in ms. */
export const GRACE_MS = 2000;

/** So many writes within GATHER_MS leave at once; what follows waits for its end and leaves together. */
const PROMPT_WRITES = 24;
const GATHER_MS = 1;

const reasons: Readonly<Record<string, number>> = {
  ECONNREFUSED: REASON_REFUSED,
  EHOSTUNREACH: REASON_UNREACHABLE,
  EHOSTDOWN: REASON_UNREACHABLE,
  ENETUNREACH: REASON_UNREACHABLE,
  ENETDOWN: REASON_UNREACHABLE,
  ENODEV: REASON_UNREACHABLE, // no network to join a multicast group on
  EADDRNOTAVAIL: REASON_UNREACHABLE,
  ETIMEDOUT: REASON_UNREACHABLE,
  ERR_SOCKET_CONNECTION_TIMEOUT: REASON_UNREACHABLE,
  ENOTFOUND: REASON_NAME,
  ECONNRESET: REASON_RESET,
  ECONNABORTED: REASON_RESET,
  EPIPE: REASON_RESET,
  EPROTO: REASON_TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: REASON_CERTIFICATE,
  UNSPECIFIED: REASON_CERTIFICATE, // OpenSSL's verdict on a certificate that Node has no name for
};

// Node's names of OpenSSL's X509_V_ERR_…; a complaint of the peer about our own certificate begins with ERR_SSL_ instead.
const x509 = /^(CERT_|CRL_|UNABLE_TO_|ERROR_IN_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_)/;

// What OpenSSL found while Node wrote comes as one line: number:error:code:library:function:reason:file:line.
const opensslLine = /:error:[0-9A-F]+:([^:]*):[^:]*:([^:]*):/;

interface SystemError extends Error {
  code?: string;
  /** Only errors of OpenSSL have these two; their message is a line of its source code. */
  library?: string;
  reason?: string;
}

/** The REASON_… of what a socket reported, and its words for people. */
export function explain(error: Error): [reason: number, message: string] {
  // Several addresses were tried: each failed, and the first is the one the system prefers.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return explain(error.errors[0]);
  const { code = '', message } = error as SystemError;
  const [, library, cause] = opensslLine.exec(message) ?? ['', (error as SystemError).library, (error as SystemError).reason];
  // A peer that hangs up on the handshake has the code of a reset, but speaks no TLS, or not with us.
  if (message.includes('before secure TLS connection')) return [REASON_TLS, message];
  return [reasons[code] ?? family(code), library && cause ? `${library}: ${cause}` : message || code];
}

function family(code: string): number {
  if (code.startsWith('EAI_')) return REASON_NAME;
  if (/^ERR_(SSL|TLS|OSSL)_/.test(code)) return REASON_TLS;
  return x509.test(code) ? REASON_CERTIFICATE : REASON_OTHER;
}

/** A link over a socket that has just begun to connect and says `ready` when bytes can be sent: TCP and TLS. */
export function streamLink(socket: Socket, ready: 'connect' | 'secureConnect', listener: LinkListener): Link {
  let state: 'opening' | 'open' | 'over' = 'opening';
  let refused = false; // send() answered 0 and writable() is owed

  /** Ends our side; what was taken is flushed, and a peer that never ends its own is left behind. */
  const leave = () => {
    socket.resume(); // unread, the socket would not see the peer's end, and would answer it with a reset
    socket.end();
    const grace = setTimeout(() => socket.destroy(), GRACE_MS).unref();
    socket.once('close', () => clearTimeout(grace));
  };

  // A system call costs as much as encoding twenty messages, and as much again at the peer, which answers each write with one of its own. A
  // caller that awaits each answer stays below PROMPT_WRITES and never waits.
  let writes = 0;
  let writesSince = 0;
  let gathering = false;
  const flush = () => {
    gathering = false;
    writes = 0;
    writesSince = performance.now();
    socket.uncork();
  };
  const gatherUnderLoad = () => {
    if (gathering || ++writes <= PROMPT_WRITES) return;
    const now = performance.now();
    if (now - writesSince >= GATHER_MS) {
      writes = 1;
      writesSince = now;
      return;
    }
    gathering = true;
    socket.cork();
    setTimeout(flush, GATHER_MS);
  };

  const over = (reason: number, message: string) => {
    if (state === 'over') return;
    state = 'over';
    listener.closed(reason, message);
  };

  socket.setNoDelay(true); // a packet is written whole; waiting for more only delays it
  socket.once(ready, () => {
    if (state === 'over') return;
    state = 'open';
    listener.opened();
  });
  socket.on('data', (chunk: Buffer) => {
    if (state !== 'over') listener.received(chunk);
  });
  socket.on('drain', () => {
    if (!refused || state === 'over') return;
    refused = false;
    listener.writable();
  });
  socket.on('error', (error) => over(...explain(error)));
  socket.on('end', () => {
    if (state !== 'open') return; // an end within the TLS handshake comes as an error, too
    leave();
    over(REASON_ENDED, 'the peer closed the connection');
  });
  socket.on('close', () => over(REASON_RESET, 'the connection is gone')); // the last resort: 'error' or 'end' came before

  return {
    send(bytes) {
      if (state !== 'open' || !socket.writable) return 0; // opened() or closed() is on its way
      if (socket.writableNeedDrain) {
        refused = true;
        return 0;
      }
      gatherUnderLoad();
      socket.write(Buffer.from(bytes)); // a copy: write() keeps the reference
      return bytes.length;
    },
    pause: () => {
      if (state !== 'over') socket.pause();
    },
    resume: () => {
      if (state !== 'over') socket.resume();
    },
    close() {
      if (state === 'opening') socket.destroy();
      if (state === 'open') leave();
      state = 'over';
    },
  };
}

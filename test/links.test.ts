import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type Server as HttpServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  REASON_CERTIFICATE,
  REASON_ENDED,
  REASON_NAME,
  REASON_OTHER,
  REASON_REFUSED,
  REASON_RESET,
  REASON_TLS,
  REASON_UNREACHABLE,
  REASON_WEBSOCKET,
  reasonNames,
} from '../host/contract.js';
import { type LinkOptions, linkTo, parseAddress } from '../host/links/address.js';
import type { Link, LinkListener } from '../host/links/link.js';
import { explain, GRACE_MS } from '../host/links/stream.js';
import { type Certificates, makeCertificates, type Pair } from './certificates.js';

const DEADLINE_MS = 10_000;

const bytes = (text: string) => new TextEncoder().encode(text);

/** Waits for the next event of that name; a test that waits in vain fails with its name. */
async function next<T>(emitter: EventEmitter, event: string): Promise<T> {
  const [value] = await once(emitter, event, { signal: AbortSignal.timeout(DEADLINE_MS) });
  return value as T;
}

/** Listens to a link and notes what it hears, in order; a call from within a call of the link is a fault. */
class Ear extends EventEmitter implements LinkListener {
  readonly heard: string[] = [];
  text = '';
  reason = 0;
  message = '';
  calling = false;
  /** What a test does between two chunks. */
  onChunk: () => void = () => {};

  opened = () => this.note('opened');
  writable = () => this.note('writable');
  received = (chunk: Uint8Array) => {
    this.text += Buffer.from(chunk).toString('latin1');
    this.note('received');
    this.onChunk();
  };
  closed = (reason: number, message: string) => {
    this.reason = reason;
    this.message = message;
    this.note('closed');
  };

  note(what: string): void {
    assert.equal(this.calling, false, `${what} came from within a call of the link`);
    this.heard.push(what);
    this.emit('heard');
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await next(this, 'heard');
  }

  hears(what: string): Promise<void> {
    return this.until(() => this.heard.includes(what));
  }
}

/** A link of one test, closed with it. */
function dial(t: TestContext, url: string, options?: LinkOptions): { link: Link; ear: Ear } {
  const ear = new Ear();
  const guard = <T>(call: () => T): T => {
    ear.calling = true;
    try {
      return call();
    } finally {
      ear.calling = false;
    }
  };
  const inner = guard(() => linkTo(url, options)(ear));
  const link: Link = {
    send: (data) => guard(() => inner.send(data)),
    pause: () => guard(() => inner.pause()),
    resume: () => guard(() => inner.resume()),
    close: () => guard(() => inner.close()),
  };
  t.after(() => link.close());
  return { link, ear };
}

/** Lets a server listen on a free port for one test; answers the port. Connections left over are cut with it. */
async function listening(t: TestContext, server: Server | HttpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A scripted peer: what it reads, and the side of the connection it holds. */
async function tcpPeer(t: TestContext, script: (socket: Socket) => void = () => {}): Promise<{ url: string; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, script);
  return { url: `mqtt://127.0.0.1:${await listening(t, server)}`, server };
}

async function wsPeer(t: TestContext, script: (socket: WebSocket, headers: IncomingHttpHeaders, path: string) => void = () => {}) {
  const http = createHttpServer();
  const server = new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' });
  server.on('connection', (socket, request) => script(socket, request.headers, request.url ?? ''));
  return { url: `ws://127.0.0.1:${await listening(t, http)}`, server, http };
}

/** The socket below a WebSocket of the peer, to script what ws has no word for. */
const below = (socket: WebSocket) => (socket as unknown as { _socket: Socket })._socket;

/** Enough turns of the event loop for anything already on its way within the process to be told. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

describe('addresses', () => {
  for (const [url, carrier, host, port, path] of [
    ['mqtt://broker', 'tcp', 'broker', 1883, '/'],
    ['MQTT://broker', 'tcp', 'broker', 1883, '/'],
    ['tcp://broker:1884', 'tcp', 'broker', 1884, '/'],
    ['mqtts://broker', 'tls', 'broker', 8883, '/'],
    ['ssl://broker', 'tls', 'broker', 8883, '/'],
    ['tls://broker:443', 'tls', 'broker', 443, '/'],
    ['ws://broker', 'ws', 'broker', 80, '/'],
    ['wss://broker/mqtt?a=b#c', 'wss', 'broker', 443, '/mqtt?a=b'],
    ['mqtt://[::1]', 'tcp', '::1', 1883, '/'],
    ['ws://[::1]:8080/mqtt', 'ws', '::1', 8080, '/mqtt'],
    ['mqtt://user:pass@broker:1', 'tcp', 'broker', 1, '/'],
    ['mqtt://my_broker:65535', 'tcp', 'my_broker', 65535, '/'],
    ['mqtt://münchen.example', 'tcp', 'xn--mnchen-3ya.example', 1883, '/'],
  ] as const) {
    test(`reads ${url}`, () => assert.deepEqual(parseAddress(url), { carrier, host, port, path }));
  }

  for (const [url, shown, complaint] of [
    ['broker', 'broker', 'it has no scheme'],
    ['localhost:1883', 'localhost:1883', 'it has no scheme'],
    ['', '', 'it has no scheme'],
    ['http://broker', 'http://broker', 'the scheme http:// is not known'],
    ['constructor://broker', 'constructor://broker', 'the scheme constructor:// is not known'],
    ['mqtt://', 'mqtt://', 'its host is missing'],
    ['mqtt:///topic', 'mqtt:///topic', 'its host is missing'],
    ['ws://', 'ws://', 'its host is missing'],
    ['mqtt://:1883', 'mqtt://:1883', 'its host is missing'],
    ['mqtt://broker:0', 'mqtt://broker:0', 'port 0 is not within 1 to 65535'],
    ['ws://broker:65536/mqtt', 'ws://broker:65536/mqtt', 'port 65536 is not within 1 to 65535'],
    ['mqtt://broker:-1', 'mqtt://broker:…', 'its host is missing, or host or port are malformed'],
    ['mqtt://[::1', 'mqtt://[::1', 'its host is missing, or host or port are malformed'],
    ['mqtt://a%20b', 'mqtt://a%20b', 'its host is not a valid name'],
    ['mqtt://a%ffb', 'mqtt://a%ffb', 'its host is not a valid name'],
    ['amqp://u:secret@broker', 'amqp://…@broker', 'the scheme amqp:// is not known'],
    ['mqtt://u:secret@broker:70000', 'mqtt://…@broker:70000', 'port 70000 is not within'],
    ['mqtt://u:sec/ret?x#y@z@broker', 'mqtt://…@broker', 'malformed'],
    ['mqtt://u:70000/secret@broker', 'mqtt://…@broker', 'malformed'],
    ['mqtt://u:secret', 'mqtt://u:…', 'malformed'],
    ['mqtt://u:1secret', 'mqtt://u:…', 'malformed'],
    ['u:secret@broker', '…@broker', 'it has no scheme'],
    ['https://broker/mqtt?token=secret', 'https://broker/mqtt?…', 'the scheme https:// is not known'],
  ] as const) {
    test(`refuses '${url}'`, () => {
      assert.throws(
        () => linkTo(url),
        (error: Error) => {
          assert.ok(error instanceof TypeError);
          assert.ok(error.message.startsWith(`address '${shown}': ${complaint}`) || error.message.includes(complaint), error.message);
          assert.ok(error.message.includes(`'${shown}'`), error.message);
          assert.match(error.message, /mqtts:\/\/.*wss:\/\//);
          assert.doesNotMatch(error.stack ?? '', /secret/);
          return true;
        },
      );
    });
  }

  test('refuses keys that cannot be read before anything is opened', () => {
    assert.throws(() => linkTo('mqtts://u:secret@broker', { cert: 'x', key: 'y' }), /^TypeError: TLS to broker:8883: .*PEM/);
    assert.throws(() => linkTo('wss://broker', { cert: 'x', key: 'y' }), /PEM/);
  });

  test('refuses headers that HTTP does not allow before anything is opened', () => {
    assert.throws(() => linkTo('ws://broker', { headers: { 'a b': 'c' } }), TypeError);
    assert.throws(() => linkTo('ws://broker', { headers: { a: 'b\r\nc: d' } }), TypeError);
  });
});

describe('reasons', () => {
  const failure = (code: string) => Object.assign(new Error(code), { code });
  for (const [code, reason] of [
    ['ECONNREFUSED', REASON_REFUSED],
    ['EHOSTUNREACH', REASON_UNREACHABLE],
    ['ENETUNREACH', REASON_UNREACHABLE],
    ['ETIMEDOUT', REASON_UNREACHABLE],
    ['ENOTFOUND', REASON_NAME],
    ['EAI_AGAIN', REASON_NAME],
    ['ECONNRESET', REASON_RESET],
    ['EPIPE', REASON_RESET],
    ['EPROTO', REASON_TLS],
    ['ERR_SSL_WRONG_VERSION_NUMBER', REASON_TLS],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', REASON_TLS],
    ['ERR_TLS_CERT_ALTNAME_INVALID', REASON_CERTIFICATE],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', REASON_CERTIFICATE],
    ['SELF_SIGNED_CERT_IN_CHAIN', REASON_CERTIFICATE],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', REASON_CERTIFICATE],
    ['UNABLE_TO_GET_ISSUER_CERT', REASON_CERTIFICATE],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', REASON_CERTIFICATE],
    ['CERT_HAS_EXPIRED', REASON_CERTIFICATE],
    ['CERT_NOT_YET_VALID', REASON_CERTIFICATE],
    ['CERT_REVOKED', REASON_CERTIFICATE],
    ['INVALID_CA', REASON_CERTIFICATE],
    ['INVALID_PURPOSE', REASON_CERTIFICATE],
    ['HOSTNAME_MISMATCH', REASON_CERTIFICATE],
    ['EMFILE', REASON_OTHER],
  ] as const) {
    test(`${code} is '${reasonNames[reason]}'`, () => assert.deepEqual(explain(failure(code)), [reason, code]));
  }

  test('the first of several addresses tried speaks for all', () => {
    const all = new AggregateError([failure('ENETUNREACH'), failure('ECONNREFUSED')]);
    assert.deepEqual(explain(all), [REASON_UNREACHABLE, 'ENETUNREACH']);
  });
});

describe('every carrier', () => {
  for (const scheme of ['mqtt', 'mqtts', 'ws', 'wss']) {
    test(`${scheme}: a port nobody listens at is refused`, async (t) => {
      const server = createServer();
      const port = await listening(t, server);
      server.close();
      await next(server, 'close');
      const { ear } = dial(t, `${scheme}://localhost:${port}`);
      await ear.hears('closed');
      assert.equal(ear.reason, REASON_REFUSED);
      assert.match(ear.message, /ECONNREFUSED/);
      await settle();
      assert.deepEqual(ear.heard, ['closed']);
    });

    test(`${scheme}: an unknown host name is told apart`, async (t) => {
      const { ear } = dial(t, `${scheme}://u:secret@twobyte.invalid`);
      await ear.hears('closed');
      assert.equal(ear.reason, REASON_NAME);
      assert.match(ear.message, /ENOTFOUND|EAI_AGAIN/);
      assert.doesNotMatch(ear.message, /secret/);
    });

    test(`${scheme}: closed while it opens, it says nothing and leaves no connection`, async (t) => {
      const server = createServer((socket) => socket.resume()); // takes the connection and shakes no hands
      const port = await listening(t, server);
      const { link, ear } = dial(t, `${scheme}://127.0.0.1:${port}`);
      if (scheme !== 'mqtt') {
        const connection = await next<Socket>(server, 'connection');
        link.close();
        await next(connection, 'close');
      } else link.close();
      const { link: second, ear: secondEar } = dial(t, `${scheme}://127.0.0.1:${port}`);
      second.close(); // at once
      await settle();
      assert.deepEqual([...ear.heard, ...secondEar.heard], []);
    });
  }
});

describe('TCP', () => {
  test('carries bytes both ways', async (t) => {
    const { url } = await tcpPeer(t, (socket) => socket.on('data', (chunk) => socket.write(`<${chunk}>`)));
    const { link, ear } = dial(t, url);
    await ear.hears('opened');
    assert.equal(link.send(bytes('hello')), 5);
    await ear.until(() => ear.text === '<hello>');
  });

  test('copies what it takes', async (t) => {
    const { url } = await tcpPeer(t, (socket) => socket.pipe(socket));
    const { link, ear } = dial(t, url);
    await ear.hears('opened');
    const data = bytes('before');
    link.send(data);
    data.set(bytes('after!'));
    await ear.until(() => ear.text === 'before');
  });

  test('takes nothing before it is open and after it is closed', async (t) => {
    const { url } = await tcpPeer(t, (socket) => socket.end());
    const { link, ear } = dial(t, url);
    assert.equal(link.send(bytes('early')), 0);
    await ear.hears('closed');
    assert.equal(link.send(bytes('late')), 0);
    link.close();
    await settle();
    assert.deepEqual(ear.heard, ['opened', 'closed']);
  });

  test('hands over what arrived, then says that the peer ended', async (t) => {
    const { url } = await tcpPeer(t, (socket) => socket.end('last words'));
    const { ear } = dial(t, url);
    await ear.hears('closed');
    assert.equal(ear.text, 'last words');
    assert.equal(ear.reason, REASON_ENDED);
  });

  test('says that the peer broke off', async (t) => {
    const { url, server } = await tcpPeer(t);
    const { ear } = dial(t, url);
    const [peer] = await Promise.all([next<Socket>(server, 'connection'), ear.hears('opened')]);
    peer.resetAndDestroy();
    await ear.hears('closed');
    assert.equal(ear.reason, REASON_RESET);
    await settle();
    assert.equal(ear.heard.filter((what) => what === 'closed').length, 1);
  });

  test('is busy while the peer does not read, and says when it is not', async (t) => {
    const { url, server } = await tcpPeer(t);
    const { link, ear } = dial(t, url);
    const [peer] = await Promise.all([next<Socket>(server, 'connection'), ear.hears('opened')]);
    const size = 64 * 1024 * 1024; // more than the system holds for both ends
    assert.equal(link.send(new Uint8Array(size)), size);
    assert.equal(link.send(bytes('more')), 0);
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
    ear.note('the peer reads');
    peer.resume();
    await ear.hears('writable');
    assert.deepEqual(ear.heard, ['opened', 'the peer reads', 'writable']);
    assert.equal(link.send(bytes('more')), 4);
  });

  test('delivers nothing while it is paused', async (t) => {
    const { url, server } = await tcpPeer(t);
    const { link, ear } = dial(t, url);
    link.pause(); // before it is open, too
    const [peer] = await Promise.all([next<Socket>(server, 'connection'), ear.hears('opened')]);
    peer.end('first'); // neither these bytes nor the end
    await settle();
    link.send(bytes('x'));
    await next(peer, 'data');
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
    link.resume();
    await ear.hears('closed');
    assert.deepEqual([ear.text, ear.reason], ['first', REASON_ENDED]);
  });

  test('flushes what it took when it is closed, and hears nothing more', async (t) => {
    const { url, server } = await tcpPeer(t);
    const { link, ear } = dial(t, url);
    const [peer] = await Promise.all([next<Socket>(server, 'connection'), ear.hears('opened')]);
    const size = 4 * 1024 * 1024;
    link.send(new Uint8Array(size));
    link.close();
    let read = 0;
    peer.on('data', (chunk) => {
      read += chunk.length;
    });
    peer.write('a farewell nobody hears');
    await next(peer, 'end');
    assert.equal(read, size);
    peer.end();
    await next(peer, 'close');
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
  });

  test('leaves a peer that does not read when the grace is over', async (t) => {
    const { url, server } = await tcpPeer(t);
    const { link, ear } = dial(t, url);
    const [peer] = await Promise.all([next<Socket>(server, 'connection'), ear.hears('opened')]);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const size = 64 * 1024 * 1024;
    link.send(new Uint8Array(size));
    link.close();
    t.mock.timers.tick(GRACE_MS);
    let read = 0;
    peer.on('data', (chunk) => {
      read += chunk.length;
    });
    await Promise.race([next(peer, 'end'), next(peer, 'close')]);
    assert.ok(read < size);
    assert.deepEqual(ear.heard, ['opened']);
  });
});

describe('TLS', () => {
  let dir = '';
  let made: Certificates;
  let ca: Buffer;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'twobyte-links-'));
    made = await makeCertificates(dir);
    ca = await readFile(made.ca);
  });
  after(() => rm(dir, { recursive: true }));

  const read = async ({ cert, key }: Pair) => ({ cert: await readFile(cert), key: await readFile(key) });

  async function tlsPeer(t: TestContext, pair: Pair, options: TlsOptions = {}, script: (socket: TLSSocket) => void = () => {}) {
    const server = createTlsServer({ ...(await read(pair)), ...options }, script);
    server.on('tlsClientError', () => {});
    server.on('secureConnection', (socket) => socket.on('error', () => {}));
    const port = await listening(t, server);
    return { url: `mqtts://localhost:${port}`, port, server };
  }

  const echo = (socket: TLSSocket) => void socket.pipe(socket);

  for (const [what, peer, options, outcome, words] of [
    ['accepts a private authority it is given', 'server', () => ({ ca }), 0, ''],
    ['refuses a private authority it is not given', 'server', () => ({}), REASON_CERTIFICATE, /first certificate|issuer/],
    ['refuses a certificate for another host', 'wrongHost', () => ({ ca }), REASON_CERTIFICATE, /elsewhere\.example/],
    ['refuses an expired certificate', 'expired', () => ({ ca }), REASON_CERTIFICATE, /expired/],
    ['refuses a certificate signed with its own key', 'selfSigned', () => ({ ca }), REASON_CERTIFICATE, /self-signed/],
    ['expects the server name it is given', 'wrongHost', () => ({ ca, servername: 'elsewhere.example' }), 0, ''],
    ['accepts any certificate when told not to verify', 'selfSigned', () => ({ rejectUnauthorized: false }), 0, ''],
    ['accepts any host when told not to verify', 'wrongHost', () => ({ ca, rejectUnauthorized: false }), 0, ''],
    ['verifies when the choice is left open', 'selfSigned', () => ({ rejectUnauthorized: undefined }), REASON_CERTIFICATE, /self-signed/],
  ] as const) {
    for (const scheme of ['mqtts', 'wss']) {
      test(`${scheme}: ${what}`, async (t) => {
        const { port, server } = await tlsPeer(t, made[peer]);
        if (scheme === 'wss') {
          const http = createHttpServer();
          server.on('secureConnection', (socket) => http.emit('connection', socket));
          new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' });
        }
        const { ear } = dial(t, `${scheme}://localhost:${port}`, options());
        await ear.until(() => ear.heard.length > 0);
        assert.deepEqual([ear.heard[0], ear.reason], [outcome ? 'closed' : 'opened', outcome], ear.message);
        if (words) assert.match(ear.message, words);
        await settle();
        assert.equal(ear.heard.length, 1);
      });
    }
  }

  test('verifies although the environment says otherwise', async (t) => {
    const { url } = await tlsPeer(t, made.selfSigned);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
    const { ear } = dial(t, url);
    await ear.hears('closed');
    assert.equal(ear.reason, REASON_CERTIFICATE);
  });

  test('carries bytes both ways, to an IP address as well', async (t) => {
    const { port } = await tlsPeer(t, made.server, {}, echo);
    const { link, ear } = dial(t, `mqtts://127.0.0.1:${port}`, { ca });
    await ear.hears('opened');
    link.send(bytes('hello'));
    await ear.until(() => ear.text === 'hello');
  });

  test('asks for the host by name', async (t) => {
    const { url, server } = await tlsPeer(t, made.server);
    dial(t, url, { ca });
    const peer = await next<TLSSocket & { servername: string }>(server, 'secureConnection');
    assert.equal(peer.servername, 'localhost');
  });

  test('shows its certificate to a peer that wants one', async (t) => {
    const { url, server } = await tlsPeer(t, made.server, { ca, requestCert: true, rejectUnauthorized: true }, echo);
    const { link, ear } = dial(t, url, { ca, ...(await read(made.client)) });
    const [peer] = await Promise.all([next<TLSSocket>(server, 'secureConnection'), ear.hears('opened')]);
    assert.equal(peer.getPeerCertificate().subject.CN, 'client');
    link.send(bytes('hello'));
    await ear.until(() => ear.text === 'hello');
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}: without a certificate, a peer that wants one ends the handshake`, async (t) => {
      const { url } = await tlsPeer(t, made.server, { ca, requestCert: true, rejectUnauthorized: true, maxVersion: version });
      const { ear } = dial(t, url, { ca });
      await ear.hears('closed');
      // Node's server just hangs up in some versions, after the client's side of TLS 1.3 is complete
      assert.ok([REASON_TLS, REASON_RESET].includes(ear.reason), `${ear.reason}: ${ear.message}`);
    });
  }

  for (const [what, script] of [
    ['answers something else', (socket: Socket) => socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['hangs up', (socket: Socket) => socket.once('data', () => socket.end())],
  ] as const) {
    for (const scheme of ['mqtts', 'wss']) {
      test(`${scheme}: a peer that ${what} is not TLS`, async (t) => {
        const { url } = await tcpPeer(t, script);
        const { ear } = dial(t, url.replace('mqtt', scheme));
        await ear.hears('closed');
        assert.equal(ear.reason, REASON_TLS, ear.message);
        assert.doesNotMatch(ear.message, /deps|\n/); // not a line of OpenSSL's source
        await settle();
        assert.deepEqual(ear.heard, ['closed']);
      });
    }
  }

  test('is busy while the peer does not read, and flushes all when it is closed', async (t) => {
    const { url, server } = await tlsPeer(t, made.server);
    const { link, ear } = dial(t, url, { ca });
    const [peer] = await Promise.all([next<TLSSocket>(server, 'secureConnection'), ear.hears('opened')]);
    const size = 32 * 1024 * 1024;
    assert.equal(link.send(new Uint8Array(size)), size);
    assert.equal(link.send(bytes('more')), 0);
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
    let read = 0;
    peer.on('data', (chunk) => {
      read += chunk.length;
    });
    await ear.hears('writable');
    assert.equal(link.send(bytes('more')), 4);
    link.close();
    await next(peer, 'end');
    assert.equal(read, size + 4);
  });

  test('delivers nothing while it is paused, from before it is open', async (t) => {
    const { url } = await tlsPeer(t, made.server, {}, (socket) => socket.end('first'));
    const { link, ear } = dial(t, url, { ca });
    link.pause();
    await ear.hears('opened');
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
    link.resume();
    await ear.hears('closed');
    assert.deepEqual([ear.text, ear.reason], ['first', REASON_ENDED]);
  });
});

describe('WebSocket', () => {
  test('carries bytes both ways in binary frames', async (t) => {
    const { url } = await wsPeer(t, (socket) => socket.on('message', (data, isBinary) => isBinary && socket.send(data)));
    const { link, ear } = dial(t, url);
    await ear.hears('opened');
    const data = bytes('hello');
    assert.equal(link.send(data), 5);
    data.fill(0); // it was copied
    await ear.until(() => ear.text === 'hello');
  });

  test('asks for mqtt at the path of the address, with the headers it is given and no credentials', async (t) => {
    const asked = new EventEmitter();
    const { url } = await wsPeer(t, (_, headers, path) => asked.emit('request', { headers, path }));
    dial(t, `${url.replace('//', '//user:secret@')}/a/b?c=d#e`, { headers: { 'X-Token': 'abc' } });
    const { headers, path } = await next<{ headers: IncomingHttpHeaders; path: string }>(asked, 'request');
    assert.equal(path, '/a/b?c=d');
    assert.equal(headers['sec-websocket-protocol'], 'mqtt');
    assert.equal(headers['sec-websocket-extensions'], undefined);
    assert.equal(headers['x-token'], 'abc');
    assert.equal(headers.authorization, undefined);
  });

  for (const [what, answer, words] of [
    ['is refused with 401', 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n', /401/],
    ['is answered by something else', 'SSH-2.0-x\r\n', /Parse Error/],
  ] as const) {
    test(`says that the handshake ${what}`, async (t) => {
      const { url } = await tcpPeer(t, (socket) => socket.once('data', () => socket.write(answer)));
      const { ear } = dial(t, url.replace('mqtt', 'ws'));
      await ear.hears('closed');
      assert.equal(ear.reason, REASON_WEBSOCKET);
      assert.match(ear.message, words);
      await settle();
      assert.deepEqual(ear.heard, ['closed']);
    });
  }

  test('refuses a peer that does not speak mqtt', async (t) => {
    const http = createHttpServer();
    new WebSocketServer({ server: http, handleProtocols: () => false });
    const { ear } = dial(t, `ws://127.0.0.1:${await listening(t, http)}`);
    await ear.hears('closed');
    assert.deepEqual([ear.reason, ear.message], [REASON_WEBSOCKET, 'Server sent no subprotocol']);
  });

  test('closes on a text frame, and delivers what came before it and nothing after', async (t) => {
    const { url, server } = await wsPeer(t, (socket) => {
      below(socket).cork();
      socket.send(bytes('one'));
      socket.send('two');
      socket.send(bytes('three'));
      below(socket).uncork();
    });
    const { ear } = dial(t, url);
    const peer = await next<WebSocket>(server, 'connection');
    const code = await next<number>(peer, 'close');
    await ear.hears('closed');
    assert.deepEqual([ear.text, ear.reason, code], ['one', REASON_WEBSOCKET, 1003]);
    assert.deepEqual(ear.heard, ['opened', 'received', 'closed']);
  });

  test('says that a frame broke the protocol of WebSocket', async (t) => {
    const { url } = await wsPeer(t, (socket) => below(socket).write(Buffer.from([0xff, 0x00])));
    const { ear } = dial(t, url);
    await ear.hears('closed');
    assert.equal(ear.reason, REASON_WEBSOCKET);
  });

  for (const [what, script, reason, words] of [
    ['closed in order', (socket: WebSocket) => socket.close(1008, 'not\nyou'), REASON_ENDED, /1008 "not\\nyou"/],
    ['hung up', (socket: WebSocket) => below(socket).end(), REASON_RESET, /without a WebSocket close/],
    ['broke off', (socket: WebSocket) => below(socket).resetAndDestroy(), REASON_RESET, /ECONNRESET/],
  ] as const) {
    test(`says that the peer ${what}`, async (t) => {
      const { url, server } = await wsPeer(t);
      const { ear } = dial(t, url);
      const [peer] = await Promise.all([next<WebSocket>(server, 'connection'), ear.hears('opened')]);
      script(peer);
      await ear.hears('closed');
      assert.equal(ear.reason, reason);
      assert.match(ear.message, words);
      await settle();
      assert.deepEqual(ear.heard, ['opened', 'closed']);
    });
  }

  test('is busy while the peer does not read, and says when it is not', async (t) => {
    const { url, server } = await wsPeer(t);
    const { link, ear } = dial(t, url);
    const [peer] = await Promise.all([next<WebSocket>(server, 'connection'), ear.hears('opened')]);
    peer.pause();
    const size = 64 * 1024 * 1024;
    assert.equal(link.send(new Uint8Array(size)), size);
    assert.equal(link.send(bytes('more')), 0);
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
    ear.note('the peer reads');
    peer.resume();
    await ear.hears('writable');
    assert.deepEqual(ear.heard, ['opened', 'the peer reads', 'writable']);
    assert.equal(link.send(bytes('more')), 4);
  });

  test('delivers nothing while it is paused, not even frames it has already read', async (t) => {
    const { url } = await wsPeer(t, (socket) => {
      below(socket).cork();
      for (const text of ['a', 'b', 'c']) socket.send(bytes(text));
      socket.close();
      below(socket).uncork();
    });
    const { link, ear } = dial(t, url);
    ear.onChunk = () => link.pause();
    await ear.hears('received');
    await settle();
    assert.equal(ear.text, 'a');
    link.resume();
    await ear.until(() => ear.text.length > 1);
    await settle();
    assert.equal(ear.text, 'ab');
    ear.onChunk = () => {};
    link.resume();
    await ear.hears('closed');
    assert.deepEqual([ear.text, ear.reason], ['abc', REASON_ENDED]);
  });

  test('delivers nothing when it was paused before it was open', async (t) => {
    const { url, server } = await wsPeer(t, (socket) => socket.send(bytes('a')));
    const { link, ear } = dial(t, url);
    link.pause();
    const [peer] = await Promise.all([next<WebSocket>(server, 'connection'), ear.hears('opened')]);
    link.send(bytes('x'));
    await next(peer, 'message');
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
    link.resume();
    await ear.until(() => ear.text === 'a');
  });

  test('flushes what it took when it is closed, and hears nothing more', async (t) => {
    const { url, server } = await wsPeer(t);
    const { link, ear } = dial(t, url);
    const [peer] = await Promise.all([next<WebSocket>(server, 'connection'), ear.hears('opened')]);
    const size = 4 * 1024 * 1024;
    link.send(new Uint8Array(size));
    link.pause();
    link.close();
    peer.send(bytes('a farewell nobody hears'));
    let read = 0;
    peer.on('message', (data: Buffer) => {
      read += data.length;
    });
    await next(peer, 'close');
    assert.equal(read, size);
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
  });

  test('leaves a peer that does not answer its close', async (t) => {
    const { url, server } = await wsPeer(t);
    const { link, ear } = dial(t, url);
    const [peer] = await Promise.all([next<WebSocket>(server, 'connection'), ear.hears('opened')]);
    const socket = below(peer);
    socket.removeAllListeners('data');
    t.mock.timers.enable({ apis: ['setTimeout'] });
    link.close();
    t.mock.timers.tick(GRACE_MS);
    socket.resume();
    await next(socket, 'close');
    assert.deepEqual(ear.heard, ['opened']);
  });
});

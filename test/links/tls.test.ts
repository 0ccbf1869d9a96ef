import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { WebSocketServer } from 'ws';
import { REASON_CERTIFICATE, REASON_ENDED, REASON_RESET, REASON_TLS } from '../../host/contract.js';
import { type Certificates, makeCertificates, type Pair } from '../certificates.js';
import { bytes, dial, listening, next, settle, tcpPeer } from './peers.js';

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

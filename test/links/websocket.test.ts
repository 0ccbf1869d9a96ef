import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { describe, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { REASON_ENDED, REASON_RESET, REASON_WEBSOCKET } from '../../host/contract.js';
import { GRACE_MS } from '../../host/links/stream.js';
import { below, bytes, dial, listening, next, settle, tcpPeer, wsPeer } from './peers.js';

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

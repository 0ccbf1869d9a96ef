import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { REASON_ENDED, REASON_RESET } from '../../host/contract.js';
import { GRACE_MS } from '../../host/links/stream.js';
import { bytes, dial, next, settle, tcpPeer } from './peers.js';

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

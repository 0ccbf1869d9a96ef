import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { WebSocket } from 'ws';
import { REASON_RESET, REASON_WEBSOCKET } from '../../host/contract.js';
import { below, dial, next, wsPeer } from './peers.js';

/** Writes a head and then the same bytes again and again, until the link hangs up; answers how many went out. */
async function floods(socket: Socket, head: Uint8Array, bytes: Uint8Array): Promise<number> {
  let sent = 0;
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()).on('error', () => {}));
  let open = true;
  void over.then(() => {
    open = false;
  });
  socket.write(head);
  const pour = () => {
    while (open && !socket.destroyed && socket.write(bytes)) sent += bytes.length;
    sent += bytes.length;
  };
  socket.on('drain', pour);
  pour();
  await over;
  return sent;
}

const MIB = 1024 * 1024;

describe('what a peer over WebSocket can make grow', { timeout: 60_000 }, () => {
  for (const [what, options, length, refused] of [
    ['a frame of the largest message and some other packets', { maximumMessageSize: MIB }, MIB + 70_000, false],
    ['a frame much larger than the largest message', { maximumMessageSize: MIB }, 3 * MIB, true],
    ['a frame much larger than the default', {}, 18 * MIB, true],
    ['a frame of a packet of MQTT, for a client that takes any', { maximumMessageSize: 268_435_455 }, 20 * MIB, false],
  ] as const)
    test(`${what} is ${refused ? 'refused by its length, before it comes' : 'taken'}`, async (t) => {
      const { url, server } = await wsPeer(t);
      const { ear } = dial(t, url, options);
      const peer = await next<WebSocket>(server, 'connection');
      await ear.hears('opened');
      if (refused) {
        const header = Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
        header.writeUInt32BE(length, 6);
        below(peer).write(header);
        await ear.hears('closed');
        assert.equal(ear.reason, REASON_WEBSOCKET, ear.message);
        assert.match(ear.message, /Max payload size exceeded/);
      } else {
        peer.send(Buffer.alloc(length));
        await ear.hears('received');
        assert.equal(ear.text.length, length);
      }
    });

  test('a message in fragments of a byte ends the connection long before they fill the memory', async (t) => {
    const { url, server } = await wsPeer(t);
    const { ear } = dial(t, url);
    const peer = await next<WebSocket>(server, 'connection');
    await ear.hears('opened');
    const fragments = Buffer.concat(Array.from({ length: 1024 }, () => Buffer.from([0x00, 1, 0x30])));
    const sent = floods(below(peer), Buffer.from([0x02, 1, 0x30]), fragments);
    await ear.hears('closed');
    assert.ok([REASON_WEBSOCKET, REASON_RESET].includes(ear.reason), ear.message);
    assert.match(ear.message, /Too many message fragments/);
    below(peer).destroy();
    await sent;
  });

  test('pings of a peer that reads no pong end the connection', async (t) => {
    const { url, server } = await wsPeer(t);
    const { ear } = dial(t, url);
    const peer = await next<WebSocket>(server, 'connection');
    await ear.hears('opened');
    below(peer).pause();
    const pings = Buffer.concat(Array.from({ length: 64 }, () => Buffer.concat([Buffer.from([0x89, 125]), Buffer.alloc(125)])));
    const sent = floods(below(peer), Buffer.alloc(0), pings);
    await ear.hears('closed');
    assert.equal(ear.text, '');
    below(peer).destroy();
    assert.ok((await sent) < 64 * MIB, 'and not only after all memory');
  });
});

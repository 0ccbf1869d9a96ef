import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { REASON_NAME, REASON_REFUSED } from '../../host/contract.js';
import { dial, listening, next, settle } from './peers.js';

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

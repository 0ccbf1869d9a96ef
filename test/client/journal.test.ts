import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { STORE_FULL } from '../../host/contract.js';
import { type ClientOptions, connect, type Storage } from '../../host/index.js';
import { MemoryStorage } from '../../host/storage.js';
import { connected, event, within } from '../interop/peers.js';
import { freePort, skipMosquitto, startMosquitto } from '../mosquitto.js';

describe('a client with a journal', { timeout: 60_000, skip: skipMosquitto }, () => {
  for (const qos of [1, 2] as const) {
    test(`what a run could not deliver at QoS ${qos}, the next delivers in order`, async (t) => {
      const port = await freePort();
      const directory = await mkdtemp(join(tmpdir(), 'twobyte-journal-'));
      t.after(() => rm(directory, { recursive: true }));
      const options = { clientId: 'kept', journal: join(directory, 'client.journal') };
      const before = connect(`mqtt://127.0.0.1:${port}`, options);
      for (const n of [1, 2, 3]) before.publish('myhome/底楼/客厅/温度', String(n), { qos }, () => {});
      await event(before, 'error'); // there is no broker
      await before.endAsync(true);

      const broker = await startMosquitto([], port);
      t.after(() => broker.stop());
      const hearer = await connected(t, `mqtt://127.0.0.1:${port}`);
      await hearer.client.subscribeAsync('myhome/#', { qos: 2 });
      const client = connect(`mqtt://127.0.0.1:${port}`, options);
      assert.equal(client.restored, 3);
      const heard = await hearer.messages.count(3);
      assert.deepEqual(
        heard.map(({ payload }) => String(payload)),
        ['1', '2', '3'],
      );
      assert.throws(() => connect(`mqtt://127.0.0.1:${port}`, options), /client\.journal: it is open in this process already/);
      await within(client.endAsync(), 'the end');
      const after = connect(`mqtt://127.0.0.1:${port}`, options);
      assert.equal(after.restored, 0, 'all is acknowledged');
      await within(after.endAsync(), 'the end');
      after.reconnect();
      await within(after.publishAsync('myhome/底楼/客厅/温度', '4', { qos }), 'the acknowledgement to a client that came again');
      await within(after.endAsync(), 'the end');
    });
  }

  test('needs a client id that stays', () => {
    assert.throws(() => connect('mqtt://127.0.0.1:1', { journal: new MemoryStorage() }), /option journal: .* clientId/);
  });

  test('tells when its storage does not take a message', async (t) => {
    const journal = { write: () => -STORE_FULL, read: () => undefined };
    const client = connect('mqtt://127.0.0.1:1', { clientId: 'c', journal });
    t.after(() => client.endAsync(true));
    client.publish('a', '1', { qos: 1 }, () => {});
    const told: Error[] = [];
    client.on('error', (error) => told.push(error));
    while (!told.some(({ message }) => /cannot note a message.*full/.test(message))) await within(once(client, 'error'), 'the error');
  });
});

describe('a journal that cannot work', () => {
  const read = () => undefined;
  const boom = () => {
    throw new Error('boom');
  };
  const withJournal = (journal: unknown) => connect('mqtt://127.0.0.1:1', { clientId: 'c', journal } as ClientOptions);

  for (const journal of ['', 5, null, true, {}, { read }, { read, write: 0 }])
    test(`is refused: ${JSON.stringify(journal)}`, () => {
      assert.throws(() => withJournal(journal), { name: 'TypeError', message: /^option journal: (it must be a path, or an|the path is)/ });
    });

  for (const [what, reads] of [
    ['throws', boom],
    ['answers what is no record', async () => undefined],
  ] as const)
    test(`is refused when reading ${what}, and not written over`, () => {
      let writes = 0;
      const counting = () => {
        writes++;
        return 0;
      };
      assert.throws(() => withJournal({ read: reads, write: counting }), {
        code: 'ERROR_JOURNAL',
        message: /option journal: its read failed: /,
      });
      assert.equal(writes, 0);
    });

  for (const [what, writes, says] of [
    ['throws', boom, /its write failed: boom/],
    ['answers a promise', async () => 0, /its write failed: it answered an Promise, not 0/],
    ['answers nothing', () => undefined, /its write failed: it answered undefined, not 0/],
  ] as const)
    test(`tells when writing ${what}, and the client goes on`, async (t) => {
      const client = withJournal({ read, write: writes as unknown as Storage['write'] });
      t.after(() => client.endAsync(true));
      const told: string[] = [];
      client.on('error', ({ message }) => told.push(message));
      client.publish('a', '1', { qos: 1 }, () => {});
      const heard = () => told.some((message) => says.test(message)) && told.some((message) => /cannot note a message/.test(message));
      while (!heard()) await within(once(client, 'error'), `the error, not ${told.join('; ')}`);
    });
});

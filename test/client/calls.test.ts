import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Broker, startBroker } from '../../host/broker.js';
import { type ClientOptions, connect, connectAsync, type Filters, TwobyteError } from '../../host/index.js';
import { connected, event, Heard, ownTopic, Wire, within } from '../interop/peers.js';

describe('the client', { timeout: 60_000 }, () => {
  let broker: Broker;
  let port: number;
  before(async () => {
    broker = await startBroker();
    port = Number(new URL(broker.url).port);
  });
  after(() => broker.close());

  describe('events', () => {
    test('connect, then a lost connection, then connect again, then the end', async (t) => {
      const wire = await Wire.to(t, port);
      const client = connect(`mqtt://127.0.0.1:${wire.port}`, { reconnectPeriod: 5 });
      t.after(() => client.endAsync(true));
      const heard = new Heard<string>();
      for (const name of ['connect', 'message', 'reconnect', 'close', 'offline', 'error', 'end'] as const) {
        client.on(name, () => heard.add(`${name}${client.connected ? ', connected' : ''}${client.reconnecting ? ', reconnecting' : ''}`));
      }
      await heard.count(1);
      wire.cut();
      await heard.until((all) => all.filter((line) => line.startsWith('connect')).length === 2, 'the second connection');
      await client.endAsync();
      assert.deepEqual(heard.all, [
        'connect, connected',
        'error',
        'offline',
        'close',
        'reconnect, reconnecting',
        'connect, connected',
        'close',
        'end',
      ]);
    });

    test('a message comes with topic, payload and the packet', async (t) => {
      const topic = ownTopic();
      const { client } = await connected(t, broker.url);
      const message = new Promise<unknown[]>((resolve) => client.once('message', (...values) => resolve(values)));
      await client.subscribeAsync(topic, { qos: 1 });
      await client.publishAsync(topic, '23.4 °C', { qos: 1 });
      const [to, payload, packet] = await within(message, 'the message');
      assert.equal(to, topic);
      assert.ok(Buffer.isBuffer(payload));
      assert.equal(String(payload), '23.4 °C');
      const { messageId, ...rest } = packet as { messageId: number };
      assert.ok(messageId > 0);
      assert.deepEqual(rest, { topic, payload, qos: 1, retain: false, dup: false });
    });

    test("a message is its listener's to keep", async (t) => {
      const topic = ownTopic();
      const { client, messages } = await connected(t, broker.url);
      await client.subscribeAsync(topic, { qos: 1 });
      for (const text of ['one', 'two', 'six']) await client.publishAsync(topic, text, { qos: 1 });
      assert.deepEqual(
        (await messages.count(3)).map(({ payload }) => String(payload)),
        ['one', 'two', 'six'],
      );
    });

    test('a lost connection without a listener for errors does not end the process', async (t) => {
      const wire = await Wire.to(t, port);
      const { client } = await connected(t, `mqtt://127.0.0.1:${wire.port}`, { reconnectPeriod: 1 });
      const back = event(client, 'connect');
      wire.cut();
      await back;
    });
  });

  describe('payloads', () => {
    const shared = new Uint8Array([0, 1, 2, 3, 4]);
    const cases: [what: string, payload: string | Uint8Array, bytes: Buffer][] = [
      ['a string', '23.4', Buffer.from('23.4')],
      ['a string that is not ASCII', '二十三 °C 🌡', Buffer.from('二十三 °C 🌡')],
      ['a long string', '温'.repeat(70_000), Buffer.from('温'.repeat(70_000))],
      ['an empty string', '', Buffer.alloc(0)],
      ['a Buffer', Buffer.from([0xff, 0, 0xfe]), Buffer.from([0xff, 0, 0xfe])],
      ['a view into a larger buffer', shared.subarray(1, 4), Buffer.from([1, 2, 3])],
    ];
    for (const [what, payload, bytes] of cases)
      test(what, async (t) => {
        const topic = ownTopic();
        const { client, messages } = await connected(t, broker.url);
        await client.subscribeAsync(topic, { qos: 1 });
        await client.publishAsync(topic, payload, { qos: 1 });
        const [message] = await messages.count(1);
        assert.deepEqual(message?.payload, bytes);
      });

    for (const when of ['connected', 'not yet connected', 'while the outbox is full'] as const)
      test(`are copied before publish returns, ${when}`, async (t) => {
        const topic = ownTopic();
        const subscriber = await connected(t, broker.url);
        await subscriber.client.subscribeAsync(topic, { qos: 1 });
        const client = connect(broker.url);
        t.after(() => client.endAsync(true));
        if (when === 'connected') await event(client, 'connect');
        if (when === 'while the outbox is full')
          for (let i = 0; i < 4; i++) client.publish(`${topic}/large`, Buffer.alloc(1_000_000), { qos: 1 });
        const payload = Buffer.from('before');
        const published = client.publishAsync(topic, payload, { qos: 1 });
        payload.write('after!');
        await published;
        assert.deepEqual(
          (await subscriber.messages.count(1)).map(({ payload }) => String(payload)),
          ['before'],
        );
      });
  });

  describe('callbacks', () => {
    test('publish calls back at each QoS, once, after it returned', async (t) => {
      const { client } = await connected(t, broker.url);
      for (const qos of [0, 1, 2] as const) {
        let returned = false;
        const calls: unknown[] = [];
        await within(
          new Promise<void>((resolve) => {
            client.publish(ownTopic(), 'x', { qos }, (error) => {
              calls.push([error, returned]);
              resolve();
            });
            returned = true;
          }),
          'the callback',
        );
        assert.deepEqual(calls, [[undefined, true]]);
      }
    });

    test('publish, subscribe and unsubscribe take a callback in place of options', async (t) => {
      const topic = ownTopic();
      const { client, messages } = await connected(t, broker.url);
      const granted = await new Promise((resolve) => client.subscribe(topic, (error, granted) => resolve([error, granted])));
      assert.deepEqual(granted, [undefined, [{ topic, qos: 0 }]]);
      await new Promise((resolve) => client.publish(topic, 'x', resolve));
      await messages.count(1);
      assert.equal(await new Promise((resolve) => client.unsubscribe(topic, resolve)), undefined);
      await new Promise<void>((resolve) => client.end(resolve));
    });

    test('calls without a callback return the client', async (t) => {
      const { client } = await connected(t, broker.url);
      const ended = event(client, 'end');
      assert.equal(client.subscribe('a').publish('a', 'x').unsubscribe('a').end(), client);
      await ended;
    });
  });

  describe('subscribe takes', () => {
    const cases: [what: string, filters: Filters, granted: [string, number][]][] = [
      ['one filter', 'a', [['a', 1]]],
      [
        'several',
        ['a', 'b/+', 'c/#'],
        [
          ['a', 1],
          ['b/+', 1],
          ['c/#', 1],
        ],
      ],
      [
        'several with a QoS each',
        { a: { qos: 0 }, b: { qos: 2 } },
        [
          ['a', 0],
          ['b', 2],
        ],
      ],
      ['hundreds', Array.from({ length: 300 }, (_, i) => `f/${i}`), Array.from({ length: 300 }, (_, i) => [`f/${i}`, 1])],
    ];
    for (const [what, filters, granted] of cases)
      test(what, async (t) => {
        const { client } = await connected(t, broker.url);
        const answer = await within(client.subscribeAsync(filters, { qos: 1 }), 'the answer');
        assert.deepEqual(
          answer.map(({ topic, qos }) => [topic, qos]),
          granted,
        );
      });
  });

  describe('options reach the broker', () => {
    const cases: [what: string, options: ClientOptions, expected: Record<string, unknown>][] = [
      ['clientId', { clientId: '客厅-1' }, { clientId: '客厅-1' }],
      ['clean session by default, keep alive a minute', {}, { clean: true, keepalive: 60 }],
      ['clean', { clientId: 'kept', clean: false }, { clean: false }],
      ['keepalive', { keepalive: 17 }, { keepalive: 17 }],
      ['keepalive 0', { keepalive: 0 }, { keepalive: 0 }],
      ['username alone', { username: 'sensor' }, { username: 'sensor', password: undefined }],
      ['username and password', { username: 'sensor', password: 'p' }, { username: 'sensor', password: 'p' }],
      ['a will', { will: { topic: 'w', payload: 'gone', qos: 2, retain: true } }, { will: ['w', 'gone', 2, true] }],
      ['a will with nothing but a topic', { will: { topic: 'w' } }, { will: ['w', '', 0, false] }],
    ];
    for (const [what, options, expected] of cases)
      test(what, async (t) => {
        const seen: Record<string, unknown>[] = [];
        const own = await startBroker({
          preConnect(_client, packet, done) {
            const { clientId, clean, keepalive, username, password, will } = packet;
            const last = will && [will.topic, String(will.payload), will.qos, will.retain];
            seen.push({ clientId, clean, keepalive, username, password: password && String(password), will: last });
            done(null, true);
          },
        });
        t.after(() => own.close());
        await connected(t, own.url, options);
        assert.equal(seen.length, 1);
        for (const [name, value] of Object.entries(expected)) assert.deepEqual(seen[0]?.[name], value, name);
      });

    test('a client id is made up for each client', async (t) => {
      const ids = new Set<string>();
      broker.aedes.on('client', ({ id }) => ids.add(id));
      await Promise.all([connected(t, broker.url), connected(t, broker.url)]);
      assert.ok([...ids].filter((id) => /^twobyte_[0-9a-f]{8}$/.test(id)).length >= 2, [...ids].join());
    });
  });

  describe('the end', () => {
    test('waits for what is unacknowledged', async (t) => {
      const { client } = await connected(t, broker.url);
      const done: string[] = [];
      for (const qos of [0, 1, 2] as const) client.publish(ownTopic(), 'x', { qos }, (error) => done.push(error?.message ?? `QoS ${qos}`));
      client.subscribe('a', (error) => done.push(error?.message ?? 'subscribed'));
      await within(client.endAsync(), 'the end');
      assert.deepEqual(done.sort(), ['QoS 0', 'QoS 1', 'QoS 2', 'subscribed']);
    });

    test('by force does not wait, and tells whoever did', async (t) => {
      const wire = await Wire.to(t, port);
      const { client } = await connected(t, `mqtt://127.0.0.1:${wire.port}`);
      wire.hold();
      const published = client.publishAsync(ownTopic(), 'x', { qos: 1 });
      const subscribed = client.subscribeAsync('a');
      await within(client.endAsync(true), 'the end');
      for (const waiting of [published, subscribed]) await assert.rejects(waiting, { name: 'TwobyteError', code: 'ERROR_STATE' });
    });

    test('comes once for all who ask', async (t) => {
      const { client } = await connected(t, broker.url);
      let ends = 0;
      client.on('end', () => ends++);
      await within(Promise.all([client.endAsync(), client.endAsync(), client.endAsync(true)]), 'the end');
      await within(client.endAsync(), 'the end of what has ended');
      assert.equal(ends, 1);
    });

    test('before the connection there is nothing to wait for', async () => {
      const client = connect(broker.url);
      await within(client.endAsync(), 'the end');
      assert.equal(client.connected, false);
    });

    test('is not the last word: reconnect() starts again, with the same subscriptions', async (t) => {
      const topic = ownTopic();
      const { client, messages } = await connected(t, broker.url);
      await client.subscribeAsync(topic, { qos: 1 });
      await client.endAsync();
      const back = event(client, 'connect');
      client.reconnect();
      await back;
      await client.publishAsync(topic, 'again', { qos: 1 });
      assert.deepEqual(
        (await messages.count(1)).map(({ payload }) => String(payload)),
        ['again'],
      );
    });

    test('may be asked for by a listener of messages', async (t) => {
      const topic = ownTopic();
      const { client } = await connected(t, broker.url);
      const ended = event(client, 'end');
      client.on('message', () => client.end());
      await client.subscribeAsync(topic, { qos: 2 });
      client.publish(topic, 'x', { qos: 2 });
      await ended;
    });
  });

  describe('before the connection', () => {
    test('requests are queued, and sent in order', async (t) => {
      const topic = ownTopic();
      const observer = await connected(t, broker.url);
      await observer.client.subscribeAsync(topic, { qos: 2 });
      const client = connect(broker.url);
      t.after(() => client.endAsync(true));
      assert.equal(client.connected, false);
      const published = Array.from({ length: 50 }, (_, i) => client.publishAsync(topic, String(i), { qos: 1 }));
      const subscribed = client.subscribeAsync(`${topic}/set`, { qos: 2 });
      assert.deepEqual(await within(subscribed, 'the answer'), [{ topic: `${topic}/set`, qos: 2 }]);
      await within(Promise.all(published), 'the acknowledgements');
      const heard = (await observer.messages.count(50)).map(({ payload }) => Number(String(payload)));
      assert.deepEqual(
        heard,
        Array.from({ length: 50 }, (_, i) => i),
      );
    });

    test('connectAsync resolves with the connection', async (t) => {
      const client = await within(connectAsync(broker.url), 'the connection');
      t.after(() => client.endAsync(true));
      assert.equal(client.connected, true);
    });

    test('connectAsync rejects when the first attempt fails, and does not go on', async () => {
      const other = await startBroker();
      await other.close();
      await assert.rejects(within(connectAsync(other.url), 'the refusal'), (error) => {
        assert.ok(error instanceof TwobyteError);
        assert.equal(error.code, 'REASON_REFUSED');
        return true;
      });
    });
  });

  describe('pause', () => {
    test('holds messages back, resume brings them all in order', async (t) => {
      const topic = ownTopic();
      const { client, messages } = await connected(t, broker.url);
      await client.subscribeAsync(topic, { qos: 1 });
      client.pause();
      const publisher = await connected(t, broker.url);
      for (let i = 0; i < 100; i++) await publisher.client.publishAsync(topic, String(i), { qos: 1 });
      assert.equal(messages.all.length, 0);
      client.resume();
      const heard = (await messages.count(100)).map(({ payload }) => Number(String(payload)));
      assert.deepEqual(
        heard,
        Array.from({ length: 100 }, (_, i) => i),
      );
    });
  });
});

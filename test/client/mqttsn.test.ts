import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Client, connectAsync, type QoS } from '../../host/index.js';
import { connected, event, Heard, ownTopic, within } from '../interop/peers.js';
import { brokers } from '../interop/running.js';
import { gatewayBefore } from './gateways.js';

const PREDEFINED = { 1: 'myhome/底楼/客厅/温度', 2: 'myhome/底楼/客厅/湿度' };

for (const { name, skip, start } of brokers) {
  describe(`over MQTT-SN, through a gateway and ${name}, the client`, { skip, timeout: 60_000 }, () => {
    async function setUp(t: TestContext) {
      const { url: broker, stop } = await start();
      const url = await gatewayBefore(t, broker, { predefined: PREDEFINED });
      t.after(stop);
      const other = await connectAsync(broker);
      t.after(() => other.endAsync(true));
      return { broker, url, other };
    }

    const topics: [what: string, topic: string, filter: string][] = [
      ['a topic', ownTopic(), ''],
      ['a topic that a wildcard matches', 'myhome/底楼/湿度', 'myhome/#'],
      ['a topic of two bytes', 'ab', ''],
      ['a pre-defined topic', PREDEFINED[1], ''],
    ];
    for (const [what, topic, filter] of topics)
      test(`publishes to ${what} and hears it, at every QoS`, async (t) => {
        const { url } = await setUp(t);
        const { client, messages } = await connected(t, url, { predefinedTopics: PREDEFINED });
        assert.deepEqual(await client.subscribeAsync(filter || topic, { qos: 2 }), [{ topic: filter || topic, qos: 2 }]);
        for (const qos of [0, 1, 2] as const) await client.publishAsync(topic, `${qos}`, { qos });
        await messages.count(3);
        const seen = messages.all.map((message) => `${message.topic} ${message.payload} ${message.qos}`);
        assert.deepEqual(
          seen,
          [0, 1, 2].map((qos) => `${topic} ${qos} ${qos}`),
        );
      });

    test('subscribes to many filters at once, and unsubscribes from them', async (t) => {
      const { url, other } = await setUp(t);
      const { client, messages } = await connected(t, url);
      const filters = { 'a/1': { qos: 0 as QoS }, 'a/2': { qos: 1 as QoS }, 'a/3': { qos: 2 as QoS } };
      assert.deepEqual(
        await client.subscribeAsync(filters),
        Object.entries(filters).map(([topic, { qos }]) => ({ topic, qos })),
      );
      await client.unsubscribeAsync(['a/1', 'a/2']);
      for (const filter of Object.keys(filters)) await other.publishAsync(filter, filter, { qos: 1 });
      await messages.count(1);
      assert.deepEqual(
        messages.all.map(({ topic }) => topic),
        ['a/3'],
      );
    });

    test('asleep, what it publishes waits for wakeAsync and what it is sent for collectAsync', async (t) => {
      const { url, other } = await setUp(t);
      const { client, messages } = await connected(t, url);
      const told = events(client);
      await client.subscribeAsync('down', { qos: 1 });
      await other.subscribeAsync('up', { qos: 1 });
      const up = event(other, 'message');
      await within(client.sleepAsync(60), 'the sleep');
      assert.deepEqual([client.asleep, client.connected], [true, false]);

      // The gateway gives what it holds when it is asked; until the broker has given it to the gateway, that is nothing.
      await other.publishAsync('down', 'held', { qos: 1 });
      while (messages.all.length === 0) await within(client.collectAsync(), 'the end of collecting');
      assert.equal(client.asleep, true);

      const published = client.publishAsync('up', 'waited', { qos: 1 });
      await within(client.wakeAsync(), 'the end of the sleep');
      assert.deepEqual([client.asleep, client.connected], [false, true]);
      await within(published, 'the acknowledgement');
      await up;
      assert.deepEqual([...new Set(told.all)], ['asleep 60', 'awake', 'connect, resumed']);
    });

    test('ends a sleep for what still waits before it ends itself', async (t) => {
      const { url, other } = await setUp(t);
      const { client } = await connected(t, url);
      await other.subscribeAsync('up', { qos: 1 });
      const up = event(other, 'message');
      await within(client.sleepAsync(60), 'the sleep');
      const published = client.publishAsync('up', 'waited', { qos: 1 });
      await within(client.endAsync(), 'the end');
      await published;
      await up;
    });

    for (const topic of ['ab', PREDEFINED[1]])
      test(`publishes at QoS −1 to ${topic}, with and without a connection`, async (t) => {
        const { url, other } = await setUp(t);
        const heard = new Heard<string>();
        other.on('message', (to, payload) => heard.add(`${to} ${payload}`));
        await other.subscribeAsync(topic, { qos: 1 });
        for (const connectionless of [false, true]) {
          const client = await connectAsync(url, { connectionless, predefinedTopics: PREDEFINED });
          await client.publishAsync(topic, String(connectionless), { qos: -1 });
          await within(client.endAsync(), 'the end');
        }
        await heard.count(2);
        assert.deepEqual([...heard.all], [`${topic} false`, `${topic} true`]);
      });

    test('gets a retained message, and one that waited in a kept session', async (t) => {
      const { url, other } = await setUp(t);
      await other.publishAsync('kept', 'retained', { qos: 1, retain: true });
      const first = await connected(t, url, { clean: false, clientId: 'keeper' });
      await first.client.subscribeAsync('kept', { qos: 1 });
      await first.messages.count(1);
      await first.client.endAsync();
      await other.publishAsync('kept', 'meanwhile', { qos: 1 });
      const second = await connected(t, url, { clean: false, clientId: 'keeper', resubscribe: false });
      await second.messages.until((all) => all.some(({ payload }) => String(payload) === 'meanwhile'), 'what waited');
    });
  });
}

/** What a client tells about its sleep. */
function events(client: Client): Heard<string> {
  const heard = new Heard<string>();
  client.on('asleep', (seconds) => heard.add(`asleep ${seconds}`));
  client.on('awake', () => heard.add('awake'));
  client.on('connect', ({ sessionPresent }) => heard.add(`connect${sessionPresent ? ', resumed' : ''}`));
  return heard;
}

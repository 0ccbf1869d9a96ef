import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Broker, startBroker } from '../../host/broker.js';
import { connect, connectAsync } from '../../host/index.js';
import { event, within } from '../interop/peers.js';
import { freePort } from '../mosquitto.js';

/** More requests than the module's outbox has entries. */
const MANY = 5000;

describe('more requests than the outbox holds', { timeout: 60_000 }, () => {
  let broker: Broker;
  before(async () => {
    broker = await startBroker();
  });
  after(() => broker.close());

  test('wait for a connection without keeping the process busy', async () => {
    const client = connect(`mqtt://127.0.0.1:${await freePort()}`, { reconnectPeriod: 60_000 });
    await event(client, 'close');
    for (let i = 0; i < MANY; i++) client.publish('a', 'x', { qos: 1 }, () => {});
    const { setImmediate: original } = globalThis;
    const turn = () => new Promise<void>((resolve) => original(() => resolve()));
    await turn(); // what the calls above asked for
    let scheduled = 0;
    globalThis.setImmediate = ((...values: Parameters<typeof original>) => {
      scheduled++;
      return original(...values);
    }) as typeof original;
    try {
      for (let i = 0; i < 50; i++) await turn();
    } finally {
      globalThis.setImmediate = original;
      await client.endAsync(true);
    }
    assert.ok(scheduled <= 2, `${scheduled} steps in 50 turns without an occasion`);
  });

  for (const qos of [0, 1, 2] as const) {
    test(`arrive in order when the connection is there, at QoS ${qos}`, async () => {
      const subscriber = await connectAsync(broker.url);
      await subscriber.subscribeAsync(`many/${qos}`, { qos });
      const arrived: number[] = [];
      const all = new Promise<void>((resolve) => {
        subscriber.on('message', (_topic, payload) => {
          if (arrived.push(Number(payload)) === MANY) resolve();
        });
      });
      const client = connect(broker.url);
      for (let i = 0; i < MANY; i++) client.publish(`many/${qos}`, String(i), { qos });
      await within(all, 'all messages', 30_000);
      assert.deepEqual(
        arrived,
        Array.from({ length: MANY }, (_, i) => i),
      );
      await client.endAsync();
      await subscriber.endAsync();
    });
  }

  test('end() waits for QoS 0 that the link has not taken, and then ends', async () => {
    const sent = 20_000;
    const subscriber = await connectAsync(broker.url);
    await subscriber.subscribeAsync('large');
    let arrived = 0;
    const all = new Promise<void>((resolve) => {
      subscriber.on('message', () => {
        if (++arrived === sent) resolve();
      });
    });
    const client = await connectAsync(broker.url);
    for (let i = 0; i < sent; i++) client.publish('large', 'x'.repeat(1000));
    await within(client.endAsync(), 'the end', 30_000);
    await within(all, 'all messages', 30_000);
    await subscriber.endAsync();
  });

  test('are answered when they are subscriptions', async () => {
    const client = connect(broker.url);
    const granted = await within(
      Promise.all(Array.from({ length: MANY }, (_, i) => client.subscribeAsync(`filter/${i}`))),
      'all answers',
      30_000,
    );
    assert.equal(granted.length, MANY);
    await client.endAsync();
  });

  test('a bad address rejects, as every other failure does', async () => {
    await assert.rejects(connectAsync('foo://127.0.0.1'), /scheme foo/);
  });
});

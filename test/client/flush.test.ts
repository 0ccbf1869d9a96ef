import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { connect, connectAsync } from '../../host/index.js';
import { event, ownTopic, within } from '../interop/peers.js';
import { freePort } from '../mosquitto.js';
import { gatewayBefore } from './gateways.js';

describe('flush() of the client', { timeout: 60_000 }, () => {
  test('resolves when all is acknowledged, long before its deadline', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const client = await connectAsync(broker.url);
    t.after(() => client.endAsync(true));
    let acknowledged = 0;
    for (const qos of [1, 2, 1, 2] as const) client.publish(ownTopic(), '1', { qos }, () => acknowledged++);
    assert.deepEqual(await within(client.flushAsync(2 ** 31 - 1), 'the flush'), { unacknowledged: 0 });
    assert.equal(acknowledged, 4);
  });

  test('tells after its deadline what is not, more than the module holds too; and goes on with a connection', async (t) => {
    const port = await freePort();
    const client = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 10, maxReconnectPeriod: 20 });
    t.after(() => client.endAsync(true));
    assert.deepEqual(await client.flushAsync(60_000), { unacknowledged: 0 }, 'nothing waits, so nothing is waited for');
    for (let n = 0; n < 5_000; n++) client.publish('a', String(n), { qos: 1 }, () => {});
    assert.deepEqual(await client.flushAsync(0), { unacknowledged: 5_000 });
    const [first, second] = [client.flushAsync(20), client.flushAsync(60_000)];
    assert.deepEqual(await first, { unacknowledged: 5_000 });
    const broker = await startBroker({ port });
    t.after(() => broker.close());
    assert.deepEqual(await within(second, 'the flush'), { unacknowledged: 0 });
  });

  test('ends with the client', async () => {
    const client = connect(`mqtt://127.0.0.1:${await freePort()}`);
    client.publish('a', '1', { qos: 1 }, () => {});
    const flushed = client.flushAsync(60_000);
    await client.endAsync(true);
    assert.deepEqual(await within(flushed, 'the flush'), { unacknowledged: 1 });
    assert.deepEqual(await within(client.flushAsync(60_000), 'the flush'), { unacknowledged: 1 });
  });

  for (const ms of [-1, 2 ** 31, Number.NaN])
    test(`refuses a deadline of ${ms} ms`, async () => {
      const client = connect(`mqtt://127.0.0.1:${await freePort()}`);
      await assert.rejects(client.flushAsync(ms), { code: 'ERROR_TYPE', message: /flush: the deadline/ });
      await client.endAsync(true);
    });

  test('wakes a sleeper over MQTT-SN, if it has anything to say', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const client = await connectAsync(await gatewayBefore(t, broker.url));
    t.after(() => client.endAsync(true));
    await client.sleepAsync(600);
    await client.flushAsync(60_000);
    assert.equal(client.asleep, true);
    const published = client.publishAsync(ownTopic(), '1', { qos: 2 });
    const awake = event(client, 'connect');
    assert.deepEqual(await within(client.flushAsync(60_000), 'the flush'), { unacknowledged: 0 });
    await awake;
    await published;
  });
});

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import { type Client, type ClientOptions, connect, connectAsync } from '../../host/index.js';
import { connected, event, firstError, Heard, within } from '../interop/peers.js';
import { type Script, ScriptedGateway } from './gateways.js';

const QUICK: ClientOptions = { retries: 2, congestionWait: 10, replyTimeout: 100, connectTimeout: 200 };

/** A client connected to a gateway that then follows a script. */
async function facing(t: TestContext, script: Script, options: ClientOptions = {}) {
  const gateway = await ScriptedGateway.at(t);
  const { client } = await connected(t, gateway.url, { ...QUICK, ...options });
  client.on('error', () => {});
  gateway.follows(script);
  return { gateway, client };
}

describe('what a gateway refuses', { timeout: 30_000 }, () => {
  for (const [code, words] of [
    [2, 'invalid topic id'],
    [3, 'not supported'],
  ] as const)
    test(`a connection, with return code ${code}, for good with stopOnRefusal`, async (t) => {
      const gateway = await ScriptedGateway.at(t, ({ type }) => (type === 'CONNECT' ? sn.connack(code) : undefined));
      const error = await firstError(t, gateway.url, { ...QUICK, reconnectPeriod: 1, stopOnRefusal: true });
      assert.equal(error.code, code);
      assert.match(error.message, new RegExp(`refused by the gateway: ${words}`));
    });

  for (const code of [2, 3])
    test(`a connection, with return code ${code}, which is tried again until it is accepted`, async (t) => {
      let left = 2;
      const gateway = await ScriptedGateway.at(t, ({ type }) => (type === 'CONNECT' && left-- > 0 ? sn.connack(code) : undefined));
      const client = connect(gateway.url, { ...QUICK, reconnectPeriod: 1, maxReconnectPeriod: 20 });
      t.after(() => client.endAsync(true));
      const errors = new Heard<unknown>();
      client.on('error', (error) => errors.add(error.code));
      await event(client, 'connect');
      assert.deepEqual(errors.all, [code, code]);
    });

  test('a connection while it is congested, which is made later', async (t) => {
    let left = 2;
    const gateway = await ScriptedGateway.at(t, ({ type }) => (type === 'CONNECT' && left-- > 0 ? sn.connack(1) : undefined));
    const client = connect(gateway.url, QUICK);
    t.after(() => client.endAsync(true));
    const errors = new Heard<unknown>();
    client.on('error', ({ code }) => errors.add(code));
    await event(client, 'connect');
    assert.deepEqual(errors.all, [1, 1]);
  });

  const requests: [what: string, script: Script, request: (client: Client) => Promise<unknown>, code: number, says: RegExp][] = [
    [
      'a message',
      (message) => (message.type === 'PUBLISH' ? sn.puback(message.topicId, message.msgId, 3) : undefined),
      (client) => client.publishAsync('a/b', 'x', { qos: 1 }),
      3,
      /the gateway refuses publish: not supported/,
    ],
    [
      'a topic',
      (message) => (message.type === 'REGISTER' ? sn.regack(0, message.msgId, 2) : undefined),
      (client) => client.publishAsync('a/b', 'x', { qos: 2 }),
      2,
      /the gateway refuses publish: invalid topic id/,
    ],
    [
      'the topic of a will',
      ({ type }) => (type === 'WILLTOPICUPD' ? sn.willtopicresp(3) : undefined),
      (client) => client.updateWillAsync({ topic: 'w', payload: 'x' }),
      3,
      /refuses the update of the will: not supported/,
    ],
    [
      'the payload of a will',
      ({ type }) => (type === 'WILLMSGUPD' ? sn.willmsgresp(3) : undefined),
      (client) => client.updateWillAsync({ topic: 'w', payload: 'x' }),
      3,
      /refuses the update of the will/,
    ],
  ];
  for (const [what, script, request, code, says] of requests)
    test(`${what} is told to whoever asked, and the session goes on`, async (t) => {
      const { client, gateway } = await facing(t, script);
      await assert.rejects(within(request(client), 'the refusal'), { name: 'TwobyteError', code, message: says });
      gateway.follows(() => undefined);
      await within(client.publishAsync('c/d', 'x', { qos: 1 }), 'an answer to the next');
    });

  test('one filter of several has the QoS 128', async (t) => {
    const { client } = await facing(t, (message) =>
      message.type === 'SUBSCRIBE' && message.topicName === 'b/#' ? sn.suback(0, 0, message.msgId, 3) : undefined,
    );
    assert.deepEqual(await client.subscribeAsync(['a/#', 'b/#', 'c/#'], { qos: 1 }), [
      { topic: 'a/#', qos: 1 },
      { topic: 'b/#', qos: 128 },
      { topic: 'c/#', qos: 1 },
    ]);
  });

  test('a malformed filter among several refuses all of them, as over MQTT', async (t) => {
    const { client, gateway } = await facing(t, () => undefined);
    await assert.rejects(client.subscribeAsync(['a', 'b/#/c']), { code: 'ERROR_FILTER_WILDCARD' });
    await assert.rejects(client.unsubscribeAsync(['a', 'b/#/c']), { code: 'ERROR_FILTER_WILDCARD' });
    await client.publishAsync('ab', 'x', { qos: 1 });
    assert.deepEqual(
      gateway.heard.all.map(({ type }) => type),
      ['CONNECT', 'PUBLISH'],
    );
  });

  test('a message of QoS 0 is an error that nobody waited for', async (t) => {
    const { client } = await facing(t, (message) => (message.type === 'PUBLISH' ? sn.puback(message.topicId, 0, 3) : undefined));
    const error = event<Error>(client, 'error');
    client.publish('ab', 'x');
    assert.match((await error).message, /the gateway refuses a message: not supported/);
  });
});

describe('over MQTT-SN', { timeout: 30_000 }, () => {
  test('a congested gateway is told, and asked again by itself', async (t) => {
    let left = 1;
    const { client } = await facing(t, (message) =>
      message.type === 'PUBLISH' && left-- > 0 ? sn.puback(message.topicId, message.msgId, 1) : undefined,
    );
    const congested = event(client, 'congested');
    await within(client.publishAsync('ab', 'x', { qos: 1 }), 'the acknowledgement');
    assert.deepEqual(await congested, { wait: 10 });
  });

  test('a malformed datagram is told and does no harm', async (t) => {
    const { client, gateway } = await facing(t, () => undefined);
    const dropped = event(client, 'dropped');
    gateway.send(Buffer.from('ff0c', 'hex'));
    assert.deepEqual(await dropped, {
      reason: 'the datagram is cut, or its length is not the one it states',
      code: 'ERROR_LENGTH',
      total: 1,
    });
    await within(client.publishAsync('ab', 'x', { qos: 1 }), 'the acknowledgement');
  });

  test('a new will goes out as topic and payload, and none deletes it', async (t) => {
    const { client, gateway } = await facing(t, () => undefined, { will: { topic: 'w/1', payload: 'first' } });
    await within(client.updateWillAsync({ topic: 'w/2', payload: 'second', qos: 1, retain: true }), 'the confirmation');
    await within(client.updateWillAsync(undefined), 'the confirmation');
    const { topic, qos, retain } = await gateway.hears('WILLTOPICUPD');
    assert.deepEqual([topic, qos, retain], ['w/2', 1, true]);
    assert.equal(Buffer.from((await gateway.hears('WILLMSGUPD')).message).toString(), 'second');
    assert.equal((await gateway.hears('WILLTOPICUPD', 2)).topic, '');
  });

  test('the session goes on after the gateway ended it, subscriptions too', async (t) => {
    const { client, gateway } = await facing(t, () => undefined, { reconnectPeriod: 5 });
    await client.subscribeAsync('a/#', { qos: 1 });
    const errors = event<Error>(client, 'error');
    gateway.send(sn.disconnect());
    assert.match((await errors).message, /the gateway ended the connection/);
    assert.equal((await gateway.hears('SUBSCRIBE', 2)).topicName, 'a/#');
  });

  test('a gateway that is gone is an error, and is told to who sleeps, wakes or collects', async (t) => {
    const { client, gateway } = await facing(t, () => undefined, { retryInterval: 50 });
    await within(client.sleepAsync(60), 'the sleep');
    gateway.dies();
    const waiting = [client.collectAsync(), client.wakeAsync()];
    for (const outcome of await within(Promise.allSettled(waiting), 'the failures')) assert.equal(outcome.status, 'rejected');
    assert.deepEqual([client.asleep, client.connected], [false, false]);
  });

  test('a DISCONNECT that announced sleep stays one when it is repeated after wakeAsync', async (t) => {
    const { client, gateway } = await facing(t, ({ type }) => (type === 'DISCONNECT' ? [] : undefined), { retryInterval: 50 });
    const slept = client.sleepAsync(60);
    await gateway.hears('DISCONNECT');
    await client.wakeAsync();
    await assert.rejects(slept, /called off by wakeAsync/);
    assert.equal((await gateway.hears('DISCONNECT', 2)).duration, 60);
    const resumed = event(client, 'connect');
    gateway.send(sn.disconnect());
    assert.deepEqual(await resumed, { sessionPresent: true });
  });

  test('another sleep takes the place of one that was only asked for, and the same one is the same', async (t) => {
    const { client, gateway } = await facing(t, ({ type }) => (type === 'DISCONNECT' ? [] : undefined), { retryInterval: 50 });
    const first = assert.rejects(client.sleepAsync(30), /another sleep, of 60 s, was asked for/);
    const second = [client.sleepAsync(60), client.sleepAsync(60)];
    await first;
    await gateway.hears('DISCONNECT');
    gateway.follows(() => undefined);
    await within(Promise.all(second), 'the sleep');
    await within(client.sleepAsync(60), 'the sleep that there is');
    await within(client.sleepAsync(90), 'a longer one');
    assert.deepEqual(
      [...new Set(gateway.heard.all.filter((message) => message.type === 'DISCONNECT').map(({ duration }) => duration))],
      [60, 90],
    );
  });

  test('nothing of sleep is possible after the end', async (t) => {
    const { client } = await facing(t, () => undefined);
    await client.endAsync();
    for (const call of [
      () => client.sleepAsync(1),
      () => client.wakeAsync(),
      () => client.collectAsync(),
      () => client.updateWillAsync(undefined),
    ])
      await assert.rejects(within(call(), 'the refusal'), /the client has ended; reconnect\(\) starts it again/);
  });

  describe('end', () => {
    const waits: [what: string, prepare: (client: Client) => Promise<unknown> | undefined, force: boolean][] = [
      ['with nothing under way', () => undefined, false],
      ['with a message that has no answer', (client) => client.publishAsync('ab', 'x', { qos: 1 }), false],
      [
        'with a message that waits for its turn',
        (client) => Promise.all(['ab', 'cd'].map((to) => client.publishAsync(to, 'x', { qos: 2 }))),
        false,
      ],
      ['forced, with a message that has no answer', (client) => client.publishAsync('ab', 'x', { qos: 1 }), true],
    ];
    for (const [what, prepare, force] of waits)
      test(`does not wait for a gateway that is gone longer than it says, ${what}`, async (t) => {
        // Retries would take minutes.
        const { client, gateway } = await facing(t, () => [], { retryInterval: 60_000, replyTimeout: force ? 60_000 : 100 });
        const request = prepare(client);
        const failed = request && assert.rejects(request, /the client ended|ended before/);
        await within(client.endAsync(force), 'the end', 2000);
        await failed;
        await gateway.hears('DISCONNECT');
      });

    test('waits as long as there are answers', async (t) => {
      const { client, gateway } = await facing(t, ({ type }) => (type === 'PUBLISH' ? [] : undefined), {
        replyTimeout: 500,
        retryInterval: 60_000,
      });
      const topics = ['aa', 'bb', 'cc', 'dd', 'ee', 'ff'];
      gateway.follows((message) => {
        if (message.type !== 'PUBLISH') return undefined;
        setTimeout(() => gateway.send(sn.puback(message.topicId, message.msgId, 0)), 150);
        return [];
      });
      const all = Promise.all(topics.map((to) => client.publishAsync(to, 'x', { qos: 1 })));
      await within(client.endAsync(), 'the end');
      await all;
    });
  });

  describe('where gateways are searched', () => {
    test('one that answers is connected to, and told', async (t) => {
      const gateway = await ScriptedGateway.at(t);
      const client = connect(`${gateway.url}?search`, { ...QUICK, searchDelay: 5 });
      t.after(() => client.endAsync(true));
      const found = event(client, 'gateway');
      await event(client, 'connect');
      assert.deepEqual(await found, { id: 7, found: true });
      const lost = event(client, 'gateway');
      client.once('gateway', () => {});
      gateway.send(sn.disconnect());
      assert.deepEqual(await lost, { id: 7, found: false });
    });

    test('the first connection fails when none answers', async (t) => {
      const gateway = await ScriptedGateway.at(t, () => []);
      await assert.rejects(within(connectAsync(`${gateway.url}?search`, { ...QUICK, connectTimeout: 50, searchDelay: 5 }), 'the failure'), {
        code: 'TIMEOUT_SEARCH',
        message: 'no gateway answered a search within 0.05 s',
      });
    });
  });
});

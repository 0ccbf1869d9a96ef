import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Broker, startBroker } from '../../host/broker.js';
import { type Client, type ClientOptions, connect, type QoS } from '../../host/index.js';
import { connected, event, firstError, within } from '../interop/peers.js';

const LIMIT = 1_048_576;

/** What an error has to be: its code, and words of its message. */
function is(code: string | number, ...words: string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.equal((error as Error & { code?: unknown }).code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), `'${word}' is missing in: ${error.message}`);
    return true;
  };
}

describe('what cannot be sent is refused', { timeout: 60_000 }, () => {
  let broker: Broker;
  before(async () => {
    broker = await startBroker();
  });
  after(() => broker.close());

  const long = 'l'.repeat(65_536);
  const requests: [what: string, request: (client: Client) => Promise<unknown>, code: string, words: string[]][] = [
    ['an empty topic', (client) => client.publishAsync('', ''), 'ERROR_TOPIC_EMPTY', ["publish to ''"]],
    ['a topic with +', (client) => client.publishAsync('a/+', ''), 'ERROR_TOPIC_WILDCARD', ["'a/+'", 'topic filters']],
    ['a topic with #', (client) => client.publishAsync('a/#', ''), 'ERROR_TOPIC_WILDCARD', ["'a/#'"]],
    ['a topic with NUL', (client) => client.publishAsync('a\0b', ''), 'ERROR_NUL', ['U+0000']],
    ['a topic with half a character', (client) => client.publishAsync('a\ud83c', ''), 'ERROR_UTF8', ['UTF-8']],
    ['a topic of 65,536 bytes', (client) => client.publishAsync(long, ''), 'ERROR_TOPIC_TOO_LONG', ['longer than']],
    ['a topic of 65,536 bytes in fewer characters', (client) => client.publishAsync('温'.repeat(21_846), ''), 'ERROR_TOPIC_TOO_LONG', []],
    ['a payload over the limit', (client) => client.publishAsync('a', Buffer.alloc(LIMIT + 1)), 'ERROR_TOO_LARGE', ["'a'", String(LIMIT)]],
    ['a text over the limit', (client) => client.publishAsync('a', '温'.repeat(LIMIT / 3 + 1)), 'ERROR_TOO_LARGE', [String(LIMIT)]],
    ['QoS 3', (client) => client.publishAsync('a', '', { qos: 3 as QoS }), 'ERROR_QOS', ['0, 1 or 2']],
    ['QoS -1', (client) => client.publishAsync('a', '', { qos: -1 as QoS }), 'ERROR_QOS', []],
    ['no filter', (client) => client.subscribeAsync([]), 'ERROR_STATE', []],
    ['an empty filter', (client) => client.subscribeAsync(''), 'ERROR_TOPIC_EMPTY', ["subscribe to ''"]],
    ['a filter with # in between', (client) => client.subscribeAsync('a/#/b'), 'ERROR_FILTER_WILDCARD', ["'a/#/b'"]],
    ['a filter with + beside letters', (client) => client.subscribeAsync(['fine', 'a+/b']), 'ERROR_FILTER_WILDCARD', ["'a+/b'"]],
    ['a filter with NUL', (client) => client.subscribeAsync('a\0'), 'ERROR_NUL', []],
    ['a filter of 65,536 bytes', (client) => client.subscribeAsync(long), 'ERROR_TOPIC_TOO_LONG', []],
    ['a subscription at QoS 3', (client) => client.subscribeAsync('a', { qos: 3 as QoS }), 'ERROR_QOS', []],
    ['filters of more bytes than a request holds', (client) => client.subscribeAsync(Array(5).fill(long.slice(1))), 'ERROR_TOO_LARGE', []],
    ['unsubscribing from no filter', (client) => client.unsubscribeAsync([]), 'ERROR_STATE', []],
    ['unsubscribing from a malformed filter', (client) => client.unsubscribeAsync('a#'), 'ERROR_FILTER_WILDCARD', ["'a#'"]],
  ];
  for (const state of ['connected', 'not yet connected'] as const)
    for (const [what, request, code, words] of requests)
      test(`${what}, ${state}`, async (t) => {
        const client = connect(broker.url);
        t.after(() => client.endAsync(true));
        if (state === 'connected') await event(client, 'connect');
        await assert.rejects(within(request(client), 'the refusal'), is(code, ...words));
        // It did no harm: the session goes on.
        await within(client.subscribeAsync('still/here', { qos: 1 }), 'an answer to the next');
      });

  test('without a callback it is an event', async (t) => {
    const { client } = await connected(t, broker.url);
    for (const request of [() => client.publish('a/#', ''), () => client.subscribe('#a'), () => client.unsubscribe('#a')]) {
      const error = event<Error>(client, 'error');
      request();
      assert.match((await error).message, /wildcard|filter/);
    }
  });

  test('the largest topic and filter are not', async (t) => {
    const { client, messages } = await connected(t, broker.url);
    const topic = `/${'l'.repeat(65_534)}`;
    await within(client.subscribeAsync('/+', { qos: 1 }), 'the answer');
    await within(client.publishAsync(topic, 'x', { qos: 1 }), 'the acknowledgement');
    const [message] = await messages.count(1);
    assert.equal(message?.topic, topic);
  });

  test('after the end', async (t) => {
    const { client } = await connected(t, broker.url);
    await client.endAsync();
    const requests: (() => Promise<unknown>)[] = [
      () => client.publishAsync('a', ''),
      () => client.subscribeAsync('a'),
      () => client.unsubscribeAsync('a'),
    ];
    for (const request of requests) await assert.rejects(within(request(), 'the refusal'), is('ERROR_STATE'));
  });

  test('while it is ending', async (t) => {
    const { client } = await connected(t, broker.url);
    const last = client.publishAsync('a', '', { qos: 1 });
    const ended = client.endAsync();
    await assert.rejects(within(client.publishAsync('a', '', { qos: 1 }), 'the refusal'), is('ERROR_STATE'));
    await within(Promise.all([last, ended]), 'the end');
  });

  test('more requests than queueLimit', async (t) => {
    const client = connect(broker.url, { queueLimit: 2 });
    t.after(() => client.endAsync(true));
    // The module's own outbox comes before the queue, and no step empties it within this turn.
    const all = await within(
      Promise.allSettled(Array.from({ length: 10_000 }, () => client.publishAsync('a', Buffer.alloc(1000), { qos: 1 }))),
      'all answers',
    );
    const refused = all.filter((answer) => answer.status === 'rejected');
    assert.ok(refused.length > 0 && refused.length < all.length);
    for (const { reason } of refused) is('ERROR_OUTBOX_FULL', 'queueLimit', '2')(reason);
  });
});

describe('options that cannot be used are refused at once, by name', { timeout: 60_000 }, () => {
  const cases: [what: string, url: string, options: ClientOptions, words: string[]][] = [
    ['a scheme that is not known', 'http://127.0.0.1', {}, ['http://', 'mqtt://']],
    ['no scheme', '127.0.0.1:1883', {}, ['scheme']],
    ['no host', 'mqtt://', {}, ['host']],
    ['a port that is none', 'mqtt://127.0.0.1:70000', {}, ['70000']],
    ['a keepalive over 65535', 'mqtt://127.0.0.1', { keepalive: 65_536 }, ['keepalive', 'range']],
    ['a keepalive below 0', 'mqtt://127.0.0.1', { keepalive: -1 }, ['keepalive']],
    ['a keepalive that is not whole', 'mqtt://127.0.0.1', { keepalive: 1.5 }, ['keepalive']],
    ['a connectTimeout of 0', 'mqtt://127.0.0.1', { connectTimeout: 0 }, ['connectTimeout']],
    ['a replyTimeout below 0', 'mqtt://127.0.0.1', { replyTimeout: -5 }, ['replyTimeout']],
    ['a reconnectPeriod below 0', 'mqtt://127.0.0.1', { reconnectPeriod: -5 }, ['reconnectPeriod']],
    ['a maxReconnectPeriod of a month', 'mqtt://127.0.0.1', { maxReconnectPeriod: 2_678_400_000 }, ['maxReconnectPeriod']],
    ['a will at QoS 3', 'mqtt://127.0.0.1', { will: { topic: 'w', qos: 3 as QoS } }, ['will.qos']],
    ['a will at a filter', 'mqtt://127.0.0.1', { will: { topic: 'w/#' } }, ['will.topic']],
    ['a will without a topic', 'mqtt://127.0.0.1', { will: { topic: '' } }, ['will.topic']],
    ['a will of over 65,535 bytes', 'mqtt://127.0.0.1', { will: { topic: 'w', payload: Buffer.alloc(65_536) } }, ['will.payload']],
    ['a will without a topic', 'mqtt://127.0.0.1', { will: {} as { topic: string } }, ['will', 'topic']],
    ['a password without a user name', 'mqtt://127.0.0.1', { password: 'p' }, ['username', 'password', 'needs']],
    ['a user name of over 65,535 bytes', 'mqtt://127.0.0.1', { username: 'u'.repeat(65_536) }, ['username']],
    ['a password of over 65,535 bytes', 'mqtt://127.0.0.1', { username: 'u', password: 'p'.repeat(65_536) }, ['password']],
    ['a client id of over 65,535 bytes', 'mqtt://127.0.0.1', { clientId: 'c'.repeat(65_536) }, ['clientId']],
    ['a user name with NUL', 'mqtt://127.0.0.1', { username: 'a\0b' }, ['username', 'U+0000']],
    ['a kept session without a client id', 'mqtt://127.0.0.1', { clientId: '', clean: false }, ['clientId']],
    ['a certificate that is none', 'mqtts://127.0.0.1', { cert: 'nothing', key: 'nothing' }, ['cert']],
  ];
  for (const [what, url, options, words] of cases)
    test(what, () => {
      assert.throws(
        () => void connect(url, options).end(true),
        (error: unknown) => {
          assert.ok(error instanceof Error);
          for (const word of words) assert.ok(error.message.includes(word), `'${word}' is missing in: ${error.message}`);
          assert.ok(!/p{10}|u{10}/.test(error.message), 'credentials are not repeated');
          return true;
        },
      );
    });
});

describe('a login that is refused', { timeout: 60_000 }, () => {
  for (const [returnCode, words] of [
    [2, 'identifier rejected'],
    [4, 'bad user name or password'],
    [5, 'not authorized'],
  ] as const)
    test(`with return code ${returnCode} and stopOnRefusal: an error of that code, once, and the end`, async (t) => {
      let attempts = 0;
      const broker = await startBroker({
        authenticate(_client, _username, _password, done) {
          attempts++;
          done(Object.assign(new Error('no'), { returnCode }), false);
        },
      });
      t.after(() => broker.close());
      const error = await firstError(t, broker.url, { username: 'a', password: 'secret', reconnectPeriod: 1, stopOnRefusal: true });
      is(returnCode, words)(error);
      assert.ok(!error.message.includes('secret'));
      assert.equal(attempts, 1);
    });
});

describe('a login that is refused, and then is not', { timeout: 60_000 }, () => {
  for (const returnCode of [2, 3, 4, 5])
    test(`with return code ${returnCode}: tried again until it is accepted`, async (t) => {
      let refusals = 2;
      const broker = await startBroker({
        authenticate: (_client, _username, _password, done) =>
          refusals-- > 0 ? done(Object.assign(new Error('no'), { returnCode }), false) : done(null, true),
      });
      t.after(() => broker.close());
      const client = connect(broker.url, { reconnectPeriod: 1, maxReconnectPeriod: 20 });
      t.after(() => client.endAsync(true));
      const codes: (string | number)[] = [];
      client.on('error', ({ code }) => codes.push(code));
      await event(client, 'connect');
      assert.deepEqual(codes, [returnCode, returnCode]);
    });
});

describe('a publish of callers without types', () => {
  const client = connect('mqtt://127.0.0.1:1', { reconnectPeriod: 0 });
  client.on('error', () => {});
  for (const [what, topic, payload, qos, words] of [
    ['a number', 'a', 23.4, 0, /payload must be a string.*not number.*String/],
    ['an object', 'a', { celsius: 23.4 }, 0, /not an Object/],
    ['an array', 'a', ['x'], 0, /not an Array/],
    ['an ArrayBuffer', 'a', new ArrayBuffer(4), 0, /not an ArrayBuffer/],
    ['null', 'a', null, 0, /not null/],
    ['a topic that is a number', 5, 'x', 0, /topic must be a string, not number/],
    ['a QoS that is no number', 'a', 'x', Number.NaN, /QoS must be 0, 1 or 2, not NaN/],
  ] as const) {
    test(`refuses ${what} by name`, async () => {
      await assert.rejects(client.publishAsync(topic as string, payload as unknown as string, { qos: qos as 0 }), words);
    });
  }
});

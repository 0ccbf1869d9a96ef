import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { type Client, type ClientOptions, connect, type QoS } from '../../host/index.js';
import { connected, within } from '../interop/peers.js';
import { ScriptedGateway } from './gateways.js';

describe('over MQTT-SN an option that cannot be used is refused by name', () => {
  const topics = (value: unknown) => ({ predefinedTopics: value }) as ClientOptions;
  const cases: [what: string, options: ClientOptions, says: RegExp][] = [
    ['a user name', { username: 'me' }, /option username: MQTT-SN 1\.2 has no user names/],
    ['a password', { password: 'secret' }, /option password: MQTT-SN 1\.2 has no/],
    ['an empty client id', { clientId: '' }, /option clientId: .*1 to 23 characters/],
    ['a client id of 24 characters', { clientId: '温'.repeat(24) }, /option clientId: .*1 to 23 characters/],
    ['pre-defined topics as a list', topics(['a']), /option predefinedTopics: it must be an object .* not an Array/],
    ['pre-defined topics as a text', topics('1=a'), /option predefinedTopics: it must be an object .* not string/],
    ['topic id 0', topics({ 0: 'a' }), /option predefinedTopics: the id '0' is not a whole number from 1 to 65534/],
    ['topic id 65535', topics({ 65535: 'a' }), /option predefinedTopics: the id '65535'/],
    ['a topic id that is a name', topics({ a: 1 }), /option predefinedTopics: the id 'a'/],
    ['a pre-defined topic that is a number', topics({ 1: 2 }), /option predefinedTopics: number \(id 1\) is not a topic name/],
    ['a pre-defined filter', topics({ 1: 'a/+' }), /option predefinedTopics: 'a\/\+' \(id 1\) is not a topic name/],
    ['a topic with two ids', topics({ 1: 'a', 2: 'a' }), /option predefinedTopics: 'a' has two ids, 1 and 2/],
    [
      '513 pre-defined topics',
      topics(Object.fromEntries(Array.from({ length: 513 }, (_, i) => [i + 1, `t/${i}`]))),
      /predefinedTopics .*longer/,
    ],
    ['a node id of 17 bytes', { nodeId: 'n'.repeat(17) }, /option nodeId: it has 1 to 16 bytes, not 17/],
    ['a node id that is a number', { nodeId: 7 } as unknown as ClientOptions, /option nodeId: it must be a string/],
    ['connectionless as a text', { connectionless: 'yes' } as unknown as ClientOptions, /option connectionless: it must be true or false/],
    ['retries over 255', { retries: 256 }, /option retries .*outside its range/],
    ['a retry interval of 0', { retryInterval: 0 }, /option retryInterval .*outside its range/],
    ['a wait that is a text', { congestionWait: 'long' } as unknown as ClientOptions, /option congestionWait .*outside its range/],
    ['a search delay that is a fraction', { searchDelay: 0.5 }, /option searchDelay .*outside its range/],
    ['no missed advertisement', { missedAdvertisements: 0 }, /option missedAdvertisements .*outside its range/],
  ];
  for (const [what, options, says] of cases)
    test(what, () => {
      assert.throws(() => connect('mqtt-sn://127.0.0.1:1', options), says);
    });

  test('a user name in the address', () => {
    assert.throws(() => connect('mqtt-sn://me@127.0.0.1:1'), /MQTT-SN 1\.2 has no user names/);
  });
});

test('23 characters are a client id, whatever their bytes, and so is the default', async (t) => {
  const gateway = await ScriptedGateway.at(t);
  await connected(t, gateway.url, { clientId: '温'.repeat(23) });
  await connected(t, gateway.url);
  assert.equal((await gateway.hears('CONNECT')).clientId, '温'.repeat(23));
  assert.match((await gateway.hears('CONNECT', 2)).clientId, /^twobyte_[\da-f]{8}$/);
});

test('with a node id every message is encapsulated', async (t) => {
  const gateway = await ScriptedGateway.at(t);
  const client = connect(gateway.url, { nodeId: 'node' });
  t.after(() => client.endAsync(true));
  assert.equal(Buffer.from((await gateway.hears('ENCAPSULATED')).node).toString(), 'node');
});

describe('what the other protocol has is refused with words', () => {
  const methods: [what: string, call: (client: Client) => Promise<unknown>][] = [
    ['sleepAsync', (client) => client.sleepAsync(1)],
    ['wakeAsync', (client) => client.wakeAsync()],
    ['collectAsync', (client) => client.collectAsync()],
    ['updateWillAsync', (client) => client.updateWillAsync(undefined)],
  ];
  for (const [what, call] of methods)
    test(`${what} over MQTT`, async (t) => {
      const broker = await startBroker();
      t.after(() => broker.close());
      const { client } = await connected(t, broker.url);
      await assert.rejects(call(client), {
        code: 'ERROR_STATE',
        message: `${what}: MQTT has no such thing; connect to an MQTT-SN gateway, with mqtt-sn://`,
      });
    });

  test('connectionless over MQTT', () => {
    assert.throws(() => connect('mqtt://127.0.0.1:1', { connectionless: true }), /option connectionless: MQTT always connects/);
  });

  const calls: [what: string, options: ClientOptions, call: (client: Client) => Promise<unknown>, says: RegExp][] = [
    ['QoS −1 to a topic without an id', {}, (client) => client.publishAsync('a/b', 'x', { qos: -1 }), /QoS −1 needs a topic of two bytes/],
    ['QoS 3', {}, (client) => client.publishAsync('ab', 'x', { qos: 3 as QoS }), /must be 0, 1 or 2/],
    ['a payload over a datagram', {}, (client) => client.publishAsync('ab', 'x'.repeat(65_508)), /the limit is 65498 bytes/],
    ['a sleep of no time', {}, (client) => client.sleepAsync(0), /sleepAsync: .* from 1 to 65535, not 0/],
    ['a sleep over 65,535 s', {}, (client) => client.sleepAsync(65_536), /sleepAsync: .*, not 65536/],
    ['collectAsync while awake', {}, (client) => client.collectAsync(), /collectAsync: the client does not sleep/],
    ['a will without a topic', {}, (client) => client.updateWillAsync({ topic: '' }), /updateWillAsync: the topic is missing/],
    [
      'a will with a wildcard',
      {},
      (client) => client.updateWillAsync({ topic: 'w/#' }),
      /update of the will: a topic name must not contain/,
    ],
    [
      'QoS 1 without a connection',
      { connectionless: true },
      (client) => client.publishAsync('ab', 'x', { qos: 1 }),
      /only publishes at QoS −1/,
    ],
    ['subscribing without a connection', { connectionless: true }, (client) => client.subscribeAsync('ab'), /only publishes at QoS −1/],
    ['sleeping without a connection', { connectionless: true }, (client) => client.sleepAsync(1), /only publishes at QoS −1/],
  ];
  for (const [what, options, call, says] of calls)
    test(`${what} over MQTT-SN`, async (t) => {
      const { client } = await connected(t, (await ScriptedGateway.at(t)).url, options);
      await assert.rejects(within(call(client), 'the refusal'), says);
    });
});

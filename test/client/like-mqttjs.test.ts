import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import mqtt from 'mqtt';
import { startBroker } from '../../host/broker.js';
import { connect } from '../../host/index.js';
import { event, Heard, Wire, within } from '../interop/peers.js';

// The same calls on this client and on MQTT.js, and what their user sees of them.

/** What both have, as far as these conversations use it. */
interface Api {
  connected: boolean;
  on(name: string, listener: (...values: never[]) => void): unknown;
  publish(topic: string, payload: string | Buffer, options: Published, done: (error?: Error | null) => void): unknown;
  publishAsync(topic: string, payload: string | Buffer, options?: Published): Promise<unknown>;
  subscribeAsync(filters: string | string[] | Record<string, { qos: 0 | 1 | 2 }>, options?: { qos: 0 | 1 | 2 }): Promise<unknown>;
  unsubscribeAsync(filters: string | string[]): Promise<unknown>;
  endAsync(force?: boolean): Promise<unknown>;
  reconnect(): unknown;
}

interface Published {
  qos?: 0 | 1 | 2;
  retain?: boolean;
}

interface Options {
  clientId?: string;
  clean?: boolean;
  username?: string;
  password?: string;
  reconnectPeriod?: number;
  will?: { topic: string; payload: string; qos: 0 | 1 | 2; retain: boolean };
}

type Open = (options?: Options) => Api;

/** What a user sees, in words. */
type Seen = string[];

interface Conversation {
  what: string;
  /** `seen` takes a line for each thing the user sees. */
  talk(open: Open, seen: Seen, wire: Wire): Promise<void>;
  expected: Seen;
}

const levels = [0, 1, 2] as const;

/** The messages of a client, one line each. */
function hear(client: Api): Heard<string> {
  const lines = new Heard<string>();
  client.on('message', (topic: string, payload: Buffer, { qos, retain }: { qos: number; retain: boolean }) =>
    lines.add(`${topic} ${payload} QoS ${qos}${retain ? ' retained' : ''} ${Buffer.isBuffer(payload)}`),
  );
  return lines;
}

const granted = (answer: unknown) => (answer as { topic: string; qos: number }[]).map(({ topic, qos }) => `granted ${topic} ${qos}`);

/** The first line of an error is a matter of taste; that it is one is not. */
const outcome = (request: Promise<unknown>) =>
  within(
    request.then(
      () => 'done',
      (error) => (error instanceof Error ? 'an error' : 'something else'),
    ),
    'an answer',
  );

const conversations: Conversation[] = [
  {
    what: 'publish and subscribe at each QoS',
    async talk(open, seen) {
      const client = open();
      const lines = hear(client);
      seen.push(...granted(await client.subscribeAsync({ a: { qos: 0 }, b: { qos: 1 }, c: { qos: 2 } })));
      for (const [index, topic] of ['a', 'b', 'c'].entries()) await client.publishAsync(topic, '23.4', { qos: levels[index] ?? 0 });
      seen.push(...(await lines.count(3)));
    },
    expected: [...['granted a 0', 'granted b 1', 'granted c 2'], ...['a 23.4 QoS 0 true', 'b 23.4 QoS 1 true', 'c 23.4 QoS 2 true']],
  },
  {
    what: 'one QoS for several filters',
    async talk(open, seen) {
      seen.push(...granted(await open().subscribeAsync(['x/+', 'y/#'], { qos: 1 })));
    },
    expected: ['granted x/+ 1', 'granted y/# 1'],
  },
  {
    what: 'a retained message, for who subscribes later',
    async talk(open, seen) {
      await open().publishAsync('kept', '21.0', { qos: 1, retain: true });
      const later = open();
      const lines = hear(later);
      await later.subscribeAsync('kept', { qos: 1 });
      seen.push(...(await lines.count(1)));
    },
    expected: ['kept 21.0 QoS 1 retained true'],
  },
  {
    what: 'what was asked for before the connection',
    async talk(open, seen) {
      const subscriber = open();
      const lines = hear(subscriber);
      seen.push(`connected ${subscriber.connected}`, ...granted(await subscriber.subscribeAsync('early', { qos: 1 })));
      await open().publishAsync('early', 'bird', { qos: 1 });
      seen.push(...(await lines.count(1)), `connected ${subscriber.connected}`);
    },
    expected: ['connected false', 'granted early 1', 'early bird QoS 1 true', 'connected true'],
  },
  {
    what: 'the callback of publish, at each QoS',
    async talk(open, seen) {
      const client = open();
      await event(client, 'connect');
      for (const qos of levels)
        await within(
          new Promise<void>((resolve) =>
            client.publish('a', 'x', { qos }, (error) => {
              seen.push(`QoS ${qos}${error ? ' failed' : ''}`);
              resolve();
            }),
          ),
          'the callback',
        );
    },
    expected: ['QoS 0', 'QoS 1', 'QoS 2'],
  },
  {
    what: 'unsubscribing',
    async talk(open, seen) {
      const client = open();
      const lines = hear(client);
      await client.subscribeAsync(['a', 'b'], { qos: 1 });
      await client.unsubscribeAsync('a');
      for (const topic of ['a', 'b']) await client.publishAsync(topic, 'x', { qos: 1 });
      seen.push(...(await lines.count(1)));
    },
    expected: ['b x QoS 1 true'],
  },
  {
    what: 'malformed filters and a payload of bytes',
    async talk(open, seen) {
      const client = open();
      const lines = hear(client);
      await event(client, 'connect');
      for (const filter of ['a#', 'a/#/b', '+a']) seen.push(await outcome(client.subscribeAsync(filter)));
      seen.push(await outcome(client.unsubscribeAsync('a#')));
      await client.subscribeAsync('bytes', { qos: 1 });
      await client.publishAsync('bytes', Buffer.from('°'), { qos: 1 });
      seen.push(...(await lines.count(1)));
    },
    expected: [...Array<string>(4).fill('an error'), 'bytes ° QoS 1 true'],
  },
  {
    what: 'the end waits for the acknowledgement of what was published',
    async talk(open, seen) {
      const client = open();
      await event(client, 'connect');
      client.publish('a', 'x', { qos: 2 }, (error) => seen.push(error ? 'failed' : 'acknowledged'));
      await within(client.endAsync(), 'the end');
      seen.push('ended');
    },
    expected: ['acknowledged', 'ended'],
  },
  {
    what: 'the events of a connection that is lost and comes back, and of the end',
    async talk(open, seen, wire) {
      const client = open({ reconnectPeriod: 5 });
      const heard = new Heard<string>();
      for (const name of ['connect', 'reconnect', 'close', 'offline', 'end'] as const) client.on(name, () => heard.add(name));
      await heard.count(1);
      wire.cut();
      await heard.until((all) => all.filter((name) => name === 'connect').length === 2, 'the second connection');
      await client.endAsync();
      seen.push(...heard.all);
    },
    expected: ['connect', 'offline', 'close', 'reconnect', 'connect', 'close', 'end'],
  },
  {
    what: 'subscriptions after a lost connection',
    async talk(open, seen, wire) {
      const client = open({ reconnectPeriod: 5 });
      const lines = hear(client);
      await client.subscribeAsync('again/+', { qos: 1 });
      const back = event(client, 'connect');
      wire.cut();
      await back;
      await client.subscribeAsync('the/end'); // answered after the subscription that was made again
      await client.publishAsync('again/1', 'x', { qos: 1 });
      seen.push(...(await lines.count(1)));
    },
    expected: ['again/1 x QoS 1 true'],
  },
  {
    what: 'the will of a connection that is lost',
    async talk(open, seen, wire) {
      const client = open({ will: { topic: 'status', payload: 'offline', qos: 1, retain: true } });
      await event(client, 'connect');
      wire.cut();
      const observer = open();
      const lines = hear(observer);
      await observer.subscribeAsync('status', { qos: 1 });
      const [line = ''] = await lines.count(1);
      seen.push(line.replace(' retained', '')); // it may come before or after the subscription
    },
    expected: ['status offline QoS 1 true'],
  },
  {
    what: 'reconnect() after the end',
    async talk(open, seen) {
      const client = open();
      await event(client, 'connect');
      await client.endAsync();
      const back = event(client, 'connect');
      client.reconnect();
      await back;
      seen.push(`connected ${client.connected}`, await outcome(client.publishAsync('a', 'x', { qos: 2 })));
    },
    expected: ['connected true', 'done'],
  },
  {
    what: 'a login that is refused',
    async talk(open, seen) {
      const client = open({ username: 'nobody', password: 'wrong' });
      const error = await event<Error & { code: number }>(client, 'error');
      seen.push(`code ${error.code}`, error.message.replace(/:.*/, ''), `connected ${client.connected}`);
    },
    expected: ['code 4', 'Connection refused', 'connected false'],
  },
  {
    what: 'a session that is kept',
    async talk(open, seen) {
      const options = { clientId: 'kept', clean: false };
      const first = open(options);
      await event(first, 'connect');
      await first.subscribeAsync('queue', { qos: 1 });
      await first.endAsync();
      await open().publishAsync('queue', 'meanwhile', { qos: 1 });
      const second = open(options);
      const lines = hear(second);
      const { sessionPresent } = await event<{ sessionPresent: boolean }>(second, 'connect');
      seen.push(`session present ${sessionPresent}`, ...(await lines.count(1)));
    },
    expected: ['session present true', 'queue meanwhile QoS 1 true'],
  },
];

describe('a user sees the same of this client and of MQTT.js', { timeout: 60_000 }, () => {
  const clients: [name: string, open: (url: string, options: Options) => Api][] = [
    ['Twobyte', (url, options) => connect(url, options) as Api],
    ['MQTT.js', (url, options) => mqtt.connect(url, options) as unknown as Api],
  ];

  for (const { what, talk, expected } of conversations)
    for (const [name, open] of clients)
      test(`${what}: ${name}`, async (t) => {
        const broker = await startBroker({
          authenticate(_client, username, _password, done) {
            if (!username) return done(null, true);
            done(Object.assign(new Error('bad user name or password'), { returnCode: 4 }), false);
          },
        });
        t.after(() => broker.close());
        const wire = await Wire.to(t, Number(new URL(broker.url).port));
        const opened: Api[] = [];
        t.after(() => Promise.all(opened.map((client) => client.endAsync(true))));
        const seen: Seen = [];
        const openHere: Open = (options = {}) => {
          const client = open(`mqtt://127.0.0.1:${wire.port}`, { reconnectPeriod: 0, ...options });
          client.on('error', () => {}); // without a listener MQTT.js ends the process
          opened.push(client);
          return client;
        };
        await within(talk(openHere, seen, wire), 'the end of the conversation', 15_000);
        assert.deepEqual(seen, expected);
      });
});

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Client, type ClientOptions, connect, type Message } from '../../host/index.js';
import { type Mosquitto, passwordFile, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { Capture } from './capture.js';
import { skipTshark, tsharkFindings } from './tshark.js';

const DEADLINE_MS = 10_000;

/** Messages a client received, in order. */
class Inbox extends EventEmitter {
  readonly messages: Message[] = [];

  constructor(client: Client) {
    super();
    client.on('message', (_topic, _payload, message) => {
      this.messages.push(message);
      this.emit('more');
    });
  }

  async until(count: number): Promise<void> {
    while (this.messages.length < count) await once(this, 'more', { signal: AbortSignal.timeout(DEADLINE_MS) });
  }

  /** The payloads of one QoS. */
  at(qos: number): string[] {
    return this.messages.filter((message) => message.qos === qos).map(({ payload }) => payload.toString());
  }
}

/** The next time the client connects. events.once would fail with the first error, and errors are what a cut brings. */
function connection(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no connection')), DEADLINE_MS);
    client.once('connect', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

describe('a captured session', { skip: skipMosquitto }, () => {
  let broker: Mosquitto;
  before(async () => {
    broker = await startMosquitto(async (directory) => {
      const passwords = await passwordFile(join(directory, 'passwords'), { sensor: 'pässword' });
      return ['allow_anonymous false', `password_file ${passwords}`];
    });
  });
  after(() => broker.stop());

  /** A client of one test: it ends with it, and a cut connection is no fault. */
  const connected = async (t: TestContext, port: number, options: ClientOptions): Promise<Client> => {
    const client = connect(`mqtt://127.0.0.1:${port}`, { username: 'sensor', password: 'pässword', reconnectPeriod: 10, ...options });
    t.after(() => client.endAsync(true));
    await connection(client);
    return client;
  };

  /** Ends the client; then neither the checker nor tshark may have found anything. */
  const verdict = async (capture: Capture, client: Client) => {
    const before = capture.count('client', 'DISCONNECT');
    await client.endAsync();
    await capture.until('client', 'DISCONNECT', before + 1);
    await capture.close();
    assert.deepEqual(capture.checker.findings, []);
    if (!skipTshark()) assert.deepEqual(await tsharkFindings(capture.packets), []);
  };

  test('of every packet kind is without a fault', async (t) => {
    if (skipTshark()) t.diagnostic(`without a second opinion: ${skipTshark()}`);
    await using capture = await Capture.to(broker.port);
    const will = { topic: 'every/will', payload: 'offline', qos: 1, retain: true } as const;
    const client = await connected(t, capture.port, { clientId: 'every', keepalive: 1, will });
    const inbox = new Inbox(client);

    const granted = await client.subscribeAsync({ 'every/#': { qos: 2 }, 'other/+': { qos: 1 }, 'third/楼': { qos: 0 } });
    assert.deepEqual(
      granted.map(({ qos }) => qos),
      [2, 1, 0],
    );
    for (const retain of [false, true]) {
      for (const qos of [0, 1, 2] as const) await client.publishAsync('every/温度', `${qos} ${retain}`, { qos, retain });
    }
    await client.publishAsync('other/large', 'x'.repeat(20_000), { qos: 1 });
    await client.publishAsync('third/楼', '', { qos: 2 });
    await inbox.until(8);
    await client.subscribeAsync('every/+', { qos: 1 }); // brings the retained message
    await inbox.until(9);
    assert.equal(inbox.messages.at(-1)?.retain, true);
    await client.publishAsync('every/温度', '', { retain: true });
    await capture.until('server', 'PINGRESP', 2);
    await client.unsubscribeAsync(['every/#', 'other/+', 'never']);
    await verdict(capture, client);

    const { kinds } = capture.checker;
    assert.equal(new Set([...kinds.client, ...kinds.server]).size, 14, JSON.stringify([[...kinds.client], [...kinds.server]]));
    assert.deepEqual([...kinds.client].sort(), [
      ...['CONNECT', 'DISCONNECT', 'PINGREQ', 'PUBACK', 'PUBCOMP', 'PUBLISH', 'PUBREC', 'PUBREL', 'SUBSCRIBE', 'UNSUBSCRIBE'],
    ]);
  });

  test('that goes on after a cut sends again what had no answer', async (t) => {
    await using capture = await Capture.to(broker.port);
    const client = await connected(t, capture.port, { clientId: 'again', clean: false });
    const inbox = new Inbox(client);
    await client.subscribeAsync('again/#', { qos: 2 });
    await client.publishAsync('again/a', 'first', { qos: 1 });
    await inbox.until(1);

    const sent = capture.count('client', 'PUBLISH');
    capture.hold('server');
    const answers = [1, 2, 1, 2].map((qos, i) => client.publishAsync('again/b', `${i}`, { qos: qos as 1 | 2 }));
    await capture.until('client', 'PUBLISH', sent + 4);
    capture.cut();
    await Promise.all(answers);
    await inbox.until(5);
    await verdict(capture, client);

    const duplicates = capture.packets.filter(({ direction, bytes }) => direction === 'client' && ((bytes[0] ?? 0) & 0xf8) === 0x38);
    assert.equal(duplicates.length, 4);
    assert.deepEqual(inbox.at(2), ['1', '3']); // once
  });

  test('that goes on after a cut releases again what had no PUBCOMP', async (t) => {
    await using capture = await Capture.to(broker.port);
    const client = await connected(t, capture.port, { clientId: 'release', clean: false });
    await client.publishAsync('release/a', 'first', { qos: 2 });
    capture.cutAfter('client', 'PUBREL');
    await client.publishAsync('release/a', 'second', { qos: 2 });
    await verdict(capture, client);
    assert.equal(capture.count('client', 'PUBREL'), 3);
    assert.equal(capture.count('client', 'CONNECT'), 2);
  });

  test('that goes on after a cut takes what the broker sends again', async (t) => {
    await using capture = await Capture.to(broker.port);
    const client = await connected(t, capture.port, { clientId: 'taken', clean: false });
    const other = await connected(t, broker.port, { clientId: 'giver' });
    const inbox = new Inbox(client);
    await client.subscribeAsync('taken/#', { qos: 2 });
    const reconnected = connection(client);
    capture.hold('client');
    for (const qos of [1, 2] as const) await other.publishAsync('taken/a', `${qos}`, { qos });
    await capture.until('server', 'PUBLISH', 2);
    capture.cut();
    await reconnected;
    await other.publishAsync('taken/a', 'last', { qos: 2 });
    while (!inbox.at(2).includes('last')) await inbox.until(inbox.messages.length + 1);
    await other.endAsync();
    await verdict(capture, client);

    const duplicates = capture.packets.filter(({ direction, bytes }) => direction === 'server' && ((bytes[0] ?? 0) & 0xf8) === 0x38);
    assert.equal(duplicates.length, 2);
    assert.deepEqual(inbox.at(2), ['2', 'last']); // once
  });

  test('that is refused ends with the refusal', async () => {
    await using capture = await Capture.to(broker.port);
    const client = connect(`mqtt://sensor:wrong@127.0.0.1:${capture.port}`, { clientId: 'refused' });
    const [error] = await once(client, 'error', { signal: AbortSignal.timeout(DEADLINE_MS) });
    await client.endAsync();
    assert.match(String(error), /not authorized|bad user name/);
    await capture.close();
    assert.deepEqual(capture.checker.findings, []);
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type Client, type ClientOptions, connect } from '../../host/index.js';
import { freePort, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { connected, event, Heard, listen, Wire, within } from './peers.js';

type Failure = Error & { code: number | string };

const CONNACK = Buffer.from('20020000', 'hex');

/** A server of one test that follows a script; answers its port and what has called. */
async function scripted(t: TestContext, script: (socket: Socket) => void): Promise<{ port: number; calls: Heard<Socket> }> {
  const calls = new Heard<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    script(socket);
    calls.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, calls };
}

/** A client that tries again and again, and the errors it tells of. */
function trying(
  t: TestContext,
  port: number,
  options: ClientOptions = {},
): { client: Client; errors: Heard<Failure>; said: Heard<string> } {
  const client = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 1, maxReconnectPeriod: 20, ...options });
  t.after(() => client.endAsync(true));
  const errors = new Heard<Failure>();
  const said = new Heard<string>();
  client.on('error', (error) => errors.add(error));
  for (const name of ['connect', 'reconnect', 'close', 'offline', 'end'] as const) client.on(name, () => said.add(name));
  return { client, errors, said };
}

/** Answers the first bytes of a client with `bytes`. */
const answering =
  (bytes: Buffer | string, end = false) =>
  (socket: Socket) =>
    void socket.once('data', () => (end ? socket.end(bytes) : socket.write(bytes)));

describe('a broker that is none', { timeout: 60_000 }, () => {
  const cases: [what: string, script: (socket: Socket) => void, code: string, options?: ClientOptions][] = [
    ['accepts and says nothing', (socket) => void socket.resume(), 'TIMEOUT_CONNACK', { connectTimeout: 500 }],
    ['closes at once', (socket) => void socket.resume().end(), 'REASON_ENDED'],
    ['breaks off at once', (socket) => void socket.resetAndDestroy(), 'REASON_RESET'],
    ['closes after CONNECT', answering('', true), 'REASON_ENDED'],
    ['speaks HTTP', answering('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', true), 'ERROR_'],
    ['greets as SSH does', (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'), 'ERROR_'],
    ['answers with half a CONNACK', answering(CONNACK.subarray(0, 2)), 'TIMEOUT_CONNACK', { connectTimeout: 500 }],
    ['answers with half a CONNACK and closes', answering(CONNACK.subarray(0, 3), true), 'REASON_ENDED'],
    ['answers with another packet', answering(Buffer.from('d000', 'hex')), 'ERROR_UNEXPECTED'],
    ['answers with a reserved return code', answering(Buffer.from('20020006', 'hex')), 'ERROR_CONNACK'],
    ['speaks of a session that nobody asked for', answering(Buffer.from('20020100', 'hex')), 'ERROR_SESSION_PRESENT'],
    ['is not available', answering(Buffer.from('20020003', 'hex')), '3'],
    ['sends zeros after CONNACK', answering(Buffer.concat([CONNACK, Buffer.alloc(64)])), 'ERROR_PACKET_TYPE'],
    ['sends ones after CONNACK', answering(Buffer.concat([CONNACK, Buffer.alloc(64, 0xff)])), 'ERROR_'],
    ['sends a second CONNACK', answering(Buffer.concat([CONNACK, CONNACK])), 'ERROR_UNEXPECTED'],
    ['sends a topic with a wildcard', answering(Buffer.concat([CONNACK, Buffer.from('30030001' + '23', 'hex')])), 'ERROR_TOPIC_WILDCARD'],
    ['sends a topic that is not UTF-8', answering(Buffer.concat([CONNACK, Buffer.from('30030001' + 'c3', 'hex')])), 'ERROR_UTF8'],
  ];
  for (const [what, script, code, options] of cases)
    test(`${what}: ${code}, and it is tried again`, async (t) => {
      const { port, calls } = await scripted(t, script);
      const { client, errors } = trying(t, port, options);
      await errors.count(2);
      await calls.count(2);
      for (const error of errors.all.slice(0, 2)) assert.ok(String(error.code).startsWith(code), `${error.code}: ${error.message}`);
      await within(client.endAsync(), 'the end');
    });

  test('leaves the one that broke the protocol with a closed connection', async (t) => {
    const { port, calls } = await scripted(t, answering(Buffer.concat([CONNACK, Buffer.from('3003000123', 'hex')])));
    const { errors } = trying(t, port, { reconnectPeriod: 0 });
    await errors.count(1);
    const [socket] = await calls.count(1);
    if (socket && !socket.readableEnded) await within(once(socket.resume(), 'end'), 'the end of the connection');
  });
});

describe('a broker that is not there', { timeout: 60_000 }, () => {
  test('a port where nobody listens: refused, and tried again', async (t) => {
    const { errors, said } = trying(t, await freePort());
    await errors.count(3);
    for (const error of errors.all) {
      assert.equal(error.code, 'REASON_REFUSED');
      assert.match(error.message, /nobody listens/);
    }
    assert.deepEqual(said.all.slice(0, 4), ['close', 'reconnect', 'close', 'reconnect']);
  });

  test('a host name that does not exist is named as such', async (t) => {
    const client = connect('mqtt://broker.invalid:1883', { reconnectPeriod: 0 });
    t.after(() => client.endAsync(true));
    const ended = event(client, 'end');
    const error = await event<Failure>(client, 'error');
    assert.equal(error.code, 'REASON_NAME');
    await ended;
  });

  test('with reconnectPeriod 0 it is tried once, and what waited is told', async (t) => {
    const { client, errors, said } = trying(t, await freePort(), { reconnectPeriod: 0 });
    const published = client.publishAsync('a', '', { qos: 1 });
    await assert.rejects(within(published, 'the answer'), { code: 'REASON_REFUSED' });
    await said.until((all) => all.includes('end'), 'the end');
    assert.deepEqual(said.all, ['close', 'end']);
    assert.equal(errors.all.length, 1);
  });

  test('end() does not wait for it', async (t) => {
    const { client, errors } = trying(t, await freePort(), { reconnectPeriod: 60_000, maxReconnectPeriod: 60_000 });
    await errors.count(1);
    const published = client.publishAsync('a', '', { qos: 1 });
    published.catch(() => {});
    await within(client.endAsync(), 'the end');
    await assert.rejects(published);
  });
});

describe('a broker that comes back', { skip: skipMosquitto, timeout: 60_000 }, () => {
  test('after a restart the client reconnects and subscribes again, and what was published meanwhile arrives', async (t) => {
    const port = await freePort();
    const old = await startMosquitto([], port);
    t.after(() => old.stop());
    const { client, said } = trying(t, port);
    const messages = listen(client);
    await said.until((all) => all.includes('connect'), 'the connection');
    await client.subscribeAsync({ 'kept/+': { qos: 2 }, 'given/up': { qos: 1 } });
    await client.unsubscribeAsync('given/up');
    const lost = event(client, 'offline');
    await old.stop();
    await lost;
    // Retained: it may reach the broker before the subscription does.
    const published = client.publishAsync('kept/queued', 'meanwhile', { qos: 1, retain: true });
    const unheard = client.publishAsync('given/up', 'unheard', { qos: 1, retain: true });

    const connected = event(client, 'connect');
    const fresh = await startMosquitto([], port);
    t.after(() => fresh.stop());
    await connected;
    await within(Promise.all([published, unheard]), 'the acknowledgements');
    await client.publishAsync('kept/live', 'after', { qos: 1 });
    await messages.until((all) => all.some(({ topic }) => topic === 'kept/live'), 'the message after the restart');
    const heard = messages.all.map(({ topic, payload }) => `${topic} ${payload}`);
    assert.deepEqual(heard, ['kept/queued meanwhile', 'kept/live after']);
  });

  for (const qos of [1, 2] as const)
    test(`a session that is kept on both sides loses nothing to a cut wire: QoS ${qos}`, async (t) => {
      // With its default of 20 in flight, mosquitto answers further QoS 2 messages with a PUBREC and forgets them.
      const broker = await startMosquitto(['max_queued_messages 0', 'max_inflight_messages 0']);
      t.after(() => broker.stop());
      const subscriber = await connected(t, `mqtt://127.0.0.1:${broker.port}`);
      await subscriber.client.subscribeAsync('cut', { qos: 2 });
      const wire = await Wire.to(t, broker.port);
      const { client, said } = trying(t, wire.port, { clientId: 'cut', clean: false });
      await said.until((all) => all.includes('connect'), 'the connection');
      const count = 2000;
      let answered = 0;
      let cuts = 0;
      const acknowledged = new Promise<void>((resolve, reject) => {
        const done = (error?: Error) => {
          if (error) reject(error);
          if (++answered % 400 === 0 && answered < count) {
            cuts++;
            wire.cut();
          }
          if (answered === count) resolve();
        };
        for (let i = 0; i < count; i++) client.publish('cut', String(i), { qos }, done);
      });
      await within(acknowledged, 'the last acknowledgement', 30_000);
      await client.publishAsync('cut', 'end', { qos });
      await subscriber.messages.until((all) => all.some(({ payload }) => String(payload) === 'end'), 'the end');
      const arrived = subscriber.messages.all.map(({ payload }) => String(payload)).slice(0, -1);
      const expected = Array.from({ length: count }, (_, i) => String(i));
      assert.ok(cuts > 0);
      if (qos === 2) assert.deepEqual(arrived, expected, 'exactly once, in order');
      else assert.deepEqual([...new Set(arrived)], expected, 'at least once, the first copies in order');
    });
});

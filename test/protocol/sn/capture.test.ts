import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { bytes } from '../script.js';
import { Capture } from './capture.js';

const DEADLINE_MS = 10_000;

async function bind(t: TestContext): Promise<Socket> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** A gateway that accepts every CONNECT, and answers PINGREQ. */
async function gateway(t: TestContext): Promise<number> {
  const socket = await bind(t);
  socket.on('message', (message, { port }) => {
    if (message[1] === 0x04) socket.send(bytes('03 05 00'), port, '127.0.0.1');
    if (message[1] === 0x16) socket.send(bytes('02 17'), port, '127.0.0.1');
  });
  return socket.address().port;
}

/** Sends a datagram through the proxy, and takes the answer. */
async function ask(socket: Socket, capture: Capture, notation: string): Promise<string> {
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
  socket.send(bytes(notation), capture.port, '127.0.0.1');
  const [message] = await answer;
  return message.toString('hex');
}

describe('a capture of MQTT-SN', () => {
  test('keeps the conversations of several clients apart, with direction and time', async (t) => {
    await using capture = await Capture.to(await gateway(t));
    const [one, two] = [await bind(t), await bind(t)];
    assert.deepEqual(await Promise.all([ask(one, capture, `07 04 04 01 003c 'a'`), ask(two, capture, `07 04 04 01 003c 'b'`)]), [
      '030500',
      '030500',
    ]);
    assert.equal(await ask(one, capture, '02 16'), '0217');
    const said = (id: string) => capture.of(id).datagrams.map(({ from, bytes: data }) => `${from} ${Buffer.from(data).toString('hex')}`);
    assert.deepEqual(said('a'), ['client 07040401003c61', 'gateway 030500', 'client 0216', 'gateway 0217']);
    assert.deepEqual(said('b'), ['client 07040401003c62', 'gateway 030500']);
    const times = capture.of('a').datagrams.map(({ at = Number.NaN }) => at);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.deepEqual(capture.findings, []);
    assert.throws(() => capture.of('c'), /no client 'c' connected; '[ab]', '[ab]' did/);
  });

  test('knows a client again that comes back from another port', async (t) => {
    await using capture = await Capture.to(await gateway(t));
    for (let i = 0; i < 2; i++) await ask(await bind(t), capture, `07 04 00 01 003c 'a'`);
    assert.equal(capture.clients.length, 1);
    assert.equal(capture.of('a').datagrams.length, 4);
    assert.deepEqual(capture.findings, []);
  });

  test('shows what passes to the checker', async (t) => {
    await using capture = await Capture.to(await gateway(t));
    const socket = await bind(t);
    await ask(socket, capture, `07 04 04 01 003c 'a'`);
    await ask(socket, capture, `03 16 'a'`);
    assert.deepEqual(
      capture.findings.map(({ rule, from }) => [rule, from]),
      [['SN 6.14 ping', 'client']],
    );
  });

  test('loses what it is told to, and the checker knows that it did not arrive', async (t) => {
    await using capture = await Capture.to(await gateway(t));
    const socket = await bind(t);
    capture.lose('client', 'CONNECT');
    capture.lose('gateway', 'PINGRESP');
    socket.send(bytes(`07 04 04 01 003c 'a'`), capture.port, '127.0.0.1');
    await capture.until('client', 'CONNECT');
    assert.equal(await ask(socket, capture, `07 04 04 01 003c 'a'`), '030500');
    socket.send(bytes('02 16'), capture.port, '127.0.0.1');
    await capture.until('gateway', 'PINGRESP');
    assert.equal(await ask(socket, capture, '02 16'), '0217');
    assert.deepEqual(
      capture.of('a').datagrams.map(({ from, lost = false }) => [from, lost]),
      [
        ['client', true],
        ['client', false],
        ['gateway', false],
        ['client', false],
        ['gateway', true],
        ['client', false],
        ['gateway', false],
      ],
    );
    assert.equal(capture.count('gateway', 'PINGRESP'), 2);
    assert.deepEqual(capture.findings, []);
  });
});

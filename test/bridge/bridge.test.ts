import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { bridgeOver } from '../../host/bridge/bridge.js';
import { startBroker } from '../../host/broker.js';
import { connectAsync } from '../../host/client.js';
import { REASON_REFUSED, REASON_RESET } from '../../host/contract.js';
import { startGateway } from '../../host/gateway/embedded.js';
import { encodeFrame, FrameDecoder } from '../../host/links/framing.js';
import { connected, Heard, within } from '../interop/peers.js';
import { tcpPeer } from '../links/peers.js';
import { freePort, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { type BoardOptions, type Harm, line, skipBoardEnd, wayTo } from './board-end.js';
import type { Fault } from './damage.js';

/** What a module and a broker tell each other: both hear the other's bytes, then the module ends it. */
async function converse(t: TestContext, harm: Harm, options: BoardOptions = {}) {
  const [fromModule, fromBroker] = [randomBytes(1800), randomBytes(2600)];
  const heardByBroker: Buffer[] = [];
  let peers = 0;
  let ended = (_: string) => {};
  const end = new Promise<string>((resolve) => {
    ended = resolve;
  });
  const { url } = await tcpPeer(t, (socket) => {
    peers++;
    socket.on('data', (chunk: Buffer) => heardByBroker.push(chunk));
    socket.on('end', () => {
      ended('in order');
      socket.end();
    });
    socket.write(fromBroker);
  });
  const { board, bridge, up, down, tells } = await line(t, [url], options, harm);
  const module = dial(board.port, '127.0.0.1');
  const heardByModule: Buffer[] = [];
  const all = new Promise<void>((resolve, reject) => {
    module.on('data', (chunk: Buffer) => {
      heardByModule.push(chunk);
      if (Buffer.concat(heardByModule).length >= fromBroker.length) resolve();
    });
    module.on('close', () => reject(new Error('the module lost its connection')));
  });
  for (let at = 0; at < fromModule.length; at += 450) module.write(fromModule.subarray(at, at + 450));
  await within(all, 'what the broker said');
  module.end();
  assert.equal(await within(end, 'the end'), 'in order');
  assert.deepEqual(Buffer.concat(heardByModule), fromBroker);
  assert.deepEqual(Buffer.concat(heardByBroker), fromModule);
  assert.equal(peers, 1, 'one connection');
  assert.deepEqual(tells.all, [`broker ${url}: connected`]);
  board.child.kill('SIGKILL');
  await bridge.close();
  return { up, down, repeated: bridge.repeated };
}

/** Runs `each` for all numbers below `count`, so many at a time. */
async function all(count: number, each: (n: number) => Promise<void>, atOnce = 8): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) await each(next++);
    }),
  );
}

describe('a stream over a wire', { skip: skipBoardEnd, timeout: 120_000 }, () => {
  test('carries the very bytes, both ways, and repeats nothing on a good wire', async (t) => {
    const { repeated, up, down } = await converse(t, { fault: 'lost' });
    assert.equal(repeated, 0);
    assert.ok(up.frames > 10 && down.frames > 10, `${up.frames} up, ${down.frames} down`);
  });

  for (const fault of ['flipped', 'lost', 'doubled'] as Fault[])
    for (const direction of ['up', 'down'] as const)
      test(`one frame ${fault} on its way ${direction}, whichever: the connection holds, and no byte is other`, async (t) => {
        let harmed = 0;
        await all(22, async (n) => {
          const { [direction]: wire } = await converse(t, { fault, [direction]: (frame: number) => frame === n });
          harmed += wire.harmed;
        });
        assert.ok(harmed > 12, `${harmed} frames were harmed`);
      });

  test('every fifth frame of both directions flipped: it is slow, and sound', async (t) => {
    await converse(t, { fault: 'flipped', up: (frame) => frame % 5 === 4, down: (frame) => frame % 5 === 3 });
  });
});

describe('a board behind a bridge', { skip: skipBoardEnd || skipMosquitto, timeout: 120_000 }, () => {
  test('speaks MQTT with mosquitto over a wire that damages frames: each message once, none other', async (t) => {
    await using broker = await startMosquitto();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const harm: Harm = { fault: 'flipped', up: (frame) => frame % 17 === 9, down: (frame) => frame % 13 === 7 };
    const { board, up } = await line(t, [url], {}, harm);
    const device = await connectAsync(board.url, { clientId: 'device' });
    t.after(() => device.endAsync(true));
    const observer = await connected(t, url);
    await observer.client.subscribeAsync('up/#', { qos: 2 });
    await device.subscribeAsync('down/#', { qos: 2 });
    const messages = new Heard<string>();
    device.on('message', (topic, payload) => messages.add(`${topic} ${payload.length} ${sum(payload)}`));
    const sent: string[] = [];
    const payloads = Array.from({ length: 30 }, (_, i) => randomBytes(i * 61));
    await Promise.all([
      ...payloads.map((payload, i) => device.publishAsync(`up/${i}`, payload, { qos: ((i % 2) + 1) as 1 | 2 })),
      ...payloads.map((payload, i) => {
        sent.push(`down/${i} ${payload.length} ${sum(payload)}`);
        return observer.client.publishAsync(`down/${i}`, payload, { qos: 2 });
      }),
    ]);
    await messages.count(30, 30_000);
    await observer.messages.count(30, 30_000);
    assert.deepEqual(messages.all.toSorted(), sent.toSorted());
    const arrived = observer.messages.all.map(({ topic, payload }) => `${topic} ${sum(payload)}`);
    assert.deepEqual(arrived.toSorted(), payloads.map((payload, i) => `up/${i} ${sum(payload)}`).toSorted());
    assert.ok(up.harmed > 3, `${up.harmed} frames harmed`);
  });

  test('takes a megabyte as slowly as it can: none is lost, none is doubled', async (t) => {
    await using broker = await startMosquitto();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const payload = randomBytes(1_000_000);
    const observer = await connected(t, url);
    await observer.client.publishAsync('large', payload, { qos: 1, retain: true });
    const { board } = await line(t, [url], { slowness: 300 });
    const device = await connected(t, board.url);
    await device.client.subscribeAsync('large', { qos: 1 });
    const [message] = await device.messages.count(1, 60_000);
    assert.equal(sum(message?.payload ?? Buffer.of()), sum(payload));
  });

  test('hears at once that the broker is away, each time, and reaches it when it is there; people hear it once', async (t) => {
    const port = await freePort();
    const { board, tells } = await line(t, [`mqtt://127.0.0.1:${port}`]);
    for (let i = 1; i <= 3; i++) {
      const module = dial(board.port, '127.0.0.1');
      await once(module, 'close');
      await board.closed.count(i);
    }
    assert.deepEqual(board.closed.all, [REASON_REFUSED, REASON_REFUSED, REASON_REFUSED]);
    assert.equal(tells.all.length, 1);
    assert.match(String(tells.all[0]), new RegExp(`^broker mqtt://127.0.0.1:${port}: .*ECONNREFUSED`));
    await using _broker = await startMosquitto([], port);
    await connected(t, board.url);
    await tells.count(2);
    assert.equal(tells.all[1], `broker mqtt://127.0.0.1:${port}: connected`);
  });

  test('of two brokers takes the second when the first is away', async (t) => {
    await using broker = await startMosquitto();
    const { board } = await line(t, [`mqtt://127.0.0.1:${await freePort()}`, `mqtt://127.0.0.1:${broker.port}`]);
    await once(dial(board.port, '127.0.0.1'), 'close');
    await connected(t, board.url);
  });

  test('a broker that goes away in the middle closes the board’s connection', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const { board, tells } = await line(t, [`mqtt://127.0.0.1:${broker.port}`]);
    const device = await connected(t, board.url);
    device.client.on('error', () => {});
    const closed = new Promise<void>((resolve) => device.client.once('close', () => resolve()));
    await broker.stop();
    await within(closed, 'the close');
    await tells.count(2);
    assert.match(String(tells.all[1]), /^broker mqtt:.*(closed|RESET)/);
  });
});

const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 12);

describe('a board that speaks MQTT-SN behind a bridge', () => {
  test('reaches a gateway with its datagrams, from one port of UDP; only they pass', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const gateway = await startGateway(broker.url);
    t.after(() => gateway.close());
    const [toHost, toBoard] = [new PassThrough(), new PassThrough()];
    const bridge = bridgeOver(Duplex.from({ readable: toHost, writable: toBoard }), {
      brokers: [],
      gateway: wayTo(gateway.url),
      event: () => {},
      says: () => {},
      tell: (text) => assert.fail(text),
    });
    t.after(() => bridge.close());
    const messages = new Heard<string>();
    const decoder = new FrameDecoder();
    toBoard.on('data', (chunk: Buffer) => {
      for (const message of decoder.decode(chunk)) if (message[0] !== 0) messages.add(message.toString('hex'));
    });
    const connect = Buffer.concat([Buffer.of(7, 0x04, 0x04, 1, 0, 60), Buffer.from('d')]);
    // The socket takes nothing before it is open, and MQTT-SN asks again.
    for (let i = 0; i < 50 && messages.all.length === 0; i++) {
      toHost.write(encodeFrame(connect));
      await messages.count(1, 200).catch(() => {});
    }
    assert.equal(messages.all[0], '030500', 'CONNACK');
    toHost.write(encodeFrame(Buffer.of(0, 1, 0x68)));
    toHost.write(encodeFrame(Buffer.of(2, 0x16)));
    await messages.until((all) => all.includes('0217'), 'PINGRESP');
  });
});

describe('either end starts anew', { skip: skipBoardEnd, timeout: 60_000 }, () => {
  /** A broker that keeps its connections, and says when one is over. */
  async function peer(t: TestContext) {
    const sockets = new Heard<Socket>();
    const over = new Heard<string>();
    const { url } = await tcpPeer(t, (socket) => {
      sockets.add(socket);
      socket.on('data', (chunk: Buffer) => socket.write(chunk)); // it echoes
      socket.on('end', () => {
        over.add('end');
        socket.end();
      });
      socket.on('error', () => over.add('error'));
    });
    return { url, sockets, over };
  }

  test('a bridge that ends tells the board', async (t) => {
    const { url, over } = await peer(t);
    const { board, bridge } = await line(t, [url]);
    const module = dial(board.port, '127.0.0.1');
    module.write('hello');
    await once(module, 'data');
    await bridge.close();
    assert.deepEqual(await board.closed.count(1), [REASON_RESET]);
    await over.count(1);
  });

  test('wishes reach the board once each, and its console and events the bridge', async (t) => {
    const { url } = await peer(t);
    const harm: Harm = { fault: 'flipped', down: (frame) => frame > 0 && frame % 2 === 1 };
    const { board, bridge, says, events } = await line(t, [url], {}, harm);
    board.child.kill('SIGUSR1');
    await says.count(1);
    await events.count(1);
    assert.deepEqual([says.all, events.all], [['the kettle boils'], ['{"event":"reading","a":23500}']]);
    await bridge.command('flush');
    await bridge.command('restart');
    const wishes = (await board.wishes.until((all) => all.includes('wish 4 0'), 'the wish')).filter((word) => /^wish [234]/.test(word));
    assert.deepEqual(wishes, ['wish 3 0', 'wish 4 0']);
  });
});

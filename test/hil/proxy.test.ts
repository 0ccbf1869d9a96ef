import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { DatagramProxy } from '../../host/hil/datagram-proxy.js';
import { Heard } from '../../host/hil/heard.js';
import { StreamProxy } from '../../host/hil/stream-proxy.js';

// Peers of bytes, without a broker: what a proxy passes is what they get.

const hex = (bytes: string) => Buffer.from(bytes.replaceAll(' ', ''), 'hex');
const PUBLISH = hex('32 04 0001 61 07');
const puback = (id: number) => hex(`4002 00${id.toString(16).padStart(2, '0')}`);

class Bytes {
  readonly chunks = new Heard<Buffer>();
  ended = false;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.chunks.add(chunk)).on('error', () => {});
    for (const name of ['end', 'close'])
      socket.on(name, () => {
        this.ended = true;
        this.chunks.add(Buffer.alloc(0));
      });
  }

  get all(): string {
    return Buffer.concat(this.chunks.all).toString('hex');
  }

  async until(bytes: string): Promise<void> {
    await this.chunks.until(() => this.all === bytes.replaceAll(' ', ''), `${bytes}; came ${this.all}`);
  }

  async closed(): Promise<void> {
    await this.chunks.until(() => this.ended, 'the end of the connection');
  }
}

/** A board and a broker of one test, with a proxy between them. */
async function stream(t: TestContext) {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await StreamProxy.to({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  t.after(() => {
    server.close();
    return proxy.close();
  });
  return {
    proxy,
    async join() {
      const accepted = once(server, 'connection');
      const board = new Bytes(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
      const [socket] = (await accepted) as [Socket];
      const peer = new Bytes(socket);
      t.after(() => {
        for (const { socket } of [board, peer]) socket.destroy();
      });
      return { board, peer };
    },
  };
}

describe('a scripted proxy of MQTT', () => {
  test('passes whole packets, however they are cut, and counts them by type and side', async (t) => {
    const { proxy, join } = await stream(t);
    const { board, peer } = await join();
    board.socket.setNoDelay();
    board.socket.write(PUBLISH.subarray(0, 3));
    board.socket.write(Buffer.concat([PUBLISH.subarray(3), puback(1)]));
    await peer.until('320400016107 40020001');
    peer.socket.write(puback(7));
    await board.until('40020007');
    assert.deepEqual([proxy.count('board', 'PUBLISH'), proxy.count('board', 'PUBACK'), proxy.count('peer', 'PUBACK')], [1, 1, 1]);
    assert.equal((await proxy.until('peer', 'PUBACK')).fate, 'passed');
  });

  test('a packet with a length of several bytes is one', async (t) => {
    const { proxy, join } = await stream(t);
    const { board, peer } = await join();
    const large = Buffer.concat([hex('30 c801'), Buffer.alloc(200, 0x61)]);
    board.socket.write(large);
    await peer.until(large.toString('hex'));
    assert.equal(proxy.count('board', 'PUBLISH'), 1);
  });

  test('loses so many of a type, and no other', async (t) => {
    const { proxy, join } = await stream(t);
    const { board, peer } = await join();
    proxy.lose('peer', 'PUBACK', 2);
    peer.socket.write(Buffer.concat([puback(1), hex('d000'), puback(2), puback(3)]));
    await board.until('d000 40020003');
    assert.deepEqual(
      proxy.frames.map(({ name, fate }) => `${name} ${fate}`),
      ['PUBACK lost', 'PINGRESP passed', 'PUBACK lost', 'PUBACK passed'],
    );
  });

  test('what is held holds up what is behind it, and passes in its order', async (t) => {
    const { proxy, join } = await stream(t);
    const { board, peer } = await join();
    proxy.hold('peer', 'PUBACK');
    peer.socket.write(Buffer.concat([hex('d000'), puback(1), hex('d000')]));
    await proxy.until('peer', 'PINGRESP', 2);
    await board.until('d000');
    assert.deepEqual(
      proxy.frames.map(({ fate }) => fate),
      ['passed', 'held', 'held'],
    );
    proxy.release();
    peer.socket.write(puback(2));
    await board.until('d000 40020001 d000 40020002');
    assert.ok(proxy.frames.every(({ fate }) => fate === 'passed'));
  });

  test('an end of a side waits behind what is held', async (t) => {
    const { proxy, join } = await stream(t);
    const { board, peer } = await join();
    proxy.hold('board');
    board.socket.end(PUBLISH);
    await proxy.until('board', 'PUBLISH');
    proxy.release();
    const ended = once(peer.socket, 'end');
    await peer.until('320400016107');
    await ended;
  });

  test('cuts at a packet, which is the first that does not arrive; the next connection passes', async (t) => {
    const { proxy, join } = await stream(t);
    const first = await join();
    proxy.cutAt('board', 'PUBLISH');
    first.board.socket.write(Buffer.concat([puback(1), PUBLISH, puback(2)]));
    await Promise.all([first.board.closed(), first.peer.closed()]);
    const { board, peer } = await join();
    board.socket.write(PUBLISH);
    await peer.until('320400016107');
    assert.deepEqual(
      proxy.frames.map(({ connection, name, fate }) => `${connection} ${name} ${fate}`),
      ['1 PUBACK passed', '1 PUBLISH lost', '2 PUBLISH passed'],
    );
  });

  test('what was held when its connection ended is lost', async (t) => {
    const { proxy, join } = await stream(t);
    const { board, peer } = await join();
    proxy.hold('peer');
    peer.socket.write(puback(1));
    await proxy.until('peer', 'PUBACK');
    proxy.cut();
    await board.closed();
    proxy.release();
    assert.equal(proxy.frames[0]?.fate, 'lost');
    assert.equal(board.all, '');
  });

  test('knows a PUBLISH that says it may have come before', async (t) => {
    const { proxy, join } = await stream(t);
    const { board } = await join();
    board.socket.write(Buffer.concat([PUBLISH, hex('3a 04 0001 61 07'), hex('62020001')]));
    await proxy.until('board', 'PUBREL');
    assert.deepEqual(
      proxy.frames.map(({ dup }) => dup),
      [false, true, false],
    );
  });
});

/** A board and a gateway, with a proxy between them. */
async function datagrams(t: TestContext) {
  const open = async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => void socket.close());
    const heard = new Heard<string>();
    let from = 0;
    socket.on('message', (bytes, { port }) => {
      from = port;
      heard.add(bytes.toString('hex'));
    });
    return { socket, heard, answer: (bytes: Buffer) => socket.send(bytes, from, '127.0.0.1') };
  };
  const gateway = await open();
  const proxy = await DatagramProxy.to({ host: '127.0.0.1', port: gateway.socket.address().port });
  t.after(() => proxy.close());
  const board = await open();
  const say = ({ socket }: { socket: UdpSocket }, bytes: string) => socket.send(hex(bytes), proxy.port, '127.0.0.1');
  return { proxy, gateway, board, open, say };
}

describe('a scripted proxy of MQTT-SN', () => {
  test('passes datagrams both ways, for each board by itself, and names them', async (t) => {
    const { proxy, gateway, board, open, say } = await datagrams(t);
    const other = await open();
    say(board, '0216');
    await gateway.heard.count(1);
    gateway.answer(hex('0217'));
    await board.heard.count(1);
    say(other, '0216');
    await gateway.heard.count(2);
    gateway.answer(hex('07 0d 0001 0002 00'));
    await other.heard.count(1);
    assert.deepEqual([board.heard.all, other.heard.all], [['0217'], ['070d0001000200']]);
    assert.deepEqual(
      proxy.frames.map(({ connection, from, name }) => `${connection} ${from} ${name}`),
      ['1 board PINGREQ', '1 peer PINGRESP', '2 board PINGREQ', '2 peer PUBACK'],
    );
  });

  test('loses, holds by type without holding up others, and releases', async (t) => {
    const { proxy, gateway, board, say } = await datagrams(t);
    proxy.lose('board', 'PINGREQ');
    proxy.hold('peer', 'PUBACK');
    say(board, '0216');
    await proxy.until('board', 'PINGREQ');
    say(board, '0b 0c a0 0001 0002 32302e39');
    await gateway.heard.count(1);
    gateway.answer(hex('07 0d 0001 0002 00'));
    await proxy.until('peer', 'PUBACK');
    gateway.answer(hex('0217'));
    await board.heard.count(1);
    proxy.release();
    await board.heard.count(2);
    assert.deepEqual(board.heard.all, ['0217', '070d0001000200']);
    assert.deepEqual(gateway.heard.all, ['0b0ca00001000232302e39']);
    assert.deepEqual(
      proxy.frames.map(({ name, dup, fate }) => `${name} ${dup} ${fate}`),
      ['PINGREQ false lost', 'PUBLISH true passed', 'PUBACK false passed', 'PINGRESP false passed'],
    );
  });

  test('a side that is silenced is not heard until it may be', async (t) => {
    const { proxy, gateway, board, say } = await datagrams(t);
    proxy.silence('board');
    say(board, '0216');
    await proxy.until('board', 'PINGREQ');
    proxy.hear();
    say(board, '0218');
    await gateway.heard.count(1);
    assert.deepEqual(gateway.heard.all, ['0218']);
  });

  test('a length of three bytes, and what is no message of MQTT-SN', async (t) => {
    const { proxy, gateway, board, say } = await datagrams(t);
    say(board, `01 0104 0c 80 0001 0002 ${'61'.repeat(251)}`);
    say(board, '02fe');
    await gateway.heard.count(2);
    assert.deepEqual(
      proxy.frames.map(({ name, dup }) => `${name} ${dup}`),
      ['PUBLISH true', 'RESERVED false'],
    );
  });
});

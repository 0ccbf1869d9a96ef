import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { describe, type TestContext, test } from 'node:test';
import { REASON_NAME, REASON_OTHER, REASON_REFUSED } from '../../host/contract.js';
import { discoveryAt, linkTo } from '../../host/links/address.js';
import { udpDiscovery } from '../../host/links/udp.js';
import { begin, bytes, dial, next, settle } from './peers.js';

const BROADCAST = '127.255.255.255';

/** A socket of one test, bound to `address` and, unless told otherwise, to a free port of it. */
async function bind(t: TestContext, address = '127.0.0.1', port = 0, options: Partial<SocketOptions> = {}): Promise<Socket> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', ...options });
  t.after(() => socket.close());
  socket.bind({ port, address });
  await next(socket, 'listening');
  return socket;
}

/** A peer that gives every datagram back in angle brackets. */
async function echo(t: TestContext, address?: string): Promise<Socket> {
  const socket = await bind(t, address);
  socket.on('message', (message, from) => socket.send(`<${message}>`, from.port, from.address));
  return socket;
}

/** Resolves with the next datagram and its sender. */
async function datagram(socket: Socket): Promise<[text: string, from: RemoteInfo]> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error('no datagram came')), 10_000);
    socket.once('message', (message, from) => {
      clearTimeout(deadline);
      resolve([String(message), from]);
    });
  });
}

/** False, or why a test of `what` is skipped here: a datagram sent to `address` on the loopback does not come back. */
async function skipUnlessHeard(what: string, address: string, via?: string): Promise<string | false> {
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type, reuseAddr: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, resolve);
    });
    if (type === 'udp4') socket.setBroadcast(true);
    if (via !== undefined) {
      socket.setMulticastInterface(via);
      socket.addMembership(address, via);
    }
    const heard = next(socket, 'message').then(() => true);
    const sent = new Promise<boolean>((resolve) => socket.send('x', socket.address().port, address, (error) => resolve(!error)));
    const silence = new Promise<boolean>((resolve) => setTimeout(resolve, 500, false).unref());
    heard.catch(() => {});
    if ((await sent) && (await Promise.race([heard, silence]))) return false;
  } catch {
    // said below
  } finally {
    socket.close();
  }
  return `${what} does not come back on the loopback of this machine`;
}

describe('UDP', () => {
  for (const [name, address] of [
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ] as const) {
    test(`carries datagrams both ways over ${name}, and tells their sender`, async (t) => {
      let peer: Socket;
      try {
        peer = await echo(t, address);
      } catch {
        return t.skip(`${name} is not on this machine`);
      }
      const { port } = peer.address();
      const { link, ear } = dial(t, `mqtt-sn://${address.includes(':') ? `[${address}]` : address}:${port}`);
      assert.equal(link.datagrams, true);
      assert.equal(link.send(bytes('early')), 0);
      await ear.hears('opened');
      const data = bytes('hello');
      assert.equal(link.send(data), 5);
      data.fill(0); // it was copied
      await ear.until(() => ear.text === '<hello>');
      assert.deepEqual(ear.from, { host: address, port });
      assert.deepEqual(ear.heard, ['opened', 'received']);
    });
  }

  test('hears only its gateway', async (t) => {
    const gateway = await bind(t);
    const stranger = await bind(t);
    const { link, ear } = dial(t, `mqtt-sn://127.0.0.1:${gateway.address().port}`);
    await ear.hears('opened');
    link.send(bytes('x'));
    const [, { port }] = await datagram(gateway);
    await new Promise((resolve) => stranger.send('not for you', port, '127.0.0.1', resolve));
    gateway.send('for you', port, '127.0.0.1');
    await ear.hears('received');
    await settle();
    assert.equal(ear.text, 'for you');
  });

  test('says that nobody listens, after the first datagram', async (t) => {
    const peer = createSocket('udp4');
    peer.bind(0, '127.0.0.1');
    await next(peer, 'listening');
    const { port } = peer.address();
    peer.close();
    await next(peer, 'close');
    const { link, ear } = dial(t, `mqtt-sn://127.0.0.1:${port}`);
    await ear.hears('opened');
    link.send(bytes('x'));
    await ear.hears('closed');
    assert.equal(ear.reason, REASON_REFUSED);
    assert.match(ear.message, /ECONNREFUSED/);
    assert.equal(link.send(bytes('late')), 0);
    await settle();
    assert.deepEqual(ear.heard, ['opened', 'closed']);
  });

  test('opened again at the same address, it is heard from another port', async (t) => {
    const gateway = await bind(t);
    const ports = [];
    for (let i = 0; i < 2; i++) {
      const { link, ear } = dial(t, `mqtt-sn://127.0.0.1:${gateway.address().port}`);
      await ear.hears('opened');
      link.send(bytes('x'));
      const [, from] = await datagram(gateway);
      ports.push(from.port);
    }
    assert.notEqual(ports[0], ports[1]);
  });

  test('an unknown host name is told apart', async (t) => {
    for (const open of [() => dial(t, 'mqtt-sn://twobyte.invalid'), () => begin(t, () => udpDiscovery('twobyte.invalid', 1884).search)]) {
      const { ear } = open();
      await ear.hears('closed');
      assert.equal(ear.reason, REASON_NAME);
      assert.deepEqual(ear.heard, ['closed']);
    }
  });

  test('closes on a datagram that no network carries', async (t) => {
    const peer = await bind(t);
    const { link, ear } = dial(t, `mqtt-sn://127.0.0.1:${peer.address().port}`);
    await ear.hears('opened');
    link.send(new Uint8Array(65_536));
    await ear.hears('closed');
    assert.equal(ear.reason, REASON_OTHER);
    assert.match(ear.message, /EMSGSIZE/);
  });

  test('is busy with sixteen datagrams under way, says when it is not, and loses none', async (t) => {
    const peer = await bind(t);
    const heard: string[] = [];
    peer.on('message', (message) => heard.push(String(message)));
    const { link, ear } = dial(t, `mqtt-sn://127.0.0.1:${peer.address().port}`);
    await ear.hears('opened');
    const taken = Array.from({ length: 17 }, (_, i) => link.send(bytes(`${10 + i}`)));
    assert.deepEqual(taken, [...Array(16).fill(2), 0]);
    await ear.hears('writable');
    assert.equal(link.send(bytes('26')), 2);
    while (heard.length < 17) await next(peer, 'message');
    assert.deepEqual(
      heard,
      Array.from({ length: 17 }, (_, i) => `${10 + i}`),
    );
    assert.equal(ear.heard.filter((what) => what === 'writable').length, 1);
  });

  test('keeps 64 datagrams while it is paused and drops what is beyond', async (t) => {
    const peer = await bind(t);
    const { link, ear } = dial(t, `mqtt-sn://127.0.0.1:${peer.address().port}`);
    await ear.hears('opened');
    link.send(bytes('x'));
    const [, { port }] = await datagram(peer);
    link.pause();
    for (let i = 0; i < 70; i++) await new Promise((resolve) => peer.send(String.fromCharCode(65 + (i % 26)), port, '127.0.0.1', resolve));
    await settle();
    assert.equal(ear.text, '');
    link.resume();
    await ear.until(() => ear.text.length === 64);
    peer.send('!', port, '127.0.0.1');
    await ear.until(() => ear.text.endsWith('!'));
    assert.equal(ear.text.length, 65);
  });

  test('sends what it took when it is closed, and hears nothing more', async (t) => {
    const peer = await bind(t);
    const { link, ear } = dial(t, `mqtt-sn://127.0.0.1:${peer.address().port}`);
    await ear.hears('opened');
    const arrival = datagram(peer);
    link.send(bytes('last words'));
    link.close();
    const [text, { port }] = await arrival;
    assert.equal(text, 'last words');
    peer.send('a farewell nobody hears', port, '127.0.0.1');
    link.close(); // once more does nothing
    await settle();
    assert.deepEqual(ear.heard, ['opened']);
  });

  test('closed while it opens, it says nothing', async (t) => {
    const ears = [dial(t, 'mqtt-sn://127.0.0.1:9'), begin(t, () => udpDiscovery(BROADCAST, 9).search)].map(({ link, ear }) => {
      link.close();
      return ear;
    });
    await settle();
    assert.deepEqual(
      ears.flatMap(({ heard }) => heard),
      [],
    );
  });

  test('of a name with several addresses, the next is tried when nothing was heard from the last, and one that answers stays', async (t) => {
    const peer = await echo(t);
    const answer = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    t.mock.method(dns, 'lookup', async () => answer);
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const open = linkTo(`mqtt-sn://gateway.invalid:${peer.address().port}`);
    const outcomes = [];
    for (let i = 0; i < 4; i++) {
      const { link, ear } = begin(t, () => open);
      await ear.hears('opened');
      link.send(bytes('x'));
      await ear.until(() => ear.heard.length > 1);
      outcomes.push(ear.heard[1]);
      link.close();
    }
    assert.deepEqual(outcomes, ['closed', 'received', 'received', 'received']);
  });
});

const group = '239.255.18.84';
const group6 = 'ff15::1884';
const places: [what: string, host: string, via: string | undefined][] = [
  ['broadcast', BROADCAST, undefined],
  ['multicast over IPv4', group, '127.0.0.1'],
  ['multicast over IPv6', group6, '::%lo'],
];

for (const [what, host, via] of places) {
  const v6 = host.includes(':');
  const skip = await skipUnlessHeard(what, host, via);
  describe(`a search by ${what}`, () => {
    /** A gateway as it stands at the place: it hears what is sent to all, and what is sent to it alone. */
    const gatewayAt = async (t: TestContext) => {
      const socket = await bind(t, v6 ? '::' : '0.0.0.0', 0, { reuseAddr: true });
      if (via !== undefined) {
        socket.addMembership(host, via);
        socket.setMulticastInterface(via);
      } else socket.setBroadcast(true);
      return socket;
    };

    test(`by ${what}, several boards of one host each hear the answer to their own question, and every advertisement`, {
      skip,
    }, async (t) => {
      const gateway = await gatewayAt(t);
      const { port } = gateway.address();
      const answers: string[] = [];
      gateway.on('message', (message, from) => {
        answers.push(String(message));
        if (String(message).startsWith('?')) gateway.send(`answer to ${message}`, from.port, from.address);
      });
      const boards = [1, 2, 3].map(() => begin(t, () => udpDiscovery(host, port, via).search));
      for (const { ear } of boards) await ear.hears('opened');
      for (const [i, { link, ear }] of boards.entries()) {
        assert.equal(link.datagrams, true);
        assert.equal(link.send(bytes(`?${i}`)), 2);
        await ear.until(() => ear.text.includes(`answer to ?${i}`));
        assert.equal(ear.from?.port, port);
      }
      gateway.send('advertisement', port, host);
      for (const { ear } of boards) await ear.until(() => ear.text.endsWith('advertisement'));
      for (const [i, { ear }] of boards.entries()) {
        const own = ear.text.match(/answer to \?(\d)/g);
        assert.deepEqual(own, [`answer to ?${i}`], 'an answer reaches only who asked');
        assert.doesNotMatch(ear.text.replaceAll(/answer to \?\d/g, ''), new RegExp(`\\?${i}`), 'nobody hears itself');
      }
    });

    test(`by ${what}, it takes nothing that is sent to a gateway of the same host`, { skip }, async (t) => {
      const gateway = await gatewayAt(t);
      const { port } = gateway.address();
      const { ear } = begin(t, () => udpDiscovery(host, port, via).search);
      await ear.hears('opened');
      const client = await bind(t, v6 ? '::1' : '127.0.0.1');
      client.send('CONNECT', port, v6 ? '::1' : '127.0.0.1');
      const [text] = await datagram(gateway);
      assert.equal(text, 'CONNECT');
      assert.deepEqual(ear.heard, ['opened']);
    });
  });
}

describe('a search of one host', () => {
  test('asks it directly and hears its answer', async (t) => {
    const gateway = await echo(t);
    const discovery = discoveryAt(`mqtt-sn://127.0.0.1:${gateway.address().port}?search`);
    assert.ok(discovery);
    const { link, ear } = begin(t, () => discovery.search);
    await ear.hears('opened');
    link.send(bytes('?'));
    await ear.until(() => ear.text === '<?>');
    const found = discovery.gateway(ear.from ?? Buffer.alloc(0));
    assert.ok(found);
    const { link: direct, ear: second } = begin(t, () => found);
    await second.hears('opened');
    direct.send(bytes('CONNECT'));
    await second.until(() => second.text === '<CONNECT>');
  });
});

describe('the network address of a gateway', () => {
  const at = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

  for (const [what, address, length] of [
    ['IPv4, at the port of the search', '7f000001', 4],
    ['IPv4 with a port', '7f000001 PORT', 6],
    ['IPv6, at the port of the search', '00000000 00000000 00000000 00000001', 16],
    ['IPv6 with a port', '00000000 00000000 00000000 00000001 PORT', 18],
  ] as const) {
    test(`${length} bytes: ${what}`, async (t) => {
      let peer: Socket;
      try {
        peer = await echo(t, length > 6 ? '::1' : '127.0.0.1');
      } catch {
        return t.skip('IPv6 is not on this machine');
      }
      const { port } = peer.address();
      const discovery = udpDiscovery(BROADCAST, address.includes('PORT') ? 9 : port);
      const found = discovery.gateway(at(address.replace('PORT', port.toString(16).padStart(4, '0'))));
      assert.ok(found);
      const { link, ear } = begin(t, () => found);
      await ear.hears('opened');
      link.send(bytes('x'));
      await ear.until(() => ear.text === '<x>');
    });
  }

  for (const [what, address] of [
    ['no bytes', ''],
    ['a length that is none', '7f0000 01 07'],
    ['port 0', '7f000001 0000'],
    ['no address', '00000000'],
    ['no address of IPv6', '00'.repeat(16)],
    ['a group', 'ef010203'],
    ['a group of IPv6', `ff02${'00'.repeat(13)}01`],
    ['all hosts', 'ffffffff 075c'],
  ] as const) {
    test(`${what} is none of one host`, () => assert.equal(udpDiscovery(BROADCAST, 1884).gateway(at(address)), undefined));
  }
});

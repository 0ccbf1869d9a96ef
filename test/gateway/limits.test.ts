import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { brokerAt } from '../../host/gateway/broker.js';
import type { BrokerConnection, OpenBroker } from '../../host/gateway/connection.js';
import * as sn from '../../host/gateway/encode.js';
import type { Limits } from '../../host/gateway/limits.js';
import { openUdp } from '../../host/gateway/udp.js';
import { published, world } from './world.js';

// What strangers, clients and the broker can make grow in a gateway, each up to its limit.

const SHORT = 2;
const KIB = 1024;

const unconnected = (data = 'x') => published(0x6162, data, { qos: -1, topicType: SHORT });
const connect = (clientId: string, { will = false, clean = true } = {}) => sn.connect({ will, clean, duration: 60, clientId });

describe('publications without a connection', () => {
  test('are taken from one address up to their rate, and those of others beside it', () => {
    const { broker, clock, gateway } = world({ limits: { qosMinusOneRate: 100 } });
    for (let i = 0; i < 10_000; i++) gateway.receive(unconnected(`${i}`), 'bad');
    gateway.receive(unconnected('good'), 'good');
    clock.advance(0);
    assert.equal(gateway.counters.of('QoS −1 dropped: too many from one address'), 9900);
    assert.equal(gateway.counters.of('publications') + gateway.counters.of('QoS −1 dropped: congestion'), 101);
    clock.advance(1000);
    gateway.receive(unconnected('later'), 'bad');
    assert.ok(broker.published.includes('ab later 0'), broker.published.join());
  });

  test('of ever new addresses have a limit together', () => {
    const { clock, gateway } = world({ limits: { qosMinusOneRate: 1 } });
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 10_000; i++) gateway.receive(unconnected(), `spoofed ${second} ${i}`);
      clock.advance(1000);
    }
    assert.equal(gateway.counters.of('QoS −1 dropped: too many from one address'), 3 * (10_000 - 1024 - 1));
  });
});

describe('CONNECTs with spoofed addresses and ever new client ids', () => {
  test('hold no more sessions and connections than there may be clients, and as many that are ending', () => {
    const { broker, clock, gateway } = world({ limits: { clients: 20 } });
    broker.goesAway();
    for (let i = 0; i < 5000; i++) {
      gateway.receive(connect(`c${i}`), `spoofed ${i}`);
      if (i % 100 === 0) clock.advance(100);
      const open = broker.connections.filter(({ ended }) => !ended).length;
      assert.ok(open <= 40 && gateway.clients.length <= 20, `${open} connections, ${gateway.clients.length} clients`);
    }
    assert.ok(gateway.counters.of('connections refused: too many clients') > 0);
  });

  test('that come and go while the broker takes its time to end them do neither', () => {
    const { broker, clock, device, gateway } = world({ limits: { clients: 5 }, openBroker: neverEnding(() => opened++) });
    let opened = 0;
    for (let i = 0; i < 40; i++) {
      const a = device(`a${i}`);
      a.sends(connect(`c${i}`));
      a.sends(sn.disconnect());
    }
    assert.equal(opened, 5, 'the others have no connection begun for them');
    assert.equal(gateway.counters.of('connections refused: too many are ending'), 35);
    clock.advance(6000);
    device('late').sends(connect('late'));
    assert.equal(opened, 6);
    assert.equal(broker.connections.length, 0);
  });
});

/** A broker that accepts, and never finishes an end in order. */
function neverEnding(count: () => void): OpenBroker {
  return (_options, listener) => {
    count();
    queueMicrotask(() => listener.connected(false));
    return { publish() {}, subscribe() {}, unsubscribe() {}, end: (force, done) => force && done() };
  };
}

/** A broker of which the test answers what it was asked. */
function withheld(w: {
  connections: { subscribe: Parameters<BrokerConnection['subscribe']>[]; publish: Parameters<BrokerConnection['publish']>[] }[];
}): OpenBroker {
  return (_options, listener) => {
    const asked: (typeof w.connections)[number] = { subscribe: [], publish: [] };
    w.connections.push(asked);
    setImmediate(() => listener.connected(false));
    return {
      publish: (...words) => asked.publish.push(words),
      subscribe: (...words) => asked.subscribe.push(words),
      unsubscribe() {},
      end: (_force, done) => queueMicrotask(done),
    };
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a client', () => {
  async function connected(limits: Partial<Limits> = {}) {
    const seen: Parameters<typeof withheld>[0] = { connections: [] };
    const w = world({ limits, openBroker: withheld(seen) });
    const a = w.device('a');
    a.sends(connect('a', { clean: false }));
    await turn();
    assert.deepEqual(a.hears(), ['CONNACK 0']);
    return { ...w, a, seen };
  }
  const subscribe = (msgId: number, topicName: string) => sn.subscribe({ dup: false, qos: 1, msgId, topicType: 0, topicId: 0, topicName });

  test('of a broker that reads slowly keeps no more than a MiB of QoS 0 waiting, and goes on when it reads again', async () => {
    const { a, seen, gateway } = await connected();
    const { publish } = seen.connections[0] as (typeof seen.connections)[number];
    const data = 'x'.repeat(60 * KIB);
    for (let i = 0; i < 100; i++) a.sends(published(0x6162, data, { topicType: SHORT }));
    const bytes = publish.reduce((sum, [{ payload }]) => sum + payload.length, 0);
    assert.ok(bytes <= KIB * KIB && bytes > 900 * KIB, `${bytes} bytes`);
    assert.equal(gateway.counters.of('publications dropped: QoS 0 in congestion'), 100 - publish.length);
    for (const [, done] of publish.splice(0)) done();
    a.sends(published(0x6162, data, { topicType: SHORT }));
    assert.equal(publish.length, 1);
  });

  test('and all others keep no more than 64 MiB so', async () => {
    const seen: Parameters<typeof withheld>[0] = { connections: [] };
    const { device } = world({ openBroker: withheld(seen) });
    const data = 'x'.repeat(60 * KIB);
    const devices = Array.from({ length: 80 }, (_, i) => device(`d${i}`));
    for (const [i, each] of devices.entries()) each.sends(connect(`c${i}`));
    await turn();
    for (const each of devices) for (let i = 0; i < 20; i++) each.sends(published(0x6162, data, { topicType: SHORT }));
    const bytes = seen.connections.reduce((sum, { publish }) => sum + publish.reduce((all, [{ payload }]) => all + payload.length, 0), 0);
    assert.ok(bytes <= 64 * KIB * KIB && bytes > 60 * KIB * KIB, `${bytes} bytes`);
    devices[0]?.sends(sn.disconnect());
    const before = seen.connections.at(-1)?.publish.length ?? 0;
    devices.at(-1)?.sends(published(0x6162, 'y', { topicType: SHORT }));
    assert.equal(seen.connections.at(-1)?.publish.length, before + 1, 'what a client leaves makes room');
  });

  test('has bytes of filters up to their limit, names of 65,000 bytes among them', async () => {
    const { a, seen, gateway } = await connected({ subscriptionBytes: 65_536 });
    const { subscribe: asked } = seen.connections[0] as (typeof seen.connections)[number];
    a.sends(subscribe(1, `${'x'.repeat(65_000)}/#`), subscribe(2, `${'y'.repeat(65_000)}/#`), subscribe(3, 'z/#'));
    assert.deepEqual(a.hears(), ['SUBACK 0 #2 QoS 0 1'], 'also while the broker has not answered');
    for (const [, , done] of asked) done(1);
    assert.deepEqual(a.asks(subscribe(4, `${'w'.repeat(600)}/#`)), ['SUBACK 0 #4 QoS 0 1']);
    assert.equal(gateway.counters.of('subscriptions refused: too many'), 2);
  });

  test('that left before its subscription was granted does not come back to it', async () => {
    const { a, seen } = await connected();
    a.sends(subscribe(1, 'x/#'));
    const [[, , late]] = (seen.connections[0] as (typeof seen.connections)[number]).subscribe as [
      Parameters<BrokerConnection['subscribe']>,
    ];
    a.sends(sn.disconnect());
    late(1);
    a.sends(connect('a', { clean: false }));
    await turn();
    await turn();
    assert.equal(seen.connections.length, 2);
    assert.deepEqual(seen.connections[1]?.subscribe, [], 'the broker is asked for nothing that the client was not granted');
  });
});

describe('what is sent to an address that nobody has verified', () => {
  const cases: [what: string, datagrams: Uint8Array[]][] = [
    ['SEARCHGW', [sn.searchgw(0)]],
    ['CONNECT with a will', [connect('a', { will: true })]],
    ['CONNECT with a will, and its topic', [connect('a', { will: true }), sn.willtopic({ qos: 0, retain: false, topic: 'w' })]],
    ['CONNECT', [connect('a')]],
    ['CONNECT without a client id', [connect('')]],
    ['CONNECT of a banned client', [connect('banned')]],
    ['PINGREQ', [sn.pingreq()]],
    ['PINGREQ of a client that is not known', [sn.pingreq('a')]],
    ['DISCONNECT', [sn.disconnect()]],
    ['REGISTER', [sn.register(0, 1, 'a')]],
    ['PUBLISH', [published(1, '', { qos: 1, msgId: 1 })]],
    ['PUBLISH at QoS −1', [unconnected('')]],
    ['SUBSCRIBE', [sn.subscribe({ dup: false, qos: 0, msgId: 1, topicType: SHORT, topicId: 0x6162, topicName: '' })]],
    ['PUBREL', [sn.pubrel(1)]],
    ['GWINFO', [sn.gwinfo(1)]],
    ['ADVERTISE', [sn.advertise(1, 900)]],
    ['CONNACK', [sn.connack(0)]],
    ['garbage', [Buffer.from('00', 'hex'), Buffer.alloc(100, 0xff)]],
    ['CONNECT behind a forwarder', [sn.encapsulated(Buffer.from('01', 'hex'), connect('a', { will: true }))]],
    ['PINGREQ behind a forwarder', [sn.encapsulated(Buffer.from('0102', 'hex'), sn.pingreq())]],
  ];
  for (const [what, datagrams] of cases)
    test(`${what}: no more datagrams and no more bytes than came, in ten minutes`, () => {
      let count = 0;
      let bytes = 0;
      const transport = {
        send(_peer: string, datagram: Uint8Array) {
          count++;
          bytes += datagram.length;
        },
      };
      const { broker, clock, gateway } = world({ transport });
      broker.bans.add('banned');
      for (const datagram of datagrams) {
        gateway.receive(datagram, 'victim');
        clock.advance(1);
      }
      for (let i = 0; i < 600; i++) clock.advance(1000);
      const received = datagrams.reduce((sum, { length }) => sum + length, 0);
      assert.ok(
        count <= datagrams.length && bytes <= received,
        `${count} datagrams of ${bytes} bytes for ${datagrams.length} of ${received}`,
      );
    });
});

describe('a topic of a message for a client', () => {
  for (const [length, largest, arrives] of [
    [65_499, 65_507, true],
    [65_500, 65_507, false],
    [65_535, 65_507, false],
    [65_527, 65_535, true],
    [65_528, 65_535, false],
    [65_535, 65_535, false],
    [249, 255, true],
    [250, 255, false],
  ] as const)
    test(`of ${length} bytes ${arrives ? 'is registered' : 'is dropped and counted, and costs no other its id'}, where a datagram has ${largest}`, () => {
      const { broker, device, gateway } = world({
        transport: { send: (peer, datagram) => devices.get(peer)?.takes(datagram), largest: () => largest },
      });
      const devices = new Map([['a', device('a')]]);
      const a = devices.get('a') ?? assert.fail();
      a.connects('a');
      const id = a.registers('t');
      a.subscribes('#', 1);
      broker.says('x'.repeat(length), 'p', 1);
      const heard = a.hears();
      assert.equal(heard.length, arrives ? 1 : 0);
      assert.equal(gateway.counters.of('messages dropped: too large'), arrives ? 0 : 1);
      if (arrives) return;
      broker.says('t', 'ok');
      assert.deepEqual(a.hears(), [`PUBLISH ${id} ok QoS 0`]);
    });
});

test('what a peer calls itself cannot write lines of its own, nor move the cursor of a terminal', () => {
  const debugged: string[] = [];
  const { device, said, broker } = world({ debug: (text) => debugged.push(text) });
  const name = 'a\n2026 gateway: all is well\u001b[2J\u202e\u0085';
  broker.bans.add(name);
  device('a').sends(connect(name));
  const b = device('b');
  b.connects(`b${name}`);
  b.sends(published(b.registers(`t${name}`), 'x'));
  for (const line of [...said, ...debugged]) assert.doesNotMatch(line, /[\p{Cc}\u202e]/u);
  assert.match(said.join(), /client 'a\\u000a2026 gateway: all is well\\u001b\[2J/);
});

test('datagrams that the system does not take are dropped and counted beyond 16 MiB', async (t) => {
  const udp = await openUdp({ port: 0, host: '127.0.0.1' }, () => {});
  t.after(() => udp.close());
  for (let i = 0; i < 400; i++) udp.send(`127.0.0.1 ${udp.port}`, Buffer.alloc(60_000));
  assert.equal(udp.dropped, 400 - Math.floor((16 * KIB * KIB) / 60_000));
});

describe('a connection to the broker that cannot be made ends no gateway', () => {
  const options: [what: string, url: string, words: RegExp][] = [
    ['a user name that MQTT forbids', 'mqtt://u%00:p@127.0.0.1:1', /username.*U\+0000/],
    ['a malformed escape', 'mqtt://u%zz:p@127.0.0.1:1', /%25/],
    ['a user name over its limit', `mqtt://${'u'.repeat(65_536)}@127.0.0.1:1`, /username.*longer/],
  ];
  for (const [what, url, words] of options)
    test(what, async () => {
      const reason = await new Promise<string>((resolve) => {
        brokerAt(url)({ clientId: 'c', clean: true, will: undefined }, { connected() {}, message() {}, away() {}, refused: resolve });
      });
      assert.match(reason, words);
    });

  test('the largest client id and will that a client can have do', async (t: TestContext) => {
    const server = createServer((socket) => socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 0]))));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const will = { topic: 't'.repeat(65_500), payload: Buffer.alloc(65_500), qos: 0, retain: false } as const;
    const { port } = server.address() as { port: number };
    let connection: BrokerConnection | undefined;
    await new Promise<void>((resolve, reject) => {
      connection = brokerAt(`mqtt://127.0.0.1:${port}`)(
        { clientId: 'c'.repeat(65_500), clean: true, will },
        {
          connected: () => resolve(),
          message() {},
          away: (reason) => reject(new Error(reason)),
          refused: (reason) => reject(new Error(reason)),
        },
      );
    });
    await new Promise<void>((resolve) => connection?.end(true, resolve));
  });
});

test('well-formed messages without sense, of all sizes, from clients and broker, end no gateway', () => {
  for (let seed = 1; seed <= 20; seed++) {
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
    const size = () => pick([0, 1, 2, 3, 20, 249, 250, 252, 300, 65_400]);
    const name = () => pick(['#', 'a/+', '+', 'a', 'ab', 'x'.repeat(size()), '/', '底', 'a#']);
    const id = () => pick([0, 1, 2, 3, 0x6162, 0xffff]);
    const qos = () => pick([0, 1, 2] as const);
    const type = () => random(4);
    const some: (() => Uint8Array)[] = [
      () =>
        sn.connect({
          will: random(3) === 0,
          clean: random(2) === 0,
          duration: pick([0, 1, 60, 65_535]),
          clientId: pick(['a', 'b', 'c', '', 'y'.repeat(size() % 300)]),
        }),
      () => sn.willtopic({ qos: qos(), retain: random(2) === 0, topic: name() }),
      () => sn.willmsg(Buffer.alloc(size())),
      () => sn.register(id(), id(), name()),
      () => sn.regack(id(), id(), random(5)),
      () =>
        sn.publish({
          dup: random(2) === 0,
          qos: pick([-1, 0, 1, 2] as const),
          retain: random(2) === 0,
          topicType: type(),
          topicId: id(),
          msgId: id(),
          data: Buffer.alloc(size()),
        }),
      () => sn.puback(id(), id(), random(5)),
      () => sn.pubrec(id()),
      () => sn.pubrel(id()),
      () => sn.pubcomp(id()),
      () => sn.subscribe({ dup: random(2) === 0, qos: qos(), msgId: id(), topicType: random(3), topicId: id(), topicName: name() || 'n' }),
      () => sn.unsubscribe({ dup: false, qos: 0, msgId: id(), topicType: random(3), topicId: id(), topicName: name() || 'n' }),
      () => sn.pingreq(pick(['', 'a', 'b'])),
      () => sn.disconnect(pick([undefined, 0, 1, 60])),
    ];
    const { broker, clock, device, gateway } = world({ limits: { clients: 2, registrations: 3, retryTime: 1000 } });
    const devices = ['a', 'b', 'c'].map(device);
    devices[0]?.connects('a');
    devices[0]?.subscribes('#', 1);
    for (let step = 0; step < 500; step++) {
      const datagram = pick(some)();
      pick(devices).sends(random(8) === 0 ? sn.encapsulated(Buffer.alloc(random(253)), datagram) : datagram);
      if (random(3) === 0)
        broker.says(pick(['a', 'ab', 'a/b', 'x'.repeat(pick([1, 249, 65_500, 65_535]))]), 'p'.repeat(size()), qos(), random(2) === 0);
      if (random(50) === 0) broker.goesAway();
      if (random(20) === 0) broker.comesBack({ forgetful: random(2) === 0 });
      if (random(10) === 0) clock.advance(pick([1, 1000, 20_000]));
    }
    assert.ok(gateway.clients.length <= 2);
  }
});

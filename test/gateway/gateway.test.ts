import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import { Predefined } from '../../host/gateway/predefined.js';
import { bytes } from '../protocol/script.js';
import { published, world } from './world.js';

const ADVERTISE_S = 900;

describe('a gateway is found', () => {
  test('by SEARCHGW', () => {
    assert.deepEqual(
      world({ limits: { gatewayId: 7 } })
        .device('a')
        .asks(sn.searchgw(0)),
      ['GWINFO 7'],
    );
  });

  test('by ADVERTISE, at once and so often as was asked for', () => {
    const { advertised, clock, gateway } = world({ limits: { advertise: ADVERTISE_S } });
    gateway.start();
    assert.equal(advertised.length, 1);
    clock.advance(2 * ADVERTISE_S * 1000);
    assert.deepEqual(advertised, ['ADVERTISE 1', 'ADVERTISE 1', 'ADVERTISE 1']);
  });

  test('only by SEARCHGW otherwise', () => {
    const { advertised, clock, gateway } = world();
    gateway.start();
    clock.advance(86_400_000);
    assert.deepEqual(advertised, []);
  });
});

describe('a stranger', () => {
  const messages: [what: string, datagram: Buffer][] = [
    ['PUBLISH', published(1, 'x')],
    ['REGISTER', sn.register(0, 1, 't')],
    ['PINGREQ', sn.pingreq()],
    ['PUBACK', sn.puback(1, 1, 0)],
    ['DISCONNECT', sn.disconnect()],
  ];
  for (const [what, datagram] of messages) {
    test(`who sends ${what} is told to connect`, () => {
      assert.deepEqual(world().device('a').asks(datagram), ['DISCONNECT']);
    });
  }

  test('who says what only gateways say is not answered', () => {
    const answers = world()
      .device('a')
      .asks(sn.connack(0), sn.pingresp(), sn.suback(0, 1, 1, 0), sn.unsuback(1), sn.advertise(1, 1), sn.gwinfo(1));
    assert.deepEqual(answers, []);
  });

  test('is told once a second', () => {
    const { clock, device } = world();
    const a = device('a');
    assert.deepEqual(a.asks(sn.pingreq(), sn.pingreq(), sn.pingreq()), ['DISCONNECT']);
    clock.advance(1000);
    assert.deepEqual(a.asks(sn.pingreq()), ['DISCONNECT']);
  });
});

describe('a publication without a connection (QoS −1)', () => {
  const unconnected = (topicId: number, data: string, topicType: number) => published(topicId, data, { qos: -1, topicType });

  test('goes to pre-defined topics and topics of two bytes, through one connection', () => {
    const { broker, device, gateway } = world({ predefined: new Predefined([[7, 'pre/底']]) });
    assert.deepEqual(device('a').asks(unconnected(7, 'p', 1), unconnected(0x6162, 's', 2)), []);
    assert.deepEqual(broker.published, ['pre/底 p 0', 'ab s 0']);
    assert.equal(broker.connections.length, 1);
    assert.deepEqual(gateway.clients, []);
  });

  test('goes to no other topic, and is never answered', () => {
    const { broker, device, gateway } = world();
    assert.deepEqual(device('a').asks(unconnected(1, 'n', 0), unconnected(7, 'p', 1), unconnected(0x2b2f, 's', 2)), []);
    assert.equal(broker.connections.length, 0);
    assert.equal(gateway.counters.of('QoS −1 dropped: no such topic'), 3);
  });

  test('asks a broker that refused no more than every ten seconds', () => {
    const { broker, clock, device } = world();
    broker.bans.add('twobyte-gw1-0');
    const a = device('a');
    for (let i = 0; i < 100; i++) a.sends(unconnected(0x6162, 's', 2));
    assert.equal(broker.connections.length, 1);
    clock.advance(10_000);
    a.sends(unconnected(0x6162, 's', 2));
    assert.equal(broker.connections.length, 2);
  });

  test('can be switched off', () => {
    const { broker, device } = world({ limits: { qosMinusOne: false } });
    device('a').asks(unconnected(0x6162, 's', 2));
    assert.deepEqual(broker.published, []);
  });
});

describe('a client behind a forwarder', () => {
  const behind = (node: string, datagram: Buffer) => sn.encapsulated(bytes(node), datagram);
  const connect = (clientId: string) => sn.connect({ will: false, clean: true, duration: 60, clientId });

  test('is answered in frames of its node, beside others at the same address', () => {
    const { device, broker } = world();
    const forwarder = device('f');
    assert.deepEqual(forwarder.asks(behind('aa', connect('a')), behind('bb', connect('b')), connect('f')), [
      '[aa] CONNACK 0',
      '[bb] CONNACK 0',
      'CONNACK 0',
    ]);
    forwarder.sends(behind('bb', sn.subscribe({ dup: false, qos: 0, msgId: 1, topicType: 2, topicId: 0x6162, topicName: '' })));
    forwarder.hears();
    broker.says('ab', 'x');
    assert.deepEqual(forwarder.hears(), ['[bb] PUBLISH short 24930 x QoS 0']);
    assert.deepEqual(forwarder.asks(behind('cc', sn.pingreq()), behind('aa', sn.pingreq())), ['[cc] DISCONNECT', '[aa] PINGRESP']);
  });
});

describe('garbage', () => {
  test('is never answered, and counted by its fault', () => {
    const { device, gateway, said } = world();
    const a = device('a');
    assert.deepEqual(a.asks(bytes(''), bytes('00'), bytes('0916'), bytes('0211'), bytes('03fe00 0916')), []);
    assert.equal(gateway.counters.of('malformed: shorter than a header'), 2);
    assert.equal(gateway.counters.of('malformed: length does not match the datagram'), 1);
    assert.match(said.join('\n'), /malformed datagram from a/);
  });

  test('of one address does not hurt others, and silences that address for the rest of the second', () => {
    const { clock, device, gateway, said } = world({ limits: { garbage: 100 } });
    const [bad, good] = [device('bad'), device('good')];
    good.connects('good');
    for (let i = 0; i < 10_000; i++) gateway.receive(bytes('ff00'), 'bad');
    assert.deepEqual(bad.asks(sn.searchgw(0)), []);
    assert.deepEqual(good.asks(sn.pingreq()), ['PINGRESP']);
    assert.equal(gateway.counters.of('malformed: length does not match the datagram'), 100);
    assert.equal(gateway.counters.of('datagrams ignored after garbage'), 9901);
    assert.ok(said.length <= 20);
    clock.advance(1000);
    assert.deepEqual(bad.asks(sn.searchgw(0)), ['GWINFO 1']);
  });

  test('of CONNECTs under ever new client ids opens no more connections to the broker than one address may', () => {
    const { broker, clock, device, gateway } = world();
    const [bad, good] = [device('bad'), device('good')];
    for (let i = 0; i < 10_000; i++) gateway.receive(sn.connect({ will: false, clean: true, duration: 60, clientId: `x${i}` }), 'bad');
    assert.equal(broker.connections.length, 50);
    assert.equal(gateway.counters.of('CONNECTs ignored: too many from one address'), 9950);
    good.connects('good');
    clock.advance(1000);
    bad.connects('meant well');
  });

  test('of random bytes with all sessions open ends nothing', () => {
    const { device, gateway, clock } = world();
    device('a').connects('a');
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed >>> 16;
    };
    for (let i = 0; i < 20_000; i++) {
      const size = random() % 24;
      const datagram = Buffer.from(Array.from({ length: size }, () => random() & 255));
      if (size > 1) datagram[0] = size;
      if (size > 1 && random() % 4 > 0) datagram[1] = random() % 0x1e;
      gateway.receive(datagram, i % 2 ? 'a' : `x${i % 50}`);
      if (i % 100 === 0) clock.advance(1000);
    }
    device('b').connects('b');
  });
});

test('ends in order: clients are told, no will is published', () => {
  const { broker, clock, device, gateway, said } = world();
  const a = device('a');
  a.asks(
    sn.connect({ will: true, clean: true, duration: 60, clientId: 'a' }),
    sn.willtopic({ qos: 0, retain: false, topic: 'w' }),
    sn.willmsg(Buffer.from('gone')),
  );
  const b = device('b');
  b.connects('b');
  b.subscribes('t', 1);
  b.asks(sn.disconnect(100));
  broker.says('t', 'x', 1);
  let done = false;
  gateway.stop(() => {
    done = true;
  });
  clock.advance(100);
  assert.ok(done);
  assert.deepEqual([a.hears(), b.hears()], [['DISCONNECT'], ['DISCONNECT']]);
  assert.deepEqual([broker.fates('a'), broker.published], [['in order'], []]);
  assert.match(said.join(), /1 messages that waited for clients are gone/);
  assert.equal(clock.next, undefined);
});

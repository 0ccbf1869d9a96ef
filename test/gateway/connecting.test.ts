import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import { published, type World, world } from './world.js';

const connect = (clientId: string, { will = false, clean = true, duration = 60 } = {}) => sn.connect({ will, clean, duration, clientId });
const willTopic = (topic: string) => sn.willtopic({ qos: 1, retain: false, topic });
const willMessage = (text: string) => sn.willmsg(Buffer.from(text));
const willOf = ({ broker }: World, clientId: string) => {
  const will = broker.connections.findLast(({ options }) => options.clientId === clientId)?.options.will;
  return will && `${will.topic} ${Buffer.from(will.payload)} ${will.qos}`;
};

describe('a client connects', () => {
  test('and has a connection to the broker of its own, under its id', () => {
    const { broker, device } = world();
    device('a').connects('thermometer', { clean: false });
    const [seen] = broker.connections;
    assert.deepEqual(seen?.options, { clientId: 'thermometer', clean: false, will: undefined });
    assert.equal(broker.connections.length, 1);
  });

  test('with a will, which goes into the CONNECT to the broker', () => {
    const w = world();
    const a = w.device('a');
    assert.deepEqual(a.asks(connect('a', { will: true })), ['WILLTOPICREQ']);
    assert.deepEqual(a.asks(willTopic('底/availability')), ['WILLMSGREQ']);
    assert.deepEqual(a.asks(willMessage('offline')), ['CONNACK 0']);
    assert.equal(willOf(w, 'a'), '底/availability offline 1');
  });

  test('with an empty will topic, and has no will', () => {
    const w = world();
    const a = w.device('a');
    a.sends(connect('a', { will: true }));
    assert.deepEqual(a.asks(sn.willtopic({ qos: 0, retain: false, topic: '' })), ['CONNACK 0']);
    assert.equal(willOf(w, 'a'), undefined);
  });

  test('and what is lost of the will handshake is asked for when the client asks again, and given up after its Nretry', () => {
    const { clock, device, gateway } = world({ limits: { retries: 2, retryTime: 1000 } });
    const a = device('a');
    a.sends(connect('a', { will: true }));
    clock.advance(1000);
    assert.deepEqual(a.hears(), ['WILLTOPICREQ']);
    assert.deepEqual(a.asks(connect('a', { will: true })), ['WILLTOPICREQ'], 'a repeated CONNECT');
    assert.deepEqual(a.asks(willTopic('w')), ['WILLMSGREQ']);
    clock.advance(1000);
    assert.deepEqual(a.asks(willTopic('w')), ['WILLMSGREQ'], 'a repeated WILLTOPIC');
    clock.advance(2999);
    assert.deepEqual([a.hears(), gateway.clients.length], [[], 1]);
    clock.advance(1);
    assert.deepEqual(gateway.clients, []);
  });
});

describe('a broker that was away', () => {
  const connected = (will: boolean) => {
    const w = world();
    const a = w.device('a');
    if (will) a.asks(connect('a', { will: true }), willTopic('availability'), willMessage('offline'));
    else a.connects('a');
    w.broker.goesAway();
    w.broker.comesBack();
    return { ...w, a };
  };

  test('has published the will: the client is told to connect again, and can say that it is there', () => {
    const { a, broker } = connected(true);
    assert.deepEqual(a.hears(), ['DISCONNECT']);
    a.asks(connect('a', { will: true }), willTopic('availability'), willMessage('offline'));
    const id = a.registers('availability');
    a.asks(published(id, 'online', { qos: 1, msgId: 1 }));
    assert.deepEqual(broker.published.at(-1), 'availability online 1');
  });

  test('is nothing to a client without a will', () => {
    assert.deepEqual(connected(false).a.hears(), []);
  });
});

describe('clean session and will (SN 6.3)', () => {
  /** A client with a will and a subscription that disconnected in order, its session kept. */
  function kept() {
    const w = world();
    const a = w.device('a');
    a.asks(connect('a', { will: true, clean: false }), willTopic('w'), willMessage('old'));
    a.subscribes('s', 1);
    assert.deepEqual(a.asks(sn.disconnect()), ['DISCONNECT']);
    assert.deepEqual(w.broker.fates('a'), ['in order']);
    w.broker.says('s', 'meanwhile', 1);
    return { ...w, a };
  }

  test('clean, with will: all is forgotten, the will is asked for', () => {
    const w = kept();
    assert.deepEqual(w.a.asks(connect('a', { will: true })), ['WILLTOPICREQ']);
    assert.deepEqual(w.a.asks(willTopic('x'), willMessage('new')), ['WILLMSGREQ', 'CONNACK 0']);
    assert.equal(willOf(w, 'a'), 'x new 1');
  });

  test('clean, without will: all is forgotten, the will, too', () => {
    const w = kept();
    assert.deepEqual(w.a.asks(connect('a')), ['CONNACK 0']);
    assert.equal(willOf(w, 'a'), undefined);
  });

  test('kept, with will: messages come, the will is replaced', () => {
    const w = kept();
    assert.deepEqual(w.a.asks(connect('a', { will: true, clean: false })), ['WILLTOPICREQ']);
    assert.deepEqual(w.a.asks(willTopic('x'), willMessage('new')), ['WILLMSGREQ', 'CONNACK 0', 'REGISTER 1 s #1']);
    assert.equal(willOf(w, 'a'), 'x new 1');
  });

  test('kept, without will: messages come, the will stays', () => {
    const w = kept();
    assert.deepEqual(w.a.asks(connect('a', { clean: false })), ['CONNACK 0', 'REGISTER 1 s #1']);
    assert.equal(willOf(w, 'a'), 'w old 1');
  });

  test('a broker that has forgotten a kept session hears the subscriptions again', () => {
    const { a, broker, device } = kept();
    broker.goesAway();
    broker.comesBack({ forgetful: true });
    device('other');
    a.asks(connect('a', { clean: false }));
    broker.says('s', 'x');
    assert.deepEqual(a.hears(), ['REGISTER 1 s #1']);
  });
});

describe('a connection is refused', () => {
  const cases: [what: string, datagram: Buffer, answer: string, says: RegExp][] = [
    [
      'for another protocol',
      sn.connect({ will: false, clean: true, protocolId: 2, duration: 1, clientId: 'a' }),
      'CONNACK 3',
      /protocol 2/,
    ],
    ['without a client id', connect(''), 'CONNACK 3', /client id is empty/],
    ['for a client id that is too long', connect('x'.repeat(129)), 'CONNACK 3', /longer than 128 bytes/],
    ['when the broker does not want it', connect('banned'), 'CONNACK 3', /'banned'.*not authorized/],
    ['when there are too many clients', connect('third'), 'CONNACK 1', /there are 2 already/],
  ];
  for (const [what, datagram, answer, says] of cases) {
    test(what, () => {
      const { broker, device, said } = world({ limits: { clients: 2 } });
      broker.bans.add('banned');
      device('1').connects('first');
      if (what.includes('many')) device('2').connects('second');
      assert.deepEqual(device('a').asks(datagram), [answer]);
      assert.match(said.join('\n'), says);
    });
  }

  test('with congestion after a deadline, when the broker cannot be reached', () => {
    const { clock, broker, device, gateway } = world({ limits: { connectDeadline: 5000 } });
    broker.goesAway();
    const a = device('a');
    assert.deepEqual(a.asks(connect('a')), []);
    assert.deepEqual(a.asks(connect('a')), [], 'a repeated CONNECT is answered when the first is');
    clock.advance(5000);
    assert.deepEqual(a.hears(), ['CONNACK 1']);
    assert.deepEqual(gateway.clients, []);
    broker.comesBack();
    a.connects('a');
  });

  test('while a client that disconnected makes room, since the broker keeps its session', () => {
    const { device } = world({ limits: { clients: 1 } });
    const a = device('a');
    a.connects('a', { clean: false });
    a.asks(sn.disconnect());
    device('b').connects('b');
  });

  /** Two clients with sessions that are kept, where there is no room for more: 'a' connected first, and was lost or has disconnected last. */
  function full(gone: 'disconnected' | 'lost') {
    const w = world({ limits: { clients: 2 } });
    for (const clientId of ['a', 'b']) {
      w.device(clientId).connects(clientId, { clean: false, duration: clientId === 'a' ? 100 : 60 });
    }
    return {
      ...w,
      leave() {
        if (gone === 'lost') w.clock.advance(1_000_000);
        for (const clientId of ['b', 'a']) {
          if (gone === 'disconnected') w.gateway.receive(sn.disconnect(), clientId);
          w.clock.advance(1000);
        }
      },
      ids: () => w.gateway.clients.map(({ id }) => id),
    };
  }

  test('while the client that disconnected first makes room', () => {
    const { device, ids, leave } = full('disconnected');
    leave();
    device('c').connects('c');
    assert.deepEqual(ids(), ['a', 'c']);
  });

  test('while one for whom nothing waits makes room rather, and what waits is counted when it has to go', () => {
    const { broker, clock, device, gateway, ids, leave } = full('disconnected');
    const subscribe = sn.subscribe({ dup: false, qos: 1, msgId: 1, topicType: 0, topicId: 0, topicName: 't' });
    gateway.receive(subscribe, 'b');
    clock.advance(0);
    for (const payload of ['x', 'y']) broker.says('t', payload, 1);
    leave();
    device('c').connects('c');
    assert.deepEqual(ids(), ['b', 'c']);
    assert.equal(gateway.counters.of('messages dropped: session forgotten'), 0);
    device('d').connects('d');
    assert.deepEqual(ids(), ['c', 'd']);
    assert.equal(gateway.counters.of('messages dropped: session forgotten'), 2);
  });

  test('while the client that was lost first makes room, when none has disconnected', () => {
    const { broker, clock, device, ids, leave } = full('lost');
    leave();
    device('c').connects('c');
    clock.advance(0);
    assert.deepEqual(ids(), ['a', 'c']);
    assert.deepEqual([broker.fates('a'), broker.fates('b')], [['open'], ['in order']]);
  });
});

describe('a CONNECT that comes again', () => {
  test('right behind the first is a copy, and ends no session', () => {
    const { broker, clock, device } = world();
    const a = device('a');
    a.connects('a');
    const id = a.registers('t');
    clock.advance(500);
    assert.deepEqual(a.asks(connect('a')), ['CONNACK 0']);
    assert.deepEqual(a.asks(published(id, 'x', { qos: 1, msgId: 1 })), ['PUBACK 1 #1 0']);
    assert.equal(broker.connections.length, 1);
  });

  test('before anything else was said is answered again: the CONNACK was lost', () => {
    const { broker, clock, device } = world();
    const a = device('a');
    a.connects('a');
    clock.advance(10_000);
    assert.deepEqual(a.asks(connect('a')), ['CONNACK 0']);
    assert.equal(broker.connections.length, 1);
  });

  test('and a will message that comes again before anything else was said is answered again, too', () => {
    const w = world();
    const a = w.device('a');
    a.asks(connect('a', { will: true }), willTopic('w'), willMessage('offline'));
    assert.deepEqual(a.asks(willMessage('offline')), ['CONNACK 0']);
    assert.deepEqual(a.asks(sn.pingreq()), ['PINGRESP']);
    assert.deepEqual(a.asks(willMessage('offline')), [], 'an old copy');
    const b = w.device('b');
    b.asks(connect('b', { will: true }), sn.willtopic({ qos: 0, retain: false, topic: '' }));
    assert.deepEqual(b.asks(sn.willtopic({ qos: 0, retain: false, topic: '' })), ['CONNACK 0']);
    assert.deepEqual(w.broker.connections.length, 2);
  });

  test('later begins anew: the client was started again', () => {
    const { broker, clock, device } = world();
    const a = device('a');
    a.connects('a');
    const id = a.registers('t');
    clock.advance(5000);
    assert.deepEqual(a.asks(connect('a')), ['CONNACK 0']);
    assert.deepEqual(a.asks(published(id, 'x', { qos: 1, msgId: 1 })), ['PUBACK 1 #1 2']);
    assert.deepEqual(broker.fates('a'), ['in order', 'open']);
  });

  test('from another address moves the client there', () => {
    const { broker, clock, device } = world();
    const [a, b] = [device('a'), device('b')];
    a.connects('x', { clean: false });
    a.subscribes('s');
    clock.advance(5000);
    b.connects('x', { clean: false });
    broker.says('s', '1');
    assert.deepEqual(b.hears(), ['REGISTER 1 s #1']);
    assert.deepEqual(a.asks(sn.pingreq()), ['DISCONNECT']);
    assert.deepEqual(broker.fates('x'), ['open']);
  });
});

describe('a client is lost', () => {
  test('after one and a half keep alives without a word, and the gateway publishes its will', () => {
    const { broker, clock, device, gateway } = world();
    const a = device('a');
    a.asks(connect('a', { will: true, duration: 60 }), willTopic('w'), willMessage('gone'));
    clock.advance(60_000);
    a.asks(sn.pingreq());
    clock.advance(89_999);
    assert.deepEqual(broker.published, []);
    clock.advance(1);
    assert.deepEqual(broker.published, ['w gone 1']);
    assert.deepEqual(broker.fates('a'), ['in order']);
    assert.deepEqual(gateway.clients, []);
    assert.deepEqual(a.asks(sn.pingreq()), ['DISCONNECT']);
  });

  test('never, when its keep alive is 0', () => {
    const { clock, device, gateway } = world();
    device('a').connects('a', { duration: 0 });
    clock.advance(24 * 3_600_000);
    assert.equal(gateway.clients[0]?.state, 'active');
  });

  test('with the will that it updated last', () => {
    const { broker, clock, device } = world();
    const a = device('a');
    a.asks(connect('a', { will: true }), willTopic('w'), willMessage('old'));
    assert.deepEqual(a.asks(sn.willtopicupd({ qos: 2, retain: true, topic: 'v' })), ['WILLTOPICRESP 0']);
    assert.deepEqual(a.asks(sn.willmsgupd(Buffer.from('new'))), ['WILLMSGRESP 0']);
    clock.advance(90_000);
    assert.deepEqual(broker.published, ['v new 2 retained']);
  });

  test('without a will, when it deleted it', () => {
    const { broker, clock, device } = world();
    const a = device('a');
    a.asks(connect('a', { will: true }), willTopic('w'), willMessage('old'));
    assert.deepEqual(a.asks(sn.willtopicupd({ qos: 0, retain: false, topic: '' })), ['WILLTOPICRESP 0']);
    assert.deepEqual(a.asks(sn.willmsgupd(Buffer.from('new'))), ['WILLMSGRESP 3']);
    clock.advance(90_000);
    assert.deepEqual(broker.published, []);
  });

  test('and the broker gets the will when it is back', () => {
    const { broker, clock, device } = world();
    const a = device('a');
    a.asks(connect('a', { will: true }), willTopic('w'), willMessage('gone'));
    broker.goesAway();
    clock.advance(100_000);
    assert.deepEqual(broker.published, []);
    broker.comesBack();
    assert.deepEqual(broker.published, ['w gone 1']);
    assert.deepEqual(broker.fates('a'), ['in order']);
  });

  test('while its next connection to the broker waits for the end of the last: its will is dropped, counted and told', () => {
    const { broker, device, gateway, said } = world();
    const a = device('a');
    a.asks(connect('a', { will: true }), willTopic('w'), willMessage('gone'));
    for (const datagram of [connect('a', { clean: false }), connect('b')]) gateway.receive(datagram, 'a');
    assert.deepEqual(a.hears(), ['CONNACK 0']);
    assert.deepEqual([broker.published, gateway.clients.map(({ id }) => id)], [[], ['b']]);
    assert.equal(gateway.counters.of('wills dropped: no connection to the broker'), 1);
    assert.match(said.join(), /'a' is lost, and its will for 'w' with it/);
  });

  test('and messages wait for it when its session is kept; QoS 0 does not', () => {
    const { broker, clock, device } = world();
    const a = device('a');
    a.connects('a', { clean: false });
    a.subscribes('s', 1);
    clock.advance(90_000);
    broker.says('s', 'lost', 0);
    broker.says('s', 'kept', 1);
    assert.deepEqual(a.asks(connect('a', { clean: false })), ['CONNACK 0', 'REGISTER 1 s #1']);
    assert.deepEqual(a.asks(sn.regack(1, 1, 0)), ['PUBLISH 1 kept QoS 1 #2']);
    assert.deepEqual(broker.fates('a'), ['open']);
  });

  test('for so long that its connection is given up; the broker keeps its session', () => {
    const { broker, clock, device, gateway } = world({ limits: { lostExpiry: 1_000_000 } });
    device('a').connects('a', { clean: false });
    clock.advance(1_000_000);
    assert.deepEqual(gateway.clients, [{ id: 'a', state: 'disconnected', buffered: 0 }]);
    assert.deepEqual(broker.fates('a'), ['in order']);
  });

  test('when another client speaks from its address', () => {
    const { broker, device } = world();
    const a = device('a');
    a.asks(connect('first', { will: true }), willTopic('w'), willMessage('gone'));
    a.connects('second');
    assert.deepEqual(broker.published, ['w gone 1']);
    assert.deepEqual(a.asks(sn.pingreq()), ['PINGRESP']);
  });
});

test('DISCONNECT ends a session without its will', () => {
  const { broker, device, gateway } = world();
  const a = device('a');
  a.asks(connect('a', { will: true }), willTopic('w'), willMessage('gone'));
  assert.deepEqual(a.asks(sn.disconnect()), ['DISCONNECT']);
  assert.deepEqual(a.asks(sn.disconnect()), ['DISCONNECT'], 'once more, when the answer was lost');
  assert.deepEqual([broker.published, broker.fates('a'), gateway.clients], [[], ['in order'], []]);
});

test('a client whom the broker no longer wants is told', () => {
  const { broker, device, said } = world();
  const a = device('a');
  a.connects('a');
  broker.expels('a');
  assert.deepEqual(a.hears(), ['DISCONNECT']);
  assert.match(said.join(), /'a'.*not authorized/);
});

test('DISCONNECT within the will handshake ends it, without a will', () => {
  const { broker, clock, device, gateway } = world();
  const a = device('a');
  a.asks(connect('a', { will: true }), willTopic('w'), willMessage('gone'));
  clock.advance(5000);
  a.asks(connect('a', { will: true }));
  assert.deepEqual(a.asks(sn.disconnect()), ['DISCONNECT']);
  assert.deepEqual([broker.published, gateway.clients], [[], []]);
});

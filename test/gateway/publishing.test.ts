import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import type { Limits } from '../../host/gateway/limits.js';
import { Predefined } from '../../host/gateway/predefined.js';
import { published, world } from './world.js';

const SHORT = 2;
const PREDEFINED = 1;

/** A connected client with one topic, 't'. */
function connected(limits: Partial<Limits> = {}, clean = true) {
  const w = world({ limits, predefined: new Predefined([[7, 'pre/底']]) });
  const a = w.device('a');
  a.connects('a', { clean });
  return { ...w, a, id: a.registers('t') };
}

describe('a publication', () => {
  test('at QoS 0 is not answered', () => {
    const { a, id, broker } = connected();
    assert.deepEqual(a.asks(published(id, '1', { retain: true })), []);
    assert.deepEqual(broker.published, ['t 1 0 retained']);
  });

  test('at QoS 1 is acknowledged when the broker has acknowledged it', () => {
    const { a, id, broker } = connected();
    broker.holds();
    assert.deepEqual(a.asks(published(id, '1', { qos: 1, msgId: 5 })), []);
    broker.goesOn();
    assert.deepEqual(a.hears(), ['PUBACK 1 #5 0']);
  });

  test('at QoS 2 is answered with PUBREC when the broker has acknowledged it in full', () => {
    const { a, id, broker } = connected();
    broker.holds();
    assert.deepEqual(a.asks(published(id, '1', { qos: 2, msgId: 5 })), []);
    broker.goesOn();
    assert.deepEqual(a.hears(), ['PUBREC #5']);
    assert.deepEqual(a.asks(sn.pubrel(5)), ['PUBCOMP #5']);
    assert.deepEqual(broker.published, ['t 1 2']);
  });

  test('goes to a pre-defined topic and to one of two bytes', () => {
    const { a, broker } = connected();
    a.sends(published(7, 'p', { topicType: PREDEFINED }), published(0x6162, 's', { topicType: SHORT }));
    assert.deepEqual(broker.published, ['pre/底 p 0', 'ab s 0']);
  });

  const refused: [what: string, datagram: Buffer, answer: string][] = [
    ['an unknown topic id', published(99, 'x', { qos: 1, msgId: 5 }), 'PUBACK 99 #5 2'],
    ['an unknown topic id at QoS 0', published(99, 'x'), 'PUBACK 99 #0 2'],
    ['topic id 0000', published(0, 'x', { qos: 1, msgId: 5 }), 'PUBACK 0 #5 2'],
    ['topic id FFFF', published(0xffff, 'x', { qos: 1, msgId: 5 }), 'PUBACK 65535 #5 2'],
    ['an unknown pre-defined id', published(8, 'x', { topicType: PREDEFINED }), 'PUBACK 8 #0 2'],
    ['a wildcard of two bytes', published(0x2f23, 'x', { topicType: SHORT }), 'PUBACK 12067 #0 2'],
    ['two bytes that are no text', published(0xc328, 'x', { topicType: SHORT }), 'PUBACK 49960 #0 2'],
    ['the reserved kind of topic', published(1, 'x', { qos: 1, msgId: 5, topicType: 3 }), 'PUBACK 1 #5 3'],
  ];
  for (const [what, datagram, answer] of refused) {
    test(`to ${what} is refused`, () => {
      const { a, broker } = connected();
      assert.deepEqual(a.asks(datagram), [answer]);
      assert.deepEqual(broker.published, []);
    });
  }
});

describe('a publication that comes again', () => {
  for (const qos of [1, 2] as const) {
    const acknowledgement = qos === 1 ? 'PUBACK 1 #5 0' : 'PUBREC #5';

    test(`is answered once while the broker has not acknowledged it: QoS ${qos}`, () => {
      const { a, id, broker } = connected();
      broker.holds();
      a.sends(published(id, '1', { qos, msgId: 5 }), published(id, '1', { qos, msgId: 5, dup: true }));
      broker.goesOn();
      assert.deepEqual(a.hears(), [acknowledgement]);
      assert.equal(broker.published.length, 1);
    });

    test(`is another one with another content: QoS ${qos}`, () => {
      const { a, id, broker } = connected({}, false);
      a.sends(published(id, '1', { qos, msgId: 5 }), sn.pubrel(5));
      a.sends(published(id, '2', { qos, msgId: 5 }), sn.pubrel(5));
      assert.equal(broker.published.length, 2);
    });

    test(`is a new one after a clean start, and an old answer is not for it: QoS ${qos}`, () => {
      const { a, id, broker, clock } = connected();
      broker.holds();
      a.sends(published(id, '1', { qos, msgId: 5 }));
      clock.advance(5000);
      broker.goesOn();
      a.asks();
      broker.holds();
      a.sends(published(id, '2', { qos, msgId: 6 }));
      clock.advance(5000);
      a.sends(sn.connect({ will: false, clean: true, duration: 60, clientId: 'a' }));
      a.hears();
      broker.goesOn();
      assert.deepEqual(a.hears(), []);
      assert.equal(a.registers('t'), 1);
      assert.deepEqual(a.asks(published(1, '2', { qos, msgId: 6 })), [acknowledgement.replace('#5', '#6')]);
    });
  }

  test('is published again at QoS 1 once it is acknowledged: a client may give every message the same MsgId', () => {
    const { a, id, broker } = connected();
    for (let message = 1; message <= 3; message++) assert.deepEqual(a.asks(published(id, '1', { qos: 1, msgId: 1 })), ['PUBACK 1 #1 0']);
    assert.equal(broker.published.length, 3);
  });

  test('is answered and not published at QoS 1 when DUP says that only the answer was lost', () => {
    const { a, id, broker } = connected();
    for (const dup of [false, true, true]) assert.deepEqual(a.asks(published(id, '1', { qos: 1, msgId: 1, dup })), ['PUBACK 1 #1 0']);
    assert.deepEqual(a.asks(published(id, '2', { qos: 1, msgId: 1, dup: true })), ['PUBACK 1 #1 0']);
    assert.deepEqual(broker.published, ['t 1 1', 't 2 1']);
  });

  test('is another one at another QoS', () => {
    const { a, id, broker } = connected();
    a.sends(published(id, '1', { qos: 2, msgId: 1 }), sn.pubrel(1), published(id, '1', { qos: 1, msgId: 1 }));
    assert.deepEqual(broker.published, ['t 1 2', 't 1 1']);
  });

  test('is answered again afterwards, and not published: QoS 2', () => {
    const { a, id, broker } = connected();
    a.sends(published(id, '1', { qos: 2, msgId: 5 }));
    assert.deepEqual(a.asks(published(id, '1', { qos: 2, msgId: 5, dup: true })), ['PUBREC #5']);
    a.sends(sn.pubrel(5));
    assert.deepEqual(a.asks(published(id, '1', { qos: 2, msgId: 5 })), ['PUBREC #5'], 'a copy the network held back');
    assert.equal(broker.published.length, 1);
  });

  test('is another one a minute later: QoS 2', () => {
    const { a, id, broker, clock } = connected({}, false);
    a.sends(published(id, '1', { qos: 2, msgId: 5 }), sn.pubrel(5));
    clock.advance(60_000);
    a.sends(published(id, '1', { qos: 2, msgId: 5 }));
    assert.equal(broker.published.length, 2);
  });

  test('is known after the client has connected again, its session kept: QoS 2', () => {
    const { a, id, broker, clock } = connected({}, false);
    a.sends(published(id, '1', { qos: 2, msgId: 5 }));
    clock.advance(5000);
    a.connects('a', { clean: false });
    assert.deepEqual(a.asks(published(id, '1', { qos: 2, msgId: 5, dup: true })), ['PUBREC #5']);
    assert.equal(broker.published.length, 1);
  });

  test('sixteen completed ones are remembered', () => {
    const { a, id, broker } = connected();
    for (let msgId = 1; msgId <= 17; msgId++) a.sends(published(id, 'x', { qos: 2, msgId }), sn.pubrel(msgId));
    a.sends(published(id, 'x', { qos: 2, msgId: 2 }));
    assert.equal(broker.published.length, 17);
    a.sends(published(id, 'x', { qos: 2, msgId: 1 }));
    assert.equal(broker.published.length, 18);
  });

  test('an unknown PUBREL is answered', () => {
    assert.deepEqual(connected().a.asks(sn.pubrel(77)), ['PUBCOMP #77']);
  });
});

describe('congestion', () => {
  test('beyond the limit of a client: code 01, and QoS 0 goes on', () => {
    const { a, id, broker } = connected({ inflight: 2 });
    broker.holds();
    const many = [1, 2, 3].map((msgId) => published(id, 'x', { qos: 1, msgId }));
    assert.deepEqual(a.asks(...many), ['PUBACK 1 #3 1']);
    broker.goesOn();
    assert.deepEqual(a.hears(), ['PUBACK 1 #1 0', 'PUBACK 1 #2 0']);
    assert.deepEqual(a.asks(published(id, 'x', { qos: 1, msgId: 3 })), ['PUBACK 1 #3 0']);
  });

  test('beyond the limit of all clients', () => {
    const { a, id, broker, device } = connected({ totalInflight: 1 });
    const b = device('b');
    b.connects('b');
    const other = b.registers('t');
    broker.holds();
    a.sends(published(id, 'x', { qos: 1, msgId: 1 }));
    assert.deepEqual(b.asks(published(other, 'x', { qos: 1, msgId: 1 })), ['PUBACK 1 #1 1']);
    broker.goesOn();
    assert.deepEqual(b.asks(published(other, 'x', { qos: 1, msgId: 1 })), ['PUBACK 1 #1 0']);
  });

  test('a short absence of the broker is bridged', () => {
    const { a, id, broker, clock } = connected({ brokerAbsence: 10_000 });
    broker.goesAway();
    clock.advance(9999);
    assert.deepEqual(a.asks(published(id, '0'), published(id, '1', { qos: 1, msgId: 1 })), []);
    broker.comesBack();
    assert.deepEqual(a.hears(), ['PUBACK 1 #1 0']);
    assert.deepEqual(broker.published, ['t 0 0', 't 1 1']);
  });

  test('people are told when the broker is away, and when it is back', () => {
    const { broker, said } = connected({});
    broker.goesAway();
    broker.comesBack();
    broker.goesAway();
    broker.comesBack();
    const lines = said.filter((line) => line.startsWith("client 'a'"));
    const both = ["client 'a': the broker is away: gone", "client 'a': the broker is back"];
    assert.deepEqual(lines, [...both, ...both]);
  });

  test('a long absence of the broker is told with code 01; QoS 0 is dropped and counted', () => {
    const { a, id, broker, clock, gateway } = connected({ brokerAbsence: 10_000 });
    broker.goesAway();
    clock.advance(10_000);
    const subscribe = sn.subscribe({ dup: false, qos: 0, msgId: 2, topicType: 0, topicId: 0, topicName: 's' });
    assert.deepEqual(a.asks(sn.register(0, 5, 'new'), sn.register(0, 6, 't')), ['REGACK 0 #5 1', 'REGACK 1 #6 0']);
    assert.deepEqual(a.asks(published(id, '0'), published(id, '1', { qos: 2, msgId: 1 }), subscribe), [
      'PUBACK 1 #1 1',
      'SUBACK 0 #2 QoS 0 1',
    ]);
    assert.equal(gateway.counters.of('publications dropped: QoS 0 in congestion'), 1);
    broker.comesBack();
    assert.deepEqual(a.asks(published(id, '1', { qos: 2, msgId: 1 })), ['PUBREC #1']);
    assert.deepEqual(broker.published, ['t 1 2']);
  });

  test('too many topics', () => {
    const { a } = connected({ registrations: 2 });
    assert.deepEqual(a.asks(sn.register(0, 1, 'u'), sn.register(0, 2, 'v'), sn.register(0, 3, 't')), [
      'REGACK 2 #1 0',
      'REGACK 0 #2 1',
      'REGACK 1 #3 0',
    ]);
  });

  test('too many bytes of topics', () => {
    const { a } = connected({ registrationBytes: 7 });
    const subscribe = sn.subscribe({ dup: false, qos: 0, msgId: 3, topicType: 0, topicId: 0, topicName: '客' });
    assert.deepEqual(a.asks(sn.register(0, 1, '底底'), sn.register(0, 2, '底'), subscribe, sn.register(0, 4, '底')), [
      'REGACK 2 #1 0',
      'REGACK 0 #2 1',
      'SUBACK 0 #3 QoS 0 1',
      'REGACK 0 #4 1',
    ]);
  });
});

test('a topic with a wildcard is not registered', () => {
  assert.deepEqual(connected().a.asks(sn.register(0, 1, 'a/#')), ['REGACK 0 #1 3']);
});

describe('a subscription', () => {
  const asked = { dup: false, qos: 1, msgId: 3, topicType: 0, topicId: 0, topicName: '' } as const;
  const cases: [what: string, request: Parameters<typeof sn.subscribe>[0], answer: string][] = [
    ['to a name gets its id', { ...asked, topicName: '底' }, 'SUBACK 2 #3 QoS 1 0'],
    ['to a registered name gets that id', { ...asked, topicName: 't' }, 'SUBACK 1 #3 QoS 1 0'],
    ['with a wildcard gets 0000', { ...asked, topicName: 'x/+' }, 'SUBACK 0 #3 QoS 1 0'],
    ['to a pre-defined id', { ...asked, topicType: PREDEFINED, topicId: 7 }, 'SUBACK 7 #3 QoS 1 0'],
    ['to two bytes', { ...asked, topicType: SHORT, topicId: 0x6162 }, 'SUBACK 0 #3 QoS 1 0'],
    ['to an unknown pre-defined id is refused', { ...asked, topicType: PREDEFINED, topicId: 8 }, 'SUBACK 8 #3 QoS 0 2'],
    ['with a malformed filter is refused', { ...asked, topicName: 'a#' }, 'SUBACK 0 #3 QoS 0 3'],
    ['that the broker refuses is refused', { ...asked, topicName: 'secret' }, 'SUBACK 0 #3 QoS 0 3'],
    ['of the reserved kind is refused', { ...asked, topicType: 3, topicId: 7 }, 'SUBACK 7 #3 QoS 0 3'],
  ];
  for (const [what, request, answer] of cases) {
    test(what, () => {
      const { a, broker } = connected();
      broker.refuses.add('secret');
      assert.deepEqual(a.asks(sn.subscribe(request)), [answer]);
    });
  }

  test('that comes again is answered once while it waits, and again afterwards', () => {
    const { a, broker } = connected();
    broker.says('底', 'retained', 0, true);
    broker.holds();
    const request = { ...asked, topicName: '底' };
    a.sends(sn.subscribe(request), sn.subscribe({ ...request, dup: true }));
    broker.goesOn();
    assert.deepEqual(a.hears(), ['SUBACK 2 #3 QoS 1 0', 'PUBLISH 2 retained QoS 0 retained']);
    assert.deepEqual(a.asks(sn.subscribe({ ...request, dup: true })), ['SUBACK 2 #3 QoS 1 0'], 'the retained message does not come again');
  });

  test('of a new filter is refused when there are too many of any kind, and granted when another has ended', () => {
    const { a, broker, gateway } = connected({ subscriptions: 2 });
    broker.holds();
    const wildcard = { ...asked, topicName: 'x/+' };
    const short = sn.subscribe({ ...asked, msgId: 4, topicType: SHORT, topicId: 0x6162 });
    const predefined = sn.subscribe({ ...asked, msgId: 5, topicType: PREDEFINED, topicId: 7 });
    assert.deepEqual(a.asks(sn.subscribe(wildcard), short, predefined), ['SUBACK 7 #5 QoS 0 1'], 'while the broker has not answered, too');
    broker.goesOn();
    assert.deepEqual(a.hears(), ['SUBACK 0 #3 QoS 1 0', 'SUBACK 0 #4 QoS 1 0']);
    assert.deepEqual(a.asks(predefined), ['SUBACK 7 #5 QoS 0 1']);
    assert.deepEqual(a.asks(sn.subscribe({ ...wildcard, msgId: 6 })), ['SUBACK 0 #6 QoS 1 0'], 'one that is there');
    assert.equal(gateway.counters.of('subscriptions refused: too many'), 2);
    assert.deepEqual(a.asks(sn.unsubscribe({ ...wildcard, msgId: 7 }), predefined), ['UNSUBACK #7', 'SUBACK 7 #5 QoS 1 0']);
  });

  test('ends with UNSUBSCRIBE', () => {
    const { a, broker } = connected();
    a.subscribes('底');
    const request = { ...asked, topicName: '底' };
    assert.deepEqual(a.asks(sn.unsubscribe(request)), ['UNSUBACK #3']);
    assert.deepEqual(a.asks(sn.unsubscribe({ ...request, dup: true })), ['UNSUBACK #3']);
    broker.says('底', 'x');
    assert.deepEqual(a.hears(), []);
  });

  test('is made again when the broker has forgotten it', () => {
    const { a, broker } = connected();
    const id = a.subscribes('底');
    broker.goesAway();
    broker.comesBack({ forgetful: true });
    broker.says('底', 'x');
    assert.deepEqual(a.hears(), [`PUBLISH ${id} x QoS 0`]);
  });
});

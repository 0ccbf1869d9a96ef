import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import type { GatewayParts } from '../../host/gateway/gateway.js';
import type { Limits } from '../../host/gateway/limits.js';
import { Predefined } from '../../host/gateway/predefined.js';
import { published, world } from './world.js';

const RETRY = { retryTime: 1000, retries: 2 };

/** A client that is subscribed to 't' and knows it under id 1. */
function subscribed({ limits = RETRY, ...parts }: Partial<GatewayParts> & { limits?: Partial<Limits> } = {}, qos: 0 | 1 | 2 = 2) {
  const w = world({ limits, ...parts });
  const a = w.device('a');
  a.connects('a', { clean: false, duration: 0 });
  a.subscribes('t', qos);
  return { ...w, a };
}

/** One that is subscribed to everything and knows no topic. */
function listening(parts?: Parameters<typeof subscribed>[0]) {
  const w = world({ limits: RETRY, ...parts });
  const a = w.device('a');
  a.connects('a', { clean: false, duration: 0 });
  a.subscribes('#', 2);
  return { ...w, a };
}

describe('a message for a client', () => {
  test('at QoS 0', () => {
    const { a, broker } = subscribed();
    broker.says('t', 'x');
    assert.deepEqual(a.hears(), ['PUBLISH 1 x QoS 0']);
  });

  test('at QoS 1, sent again with DUP until it is acknowledged', () => {
    const { a, broker, clock } = subscribed();
    broker.says('t', 'x', 1);
    broker.says('t', 'y', 1);
    clock.advance(1000);
    assert.deepEqual(a.hears(), ['PUBLISH 1 x QoS 1 #1', 'PUBLISH 1 x QoS 1 #1 dup']);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), ['PUBLISH 1 y QoS 1 #2']);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), [], 'an old acknowledgement');
  });

  test('at QoS 2, each step sent again', () => {
    const { a, broker, clock } = subscribed();
    broker.says('t', 'x', 2);
    broker.says('t', 'y', 0);
    clock.advance(1000);
    assert.deepEqual(a.hears(), ['PUBLISH 1 x QoS 2 #1', 'PUBLISH 1 x QoS 2 #1 dup']);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), [], 'no answer at QoS 2');
    assert.deepEqual(a.asks(sn.pubrec(1)), ['PUBREL #1']);
    clock.advance(1000);
    assert.deepEqual(a.hears(), ['PUBREL #1']);
    assert.deepEqual(a.asks(sn.pubrec(1)), ['PUBREL #1'], 'a repeated PUBREC');
    assert.deepEqual(a.asks(sn.pubcomp(1)), ['PUBLISH 1 y QoS 0']);
  });

  test('on an unknown topic: REGISTER first, one at a time, in order', () => {
    const { a, broker, clock } = listening();
    broker.says('底/1', 'x');
    broker.says('底/2', 'y', 1);
    broker.says('底/1', 'z');
    clock.advance(1000);
    assert.deepEqual(a.hears(), ['REGISTER 1 底/1 #1', 'REGISTER 1 底/1 #1']);
    assert.deepEqual(a.asks(sn.regack(1, 1, 0)), ['PUBLISH 1 x QoS 0', 'REGISTER 2 底/2 #2']);
    assert.deepEqual(a.asks(sn.regack(2, 2, 0)), ['PUBLISH 2 y QoS 1 #3']);
    assert.deepEqual(a.asks(sn.puback(2, 3, 0)), ['PUBLISH 1 z QoS 0']);
  });

  test('on a topic of two bytes, and on a pre-defined one that the client has used: no REGISTER', () => {
    const { a, broker } = listening({ predefined: new Predefined([[7, 'pre/底']]) });
    broker.says('ab', 'x');
    a.sends(published(7, 'up', { topicType: 1 }));
    broker.says('pre/底', 'y');
    assert.deepEqual(a.hears(), ['PUBLISH short 24930 x QoS 0', 'PUBLISH pre-defined 7 up QoS 0', 'PUBLISH pre-defined 7 y QoS 0']);
  });

  test('on a pre-defined topic of a client that may not have the table: REGISTER', () => {
    const { a, broker } = listening({ predefined: new Predefined([[7, 'pre/底']]) });
    broker.says('pre/底', 'y');
    assert.deepEqual(a.hears(), ['REGISTER 1 pre/底 #1']);
  });

  test('of which nothing is swallowed when a PUBREC comes for nothing', () => {
    assert.deepEqual(subscribed().a.asks(sn.pubrec(77)), ['PUBREL #77']);
  });

  test('that is larger than its transport carries is dropped and counted', () => {
    const { broker, gateway } = subscribed();
    broker.says('t', 'x'.repeat(65_529), 1);
    assert.equal(gateway.counters.of('messages dropped: too large'), 1);
  });
});

describe('what the client answers', () => {
  test('02: it is registered again and sent again, under the same MsgId', () => {
    const { a, broker } = subscribed();
    broker.says('t', 'x', 1);
    assert.deepEqual(a.asks(sn.puback(1, 1, 2)), ['REGISTER 1 t #2']);
    assert.deepEqual(a.asks(sn.regack(1, 2, 0)), ['PUBLISH 1 x QoS 1 #1 dup']);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), []);
  });

  test('02 at QoS 0: the next on this topic is registered first', () => {
    const { a, broker } = subscribed();
    broker.says('t', 'x');
    a.asks(sn.puback(1, 0, 2));
    broker.says('t', 'y');
    assert.deepEqual(a.hears(), ['REGISTER 1 t #1']);
  });

  test('02 again and again: the message is dropped', () => {
    const { a, broker, gateway } = subscribed();
    broker.says('t', 'x', 1);
    for (let msgId = 2; msgId <= 3; msgId++) a.sends(sn.puback(1, 1, 2), sn.regack(1, msgId, 0));
    a.sends(sn.puback(1, 1, 2));
    assert.equal(gateway.counters.of('messages dropped: refused by the client'), 1);
  });

  test('REGACK 02: the topic gets another id', () => {
    const { a, broker } = listening();
    broker.says('底', 'x');
    assert.deepEqual(a.hears(), ['REGISTER 1 底 #1']);
    assert.deepEqual(a.asks(sn.regack(1, 1, 2)), ['REGISTER 2 底 #2']);
    assert.deepEqual(a.asks(sn.regack(2, 2, 0)), ['PUBLISH 2 x QoS 0']);
  });

  test('01: it is left alone for TWAIT, then sent again', () => {
    const { a, broker, clock } = subscribed({ limits: { ...RETRY, congestionWait: 30_000 } });
    for (const payload of ['x', 'y']) broker.says('t', payload, 1);
    a.asks(sn.puback(1, 1, 1));
    clock.advance(29_999);
    assert.deepEqual(a.hears(), []);
    clock.advance(1);
    assert.deepEqual(a.hears(), ['PUBLISH 1 x QoS 1 #1 dup']);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), ['PUBLISH 1 y QoS 1 #2']);
  });

  test('03: the message is dropped and counted', () => {
    const { a, broker, gateway } = subscribed();
    for (const payload of ['x', 'y']) broker.says('t', payload, 2);
    a.asks();
    assert.deepEqual(a.asks(sn.puback(1, 1, 3)), ['PUBLISH 1 y QoS 2 #2']);
    assert.equal(gateway.counters.of('messages dropped: refused by the client'), 1);
  });

  test('nothing: after Nretry it is lost, and goes on where it was when it is back', () => {
    const { a, broker, clock, gateway } = subscribed();
    for (const payload of ['x', 'y']) broker.says('t', payload, 2);
    clock.advance(2999);
    assert.deepEqual(a.hears().length, 3);
    clock.advance(1);
    assert.equal(gateway.clients[0]?.state, 'lost');
    const answers = a.asks(sn.connect({ will: false, clean: false, duration: 0, clientId: 'a' }));
    assert.deepEqual(answers, ['CONNACK 0', 'REGISTER 1 t #2']);
    assert.deepEqual(a.asks(sn.regack(1, 2, 0)), ['PUBLISH 1 x QoS 2 #1 dup']);
  });

  test('PUBREC after it has connected again, while its topic is told again: PUBREL, and the message does not come again', () => {
    const { a, broker, clock } = subscribed();
    broker.says('t', 'x', 2);
    clock.advance(3000);
    a.sends(sn.connect({ will: false, clean: false, duration: 0, clientId: 'a' }));
    a.hears();
    assert.deepEqual(a.asks(sn.pubrec(1)), ['PUBREL #1']);
    assert.deepEqual(a.asks(sn.pubrec(1)), ['PUBREL #1'], 'and again');
    assert.deepEqual(a.asks(sn.regack(1, 2, 0)), []);
    assert.deepEqual(a.asks(sn.pubcomp(1)), []);
    broker.says('t', 'y', 1);
    assert.deepEqual(a.hears(), ['REGISTER 1 t #3']);
  });

  test('PUBACK after it has connected again, while its topic is told again: the next message follows', () => {
    const { a, broker, clock } = subscribed();
    for (const payload of ['x', 'y']) broker.says('t', payload, 1);
    clock.advance(3000);
    a.sends(sn.connect({ will: false, clean: false, duration: 0, clientId: 'a' }));
    a.hears();
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), ['REGISTER 1 t #3']);
    assert.deepEqual(a.asks(sn.regack(1, 3, 0)), ['PUBLISH 1 y QoS 1 #4']);
  });

  test('PUBREC before it was lost: only PUBREL comes when it is back', () => {
    const { a, broker, clock } = subscribed();
    broker.says('t', 'x', 2);
    a.asks(sn.pubrec(1));
    clock.advance(3000);
    const answers = a.asks(sn.connect({ will: false, clean: false, duration: 0, clientId: 'a' }));
    assert.deepEqual(answers, ['CONNACK 0', 'PUBREL #1']);
    assert.deepEqual(a.asks(sn.pubcomp(1)), []);
  });
});

describe('when all topic ids are used', () => {
  test('a message on a new topic gets the place of the oldest that the client did not ask for, then of one that it did', () => {
    const { a, broker, gateway } = listening({ limits: { ...RETRY, registrations: 2 } });
    const own = a.registers('own');
    for (const [topic, id] of [
      ['x', 2],
      ['y', 3],
      ['z', 4],
    ] as const) {
      broker.says(topic, 'm');
      const [line = ''] = a.hears();
      assert.match(line, new RegExp(`^REGISTER ${id} ${topic} `));
      assert.deepEqual(a.asks(sn.regack(id, Number(line.split('#')[1]), 0)), [`PUBLISH ${id} m QoS 0`]);
    }
    assert.equal(a.registers('own'), own);
    const other = a.registers('other');
    assert.equal(other, 5, 'the client itself makes z go');
    broker.says('z', 'm');
    const [line = ''] = a.hears();
    assert.match(line, /^REGISTER 6 z /, 'and a message own');
    assert.deepEqual(a.asks(sn.register(0, 9, 'own')), ['REGACK 0 #9 1'], 'not what is in flight');
    assert.deepEqual(a.asks(sn.regack(6, Number(line.split('#')[1]), 0)), ['PUBLISH 6 m QoS 0']);
    assert.deepEqual(a.asks(published(own, 'up', { qos: 1, msgId: 9 })), [`PUBACK ${own} #9 2`]);
    assert.equal(a.registers('own'), 7, 'which comes back when it is asked for');
    assert.equal(gateway.counters.of('messages dropped: topic name too long'), 0);
  });

  test('their bytes count, too, and only a name that is longer than all may be is dropped', () => {
    const { a, broker, gateway } = listening({ limits: { ...RETRY, registrationBytes: 6 } });
    broker.says('底', 'm');
    assert.deepEqual(a.asks(sn.regack(1, 1, 0)), ['PUBLISH 1 m QoS 0']);
    broker.says('底底', 'm');
    assert.deepEqual(a.asks(sn.regack(2, 2, 0)), ['PUBLISH 2 m QoS 0']);
    broker.says('long/er', 'm');
    assert.equal(gateway.counters.of('messages dropped: topic name too long'), 1);
    broker.says('底', 'm');
    assert.deepEqual(a.hears(), ['REGISTER 3 底 #3']);
  });
});

describe('the buffer of a client', () => {
  test('loses its oldest message beyond its count; what is in flight stays', () => {
    const { a, broker, gateway } = subscribed({ limits: { ...RETRY, bufferedMessages: 2 } });
    for (const payload of ['1', '2', '3', '4']) broker.says('t', payload, 1);
    assert.deepEqual(a.hears(), ['PUBLISH 1 1 QoS 1 #1']);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), ['PUBLISH 1 4 QoS 1 #2']);
    assert.equal(gateway.counters.of('messages dropped: buffer full'), 2);
  });

  test('and beyond its bytes', () => {
    const { a, broker, gateway } = subscribed({ limits: { ...RETRY, bufferedBytes: 20 } });
    for (const payload of ['1', '22222222', '3333333333']) broker.says('t', payload, 1);
    a.asks(sn.puback(1, 1, 0));
    assert.equal(gateway.counters.of('messages dropped: buffer full'), 1);
  });
});

test('MsgIds rise, begin anywhere, and are never 0', () => {
  const { a, broker } = subscribed({ random: () => 65_534 });
  const seen = ['x', 'y'].map((payload) => {
    broker.says('t', payload, 1);
    const [line = ''] = a.hears();
    const msgId = Number(/#(\d+)/.exec(line)?.[1]);
    a.asks(sn.puback(0, msgId, 0));
    return msgId;
  });
  assert.deepEqual(seen, [65_535, 1]);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import { type Device, published, type World, world } from './world.js';

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

/** A client whose session is kept, with one topic. */
function connected(): World & { a: Device; id: number } {
  const w = world();
  const a = w.device('a');
  a.connects('a', { clean: false });
  return { ...w, a, id: a.registers('t') };
}

/** The power is back: the client connects from wherever it is, registers its topic and goes on. */
function returns(w: World): { a: Device; id: number } {
  const a = w.device('b');
  assert.equal(a.asks(sn.connect({ will: false, clean: false, duration: 60, clientId: 'a' }))[0], 'CONNACK 0');
  return { a, id: a.registers('t') };
}

const absences: [what: string, passes: (w: World & { a: Device }) => void][] = [
  ['at once', () => {}],
  ['in an hour', ({ clock }) => clock.advance(HOUR)],
  ['in a week', ({ clock }) => clock.advance(WEEK)],
  ['in a month', ({ clock }) => clock.advance(4 * WEEK)],
  [
    'from its sleep',
    ({ clock, a }) => {
      a.sends(sn.disconnect(300));
      clock.advance(200_000);
    },
  ],
  [
    'from its sleep, an hour too late',
    ({ clock, a }) => {
      a.sends(sn.disconnect(300));
      clock.advance(HOUR);
    },
  ],
  [
    'an hour after it disconnected',
    ({ clock, a }) => {
      a.sends(sn.disconnect());
      clock.advance(HOUR);
    },
  ],
  [
    'again and again',
    (w) => {
      for (let turn = 0; turn < 5; turn++) {
        returns(w);
        w.clock.advance(HOUR);
      }
    },
  ],
];

describe('a client that lost power comes back', () => {
  for (const [when, passes] of absences) {
    test(`${when}, and the QoS 2 message whose PUBREC it never got is answered and not published again`, () => {
      const w = connected();
      w.a.sends(published(w.id, '1', { qos: 2, msgId: 5 }));
      passes(w);
      const { a, id } = returns(w);
      assert.deepEqual(a.asks(published(id, '1', { qos: 2, msgId: 5, dup: true })), ['PUBREC #5']);
      assert.deepEqual(a.asks(sn.pubrel(5)), ['PUBCOMP #5']);
      assert.deepEqual(w.broker.published, ['t 1 2']);
    });

    test(`${when}, and a PUBREL whose PUBCOMP it never got is answered`, () => {
      const w = connected();
      w.a.sends(published(w.id, '1', { qos: 2, msgId: 5 }), sn.pubrel(5));
      passes(w);
      const { a } = returns(w);
      assert.deepEqual(a.asks(sn.pubrel(5)), ['PUBCOMP #5']);
      assert.deepEqual(w.broker.published, ['t 1 2']);
    });

    test(`${when}, and the QoS 2 message that it was being told goes on under its MsgId`, () => {
      const w = connected();
      const topicId = w.a.subscribes('in/灯', 2);
      w.broker.says('in/灯', '1', 2);
      assert.deepEqual(w.a.hears(), [`PUBLISH ${topicId} 1 QoS 2 #1`]);
      passes(w);
      const a = w.device('b');
      const [, registers] = a.asks(sn.connect({ will: false, clean: false, duration: 60, clientId: 'a' }));
      const [, msgId] = /^REGISTER 2 in\/灯 #(\d+)$/.exec(registers ?? '') ?? [];
      assert.deepEqual(a.asks(sn.regack(topicId, Number(msgId), 0)), [`PUBLISH ${topicId} 1 QoS 2 #1 dup`]);
      assert.deepEqual(a.asks(sn.pubrec(1)), ['PUBREL #1']);
      passes({ ...w, a });
      const again = w.device('c');
      assert.deepEqual(again.asks(sn.connect({ will: false, clean: false, duration: 60, clientId: 'a' })), ['CONNACK 0', 'PUBREL #1']);
      assert.deepEqual(again.asks(sn.pubcomp(1)), []);
      assert.equal(w.gateway.clients[0]?.buffered, 0);
    });
  }

  test('and finds its last 16 exchanges that were not ended, whatever it published before', () => {
    const w = connected();
    for (let msgId = 1; msgId <= 100; msgId++) w.a.sends(published(w.id, String(msgId), { qos: 2, msgId }));
    w.clock.advance(WEEK);
    const { a, id } = returns(w);
    for (let msgId = 85; msgId <= 100; msgId++)
      assert.deepEqual(a.asks(published(id, String(msgId), { qos: 2, msgId, dup: true })), [`PUBREC #${msgId}`]);
    assert.equal(w.broker.published.length, 100);
  });

  test('while the broker has not answered: it is answered when the broker does', () => {
    const w = connected();
    w.broker.holds();
    w.a.sends(published(w.id, '1', { qos: 2, msgId: 5 }));
    w.clock.advance(HOUR);
    const { a, id } = returns(w);
    assert.deepEqual(a.asks(published(id, '1', { qos: 2, msgId: 5, dup: true })), []);
    w.broker.goesOn();
    assert.deepEqual(a.hears(), ['PUBREC #5']);
    assert.deepEqual(w.broker.published, ['t 1 2']);
  });

  test('after the broker has answered nobody', () => {
    const w = connected();
    w.broker.holds();
    w.a.sends(published(w.id, '1', { qos: 2, msgId: 5 }));
    w.clock.advance(HOUR);
    w.broker.goesOn();
    const { a, id } = returns(w);
    assert.deepEqual(a.asks(published(id, '1', { qos: 2, msgId: 5, dup: true })), ['PUBREC #5']);
    assert.deepEqual(w.broker.published, ['t 1 2']);
  });

  test('under another topic id, when its topic had to make room for others', () => {
    const w = world({ limits: { registrations: 2 } });
    const a = w.device('a');
    a.connects('a', { clean: false });
    const id = a.registers('t');
    a.sends(published(id, '1', { qos: 2, msgId: 5 }));
    a.subscribes('u');
    a.subscribes('+/x');
    w.broker.says('t/x', '1');
    assert.match(a.hears()[0] ?? '', /^REGISTER 3/);
    w.clock.advance(HOUR);
    const back = returns(w);
    assert.notEqual(back.id, id);
    assert.deepEqual(back.a.asks(published(back.id, '1', { qos: 2, msgId: 5, dup: true })), ['PUBREC #5']);
    assert.equal(w.broker.published.length, 1);
  });
});

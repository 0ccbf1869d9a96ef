import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import type { Limits } from '../../host/gateway/limits.js';
import { published, world } from './world.js';

/** A client that sleeps for 100 s, subscribed to 't' under id 1. */
function asleep(limits: Partial<Limits> = {}, clean = true) {
  const w = world({ limits: { retryTime: 1000, retries: 2, ...limits } });
  const a = w.device('a');
  a.connects('a', { clean, duration: 10 });
  a.subscribes('t', 2);
  assert.deepEqual(a.asks(sn.disconnect(100)), ['DISCONNECT']);
  return { ...w, a };
}

describe('a client that sleeps (SN 6.14)', () => {
  test('hears nothing, and all of it in order when it wakes, then PINGRESP', () => {
    const { a, broker, clock, gateway } = asleep();
    for (const [payload, qos] of [
      ['x', 1],
      ['y', 0],
      ['z', 2],
    ] as const)
      broker.says('t', payload, qos);
    clock.advance(99_000);
    assert.deepEqual(a.hears(), []);
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PUBLISH 1 x QoS 1 #1']);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), ['PUBLISH 1 y QoS 0', 'PUBLISH 1 z QoS 2 #2']);
    assert.equal(gateway.clients[0]?.state, 'awake');
    assert.deepEqual(a.asks(sn.pubrec(2)), ['PUBREL #2']);
    assert.deepEqual(a.asks(sn.pubcomp(2)), ['PINGRESP']);
    assert.equal(gateway.clients[0]?.state, 'asleep');
  });

  test('gets PINGRESP at once when nothing came, each time', () => {
    const { a } = asleep();
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PINGRESP']);
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PINGRESP']);
  });

  test('is told the id of an unknown topic before its message', () => {
    const { a, broker } = asleep();
    a.sends(sn.subscribe({ dup: false, qos: 0, msgId: 1, topicType: 0, topicId: 0, topicName: '底/#' }));
    broker.says('底/楼', 'x');
    assert.deepEqual(a.asks(sn.pingreq('a')), ['REGISTER 2 底/楼 #1']);
    assert.deepEqual(a.asks(sn.regack(2, 1, 0)), ['PUBLISH 2 x QoS 0', 'PINGRESP']);
  });

  test('may wake at another address', () => {
    const { a, broker, device } = asleep();
    broker.says('t', 'x');
    const b = device('b');
    assert.deepEqual(b.asks(sn.pingreq('a')), ['PUBLISH 1 x QoS 0', 'PINGRESP']);
    assert.deepEqual(a.hears(), []);
  });

  test('asks again when a datagram was lost, and gets the same again', () => {
    const { a, broker } = asleep();
    broker.says('t', 'x', 1);
    a.asks(sn.pingreq('a'));
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PUBLISH 1 x QoS 1 #1 dup']);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), ['PINGRESP']);
  });

  test('that went back to sleep without an answer is asleep, not lost; the message waits', () => {
    const { a, broker, clock, gateway } = asleep();
    broker.says('t', 'x', 1);
    a.asks(sn.pingreq('a'));
    clock.advance(50_000);
    assert.equal(gateway.clients[0]?.state, 'asleep');
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PUBLISH 1 x QoS 1 #1 dup']);
  });

  test('gets what came while it was awake the next time', () => {
    const { a, broker } = asleep();
    broker.says('t', 'x', 1);
    a.asks(sn.pingreq('a'));
    broker.says('t', 'y', 1);
    assert.deepEqual(a.asks(sn.puback(1, 1, 0)), ['PINGRESP']);
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PUBLISH 1 y QoS 1 #2']);
  });

  test('may publish', () => {
    const { a, broker } = asleep();
    assert.deepEqual(a.asks(published(1, 'up', { qos: 1, msgId: 1 })), ['PUBACK 1 #1 0']);
    assert.deepEqual(broker.published, ['t up 1']);
  });

  test('is lost when it does not wake within one and a half times its sleep', () => {
    const { clock, gateway } = asleep();
    clock.advance(149_999);
    assert.equal(gateway.clients.length, 1);
    clock.advance(1);
    assert.equal(gateway.clients.length, 0);
  });

  test('has all that time again after it woke', () => {
    const { a, clock, gateway } = asleep();
    clock.advance(149_000);
    a.asks(sn.pingreq('a'));
    clock.advance(149_000);
    assert.equal(gateway.clients[0]?.state, 'asleep');
  });

  test('changes its time with another DISCONNECT', () => {
    const { a, clock, gateway } = asleep();
    assert.deepEqual(a.asks(sn.disconnect(1000)), ['DISCONNECT']);
    clock.advance(1_499_000);
    assert.equal(gateway.clients[0]?.state, 'asleep');
  });

  test('is active again after CONNECT, and gets what waits', () => {
    const { a, broker, clock, gateway } = asleep({}, false);
    broker.says('t', 'x', 1);
    clock.advance(5000);
    const answers = a.asks(sn.connect({ will: false, clean: false, duration: 10, clientId: 'a' }));
    assert.deepEqual(answers, ['CONNACK 0', 'REGISTER 1 t #1']);
    assert.equal(gateway.clients[0]?.state, 'active');
    assert.deepEqual(broker.fates('a'), ['open']);
  });

  test('and wakes twice within a moment is answered each time, and gets what waits once it says something', () => {
    const { a, broker, clock, gateway } = asleep({}, false);
    clock.advance(5000);
    const connect = sn.connect({ will: false, clean: false, duration: 10, clientId: 'a' });
    assert.deepEqual(a.asks(connect), ['CONNACK 0']);
    assert.deepEqual(a.asks(sn.disconnect(100)), ['DISCONNECT']);
    broker.says('t', 'x', 1);
    clock.advance(700);
    assert.deepEqual(a.asks(connect), ['CONNACK 0'], 'perhaps a copy of the first: it may sleep');
    assert.deepEqual(a.asks(sn.pingreq()), ['PINGRESP', 'REGISTER 1 t #1']);
    assert.equal(gateway.clients[0]?.state, 'active');
  });

  test('hears nothing after a copy of the CONNECT before its sleep, but a CONNACK', () => {
    const { a, broker, clock, gateway } = asleep({}, false);
    clock.advance(5000);
    const connect = sn.connect({ will: false, clean: false, duration: 10, clientId: 'a' });
    a.asks(connect, sn.disconnect(100), connect);
    broker.says('t', 'x', 1);
    assert.deepEqual(a.hears(), []);
    clock.advance(149_000);
    assert.deepEqual(a.asks(sn.pingreq('a')), ['REGISTER 1 t #1']);
    assert.equal(gateway.clients[0]?.state, 'awake');
  });

  test('and whose last answer comes after it fell asleep is not asked for it again', () => {
    const { a, broker } = asleep();
    broker.says('t', 'x', 2);
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PUBLISH 1 x QoS 2 #1']);
    assert.deepEqual(a.asks(sn.pubrec(1), sn.disconnect(100), sn.pubcomp(1)), ['PUBREL #1', 'DISCONNECT']);
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PINGRESP']);
  });

  test('is told nothing when a copy of its PUBREC comes late (SN 6.14)', () => {
    const { a, broker } = asleep();
    broker.says('t', 'x', 2);
    a.sends(sn.pingreq('a'), sn.pubrec(1), sn.pubcomp(1));
    assert.deepEqual(a.asks(sn.pubrec(1)), []);
  });

  test('and may have woken has the time that it promised then', () => {
    const { a, clock, gateway } = asleep({}, false);
    clock.advance(5000);
    const connect = sn.connect({ will: false, clean: false, duration: 10, clientId: 'a' });
    a.asks(connect, sn.disconnect(1), connect);
    clock.advance(14_999);
    assert.equal(gateway.clients[0]?.state, 'asleep');
    clock.advance(1);
    assert.equal(gateway.clients[0]?.state, 'lost');
  });

  test('and began with a clean session goes on with it when it wakes without: nothing is lost, and nothing comes twice', () => {
    const { a, broker, clock, gateway } = asleep();
    broker.says('t', 'kept', 0, true);
    a.asks(sn.pingreq('a'));
    clock.advance(5000);
    broker.says('t', 'x', 1);
    const connect = sn.connect({ will: false, clean: false, duration: 10, clientId: 'a' });
    gateway.receive(connect, 'a');
    broker.says('t', 'y', 1);
    assert.deepEqual(a.hears(), ['CONNACK 0', 'REGISTER 1 t #1']);
    assert.deepEqual(a.asks(sn.regack(1, 1, 0)), ['PUBLISH 1 x QoS 1 #2']);
    assert.deepEqual(a.asks(sn.puback(1, 2, 0)), ['PUBLISH 1 y QoS 1 #3']);
    assert.deepEqual(a.asks(sn.puback(1, 3, 0)), []);
    assert.deepEqual(broker.fates('a'), ['open']);
    a.asks(sn.disconnect());
    assert.deepEqual(gateway.clients, [], 'and it ends with its client');
  });

  test('ends its session with a plain DISCONNECT', () => {
    const { a, gateway } = asleep();
    assert.deepEqual(a.asks(sn.disconnect()), ['DISCONNECT']);
    assert.deepEqual(gateway.clients, []);
  });

  test('has a buffer with limits: the oldest goes first, counted', () => {
    const { a, broker, gateway } = asleep({ bufferedMessages: 2 });
    for (const payload of ['1', '2', '3']) broker.says('t', payload);
    assert.deepEqual(a.asks(sn.pingreq('a')), ['PUBLISH 1 2 QoS 0', 'PUBLISH 1 3 QoS 0', 'PINGRESP']);
    assert.equal(gateway.counters.of('messages dropped: buffer full'), 1);
  });

  test('and is unknown to the gateway is told to connect', () => {
    const { device } = world();
    assert.deepEqual(device('x').asks(sn.pingreq('nobody')), ['DISCONNECT']);
  });
});

test('PINGREQ with its id from an active client is answered', () => {
  const { device } = world();
  const a = device('a');
  a.connects('a');
  assert.deepEqual(a.asks(sn.pingreq('a'), sn.pingreq()), ['PINGRESP', 'PINGRESP']);
});

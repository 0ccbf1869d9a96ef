import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type NodeParts, startNode } from '../../host/testing.js';

// A module on the virtual board of 'twobyte/testing': its end of the broker, its clock, its faults.

/** This file runs as build/js/test/project/testing.test.js. */
const built = (name: string) => fileURLToPath(new URL(`../../../${name}.wasm`, import.meta.url));

const sensor = (settings: NonNullable<NodeParts['settings']>, parts: Partial<NodeParts> = {}) =>
  startNode({
    module: built('sensor-mqtt-journal'),
    thermometers: [() => 23_449],
    ...parts,
    settings: { topic: 'a/t', interval: 10_000, ...settings },
  });

describe('a module on the virtual board', () => {
  for (const qos of [0, 1, 2])
    test(`publishes at QoS ${qos}, and each message is acknowledged`, () => {
      const node = sensor({ qos });
      const first = node.next();
      assert.deepEqual(first, { topic: 'a/t', payload: '23.4', qos, retain: false, at: 0 });
      assert.equal(node.next().at, 10_000);
      node.advance(0);
      assert.equal(node.events.filter(({ event }) => event === 'published').length, qos ? 2 : 0);
      node.stop();
      assert.equal(node.events.at(-1)?.event, 'stopped');
    });

  test('time is the test’s own: nothing happens until it passes', () => {
    const node = sensor({});
    node.advance(9_999);
    assert.equal(node.messages.length, 1);
    node.advance(1);
    assert.equal(node.messages.length, 2);
    node.stop();
  });

  test('hears a command, and obeys; its availability is announced', () => {
    const node = sensor({ command_topic: 'a/set', availability_topic: 'a/there' });
    assert.deepEqual(node.next('a/there').payload, 'online');
    node.send('a/set', '5000');
    assert.deepEqual(
      node.events.filter(({ event }) => event === 'interval_changed').map(({ a }) => a),
      [5000],
    );
    const before = node.next('a/t').at;
    assert.ok(node.next('a/t').at - before <= 5000);
    node.stop();
    assert.deepEqual(node.messages.at(-1)?.payload, 'offline');
  });

  test('keeps readings while the broker is away, and delivers them when it is back', () => {
    const node = sensor({ qos: 1, reconnect_max: 1000 });
    node.brokerAway();
    node.advance(30_000);
    assert.equal(node.messages.length, 1);
    node.brokerAway(false);
    node.advance(1000);
    assert.equal(node.messages.length, 4);
    node.stop();
  });

  test('a long message is taken whole, its length in two bytes', () => {
    const topic = 'x'.repeat(128);
    const node = sensor({ topic });
    assert.equal(node.next().topic, topic);
    node.stop();
  });

  test('next says what happened when there is no message', () => {
    const node = sensor({ interval: 3_600_000 }, { thermometers: [] });
    assert.throws(() => node.next(), /^Error: no message within a day; last came .*reading_failed/);
    assert.throws(() => node.next('b'), /no message to 'b' within a day/);
  });

  test('a setting that the module refuses, and one that nobody knows, are named', () => {
    assert.throws(() => sensor({ topic: 'a/#' }), /does not start: setting 'topic': a topic name must not contain/);
    assert.throws(() => sensor({ tropic: 'a' }), /setting 'tropic' is not known/);
  });
});

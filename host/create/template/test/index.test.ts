// The module that `twobyte build` makes, on a virtual board: time is the test's own, and so is the probe.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNode } from 'twobyte/testing';

const settings = { reading_1: 'own humidity {{topic}}', interval: 10_000 };

for (const [soil, microvolts, percent] of [
  ['dry', 2_600_000, '0.0'],
  ['moist', 1_900_000, '50.0'],
  ['wet', 1_200_000, '100.0'],
] as const)
  test(`${soil} soil reads ${percent} %`, () => {
    const node = startNode({ module: 'build/{{name}}.wasm', settings, devices: { adc: { read: () => microvolts } } });
    const { topic, payload } = node.next();
    assert.deepEqual([topic, payload], ['{{topic}}', percent]);
    node.stop();
  });

test('it reads every ten seconds', () => {
  const node = startNode({ module: 'build/{{name}}.wasm', settings, devices: { adc: { read: () => 1_900_000 } } });
  node.advance(60_000);
  assert.equal(node.messages.length, 7); // the first at the start
  node.stop();
});

test('a board without an ADC reports a failed reading, never a number', () => {
  const node = startNode({ module: 'build/{{name}}.wasm', settings });
  node.advance(10_000);
  assert.ok(node.events.some(({ event }) => event === 'reading_failed'));
  assert.deepEqual(node.messages, []);
  node.stop();
});

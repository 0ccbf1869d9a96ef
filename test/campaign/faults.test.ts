import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from './campaign.js';
import { holds, seedsOf } from './holds.js';
import type { Kind } from './plan.js';

const bounds: readonly [kind: Kind, what: string, counted: number, drawn: number][] = [
  ['link', 'a connection that breaks at any byte, datagrams that are lost, doubled and late', 1200, 400],
  ['broker', 'a broker that dies at any packet, and comes back with and without its state', 1200, 400],
  ['storage', 'a storage that fails, is full, tears records and spoils them, for a while, and power cuts', 0, 800],
  ['clock', 'a clock that starts anew, jumps, and wraps at 2^32', 0, 400],
  ['gateway', 'a gateway that is started anew at any datagram', 400, 200],
];

for (const [kind, what, counted, drawn] of bounds)
  test(`${what}: what is promised holds`, async (context) => {
    const seeds = [...seedsOf('even', counted, drawn), ...seedsOf('odd', counted, drawn)];
    const { lost, duplicated } = await holds(context, kind, seeds);
    assert.deepEqual({ lost, duplicated }, { lost: 0, duplicated: 0 });
  });

test('a seed makes the same history each time', async () => {
  for (const kind of ['power', 'storage', 'gateway'] as const)
    for (const seed of [1_000_001, 1_000_002, 1_000_006, 1_000_007]) {
      const [one, other] = [await replay(kind, seed, true), await replay(kind, seed, true)];
      assert.deepEqual(one.lines, other.lines);
      assert.ok(one.lines.length > 10);
    }
});

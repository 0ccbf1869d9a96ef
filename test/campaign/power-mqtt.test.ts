import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holds, seedsOf } from './holds.js';

test('MQTT: a power cut before, in the middle of and after each write and each send: nothing is lost, nothing comes twice at QoS 2', async (context) => {
  const { cuts, lost, duplicated } = await holds(context, 'power', seedsOf('even', 6400, 1600));
  assert.ok(cuts >= 6000, `${cuts} power cuts`);
  assert.deepEqual({ lost, duplicated }, { lost: 0, duplicated: 0 });
});

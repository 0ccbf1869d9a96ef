import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branches, missed } from './covered.js';
import './i2c-cases.js';
import './onewire-cases.js';
import './other-cases.js';
import './waiting-cases.js';

// Last of all: the cases above went both ways at every branch.
test('every branch of assembly/drivers goes both ways in these tests', (t) => {
  const left = missed();
  t.diagnostic(`branches of assembly/drivers: ${branches.size * 2 - left.length} of ${branches.size * 2} ways gone`);
  assert.ok(branches.size > 100, `${branches.size} branches`);
  assert.deepEqual(left, []);
});

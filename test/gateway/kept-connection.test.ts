import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BrokerOptions, brokerAt } from '../../host/gateway/broker.js';
import { ForgettingJournal } from '../../host/gateway/forgetting.js';
import { Kept } from '../../host/gateway/kept.js';
import { Taken } from '../../host/gateway/taken.js';
import { MemoryJournal } from '../journal/memory.js';

function kept(): Kept {
  const taken = new Taken();
  return new Kept(new ForgettingJournal(new MemoryJournal()), 'a', {
    taken: () => taken,
    reserve: () => ({ number: 1, msgId: 1 }),
    arrived: () => {},
    acknowledged: () => true,
    confirmed: () => {},
    failed: () => {},
  });
}

/** Why a connection cannot even be tried. */
function refusal(options: Partial<BrokerOptions>): Promise<string> {
  return new Promise((resolve) => {
    const open = brokerAt('mqtt://127.0.0.1:1');
    open({ clientId: 'a', clean: false, will: undefined, ...options }, { connected() {}, message() {}, away: resolve, refused: resolve });
  });
}

test('a value that the module refuses is told by the name of its option, as without a journal', async () => {
  const payload = Buffer.alloc(1);
  for (const options of [
    { clientId: 'x'.repeat(70_000) },
    { will: { topic: 't'.repeat(70_000), payload, qos: 1, retain: false } },
    { will: { topic: 'a/#', payload, qos: 1, retain: false } },
  ] satisfies Partial<BrokerOptions>[]) {
    const without = await refusal(options);
    assert.match(without, /^option (clientId|will.topic) \(/);
    assert.equal(await refusal({ ...options, kept: kept() }), without);
  }
});

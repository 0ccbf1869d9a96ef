import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerAt } from '../../host/gateway/broker.js';
import type { BrokerOptions } from '../../host/gateway/connection.js';
import { ForgettingJournal } from '../../host/gateway/forgetting.js';
import { Kept } from '../../host/gateway/kept.js';
import { KeptConnection } from '../../host/gateway/kept-connection.js';
import { Taken } from '../../host/gateway/taken.js';
import { configOf } from '../../host/options.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
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

/** A connection without a link to be opened; what it tells its owner, who has it by then. */
function unopened(clock: VirtualClock, heard: string[]): KeptConnection {
  let connection: KeptConnection | undefined;
  const told = (what: string) => heard.push(connection ? what : `${what}, nobody listens`);
  connection = new KeptConnection({
    links: [],
    config: configOf(new URL('mqtt://broker'), { clientId: 'a', clean: false, reconnectPeriod: 1000 }),
    kept: kept(),
    listener: { connected: () => told('connected'), message() {}, away: () => told('away'), refused: () => told('refused') },
    most: 65_535,
    clock,
    soon: (action) => void clock.after(0, action),
    random: () => 7,
  });
  return connection;
}

test('what comes of the first attempt within its making is told when there is somebody to tell', () => {
  const clock = new VirtualClock();
  const heard: string[] = [];
  unopened(clock, heard);
  clock.advance(0);
  assert.deepEqual(heard, ['away']);
});

test('a connection that is given up tells nothing more, though it was to be told', () => {
  const clock = new VirtualClock();
  const heard: string[] = [];
  const done = () => heard.push('over');
  unopened(clock, heard).end(true, done);
  clock.advance(60_000);
  assert.deepEqual(heard, ['over']);
});

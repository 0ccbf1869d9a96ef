import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { embeddedBroker } from '../../host/hil/embedded.js';
import { type Ground, type HilBoard, NotHere } from '../../host/hil/ground.js';
import { tell } from '../../host/hil/runner.js';
import type { Scenario } from '../../host/hil/scenario.js';

test('a board whose start is overtaken by the end of its scenario is left before the next scenario begins', async (t) => {
  const broker = await embeddedBroker();
  t.after(() => broker.stop());
  const said: string[] = [];
  let busy = false;
  const board = {
    async leave() {
      said.push('left');
      busy = false;
    },
  } as unknown as HilBoard;
  const ground: Ground = {
    rung: 'board',
    protocol: 'mqtt',
    broker: { host: '127.0.0.1', port: broker.port },
    ownBroker: embeddedBroker,
    async start() {
      if (busy) throw new NotHere('two at a time');
      busy = true;
      await setTimeout(20);
      said.push('started');
      return board;
    },
  };
  const scenario = (what: string, run: Scenario['run']): Scenario => ({ what, run });
  const tasks = [
    scenario('it fails while its board starts', async (world) => {
      void world.board();
      throw new Error('too late');
    }),
    scenario('another', async (world) => void (await world.board())),
  ].map((each) => ({ scenario: each, ground }));
  const outcomes = await tell(tasks, 1, () => {});
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['failed', 'passed'],
  );
  assert.deepEqual(said, ['started', 'left', 'started', 'left']);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { deployOverLine } from '../../host/deploy/over-line.js';
import { twobyte } from '../cli/cli.js';
import { consoledBoard } from '../console/board.js';
import { skipSocat } from '../links/wire.js';
import { posixBoard } from '../rungs/world.js';
import { levitating, silent } from './modules.js';
import { Bench, nodeModule, QuickBroker, skipUnverifying } from './world.js';

describe('a module deployed over the line', { skip: skipSocat || skipUnverifying(posixBoard), timeout: 60_000 }, () => {
  let broker: QuickBroker;
  before(async () => {
    broker = await QuickBroker.open();
  });
  after(() => broker.close());

  const boardOf = (here: Bench, more: Readonly<Record<string, string | number>> = {}) => {
    const { module: _, thermometer: __, ...settings } = here.settings({ topic: 'serial/t', ...more });
    const args = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    return consoledBoard(here.t, { args, module: posixBoard.replace(/posix\/twobyte-posix$/, 'node-mqtt.wasm') });
  };

  test('runs when it has reached its broker, and is known by its version', async (t) => {
    const here = new Bench(t, broker, t.name);
    const { console } = await boardOf(here);
    const told: number[] = [];
    const file = here.signed(nodeModule(), { version: 3 });
    assert.equal(
      await deployOverLine(console, file, { progress: (bytes) => told.push(bytes) }),
      'node-mqtt version 3 runs, on trial for a minute',
    );
    assert.ok(told.length > 40 && told.at(-1) === file.length, String(told));
    assert.equal((await console.describe()).version, 3);
    assert.equal(await deployOverLine(console, file), 'node-mqtt version 3 runs');
    await assert.rejects(
      deployOverLine(console, here.signed(nodeModule(), { version: 2 })),
      /refuses the module: version 2 is older than 3/,
    );
  });

  test('is refused, or left, with the reason', async (t) => {
    const here = new Bench(t, broker, t.name);
    const { console } = await boardOf(here, { update_trial: 1000 });
    await assert.rejects(deployOverLine(console, here.signed(levitating())), /refuses the module: the module imports levitate/);
    await assert.rejects(
      deployOverLine(console, here.signed(silent(), { version: 4 })),
      /went back to its old module: .*did not reach its broker within 1 s/,
    );
    assert.equal((await console.describe()).version, 0);
  });

  test('is refused at the command line, which ends then', async (t) => {
    const here = new Bench(t, broker, t.name);
    const { console, port } = await boardOf(here);
    await console.close(); // a port has one owner
    writeFileSync(here.file('levitating'), here.signed(levitating()));
    // It ends by itself long before the time that it would wait for a module to prove itself.
    const { status, stderr } = await twobyte(['deploy', here.file('levitating'), '--port', port]);
    assert.match(stderr, /refuses the module: the module imports levitate/);
    assert.equal(status, 1);
  });
});

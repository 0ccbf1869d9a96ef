import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { BoardConsole } from '../../host/console/console.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';

const whole = {
  event: 'board',
  board: 'posix',
  chip: 'linux',
  firmware: '0.1.0',
  boundary: 1,
  module: 'a.wasm',
  version: 0,
  settings: true,
};

for (const [what, more, good] of [
  ['all of it', {}, true],
  ['no chip', { chip: undefined }, false],
  ['a number for its firmware', { firmware: 1 }, false],
  ['a name that moves the cursor', { board: '\u001b[2Jposix' }, false],
  ['a module with a line break', { module: 'a\nb' }, false],
  ['a text for whether it has settings', { settings: 'yes' }, false],
] as const)
  test(`a board that says ${what} of what it is ${good ? 'is described' : 'is not'}`, async (t) => {
    const console = await BoardConsole.open(
      { duplex: new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }) },
      { clock: new VirtualClock() },
    );
    t.after(() => console.close());
    console.command = async () => void setImmediate(() => console.emit('event', { at: 0, a: 0, b: 0, ...whole, ...more } as never));
    if (!good) return assert.rejects(console.describe(), /does not say all of what it is; its firmware is older, or newer$/);
    const { event: _, ...description } = whole;
    assert.deepEqual(await console.describe(), description);
  });

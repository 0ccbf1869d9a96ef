import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Broker, startBroker } from '../../host/broker.js';
import { slotImage } from '../../host/rungs/flash.js';
import { type Modules, qemuRung } from '../../host/rungs/qemu.js';
import type { BoardEvent } from '../../host/rungs/rung.js';
import { Heard } from '../interop/peers.js';
import { badModule, callsWithoutEnd, type Fault, loops, traps } from './bad-modules.js';
import { emulatedBoards, rungs, sensorModule } from './world.js';

/** The emulated board has a watchdog of 5 s, and the machine under it may be busy. */
const LONG_MS = 60_000;

const faults: [what: string, fault: Fault, words: RegExp][] = [
  [
    'is of another boundary',
    { version: 99 },
    /slot 0: the module is made for boundary version 99, .*the board goes on with the one in slot 1/,
  ],
  ['traps', traps, /slot 0: step: integer divide by zero; the board goes on with the one in slot 1/],
  ['loops without an end', loops, /slot 0: step: runs too long: over 1000000 turns .*; the board goes on with the one in slot 1/],
  [
    'calls without an end',
    callsWithoutEnd,
    /slot 0: step: runs too long: no answer when the board's watchdog came, which reset the board; the board goes on with the one in slot 1/,
  ],
];

describe('the emulated board with a module that is no good', { skip: rungs['qemu-rv32'].skip, timeout: 200_000 }, () => {
  let broker: Broker;
  let good: Buffer;
  let boards = 0;
  before(async () => {
    broker = await startBroker();
    good = await readFile(sensorModule);
  });
  after(() => broker.close());

  const start = async (t: TestContext, modules: Modules) => {
    const words = new Heard<string>();
    const events = new Heard<BoardEvent>();
    const settings = { broker: broker.url, thermometer: 'simulated:1', client_id: `bad${++boards}`, topic: 'bad/t', interval: 100 };
    let ended = false;
    const board = await qemuRung(
      emulatedBoards,
      'wasm3',
      modules,
    )(settings, {
      event: (event) => events.add(event),
      says: (line) => words.add(line),
      failed: () => {
        ended = true;
      },
    });
    t.after(() => (ended ? undefined : board.kill()));
    const readings = () =>
      events.until(
        (all) => all.filter(({ event }) => event === 'reading').length >= 2,
        `readings; it said ${words.all.join('\n')}`,
        LONG_MS,
      );
    return { words, readings };
  };

  for (const [what, fault, told] of faults)
    test(`one that ${what} is left for the last good one`, async (t) => {
      const { words, readings } = await start(t, { module: slotImage(await badModule(fault), 8), fallback: slotImage(good, 7) });
      await readings();
      assert.equal(words.all.filter((line) => told.test(line)).length, 1, words.all.join('\n'));
    });

  test('one that is damaged in the flash is left for the last good one', async (t) => {
    const damaged = slotImage(good, 8);
    damaged.writeUInt8(damaged.readUInt8(5000) ^ 1, 5000);
    const { words, readings } = await start(t, { module: damaged, fallback: slotImage(good, 7) });
    await readings();
    assert.match(words.all.join('\n'), /slot 0 holds a module that is cut off or damaged: its check is wrong; flash it again/);
  });

  test('without another the board ends, and says why', async (t) => {
    const { words } = await start(t, { module: slotImage(await badModule(traps), 1) });
    await words.until((all) => all.some((line) => /slot 0: step: integer divide by zero$/.test(line)), 'the reason', LONG_MS);
  });
});

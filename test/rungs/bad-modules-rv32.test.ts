import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type Broker, startBroker } from '../../host/broker.js';
import { slotImage } from '../../host/deploy/slot-image.js';
import { type Modules, qemuRung } from '../../host/rungs/qemu.js';
import type { BoardEvent, BoardSettings } from '../../host/rungs/rung.js';
import { root } from '../core/compile.js';
import { Heard } from '../interop/peers.js';
import {
  badModule,
  callsWithoutEnd,
  chatters,
  type Fault,
  loops,
  nests,
  readsOutside,
  refusesSettings,
  traps,
  writesOutside,
} from './bad-modules.js';
import { emulatedBoards, journalModule, rungs, sensorModule } from './world.js';

const { imagesOf } = (await import(`${root}scripts/qemu.js`)) as {
  imagesOf(report: (text: string) => void, directory: string, wasm: Readonly<Record<string, string>>): Promise<void>;
};

/** The emulated board has a watchdog of 5 s, and the machine under it may be busy. */
const LONG_MS = 60_000;

/** In the place of an instruction: none (c.unimp); and a loop that puts words onto the stack: c.addi sp,-4; c.swsp ra,0(sp); c.j -4. */
const NONE = Buffer.from([0, 0]);
const STACK_FILLS = Buffer.from([0x71, 0x11, 0x06, 0xc0, 0xf5, 0xbf]);

/** The board's image in `directory`, with these instructions at the beginning of functions. */
async function failing(functions: RegExp, directory: string, instructions = NONE) {
  const image = await readFile(join(emulatedBoards, 'twobyte-rv32'));
  const { stdout } = await promisify(execFile)('riscv64-unknown-elf-nm', [join(emulatedBoards, 'twobyte-rv32')]);
  const lines = stdout.split('\n').filter((line) => functions.test(line));
  assert.ok(lines.length > 0, 'there is no such function');
  const headers = Array.from({ length: image.readUInt16LE(44) }, (_, i) => image.readUInt32LE(28) + i * image.readUInt16LE(42));
  for (const line of lines) {
    const address = Number.parseInt(line, 16);
    const inside = (at: number) =>
      address - image.readUInt32LE(at + 8) < image.readUInt32LE(at + 16) && address >= image.readUInt32LE(at + 8);
    const header = headers.find(inside);
    assert.ok(header !== undefined, line);
    image.set(instructions, image.readUInt32LE(header + 4) + address - image.readUInt32LE(header + 8));
  }
  await writeFile(join(directory, 'twobyte-rv32'), image);
}

const faults: [what: string, fault: Fault, words: RegExp][] = [
  [
    'is of another boundary',
    { version: 99 },
    /slot 0: the module is made for boundary version 99, .*the board goes on with the one in slot 1/,
  ],
  ['traps', traps, /slot 0: step: integer divide by zero; the board goes on with the one in slot 1/],
  ['nests too deep', nests, /slot 0: nests blocks deeper than this board translates, .*the board goes on with the one in slot 1/],
  ['reads outside', readsOutside, /slot 0: step: out of bounds memory access; the board goes on with the one in slot 1/],
  ['writes outside', writesOutside, /slot 0: step: out of bounds memory access; the board goes on with the one in slot 1/],
  ['loops without an end', loops, /slot 0: step: runs too long: over 1000000 turns .*; the board goes on with the one in slot 1/],
  [
    'calls without an end',
    callsWithoutEnd,
    /slot 0: step: runs too long: no answer when the board's watchdog came, which reset the board; the board goes on with the one in slot 1/,
  ],
  [
    'tells events without an end',
    chatters,
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

  const start = async (t: TestContext, modules: Modules, more: BoardSettings = {}, images = emulatedBoards) => {
    const words = new Heard<string>();
    const events = new Heard<BoardEvent>();
    const settings = {
      broker: broker.url,
      thermometer: 'simulated:1',
      client_id: `bad${++boards}`,
      topic: 'bad/t',
      interval: 100,
      ...more,
    };
    const ends = new Heard<string>();
    const board = await qemuRung(
      images,
      'wasm3',
      modules,
    )(settings, {
      event: (event) => events.add(event),
      says: (line) => words.add(line),
      failed: ({ message }) => ends.add(message),
    });
    const end = async () => String((await ends.until((all) => all.length > 0, `an end; it said ${words.all.join('\n')}`, LONG_MS))[0]);
    const kill = async () => void (ends.all.length > 0 || (await board.kill()));
    t.after(kill);
    const readings = () =>
      events.until(
        (all) => all.filter(({ event }) => event === 'reading').length >= 2,
        `readings; it said ${words.all.join('\n')}`,
        LONG_MS,
      );
    return { words, readings, end, kill };
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

  const memory = async (t: TestContext) => {
    const directory = await mkdtemp(join(tmpdir(), 'twobyte-bad-rv32-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    return { module: 'sensor-mqtt-journal', journal: join(directory, 'memory') };
  };

  test('one that refuses its settings ends the board, which takes it again when they are mended', async (t) => {
    const modules = { module: slotImage(await readFile(journalModule), 8), fallback: slotImage(await badModule({}), 7) };
    const settings = await memory(t);
    for (let time = 0; time < 3; time++) {
      const { words, end } = await start(t, modules, { ...settings, topic: 'bad/#' });
      assert.match(await end(), /ended with status 1: .*the module does not start with these settings/);
      assert.match(words.all.join('\n'), /topic/);
    }
    await (await start(t, modules, settings)).readings();
  });

  test('one that refuses whatever the settings ends the board, too', async (t) => {
    const modules = { module: slotImage(await badModule(refusesSettings), 8), fallback: slotImage(good, 7) };
    const { end } = await start(t, modules);
    assert.match(await end(), /ended with status 1: .*the module does not start with these settings/);
  });

  test('a journal for one that keeps none ends the board each time, with another to go on with, too', async (t) => {
    const modules = { module: slotImage(good, 8), fallback: slotImage(await readFile(journalModule), 7) };
    const settings = await memory(t);
    for (let time = 0; time < 5; time++)
      assert.match(
        await (await start(t, modules, settings)).end(),
        /status 1: .*journal: this module keeps none; take one whose name ends/,
      );
  });

  test('a fault of the firmware resets the board, and the next start tells', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'twobyte-bad-rv32-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    await failing(/ temperature\b/, directory);
    const { words } = await start(t, { module: slotImage(good, 8) }, {}, directory);
    const told = /the firmware failed at 80[0-9a-f]{6}: cause 2, [0-9a-f]{8}; the board was reset$/;
    await words.until((all) => all.filter((line) => told.test(line)).length >= 2, 'a fault, twice', LONG_MS);
    assert.ok(words.all.includes('the board started anew'), words.all.join('\n'));
  });

  test('a stack that is full is such a fault, and is told', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'twobyte-bad-rv32-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    await failing(/ temperature\b/, directory, STACK_FILLS);
    const { words } = await start(t, { module: slotImage(good, 8) }, {}, directory);
    const told = /the firmware failed at 80[0-9a-f]{6}: its stack is full, cause 7, 8014[0-9a-f]{4}; the board was reset$/;
    await words.until((all) => all.some((line) => told.test(line)), 'a fault', LONG_MS);
  });

  test('without another the board ends, and says why', async (t) => {
    const { words } = await start(t, { module: slotImage(await badModule(traps), 1) });
    await words.until((all) => all.some((line) => /slot 0: step: integer divide by zero$/.test(line)), 'the reason', LONG_MS);
  });
});

const late = /step: runs too long: no answer when the board's watchdog came, which reset the board/;
/** Under names of modules that a board can have. */
const compiledFaults: [name: string, what: string, fault: Fault, words: RegExp][] = [
  ['sensor', 'traps', traps, /step: integer divide by zero/],
  ['sensor-mqtt', 'loops without an end', loops, late],
  ['sensor-journal', 'calls without an end', callsWithoutEnd, late],
];

describe('the emulated board with a bad module compiled in', { skip: rungs['qemu-rv32-aot'].skip, timeout: 300_000 }, () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-bad-rv32-'));
    const wasm = compiledFaults.map(([name]) => [name, join(directory, `${name}.wasm`)] as const);
    for (const [i, [, path]] of wasm.entries()) await writeFile(path, await badModule(compiledFaults[i]?.[2] ?? {}));
    await imagesOf(() => {}, directory, Object.fromEntries(wasm));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const start = async (t: TestContext, settings: BoardSettings) => {
    const words = new Heard<string>();
    const board = await qemuRung(directory, 'aot')(
      { broker: 'mqtt://127.0.0.1:1', thermometer: 'simulated:1', topic: 'bad/t', ...settings },
      { event: () => {}, says: (line) => words.add(line), failed: (error) => words.fail(error) },
    );
    t.after(() => board.kill());
    return { board, words };
  };

  for (const [module, what, , told] of compiledFaults)
    test(`one that ${what} is told, and the board is reset: after a second, then after two`, async (t) => {
      const { board, words } = await start(t, { module });
      const of = (all: readonly string[]) => all.filter((line) => told.test(line));
      const all = await words.until((all) => of(all).length >= 2, 'the reason twice', LONG_MS);
      for (const [i, seconds] of [1, 2].entries())
        assert.match(String(of(all)[i]), new RegExp(`the module ${module}: ${told.source}; it is started again in ${seconds} s$`));
      assert.ok(all.includes('the board started anew'), all.join('\n'));
      await board.stop(); // it waits, and hears its host
    });
});

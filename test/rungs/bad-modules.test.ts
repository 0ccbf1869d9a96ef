import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Broker, startBroker } from '../../host/broker.js';
import { Heard, within } from '../interop/peers.js';
import { badModule, callsWithoutEnd, type Fault, loops, nests, refusesSettings, traps } from './bad-modules.js';
import { journalModule, posixBoard, sanitizedBoard, sensorModule, skipUnbuilt } from './world.js';

/** A watchdog counts processor time, of which a busy machine gives little. */
const LONG_MS = 60_000;

const sings = { also: '@external("board", "sing") declare function sing(): void;', step: 'sing(); return 1;' };
const large = {
  also: 'const room = memory.data(12000); const large = memory.data<u8>([1, 2, 3]);',
  step: 'return load<i32>(large) + load<i32>(room);',
};

/** What is wrong, and how the board says so; each has words of its own. */
const faults: [what: string, bytes: () => Promise<Uint8Array | string>, words: RegExp][] = [
  ['is no Wasm', async () => 'this is no module', /is no WebAssembly module.*npm run build/],
  ['is cut off', async () => (await readFile(sensorModule)).subarray(0, 4000), /is cut off.*copy it to the board again/],
  ['is damaged', async () => damaged(await readFile(sensorModule)), /is damaged, or made for another engine.*again/],
  ['imports what is unknown', () => badModule(sings), /sing: is imported, and this board does not have it; take .* the same release/],
  [
    'wants too much memory',
    () => badModule({ memoryBytes: 11000 }),
    /uses 11000 bytes of memory, this board allows 10240: take a sensor module, or raise SHELL_MEMORY_LIMIT/,
  ],
  ['has too many data', () => badModule(large), /has data behind the end of its memory, .* 10240 bytes: .*SHELL_MEMORY_LIMIT/],
  ['is of another boundary', () => badModule({ version: 99 }), /boundary version 99, this board has \d+: take .* the same release/],
  ['nests too deep', () => badModule(nests), /nests blocks deeper than this board translates, which is \d+: .*SHELL_NESTING/],
  ['traps in start', () => badModule({ start: 'unreachable(); return 0;' }), /start: unreachable executed/],
  ['traps in step', () => badModule(traps), /step: integer divide by zero/],
  ['loops without an end', () => badModule(loops), /step: runs too long: over 1000000 turns of its loops and no answer/],
  ['calls without an end', () => badModule(callsWithoutEnd), /step: runs too long: no answer when the board's watchdog came/],
];

/** The code section begins with a function that takes bytes from nowhere. */
function damaged(module: Buffer): Uint8Array {
  let at = 8;
  for (let id = module[at]; id !== 10; id = module[at]) at = section(module, at).end;
  const { begin, end } = section(module, at);
  return module.fill(0x6a, begin + 8, end);
}

function section(module: Buffer, at: number): { begin: number; end: number } {
  let length = 0;
  let begin = at + 1;
  for (let shift = 0, more = true; more; shift += 7, begin++) {
    const byte = module[begin] as number;
    length |= (byte & 127) << shift;
    more = byte > 127;
  }
  return { begin, end: begin + length };
}

for (const [how, board] of [
  ['plain', posixBoard],
  ['with sanitizers', sanitizedBoard],
] as const)
  describe(`a board whose module is no good, built ${how}`, { skip: skipUnbuilt(board), timeout: 120_000, concurrency: 4 }, () => {
    let directory: string;
    let broker: Broker;
    let boards = 0;
    const paths = new Map<string, string>();
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'twobyte-modules-'));
      for (const [what, bytes] of faults) paths.set(what, await file(what, await bytes()));
      broker = await startBroker();
    });
    after(async () => {
      await broker.close();
      await rm(directory, { recursive: true, force: true });
    });

    const file = async (name: string, bytes: Uint8Array | string) => {
      const path = join(directory, `${name.replaceAll(' ', '-')}.wasm`);
      await writeFile(path, bytes);
      return path;
    };
    const start = (t: TestContext, module: string, ...more: string[]) => {
      const settings = ['topic=bad/t', 'interval=100', `client_id=bad${++boards}`, 'reconnect_min=10'].flatMap((setting) => [
        '--set',
        setting,
      ]);
      const child = spawn(board, ['--module', module, '--broker', broker.url, '--thermometer', 'simulated:1', ...settings, ...more]);
      t.after(() => child.kill('SIGKILL'));
      const events = new Heard<string>();
      createInterface({ input: child.stdout }).on('line', (line) => events.add(JSON.parse(line).event));
      const words = new Heard<string>();
      createInterface({ input: child.stderr }).on('line', (line) => words.add(line));
      const ended = once(child, 'close').then(([status]) => status);
      return { child, events, words, ended };
    };

    for (const [what, , told] of faults) {
      test(`one that ${what} ends the board with status 1 and a line that says so`, async (t) => {
        const path = String(paths.get(what));
        const { words, ended } = start(t, path);
        assert.equal(await within(ended, 'the end of the board', LONG_MS), 1);
        await words.until((all) => all.length > 0, 'a line');
        assert.equal(words.all.length, 1, words.all.join('\n'));
        assert.match(words.all[0] as string, told);
        assert.ok(words.all[0]?.startsWith(`twobyte-posix: ${path}: `), words.all[0]);
      });

      test(`one that ${what} is left for the last good one`, async (t) => {
        const path = String(paths.get(what));
        const { child, events, words, ended } = start(t, path, '--fallback', sensorModule);
        await events.until((all) => all.filter((event) => event === 'reading').length >= 2, 'readings of the last good one', LONG_MS);
        await words.until((all) => all.length > 0, 'a line');
        assert.match(words.all[0] as string, told);
        assert.ok(words.all[0]?.endsWith(`; the board goes on with ${sensorModule}`), words.all[0]);
        child.kill('SIGTERM');
        assert.equal(await within(ended, 'the end of the board', LONG_MS), 0);
        assert.ok(!/Sanitizer|runtime error/.test(words.all.join('\n')), words.all.join('\n'));
      });
    }

    test('one that is missing is left for the last good one', async (t) => {
      const { child, events, words, ended } = start(t, '/nowhere/module.wasm', '--fallback', sensorModule);
      await events.until((all) => all.includes('reading'), 'a reading');
      await words.until((all) => all.length > 1, 'two lines');
      assert.match(words.all.slice(0, 2).join('\n'), /\/nowhere\/module\.wasm cannot be read.*\n.*the board goes on with /);
      child.kill('SIGTERM');
      assert.equal(await within(ended, 'the end of the board', LONG_MS), 0);
    });

    test('one that refuses its settings ends the board with status 1, with another to go on with, too', async (t) => {
      const path = await file('refuses', await badModule(refusesSettings));
      const { words, ended } = start(t, path, '--fallback', sensorModule);
      assert.equal(await within(ended, 'the end of the board', LONG_MS), 1);
      await words.until((all) => all.length > 0, 'a line');
      assert.deepEqual(words.all, [`twobyte-posix: ${path}: does not start with these settings`]);
    });

    test('a journal for one that keeps none ends the board with status 1, with another to go on with, too', async (t) => {
      const journal = ['--journal', join(directory, `journal${boards}`)];
      const { words, ended } = start(t, sensorModule, '--fallback', journalModule, ...journal);
      assert.equal(await within(ended, 'the end of the board', LONG_MS), 1);
      await words.until((all) => all.length > 0, 'a line');
      assert.match(words.all.join('\n'), /^\S+ \S+: keeps no journal; take a module whose name ends in -journal$/);
    });

    test('the last good one is started three times, a second and two apart, and then the board ends with status 1', async (t) => {
      const fault: Fault = traps;
      const good = await file('good', await badModule(fault));
      const { words, ended } = start(t, await file('new', 'no module'), '--fallback', good);
      assert.equal(await within(ended, 'the end of the board', LONG_MS), 1);
      await words.until((all) => all.length > 3, 'four lines');
      assert.equal(words.all.length, 4, words.all.join('\n'));
      assert.match(words.all[1] as string, /step: integer divide by zero; it is started again in 1 s$/);
      assert.match(words.all[2] as string, /started again in 2 s$/);
      assert.match(words.all[3] as string, /step: integer divide by zero$/);
    });

    for (const [what, bytes] of [
      ['emptied', ''],
      ['written anew', 'what somebody copies there'],
    ] as const)
      test(`a file that is ${what} while the board runs changes nothing of the module`, async (t) => {
        const path = await file(`rewritten ${what}`, await badModule(traps));
        const { words, ended } = start(t, await file(`no module ${what}`, 'no module'), '--fallback', path);
        await words.until((all) => all.some((line) => line.endsWith('; it is started again in 1 s')), 'the first trap');
        await writeFile(path, bytes);
        assert.equal(await within(ended, 'the end of the board', LONG_MS), 1);
        await words.until((all) => all.length > 3, 'four lines');
        for (const line of words.all.slice(1)) assert.match(line, /step: integer divide by zero/);
      });
  });

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type Broker, startBroker } from '../../host/broker.js';
import { root } from '../core/compile.js';
import { Heard, within } from '../interop/peers.js';
import { badModule, callsWithoutEnd, type Fault, loops, traps } from './bad-modules.js';
import { compiledBoard, sensorModule, skipUnbuilt } from './world.js';

// A compiled module has no counter of turns: only the watchdog ends one that goes on for ever.

const run = promisify(execFile);
const { compiledModules } = (await import(`${root}scripts/compiled.js`)) as {
  compiledModules(names: readonly string[], directory: string, wasm: (name: string) => string): Promise<void>;
};

/** A watchdog counts processor time, of which a busy machine gives little. */
const LONG_MS = 60_000;

const late = /step: runs too long: no answer when the board's watchdog came/;
const faults: [name: string, what: string, fault: Fault, words: RegExp][] = [
  ['traps', 'traps', traps, /step: integer divide by zero/],
  ['loops', 'loops without an end', loops, late],
  ['starts', 'loops without an end in start', { start: 'while (load<i32>(64) == 0) store<i32>(68, 1); return 0;' }, /start: runs too long/],
  ['calls', 'calls without an end', callsWithoutEnd, late],
];

const builds = [
  ['plain', 'OFF'],
  ['with sanitizers', 'ON'],
] as const;

for (const [how, sanitize] of builds)
  describe(`a board with a bad module compiled in, built ${how}`, { skip: skipUnbuilt(compiledBoard), timeout: 240_000 }, () => {
    let directory: string;
    let board: string;
    let broker: Broker;
    let boards = 0;
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'twobyte-bad-aot-'));
      const at = (name: string) => join(directory, `${name}.wasm`);
      for (const [name, , fault] of faults) await writeFile(at(name), await badModule(fault));
      const modules = join(directory, 'modules');
      await mkdir(modules);
      const names = [...faults.map(([name]) => name), 'sensor-mqtt'];
      await compiledModules(names, modules, (name) => (name === 'sensor-mqtt' ? sensorModule : at(name)));
      const build = join(directory, 'build');
      const settings = ['-DENGINE=aot', `-DMODULES_DIR=${modules}`, `-DSANITIZE=${sanitize}`];
      await run('cmake', ['-S', join(root, 'firmware', 'ports', 'posix'), '-B', build, ...settings]);
      await run('cmake', ['--build', build, '--parallel', '4', '--target', 'twobyte-posix']);
      board = join(build, 'twobyte-posix');
      broker = await startBroker();
    });
    after(async () => {
      await broker.close();
      await rm(directory, { recursive: true, force: true });
    });

    const start = (t: TestContext, module: string, ...more: string[]) => {
      const settings = ['topic=bad/t', 'interval=100', `client_id=bad${++boards}`, 'reconnect_min=10'];
      const child = spawn(board, [
        ...['--module', module, '--broker', broker.url, '--thermometer', 'simulated:1', ...more],
        ...settings.flatMap((setting) => ['--set', setting]),
      ]);
      t.after(() => child.kill('SIGKILL'));
      const events = new Heard<string>();
      createInterface({ input: child.stdout }).on('line', (line) => events.add(JSON.parse(line).event));
      const words = new Heard<string>();
      createInterface({ input: child.stderr }).on('line', (line) => words.add(line));
      const ended = once(child, 'close').then(([status]) => status);
      return { child, events, words, ended };
    };

    for (const [name, what, , told] of faults) {
      test(`one that ${what} ends the board with status 1 and a line that says so`, async (t) => {
        const { words, ended } = start(t, name);
        assert.equal(await within(ended, 'the end of the board', LONG_MS), 1);
        assert.equal(words.all.length, 1, words.all.join('\n'));
        assert.match(String(words.all[0]), told);
        assert.ok(words.all[0]?.startsWith(`twobyte-posix: ${name}: `), words.all[0]);
      });

      test(`one that ${what} is left for another that is compiled in`, async (t) => {
        const { child, events, words, ended } = start(t, name, '--fallback', 'sensor-mqtt');
        await events.until((all) => all.filter((event) => event === 'reading').length >= 2, 'readings of the last good one', LONG_MS);
        await words.until((all) => all.length > 0, 'a line');
        assert.match(String(words.all[0]), told);
        assert.ok(words.all[0]?.endsWith('; the board goes on with sensor-mqtt'), words.all[0]);
        child.kill('SIGTERM');
        assert.equal(await within(ended, 'the end of the board', LONG_MS), 0);
        assert.ok(!/Sanitizer|runtime error/.test(words.all.join('\n')), words.all.join('\n'));
      });
    }
  });

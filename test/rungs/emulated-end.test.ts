import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { endInTime } from '../../host/cli/demonstration.js';
import { qemuRung } from '../../host/rungs/qemu.js';
import type { BoardEvent } from '../../host/rungs/rung.js';
import { Heard } from '../interop/peers.js';
import { emulatedBoards, rungs } from './world.js';

/** The processes that this one has started. */
const children = () => readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** A board that has just been started, and what is told of it. */
async function board(t: TestContext) {
  const before = children();
  const events = new Heard<BoardEvent>();
  const failures: string[] = [];
  const settings = { client_id: 'end', broker: 'mqtt://127.0.0.1:1', topic: 'a', thermometer: 'simulated:1', interval: 1000 };
  const machine = await qemuRung(emulatedBoards)(settings, {
    event: (event) => events.add(event),
    says: () => {},
    failed: (error) => failures.push(error.message),
  });
  t.after(() => machine.kill());
  const processes = () => children().filter((id) => !before.includes(id));
  const [id = 0] = processes();
  return { machine, id, events, failures, processes };
}

describe('an emulated board', { skip: rungs['qemu-rv32'].skip, timeout: 60_000 }, () => {
  test('that has not yet said hello is stopped in order when it has', async (t) => {
    const { machine, failures, processes } = await board(t);
    await Promise.all([machine.stop(), machine.stop()]);
    assert.deepEqual([processes(), failures], [[], []]);
  });

  test('that does not answer is ended by force, and its stop rejects', async (t) => {
    const { machine, id, events, processes } = await board(t);
    await events.count(1);
    process.kill(id, 'SIGSTOP');
    await assert.rejects(machine.stop(), /does not answer/);
    assert.deepEqual(processes(), []);
  });

  test('leaves neither settings nor memory nor lock behind when the program ends without ending it', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'twobyte-end-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const settings = {
      ...{ client_id: 'end', broker: 'mqtt://127.0.0.1:1', topic: 'a', thermometer: 'simulated:1', interval: 1000 },
      journal: join(directory, 'memory'),
    };
    const rung = new URL('../../host/rungs/qemu.js', import.meta.url).href;
    const script = `
      import { readdirSync } from 'node:fs';
      import { qemuRung } from ${JSON.stringify(rung)};
      const rung = qemuRung(${JSON.stringify(emulatedBoards)});
      await rung(${JSON.stringify(settings)}, {
        event() {
          console.log(readdirSync(${JSON.stringify(directory)}).length);
          process.exit(3);
        },
        says() {},
        failed(error) { throw error; },
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let there = '';
    child.stdout.on('data', (words) => {
      there += words;
    });
    const [status] = await once(child, 'close');
    assert.deepEqual([status, there.trim()], [3, '2'], 'memory and lock were there, and the settings no more');
    assert.deepEqual(await readdir(directory), ['memory']);
  });
});

describe('a demonstration’s board', () => {
  for (const [what, stop, inOrder] of [
    ['that stops is not killed', () => Promise.resolve(), true],
    ['whose stop rejects is killed', () => Promise.reject(new Error('no')), false],
    ['that never stops is killed', () => new Promise<void>(() => {}), false],
  ] as const)
    test(what, async () => {
      let killed = false;
      const kill = async () => {
        killed = true;
      };
      await endInTime({ stop, kill, sleep: () => Promise.reject(new Error('not asked')) }, 20);
      assert.equal(killed, !inOrder);
    });
});

// The settings of an emulated board, which may hold a password, on the computer that emulates it.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BoardEvent } from '../../host/rungs/rung.js';
import { Heard } from '../interop/peers.js';
import { rungs } from './world.js';

for (const rung of ['qemu-rv32', 'qemu-rv32-aot'] as const)
  test(`on the ${rung} rung no file has the settings once the board speaks, and a reset of the machine finds them again`, {
    skip: rungs[rung].skip,
    timeout: 60_000,
  }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'twobyte-settings-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const { TMPDIR } = process.env;
    t.after(() => {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    });
    process.env.TMPDIR = directory; // where the rung has its files
    const events = new Heard<BoardEvent>();
    const board = await rungs[rung].start(
      { broker: 'mqtt://127.0.0.1:1', topic: 'settings', thermometer: 'simulated:1', username: 'attic', password: 'secret', interval: 100 },
      { event: (event) => events.add(event), says: () => {}, failed: (error) => events.fail(error) },
    );
    t.after(() => board.kill());
    const readings = (count: number) =>
      events.until((all) => all.filter(({ event }) => event === 'reading').length >= count, `${count} readings`, 30_000);
    await readings(1);
    assert.deepEqual(readdirSync(directory), []);
    await board.restart?.();
    await events.until((all) => all.filter(({ event }) => event === 'started').length === 2, 'the second start', 30_000);
    await readings(events.all.filter(({ event }) => event === 'reading').length + 3);
  });

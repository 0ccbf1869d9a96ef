import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { root } from './core/compile.js';
import { posixBoard, skipUnbuilt } from './rungs/world.js';

const run = promisify(execFile);

/** Calls of each function of a module, by number, as its text has them: imports first, then the functions in their order. */
function callsOf(text: string): number[][] {
  const names = new Map([...text.matchAll(/^ \((?:import .*\()?func (\$[\w$]+)/gm)].map(([, name = ''], i) => [name, i]));
  const calls: number[][] = Array.from({ length: names.size }, () => []);
  let inside = -1;
  for (const line of text.split('\n')) {
    const [, name] = /^ \(func (\$[\w$]+)/.exec(line) ?? [];
    if (name) inside = names.get(name) ?? -1;
    const [, callee] = /^ {2,}\(call (\$[\w$]+)/.exec(line) ?? [];
    if (callee) calls[inside]?.push(names.get(callee) ?? -1);
  }
  return calls;
}

/**
 * The most bytes of stack that function `number` can take with all it calls. One circle is in the calls: MQTT-SN's begin() searches, and a search that
 * finds a gateway begins, with a gateway then and no further search. So no function is on a chain three times.
 */
function deepest(number: number, calls: number[][], frames: number[], above: readonly number[] = []): number {
  if (above.filter((one) => one === number).length === 2) return 0;
  const below = (calls[number] ?? []).map((callee) => deepest(callee, calls, frames, [...above, number]));
  return (frames[number] ?? Number.NaN) + Math.max(0, ...below);
}

describe("wasm3's call stack", { skip: skipUnbuilt(posixBoard), timeout: 60_000 }, () => {
  for (const module of [
    'sensor-mqtt',
    'sensor-mqttsn',
    'sensor',
    'sensor-mqtt-journal',
    'sensor-mqttsn-journal',
    'sensor-journal',
    'node-mqtt',
    'node-mqttsn',
    'node',
  ])
    test(`holds the deepest calls that ${module} can make, with a quarter to spare`, async (t) => {
      const { stdout } = await run(join(dirname(posixBoard), 'frames'), [join(root, `build/${module}.wasm`)]);
      const lines = stdout.trim().split('\n');
      const stack = Number(lines.pop()?.split(' ')[1]);
      const frames = lines.map((line) => Number(line.split(' ')[1]));
      const calls = callsOf(readFileSync(join(root, `build/${module}.wat`), 'utf8'));
      assert.equal(calls.length, frames.length);
      const most = Math.max(...frames.map((_, number) => deepest(number, calls, frames)));
      t.diagnostic(`at most ${most} of ${stack} bytes`);
      assert.ok(most <= (stack * 3) / 4, `at most ${most} of ${stack} bytes`);
    });
});

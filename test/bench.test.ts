// The bench's own arithmetic, and the program that it runs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bench, passes } from '../bench/bench.js';
import { encodingFigure } from '../bench/encoder.js';
import { counted, kept, ratio, under } from '../bench/figure.js';
import { growthFigure, PAYLOAD } from '../bench/growth.js';
import { collected, difference } from '../bench/operations.js';
import { tables } from '../bench/table.js';

const run = promisify(execFile);

/** This file runs as build/js/test/bench.test.js. */
const build = fileURLToPath(new URL('../../', import.meta.url));

describe('arithmetic', () => {
  test('the cost of one operation is the difference of two runs, without what counting costs a span', () => {
    const few = { instructions: 5000 + 20 * 300 + 40 * 15, spans: 40 };
    const many = { instructions: 5000 + 60 * 300 + 120 * 15, spans: 120 };
    assert.equal(difference(few, many, 40, 15), 300);
    assert.equal(difference(few, many, 40, 0), 330);
  });

  test('what callgrind collected is read from its last words, and nothing else is', () => {
    assert.equal(collected('==7== Events    : Ir\n==7== Collected : 623700\n==7== \n'), 623_700);
    assert.throws(() => collected('valgrind: no such program'), /counted nothing:\nvalgrind: no such program/);
  });

  test('a curve is flat up to 1.1 times its least', () => {
    const growth = (values: number[]) => ({ with: 'messages in flight', at: [0, 1, 1000], values });
    const flat = growthFigure('publish', growth([1000, 1090, 1100]), 'a peer', growth([1, 2, 3000]));
    assert.deepEqual([flat.value, flat.bound, flat.ok, flat.peerValue], [1100, 1100, true, 3000]);
    const grows = growthFigure('publish', growth([1000, 1000, 1101]), null, null);
    assert.deepEqual([grows.ok, grows.peerValue], [false, null]);
    const hump = growthFigure('publish', growth([1000, 5000, 1000]), 'a peer', growth([1, 3000, 2]));
    assert.deepEqual([hump.value, hump.bound, hump.ok, hump.peerValue], [5000, 1100, false, 3000]);
  });

  test('a payload costs so much a byte', () => {
    const growth = { with: 'bytes of payload', at: [0, 16, 1000], values: [2000, 2100, 8020] };
    const figure = growthFigure(PAYLOAD, growth, null, null);
    assert.deepEqual([figure.value, figure.bound, figure.ok], [6.02, null, true]);
  });
});

describe('bounds', () => {
  test('a count over its bound fails the command, a timed figure never does', () => {
    const within = counted('heap', 57_344, 'bytes', 57_344);
    const over = counted('heap', 57_345, 'bytes', 57_344);
    const slow = ratio('speed', 0.5, 3, 'a peer', 1);
    assert.deepEqual([within.ok, over.ok, slow.ok], [true, false, false]);
    assert.equal(kept([within, slow]), true);
    assert.equal(kept([within, over]), false);
  });

  describe('that were not measured', () => {
    const install = 'The posix board needs a C compiler. On Debian: apt-get install build-essential.';
    /** A machine with no `program`. */
    const lacking = (program: string, said: string[], missing: readonly string[] = []) => ({
      ...{ modules: [], benches: [], peers: [], images: [], encodeBench: undefined, missing },
      has: (asked: string) => asked !== program && asked !== 'mosquitto',
      progress: (text: string) => said.push(text),
    });

    test('fail the command with --counted, with the line that says what to install', async (t) => {
      t.mock.method(console, 'log', () => {});
      const said: string[] = [];
      assert.equal(await bench(lacking('cc', said, [install, install]), { json: false, counted: true }), false);
      assert.deepEqual(said, [`left out, with their bounds: ${install}`]);
      said.length = 0;
      assert.equal(await bench(lacking('valgrind', said), { json: false, counted: true }), false);
      assert.match(said.join(), /^left out, with their bounds: .+ apt-get install valgrind\.$/);
    });

    test('are a remark without it', () => {
      const figures = [counted('heap', 1, 'bytes', 1)];
      assert.equal(passes(figures, { counted: false, bounded: false }), true);
      assert.equal(passes(figures, { counted: true, bounded: false }), false);
      assert.equal(passes(figures, { counted: true, bounded: true }), true);
      assert.equal(passes([counted('heap', 2, 'bytes', 1)], { counted: false, bounded: true }), false);
    });
  });

  test('that are a peer of no run say that it was measured once', () => {
    const figure = encodingFigure(174);
    assert.deepEqual([figure.peer, figure.peerValue, figure.bound, figure.ok], ['Paho embedded C, measured once', 173, 173, false]);
  });

  test('a table says which figure is over its bound', () => {
    const figures = under('Heap', [
      { ...counted('sensor', 57_345, 'bytes', 57_344), on: 'rv32 wasm3' },
      { ...counted('sensor', 6032, 'bytes', 16_384), on: 'rv32 aot' },
    ]);
    assert.deepEqual(tables([...figures, ...under('Size', [counted('sensor.wasm', 14_000, 'bytes', 16_000, 'MQTT.js', 342_341)])]), [
      ['Heap', 'bytes   rv32 wasm3           rv32 aot', 'sensor  57,345 NOT ≤ 57,344  6,032 ≤ 16,384'].join('\n'),
      ['Size', 'figure       value         bound         peer', 'sensor.wasm  14,000 bytes  ≤ 16,000  ok  342,341 · MQTT.js'].join('\n'),
    ]);
  });
});

describe('npm run bench', () => {
  const script = fileURLToPath(new URL('../../../scripts/bench.js', import.meta.url));

  test('--help tells how long it takes, what it writes and what the status says', async () => {
    const { stdout } = await run(process.execPath, [script, '--help']);
    for (const part of [/--counted/, /--json/, /minutes/, /bench\/results\.json/, /1 a counted figure is over its bound/])
      assert.match(stdout, part);
  });

  test('an option that is not known is refused with those that are', async () => {
    await assert.rejects(run(process.execPath, [script, '--jsn']), (error: { code: number; stdout: string; stderr: string }) => {
      assert.deepEqual([error.code, error.stdout], [1, '']);
      assert.match(error.stderr, /unknown option '--jsn'.*--json.*--counted|unknown option '--jsn'.*--counted.*--json/s);
      return true;
    });
  });
});

const program = `${build}posix/operations_bench`;

describe('the bench of operations', { skip: !existsSync(program) && 'the posix board is not built' }, () => {
  const operate = (...command: string[]) => run(program, command);

  test('counts as many spans more as there are operations more', async () => {
    const spans = async (count: number) => {
      const { stdout } = await operate('publish1', 'mqtt', `${build}client-mqtt.wasm`, String(count));
      return Number(JSON.parse(stdout).spans);
    };
    assert.equal((await spans(30)) - (await spans(10)), 20 * ((await spans(11)) - (await spans(10))));
  });

  for (const [what, ...command] of [
    ['an operation that there is not', 'publish3', 'mqtt', `${build}client-mqtt.wasm`, '1'],
    ['a sensor where a client is measured', 'publish0', 'mqtt', `${build}sensor-mqtt.wasm`, '1'],
    ['a file that is no module', 'publish0', 'mqtt', `${build}.modules`, '1'],
  ]) {
    test(`${what} ends it with status 1 and a reason`, async () => {
      await assert.rejects(operate(...command), (error: { code: number; stderr: string }) => {
        assert.equal(error.code, 1);
        assert.match(error.stderr, /^operations_bench: .+: .+/);
        return true;
      });
    });
  }
});

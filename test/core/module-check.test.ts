import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { compile, root } from './compile.js';

type ModuleFaults = (bytes: Uint8Array, text: string, budget: number) => string[];

let moduleFaults: ModuleFaults;
before(async () => {
  ({ moduleFaults } = (await import(pathToFileURL(`${root}compiler/inspect.js`).href)) as { moduleFaults: ModuleFaults });
});

const BUDGET = 9000;
const ONE_PAGE = ['--initialMemory', '1', '--maximumMemory', '1'];
const PLAIN = 'export function memory_bytes(): usize { return __heap_base; }';

async function faults(source: string, flags: readonly string[] = ONE_PAGE, budget = BUDGET): Promise<string[]> {
  const { bytes, text } = await compile('tiny.ts', flags, { 'tiny.ts': `${PLAIN}\n${source}` });
  return moduleFaults(bytes, text, budget);
}

describe('the check of a module', () => {
  test('accepts what keeps the contract', async () => {
    assert.deepEqual(await faults(''), []);
    assert.deepEqual(
      await faults('@external("board", "random") declare function random(): i32; export function start(): i32 { return random(); }'),
      [],
    );
  });

  for (const name of ['sensor-mqtt', 'client-mqtt']) {
    test(`accepts ${name}`, () => {
      assert.deepEqual(
        moduleFaults(readFileSync(`${root}build/${name}.wasm`), readFileSync(`${root}build/${name}.wat`, 'utf8'), BUDGET),
        [],
      );
    });
  }

  const table: [what: string, source: string, fault: RegExp, flags?: string[]][] = [
    [
      'something allocated on a heap',
      'class Box { value: i32 = 1; } export function start(): i32 { return new Box().value + changetype<i32>(new Box()); }',
      /allocated on a heap; use numbers and/,
    ],
    [
      'a string made at run time',
      'export function start(): i32 { return (memory_bytes() as i32).toString().length; }',
      /allocated on a heap/,
    ],
    ['an array', 'export function start(): i32 { const list: i32[] = []; list.push(1); return list.length; }', /allocated on a heap/],
    ['a throw', "export function start(): i32 { throw new Error(''); }", /env\.abort, which a throw or an array needs/],
    ['memory that is asked for', 'export function start(): i32 { return memory.grow(1); }', /asks for more memory/],
    ['memory that may grow', '', /may grow from 1 pages to 2/, ['--initialMemory', '1', '--maximumMemory', '2']],
    ['memory that may grow without an end', '', /may grow from 1 pages to any/, ['--initialMemory', '1']],
    ['a page too many', '', /memory is 2 pages, its static buffers \(\d+ bytes\) need 1/, ['--initialMemory', '2', '--maximumMemory', '2']],
    ['memory of the host', '', /imports the memory env\.memory/, [...ONE_PAGE, '--importMemory']],
    [
      'an import that no board has',
      '@external("board", "reboot") declare function reboot(): void; export function stop(): void { reboot(); }',
      /imports the function board\.reboot/,
    ],
    [
      'an import of another module',
      '@external("env", "random") declare function random(): i32; export function start(): i32 { return random(); }',
      /imports the function env\.random/,
    ],
    [
      'an import of a number',
      '@external("board", "random") declare const random: i32; export function start(): i32 { return random; }',
      /imports the global board\.random/,
    ],
    ['an export that no board calls', 'export function hello(): i32 { return 1; }', /exports the function hello/],
    [
      'one function under two names',
      'function zero(): i32 { return 0; } export { zero as start, zero as stop };',
      /export \w+ is the same function as another/,
    ],
    ['an exported variable', 'export let step: i32 = 1; export function start(): i32 { return ++step; }', /exports the global step/],
    [
      'a function as a value',
      'let chosen: i32 = 0; function one(): i32 { return 1; } function two(): i32 { return chosen; } export function stop(): void { chosen++; } export function start(): i32 { const f = chosen ? one : two; return f(); }',
      /has a table/,
    ],
    [
      'a start function',
      'let made: i32 = make(); function make(): i32 { let n: i32 = 0; while (load<u8>(n)) n++; return n; } export function start(): i32 { return made++; }',
      /has a start function.*give it 0/,
    ],
    ['single precision', 'let x: f32 = 1; export function start(): i32 { x *= 1.5; return <i32>x; }', /floating point.*whole numbers/],
    ['64-bit integers', 'export function step(now: i64): i64 { return now * 3; }', /64-bit integers.*compute in i32/],
    ['double precision', 'let x: f64 = 1; export function start(): i32 { x /= 3; return <i32>x; }', /floating point.*whole numbers/],
  ];
  for (const [what, source, fault, flags] of table) {
    test(`refuses ${what}`, async () => {
      const found = await faults(source, flags);
      assert.ok(
        found.some((sentence) => fault.test(sentence)),
        `found only: ${found.join('; ')}`,
      );
    });
  }

  test('refuses a byte over the budget', async () => {
    const { bytes, text } = await compile('tiny.ts', ONE_PAGE, { 'tiny.ts': PLAIN });
    assert.deepEqual(moduleFaults(bytes, text, bytes.length), []);
    assert.deepEqual(moduleFaults(bytes, text, bytes.length - 1), [
      `it has ${bytes.length} bytes, the budget is ${bytes.length - 1}: leave out what is not needed`,
    ]);
  });

  test('names every fault there is', async () => {
    const found = await faults(
      'export function hello(): f32 { memory.grow(1); return 1; } export let x: i32 = 0; export function set(): void { x++; }',
      ['--initialMemory', '1'],
      10,
    );
    for (const fault of [/budget/, /hello/, /global x/, /function set/, /more memory/, /may grow/]) assert.match(found.join('\n'), fault);
  });

  test('refuses a module without memory_bytes, and one without a memory', async () => {
    // Written by hand: magic, version, and a memory section of one page that is all there is.
    const bare = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const memory = Uint8Array.from([...bare, 5, 4, 1, 1, 1, 1]);
    assert.deepEqual(moduleFaults(bare, '', BUDGET), ['it has no memory of its own']);
    assert.deepEqual(moduleFaults(memory, '', BUDGET), ['it does not export memory_bytes']);
  });
});

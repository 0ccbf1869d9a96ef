import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import binaryen from 'assemblyscript/binaryen';
import { ABI_VERSION } from '../host/contract.js';
import { compiledBoard, skipUnbuilt } from './rungs/world.js';

// Modules that go wrong in one way each, compiled as those of a board are, in the shell with sanitizers: firmware/test/compiled_test.c tells what
// becomes of them and of the board after them.

const run = promisify(execFile);

/** This file runs as build/js/test/compiled.test.js. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const { compiledModule, compiledModules } = (await import(`${root}scripts/compiled.js`)) as {
  compiledModule(name: string, directory: string, wasm: string): Promise<void>;
  compiledModules(names: readonly string[], directory: string, wasm: (name: string) => string): Promise<void>;
};

/** What differs from the sound module. */
interface Recipe {
  /** Before everything else. */
  imports?: string;
  memory?: string;
  memoryBytes?: string;
  version?: string;
  /** The function `step`, of the parameter $now, and what stands beside it. */
  step?: string;
  beside?: string;
  /** An export in the place of that of the same name. */
  stop?: string;
}

const text = ({
  imports = '',
  memory = '(memory (export "memory") 1 1)',
  memoryBytes = '4096',
  version,
  step,
  beside = '',
  stop,
}: Recipe) => `(module
  ${imports}
  ${memory}
  (func (export "abi_version") (result i32) (i32.const ${version ?? ABI_VERSION}))
  (func (export "memory_bytes") (result i32) (i32.const ${memoryBytes}))
  (func (export "start") (result i32) (i32.const 0))
  ${stop ?? '(func (export "stop"))'}
  (func $step (export "step") (param $now i32) (result i32) ${step ?? '(i32.const 50)'})
  (func (export "link_buffer") (param i32) (result i32) (i32.const 16))
  (func (export "link_room") (param i32) (result i32) (i32.const 8))
  (func (export "link_received") (param i32 i32))
  (func (export "link_changed") (param i32 i32 i32))
  ${beside})`;

const OUTSIDE = /^step: step: out of bounds memory access$/;
const send = '(import "board" "link_send" (func $send (param i32 i32 i32) (result i32)))';

/** Each ends its step in these words; the next step is refused in the same, and so is the next life of the module. */
const traps: [what: string, recipe: Recipe, words: RegExp][] = [
  ['unreachable', { step: 'unreachable' }, /^step: step: unreachable executed$/],
  ['a recursion without an end', { step: '(call $step (local.get $now))' }, /^step: step: stack overflow$/],
  [
    'two functions that call each other without an end',
    {
      step: '(call $there (local.get $now))',
      beside: '(func $there (param i32) (result i32) (i32.add (i32.const 1) (call $step (local.get 0))))',
    },
    /^step: step: stack overflow$/,
  ],
  ['a division by 0', { step: '(i32.div_s (i32.const 1) (i32.sub (local.get $now) (local.get $now)))' }, /integer divide by zero$/],
  [
    'the quotient that no i32 is',
    { step: '(i32.div_s (i32.const 0x80000000) (i32.sub (i32.const 0) (local.get $now)))' },
    /integer overflow$/,
  ],
  ['a load behind the memory that is in use', { step: '(i32.load (i32.add (local.get $now) (i32.const 5000)))' }, OUTSIDE],
  ['a load at an address known before', { step: '(i32.load (i32.const 5000))' }, OUTSIDE],
  ['a load whose value nobody uses', { step: '(drop (i32.load (i32.const 4096))) (i32.const 1)' }, OUTSIDE],
  ['a load whose offset leads outside', { step: '(i32.load offset=4096 (local.get $now))' }, OUTSIDE],
  ['a load whose address and offset are more than 32 bits', { step: '(i32.load offset=0xffffffff (local.get $now))' }, OUTSIDE],
  ['a load across the end', { step: '(i32.load offset=4092 (local.get $now))' }, OUTSIDE],
  ['a load of the byte behind the end', { step: '(i32.load8_u offset=4095 (local.get $now))' }, OUTSIDE],
  [
    'a store at the last address there is',
    { step: '(i32.store8 (i32.sub (i32.const 0) (local.get $now)) (i32.const 1)) (i32.const 1)' },
    OUTSIDE,
  ],
  ['a fill that runs out', { step: '(memory.fill (i32.const 4090) (i32.const 1) (i32.const 7)) (i32.const 1)' }, OUTSIDE],
  ['a copy from outside', { step: '(memory.copy (i32.const 0) (i32.const 4090) (i32.const 7)) (i32.const 1)' }, OUTSIDE],
  ['a copy of a length below 0', { step: '(memory.copy (i32.const 0) (i32.const 8) (i32.const -1)) (i32.const 1)' }, OUTSIDE],
  [
    'bytes for the board that are outside',
    { imports: send, step: '(call $send (i32.const 0) (i32.const 4090) (i32.const 7))' },
    /^step: step: link_send got bytes outside the module's memory$/,
  ],
  [
    'an import that ends the call, of a module with more to do',
    { imports: send, step: '(drop (call $send (i32.const 0) (i32.const -1) (i32.const 1))) (unreachable)' },
    /^step: step: link_send got bytes outside the module's memory$/,
  ],
  ['a step that answers below 0', { step: '(i32.const -1)' }, /^step: step: answered a time below 0$/],
];

/** Each is not loaded. */
const refused: [what: string, recipe: Recipe, words: RegExp][] = [
  ['an import that this board does not have', { imports: '(import "board" "sing" (func))' }, /^load: sing: .*import/],
  ['an import of another module', { imports: '(import "env" "random" (func (result i32)))' }, /^load: random: .*import/],
  [
    'an import of another signature',
    { imports: '(import "board" "random" (func (param i32) (result i32)))' },
    /^load: random: .*signature/,
  ],
  ['an import without its answer', { imports: '(import "board" "random" (func))' }, /^load: random: .*signature/],
  ['an export that is missing', { stop: '' }, /^load: stop: .*export/],
  ['an export of another signature', { stop: '(func (export "stop") (param i32))' }, /^load: stop: .*signature/],
  ['another version of the boundary', { version: '42' }, /^load: the module is made for boundary version 42/],
  ['more memory than the board allows', { memoryBytes: '10241' }, /^load: .*uses 10241 bytes of memory, this board allows 10240/],
  ['data behind the memory that is in use', { beside: '(data (i32.const 4090) "1234567")' }, /^load: .*data/],
];

/** None of these becomes C. */
const neverBuilt: [what: string, recipe: Recipe, words: RegExp][] = [
  ['a start function', { beside: '(func $begin) (start $begin)' }, /a start function/],
  ['an imported global', { imports: '(import "board" "g" (global i32))' }, /global g/],
  ['an imported memory', { imports: '(import "board" "memory" (memory 1))', memory: '' }, /memory/],
  ['an export that takes an i64', { stop: '(func (export "stop") (param i64))' }, /stop is no function of i32/],
];

const works: [what: string, recipe: Recipe, step: string[]][] = [
  ['sound', {}, ['step 50', 'step 50']],
  [
    'global and memory count on, and in the next life from the beginning',
    {
      step: '(global.set $g (i32.add (global.get $g) (local.get $now))) (i32.store (i32.const 96) (i32.add (i32.load (i32.const 96)) (i32.const 10))) (i32.add (global.get $g) (i32.load (i32.const 96)))',
      beside: '(global $g (mut i32) (i32.const 5)) (data (i32.const 96) "\\64\\00\\00\\00")',
    },
    ['step 116', 'step 128'],
  ],
  ['memory.grow answers -1', { step: '(i32.add (memory.grow (i32.const 1)) (i32.const 1))' }, ['step 0', 'step 0']],
  ['the last four bytes are inside', { step: '(i32.load offset=4091 (i32.const 1))' }, ['step 0', 'step 0']],
  [
    'no bytes at the end are inside',
    { step: '(memory.fill (i32.const 4096) (i32.const 1) (i32.const 0)) (local.get $now)' },
    ['step 1', 'step 2'],
  ],
  [
    'bytes for the board',
    { imports: send, step: '(call $send (i32.const 0) (i32.const 8) (i32.const 4))', beside: '(data (i32.const 8) "23.5")' },
    ['sent 23.5', 'step 4', 'sent 23.5', 'step 4'],
  ],
  [
    'a recursion that ends',
    {
      step: '(if (result i32) (i32.gt_s (local.get $now) (i32.const 40)) (then (local.get $now)) (else (call $step (i32.add (local.get $now) (i32.const 1)))))',
    },
    ['step 41', 'step 41'],
  ],
];

const all = [...works, ...traps, ...refused].map(([what, recipe], number) => ({
  name: number === 0 ? 'sound' : `m${number}`,
  what,
  recipe,
}));
const wasmOf = (recipe: Recipe) => {
  const module = binaryen.parseText(text(recipe));
  module.setFeatures(binaryen.Features.All);
  return module.emitBinary();
};

describe('a compiled module', { skip: skipUnbuilt(compiledBoard), timeout: 180_000 }, () => {
  let directory: string;
  const at = (name: string) => join(directory, name);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-compiled-'));
    await mkdir(at('modules'));
    for (const { name, recipe } of all) await writeFile(at(`${name}.wasm`), wasmOf(recipe));
    const names = all.map(({ name }) => name);
    await compiledModules(names, at('modules'), (name) => at(`${name}.wasm`));
    const shell = join(root, 'firmware', 'shell');
    const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-sanitize=alignment'];
    const flags = ['-std=c11', '-O1', ...checks, `-I${shell}`, `-I${join(shell, 'aot')}`];
    const ours = [
      join(root, 'firmware', 'test', 'compiled_test.c'),
      join(shell, 'shell.c'),
      join(shell, 'update_none.c'),
      join(shell, 'engine_aot.c'),
    ];
    const generated = ['modules', ...names].map((name) => at(join('modules', `${name}.c`)));
    const compiler = process.env.CC ?? 'cc';
    await run(compiler, [...flags, '-w', '-c', ...generated], { cwd: directory });
    const objects = ['modules', ...names].map((name) => at(`${name}.o`));
    await run(compiler, [...flags, '-Wall', '-Wextra', '-Wconversion', '-Werror', ...ours, ...objects, '-o', at('compiled_test')]);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** What is told of the module, and then of `sound`. */
  async function told(what: string): Promise<{ lines: string[]; after: string[] }> {
    const { stdout, stderr } = await run(at('compiled_test'), [all.find((module) => module.what === what)?.name ?? '']);
    assert.equal(stderr, '');
    const lines = stdout.trimEnd().split('\n');
    return { lines: lines.slice(0, -4), after: lines.slice(-4) };
  }

  function assertLivesOn([load, second, step, end]: readonly string[]): void {
    assert.deepEqual([load, step], ['load 0', 'step 50']);
    assert.match(second ?? '', /^load: sound: another shell runs this module/);
    assert.match(end ?? '', /^unloaded:/);
  }

  for (const [what, , steps] of works)
    test(`runs, and again after it was unloaded: ${what}`, async () => {
      const { lines, after } = await told(what);
      const life = ['load 0', 'start 0', ...steps];
      assert.deepEqual(lines, [...life, ...life]);
      assertLivesOn(after);
    });

  for (const [what, , words] of traps)
    test(`ends its call in a trap and leaves the board alive: ${what}`, async () => {
      const { lines, after } = await told(what);
      const life = lines.slice(0, 4);
      assert.deepEqual(life.slice(0, 2), ['load 0', 'start 0']);
      assert.match(life[2] ?? '', words);
      assert.equal(life[3], life[2]);
      assert.deepEqual(lines, [...life, ...life]);
      assertLivesOn(after);
    });

  for (const [what, , words] of refused)
    test(`is refused by name when it is loaded: ${what}`, async () => {
      const { lines, after } = await told(what);
      assert.equal(lines.length, 2);
      for (const line of lines) assert.match(line, words);
      assertLivesOn(after);
    });

  for (const [what, recipe, words] of neverBuilt)
    test(`is not made of a module with ${what}`, async () => {
      const wasm = at('never.wasm');
      await writeFile(wasm, wasmOf(recipe));
      await assert.rejects(compiledModule('never', at('never'), wasm), words);
    });
});

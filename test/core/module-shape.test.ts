import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import binaryen from 'assemblyscript/binaryen';
import { Chance } from '../soak/device.js';

// What compiler/ makes of a module for the interpreter does what the module did: both are run, and told apart by what they answer and what they call.

type Node = string | Node[];
type Rewrite = (module: Node[]) => void;

const compiler = fileURLToPath(new URL('../../../../compiler/', import.meta.url));
const part = (name: string) => import(pathToFileURL(`${compiler}${name}`).href);

let parseWat: (text: string) => Node[];
let printWat: (node: Node) => string;
let branchOnConditions: Rewrite;
let moveGlobals: (module: Node[], least: number) => void;
let foldAddresses: Rewrite;

before(async () => {
  ({ parseWat, printWat } = await part('wat.js'));
  ({ branchOnConditions } = await part('conditions.js'));
  ({ moveGlobals, foldAddresses } = await part('globals.js'));
});

interface Run {
  answer: number;
  /** The numbers of what was asked, in order. */
  asked: number[];
  bytes: number;
}

/** Runs the export `run` of a module in text form with each of `arguments_`: `ask` answers a bit of the first argument, by the number asked. */
function runs(text: string, rewrite: Rewrite | undefined, arguments_: readonly number[]): Run[] {
  const tree = parseWat(text);
  rewrite?.(tree);
  const parsed = binaryen.parseText(printWat(tree));
  assert.ok(parsed.validate(), printWat(tree));
  const module = new WebAssembly.Module(new Uint8Array(parsed.emitBinary()));
  parsed.dispose();
  return arguments_.map((argument) => {
    const asked: number[] = [];
    const ask = (number: number) => {
      asked.push(number);
      if (asked.length > 200) throw new Error('it does not end');
      return (argument >> (number % 16)) & 1;
    };
    const { exports } = new WebAssembly.Instance(module, { board: { ask } });
    const call = (name: string, ...given: number[]) => Number((exports[name] as (...all: number[]) => number)(...given));
    return { answer: call('run', argument), asked, bytes: exports.memory_bytes ? call('memory_bytes') : 0 };
  });
}

const COMPARISONS = ['eq', 'ne', 'lt_s', 'ge_s', 'lt_u', 'ge_u', 'gt_s', 'le_s', 'gt_u', 'le_u'];

/** Some condition over `ask` and the locals, `&&` and `||` as the compiler writes them. */
function condition(random: Chance, depth: number, next: () => number): string {
  const inner = () => condition(random, depth - 1, next);
  const leaf = () =>
    [
      `(call $ask (i32.const ${next()}))`,
      '(local.get $a)',
      `(i32.and (local.get $a) (i32.const ${1 << random.below(8)}))`,
      `(i32.${COMPARISONS[random.below(COMPARISONS.length)]} (i32.sub (local.get $a) (i32.const 300)) (i32.const ${[0, 150, -150][random.below(3)]}))`,
      `(local.tee $b (call $ask (i32.const ${next()})))`,
      `(i32.eqz (local.get $b))`,
    ][random.below(6)] as string;
  if (depth === 0) return leaf();
  const bit = random.below(2);
  return [
    () => `(if (result i32) ${inner()} (then ${inner()}) (else (i32.const ${bit})))`,
    () => `(if (result i32) ${inner()} (then (i32.const ${bit})) (else ${inner()}))`,
    () => `(if (result i32) ${inner()} (then (local.set $b (i32.const ${random.below(2)})) ${inner()}) (else (i32.const 0)))`,
    () => `(if (result i32) ${inner()} (then ${inner()}) (else ${inner()}))`,
    () => `(select (local.get $b) (i32.const ${bit}) (i32.lt_u (local.get $a) (i32.const 99)))`,
    () => `(select (i32.const ${bit}) ${inner()} ${inner()})`,
    () => `(i32.eqz ${inner()})`,
    () => leaf(),
  ][random.below(8)]?.() as string;
}

/** Some statement that asks the way. */
function statement(random: Chance, depth: number, next: () => number): string {
  const inner = () => statement(random, depth - 1, next);
  const asks = () => condition(random, 3, next);
  const mark = () => `(local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.const ${next()})))`;
  if (depth === 0) return mark();
  return [
    () => `(if ${asks()} (then ${inner()}))`,
    () => `(if ${asks()} (then ${inner()}) (else ${inner()}))`,
    () => `(block $out${next()} ${inner()} ${mark()})`,
    () => {
      const name = `$out${next()}`;
      return `(block ${name} (br_if ${name} ${asks()}) ${inner()})`;
    },
    () => {
      const name = `$turn${next()}`;
      return `(loop ${name} ${inner()} (local.set $turns (i32.add (local.get $turns) (i32.const 1))) (br_if ${name} (if (result i32) (i32.lt_u (local.get $turns) (i32.const 6)) (then ${asks()}) (else (i32.const 0)))))`;
    },
  ][random.below(5)]?.() as string;
}

const body = (text: string) =>
  `(module (import "board" "ask" (func $ask (param i32) (result i32)))
    (func $run (export "run") (param $a i32) (result i32) (local $b i32) (local $sum i32) (local $turns i32) ${text} (local.get $sum)))`;

describe('conditions that branch', () => {
  test('ask the same in the same order and go the same way: 400 functions, 24 arguments each', () => {
    const random = new Chance(5);
    const arguments_ = [0, 1, 150, 300, 450, 0xffff, ...Array.from({ length: 18 }, () => random.below(65_536))];
    let changed = 0;
    for (let i = 0; i < 400; i++) {
      let number = 0;
      const next = () => number++;
      const text = body(Array.from({ length: 3 }, () => statement(random, 3, next)).join('\n'));
      const tree = parseWat(text);
      branchOnConditions(tree);
      if (printWat(tree) !== printWat(parseWat(text))) changed++;
      assert.deepEqual(runs(text, branchOnConditions, arguments_), runs(text, undefined, arguments_), text);
    }
    assert.ok(changed > 350, `${changed} of 400 were rewritten`);
  });

  test('leave no 0 or 1 to be asked once more', () => {
    const text = body(
      '(if (if (result i32) (call $ask (i32.const 0)) (then (call $ask (i32.const 1))) (else (i32.const 0))) (then (nop)))',
    );
    const tree = parseWat(text);
    branchOnConditions(tree);
    assert.doesNotMatch(printWat(tree), /\(if /);
    assert.match(text, /\(if /);
  });
});

describe('variables in linear memory', () => {
  const text = `(module (import "board" "ask" (func $ask (param i32) (result i32))) (memory 1)
    (global $often (mut i32) (i32.const -7)) (global $seldom (mut i32) (i32.const 305419896)) (global $never (mut i32) (i32.const 0))
    (global $fixed i32 (i32.const 3))
    (export "memory_bytes" (func $memory_bytes)) (func $memory_bytes (result i32) (i32.const 21))
    (func $run (export "run") (param $a i32) (result i32)
      (global.set $often (i32.add (global.get $often) (local.get $a)))
      (global.set $never (i32.add (global.get $seldom) (global.get $often)))
      (i32.store8 offset=2 (i32.const 14) (call $ask (i32.const 0)))
      (i32.add (i32.xor (global.get $never) (i32.load (i32.const 16))) (i32.mul (global.get $seldom) (global.get $fixed)))))`;
  const rare = (least: number) => (tree: Node[]) => {
    moveGlobals(tree, least);
    foldAddresses(tree);
  };
  const count = (rewrite: Rewrite) => {
    const tree = parseWat(text);
    rewrite(tree);
    return (printWat(tree).match(/\(mut i32\)/g) ?? []).length;
  };

  for (const { least, left, bytes } of [
    { least: 0, left: 3, bytes: 24 },
    { least: 3, left: 1, bytes: 32 },
    { least: 9, left: 0, bytes: 36 },
  ])
    test(`what is used in fewer than ${least} places moves behind the static memory, and begins with its value`, () => {
      assert.equal(count(rare(least)), left);
      const expected = runs(text, undefined, [0, 1, 77, -9]);
      const found = runs(text, rare(least), [0, 1, 77, -9]);
      assert.deepEqual(
        found.map(({ answer, asked }) => ({ answer, asked })),
        expected.map(({ answer, asked }) => ({ answer, asked })),
      );
      assert.equal(found[0]?.bytes, bytes);
    });

  test('an address that is known becomes an offset to 0', () => {
    const tree = parseWat(text);
    foldAddresses(tree);
    assert.match(printWat(tree), /\(i32\.store8 offset=16 \(i32\.const 0\)/);
    assert.match(printWat(tree), /\(i32\.load offset=16 \(i32\.const 0\)\)/);
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import binaryen from 'assemblyscript/binaryen';

interface Target {
  name: string;
}
interface Figures {
  inputs: number;
  counters: number;
  all: number;
  found?: string;
}
interface Fuzzers {
  targets: Target[];
  missingForFuzzing(): string | undefined;
  buildFuzzer(target: Target, options?: { wasm?: string; to?: string }): Promise<string>;
  sow(target: Target, directory: string): void;
  runFuzzer(
    program: string,
    target: Target,
    options: { corpus: string[]; seed: number; runs: number; found: string; hang?: number },
  ): Promise<Figures>;
}

// Runs as build/js/test/fuzz.test.js.
const root = fileURLToPath(new URL('../../../', import.meta.url));
const fuzzers = (await import(pathToFileURL(`${root}scripts/fuzzers.js`).href)) as Fuzzers;

const missing = fuzzers.missingForFuzzing();
const skip = missing ? `clang with libFuzzer, or wasm2c, is not installed: apt-get install ${missing}` : false;
const SEED = 20_260_704;
/** Of all targets together. */
const INPUTS = 220_000;

describe('fuzzing', { skip, timeout: 300_000 }, () => {
  let work: string;
  before(() => {
    work = mkdtempSync(join(tmpdir(), 'twobyte-fuzz-'));
  });
  after(() => rmSync(work, { recursive: true, force: true }));

  /** Runs `target` from the repository's corpus, in a directory of its own. */
  async function fuzz(target: Target, runs: number, wasm?: string): Promise<Figures> {
    const place = mkdtempSync(join(work, 'run-'));
    const program = await fuzzers.buildFuzzer(target, wasm === undefined ? {} : { wasm, to: join(place, 'build') });
    const [sown, grown] = [join(place, 'sown'), mkdtempSync(join(place, 'grown-'))];
    fuzzers.sow(target, sown);
    return fuzzers.runFuzzer(program, target, {
      corpus: [grown, sown],
      seed: SEED,
      runs,
      found: join(place, 'found'),
      hang: wasm ? 2 : 30,
    });
  }

  describe(`${INPUTS} inputs from the corpus and seed ${SEED}`, { concurrency: availableParallelism() }, () => {
    const runs = Math.ceil(INPUTS / fuzzers.targets.length);
    for (const target of fuzzers.targets)
      test(`${target.name}: no trap, no hang, no report`, async (t) => {
        const { found, inputs, counters, all } = await fuzz(target, runs);
        assert.equal(found, undefined, `${found}\nnpm run fuzz -- --target ${target.name} --seed ${SEED} --runs ${runs}`);
        assert.ok(inputs >= runs, `${inputs} inputs`);
        t.diagnostic(`${inputs} inputs, ${counters} of ${all} counters`);
      });
  });

  describe('what is wrong with a module is found:', { concurrency: availableParallelism() }, () => {
    const when = (condition: string, what: string) => `(if ${condition} (then ${what}))`;
    const sized = (bytes: number) => `(i32.eq (local.get $1) (i32.const ${bytes}))`;
    const atTime = '(i32.eq (i32.and (local.get $0) (i32.const 255)) (i32.const 7))';
    const received = (text: string) => `(i32.load8_u (call ${exported(text, 'link_buffer')} (i32.const 0)))`;
    const sends = (text: string) => `(drop (call ${imported(text, 'link_send')} (i32.const 0) (i32.const 16) (i32.const 3)))`;
    const broken: [what: string, name: string, at: string, code: (text: string) => string, words: RegExp][] = [
      [
        'a trap at one byte',
        'sensor-mqtt',
        'link_received',
        (text) => when(`(i32.eq ${received(text)} (i32.const 66))`, '(unreachable)'),
        /trap: unreachable/,
      ],
      [
        'a write behind its memory',
        'sensor-mqttsn',
        'link_received',
        () => when(sized(77), '(i32.store8 (i32.const 60000) (i32.const 1))'),
        /trap: out of bounds/,
      ],
      ['a loop without end', 'sensor-mqttsn', 'link_received', () => when(sized(33), '(loop $forever (br $forever))'), /timeout/],
      ['bytes that are no packet', 'sensor-mqtt', 'link_received', (text) => when(sized(9), sends(text)), /REPORT: MQTT: /],
      ['bytes that are no message', 'sensor', 'link_received', (text) => when(sized(9), sends(text)), /REPORT: MQTT/],
      ['a time below 0', 'sensor-mqtt', 'step', () => when(atTime, '(return (i32.const -5))'), /step answers -5/],
      [
        'a session that nothing wakes',
        'sensor-mqttsn',
        'step',
        () => when(atTime, '(return (i32.const 2147483647))'),
        /it does not connect: nothing is due/,
      ],
      ['a step that is always due', 'client-mqtt', 'step', () => when(atTime, '(return (i32.const 0))'), /the next is due at once/],
    ];
    for (const [what, name, at, code, words] of broken)
      test(`${what}, of ${name}`, async () => {
        const target = fuzzers.targets.find((one) => one.name === name) as Target;
        const text = readFileSync(`${root}build/${name}.wat`, 'utf8');
        const wasm = join(mkdtempSync(join(work, 'broken-')), `${name}.wasm`);
        writeFileSync(wasm, assembled(withCode(text, at, code(text))));
        const { found } = await fuzz(target, 100_000, wasm);
        assert.match(String(found), words);
      });
  });
});

/** The function behind an export. */
function exported(text: string, name: string): string {
  return text.match(new RegExp(`\\(export "${name}" \\(func (\\S+)\\)\\)`))?.[1] as string;
}

/** The function behind an import. */
function imported(text: string, name: string): string {
  return text.match(new RegExp(`\\(import "board" "${name}" \\(func (\\S+) `))?.[1] as string;
}

/** The module with `code` before the body of an export. */
function withCode(text: string, name: string, code: string): string {
  const head = new RegExp(`^ \\(func \\${exported(text, name)} .*\\n(  \\(local .*\\n)*`, 'm');
  assert.match(text, head);
  return text.replace(head, (line) => `${line}${code}\n`);
}

function assembled(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  return module.emitBinary();
}

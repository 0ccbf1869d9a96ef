// Builds what is fuzzed as native code: each module through wasm2c with the board of firmware/fuzz, and decoders of the shell.

import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compileModule, modules } from '../compiler/modules.js';
import { conversations } from './conversations.js';
import { isThere, root, run } from './prepare.js';

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {'module' | 'shell'} kind
 * @property {string} dictionary file in test/fuzz
 * @property {string[]} sources C files beside what wasm2c makes
 * @property {string[]} flags
 * @property {import('../compiler/modules.js').Module} [small] compiled for the fuzzer alone
 */

/** What fuzzing needs and is missing, by the Debian packages that have it, or undefined. */
export function missingForFuzzing() {
  const program = 'int LLVMFuzzerTestOneInput(const char *data, long size) { return 0; }';
  const compiles = () =>
    spawnSync('clang', ['-fsanitize=fuzzer,address', '-x', 'c', '-', '-o', '/dev/null'], { input: program }).status === 0;
  const missing = [...(isThere('wasm2c') ? [] : ['wabt']), ...(compiles() ? [] : ['clang', 'libclang-rt-dev'])];
  return missing.length > 0 ? missing.join(' ') : undefined;
}

const fuzz = join(root, 'firmware', 'fuzz');
const shell = join(root, 'firmware', 'shell');
const posix = join(root, 'firmware', 'ports', 'posix');
const boardSources = ['board.c', 'instance.c', 'judge_text.c', 'judge_mqtt.c', 'judge_mqttsn.c'].map((name) => join(fuzz, name));

/** @param {import('../compiler/modules.js').Module} module */
const speaks = (module, protocol = '') => module.flags.includes(`${protocol}=1`);

/** @param {import('../compiler/modules.js').Module} module @returns {Target} */
function moduleTarget(module) {
  const mqtt = speaks(module, 'MQTT');
  const sn = speaks(module, 'MQTTSN');
  return {
    name: module.name,
    kind: 'module',
    dictionary: mqtt && sn ? 'both.dict' : sn ? 'mqttsn.dict' : 'mqtt.dict',
    sources: boardSources,
    flags: [`-DPROTOCOLS=${(mqtt ? 1 : 0) | (sn ? 2 : 0)}`],
  };
}

/** The client with the limits of a board: what is full in megabytes never is in an input. @param {import('../compiler/modules.js').Module} module @returns {Target} */
function smallTarget(module) {
  const flags = module.flags.filter((flag, at) => flag !== 'DESK=1' && module.flags[at + 1] !== 'DESK=1');
  const small = { ...module, name: `fuzz/small-${module.name}`, flags, pages: 17 };
  return { ...moduleTarget(module), name: `small-${module.name}`, small };
}

/** @type {Target[]} */
export const targets = [
  ...modules.map(moduleTarget),
  ...modules.filter((module) => speaks(module, 'DESK')).map(smallTarget),
  ...[
    { name: 'framing', sources: [join(shell, 'framing.c')] },
    { name: 'line', sources: ['line.c', 'line_in.c', 'line_out.c', 'line_upload.c', 'framing.c'].map((name) => join(shell, name)) },
    {
      name: 'settings',
      sources: [
        join(shell, 'settings.c'),
        join(posix, 'settings_file.c'),
        join(posix, 'brokers.c'),
        join(posix, 'terminal.c'),
        join(posix, 'link_news.c'),
        join(shell, 'framing.c'),
      ],
    },
  ].map(({ name, sources }) => ({
    name,
    kind: /** @type {const} */ ('shell'),
    dictionary: `${name}.dict`,
    sources: [join(fuzz, `fuzz_${name}.c`), ...sources],
    flags: [`-I${posix}`, '-include', join(shell, 'shell_limits.h')],
  })),
];

/** Where everything of a target is made. @param {string} name */
export const placeOf = (name) => join(root, 'build', 'fuzz', name);
/** What the repository keeps of it: an input a line, in hexadecimal. @param {string} name */
export const keptOf = (name) => join(root, 'test', 'fuzz', 'corpus', `${name}.txt`);
/** Inputs that found something once, by name. @param {string} name */
const regressionsOf = (name) => join(root, 'test', 'fuzz', 'regressions', name);

const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'];
const common = ['-O1', '-g', '-std=gnu11', `-I${fuzz}`, `-I${shell}`, '-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0', ...checks];
const ours = ['-Wall', '-Wextra', '-Wconversion', '-Werror'];
// Bounds are checked in functions that are inline: what they compare tells the fuzzer nothing, and costs half of its time. Pointers are to the
// one instance: branches for those that are null would be counted and never taken.
const generated = [
  '-w',
  '-Dinline=__attribute__((no_sanitize("coverage"),noinline))',
  '-fno-sanitize=null,alignment,object-size,pointer-overflow',
];

/** @param {string[]} files */
const stateOf = (files) =>
  files
    .map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${file} ${size} ${mtimeMs}`;
    })
    .join('\n');

/**
 * Builds the fuzzer of `target` unless it is there; answers its path. `wasm` is another module in the place of the target's own.
 * @param {Target} target @param {{ wasm?: string, to?: string }} [options]
 */
export async function buildFuzzer(target, { wasm, to = placeOf(target.name) } = {}) {
  mkdirSync(to, { recursive: true });
  const program = join(to, 'fuzz');
  const stamp = join(to, 'stamp');
  const module = wasm ?? join(root, 'build', target.small ? `${target.small.name}.wasm` : `${target.name}.wasm`);
  const headers = readdirSync(fuzz).filter((name) => name.endsWith('.h'));
  const sources = [...target.sources, ...headers.map((name) => join(fuzz, name)), join(root, 'scripts', 'fuzzers.js')];
  if (target.kind === 'module') sources.push(target.small && !wasm ? join(root, 'build', '.modules') : module);
  const state = stateOf(sources);
  if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return program;
  rmSync(stamp, { force: true });
  const flags = [...common, `-I${to}`, ...target.flags];
  if (target.kind === 'module') {
    if (target.small && !wasm) await compileModule(target.small, root);
    await run('wasm2c', [module, '-n', 'module', '-o', join(to, 'module.c')]);
    const object = join(to, 'module.o');
    await run('clang', [...flags, ...generated, '-fsanitize=fuzzer-no-link', '-c', join(to, 'module.c'), '-o', object]);
    const objects = await Promise.all(
      target.sources.map(async (source) => {
        const file = join(to, `${basename(source, '.c')}.o`);
        await run('clang', [...flags, ...ours, '-c', source, '-o', file]);
        return file;
      }),
    );
    await run('clang', [...checks, '-fsanitize=fuzzer', object, ...objects, '-o', program]);
  } else await run('clang', [...flags, ...ours, '-fsanitize=fuzzer', ...target.sources, '-o', program]);
  writeFileSync(stamp, state);
  return program;
}

/** Copies the corpus of `target`, and what conversations it begins with, to `directory`. @param {Target} target @param {string} directory */
export function sow(target, directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const kept = keptOf(target.name);
  const lines = existsSync(kept) ? readFileSync(kept, 'utf8').trim().split('\n') : [];
  for (const [number, line] of lines.entries()) writeFileSync(join(directory, `kept-${number}`), Buffer.from(line, 'hex'));
  const regressions = regressionsOf(target.name);
  for (const name of existsSync(regressions) ? readdirSync(regressions) : []) copyFileSync(join(regressions, name), join(directory, name));
  for (const [name, bytes] of Object.entries(conversations(target.name))) writeFileSync(join(directory, name), bytes);
}

/**
 * @typedef {object} Figures
 * @property {number} inputs
 * @property {number} counters reached, of `all` in the code that is fuzzed
 * @property {number} all
 * @property {number} features
 * @property {number} seconds
 * @property {string} [found] the input that ended it, and what was said
 */

/**
 * Runs a fuzzer until `runs` inputs or `seconds` are over, or it finds something.
 * @param {string} program @param {Target} target
 * @param {{ corpus: string[], seed: number, runs?: number, seconds?: number, found: string, hang?: number }} options `hang`: s that no input may take
 * @returns {Promise<Figures>}
 */
export async function runFuzzer(program, target, { corpus, seed, runs, seconds, found, hang = 20 }) {
  mkdirSync(found, { recursive: true });
  const dictionary = join(root, 'test', 'fuzz', target.dictionary);
  const args = [...corpus, `-seed=${seed}`, `-timeout=${hang}`, '-rss_limit_mb=2048', '-max_len=1024', '-print_final_stats=1', '-reload=0'];
  args.push(`-artifact_prefix=${found}/`);
  if (existsSync(dictionary)) args.push(`-dict=${dictionary}`);
  if (runs !== undefined) args.push(`-runs=${runs}`);
  if (seconds !== undefined) args.push(`-max_total_time=${Math.ceil(seconds)}`);
  const begun = performance.now();
  const { status, text } = await told(program, args);
  const last = (/** @type {RegExp} */ pattern) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
  const figures = {
    inputs: last(/stat::number_of_executed_units: (\d+)/g),
    counters: last(/ cov: (\d+)/g),
    all: last(/Loaded \d+ PC tables \((\d+) PCs\)/g),
    features: last(/ ft: (\d+)/g),
    seconds: (performance.now() - begun) / 1000,
  };
  if (status === 0) return figures;
  const words = text.match(/^(REPORT: .*|.*runtime error: .*|SUMMARY: .*|.*ERROR: .*)$/m)?.[0] ?? `status ${status}`;
  const file = text.match(/Test unit written to (.*)/)?.[1];
  return { ...figures, found: `${words}${file ? `\n  ${file}` : ''}` };
}

/** Runs `program` to its end, whatever that is, and answers what it said. @param {string} program @param {string[]} args */
function told(program, args) {
  return new Promise((/** @type {(told: { status: number | null, text: string }) => void} */ resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, text }));
  });
}

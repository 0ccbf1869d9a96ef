// Builds images for QEMU's riscv32 machine `virt`: the board, and with semihosting the benches.

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { modules } from '../compiler/modules.js';
import { compiledModules } from './compiled.js';
import { missingForAny, missingSentence } from './posix.js';
import { root } from './prepare.js';
import { lastLines, PythonMissing, works } from './python.js';
import { missingForFetching, wasm3Sources } from './wasm3.js';

const run = promisify(execFile);

/** The modules that a board runs. */
const sensors = modules.map(({ name }) => name).filter((name) => !name.startsWith('client'));

const port = join(root, 'firmware', 'ports', 'qemu-rv32');

/** What this machine lacks for the emulated board. @param {import('./posix.js').Engine} engine @returns {Promise<import('./posix.js').MissingTool[]>} */
async function missingTools(engine) {
  const compiler = 'riscv64-unknown-elf-gcc';
  /** @type {[string, Promise<boolean>][]} */
  const wanted = [
    ['gcc-riscv64-unknown-elf', works(compiler, ['--version'])],
    [
      'picolibc-riscv64-unknown-elf',
      works(compiler, ['--specs=picolibc.specs', '-march=rv32imc', '-mabi=ilp32', '-E', '-x', 'c', '/dev/null']),
    ],
    ['qemu-system-misc', works('qemu-system-riscv32', ['--version'])],
  ];
  const there = await Promise.all(wanted.map(([, works]) => works));
  const own = wanted.flatMap(([name], i) => (there[i] ? [] : [{ missing: name, debian: name }]));
  return [...own, ...(await missingForAny(engine)), ...(await missingForFetching())];
}

/** @param {string[]} args */
async function cmake(args) {
  try {
    await run('cmake', args, { maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`building the image for rv32 failed: cmake ${args.join(' ')}\n${lastLines(error)}`);
  }
}

/**
 * Writes the C of modules into `directory`, of each in one of its own.
 * @param {string} directory @param {readonly string[]} names @param {(name: string) => string} [wasm] where the file of a module is
 */
async function compiledSensors(directory, names, wasm) {
  await Promise.all(
    names.map((name) => {
      const own = join(directory, name);
      mkdirSync(own, { recursive: true });
      return compiledModules([name], own, wasm);
    }),
  );
  return directory;
}

/** @param {import('./python.js').Report} report @param {string} directory @param {string[]} settings @param {string[]} [targets] */
async function makeImages(report, directory, settings, targets = []) {
  const tools = [`-DCMAKE_TOOLCHAIN_FILE=${join(port, 'toolchain.cmake')}`, `-DWASM3_DIR=${await wasm3Sources(report)}`];
  report('building the images for rv32');
  await cmake(['-S', port, '-B', directory, ...tools, ...settings]);
  await cmake(['--build', directory, '--parallel', '4', ...targets.flatMap((target) => ['--target', target])]);
}

/**
 * Builds images with other modules compiled in, into a directory of the caller's: `wasm` has the file of each.
 * @param {import('./python.js').Report} report @param {string} directory @param {Readonly<Record<string, string>>} wasm
 */
export async function imagesOf(report, directory, wasm) {
  const names = Object.keys(wasm);
  const made = await compiledSensors(join(directory, 'compiled'), names, (name) => String(wasm[name]));
  await makeImages(
    report,
    directory,
    [`-DMODULES_DIR=${made}`],
    names.map((name) => `twobyte-rv32-${name}`),
  );
}

/**
 * Builds into build/qemu-rv32 where this machine has what it takes; otherwise says in a sentence what to install. Quick when nothing changed.
 * @param {import('./python.js').Report} report
 * @param {{ engine?: 'wasm3' | 'aot' }} [options] with aot also images that have a module compiled in
 * @returns {Promise<{ directory: string } | { missing: string }>} the directory of the images
 */
export async function qemuImages(report, { engine = 'wasm3' } = {}) {
  const tools = await missingTools(engine);
  if (tools.length > 0) return { missing: missingSentence('The emulated board', tools) };
  try {
    const directory = join(root, 'build', 'qemu-rv32');
    const compiled = engine === 'aot' ? [`-DMODULES_DIR=${await compiledSensors(join(directory, 'compiled'), sensors)}`] : [];
    await makeImages(report, directory, compiled);
    return { directory };
  } catch (error) {
    if (error instanceof PythonMissing) return { missing: `${error.message}.` };
    throw error;
  }
}

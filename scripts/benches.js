// Builds the bench of operations (firmware/bench) for both targets and both engines.

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { modules } from '../compiler/modules.js';
import { compiledModules, missingForCompiling } from './compiled.js';
import { posixBoard } from './posix.js';
import { root } from './prepare.js';
import { lastLines } from './python.js';
import { qemuImages } from './qemu.js';
import { wasm3Sources } from './wasm3.js';

const run = promisify(execFile);

/** What is measured: no operation takes a journal, but the heap of each module is told. */
const measured = modules.map(({ name }) => name).filter((name) => !/^client-.*-journal$/.test(name));

/**
 * @typedef {object} Bench
 * @property {'x86-64' | 'rv32'} target
 * @property {'wasm3' | 'aot'} engine
 * @property {string} program
 */

/** @typedef {{ name: string, on: string, files: string[], without: string[] }} Image what of a flash is `files` without `without` */

/**
 * The same port once more, with the modules of the bench compiled in.
 * @param {'posix' | 'qemu-rv32'} port @param {import('./python.js').Report} report
 */
async function compiled(port, report) {
  const source = join(root, 'firmware', 'ports', port);
  const directory = join(root, 'build', 'bench', `${port}-aot`);
  const made = join(root, 'build', 'bench', 'modules');
  mkdirSync(made, { recursive: true });
  await compiledModules(measured, made);
  report(`building the bench of compiled modules for ${port}`);
  const settings = ['-DENGINE=aot', `-DMODULES_DIR=${made}`, `-DWASM3_DIR=${await wasm3Sources(report)}`];
  if (port === 'qemu-rv32') settings.push(`-DCMAKE_TOOLCHAIN_FILE=${join(source, 'toolchain.cmake')}`);
  for (const args of [
    ['-S', source, '-B', directory, ...settings],
    ['--build', directory, '--parallel', '4', '--target', 'operations_bench'],
  ])
    await run('cmake', args, { maxBuffer: 1 << 26 }).catch((error) => {
      throw new Error(`building the bench failed: cmake ${args.join(' ')}\n${lastLines(error)}`);
    });
  return directory;
}

/**
 * What the flash of an rv32 board holds: the module, and the rest of the image.
 * @param {string} boards @param {string | undefined} aot directories of the boards' images and of the bench of compiled modules @returns {Image[]}
 */
function rv32Images(boards, aot) {
  const rest = 'shell, engine and port';
  const wasm3 = { name: rest, on: 'rv32 wasm3', files: [join(boards, 'twobyte-rv32')], without: [] };
  if (!aot) return [wasm3];
  const sensors = measured.filter((name) => name.startsWith('sensor'));
  const object = (/** @type {string} */ name) => {
    const found = readdirSync(aot, { recursive: true, encoding: 'utf8' }).find((file) => file.endsWith(`/${name}.c.obj`));
    if (!found) throw new Error(`${aot} has no object of ${name}`);
    return join(aot, found);
  };
  return [
    ...sensors.map((name) => ({ name, on: 'rv32 aot', files: [object(name)], without: [] })),
    wasm3,
    { name: rest, on: 'rv32 aot', files: [join(boards, 'twobyte-rv32-sensor-mqtt')], without: [object('sensor-mqtt')] },
  ];
}

/**
 * All that this machine can build; of what it cannot, a sentence says what to install.
 * @param {import('./python.js').Report} report
 * @returns {Promise<{ benches: Bench[], images: Image[], missing: string[] }>}
 */
export async function operationBenches(report) {
  const posix = await posixBoard(report);
  const compiler = await missingForCompiling();
  const qemu = await qemuImages(report, { engine: compiler ? 'wasm3' : 'aot' });
  /** @type {Bench[]} */
  const benches = [];
  const missing = [posix, qemu].flatMap((built) => ('missing' in built ? [built.missing] : []));
  if (compiler) missing.push(compiler);
  /** @type {Image[]} */
  let images = [];
  const program = (/** @type {string} */ directory) => join(directory, 'operations_bench');
  if (!('missing' in posix)) {
    benches.push({ target: 'x86-64', engine: 'wasm3', program: posix.bench });
    if (!compiler) benches.push({ target: 'x86-64', engine: 'aot', program: program(await compiled('posix', report)) });
  }
  if (!('missing' in qemu)) {
    const aot = compiler ? undefined : await compiled('qemu-rv32', report);
    benches.push({ target: 'rv32', engine: 'wasm3', program: program(qemu.directory) });
    if (aot) benches.push({ target: 'rv32', engine: 'aot', program: program(aot) });
    images = rv32Images(qemu.directory, aot);
  }
  return { benches, images, missing };
}

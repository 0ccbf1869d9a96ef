// Builds the posix board, its bench and the C tests, over wasm3 or with the sensor modules compiled in.

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { modules } from '../compiler/modules.js';
import { compiledModules, missingCompiler } from './compiled.js';
import { root } from './prepare.js';
import { lastLines, PythonMissing, works } from './python.js';
import { missingForFetching, wasm3Sources } from './wasm3.js';

const run = promisify(execFile);

/** @typedef {{ missing: string, debian: string }} MissingTool what this machine lacks, and the Debian package that has it */
/** @typedef {{ board: string, bench: string }} Posix paths of executables */
/** @typedef {'wasm3' | 'aot'} Engine */
/** @typedef {{ sanitize?: boolean, engine?: Engine }} Options with address and undefined-behaviour sanitizers, without counting the heap */

/** What is missing, all in one sentence. @param {string} board @param {MissingTool[]} tools */
export function missingSentence(board, tools) {
  const packages = [...new Set(tools.map(({ debian }) => debian))].join(' ');
  return `${board} needs ${tools.map(({ missing }) => missing).join(', ')}. On Debian: apt-get install ${packages}.`;
}

/** Whether one of these programs is there. @param {string[]} commands */
const any = async (commands) => (await Promise.all(commands.map((command) => works(command, ['--version'])))).includes(true);

/** What of the tools for any board this machine lacks, but for a C compiler and wasm3. @param {Engine} engine @returns {Promise<MissingTool[]>} */
export async function missingForAny(engine) {
  const [cmake, make, compiler] = await Promise.all([any(['cmake']), any(['make', 'ninja']), engine === 'aot' ? missingCompiler() : []]);
  return [...(cmake ? [] : [{ missing: 'CMake', debian: 'cmake' }]), ...(make ? [] : [{ missing: 'make', debian: 'make' }]), ...compiler];
}

/** What this machine lacks to build the posix board. @param {Engine} engine @returns {Promise<MissingTool[]>} */
async function missingTools(engine) {
  const compiler = await any(process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang']);
  return [
    ...(compiler ? [] : [{ missing: 'a C compiler', debian: 'build-essential' }]),
    ...(await missingForAny(engine)),
    ...(engine === 'wasm3' ? await missingForFetching() : []),
  ];
}

/** @param {string} what @param {string[]} args */
async function cmake(what, args) {
  try {
    await run('cmake', args, { maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`${what} failed: cmake ${args.join(' ')}\n${lastLines(error)}`);
  }
}

/**
 * Builds the posix board where this machine has what it takes; otherwise says in a sentence what to install.
 * @param {import('./python.js').Report} report
 * @param {Options} [options]
 * @returns {Promise<Posix | { missing: string }>}
 */
export async function posixBoard(report, options) {
  const tools = await missingTools(options?.engine ?? 'wasm3');
  if (tools.length > 0) return { missing: missingSentence('The posix board', tools) };
  try {
    return await buildPosix(report, options);
  } catch (error) {
    if (error instanceof PythonMissing) return { missing: `${error.message}.` };
    throw error;
  }
}

/** The modules that a board can run. */
const boardModules = modules.map(({ name }) => name).filter((name) => !name.startsWith('client'));

/** What CMake is told of the engine. @param {import('./python.js').Report} report @param {Engine} engine @param {string} build */
async function engineSettings(report, engine, build) {
  if (engine === 'wasm3') return [`-DWASM3_DIR=${await wasm3Sources(report)}`];
  const directory = join(build, 'modules');
  await compiledModules(boardModules, directory);
  return ['-DENGINE=aot', `-DMODULES_DIR=${directory}`];
}

/**
 * Builds into build/posix, and with an option other than the first into a directory that has it in its name; quick when nothing changed.
 * @param {import('./python.js').Report} report
 * @param {Options} [options]
 * @returns {Promise<Posix>}
 */
async function buildPosix(report, { sanitize = false, engine = 'wasm3' } = {}) {
  const build = join(root, 'build', `posix${engine === 'wasm3' ? '' : `-${engine}`}${sanitize ? '-sanitized' : ''}`);
  const settings = [...(await engineSettings(report, engine, build)), `-DSANITIZE=${sanitize ? 'ON' : 'OFF'}`];
  report(`building the posix board${engine === 'aot' ? ' with its modules compiled in' : ''}`);
  const make = async () => {
    await cmake('configuring the posix board', ['-S', join(root, 'firmware', 'ports', 'posix'), '-B', build, ...settings]);
    await cmake('building the posix board', ['--build', build, '--parallel', '4']);
  };
  await make();
  // A build that was broken off may leave an executable that is none and looks new.
  if (!(await works(join(build, 'twobyte-posix'), ['--help']))) {
    rmSync(build, { recursive: true, force: true });
    await engineSettings(report, engine, build);
    await make();
  }
  return { board: join(build, 'twobyte-posix'), bench: join(build, 'operations_bench') };
}

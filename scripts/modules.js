// The Wasm modules, how each is compiled, and what it may be.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { moduleFaults } from './inspect.js';

/**
 * @typedef {object} Module
 * @property {string} name file name in build/ without .wasm
 * @property {string} entry source of the app
 * @property {string[]} flags further compiler flags
 * @property {number} pages memory in pages of 64 KiB, all there is
 * @property {number} budget most bytes of .wasm
 */

/** @type {Module[]} */
export const modules = [
  { name: 'sensor-mqtt', entry: 'assembly/apps/sensor.ts', flags: [], pages: 1, budget: 9000 },
  { name: 'client-mqtt', entry: 'assembly/apps/client.ts', flags: ['--use', 'DESK=1'], pages: 88, budget: 9000 },
];

/** Compiles `module` into build/ and checks what came out. @param {Module} module @param {string} root */
export async function compileModule(module, root) {
  mkdirSync(`${root}/build`, { recursive: true });
  const pages = String(module.pages);
  const result = await asc.main([
    module.entry,
    ...['--config', 'asconfig.json', '--baseDir', root],
    ...['--outFile', `build/${module.name}.wasm`, '--textFile', `build/${module.name}.wat`],
    ...['--initialMemory', pages, '--maximumMemory', pages],
    ...module.flags,
  ]);
  if (result.error) throw new Error(`${module.entry} does not compile:\n${result.stderr.toString()}`);
  const file = `${root}/build/${module.name}.wasm`;
  const faults = moduleFaults(readFileSync(file), readFileSync(`${root}/build/${module.name}.wat`, 'utf8'), module.budget);
  if (faults.length === 0) return;
  rmSync(file); // so that nothing runs or flashes it
  throw new Error(`${module.name}.wasm is refused:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}

// The Wasm modules and how each is compiled, with what a module may be: size budget, memory, imports and exports.

import { mkdirSync } from 'node:fs';
import asc from 'assemblyscript/asc';

/**
 * @typedef {object} Module
 * @property {string} name file name in build/ without .wasm
 * @property {string} entry source of the app
 * @property {string[]} flags further compiler flags
 * @property {number} budget most bytes of .wasm
 */

/** @type {Module[]} */
export const modules = [
  { name: 'sensor-mqtt', entry: 'assembly/apps/sensor.ts', flags: [], budget: 9000 },
  { name: 'client-mqtt', entry: 'assembly/apps/client.ts', flags: ['--use', 'DESK=1'], budget: 9000 },
];

/** Compiles `module` into build/. @param {Module} module @param {string} root */
export async function compileModule(module, root) {
  mkdirSync(`${root}/build`, { recursive: true });
  const result = await asc.main([
    module.entry,
    '--config',
    'asconfig.json',
    ...module.flags,
    '--baseDir',
    root,
    '--outFile',
    `build/${module.name}.wasm`,
    '--textFile',
    `build/${module.name}.wat`,
  ]);
  if (result.error) throw new Error(`${module.entry} does not compile:\n${result.stderr.toString()}`);
}

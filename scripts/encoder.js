// Our PUBLISH encoder alone as a native program: assembly/apps/encode.ts through wasm2c and the C compiler, as a compiled module of a board is.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, modules } from '../compiler/modules.js';
import { compiledModules, missingForCompiling } from './compiled.js';
import { root, run } from './prepare.js';

const shell = join(root, 'firmware', 'shell');

/**
 * Builds build/encoder/encode_bench, which encodes a packet as many times as it is told (firmware/bench/encode.c).
 * @returns {Promise<{ program: string } | { missing: string }>}
 */
export async function encoder() {
  const missing = await missingForCompiling();
  if (missing) return { missing };
  const like = modules.find(({ name }) => name === 'sensor-mqtt');
  if (!like) throw new Error('compiler/modules.js has no sensor-mqtt');
  const directory = join(root, 'build', 'encoder');
  const made = join(directory, 'modules');
  mkdirSync(made, { recursive: true });
  const wasm = join(directory, 'encode.wasm');
  const { bytes } = await compile({ ...like, name: 'encode', entry: 'assembly/apps/encode.ts' }, root);
  writeFileSync(wasm, bytes);
  await compiledModules(['encode'], made, () => wasm);
  const program = join(directory, 'encode_bench');
  const compiler = process.env.CC ?? 'cc';
  const flags = ['-std=c11', '-O2', `-I${shell}`, `-I${join(shell, 'aot')}`];
  const generated = ['encode', 'modules'].map((name) => join(made, `${name}.c`));
  const objects = await Promise.all(
    [join(root, 'firmware', 'bench', 'encode.c'), join(shell, 'engine_aot.c'), ...generated].map(async (source, number) => {
      const object = join(directory, `${number}.o`);
      const warnings = generated.includes(source) ? ['-w'] : ['-Wall', '-Wextra', '-Wconversion', '-Werror'];
      await run(compiler, [...flags, ...warnings, '-c', source, '-o', object]);
      return object;
    }),
  );
  await run(compiler, [...objects, '-o', program]);
  return { program };
}

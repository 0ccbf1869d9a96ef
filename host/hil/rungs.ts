import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { posixRung } from '../rungs/posix.js';
import { qemuRung } from '../rungs/qemu.js';
import type { Engine, Rung } from '../rungs/rung.js';
import { startVirtual } from '../rungs/virtual.js';

/** The rungs that need no board at hand. */
export const builtRungs = ['posix', 'posix-aot', 'qemu-rv32', 'qemu-rv32-aot', 'virtual'] as const;
export type BuiltRung = (typeof builtRungs)[number];

/** This file runs as build/js/host/hil/rungs.js. */
const at = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

type Made = Readonly<Record<string, string>> | { missing: string };
interface Scripts {
  posixBoard(report: (text: string) => void, options: { engine: Engine }): Promise<Made>;
  qemuImages(report: (text: string) => void, options: { engine: Engine }): Promise<Made>;
}

/** A rung; what it needs is built where the sources are. Throws a sentence when this machine or this package has not got it. */
export async function rungNamed(name: BuiltRung, progress: (text: string) => void): Promise<Rung> {
  if (name === 'virtual') return startVirtual;
  const engine: Engine = name.endsWith('-aot') ? 'aot' : 'wasm3';
  const posix = name.startsWith('posix');
  const image = posix ? at(`build/${name}/twobyte-posix`) : at(`build/qemu-rv32/twobyte-rv32${engine === 'aot' ? '-sensor' : ''}`);
  if (!existsSync(image)) await build(posix ? 'posix' : 'qemu', engine, progress);
  return posix ? posixRung(image) : qemuRung(at('build/qemu-rv32'), engine);
}

async function build(script: 'posix' | 'qemu', engine: Engine, progress: (text: string) => void): Promise<void> {
  const path = at(`scripts/${script}.js`);
  if (!existsSync(path))
    throw new Error(
      `the ${script} board is not built, and its sources are not in this package; take --rung virtual, or a checkout of Twobyte`,
    );
  const scripts = (await import(path)) as Scripts;
  const made = await (script === 'posix' ? scripts.posixBoard : scripts.qemuImages)(progress, { engine });
  if ('missing' in made) throw new Error(String(made.missing));
}

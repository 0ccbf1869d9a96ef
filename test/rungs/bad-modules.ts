import { ABI_VERSION } from '../../host/contract.js';
import { compile } from '../core/compile.js';

/** How a module differs from the least that a board takes; each is AssemblyScript. */
export interface Fault {
  /** Body of step(now). */
  step?: string;
  start?: string;
  /** Declarations more. */
  also?: string;
  version?: number;
  memoryBytes?: number;
}

/** A module for a board, which opens no link and reads nothing. */
export async function badModule({
  step = 'return 1000;',
  start = 'return 0;',
  also = '',
  version = ABI_VERSION,
  memoryBytes = 4096,
}: Fault) {
  const source = `
    ${also}
    export function abi_version(): i32 { return ${version}; }
    export function memory_bytes(): i32 { return ${memoryBytes}; }
    export function start(): i32 { ${start} }
    export function stop(): void { store<u32>(64, 1); }
    export function step(now: u32): i32 { ${step} }
    export function link_buffer(link: i32): i32 { return 1024; }
    export function link_room(link: i32): i32 { return link ? 8 : 16; }
    export function link_received(link: i32, length: i32): void { store<u32>(68, length); }
    export function link_changed(link: i32, what: i32, reason: i32): void { store<u32>(72, what); }
  `;
  const { bytes } = await compile('bad.ts', ['--initialMemory', '1', '--maximumMemory', '1', '--runtime', 'stub'], { 'bad.ts': source });
  return bytes;
}

/** Calls without a loop: more of them than there is time, on a stack that holds them. */
export const callsWithoutEnd = {
  also: 'function calls(n: i32): i32 { return n <= 0 ? load<i32>(64) : calls(n - 1) + calls(n - 2); }',
  step: 'return calls(45);',
};

/** As one whose settings are not in order. */
export const refusesSettings = { start: 'return -1;' };
export const traps = { step: 'return 1000 / load<i32>(2000);' };
/** Address and offset lead round to 4: on a processor of 32 bits that is inside. */
export const readsOutside = { step: 'const p = load<usize>(2000) - 4; return p == 1 ? 1 : load<i32>(p, 8);' };
export const writesOutside = { step: 'const p = load<usize>(2000) - 4; if (p != 1) store<i32>(p, 1, 8); return 1000;' };
/** wasm3's translator calls itself for every block within a block. */
export const nests = {
  step: `${'if (load<i32>(64)) { store<i32>(64, now); '.repeat(200)}${'}'.repeat(200)} return 1000;`,
};
/** It never answers, and has something to say all the time. */
export const chatters = {
  also: '@external("board", "event") declare function event(code: i32, a: i32, b: i32): void;',
  step: 'while (load<i32>(64) == 0) event(1, 2, 3); return 1;',
};
export const loops = { step: 'while (load<i32>(64) == 0) store<i32>(68, now); return 1;' };

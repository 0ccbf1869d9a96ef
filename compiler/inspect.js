// What docs/boundary.md says a module may not be, read from the module itself.

import { readFileSync } from 'node:fs';

const PAGE = 65536;
const SECTION_TABLE = 4;
const SECTION_MEMORY = 5;
const SECTION_START = 8;

/** @param {Uint8Array} bytes @returns {Map<number, Uint8Array>} */
export function sections(bytes) {
  const found = new Map();
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at] ?? 0;
    const [length, start] = varint(bytes, at + 1);
    found.set(id, bytes.subarray(start, start + length));
    at = start + length;
  }
  return found;
}

/** @param {Uint8Array} bytes @param {number} at @returns {[value: number, end: number]} */
function varint(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

/** @param {Uint8Array | undefined} section @returns {{ least: number, most: number | undefined } | undefined} */
function memoryLimits(section) {
  if (section?.[0] !== 1) return undefined;
  const [least, end] = varint(section, 2);
  return { least, most: (section[1] ?? 0) & 1 ? varint(section, end)[0] : undefined };
}

/** The names in the tables of docs/boundary.md: the page that people read is what the check goes by. */
function documented() {
  const text = readFileSync(new URL('../docs/boundary.md', import.meta.url), 'utf8');
  const [, imports = '', exports = ''] = /## Imports\n(.*)\n## Exports\n(.*)\n## The inbound record/s.exec(text) ?? [];
  /** @param {string} table */
  const names = (table) =>
    new Set(
      [...table.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)[(`]/g)].map(([, name]) => name ?? '')),
    );
  return { imports: names(imports), exports: names(exports) };
}

/**
 * What is wrong with the module, in sentences; none when it keeps the contract.
 * @param {Uint8Array} bytes
 * @param {string} text the same module as the compiler writes it for people
 * @param {number} budget most bytes
 */
export function moduleFaults(bytes, text, budget) {
  const faults = [];
  if (bytes.length > budget) faults.push(`it has ${bytes.length} bytes, the budget is ${budget}: leave out what is not needed`);
  const module = new WebAssembly.Module(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
  const allowed = documented();
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from !== 'board' || kind !== 'function' || !allowed.imports.has(name))
      faults.push(
        `it imports the ${kind} ${from}.${name}${name === 'abort' ? ', which a throw or an array needs' : ''}; docs/boundary.md lists what a board has`,
      );
  }
  for (const { name, kind } of WebAssembly.Module.exports(module)) {
    if (kind !== (name === 'memory' ? 'memory' : 'function') || !allowed.exports.has(name))
      faults.push(`it exports the ${kind} ${name}; docs/boundary.md lists what a board may call`);
  }
  const parts = sections(bytes);
  if (parts.has(SECTION_TABLE))
    faults.push('it has a table: a closure, a function as a value or a virtual method needs one; call functions by their names');
  if (parts.has(SECTION_START))
    faults.push('it has a start function: a global is not initialised with a literal; give it 0, and its value in the first call');
  if (text.includes('memory.grow'))
    faults.push(
      'it asks for more memory at run time: something is allocated on a heap; use numbers and memory.data in place of new, arrays and strings made at run time',
    );
  if (/\bi64\b/.test(text)) faults.push('it uses 64-bit integers: only i32 crosses, and an ESP32 computes in 32 bits; compute in i32');
  if (/\bf(32|64)\./.test(text))
    faults.push('it computes in floating point, which an ESP32-C3 has no unit for; compute in whole numbers, in thousandths for example');
  const memory = memoryLimits(parts.get(SECTION_MEMORY));
  if (!memory) faults.push('it has no memory of its own');
  else if (memory.most !== memory.least) faults.push(`its memory may grow from ${memory.least} pages to ${memory.most ?? 'any number'}`);
  else if (faults.length === 0) faults.push(...memoryFaults(module, memory.least));
  return faults;
}

/** @param {WebAssembly.Module} module @param {number} pages */
function memoryFaults(module, pages) {
  const functions = WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]);
  const { exports } = new WebAssembly.Instance(module, { board: Object.fromEntries(functions) });
  if (typeof exports.memory_bytes !== 'function') return ['it does not export memory_bytes'];
  const names = Object.keys(exports);
  const twin = names.find((name, i) => names.findIndex((other) => exports[other] === exports[name]) < i);
  if (twin) return [`its export ${twin} is the same function as another, and a shell finds a function under one name only`];
  const used = Number(exports.memory_bytes());
  const needed = Math.ceil(used / PAGE);
  return needed === pages ? [] : [`its memory is ${pages} pages, its static buffers (${used} bytes) need ${needed}`];
}

// Modules as C, for the engine that runs them compiled (firmware/shell/engine_aot.c): wasm2c's C of the very same .wasm, with a description of it.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sections } from '../compiler/inspect.js';
import { root, run } from './prepare.js';

/** What comes out of another version has other names. */
const WABT = '1.0.32';
const SECTION_START = 8;

/** What this machine lacks to compile modules. @returns {Promise<import('./posix.js').MissingTool[]>} */
export async function missingCompiler() {
  const version = await run('wasm2c', ['--version']).catch(() => undefined);
  if (version === undefined) return [{ missing: `wasm2c ${WABT}`, debian: 'wabt' }];
  return version.trim().startsWith(WABT)
    ? []
    : [{ missing: `wasm2c ${WABT} (here is ${version.trim()}, Debian 12 has it)`, debian: 'wabt' }];
}

/** The same in a sentence, or undefined. @returns {Promise<string | undefined>} */
export async function missingForCompiling() {
  const [tool] = await missingCompiler();
  return tool && `A compiled module needs ${tool.missing}. On Debian 12: apt-get install ${tool.debian}.`;
}

/** Replaces what stands in wasm2c's C exactly once. @param {string} text @param {string} old @param {string} by */
function exchange(text, old, by) {
  const parts = text.split(old);
  if (parts.length !== 2)
    throw new Error(`wasm2c writes other C than version ${WABT}: ${JSON.stringify(old.slice(0, 60))} is not there once`);
  return parts.join(by);
}

/**
 * wasm2c's C, with loads and stores of firmware/shell/aot/wasm-rt.h, which get address and offset apart: a 32-bit machine checks their sum as a 64-bit
 * number in three times the instructions.
 * @param {string} text
 */
function fitted(text) {
  const check =
    '#define RANGE_CHECK(mem, offset, len)               \\\n  if (UNLIKELY(offset + (uint64_t)len > mem->size)) \\\n    TRAP(OOB);\n';
  const [, accessors = ''] = /^(#if WABT_BIG_ENDIAN\nstatic inline void load_data.*?^#endif\n)\nDEFINE_LOAD\(/ms.exec(text) ?? [];
  return exchange(exchange(text, check, ''), accessors, '').replace(
    /\b(\w+_(?:load|store)\w*\(&instance->w2c_\w+), \(u64\)\((\w+)\)(?: \+ (\d+)u?)?/g,
    (_, access, address, offset = 0) => `${access}, ${address}, ${offset}u`,
  );
}

/** @typedef {{ from: string, name: string, symbol: string, answers: boolean, arguments: number }} Declared a function of i32 */

/**
 * The imports or exports that wasm2c's header declares.
 * @param {string} header @param {'import' | 'export'} kind @returns {Declared[]}
 */
function declared(header, kind) {
  const found = [];
  for (const [, names = '', answer, symbol = '', list = ''] of header.matchAll(
    new RegExp(`/\\* ${kind}: (.*) \\*/\\n(.+?) ?(Z_\\w+)\\((.*)\\);`, 'g'),
  )) {
    const [from = '', name = from] = [...names.matchAll(/'(\w+)'/g)].map(([, word = '']) => word);
    if (kind === 'export' && answer === 'wasm_rt_memory_t*') continue;
    const [, ...types] = list.split(', ');
    if (!/^(u32|void)$/.test(answer ?? '') || types.some((type) => type !== 'u32'))
      throw new Error(`the ${kind} ${name} is no function of i32: ${answer} (${types.join(', ')})`);
    found.push({ from, name, symbol, answers: answer === 'u32', arguments: types.length });
  }
  return found;
}

/** Whether a function can lead to a call of itself. @param {string} code wasm2c's */
function recurses(code) {
  /** @type {Map<string, Set<string>>} */
  const calls = new Map();
  for (const [, name = '', body = ''] of code.matchAll(/^static \w+ (w2c_\w+)\([^\n]*\) \{\n(.*?)^\}/gms))
    calls.set(name, new Set([...body.matchAll(/\b(w2c_\w+)\(instance\b/g)].map(([, called = '']) => called)));
  if (calls.size !== code.split('\n  FUNC_PROLOGUE;\n').length - 1) throw new Error('not every function of the module was understood');
  /** @type {Set<string>} */
  const done = new Set();
  /** @param {string} name @param {Set<string>} above @returns {boolean} */
  const leadsBack = (name, above) => {
    if (above.has(name)) return true;
    if (done.has(name)) return false;
    done.add(name);
    const path = new Set(above).add(name);
    return [...(calls.get(name) ?? [])].some((called) => leadsBack(called, path));
  };
  return [...calls.keys()].some((name) => leadsBack(name, new Set()));
}

/** What memory_bytes() answers: the linear memory that is in use. @param {Uint8Array<ArrayBuffer>} bytes */
function memoryBytes(bytes) {
  const module = new WebAssembly.Module(bytes);
  /** @type {Record<string, Record<string, () => number>>} */
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') throw new Error(`the module imports the ${kind} ${name}`);
    imports[from] = { ...imports[from], [name]: () => 0 };
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  if (typeof exports.memory_bytes !== 'function') throw new Error('the module lacks the export memory_bytes');
  return Number(exports.memory_bytes());
}

const identifier = (/** @type {string} */ name) => name.replace(/\W/g, '_');
const signature = (/** @type {Declared} */ { answers, arguments: count }) => `"${answers ? 'i' : 'v'}(${'i'.repeat(count)})"`;
const numbers = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => i);

/** An import of the module: it calls the row of the shell's table. @param {Declared} declared @param {number} number */
function importFunction({ from, symbol, answers, arguments: count }, number) {
  const list = numbers(count).map((i) => `uint32_t a${i}`);
  const values = numbers(count).map((i) => `(int32_t)a${i}`);
  const call = `compiled_import(engine, linked[${number}], ${count > 0 ? 'arguments' : 'NULL'});`;
  return [
    `static ${answers ? 'uint32_t' : 'void'} ${symbol}(${[`struct Z_${from}_instance_t *none`, ...list].join(', ')}) {`,
    ...(count > 0 ? [`    const int32_t arguments[] = {${values.join(', ')}};`] : []),
    `    ${answers ? 'return (uint32_t)' : ''}${call}`,
    '}',
  ];
}

/** What the engine calls for an export. @param {Declared} declared */
function exportFunction({ name, symbol, answers, arguments: count }) {
  const values = numbers(count).map((i) => `(uint32_t)arguments[${i}]`);
  const call = `${symbol}(${['&instance', ...values].join(', ')})`;
  return [
    `static int32_t call_${name}(const int32_t *arguments) {`,
    answers ? `    return (int32_t)${call};` : `    ${call};\n    return 0;`,
    '}',
  ];
}

/**
 * The C of a module, from what wasm2c wrote.
 * @param {string} name @param {Uint8Array<ArrayBuffer>} bytes @param {string} code @param {string} header
 */
function moduleSource(name, bytes, code, header) {
  if (sections(bytes).has(SECTION_START)) throw new Error('the module has a start function');
  const imports = declared(header, 'import');
  const exports = declared(header, 'export');
  const id = identifier(name);
  const [, instantiation = ''] = new RegExp(`void Z_${id}_instantiate\\(Z_${id}_instance_t\\*(.*)\\);`).exec(header) ?? [];
  const boards = (instantiation.match(/struct /g) ?? []).map(() => ', NULL').join('');
  if (!header.includes('wasm_rt_memory_t w2c_')) throw new Error('the module has no memory of its own');
  return [
    `/* Made by scripts/compiled.js from ${name}.wasm of ${bytes.length} bytes. */`,
    `#define COMPILED_MEMORY_BYTES ${memoryBytes(bytes)}`,
    `#define COMPILED_RECURSIVE ${recurses(code) ? 1 : 0}`,
    '#define NDEBUG',
    '#include "aot/compiled.h"',
    '',
    'static Engine *engine;',
    `static const EngineImport *linked[${Math.max(1, imports.length)}];`,
    ...[...new Set(imports.map(({ from }) => from))].map((from) => `struct Z_${from}_instance_t;`),
    ...imports.flatMap(importFunction),
    '',
    fitted(code),
    `static Z_${id}_instance_t instance;`,
    ...exports.flatMap(exportFunction),
    'static void instantiate(void) {',
    '    memset(&instance, 0, sizeof instance);',
    `    Z_${id}_init_module();`,
    `    Z_${id}_instantiate(&instance${boards});`,
    '}',
    'static const CompiledImport imports[] = {',
    ...imports.map((one) => `    {"${one.from}", "${one.name}", ${signature(one)}},`),
    '    {0}',
    '};',
    'static const EngineFunction exports[] = {',
    ...exports.map((one) => `    {"${one.name}", ${signature(one)}, call_${one.name}},`),
    '    {0}',
    '};',
    `const CompiledModule compiled_${id} = {`,
    `    .name = "${name}", .memory = instance.w2c_memory.data, .memory_bytes = COMPILED_MEMORY_BYTES, .static_bytes = sizeof instance,`,
    `    .instantiate = instantiate, .imports = imports, .linked = linked, .import_count = ${imports.length},`,
    `    .engine = &engine, .exports = exports, .export_count = ${exports.length},`,
    '};',
    '',
  ].join('\n');
}

/** Writes `text` unless it is there: what was not changed is not compiled again. @param {string} file @param {string} text */
function update(file, text) {
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch {
    // there is none yet
  }
  writeFileSync(file, text);
}

/** @param {string} name */
const built = (name) => join(root, 'build', `${name}.wasm`);

/**
 * Writes the C of one module, and its header, into `directory`: NAME.c and NAME.h.
 * @param {string} name @param {string} directory @param {string} [wasm] its file
 */
export async function compiledModule(name, directory, wasm = built(name)) {
  const made = join(directory, '.wasm2c');
  mkdirSync(made, { recursive: true });
  const file = join(made, `${name}.c`);
  await run('wasm2c', [wasm, '-n', identifier(name), '-o', file]);
  const header = readFileSync(join(made, `${name}.h`), 'utf8');
  update(join(directory, `${name}.c`), moduleSource(name, readFileSync(wasm), readFileSync(file, 'utf8'), header));
  update(join(directory, `${name}.h`), header);
}

/**
 * Writes the C of modules into `directory`, and the table of them, modules.c; what is there of others goes.
 * @param {readonly string[]} names @param {string} directory @param {(name: string) => string} [wasm] where the file of a module is
 */
export async function compiledModules(names, directory, wasm = built) {
  await Promise.all(names.map((name) => compiledModule(name, directory, wasm(name))));
  compiledTable(names, directory);
}

/** @param {readonly string[]} names @param {string} directory */
export function compiledTable(names, directory) {
  const kept = new Set(['modules.c', '.wasm2c', ...names.flatMap((name) => [`${name}.c`, `${name}.h`])]);
  for (const file of readdirSync(directory)) if (!kept.has(basename(file))) rmSync(join(directory, file), { recursive: true });
  const ids = names.map((name) => `compiled_${identifier(name)}`);
  const lines = [
    '/* Made by scripts/compiled.js: the modules that are compiled in. */',
    '#include "aot/compiled.h"',
    ...ids.map((id) => `extern const CompiledModule ${id};`),
    `const CompiledModule *const compiled_modules[] = {${[...ids.map((id) => `&${id}`), 'NULL'].join(', ')}};`,
    '',
  ];
  update(join(directory, 'modules.c'), lines.join('\n'));
}

// The Wasm modules, how each is compiled, and what it may be.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import binaryen from 'assemblyscript/binaryen';
import { branchOnConditions } from './conditions.js';
import { foldAddresses, moveGlobals } from './globals.js';
import { moduleFaults } from './inspect.js';
import { parseWat, printWat } from './wat.js';

/**
 * @typedef {object} Module
 * @property {string} name file name in build/ without .wasm
 * @property {string} entry source of the app
 * @property {string[]} flags further compiler flags
 * @property {number} pages memory in pages of 64 KiB, all there is
 * @property {number} budget most bytes of .wasm
 * @property {number} inlined functions of at most so many nodes go where they are called: under wasm3 a call costs twenty times an operation, some 130 instructions
 * @property {number} joined the same of functions that are called from one place: it saves a board heap, but a large function is dear to enter
 * @property {number} [rare] variables that are used in fewer places lie in linear memory: it saves a board heap, and costs bytes of module and instructions
 */

/** Compiler flags that define `names`. @param {string[]} names */
function use(...names) {
  return names.flatMap((name) => ['--use', `${name}=1`]);
}

/** @type {Module[]} */
export const modules = [
  { name: 'sensor-mqtt', entry: 'assembly/apps/sensor.ts', flags: use('MQTT'), pages: 1, budget: 9000, inlined: 12, joined: 500 },
  {
    name: 'sensor-mqttsn',
    entry: 'assembly/apps/sensor.ts',
    flags: [...use('MQTTSN'), '--shrinkLevel', '2'],
    pages: 1,
    budget: 9000,
    inlined: 6,
    joined: 500,
  },
  {
    name: 'sensor',
    entry: 'assembly/apps/sensor.ts',
    flags: [...use('MQTT', 'MQTTSN'), '--shrinkLevel', '2'],
    pages: 1,
    budget: 16000,
    inlined: 10,
    joined: 700,
  },
  {
    name: 'sensor-mqtt-journal',
    entry: 'assembly/apps/sensor-journal.ts',
    flags: [...use('MQTT', 'JOURNAL'), '--shrinkLevel', '2'],
    pages: 1,
    budget: 13000,
    inlined: 12,
    joined: 800,
    rare: 3,
  },
  {
    name: 'sensor-mqttsn-journal',
    entry: 'assembly/apps/sensor-journal.ts',
    flags: [...use('MQTTSN', 'JOURNAL'), '--shrinkLevel', '2'],
    pages: 1,
    budget: 14000,
    inlined: 10,
    joined: 800,
    rare: 6,
  },
  {
    name: 'sensor-journal',
    entry: 'assembly/apps/sensor-journal.ts',
    flags: [...use('MQTT', 'MQTTSN', 'JOURNAL'), '--shrinkLevel', '2'],
    pages: 1,
    budget: 20000,
    inlined: 12,
    joined: 800,
    rare: 5,
  },
  {
    name: 'node-mqtt',
    entry: 'assembly/apps/sensor-journal.ts',
    flags: [...use('MQTT', 'JOURNAL', 'DRIVERS', 'UPDATE'), '--shrinkLevel', '2'],
    pages: 1,
    budget: 22000,
    inlined: 10,
    joined: 700,
    rare: 4,
  },
  {
    name: 'node-mqttsn',
    entry: 'assembly/apps/sensor-journal.ts',
    flags: [...use('MQTTSN', 'JOURNAL', 'DRIVERS', 'UPDATE'), '--shrinkLevel', '2'],
    pages: 1,
    budget: 22000,
    inlined: 10,
    joined: 700,
    rare: 6,
  },
  {
    name: 'node',
    entry: 'assembly/apps/sensor-journal.ts',
    flags: [...use('MQTT', 'MQTTSN', 'JOURNAL', 'DRIVERS', 'UPDATE'), '--shrinkLevel', '2'],
    pages: 1,
    budget: 28000,
    inlined: 12,
    joined: 700,
    rare: 5,
  },
  {
    name: 'client-mqtt',
    entry: 'assembly/apps/client.ts',
    flags: use('MQTT', 'CLIENT', 'DESK'),
    pages: 88,
    budget: 9000,
    inlined: 12,
    joined: 0,
  },
  {
    name: 'client-mqttsn',
    entry: 'assembly/apps/client-mqttsn.ts',
    flags: use('MQTTSN', 'CLIENT', 'DESK'),
    pages: 85,
    budget: 12000,
    inlined: 12,
    joined: 0,
  },
  {
    name: 'client-mqtt-journal',
    entry: 'assembly/apps/client-journal.ts',
    flags: use('MQTT', 'CLIENT', 'DESK', 'JOURNAL'),
    pages: 88,
    budget: 12000,
    inlined: 12,
    joined: 0,
  },
  {
    name: 'client-mqttsn-journal',
    entry: 'assembly/apps/client-mqttsn-journal.ts',
    flags: use('MQTTSN', 'CLIENT', 'DESK', 'JOURNAL'),
    pages: 85,
    budget: 15000,
    inlined: 12,
    joined: 0,
  },
];

/** Where static memory begins, in bytes: the compiler's own 1,024 are a sixth of a sensor's memory. Address 0 stays for "nowhere". */
const MEMORY_BASE = 16;

/** What the compiler uses of WebAssembly beyond its first version, and every engine here has. */
const features = ['MutableGlobals', 'SignExt', 'NontrappingFPToInt', 'BulkMemory', 'BulkMemoryOpt'];

/** Compiles `module` into build/ and checks what came out. @param {Module} module @param {string} root */
export async function compileModule(module, root) {
  const file = `${root}build/${module.name}.wasm`;
  mkdirSync(`${root}build`, { recursive: true });
  rmSync(file, { force: true }); // so that nothing runs or flashes one that is refused
  const { bytes, text } = await compile(module, root);
  const faults = moduleFaults(bytes, text, module.budget);
  if (faults.length > 0) throw new Error(`${module.name}.wasm is refused:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  writeFileSync(file, bytes);
  writeFileSync(`${root}build/${module.name}.wat`, text);
}

/**
 * Where else than in files the sources come from, and who hears what is wrong in them.
 * @typedef {object} Sources
 * @property {(name: string) => string | null} readFile the text of a source by its path from the root, or null
 * @property {(diagnostic: import('assemblyscript/asc').DiagnosticMessage) => void} reportDiagnostic
 */

/** The sources do not compile; the message has what the compiler says. */
export class CompileError extends Error {}

/** Compiles `module`: its bytes, and the same as text. @param {Module} module @param {string} root @param {Partial<Sources>} [sources] */
export async function compile(module, root, sources = {}) {
  const pages = String(module.pages);
  /** @type {Uint8Array | string | undefined} */
  let compiled;
  const result = await asc.main(
    [
      module.entry,
      ...['--config', 'asconfig.json', '--baseDir', root, '--outFile', 'compiled.wasm'],
      ...['--initialMemory', pages, '--maximumMemory', pages, '--memoryBase', String(MEMORY_BASE)],
      ...module.flags,
    ],
    {
      ...sources,
      writeFile: (_, contents) => {
        compiled = contents;
      },
    },
  );
  if (result.error || !(compiled instanceof Uint8Array)) throw new CompileError(`${module.entry} does not compile:\n${result.stderr}`);
  return optimized(compiled, module);
}

/** The same module, shaped for an interpreter with little memory, and as text. @param {Uint8Array} compiled @param {Module} options */
function optimized(compiled, { inlined, joined, rare = 0 }) {
  const module = withFeatures(binaryen.readBinary(compiled));
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(2);
  binaryen.setAlwaysInlineMaxSize(inlined);
  binaryen.setFlexibleInlineMaxSize(0);
  binaryen.setOneCallerInlineMaxSize(joined);
  module.runPasses(['inlining-optimizing']);
  module.optimize();
  module.optimize(); // what the first leaves behind is worth a second look: it makes the module smaller
  const branched = rewritten(module, branchOnConditions);
  branched.runPasses(['remove-unused-brs', 'merge-blocks', 'vacuum', 'optimize-instructions']);
  const shaped = rewritten(branched, (tree) => {
    moveGlobals(tree, rare);
    foldAddresses(tree);
  });
  return { bytes: shaped.emitBinary(), text: shaped.emitText() };
}

/** @param {binaryen.Module} module @param {(tree: import('./wat.js').Node[]) => void} rewrite */
function rewritten(module, rewrite) {
  const tree = parseWat(module.emitText());
  rewrite(tree);
  const result = withFeatures(binaryen.parseText(printWat(tree)));
  if (!result.validate()) throw new Error('what was rewritten is no module any more');
  return result;
}

/** @param {binaryen.Module} module */
function withFeatures(module) {
  module.setFeatures(features.reduce((set, name) => set | Number(/** @type {Record<string, unknown>} */ (binaryen.Features)[name]), 0));
  return module;
}

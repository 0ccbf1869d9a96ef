import { pathToFileURL } from 'node:url';
import binaryen from 'assemblyscript/binaryen';
import { type Imports, Module } from '../../host/module.js';
import { compile, root } from '../core/compile.js';

// A node module as it is compiled without optimization, in which every branch of assembly/drivers notes which way it went: a condition of an `if`,
// of a `br_if` or of a `select`, so also each part of && and ||.

type Node = string | Node[];

/** Where the notes are: two bytes a branch, behind the module's own page. */
const NOTES = 65_536;
const PAGES = '2';

/** A condition in the code, by the function it is in and its number there. */
export interface Branch {
  where: string;
  number: number;
}

function instrument(tree: Node[]): Branch[] {
  const branches: Branch[] = [];
  const noted = (where: string, condition: Node): Node => {
    const number = branches.filter((branch) => branch.where === where).length + 1;
    branches.push({ where, number });
    return ['call', '$note', ['i32.const', String(NOTES + 2 * (branches.length - 1))], condition];
  };
  const walk = (node: Node, where: string): void => {
    if (!Array.isArray(node)) return;
    const kind = node[0];
    const at = kind === 'if' ? node.findIndex((part) => Array.isArray(part) && part[0] === 'then') - 1 : node.length - 1;
    for (const part of node) walk(part, where);
    if (kind === 'if' || kind === 'br_if' || kind === 'select') node[at] = noted(where, node[at] as Node);
  };
  for (const node of tree) {
    const name = Array.isArray(node) && node[0] === 'func' ? String(node[1]) : '';
    if (name.startsWith('$assembly/drivers/')) walk(node, name.slice('$assembly/drivers/'.length));
  }
  const flag = ['i32.ne', ['local.get', '$c'], ['i32.const', '0']];
  tree.push([
    ...['func', '$note', ['param', '$at', 'i32'], ['param', '$c', 'i32'], ['result', 'i32']],
    ['i32.store8', ['i32.add', ['local.get', '$at'], flag], ['i32.const', '1']],
    ['local.get', '$c'],
  ]);
  return branches;
}

const { parseWat, printWat } = (await import(pathToFileURL(`${root}compiler/wat.js`).href)) as {
  parseWat(text: string): Node[];
  printWat(node: Node): string;
};
const uses = ['MQTT', 'JOURNAL', 'DRIVERS'].flatMap((name) => ['--use', `${name}=1`]);

async function instrumented(sources: Readonly<Record<string, string>>) {
  const flags = ['--optimizeLevel', '0', '--shrinkLevel', '0', '--debug', '--initialMemory', PAGES, '--maximumMemory', PAGES];
  const { bytes } = await compile('assembly/apps/sensor-journal.ts', [...uses, ...flags], sources);
  const read = binaryen.readBinary(bytes); // the compiler's own text is not nested
  const tree = parseWat(read.emitText());
  read.dispose();
  const branches = instrument(tree);
  const parsed = binaryen.parseText(printWat(tree));
  const module = new WebAssembly.Module(new Uint8Array(parsed.emitBinary()));
  parsed.dispose();
  return { branches, module };
}

/** As a board has it, and with a sensor of one's own, which says what thermometers 0 and 1 of the board say: when it is ready, and what it measured. */
const own = `
import { temperature } from '../board';
export function begin(_now: i32): i32 { return temperature(0); }
export function finish(): i32 { return temperature(1); }`;
const built = await instrumented({});
const withOwn = await instrumented({ 'assembly/drivers/own.ts': own });

const nameOf = ({ where, number }: Branch) => `${where}: condition ${number}`;
export const branches = new Set([...built.branches, ...withOwn.branches].map(nameOf));
const instances: CoveredModule[] = [];

/** Notes its branches; all instances count. */
export class CoveredModule extends Module {
  readonly #branches: Branch[];

  constructor(imports: Imports, hasOwn = false) {
    const { module, branches } = hasOwn ? withOwn : built;
    super(module, imports);
    this.#branches = branches;
    instances.push(this);
  }

  /** The ways it went. */
  *gone(): Generator<string> {
    for (const [index, branch] of this.#branches.entries())
      for (const way of [0, 1]) if (this.memory[NOTES + 2 * index + way] === 1) yield `${nameOf(branch)} was never ${way === 1}`;
  }
}

/** The ways that no instance went. */
export function missed(): string[] {
  const gone = new Set(instances.flatMap((instance) => [...instance.gone()]));
  return [...branches].flatMap((name) => [`${name} was never false`, `${name} was never true`]).filter((way) => !gone.has(way));
}

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

const { parseWat, printWat } = (await import(pathToFileURL(`${root}scripts/wat.js`).href)) as {
  parseWat(text: string): Node[];
  printWat(node: Node): string;
};
const uses = ['MQTT', 'JOURNAL', 'DRIVERS'].flatMap((name) => ['--use', `${name}=1`]);
const { text } = await compile('assembly/apps/sensor-journal.ts', [
  ...uses,
  ...['--optimizeLevel', '0', '--shrinkLevel', '0', '--debug'],
  ...['--initialMemory', PAGES, '--maximumMemory', PAGES],
]);
const tree = parseWat(text);
export const branches = instrument(tree);
const parsed = binaryen.parseText(printWat(tree));
const compiled = new WebAssembly.Module(new Uint8Array(parsed.emitBinary()));
parsed.dispose();

const instances: CoveredModule[] = [];

/** Notes its branches; all instances count. */
export class CoveredModule extends Module {
  constructor(imports: Imports) {
    super(compiled, imports);
    instances.push(this);
  }

  went(branch: number, way: 0 | 1): boolean {
    return this.memory[NOTES + 2 * branch + way] === 1;
  }
}

/** The ways that no instance went. */
export function missed(): string[] {
  return branches.flatMap(({ where, number }, index) =>
    ([0, 1] as const)
      .filter((way) => !instances.some((instance) => instance.went(index, way)))
      .map((way) => `${where}: condition ${number} was never ${way ? 'true' : 'false'}`),
  );
}

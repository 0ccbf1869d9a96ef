import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A project cannot be built or run. The message is a sentence: what, where, what to do. */
export class ProjectFault extends Error {}

/** What a project's board speaks to its broker or gateway; `both` takes either, by the address. */
export const protocols = ['mqtt', 'mqtt-sn', 'both'] as const;
export type ProjectProtocol = (typeof protocols)[number];

/** A folder with a sensor of one's own: `index.ts`, `package.json` and, where settings matter, `twobyte.config.json`. */
export interface Project {
  /** Absolute path of the folder. */
  directory: string;
  /** Its package's name without a scope: what its module is called. */
  name: string;
  protocol: ProjectProtocol;
}

export const SENSOR_FILE = 'index.ts';
export const CONFIG_FILE = 'twobyte.config.json';

/** Reads what a project in `folder` says of itself. Throws a ProjectFault where that is no project. */
export function readProject(folder: string): Project {
  const directory = resolve(folder);
  const name = nameOf(directory);
  const { broker } = jsonOf(join(directory, CONFIG_FILE)) ?? {};
  const url = typeof broker === 'object' && broker !== null && 'url' in broker ? String(broker.url) : '';
  return { directory, name, protocol: /^\s*mqtt-sn\b/i.test(url) ? 'mqtt-sn' : 'mqtt' };
}

/** The file that `twobyte build` makes. */
export function moduleFile({ directory, name }: Project): string {
  return join(directory, 'build', `${name}.wasm`);
}

function nameOf(directory: string): string {
  const file = join(directory, 'package.json');
  const { name } = jsonOf(file) ?? {};
  if (name === undefined)
    throw new ProjectFault(`${file} is missing or has no name: go to a project's folder, or make one with 'twobyte create my-node'`);
  const plain = String(name).replace(/^@[^/]+\//, '');
  if (!/^[\w.-]+$/.test(plain)) throw new ProjectFault(`${file}: the name '${name}' cannot be a file's; use letters, digits, - and _`);
  return plain;
}

/** What a JSON file holds, undefined where there is none. */
function jsonOf(file: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ProjectFault(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return Object(JSON.parse(text));
  } catch (error) {
    throw new ProjectFault(`${file} is no JSON: ${(error as Error).message}`);
  }
}

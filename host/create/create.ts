import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BoardDescription, boardNames, readBoard } from '../config/index.js';

// Makes a project: the files of host/create/template with the project's own words in place of {{…}}.

/** The root of this package; this file runs as build/js/host/create/create.js. */
const packageRoot = fileURLToPath(new URL('../../../../', import.meta.url));
const template = join(packageRoot, 'host', 'create', 'template');

/** The project cannot be made, and nothing was. The message is a sentence: what, where, what to do. */
export class CreateFault extends Error {}

export interface NewProject {
  /** Where it is to be: its last part is its name. */
  folder: string;
  /** Of boards/. */
  board: string;
}

export interface Created {
  name: string;
  directory: string;
  /** The board's full name. */
  boardTitle: string;
  /** The files, by their paths in the folder. */
  files: string[];
}

/** Makes the folder with all files. Throws a CreateFault. */
export function createProject({ folder, board }: NewProject): Created {
  const directory = resolve(folder);
  const name = nameOf(directory);
  const { title, chip } = boardOf(board);
  requireEmpty(directory);
  const words: Record<string, string> = {
    name,
    board,
    boardTitle: title,
    // A board on the desk needs no network: its line leads to `twobyte bridge`.
    broker: chip.gpio.length === 0 ? 'mqtt://127.0.0.1' : 'mqtt+line://bridge',
    topic: 'garden/soil/moisture',
    twobyte: ownSource(directory),
    ...developmentTools(),
  };
  const paths = readdirSync(template, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [relative(template, join(entry.parentPath, entry.name))] : [],
  );
  const files = paths.sort().map((path) => {
    const text = readFileSync(join(template, path), 'utf8').replace(/\{\{([\w@/]+)\}\}/g, (_, word: string) => {
      const value = words[word];
      if (value === undefined) throw new Error(`${path}: nobody knows {{${word}}}`);
      return value;
    });
    const file = path.replace(/\bgitignore$/, '.gitignore'); // npm packs no .gitignore
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
    return file;
  });
  return { name, directory, boardTitle: title, files };
}

function nameOf(directory: string): string {
  const name = basename(directory);
  if (!/^[a-z0-9][a-z0-9._-]{0,213}$/.test(name) || name === 'node_modules')
    throw new CreateFault(
      `'${name}' cannot be a package's name: use lower-case letters, digits, - . and _, beginning with a letter or digit, as in my-node`,
    );
  return name;
}

function boardOf(name: string): BoardDescription {
  const names = boardNames();
  if (!names.includes(name)) throw new CreateFault(`--board: '${name}' is not known; take one of ${names.join(', ')}`);
  return readBoard(name);
}

function requireEmpty(directory: string): void {
  let present: string[];
  try {
    present = readdirSync(directory);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code === 'ENOTDIR') throw new CreateFault(`${directory} is a file; choose another name, or remove it`);
    throw new CreateFault(`${directory} cannot be read: ${message}`);
  }
  if (present.length > 0) throw new CreateFault(`${directory} is not empty (it has ${present[0]}); choose another name, or empty it`);
}

/**
 * What the project's package.json says of this package: the version, when it came from a registry; else the tarball or the checkout that it came from,
 * which a registry may not have.
 */
function ownSource(directory: string): string {
  const { version } = packageJson();
  const home = dirname(packageRoot);
  if (basename(home) !== 'node_modules') return `file:${relative(directory, packageRoot)}`;
  try {
    const lock = JSON.parse(readFileSync(join(home, '.package-lock.json'), 'utf8')) as { packages?: Record<string, { resolved?: string }> };
    const resolved = lock.packages?.[`node_modules/${basename(packageRoot)}`]?.resolved;
    if (resolved?.startsWith('file:')) return `file:${relative(directory, resolve(dirname(home), resolved.slice('file:'.length)))}`;
  } catch {
    // another package manager keeps other files
  }
  return `^${version}`;
}

/** The versions with which this package was made. */
function developmentTools(): Record<string, string> {
  const { devDependencies } = packageJson();
  return Object.fromEntries(['typescript', '@types/node', 'assemblyscript'].map((name) => [name, devDependencies[name] ?? 'latest']));
}

function packageJson(): { version: string; devDependencies: Record<string, string> } {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
}

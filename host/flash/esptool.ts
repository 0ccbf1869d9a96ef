import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { FlashFault } from './image.js';

const run = promisify(execFile);

/** How esptool is started. */
export interface Esptool {
  command: string;
  /** Before its own. */
  args: string[];
  version: string;
}

const LEAST = 5;
const INSTALL = "pip install 'esptool>=5' (Debian: pipx install esptool)";

/** What may start esptool, in the order in which it is tried. */
const ways: readonly [command: string, args: string[]][] = [
  ['esptool', []],
  ['esptool.py', []],
  ['python3', ['-m', 'esptool']],
  ['python', ['-m', 'esptool']],
];

/** Finds esptool; throws a FlashFault when there is none, or only one that is too old. */
export async function findEsptool(): Promise<Esptool> {
  let old: string | undefined;
  for (const [command, args] of ways) {
    if (!isInPath(command)) continue;
    const version = await versionOf(command, args);
    if (version === undefined) continue;
    if (Number.parseInt(version, 10) >= LEAST) return { command, args, version };
    old ??= version;
  }
  if (old !== undefined) throw new FlashFault(`esptool ${old} is too old, version ${LEAST} is needed: ${INSTALL}`);
  throw new FlashFault(`esptool is not installed: ${INSTALL}, then try again`);
}

function isInPath(command: string): boolean {
  const names = process.platform === 'win32' ? [`${command}.exe`, `${command}.cmd`] : [command];
  return (process.env.PATH ?? '').split(delimiter).some((directory) =>
    names.some((name) => {
      try {
        accessSync(join(directory, name), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }),
  );
}

async function versionOf(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, [...args, 'version']);
    return /^(?:esptool(?:\.py)? v)?(\d+\.\S+)/m.exec(stdout)?.[1];
  } catch {
    return undefined; // it does not run: the next may
  }
}

/** For esptool's output to be the same everywhere: no colours, no lines broken, as it comes. */
export const plainOutput: Readonly<Record<string, string>> = {
  NO_COLOR: '1',
  TERM: 'dumb',
  COLUMNS: '500',
  PYTHONUNBUFFERED: '1',
  PYTHONIOENCODING: 'utf-8',
};

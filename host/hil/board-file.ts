import { readFile } from 'node:fs/promises';
import { boardPath } from '../config/index.js';
import type { BuiltRung } from './rungs.js';

/** What a board's file says that matters here. */
export interface BoardFile {
  chip: string;
  /** Of a board that needs no hardware. */
  rung?: BuiltRung;
}

const rungs: Readonly<Record<string, BuiltRung>> = { linux: 'posix', rv32: 'qemu-rv32' };

/** Reads a board's file, by its path or its name in boards/; throws a sentence. */
export async function boardFile(nameOrPath: string): Promise<BoardFile> {
  const path = boardPath(nameOrPath);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(
      `--board ${nameOrPath}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code}); give a board's file, or its name in boards/`,
    );
  }
  let chip: unknown;
  try {
    ({ chip } = JSON.parse(text) as { chip?: unknown });
  } catch (error) {
    throw new Error(`--board ${nameOrPath}: ${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof chip !== 'string') throw new Error(`--board ${nameOrPath}: ${path}: chip is missing; it names the board's chip, as "esp32c3"`);
  const rung = rungs[chip];
  return { chip, ...(rung && { rung }) };
}

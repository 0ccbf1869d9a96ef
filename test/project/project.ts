import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** A temporary folder, gone after the test, with these files. */
export async function folderWith(t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'twobyte-project-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

/** A compiler on a busy machine takes its time, in ms. */
const DEADLINE = 120_000;

/** This file runs as build/js/test/project/project.js. */
export const packageRoot = fileURLToPath(new URL('../../../../', import.meta.url));
const command = fileURLToPath(new URL('../../host/cli/twobyte.js', import.meta.url));

/** Runs twobyte to its end. */
export function twobyte(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return run(process.execPath, [command, ...args]);
}

/** Runs a program to its end, in `cwd`. Rejects when it does not end in time. */
export function run(program: string, args: readonly string[], cwd?: string): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    // A test runner within a test runner would run nothing.
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    execFile(
      program,
      args,
      { timeout: DEADLINE, killSignal: 'SIGKILL', env, ...(cwd !== undefined && { cwd }) },
      (error, stdout, stderr) => {
        if (!error) resolve({ status: 0, stdout, stderr });
        else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
        else reject(error);
      },
    );
  });
}

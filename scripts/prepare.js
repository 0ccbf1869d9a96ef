// What every command needs first: the packages of the lock file, the generated constants, the modules, and the host in JavaScript.

import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../', import.meta.url));

/** Tells people what is going on; stdout stays free for results. @param {string} text */
export function progress(text) {
  process.stderr.write(`· ${text}\n`);
}

/**
 * Runs a program; what it prints goes to stderr when it fails, or at once with `show`. Resolves with its stdout.
 * @param {string} command @param {string[]} args @param {{ show?: boolean }} [options]
 * @returns {Promise<string>}
 */
export function run(command, args, { show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', show ? 2 : 'pipe', show ? 2 : 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${[command, ...args].join(' ')} ended with status ${status}\n${output}${errors}`.trim()));
    });
  });
}

const lock = `${root}package-lock.json`;
const installedLock = `${root}node_modules/.twobyte-lock.json`;

/** Installs exactly what the lock file names, unless that was done. */
async function install() {
  if (existsSync(installedLock) && readFileSync(installedLock).equals(readFileSync(lock))) return;
  progress('installing packages (npm ci)');
  await run('npm', ['ci']);
  copyFileSync(lock, installedLock);
}

async function build() {
  const [{ writeContract }, { compileModule, modules }] = await Promise.all([import('./contract.js'), import('./modules.js')]);
  progress('compiling the modules and the host');
  writeContract();
  await Promise.all([
    ...modules.map((module) => compileModule(module, root)),
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.']),
  ]);
}

export async function prepare() {
  await install();
  await build();
}

/** Runs a command's main function; what it throws is told in words, and the status says so. @param {() => Promise<number | undefined>} main */
export async function command(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

// Python's package client brings two things that are pinned by version and hash: wasm3's sources and a recorded series of temperatures.

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @typedef {(line: string) => void} Report takes a line of progress for a person */

/** Python cannot do what is asked of it on this machine; the message says what to install. */
export class PythonMissing extends Error {}

/** The last lines a command printed. @param {unknown} error @returns {string} */
export function lastLines(error) {
  const { stdout = '', stderr = '', message = '' } = /** @type {{ stdout?: string, stderr?: string, message?: string }} */ (error);
  const lines = `${stdout}\n${stderr}`.trim() || message;
  return lines.split('\n').slice(-15).join('\n');
}

/** Whether `command` runs and ends well. @param {string} command @param {string[]} args */
export async function works(command, args) {
  try {
    await run(command, args);
    return true;
  } catch {
    return false;
  }
}

/**
 * The command that runs pip: the machine's own, or one in a virtual environment below build/.
 * @param {string} root @param {string} otherwise what to do without Python, a clause
 * @returns {Promise<string>} a python with pip
 */
export async function pythonWithPip(root, otherwise) {
  if (!(await works('python3', ['--version']))) {
    throw new PythonMissing(`python3 is missing: install it (Debian: apt-get install python3-pip), or ${otherwise}`);
  }
  if (await works('python3', ['-m', 'pip', '--version'])) return 'python3';
  const environment = join(root, 'build', 'python');
  const python = join(environment, 'bin', 'python3');
  if (await works(python, ['-m', 'pip', '--version'])) return python;
  if (await works('python3', ['-m', 'venv', environment])) return python;
  rmSync(environment, { recursive: true, force: true });
  throw new PythonMissing(`python3 has no pip: install it (Debian: apt-get install python3-pip), or ${otherwise}`);
}

/**
 * Downloads the one package of a requirements file, whose hash pip verifies, and answers the downloaded file's path.
 * @param {string} root the repository
 * @param {string} requirements path of the requirements file, from the root
 * @param {string} to directory that receives the file; emptied first
 * @param {string[]} formats pip's options: wheel or source distribution
 * @param {string} otherwise what the user can do when this fails, a clause
 */
export async function pipDownload(root, requirements, to, formats, otherwise) {
  const python = await pythonWithPip(root, otherwise);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const options = ['--disable-pip-version-check', '--no-deps', '--require-hashes', ...formats];
  try {
    await run(python, ['-m', 'pip', 'download', ...options, '-r', join(root, requirements), '-d', to], { maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`pip could not download ${requirements}:\n${lastLines(error)}\nTry again with a network, or ${otherwise}`);
  }
  const [file] = readdirSync(to);
  if (!file) throw new Error(`pip downloaded nothing for ${requirements}`);
  return join(to, file);
}

/** Unpacks a wheel. @param {string} wheel @param {string} to */
export async function unpackWheel(wheel, to) {
  await run('python3', ['-m', 'zipfile', '-e', wheel, to]);
}

/** Unpacks a source distribution without its top directory. @param {string} archive @param {string} to */
export async function unpackSource(archive, to) {
  mkdirSync(to, { recursive: true });
  await run('tar', ['-xzf', archive, '-C', to, '--strip-components=1']);
}

// esptool and a stand-in for a chip's boot loader, for the tests: pinned in firmware/esptool/requirements.txt, into build/esptool.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './prepare.js';
import { lastLines, PythonMissing, pythonWithPip } from './python.js';

const run = promisify(execFile);
const requirements = 'firmware/esptool/requirements.txt';
const directory = join(root, 'build', 'esptool');
// The stamp is written last and holds what was asked for: half an installation, or another version, is not taken for this one.
const stamp = join(directory, 'complete');

/**
 * Installs them unless they are there; without Python, says in a sentence what to install.
 * @param {import('./python.js').Report} report
 * @returns {Promise<{ directory: string } | { missing: string }>} directory: for PYTHONPATH
 */
export async function esptoolForTests(report) {
  const wanted = readFileSync(join(root, requirements), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { directory };
  let python;
  try {
    python = await pythonWithPip(root, 'go without the tests of flashing');
  } catch (error) {
    if (error instanceof PythonMissing) return { missing: error.message };
    throw error;
  }
  report('fetching esptool');
  const work = `${directory}-${process.pid}`;
  const options = ['--disable-pip-version-check', '--no-deps', '--require-hashes', '--no-compile', '--target', work];
  try {
    await run(python, ['-m', 'pip', 'install', ...options, '-r', join(root, requirements)], { maxBuffer: 1 << 26 });
    writeFileSync(join(work, 'complete'), wanted);
    rmSync(directory, { recursive: true, force: true });
    renameSync(work, directory);
  } catch (error) {
    throw new Error(`pip could not install ${requirements}:\n${lastLines(error)}\nTry again with a network.`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { directory };
}

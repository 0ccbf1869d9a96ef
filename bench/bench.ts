import { operationFigures, readingFigures } from './costs.js';
import { dayFigures } from './day.js';
import { encodeFigures } from './encode.js';
import { encoderFigure } from './encoder.js';
import { type Figure, kept, under } from './figure.js';
import { frameFigures } from './frames.js';
import { snFrameFigures } from './frames-sn.js';
import { gatewayFigures, tellsProcesses } from './gateway.js';
import { growthFigures } from './growth.js';
import { flashFigures, type Image, memoryFigures } from './memory.js';
import type { Bench, Peer } from './operations.js';
import { write } from './results.js';
import { sizeFigures } from './size.js';
import { print } from './table.js';
import { throughputFigures } from './throughput.js';

/** What a run needs of the machine, and tells. */
export interface Setting {
  modules: readonly { name: string; budget: number }[];
  /** The bench of operations, for each target and engine that this machine can build. */
  benches: readonly Bench[];
  peers: readonly Peer[];
  images: readonly Image[];
  /** Our encoder alone, compiled (encode_bench), or undefined without wasm2c or a C compiler. */
  encodeBench: string | undefined;
  /** Whether a program is there. */
  has(program: string): boolean;
  /** Of what has bounds and cannot be built here: sentences that say what to install. */
  missing: readonly string[];
  progress(text: string): void;
}

const NO_VALGRIND = 'Instructions on x86-64 need valgrind. On Debian: apt-get install valgrind.';

/**
 * All figures; what this machine cannot measure is left out, and said. With `counted`, only those that are the same in every run. False when a
 * count is over its bound; with `counted` also when one that has a bound was not measured.
 */
export async function bench(setting: Setting, { json, counted }: { json: boolean; counted: boolean }): Promise<boolean> {
  const { has, progress } = setting;
  const missing = has('valgrind') ? setting.missing : [...setting.missing, NO_VALGRIND];
  const bounded = missing.length === 0 && setting.benches.length === 4 && setting.encodeBench !== undefined;
  let whole = bounded && setting.peers.length === 2;
  const leaveOut = (what: string, want: string) => {
    whole = false;
    progress(`left out: ${what}, for want of ${want}`);
  };
  const sizes = sizeFigures(setting.modules);
  const figures = [
    ...under('Bytes of a module', sizes),
    ...under('Frames on the wire', [...frameFigures(), ...snFrameFigures()]),
    ...under('A day of readings', dayFigures()),
    ...(await countedFigures(setting, sizes)),
  ];
  if (!counted) {
    progress('encoding');
    figures.push(...under('Encoding in Node, timed', encodeFigures()));
    if (has('mosquitto')) figures.push(...under('Messages through one mosquitto, timed', await throughputFigures(progress)));
    else leaveOut('messages per second', 'mosquitto');
    if (has('mosquitto') && tellsProcesses) figures.push(...under('The gateway under load, timed', await gatewayFigures(progress)));
    else leaveOut('the gateway under load', 'mosquitto or /proc');
  }
  print(figures, json);
  if (!counted && whole) progress(`written: ${write(figures).join(', ')}`);
  else if (!counted) progress('not written: bench/results.json, which holds every figure or none');
  if (!bounded) progress(['left out, with their bounds:', ...new Set(missing)].join(' '));
  return passes(figures, { counted, bounded });
}

/** Whether a run is good that measured `figures`: `bounded` says that all that has a bound was. */
export function passes(figures: readonly Figure[], { counted, bounded }: { counted: boolean; bounded: boolean }): boolean {
  return kept(figures) && (bounded || !counted);
}

/** What the bench of operations counts. */
async function countedFigures(setting: Setting, sizes: readonly Figure[]): Promise<Figure[]> {
  const { peers, images, encodeBench, has, progress } = setting;
  const benches = setting.benches.filter(({ target }) => target !== 'x86-64' || has('valgrind'));
  if (benches.length === 0) return [];
  const natives = has('valgrind') ? peers : [];
  progress('instructions of operations');
  const operations = await operationFigures(benches, natives);
  progress('instructions of readings');
  const readings = await readingFigures(benches);
  progress('heap, stack, flash');
  const memory = [...(await memoryFigures(benches, natives)), ...(await flashFigures(images, sizes))];
  const encoder = encodeBench && has('valgrind') ? [await encoderFigure(encodeBench)] : [];
  progress('growth');
  return [
    ...readings,
    ...under('Instructions of encoding alone, x86-64', encoder),
    ...operations,
    ...memory,
    ...(await growthFigures(benches, natives)),
  ];
}

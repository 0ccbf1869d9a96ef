// Heap, stack and linear memory of a board that runs a module, and what of its flash the image takes.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { flashed, over, place } from './costs.js';
import { counted, type Figure, under } from './figure.js';
import { type Bench, type Counts, measure, type Peer, turn } from './operations.js';

const run = promisify(execFile);

const STACK_BOUND = 6 * 1024;
const AOT_HEAP_BOUND = 16 * 1024;
/** Readings of a run: without counting instructions x86-64 takes many in a second. */
const READINGS = { 'x86-64': 100_000, rv32: 1000 } as const;

/** Most heap a board may need under wasm3: pointers of 8 bytes take more. */
const heapBounds: Record<string, Record<Bench['target'], number>> = {
  'sensor-mqtt': { 'x86-64': 96 * 1024, rv32: 56 * 1024 },
  'sensor-mqttsn': { 'x86-64': 96 * 1024, rv32: 56 * 1024 },
  sensor: { 'x86-64': 144 * 1024, rv32: 88 * 1024 },
  'sensor-mqtt-journal': { 'x86-64': 112 * 1024, rv32: 56 * 1024 },
  'sensor-mqttsn-journal': { 'x86-64': 122 * 1024, rv32: 56 * 1024 },
  'sensor-journal': { 'x86-64': 178 * 1024, rv32: 88 * 1024 },
};

export const HEAP_TABLE = 'Heap, all in: engine, translated code, linear memory';

function heapBound({ target, engine }: Bench, module: string): number | null {
  if (engine === 'wasm3') return heapBounds[module]?.[target] ?? null;
  return target === 'rv32' ? AOT_HEAP_BOUND : null;
}

/** Of each sensor module on each target and engine; the peer's allocations from the native client. */
export async function memoryFigures(benches: readonly Bench[], peers: readonly Peer[]): Promise<Figure[]> {
  const peer = peers[0];
  const perPublish = peer && (await allocations(peer));
  const runs = await Promise.all(
    flashed.flatMap(([module, protocol]) =>
      benches.map(async (bench) => {
        const counts = await turn(() => measure(bench, { name: 'step', protocol, module }, READINGS[bench.target], false));
        return { bench, module, name: over(module, protocol), counts };
      }),
    ),
  );
  const table = (title: string, of: (run: (typeof runs)[number]) => Figure | undefined) =>
    under(
      title,
      runs.flatMap((run) => {
        const figure = of(run);
        return figure ? [{ ...figure, on: place(run.bench) }] : [];
      }),
    );
  const rv32 = (figure: (counts: Counts) => Figure) => (run: (typeof runs)[number]) =>
    run.bench.target === 'rv32' ? figure(run.counts) : undefined;
  return [
    ...table(HEAP_TABLE, ({ bench, module, name, counts }) => counted(name, counts.heap, 'bytes', heapBound(bench, module))),
    ...table(
      `Allocations after start, ${READINGS['x86-64'].toLocaleString('en')} publishes on x86-64, ${READINGS.rv32.toLocaleString('en')} on rv32`,
      (run) =>
        counted(
          run.name,
          run.counts.allocations,
          'allocations',
          0,
          peer ? `${peer.name}, for as many` : null,
          perPublish === undefined ? null : Math.round(perPublish * READINGS[run.bench.target]),
        ),
    ),
    ...table('Linear memory', (run) => rv32(({ memory }) => counted(run.name, memory, 'bytes', null))(run)),
    ...table('Stack, most that was in use', (run) => rv32(({ stack }) => counted(run.name, stack, 'bytes', STACK_BOUND))(run)),
  ];
}

/** Allocations of a native client for one more message. */
async function allocations(peer: Peer): Promise<number> {
  const [few, many] = [100, 300];
  const count = async (publishes: number) => {
    const command = ['--tool=memcheck', '--leak-check=no', peer.program, 'publish0', String(publishes)];
    const { stderr } = await turn(() => run('valgrind', command));
    const [, number] = /total heap usage: ([\d,]+) allocs/.exec(stderr) ?? [];
    if (!number) throw new Error(`valgrind counted no allocations:\n${stderr}`);
    return Number(number.replaceAll(',', ''));
  };
  const [first, second] = await Promise.all([count(few), count(many)]);
  return (second - first) / (many - few);
}

/** A part of the flash of an rv32 board: code and constants of `files` without those of `without`. */
export interface Image {
  name: string;
  on: string;
  files: readonly string[];
  without: readonly string[];
}

/** What a board's flash holds: a module, interpreted or compiled, and the rest of the image. */
export async function flashFigures(images: readonly Image[], sizes: readonly Figure[]): Promise<Figure[]> {
  const sensors = sizes.filter(({ name }) => name.startsWith('sensor'));
  const modules = sensors.map(({ name, value }) => ({ ...counted(name.replace('.wasm', ''), value, 'bytes', null), on: 'rv32 wasm3' }));
  const others = images.map(async ({ name, on, files, without }) => {
    const bytes = (await codeBytes(files)) - (await codeBytes(without));
    return { ...counted(name, bytes, 'bytes', null), on };
  });
  return under(
    'Flash of an rv32 board: module, and the rest of the image',
    images.length ? [...modules, ...(await Promise.all(others))] : [],
  );
}

/** Code, constants and initial values. */
async function codeBytes(files: readonly string[]): Promise<number> {
  if (files.length === 0) return 0;
  const { stdout } = await run('riscv64-unknown-elf-size', [...files]);
  const rows = stdout.trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/).map(Number))
    .reduce((sum, [text = Number.NaN, data = Number.NaN]) => sum + text + data, 0);
}

import { builtModule } from '../../host/module.js';
import { compile } from '../core/compile.js';
import { type Counts, type Outcome, type Runnable, runHistory } from './history.js';
import { type Extent, type Kind, type Plan, planOf, type Subject, subjectOf } from './plan.js';

const board = { outbox: 15, inbox: 31 };
const desk = { outbox: 4095, inbox: 32_767 };

/** How a client with a board's limits is compiled; `more` are sources in place of those in assembly/. */
export async function boardSized(subject: Subject, more: Readonly<Record<string, string>> = {}): Promise<WebAssembly.Module> {
  const sn = subject.endsWith('sn');
  const uses = [sn ? 'MQTTSN' : 'MQTT', 'JOURNAL', ...(subject.startsWith('client') ? ['CLIENT'] : [])].flatMap((name) => [
    '--use',
    `${name}=1`,
  ]);
  const entry = `assembly/apps/${{ 'client-mqtt': 'client', 'client-mqttsn': 'client-mqttsn', 'sensor-mqtt': 'sensor', 'sensor-mqttsn': 'sensor' }[subject]}-journal.ts`;
  const pages = subject.startsWith('client') ? '18' : '1';
  const memory = ['--initialMemory', pages, '--maximumMemory', pages, '--memoryBase', '16'];
  return new WebAssembly.Module((await compile(entry, [...uses, ...memory], more)).bytes);
}

const compiled = new Map<Subject, Promise<WebAssembly.Module>>();

/** The module of a subject: those of sensors and the Node client as they are built, clients with a board's limits compiled once. */
async function runnableOf({ subject, desk: isDesk }: { subject: Subject; desk: boolean }): Promise<Runnable> {
  if (isDesk || subject.startsWith('sensor')) return { subject, module: builtModule(`${subject}-journal`), places: isDesk ? desk : board };
  let module = compiled.get(subject);
  if (!module) {
    module = boardSized(subject);
    compiled.set(subject, module);
  }
  return { subject, module: await module, places: board };
}

const extents = new Map<string, Extent>();

/** Runs the history of a seed. `module` takes the place of what the seed would have. */
export async function replay(
  kind: Kind,
  seed: number,
  verbose = false,
  module?: WebAssembly.Module,
): Promise<Outcome & { plan: Plan; subject: Subject }> {
  const found = await runnableOf(subjectOf(kind, seed));
  const runnable = module ? { ...found, module, places: board } : found;
  const { subject } = runnable;
  const plan = planOf(kind, seed, (calm) => {
    const key = `${subject} ${runnable.places.inbox} ${calm.seed}`;
    let extent = module ? undefined : extents.get(key);
    if (!extent) {
      ({ extent } = runHistory(runnable, calm));
      if (!module) extents.set(key, extent);
    }
    return extent;
  });
  return { ...runHistory(runnable, plan, verbose), plan, subject };
}

export const command = (kind: Kind, seed: number) => `npm run campaign -- --kind ${kind} --seed ${seed}`;

export interface Total {
  counts: Counts;
  failures: { kind: Kind; seed: number; faults: readonly string[] }[];
}

/** Runs histories of a kind; stops at the tenth that fails. */
export async function campaign(kind: Kind, seeds: Iterable<number>): Promise<Total> {
  let counts: Counts | undefined;
  const failures: Total['failures'] = [];
  for (const seed of seeds) {
    const outcome = await replay(kind, seed);
    counts = counts ? added(counts, outcome.counts) : outcome.counts;
    if (outcome.faults.length > 0 && failures.push({ kind, seed, faults: outcome.faults }) === 10) break;
  }
  if (!counts) throw new RangeError('no seeds');
  return { counts, failures };
}

function added(a: Counts, b: Counts): Counts {
  return Object.fromEntries(Object.entries(a).map(([name, count]) => [name, count + b[name as keyof Counts]])) as unknown as Counts;
}

export function told({ histories, cuts, up, down, lost, duplicated, repeated, undone, excused, recordsLost, writes }: Counts): string {
  return (
    `${histories} histories, ${cuts} power cuts, ${up} messages out and ${down} in: ${lost} lost, ${duplicated} duplicated at QoS 2; ` +
    `${repeated} repeated at QoS 1, ${undone} undone by a cut before they were recorded, ${excused} excused, ${recordsLost} records told as lost, ${writes} writes`
  );
}

import { parseArgs } from 'node:util';
import { campaign, command, replay, told } from './campaign.js';
import { type Kind, kinds } from './plan.js';

const usage = `npm run campaign -- [--kind ${kinds.join('|')}] (--seed S | --seeds N [--from S])`;

/** Answers whether all held. */
export async function run(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      kind: { type: 'string' },
      seed: { type: 'string' },
      seeds: { type: 'string', default: '400' },
      from: { type: 'string', default: '0' },
    },
  });
  const chosen = kinds.filter((kind) => values.kind === undefined || kind === values.kind);
  const [seed, count, from] = [values.seed, values.seeds, values.from].map((text) => Number(text ?? 0)) as [number, number, number];
  if (chosen.length === 0 || ![seed, count, from].every((number) => Number.isSafeInteger(number) && number >= 0))
    throw new TypeError(usage);
  if (values.seed !== undefined) {
    const held = [];
    for (const kind of chosen) held.push(await one(kind, seed));
    return held.every(Boolean);
  }
  let held = true;
  for (const kind of chosen) {
    const { counts, failures } = await campaign(kind, range(from, count));
    process.stdout.write(`${kind}: ${told(counts)}\n`);
    for (const failure of failures) process.stdout.write(`  ${failure.faults[0]}\n  ${command(kind, failure.seed)}\n`);
    held &&= failures.length === 0;
  }
  return held;
}

async function one(kind: Kind, seed: number): Promise<boolean> {
  const { lines, faults, counts, subject, plan } = await replay(kind, seed, true);
  const { traffic: _, ...world } = plan;
  process.stdout.write(`${kind} ${seed}: ${subject} ${JSON.stringify(world)}\n${lines.join('\n')}\n${told(counts)}\n`);
  for (const fault of faults) process.stdout.write(`FAULT ${fault}\n`);
  process.stdout.write(faults.length === 0 ? 'all that is promised held\n' : `again: ${command(kind, seed)}\n`);
  return faults.length === 0;
}

export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

import { Command, Option } from 'commander';
import { whole } from '../../host/cli/usage.js';
import { campaign, command, replay, told } from './campaign.js';
import { type Kind, kinds } from './plan.js';

const words = `
Undone: an inbound message whose record the power cut came before; the application has lost that it heard it.
Excused: a message whose call the power cut did not let return, or whose record was told as lost; it may be missing.`;

/** Answers whether all held. */
export async function run(args: string[]): Promise<boolean> {
  const program = new Command('npm run campaign --')
    .description('Seeded histories full of faults, judged by a model of what is promised.')
    .addOption(new Option('--kind <kind>', 'only of this kind of fault').choices(kinds))
    .addOption(new Option('--seed <s>', 'replay this history, exactly, and print it').argParser(whole(0)).conflicts('seeds'))
    .addOption(new Option('--seeds <n>', 'so many histories of each kind (default: 400)').argParser(whole(1)))
    .addOption(new Option('--from <s>', 'the first of their seeds').argParser(whole(0)).default(0))
    .addHelpText('after', words)
    .parse(args, { from: 'user' });
  const values = program.opts<{ kind?: Kind; seed?: number; seeds?: number; from: number }>();
  const chosen = kinds.filter((kind) => values.kind === undefined || kind === values.kind);
  const { seed, from } = values;
  if (seed !== undefined) {
    const held = [];
    for (const kind of chosen) held.push(await one(kind, seed));
    return held.every(Boolean);
  }
  let held = true;
  for (const kind of chosen) {
    const { counts, failures } = await campaign(kind, range(from, values.seeds ?? 400));
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

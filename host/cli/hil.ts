import { access, constants, stat, writeFile } from 'node:fs/promises';
import { constants as system } from 'node:os';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Command, Option } from 'commander';
import { unwritable } from '../file-faults.js';
import { type Campaign, type CampaignOptions, campaign } from '../hil/campaign.js';
import type { Protocol } from '../hil/ground.js';
import { junit } from '../hil/junit.js';
import { scenariosOver } from '../hil/list.js';
import { listing, merged, summary, Table } from '../hil/report.js';
import { type BuiltRung, builtRungs } from '../hil/rungs.js';
import { tell } from '../hil/runner.js';
import { serialPort } from './serial-port.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith, repeated, UsageError, whole } from './usage.js';

interface Values {
  rung?: BuiltRung;
  board?: string;
  port?: string;
  protocol?: Protocol;
  only?: string[];
  list: boolean;
  junit?: string;
  broker?: string;
  jobs?: number;
}

const MOST_JOBS = 64;

const signals = ['SIGINT', 'SIGTERM'] as const;
/** Of the status of what a signal has ended: 128 and its number, as shells have it. */
const SIGNALLED = 128;

/** Nothing to tell scenarios to; people have been told why. */
const NOBODY = { grounds: undefined, close: async () => {} };

const help = `
One line for each scenario, the same on every rung; behind it who was skipped and why, and of each that failed what boards and brokers said.

Exit status: 0 all passed or were skipped · 1 one failed, bad usage, or no board · 130 or 143 ended by SIGINT or SIGTERM
`;

export function hilCommand(): Command {
  const command = discreet(new Command('hil'))
    .description('Tells scenarios to a board, on one of the rungs or behind a serial port, with a scripted broker.')
    .addOption(new Option('--rung <rung>', 'where the board is, if it is none of hardware').choices(builtRungs))
    .option('--board <file>', 'what board it is: a file as in boards/, or a name there')
    .option('--port <path>', 'the serial port at which a board is; PATH@BAUD for another rate than 115200')
    .addOption(new Option('--protocol <protocol>', 'over one of both').choices(['mqtt', 'mqtt-sn']))
    .option('--only <words>', 'scenarios with these words in their names; may be given again', repeated)
    .option('--list', 'print the scenarios, and which would be skipped and why', false)
    .option('--junit <file>', 'write the results as JUnit XML, too')
    .option('--broker <url>', 'a broker of your own in place of the embedded one: mqtt://host:1883; scenarios that stop theirs are skipped')
    .option('--jobs <n>', 'so many at a time (default: 4; one behind a port)', whole(1, MOST_JOBS))
    .addHelpText('after', help);
  return command.action((values: Values) => exitWith(command, () => hil(values)));
}

async function hil({ protocol, only = [], list, junit: file, jobs, port, ...place }: Values): Promise<number> {
  const protocols: Protocol[] = protocol === undefined ? ['mqtt', 'mqtt-sn'] : [protocol];
  const rows = merged(protocols, scenariosOver).filter(({ scenario: { what } }) =>
    only.every((words) => what.toLowerCase().includes(words.toLowerCase())),
  );
  if (rows.length === 0) throw new UsageError(`--only: no scenario has '${only.join("' and '")}' in its name; --list prints them`);
  const options: CampaignOptions = {
    ...place,
    ...(port !== undefined && { port: serialPort(port, '--port') }),
    progress: (text) => process.stderr.write(`twobyte hil: ${text}\n`),
  };
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const chosen = await chosenCampaign(options);
  if (list) {
    for (const line of listing(chosen.rung, protocols, rows)) print(line);
    return EXIT_OK;
  }
  if (file !== undefined) await requireWritable(file);
  const began = new Date();
  const start = performance.now();
  const { grounds, close } = await chosen.begin().catch((error: Error) => {
    process.stderr.write(`twobyte hil: ${error.message}\n`);
    return NOBODY;
  });
  if (!grounds) return EXIT_FAILURE;
  const abort = new AbortController();
  let status: number | undefined;
  const end = (signal: NodeJS.Signals) => {
    status = SIGNALLED + system.signals[signal];
    process.stderr.write('twobyte hil: interrupted; ending boards and brokers\n');
    abort.abort();
  };
  for (const signal of signals) process.once(signal, end); // a second one ends it at once
  try {
    const table = new Table(protocols, rows, print);
    const tasks = rows.flatMap(({ scenario, protocols: over }) => over.map((protocol) => ({ scenario, ground: grounds(protocol) })));
    const outcomes = await tell(tasks, Math.min(jobs ?? chosen.jobs, chosen.mostJobs), (outcome) => table.add(outcome), abort.signal);
    if (status !== undefined) return status;
    for (const line of summary(chosen.rung, outcomes, performance.now() - start)) print(line);
    if (file !== undefined) await writeFile(file, junit(chosen.rung, outcomes, began));
    return outcomes.some(({ status }) => status === 'failed') ? EXIT_FAILURE : EXIT_OK;
  } finally {
    for (const signal of signals) process.off(signal, end);
    await close();
  }
}

/** Before the first scenario: what cannot be written in the end is told now. */
async function requireWritable(file: string): Promise<void> {
  try {
    const there = await stat(file).catch(() => undefined);
    if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    await access(there ? file : dirname(file), constants.W_OK);
    if (!there && !(await stat(dirname(file))).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
  } catch (error) {
    throw new UsageError(`--junit: ${file} cannot be written: ${unwritable(error)}`);
  }
}

/** What cannot be used is told like bad usage. */
async function chosenCampaign(options: CampaignOptions): Promise<Campaign> {
  try {
    return await campaign(options);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

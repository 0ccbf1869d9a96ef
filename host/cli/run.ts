import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { CONFIG_FILE, moduleFile, ProjectFault, readProject } from '../build/project.js';
import { type Config, ConfigFault, readBoard, readConfig, settingsOf } from '../config/index.js';
import { redact } from '../links/address.js';
import { posixRung } from '../rungs/posix.js';
import type { BoardSettings, Rung } from '../rungs/rung.js';
import { startVirtual } from '../rungs/virtual.js';
import { endInTime } from './demonstration.js';
import { type Arrival, arrivalLine, startHome } from './home.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith, UsageError, whole } from './usage.js';

interface Values {
  readings?: number;
  broker?: string;
  posix?: string;
}

/** How long a board may take until it has ended, in ms. */
const STOP_DEADLINE = 6000;

const after = `
The node is that of the folder's twobyte.config.json with the module of 'twobyte build', but for its board: the sensors are simulated ones (an SHT3x at 44,
a BME280 at 76, two DS18B20, an NTC at analog channel 0), and there is no Wi-Fi. What it publishes goes to a broker in this process and is printed.

Exit status: 0 so many readings came, or ended by a signal · 1 bad usage, the project cannot be run, or the board ended by itself

Example: twobyte run my-node --readings 3
`;

export function runCommand(): Command {
  const command = discreet(new Command('run'))
    .description('Runs the module of a project here, with simulated sensors, and shows what it publishes.')
    .argument('[folder]', 'of the project', '.')
    .option('--readings <n>', 'end with status 0 after so many', whole(1))
    .option('--broker <url>', 'publish to this broker or gateway instead; then the board’s events are printed')
    .option('--posix <file>', 'run it under wasm3 on this posix board, build/posix/twobyte-posix of the repository (default: in V8, here)')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((folder: string, values: Values) =>
    exitWith(command, async () => {
      try {
        await run(folder, values);
        return EXIT_OK;
      } catch (error) {
        if (error instanceof UsageError) throw error;
        const faults = error instanceof ConfigFault ? error.faults : [(error as Error).message];
        for (const fault of faults) process.stderr.write(`twobyte run: ${fault}\n`);
        return EXIT_FAILURE;
      }
    }),
  );
}

async function run(folder: string, { readings = Number.POSITIVE_INFINITY, broker, posix }: Values): Promise<void> {
  const project = readProject(folder);
  const module = moduleFile(project);
  if (!existsSync(module)) throw new ProjectFault(`${relative('', module)} is missing: build it with 'twobyte build'`);
  if (posix !== undefined && !existsSync(posix))
    throw new UsageError(`--posix: there is no ${posix}; 'npm start' in the repository of twobyte builds build/posix/twobyte-posix`);
  const config = readConfig(join(project.directory, CONFIG_FILE), process.env);
  const settings = { ...simulated(config), module };
  const say = (text: string) => void process.stderr.write(`· ${text}\n`);
  const rung: Rung = posix === undefined ? startVirtual : posixRung(posix);

  let finish = () => {};
  let failed = (_: Error) => {};
  const over = new Promise<void>((resolve, reject) => {
    finish = resolve;
    failed = reject;
  });
  over.catch(() => {}); // it is awaited below
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, finish);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? finish() : failed(error)));

  const topics = new Set(config.sensors.flatMap((sensor) => sensor.readings.map(({ topic }) => topic)));
  let shown = 0;
  const show = (line: string, isReading: boolean) => {
    if (shown === readings) return;
    process.stdout.write(`${line}\n`);
    if (isReading && ++shown === readings) finish();
  };
  const home =
    broker === undefined ? await startHome((arrival: Arrival) => show(arrivalLine(arrival), topics.has(arrival.topic)), say) : undefined;
  const address = broker ?? (config.broker.protocol === 'MQTT' ? home?.broker.url : home?.gateway.url) ?? '';
  try {
    say(
      `${relative('', module)} on ${posix === undefined ? 'a virtual board' : posix}; ${home ? 'a broker in this process' : redact(address)}`,
    );
    const board = await rung(
      { ...settings, broker: address },
      {
        event({ event, at, a, b }) {
          if (!home) show(JSON.stringify({ event, at, a, b }), event === 'reading');
          else if (event === 'reading_failed') say(`reading ${b} failed: ${a}`);
        },
        says: say,
        failed,
      },
    );
    try {
      await over;
    } finally {
      await endInTime(board, STOP_DEADLINE);
    }
  } finally {
    await home?.close();
  }
}

/** The settings of the configuration on a board whose sensors are simulated; without a journal, so that each run begins anew. */
function simulated(config: Config): BoardSettings {
  const lines = settingsOf(config, readBoard('posix')).split('\n').filter(Boolean);
  const pairs = lines.map((line) => /^(\w+) = (?:"(.*)"|(.*))$/.exec(line) ?? []);
  const kept = pairs.map(([, key = '', quoted, plain = '']) => [key, quoted ?? plain] as const);
  const others = new Set([
    'broker',
    'username',
    'password',
    'journal',
    'modules',
    'public_key',
    'update_topic',
    'authority',
    'certificate',
    'key',
  ]);
  return Object.fromEntries(kept.filter(([key]) => !others.has(key)));
}

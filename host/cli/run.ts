import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { CONFIG_FILE, moduleFile, ProjectFault, readProject } from '../build/project.js';
import { type Config, ConfigFault, readBoard, readConfig, settingsOf } from '../config/index.js';
import { CONFIG_PROTOCOL } from '../contract.js';
import { isMqttSn, parseAddress, redact } from '../links/address.js';
import { posixRung } from '../rungs/posix.js';
import type { BoardEvent, BoardSettings, Rung } from '../rungs/rung.js';
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
a BME280 at 76, two DS18B20, an NTC at analog channel 0), and there is no Wi-Fi. What it publishes goes to a broker in this process and is printed. With
"updates" it takes what 'twobyte deploy' brings to that broker, until the run ends. Journal and certificates are left out: each run begins anew.

Exit status: 0 so many readings reached the broker, or ended by a signal · 1 bad usage, the project cannot be run, or the board ended by itself

Example: twobyte run my-node --readings 3
`;

export function runCommand(): Command {
  const command = discreet(new Command('run'))
    .description('Runs the module of a project here, with simulated sensors, and shows what it publishes.')
    .argument('[folder]', 'of the project', '.')
    .option('--readings <n>', 'end with status 0 when so many have reached the broker', whole(1))
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
  if (broker !== undefined) checkAddress(broker);
  const project = readProject(folder);
  const module = moduleFile(project);
  if (!existsSync(module)) throw new ProjectFault(`${relative('', module)} is missing: build it with 'twobyte build'`);
  if (posix !== undefined && !existsSync(posix))
    throw new UsageError(`--posix: there is no ${posix}; 'npm start' in the repository of twobyte builds build/posix/twobyte-posix`);
  const config = readConfig(join(project.directory, CONFIG_FILE), process.env);
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
  const published = new Published();
  let told = false;
  let speaksOther = false;
  const scratch = mkdtempSync(join(tmpdir(), 'twobyte-run-'));
  try {
    const settings = { ...simulated(config, join(scratch, 'modules')), ...destination(address, config), module };
    say(
      `${relative('', module)} on ${posix === undefined ? 'a virtual board' : posix}; ${home ? `a broker in this process, ${address}` : redact(address)}`,
    );
    if (config.broker.authority ?? config.broker.certificate) say('the certificates of the configuration are left out');
    const board = await rung(settings, {
      event(heard) {
        const { event, at, a, b } = heard;
        const isThere = published.hears(heard);
        speaksOther ||= event === 'config_refused' && b === CONFIG_PROTOCOL;
        if (LOST.has(event) && !told) say(`no connection to ${redact(address)}; the board tries again: is a broker there?`);
        told = !published.connected && (told || LOST.has(event));
        if (!home) show(JSON.stringify({ event, at, a, b }), isThere);
        else if (event === 'reading_failed') say(`reading ${b} failed: ${a}`);
      },
      says: say,
      failed,
    });
    try {
      await over;
    } finally {
      await endInTime(board, STOP_DEADLINE);
    }
  } catch (error) {
    if (!speaksOther) throw error;
    const [is, wants] = isMqttSn(address) ? ['MQTT', 'mqtt-sn'] : ['MQTT-SN', 'mqtt'];
    throw new ProjectFault(`this module speaks ${is}, and ${redact(address)} is of the other protocol: twobyte build --protocol ${wants}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    await home?.close();
  }
}

function checkAddress(broker: string): void {
  try {
    parseAddress(broker);
  } catch (error) {
    throw new UsageError(`--broker: ${(error as Error).message}`);
  }
}

/**
 * The settings of the configuration on a board whose sensors are simulated; without a journal, and with its deployed modules at `modules`, so that each run
 * begins anew. Certificates are no settings.
 */
function simulated(config: Config, modules: string): BoardSettings {
  const lines = settingsOf(config, readBoard('posix')).split('\n').filter(Boolean);
  const pairs = lines.map((line) => /^(\w+) = (?:"(.*)"|(.*))$/.exec(line) ?? []);
  const kept = pairs.map(([, key = '', quoted, plain = '']) => [key, quoted ?? plain] as const);
  const others = new Set(['broker', 'username', 'password', 'journal', 'modules']);
  const settings = Object.fromEntries(kept.filter(([key]) => !others.has(key)));
  return config.updates ? { ...settings, modules } : settings;
}

/** The address as a board takes it, and what logs in there: in the address itself, or in the configuration. */
function destination(broker: string, { broker: { username, password } }: Config): BoardSettings {
  if (isMqttSn(broker)) return { broker };
  const url = new URL(broker);
  const own = url.username !== '';
  const login = own ? { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } : { username, password };
  return {
    broker: own ? `${url.protocol}//${url.host}` : broker,
    ...(login.username !== undefined && { username: login.username }),
    ...(login.password !== undefined && login.password !== '' && { password: login.password }),
  };
}

/** Counts the readings of a board that reached its broker: acknowledged ones, and at QoS 0 those for which there was a connection. */
class Published {
  readonly #waiting = new Set<number>();
  #connected = false;

  /** Whether by this event another reading is there. */
  hears({ event, a, b }: BoardEvent): boolean {
    if (event === 'connected') this.#connected = true;
    if (LOST.has(event)) this.#connected = false;
    if (event === 'reading' && b !== 0) this.#waiting.add(b);
    return event === 'reading' ? b === 0 && this.#connected : event === 'published' && this.#waiting.delete(a);
  }

  get connected(): boolean {
    return this.#connected;
  }
}

/** Events by which a board has no connection. */
const LOST: ReadonlySet<string> = new Set(['link_closed', 'timeout', 'protocol_error']);

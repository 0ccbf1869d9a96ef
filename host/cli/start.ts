import { Command, Option } from 'commander';
import { isMqttSn, redact } from '../links/address.js';
import { posixRung } from '../rungs/posix.js';
import { qemuRung } from '../rungs/qemu.js';
import type { Engine, Rung } from '../rungs/rung.js';
import { startVirtual } from '../rungs/virtual.js';
import { secretsHelp } from './connection.js';
import { demonstrate } from './demonstration.js';
import type { Protocol } from './readings.js';
import { discreet, repeated, whole } from './usage.js';

/** What the demonstration needs made first; each may throw with words for people. */
export interface Preparation {
  /** Builds the posix board over this engine; answers its executable, or why this machine cannot and what to install. */
  posixBoard(engine: Engine): Promise<{ executable: string } | { missing: string }>;
  /** Builds the images of the emulated board; answers their directory, or what to install. */
  emulatedBoard(engine: Engine): Promise<{ directory: string } | { missing: string }>;
  /** Fetches a recorded series of temperatures; answers the CSV file. */
  recording(): Promise<string>;
  /** Tells people what is going on. */
  progress(text: string): void;
}

const rungs = ['posix', 'qemu-rv32', 'virtual'] as const;

interface Options {
  readings?: number;
  rung?: (typeof rungs)[number];
  engine?: Engine;
  json: boolean;
  broker?: string;
  thermometer?: string;
  topic?: string[];
  interval: number;
}

const rooms: Readonly<Record<Protocol, string>> = { MQTT: 'myhome/底楼/客厅/温度', 'MQTT-SN': 'myhome/底楼/厨房/温度' };

/**
 * `npm start`: two boards take temperatures and publish them, one over MQTT and one over MQTT-SN, and each reading is printed as it arrives at the
 * broker. Resolves with the exit status.
 */
export async function start(argv: readonly string[], preparation: Preparation): Promise<number> {
  const command = discreet(new Command('npm start --'))
    .description(
      'Two boards publish temperatures to a broker, one over MQTT and one over MQTT-SN through a gateway; each reading is printed as it arrives.',
    )
    .option('--readings <n>', 'end with status 0 after so many readings, half of them from each board', whole(1))
    .addOption(
      new Option(
        '--rung <rung>',
        'posix: the C shell in a process of its own (default); qemu-rv32: the same C on an emulated 32-bit chip; virtual: V8, here',
      ).choices(rungs),
    )
    .addOption(
      new Option('--engine <engine>', 'of posix and qemu-rv32: wasm3 interprets the module (default); aot: it is compiled in').choices([
        'wasm3',
        'aot',
      ]),
    )
    .option('--json', 'a line of JSON a reading', false)
    .option('--broker <url>', 'an MQTT broker instead of the embedded one, e.g. mqtt://127.0.0.1:1883')
    .option('--thermometer <name>', 'thermal, hwmon, replay:FILE or simulated:SEED (default: replay of a recorded series)')
    .option(
      '--topic <topic>',
      `topic of the readings over MQTT, and given again, of those over MQTT-SN; given once, those are below it at /mqtt-sn (default: ${rooms.MQTT} and ${rooms['MQTT-SN']})`,
      repeated,
    )
    .option('--interval <ms>', 'time between readings of a board', whole(100), 1000)
    .addHelpText('after', secretsHelp('--broker'))
    .parse(argv, { from: 'user' });
  const options = command.opts<Options>();
  const topics = topicsOf(options.topic);
  const { broker, readings, json, interval } = options;
  if (broker !== undefined && isMqttSn(broker))
    throw new Error(
      `--broker: ${redact(broker)} is a gateway's address. The demonstration has its own, and needs a broker, as mqtt://127.0.0.1:1883.`,
    );
  const rung = await chooseRung(options, preparation);
  const thermometer = options.thermometer ?? (await defaultThermometer(preparation));
  await demonstrate({
    rung,
    engine: options.engine ?? 'wasm3',
    thermometer,
    topics,
    interval,
    json,
    ...(broker !== undefined && { broker: withCredentials(broker) }),
    ...(readings !== undefined && { readings }),
    progress: preparation.progress,
  });
  return 0;
}

/** The address with the user name and the password of the environment, where it has none itself; it stays in this process. */
function withCredentials(broker: string): string {
  const { TWOBYTE_USERNAME: username = '', TWOBYTE_PASSWORD: password = '' } = process.env;
  const url = new URL(broker);
  url.username ||= encodeURIComponent(username);
  url.password ||= encodeURIComponent(password);
  return url.href;
}

function topicsOf(given: readonly string[] | undefined): Record<Protocol, string> {
  if (given === undefined) return rooms;
  const [mqtt = '', sn = `${mqtt}/mqtt-sn`, ...more] = given;
  if (more.length > 0) throw new Error('--topic: there are two boards; give it once or twice');
  if (mqtt === sn) throw new Error(`--topic: '${mqtt}' stands there twice; the readings of two boards need two topics`);
  return { MQTT: mqtt, 'MQTT-SN': sn };
}

async function chooseRung({ rung, engine }: Options, { posixBoard, emulatedBoard, progress }: Preparation): Promise<Rung> {
  if (rung === 'virtual') {
    if (engine !== undefined)
      throw new Error(`--engine ${engine}: on the virtual rung the module runs in V8; take --rung posix or qemu-rv32`);
    return startVirtual;
  }
  if (rung === 'qemu-rv32') {
    const images = await emulatedBoard(engine ?? 'wasm3');
    if ('missing' in images) throw new Error(images.missing);
    return qemuRung(images.directory, engine);
  }
  const board = await posixBoard(engine ?? 'wasm3');
  if ('executable' in board) return posixRung(board.executable);
  if (rung === 'posix' || engine !== undefined) throw new Error(board.missing);
  progress(`${board.missing} Until then the module runs in V8 (--rung virtual).`);
  return startVirtual;
}

async function defaultThermometer({ recording, progress }: Preparation): Promise<string> {
  try {
    return `replay:${await recording()}`;
  } catch (error) {
    progress(`${(error as Error).message}\n  A simulated thermometer takes the place of the recorded one.`);
    return 'simulated:1';
  }
}

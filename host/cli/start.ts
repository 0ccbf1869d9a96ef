import { setTimeout as after } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { startBroker } from '../broker.js';
import { type Client, connectAsync } from '../client.js';
import { redact } from '../links/address.js';
import { posixRung } from '../rungs/posix.js';
import type { BoardEvent, BoardSettings, Rung } from '../rungs/rung.js';
import { startVirtual } from '../rungs/virtual.js';
import { whole } from './usage.js';

/** What the demonstration needs made first; each may throw with words for people. */
export interface Preparation {
  /** Builds the posix board; answers its executable, or why this machine cannot and what to install. */
  posixBoard(): Promise<{ executable: string } | { missing: string }>;
  /** Fetches a recorded series of temperatures; answers the CSV file. */
  recording(): Promise<string>;
  /** Tells people what is going on. */
  progress(text: string): void;
}

interface Options {
  readings?: number;
  rung?: 'posix' | 'virtual';
  json: boolean;
  broker?: string;
  thermometer?: string;
  topic: string;
  interval: number;
}

/** How long a board may take until it is connected, in ms. */
const CONNECT_DEADLINE = 15_000;

/** `npm start`: a board takes temperatures and publishes them to a broker, and each reading is printed as it arrives. Resolves with the exit status. */
export async function start(argv: readonly string[], preparation: Preparation): Promise<number> {
  const command = new Command('npm start --')
    .description('A board publishes temperatures to a broker; each reading is printed as it arrives.')
    .option('--readings <n>', 'end with status 0 after so many readings', whole(1))
    .addOption(
      new Option('--rung <rung>', 'posix: wasm3 in a process of its own (default); virtual: V8, here').choices(['posix', 'virtual']),
    )
    .option('--json', 'a line of JSON a reading', false)
    .option('--broker <url>', 'an MQTT broker instead of the embedded one, e.g. mqtt://127.0.0.1:1883')
    .option('--thermometer <name>', 'thermal, hwmon, replay:FILE or simulated:SEED (default: replay of a recorded series)')
    .option('--topic <topic>', 'topic of the readings', 'myhome/底楼/客厅/温度')
    .option('--interval <ms>', 'time between readings', whole(100), 1000)
    .parse(argv, { from: 'user' });
  const options = command.opts<Options>();
  const rung = await chooseRung(options.rung, preparation);
  const thermometer = options.thermometer ?? (await defaultThermometer(preparation));
  return demonstrate(rung, thermometer, options, preparation.progress);
}

async function chooseRung(wanted: Options['rung'], { posixBoard, progress }: Preparation): Promise<Rung> {
  if (wanted === 'virtual') return startVirtual;
  const board = await posixBoard();
  if ('executable' in board) return posixRung(board.executable);
  if (wanted === 'posix') throw new Error(board.missing);
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

async function demonstrate(startRung: Rung, thermometer: string, options: Options, progress: Preparation['progress']): Promise<number> {
  const embedded = options.broker ? undefined : await startBroker();
  const broker = options.broker ?? embedded?.url ?? '';
  try {
    progress(`${embedded ? 'embedded broker' : 'broker'} at ${redact(broker)}`);
    const subscriber = await connectAsync(broker).catch((error: Error) => {
      throw new Error(`broker ${redact(broker)}: ${error.message}`);
    });
    subscriber.on('error', (error) => progress(error.message));
    try {
      await watch(subscriber, startRung, { ...brokerSettings(broker), thermometer, ...boardSettings(options) }, options, progress);
    } finally {
      await subscriber.endAsync();
    }
  } finally {
    await embedded?.close();
  }
  return 0;
}

/** Runs a board and prints each of its readings that reaches the subscriber, until there are enough or a signal comes. */
async function watch(
  subscriber: Client,
  startRung: Rung,
  settings: BoardSettings,
  options: Options,
  progress: Preparation['progress'],
): Promise<void> {
  let failed: (error: Error) => void = () => {};
  let finish = () => {};
  const over = new Promise<void>((resolve, reject) => {
    finish = resolve;
    failed = reject;
  });
  over.catch(() => {}); // it is awaited below, when everything is set up
  const print = printer(options, finish);
  subscriber.on('message', (topic, payload, { qos, retain }) => {
    if (topic === options.topic && !retain) print.arrived({ topic, payload: String(payload), qos, at: wallClock() });
  });
  await subscriber.subscribeAsync(options.topic, { qos: 1 });

  const waiting = new AbortController();
  const board = await startRung(settings, {
    event(event) {
      if (event.event === 'connected') waiting.abort();
      if (event.event === 'reading') print.taken(event);
      if (event.event === 'started' && event.heap)
        progress(`the board runs with ${event.heap} bytes of heap, wasm3 and the module in them`);
    },
    says: (line) => progress(line),
    failed,
  });
  void after(CONNECT_DEADLINE, undefined, { signal: waiting.signal }).then(
    () => failed(new Error(`the board did not reach ${redact(String(settings.broker))} within ${CONNECT_DEADLINE / 1000} s`)),
    () => {},
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, finish);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? finish() : failed(error)));
  try {
    await over;
  } finally {
    waiting.abort();
    await board.stop();
  }
}

function boardSettings({ topic, interval }: Options): BoardSettings {
  return {
    client_id: `twobyte-${process.pid}`,
    topic,
    qos: 1,
    retain: 1,
    interval,
    availability_topic: `${topic}/availability`,
    command_topic: `${topic}/set`,
  };
}

/** A board takes the credentials apart from the address. */
function brokerSettings(broker: string): BoardSettings {
  const url = new URL(broker);
  const [username, password] = [url.username, url.password].map(decodeURIComponent);
  url.username = url.password = '';
  return { broker: url.href, ...(username && { username }), ...(password && { password }) };
}

function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

interface Arrival {
  topic: string;
  payload: string;
  qos: number;
  at: number;
}

/** Readings that may wait for their message while a broker is away; the board's outbox holds fewer. */
const MANY_READINGS = 64;

/** A reading's event and its message come by different ways; in this many ms both are there. */
const PAIRING = 2000;

/** Thousandths as the sensor writes them: one decimal, half away from zero. */
function textOf(thousandths: number): string {
  const tenths = Math.floor((Math.abs(thousandths) + 50) / 100);
  return `${thousandths < 0 && tenths > 0 ? '-' : ''}${Math.floor(tenths / 10)}.${tenths % 10}`;
}

/** Prints each arrival with the reading of the board that it carries; a message of somebody else is not printed. */
function printer({ readings = Number.POSITIVE_INFINITY, json }: Options, finish: () => void) {
  let taken: BoardEvent[] = [];
  let arrived: Arrival[] = [];
  let printed = 0;
  const print = () => {
    const since = wallClock() - PAIRING;
    arrived = arrived.filter((arrival) => {
      const index = taken.findIndex(({ a }) => textOf(a) === arrival.payload);
      if (index < 0) return arrival.at > since;
      const [reading] = taken.splice(0, index + 1).slice(-1);
      if (reading && printed < readings) show(arrival, Math.max(arrival.at - reading.at, 0));
      return false;
    });
    taken = taken.slice(-MANY_READINGS);
  };
  const show = ({ topic, payload, qos, at }: Arrival, latency: number) => {
    if (json) console.log(JSON.stringify({ topic, payload, qos, latency: Number(latency.toFixed(3)), at: new Date(at).toISOString() }));
    else console.log(`${topic}  ${payload} °C  QoS ${qos}  ${latency.toFixed(1)} ms`);
    if (++printed === readings) finish();
  };
  return {
    taken(event: BoardEvent) {
      taken.push(event);
      print();
    },
    arrived(arrival: Arrival) {
      arrived.push(arrival);
      print();
    },
  };
}

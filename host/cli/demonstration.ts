import { setTimeout as after } from 'node:timers/promises';
import { startBroker } from '../broker.js';
import { type Client, connectAsync } from '../client.js';
import { startGateway } from '../gateway/embedded.js';
import { redact } from '../links/address.js';
import type { BoardSettings, Engine, Rung, RunningBoard } from '../rungs/rung.js';
import { Printer, type Protocol, wallClock } from './readings.js';

export interface Demonstration {
  rung: Rung;
  /** What runs the module there; a rung with none counts no memory. */
  engine: Engine;
  thermometer: string;
  /** The topic of each board's readings. */
  topics: Readonly<Record<Protocol, string>>;
  /** Between two readings of a board in ms. */
  interval: number;
  /** An MQTT broker; without one, one is embedded. */
  broker?: string;
  /** So many lines, then it is over; without it, at a signal. */
  readings?: number;
  json: boolean;
  /** Tells people what is going on. */
  progress(text: string): void;
}

/** How long a board may take until it is connected, and until it has ended, in ms. */
const CONNECT_DEADLINE = 15_000;
const STOP_DEADLINE = 6000;

/** What a board counts as its memory. */
const memoryOf: Readonly<Record<Engine, string>> = {
  wasm3: 'heap, wasm3 and the module in them',
  aot: 'static memory, the module compiled',
};

/** A board and what it connects to. */
interface Station {
  protocol: Protocol;
  topic: string;
  settings: BoardSettings;
}

/** A board over MQTT, and one over MQTT-SN through a gateway of its own, publish to the same broker; each reading is printed as it arrives there. */
export async function demonstrate(demonstration: Demonstration): Promise<void> {
  const { progress } = demonstration;
  const embedded = demonstration.broker === undefined ? await startBroker() : undefined;
  const broker = demonstration.broker ?? embedded?.url ?? '';
  try {
    progress(`${embedded ? 'embedded broker' : 'broker'} at ${redact(broker)}`);
    const subscriber = await connectAsync(broker).catch((error: Error) => {
      throw new Error(`broker ${redact(broker)}: ${error.message}`);
    });
    subscriber.on('error', (error) => progress(error.message));
    try {
      const gateway = await startGateway(broker, { say: (text) => progress(`gateway: ${text}`) });
      progress(`embedded MQTT-SN gateway at ${gateway.url}`);
      try {
        await watch(subscriber, stations(demonstration, broker, gateway.url), demonstration);
      } finally {
        await gateway.close();
      }
    } finally {
      await subscriber.endAsync();
    }
  } finally {
    await embedded?.close();
  }
}

function stations({ topics, interval, thermometer }: Demonstration, broker: string, gateway: string): Station[] {
  const station = (protocol: Protocol, name: string, address: BoardSettings): Station => {
    const topic = topics[protocol];
    const settings = {
      ...address,
      thermometer,
      client_id: `${name}-${process.pid}`,
      topic,
      qos: 1,
      retain: 1,
      interval,
      availability_topic: `${topic}/availability`,
      command_topic: `${topic}/set`,
    };
    return { protocol, topic, settings };
  };
  return [station('MQTT', 'twobyte', brokerSettings(broker)), station('MQTT-SN', 'twobyte-sn', { broker: gateway })];
}

/** A board takes the credentials apart from the address. */
function brokerSettings(broker: string): BoardSettings {
  const url = new URL(broker);
  const [username, password] = [url.username, url.password].map(decodeURIComponent);
  url.username = url.password = '';
  return { broker: url.href, ...(username && { username }), ...(password && { password }) };
}

/** Runs the boards and prints each of their readings that reaches the subscriber, until there are enough or a signal comes. */
async function watch(subscriber: Client, stations: readonly Station[], demonstration: Demonstration): Promise<void> {
  let failed: (error: Error) => void = () => {};
  let finish = () => {};
  const over = new Promise<void>((resolve, reject) => {
    finish = resolve;
    failed = reject;
  });
  over.catch(() => {}); // it is awaited below, when everything is set up
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, finish);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? finish() : failed(error)));

  const printer = new Printer(demonstration, finish);
  const ended = new AbortController();
  const boards: RunningBoard[] = [];
  try {
    for (const station of stations) boards.push(await startBoard(subscriber, station, printer, demonstration, failed, ended.signal));
    await over;
  } finally {
    ended.abort();
    await Promise.all(boards.map((board) => endInTime(board, STOP_DEADLINE)));
  }
}

async function startBoard(
  subscriber: Client,
  { protocol, topic, settings }: Station,
  printer: Printer,
  { rung, engine, progress }: Demonstration,
  failed: (error: Error) => void,
  ended: AbortSignal,
): Promise<RunningBoard> {
  const readings = printer.of(protocol);
  subscriber.on('message', (name, payload, { qos, retain }) => {
    if (name === topic && !retain) readings.arrived({ topic, payload: String(payload), qos, at: wallClock() });
  });
  await subscriber.subscribeAsync(topic, { qos: 1 });
  const connected = new AbortController();
  const named = (error: Error) => new Error(`${protocol}: ${error.message}`);
  const board = await rung(settings, {
    event(event) {
      if (event.event === 'connected') connected.abort();
      if (event.event === 'reading') readings.taken(event);
      if (event.event === 'started' && event.heap) progress(`${protocol}: the board runs with ${event.heap} bytes of ${memoryOf[engine]}`);
    },
    says: (line) => progress(`${protocol}: ${line}`),
    failed: (error) => failed(named(error)),
  }).catch((error: Error) => {
    throw named(error);
  });
  const late = `the board did not reach ${redact(String(settings.broker))} within ${CONNECT_DEADLINE / 1000} s`;
  void after(CONNECT_DEADLINE, undefined, { signal: AbortSignal.any([connected.signal, ended]) }).then(
    () => failed(named(new Error(late))),
    () => {},
  );
  return board;
}

/** In order, or by force when its peer does not take the farewell or the board does not answer. */
export async function endInTime(board: RunningBoard, deadline: number): Promise<void> {
  const over = new AbortController();
  const late = after(deadline, false, { signal: over.signal }).catch(() => false);
  const stopped = board.stop().then(
    () => true,
    () => false,
  );
  const inOrder = await Promise.race([stopped, late]);
  over.abort();
  if (!inOrder) await board.kill();
}

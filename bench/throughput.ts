import { connectAsync as connectPeer } from 'mqtt';
import { connectAsync } from '../host/client.js';
import type { QoS } from '../host/options.js';
import { type Figure, median, ratio, timed } from './figure.js';
import { unlimitedMosquitto } from './mosquitto.js';

const topic = 'myhome/底楼/客厅/温度';
const payload = 'sixteen bytes ok';

/** A way to publish, and how often it is measured. */
interface Load {
  name: string;
  messages: number;
  rounds: number;
  /** Publishes without their callback yet; where a subscriber listens, also messages it has not received yet. */
  window: number;
  subscriber: boolean;
  /** The least ratio to MQTT.js, by QoS; null where it is for information. */
  bounds: readonly (number | null)[];
}

const loads: readonly Load[] = [
  { name: 'into mosquitto, 1,000 at a time', messages: 100_000, rounds: 5, window: 1000, subscriber: false, bounds: [2, 1.5, 1.5] },
  { name: 'into mosquitto, all at once', messages: 30_000, rounds: 3, window: 30_000, subscriber: false, bounds: [2, 1.5, 1.5] },
  { name: 'through mosquitto to a subscriber', messages: 50_000, rounds: 3, window: 1000, subscriber: true, bounds: [null, null, null] },
];

/** What the two clients have in common. */
interface Client {
  publish(topic: string, payload: string, options: { qos: QoS }, done: (error?: Error) => void): unknown;
  subscribeAsync(topic: string, options: { qos: QoS }): Promise<unknown>;
  on(event: 'message', listener: () => void): unknown;
  endAsync(): Promise<unknown>;
}

/** Messages a second, and microseconds of this process's CPU a message. */
interface Run {
  rate: number;
  cpu: number;
}

/** A publisher and a subscriber of one library. */
class Pair {
  #received = 0;
  #wake = () => {};

  constructor(
    private readonly publisher: Client,
    private readonly subscriber: Client,
  ) {
    subscriber.on('message', () => {
      this.#received++;
      this.#wake();
    });
  }

  subscribe(filter: string, qos: QoS): Promise<unknown> {
    return this.subscriber.subscribeAsync(filter, { qos });
  }

  /** Runs `load` until its last message was acknowledged to the publisher and, where there is one, received by the subscriber. */
  async run(to: string, qos: QoS, { messages, window, subscriber }: Load): Promise<Run> {
    const start = performance.now();
    const cpu = process.cpuUsage();
    this.#received = 0;
    await new Promise<void>((resolve, reject) => {
      let sent = 0;
      let done = 0;
      const pump = () => {
        while (sent < messages && sent - done < window && (!subscriber || sent - this.#received < window)) {
          sent++;
          this.publisher.publish(to, payload, { qos }, acknowledged);
        }
        if (done === messages && (!subscriber || this.#received === messages)) resolve();
      };
      const acknowledged = (error?: Error) => {
        if (error) reject(error);
        done++;
        pump();
      };
      this.#wake = pump;
      pump();
    });
    this.#wake = () => {};
    // At QoS 0 nothing is acknowledged; the broker has read all of them when it acknowledges this one.
    if (qos === 0 && !subscriber) await new Promise((resolve) => this.publisher.publish('end', '', { qos: 1 }, resolve));
    const { user, system } = process.cpuUsage(cpu);
    return { rate: messages / ((performance.now() - start) / 1000), cpu: (user + system) / messages };
  }

  async end(): Promise<void> {
    await this.publisher.endAsync();
    await this.subscriber.endAsync();
  }
}

/** Each load at each QoS on both libraries, alternating: the medians, and the median of the rounds' ratios. */
export async function throughputFigures(progress: (text: string) => void): Promise<Figure[]> {
  await using broker = await unlimitedMosquitto();
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const ours = () => connectAsync(url, { maxInflight: 65_535 });
  // MQTT.js types the callbacks otherwise; these calls of it are the same.
  const peers = () => connectPeer(url) as unknown as Promise<Client>;
  const figures: Figure[] = [];
  for (const load of loads) {
    for (const qos of [0, 1, 2] as const) {
      progress(`messages ${load.name}, QoS ${qos}`);
      const pairs = [new Pair(await ours(), await ours()), new Pair(await peers(), await peers())] as const;
      figures.push(...(await compare(pairs, load, qos)));
      for (const pair of pairs) await pair.end();
    }
  }
  return figures;
}

async function compare(pairs: readonly [Pair, Pair], load: Load, qos: QoS): Promise<Figure[]> {
  const [ours, peers] = pairs;
  if (load.subscriber) await Promise.all([ours.subscribe(`${topic}/ours`, qos), peers.subscribe(`${topic}/peers`, qos)]);
  const rounds: { ours: Run; peer: Run }[] = [];
  for (let round = 0; round < load.rounds; round++) {
    rounds.push({ ours: await ours.run(`${topic}/ours`, qos, load), peer: await peers.run(`${topic}/peers`, qos, load) });
  }
  const middle = (value: (round: { ours: Run; peer: Run }) => number) => median(rounds.map(value));
  const name = `messages ${load.name}, QoS ${qos}`;
  const our = { rate: middle((round) => round.ours.rate), cpu: middle((round) => round.ours.cpu) };
  const peer = { rate: middle((round) => round.peer.rate), cpu: middle((round) => round.peer.cpu) };
  return [
    ratio(
      `${name}, speed`,
      middle((round) => round.ours.rate / round.peer.rate),
      load.bounds[qos] ?? null,
      'MQTT.js',
      1,
    ),
    timed(name, our.rate, '/s', 'MQTT.js', peer.rate),
    timed(`${name}, CPU of the client a message`, our.cpu, 'µs', 'MQTT.js', peer.cpu),
  ];
}

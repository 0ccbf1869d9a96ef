import { connectAsync as connectPeer } from 'mqtt';
import { connectAsync } from '../host/client.js';
import type { QoS } from '../host/options.js';
import { startMosquitto } from '../test/mosquitto.js';
import { type Figure, median, ratio, timed } from './figure.js';

const ROUNDS = 5;
const MESSAGES = 100_000;
/** Publishes without their callback yet, and messages published and not yet received. */
const WINDOW = 1000;
const topic = 'myhome/底楼/客厅/温度';
const payload = 'sixteen bytes ok';
/** How many times MQTT.js's messages per second, by QoS. */
const bounds = [2, 1.5, 1.5];

/** What the two clients have in common. */
interface Client {
  publish(topic: string, payload: string, options: { qos: QoS }, done: (error?: Error) => void): unknown;
  subscribeAsync(topic: string, options: { qos: QoS }): Promise<unknown>;
  on(event: 'message', listener: () => void): unknown;
  endAsync(): Promise<unknown>;
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

  static async connect(connect: (url: string) => Promise<Client>, url: string): Promise<Pair> {
    return new Pair(await connect(url), await connect(url));
  }

  subscribe(topic: string, qos: QoS): Promise<unknown> {
    return this.subscriber.subscribeAsync(topic, { qos });
  }

  /** Messages per second until the last was acknowledged to the publisher and, where `awaited`, received by the subscriber. */
  async rate(topic: string, qos: QoS, awaited: boolean): Promise<number> {
    const start = performance.now();
    this.#received = 0;
    await new Promise<void>((resolve, reject) => {
      let sent = 0;
      let done = 0;
      const pump = () => {
        while (sent < MESSAGES && sent - done < WINDOW && (!awaited || sent - this.#received < WINDOW)) {
          sent++;
          this.publisher.publish(topic, payload, { qos }, acknowledged);
        }
        if (done === MESSAGES && (!awaited || this.#received === MESSAGES)) resolve();
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
    if (qos === 0 && !awaited) await new Promise((resolve) => this.publisher.publish('end', '', { qos: 1 }, resolve));
    return MESSAGES / ((performance.now() - start) / 1000);
  }

  async end(): Promise<void> {
    await this.publisher.endAsync();
    await this.subscriber.endAsync();
  }
}

/** Messages per second into one mosquitto and through it to a subscriber, at each QoS, over MQTT.js: alternating, the median of the rounds' ratios. */
export async function throughputFigures(progress: (text: string) => void): Promise<Figure[]> {
  await using broker = await startMosquitto([
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'log_type none',
    'log_type information',
    'log_type error',
  ]);
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const ours = await Pair.connect((address) => connectAsync(address, { maxInflight: WINDOW }), url);
  const peers = await Pair.connect((address) => connectPeer(address) as unknown as Promise<Client>, url);
  const figures: Figure[] = [];
  for (const qos of [0, 1, 2] as const) {
    for (const awaited of [false, true]) {
      const what = awaited ? `through mosquitto to a subscriber, QoS ${qos}` : `into mosquitto, QoS ${qos}`;
      progress(`messages ${what}`);
      const [ourTopic, peerTopic] = [`${topic}/${qos}/ours`, `${topic}/${qos}/peers`];
      if (awaited) await Promise.all([ours.subscribe(ourTopic, qos), peers.subscribe(peerTopic, qos)]);
      const rates: { ours: number; peer: number }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        rates.push({ ours: await ours.rate(ourTopic, qos, awaited), peer: await peers.rate(peerTopic, qos, awaited) });
      }
      const rate = median(rates.map((pair) => pair.ours));
      const peerRate = median(rates.map((pair) => pair.peer));
      figures.push(
        timed(`messages ${what}`, rate, '/s', 'MQTT.js', peerRate),
        ratio(`messages ${what}, speed`, median(rates.map(({ ours, peer }) => ours / peer)), bounds[qos] ?? null, 'MQTT.js', 1),
      );
    }
  }
  await ours.end();
  await peers.end();
  return figures;
}

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { startGateway } from '../../host/gateway/embedded.js';
import { connection } from '../../host/hil/ground.js';
import { DAY } from '../../host/hil/scenario.js';
import type { Message } from '../../host/index.js';
import { posixRung } from '../../host/rungs/posix.js';
import type { BoardEvent, BoardSettings } from '../../host/rungs/rung.js';
import { type Connected, connected, event, Heard, ownTopic, within } from '../interop/peers.js';
import { sequence } from '../links/noise.js';
import { freePort, type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { posixBoard, powerCut, skipUnbuilt } from '../rungs/world.js';

// The real board, the real broker, one journal: cut again and again at calls that a seed chooses, and the broker killed. What a reading was told as
// has to arrive at a subscriber, at QoS 1 at least once and at QoS 2 once.

const SEED = Number(process.env.TWOBYTE_SEED ?? 1);
const CUTS = 30;
/** Calls of a board among which the cut is. */
const CALLS = 48;

type Protocol = 'mqtt' | 'mqtt-sn';

describe('the posix board with a journal', {
  skip: skipMosquitto || skipUnbuilt(posixBoard) || skipUnbuilt(powerCut),
  timeout: 180_000,
  concurrency: 4,
}, () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-campaign-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** One board, started again and again. */
  class Life {
    /** Readings that were told, in tenths of a degree: each start has a hundred of its own. */
    readonly told = new Set<number>();
    readonly topic = ownTopic();
    #starts = 0;
    readonly #name = this.topic.replace(/\W/g, '').slice(-23);

    constructor(
      readonly t: TestContext,
      readonly broker: string,
      readonly qos: number,
    ) {}

    async starts(cut: Readonly<Record<string, string | number>> = {}, settings: BoardSettings = {}) {
      const start = this.#starts++;
      const replay = join(directory, `${this.#name}-${start}.csv`);
      const rows = Array.from({ length: 100 }, (_, n) => `2026-01-01T00:00:00Z,${(start * 100 + n) / 10}`);
      await writeFile(replay, `time,celsius\n${rows.join('\n')}\n`);
      const environment = Object.fromEntries(
        Object.entries({ LD_PRELOAD: powerCut, ...cut }).map(([name, value]) => [name, String(value)]),
      );
      const events = new Heard<BoardEvent>();
      const end: { resolve(words: string): void } = { resolve: () => {} };
      const ended = new Promise<string>((resolve) => {
        end.resolve = resolve;
      });
      const board = await posixRung(posixBoard, environment)(
        {
          broker: this.broker,
          thermometer: `replay:${replay}`,
          topic: this.topic,
          client_id: this.#name,
          journal: join(directory, `${this.#name}.journal`),
          qos: this.qos,
          interval: 100,
          clean_session: 0,
          reconnect_min: 10,
          reconnect_max: 100,
          ...settings,
        },
        {
          event: (event) => {
            if (event.event === 'reading' || event.event === 'reading_buffered') this.told.add(event.a / 100);
            events.add(event);
          },
          says: () => {},
          failed: ({ message }) => end.resolve(message),
        },
      );
      this.t.after(() => board.kill());
      return { board, events, ended, first: start * 100 };
    }

    /** A last start, whose first reading comes behind all others. Answers how often each that was told was heard. */
    async ends(heard: () => readonly Message[], subscriber: Connected) {
      const { board, first } = await this.starts({}, { interval: DAY });
      await subscriber.messages.until((all) => all.some(({ payload }) => readingOf(payload) === first), 'the last reading', 30_000);
      await board.stop();
      const copies = new Map<number, number>();
      for (const { payload } of heard()) copies.set(readingOf(payload), (copies.get(readingOf(payload)) ?? 0) + 1);
      return {
        lost: [...this.told].filter((reading) => !copies.has(reading)),
        twice: [...copies].filter(([, count]) => count > 1).map(([reading]) => reading),
        order: [...copies.keys()],
      };
    }
  }

  for (const protocol of ['mqtt', 'mqtt-sn'] as const)
    for (const qos of [1, 2] as const)
      test(`${CUTS} power cuts over ${protocol} at QoS ${qos}, seed ${SEED}`, async (t) => {
        await using broker = await startMosquitto();
        const url = `mqtt://127.0.0.1:${broker.port}`;
        const life = new Life(t, await addressOf(t, protocol, url), qos);
        const subscriber = await connected(t, url);
        await subscriber.client.subscribeAsync(life.topic, { qos });
        const random = sequence(SEED * 8 + qos * 2 + (protocol === 'mqtt' ? 0 : 1));
        for (let cut = 0; cut < CUTS; cut++) {
          const { ended } = await life.starts({
            POWER_CUT_AT: 1 + (random() % CALLS),
            ...(random() % 2 === 0 && { POWER_CUT_AFTER: 1 }),
            ...(random() % 3 === 0 && { POWER_CUT_TEAR: random() % 40 }),
            ...(random() % 2 === 0 && { POWER_CUT_LOSE: 1 }),
          });
          assert.match(await within(ended, `cut ${cut}`, 20_000), /SIGKILL/);
        }
        const { lost, twice, order } = await life.ends(() => subscriber.messages.all, subscriber);
        t.diagnostic(
          `${CUTS} cuts, ${life.told.size} readings told, ${order.length} heard, ${twice.length} more than once, ${lost.length} lost`,
        );
        assert.deepEqual(lost, []);
        if (qos === 2) assert.deepEqual(twice, []);
        assert.deepEqual(order, [...order].sort(ascending), 'the order of their making');
      });

  for (const persistent of [true, false])
    test(`a broker that is killed ${persistent ? 'and keeps' : 'with'} its state${persistent ? '' : ' gone'}, and the board behind it`, async (t) => {
      const port = await freePort();
      const url = `mqtt://127.0.0.1:${port}`;
      const life = new Life(t, url, 2);
      const heard: Message[] = [];
      const store = persistent
        ? ['persistence true', `persistence_location ${directory}/`, 'autosave_on_changes true', 'autosave_interval 1']
        : [];
      const opened = async () => {
        const broker = await startMosquitto(store, port);
        t.after(() => broker.stop('SIGKILL'));
        const subscriber = await connected(t, url, { clientId: 'hears', clean: !persistent });
        await subscriber.client.subscribeAsync(life.topic, { qos: 2 });
        return { broker, subscriber };
      };
      const closed = async ({ broker, subscriber }: { broker: Mosquitto; subscriber: Connected }) => {
        const ended = event(subscriber.client, 'end');
        await broker.stop('SIGKILL');
        await ended; // by then it has read all that the broker wrote
        heard.push(...subscriber.messages.all);
        await subscriber.client.endAsync(true);
      };
      const KILLS = 5;
      for (let kill = 0; kill < KILLS; kill++) {
        const here = await opened();
        const { board, events } = await life.starts({}, { interval: 300 });
        const published = (all: readonly BoardEvent[]) => all.filter(({ event }) => event === 'published').length;
        await events.until((all) => published(all) >= 3, 'three that arrived');
        // mosquitto acknowledges a message before it passes it on, and writes its state down later still: it dies between two readings.
        await here.subscriber.messages.until((all) => {
          const arrived = new Set([...heard, ...all].map(({ payload }) => readingOf(payload)));
          return [...life.told].every((reading) => arrived.has(reading));
        }, 'all that was told at the subscriber');
        await closed(here);
        const before = life.told.size;
        await events.until(() => life.told.size >= before + 3, 'three that wait');
        if (kill % 2 === 0) await board.kill();
        else await board.stop();
      }
      const last = await opened();
      const { lost, twice, order } = await life.ends(() => [...heard, ...last.subscriber.messages.all], last.subscriber);
      await closed(last);
      t.diagnostic(
        `${KILLS} kills, ${life.told.size} readings told, ${order.length} heard, ${twice.length} more than once, ${lost.length} lost`,
      );
      assert.deepEqual(lost, []);
      assert.ok(twice.length <= KILLS * 2, `${twice.length} came twice`);
    });
});

const ascending = (a: number, b: number) => a - b;

/** In tenths of a degree; behind the number may be the time of a reading that waited. */
function readingOf(payload: Uint8Array): number {
  return Math.round(Number.parseFloat(String(payload)) * 10);
}

async function addressOf(t: TestContext, protocol: Protocol, url: string): Promise<string> {
  if (protocol === 'mqtt') return url;
  const gateway = await startGateway(url, { connection });
  t.after(() => gateway.close());
  return gateway.url;
}

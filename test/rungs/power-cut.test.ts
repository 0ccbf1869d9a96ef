import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type EmbeddedGateway, startGateway } from '../../host/gateway/embedded.js';
import { DAY } from '../../host/hil/scenario.js';
import { posixRung } from '../../host/rungs/posix.js';
import type { BoardEvent, BoardSettings } from '../../host/rungs/rung.js';
import { connected, Heard, ownTopic, within } from '../interop/peers.js';
import { type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { posixBoard, powerCut, skipUnbuilt } from './world.js';

// The posix board ends by itself at the call that firmware/test/power_cut.c is told, and a second one takes up its journal.

type Cut = Readonly<Record<string, string | number>>;

const ways: readonly [what: string, cut: Cut][] = [
  ['before', {}],
  ['after', { POWER_CUT_AFTER: 1 }],
  ['in the middle of', { POWER_CUT_TEAR: 30 }],
  ['before, losing what is not synchronised,', { POWER_CUT_LOSE: 1 }],
  ['after, losing what is not synchronised,', { POWER_CUT_AFTER: 1, POWER_CUT_LOSE: 1 }],
];

describe('a power cut of the posix board', {
  skip: skipMosquitto || skipUnbuilt(posixBoard) || skipUnbuilt(powerCut),
  timeout: 120_000,
  concurrency: 4,
}, () => {
  let broker: Mosquitto;
  let gateway: EmbeddedGateway;
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-power-cut-'));
    broker = await startMosquitto();
    gateway = await startGateway(`mqtt://127.0.0.1:${broker.port}`);
  });
  after(async () => {
    await gateway.close();
    await broker.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** A board that is cut; `events` fails when it ends. */
  async function board(t: TestContext, settings: BoardSettings, cut: Cut = {}) {
    const environment = Object.fromEntries(Object.entries({ LD_PRELOAD: powerCut, ...cut }).map(([name, value]) => [name, String(value)]));
    const events = new Heard<BoardEvent>();
    const end: { resolve(words: string): void } = { resolve: () => {} };
    const ended = new Promise<string>((resolve) => {
      end.resolve = resolve;
    });
    const running = await posixRung(posixBoard, environment)(
      {
        broker: `mqtt://127.0.0.1:${broker.port}`,
        thermometer: 'simulated:1',
        qos: 2,
        interval: 100,
        clean_session: 0,
        buffer: 0,
        ...settings,
      },
      { event: (event) => events.add(event), says: () => {}, failed: ({ message }) => end.resolve(message) },
    );
    t.after(() => running.kill());
    return { events, ended, running };
  }

  test('without a number it cuts nothing and logs the calls, none of them to standard output', async (t) => {
    const log = join(directory, 'log');
    const topic = ownTopic();
    const settings = { topic, client_id: 'power-cut-log', journal: join(directory, 'log.journal') };
    const { events, running } = await board(t, settings, { POWER_CUT_LOG: log });
    await events.until((all) => all.some(({ event }) => event === 'published'), 'a reading that arrived');
    await running.stop();
    const calls = (await readFile(log, 'utf8')).trimEnd().split('\n');
    assert.deepEqual(
      calls.map((line) => Number(line.split(' ')[0])),
      calls.map((_, index) => index + 1),
    );
    // The file is made, its header written and put in place; the first reading is noted; only then anything is sent.
    const named = calls.map((line) => line.split(' ').slice(1, 3).join(' '));
    const made = ['pwrite file', 'fsync file', 'rename directory', 'fsync directory'];
    assert.deepEqual(named.slice(0, 7), [...made, 'pwrite file', 'fdatasync file', 'send link']);
    for (const [index, call] of named.entries())
      if (index > 0 && call === 'pwrite file') assert.equal(named[index + 1], 'fdatasync file', `call ${index + 2}`);
  });

  const protocols = [
    ['MQTT', () => `mqtt://127.0.0.1:${broker.port}`],
    ['MQTT-SN', () => gateway.url],
  ] as const;
  for (const [protocol, address] of protocols)
    for (const [what, cut] of ways)
      test(`${what} each of the first calls over ${protocol}: no reading that was told is lost, none comes twice at QoS 2`, async (t) => {
        for (let at = 1; at <= 24; at++) {
          const topic = ownTopic();
          const settings = {
            broker: address(),
            topic,
            client_id: topic.replace(/\W/g, '').slice(-23),
            journal: join(directory, `${topic.replace(/\W/g, '')}.journal`),
          };
          const { client, messages } = await connected(t, `mqtt://127.0.0.1:${broker.port}`);
          await client.subscribeAsync(topic, { qos: 2 });
          const first = await board(t, settings, { POWER_CUT_AT: at, ...cut });
          assert.match(await within(first.ended, `the cut at call ${at}`), /SIGKILL/);
          const told = first.events.all.filter(({ event }) => event === 'reading').length;
          const again = await board(t, { ...settings, unit: ' last', interval: DAY });
          const isLast = ({ payload }: { payload: Uint8Array }) => String(payload).endsWith(' last');
          const heard = await messages.until((all) => all.some(isLast), `the last reading after the cut at call ${at}`);
          await again.events.until((all) => all.some(({ event }) => event === 'published'), 'its acknowledgement');
          await again.running.stop();
          await client.endAsync();
          const before = heard.filter((message) => !isLast(message)).map(({ payload }) => String(payload));
          // The reading whose event was not told any more may have been noted.
          assert.ok(before.length === told || before.length === told + 1, `call ${at}: ${before.length} of ${told} heard`);
        }
      });
});

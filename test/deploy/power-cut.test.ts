import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { deploy } from '../../host/deploy/deployment.js';
import { channelOver } from '../../host/deploy/over-mqtt.js';
import { posixRung } from '../../host/rungs/posix.js';
import { connected } from '../interop/peers.js';
import { posixBoard, powerCut, skipUnbuilt } from '../rungs/world.js';
import { Bench, Board, nodeModule, QuickBroker, skipUnverifying } from './world.js';

// While a module is deployed the posix board ends at a call that firmware/test/power_cut.c is told, and is started again: it runs a good module, and the
// deployment, which nobody started anew, ends in the new one. The four tests take turns at the calls, so that each call is cut in one of four ways.

const SHARE = 4;
/** The last calls of a deployment: what the new module does when it has begun. */
const TRAIL = 8;

type Cut = Readonly<Record<string, string | number>>;

const ways: readonly [what: string, cut: Cut][] = [
  ['before', {}],
  ['after', { POWER_CUT_AFTER: 1 }],
  ['in the middle of', { POWER_CUT_TEAR: 30 }],
  ['in the middle of the first byte of', { POWER_CUT_TEAR: 1 }],
];

describe('a power cut while a module is deployed', {
  skip: skipUnverifying(posixBoard) || skipUnbuilt(powerCut),
  timeout: 300_000,
  concurrency: SHARE,
}, () => {
  let broker: QuickBroker;
  /** Of a deployment that nothing cuts: each makes the same ones. */
  let counted: Promise<string[]> | undefined;
  before(async () => {
    broker = await QuickBroker.open();
  });
  after(() => broker.close());

  const rung = (cut: Cut) =>
    posixRung(
      posixBoard,
      Object.fromEntries(Object.entries({ LD_PRELOAD: powerCut, ...cut }).map(([name, value]) => [name, String(value)])),
    );

  /** The calls of a board that takes a module, and runs it, one a line. */
  async function calls(here: Bench): Promise<string[]> {
    const log = here.file('log');
    const board = await here.board(rung({ POWER_CUT_LOG: log }), { modules: here.file('counted') });
    const before = readFileSync(log, 'utf8').split('\n').length;
    await here.deploys(here.signed(nodeModule(), { version: 2 }));
    await board.kill();
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(before);
  }

  /** Deploys again and again by one client. */
  async function deployer(here: Bench): Promise<() => Promise<string>> {
    const { client } = await connected(here.t, broker.url);
    const channel = await channelOver(client, here.topic);
    let heard: Parameters<typeof channel.listen>[0] = () => {};
    channel.listen((answer) => heard(answer));
    const file = here.signed(nodeModule(), { version: 2 });
    const listen = (listener: typeof heard) => {
      heard = listener;
    };
    return () => deploy({ send: channel.send, listen }, file, { answerMs: 100, patienceMs: 20_000 });
  }

  for (const [turn, [what, cut]] of ways.entries())
    test(`${what} each call: a good module runs, and the new one in the end`, async (t) => {
      const here = new Bench(t, broker, t.name);
      counted ??= calls(here);
      const all = await counted;
      const files = all.filter((line) => line.includes(' file ')).length;
      assert.ok(files > 100, `${files} writes and syncs`);
      const last = Number(all.at(-1)?.split(' ')[0]) - TRAIL;
      const first = Number(all[0]?.split(' ')[0]) + turn;
      const deploys = await deployer(here);
      let cuts = 0;
      for (let at = first; at <= last; at += SHARE) {
        const modules = { modules: here.file(`modules-${at}`), client_id: `cut-${turn}-${at}` };
        const board = new Board();
        await board.start(rung({ POWER_CUT_AT: at, ...cut }), here.settings(modules));
        const again = board.ended.then(async () => {
          cuts++;
          await board.start(posixRung(posixBoard), here.settings(modules));
        });
        await board.tells('connected');
        const words = await deploys();
        assert.equal(words, 'node-mqtt version 2 runs, on trial for a minute', `cut at call ${at}`);
        await Promise.race([again, board.kill()]);
        await board.kill();
      }
      assert.ok(cuts >= ((last - first) / SHARE) * 0.9, `${cuts} cuts from call ${first} to ${last}`);
    });
});

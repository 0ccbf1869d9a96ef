import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { skipSocat } from '../links/wire.js';
import { posixBoard, powerCut, skipUnbuilt } from '../rungs/world.js';
import { consoledBoard, settingsText } from './board.js';

// The posix board ends by itself at a call that firmware/test/power_cut.c is told, while it keeps the settings of a host.

type Cut = Readonly<Record<string, string>>;

const ways: readonly [what: string, cut: Cut][] = [
  ['before', {}],
  ['after', { POWER_CUT_AFTER: '1' }],
  ['in the middle of', { POWER_CUT_TEAR: '30' }],
  ['before, losing what is not synchronised,', { POWER_CUT_LOSE: '1' }],
  ['after, losing what is not synchronised,', { POWER_CUT_AFTER: '1', POWER_CUT_LOSE: '1' }],
];

const before = settingsText({ broker: 'mqtt://127.0.0.1:1', topic: 'before', reconnect_min: 60_000, reconnect_max: 60_000 });
const upload = settingsText({ broker: 'mqtt://127.0.0.1:1', topic: 'after', reconnect_min: 60_000, reconnect_max: 60_000 });

/** The calls that keep settings. */
const wanted = ['write file', 'fsync file', 'rename directory', 'fsync directory'];

/** A board that is cut while it takes the settings; the calls that it made, as `call kind`, and whether the host was told that they are kept. */
async function taken(t: TestContext, cut: Cut) {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-cut-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const log = join(directory, 'log');
  const environment = { LD_PRELOAD: powerCut, POWER_CUT_LOG: log, ...cut };
  const { console, config, exited, kill } = await consoledBoard(t, { settings: before, environment });
  const kept = console.upload('settings', upload).then(
    () => true,
    () => false,
  );
  const done = await Promise.race([kept, exited.then(() => false)]);
  kill('SIGKILL');
  await exited;
  await console.close();
  const calls = readFileSync(log, 'utf8').trim().split('\n');
  return { config, done, calls: calls.map((line) => line.split(' ').slice(1, 3).join(' ')) };
}

describe('a power cut while the posix board keeps settings', {
  skip: skipSocat || skipUnbuilt(posixBoard) || skipUnbuilt(powerCut),
  timeout: 120_000,
}, () => {
  for (const [what, cut] of ways)
    test(`${what} any call: the settings are those before or those after, whole, and those after once the host was told so`, async (t) => {
      const { calls } = await taken(t, {});
      const first = calls.findIndex((call) => call.endsWith('file')) + 1;
      assert.ok(first > 0, calls.join(', '));
      const harmed = new Set<string>();
      // Frames that go out at once are one call: the same number is not always the same call.
      for (let i = 0; i < 300 && !wanted.every((call) => harmed.has(call)); i++) {
        const at = first - 2 + (i % 10);
        const { config, done, calls } = await taken(t, { ...cut, POWER_CUT_AT: String(at) });
        const text = readFileSync(config);
        assert.ok(text.equals(before) || text.equals(upload), `cut at ${calls.at(-1)}: ${text}`);
        if (done) assert.ok(text.equals(upload), 'the host was told that they are kept');
        if (!done) harmed.add(String(calls.at(-1)));
      }
      assert.ok(
        wanted.every((call) => harmed.has(call)),
        [...harmed].join(', '),
      );
    });

  test('what a cut left beside the file is in nobody’s way', async (t) => {
    const { console, config } = await consoledBoard(t, { settings: before });
    writeFileSync(`${config}.new`, 'half of a', { mode: 0o644 });
    await console.upload('settings', upload);
    assert.ok(readFileSync(config).equals(upload));
    assert.deepEqual([statSync(config).mode & 0o777, readdirSync(dirname(config))], [0o600, ['board.conf']]);
  });
});

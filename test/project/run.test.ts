import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { makeKeys } from '../../host/deploy/keys.js';
import { start, twobyte } from '../cli/cli.js';
import { skipUnverifying } from '../deploy/world.js';
import { freePort } from '../mosquitto.js';
import { posixBoard, skipUnbuilt } from '../rungs/world.js';
import { folderWith } from './project.js';

/** A project that is built, with more in its configuration. */
async function project(t: TestContext, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = join(await folderWith(t), 'my-node');
  assert.equal((await twobyte(['create', folder, '--board', 'posix'])).status, 0);
  const file = join(folder, 'twobyte.config.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), interval: 200, ...more }));
  assert.equal((await twobyte(['build', folder])).status, 0);
  return folder;
}

describe('twobyte run', { timeout: 120_000 }, () => {
  test('a broker that is away is told, and no reading counts that did not reach one', async (t) => {
    const folder = await project(t);
    const run = start(['run', folder, '--readings', '1', '--broker', `mqtt://127.0.0.1:${await freePort()}`]);
    await run.says(/no connection to mqtt:/);
    await run.prints('"event":"reading"');
    await run.prints('"opening","at":'); // it tries again
    assert.equal(run.child.exitCode, null);
    run.child.kill('SIGTERM');
    await run.ended;
  });

  test('ends when so many readings are acknowledged, and logs in as its configuration or its address says', async (t) => {
    const names: string[] = [];
    const broker = await startBroker({
      authenticate: (_client, name, password, done) => {
        names.push(`${name}:${password}`);
        done(null, String(password) === 'secret');
      },
    });
    t.after(() => broker.close());
    const folder = await project(t, { broker: { url: 'mqtt://127.0.0.1', username: 'node', password: 'secret' } });
    for (const url of [broker.url, broker.url.replace('//', '//other:secret@')]) {
      const { status, stdout, stderr } = await twobyte(['run', folder, '--readings', '2', '--broker', url]);
      assert.equal(status, 0, stderr);
      assert.equal(String(stdout).match(/"event":"published"/g)?.length, 2);
      assert.doesNotMatch(stderr, /secret/);
    }
    assert.deepEqual(names, ['node:secret', 'other:secret']);
  });

  test('a module of the other protocol: which build makes the right one', async (t) => {
    const folder = await project(t);
    for (const more of skipUnbuilt(posixBoard) ? [[]] : [[], ['--posix', posixBoard]]) {
      const { status, stderr } = await twobyte(['run', folder, '--broker', 'mqtt-sn://127.0.0.1:1', ...more]);
      assert.equal(status, 1);
      assert.match(stderr, /^twobyte run: this module speaks MQTT, and mqtt-sn:.* other protocol: twobyte build --protocol mqtt-sn$/m);
    }
  });

  for (const more of [[], ['--posix', posixBoard]])
    test(`takes what is deployed${more.length ? ' on the posix board' : ''}`, {
      skip: more.length > 0 && skipUnverifying(posixBoard),
    }, async (t) => {
      const keys = await folderWith(t);
      const { privateKey, publicHex } = makeKeys(keys);
      const folder = await project(t, { updates: { topic: 'garden/update', publicKey: publicHex } });
      const run = start(['run', folder, ...more]);
      await run.says(/a broker in this process, mqtt:\S+\s/);
      await run.prints('garden/soil/moisture');
      const [, url = ''] = /a broker in this process, (mqtt:\S+)/.exec(run.stderr) ?? [];
      const args = ['--key', privateKey, '--broker', url, '--topic', 'garden/update'];
      const index = join(folder, 'index.ts');
      writeFileSync(index, 'export function begin(_now: i32): i32 { return 0; }\nexport function finish(): i32 { return 12_300; }\n');
      assert.equal((await twobyte(['build', folder])).status, 0);
      const { status, stderr } = await twobyte(['deploy', join(folder, 'build/my-node.wasm'), ...args]);
      assert.equal(status, 0, stderr);
      await run.prints('garden/soil/moisture  12.3');
      run.child.kill('SIGINT');
      assert.equal((await run.ended).status, 0);
    });
});

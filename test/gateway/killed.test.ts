import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, connectAsync } from '../../host/client.js';
import { MemoryStorage } from '../../host/storage.js';
import { freePort, skipMosquitto, startMosquitto } from '../mosquitto.js';

// The program itself, killed again and again while messages go through it in both directions, in front of a real broker.

const MESSAGES = 120;
const KILLS = 6;
const DEADLINE_MS = 30_000;
const program = fileURLToPath(new URL('../../host/cli/twobyte.js', import.meta.url));

async function started(t: TestContext, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, 'gateway', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const [first] = (await once(child.stdout as NodeJS.ReadableStream, 'data', { signal })) as [Buffer];
  assert.match(first.toString(), /^listening/);
  return child;
}

test(`twobyte gateway --journal, killed ${KILLS} times: ${MESSAGES} messages each way at QoS 2 arrive once`, {
  skip: skipMosquitto,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'twobyte-killed-'));
  t.after(() => rm(directory, { recursive: true, maxRetries: 3 }));
  await using broker = await startMosquitto(['max_queued_messages 0']);
  const port = await freePort();
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const args = ['--quiet', '--broker', url, '--udp', String(port), '--bind', '127.0.0.1', '--journal', directory, '--retry-time', '1'];
  let gateway = await started(t, args);

  const up: string[] = [];
  const down: string[] = [];
  const home = await connectAsync(url);
  t.after(() => home.endAsync(true));
  home.on('message', (_, payload) => up.push(payload.toString()));
  await home.subscribeAsync('up/#', { qos: 2 });
  const device = connect(`mqtt-sn://127.0.0.1:${port}`, {
    clientId: 'device',
    clean: false,
    journal: new MemoryStorage(),
    keepalive: 5,
    retryInterval: 500,
    reconnectPeriod: 100,
    maxReconnectPeriod: 500,
  });
  t.after(() => device.endAsync(true));
  device.on('message', (_, payload) => down.push(payload.toString()));
  await once(device, 'connect');
  await device.subscribeAsync('down/#', { qos: 2 });

  const came = () => new Set(up).size + new Set(down).size;
  const until = (done: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not in time: ${up.length} up, ${down.length} down`)), DEADLINE_MS);
      const look = () => {
        if (!done()) return;
        clearTimeout(timer);
        for (const client of [home, device]) client.off('message', look);
        resolve();
      };
      for (const client of [home, device]) client.on('message', look);
      look();
    });
  for (let n = 0; n < MESSAGES; n++) {
    device.publish(`up/${n % 3}`, String(n), { qos: 2 });
    home.publish(`down/${n % 3}`, String(n), { qos: 2 });
  }
  for (let kill = 1; kill <= KILLS; kill++) {
    await until(() => came() >= (kill * 2 * MESSAGES) / (KILLS + 1));
    gateway.kill('SIGKILL');
    await once(gateway, 'exit');
    gateway = await started(t, args);
  }
  await until(() => came() === 2 * MESSAGES);
  // Behind these, nothing that came twice is still to come.
  device.publish('up/0', 'end', { qos: 2 });
  home.publish('down/0', 'end', { qos: 2 });
  await until(() => up.includes('end') && down.includes('end'));
  const all = Array.from({ length: MESSAGES }, (_, n) => String(n))
    .concat('end')
    .sort();
  assert.deepEqual(up.toSorted(), all);
  assert.deepEqual(down.toSorted(), all);
});

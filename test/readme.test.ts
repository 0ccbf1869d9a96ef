import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBroker } from '../host/broker.js';
import { connectAsync } from '../host/client.js';
import { realClock } from '../host/clock.js';
import { startGateway } from '../host/gateway/embedded.js';
import { keepPort } from '../host/links/kept-port.js';
import { skipSocat, wire } from './links/wire.js';

/** This file runs as build/js/test/readme.test.js. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const DEADLINE = 60_000;

/** The lines of the blocks in `language`. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);
}

const commands = blocks('sh').flatMap((block) =>
  block
    .split('\n')
    .map((line) => line.replace(/\s+#.*/, ''))
    .filter((line) => line !== ''),
);

/** Runs `command` in a shell of its own until stdout shows `awaited`, then ends it as Ctrl-C does. Resolves with stdout and the status. */
function run(command: string, awaited?: RegExp): Promise<{ stdout: string; stderr: string; status: number | null }> {
  return new Promise((resolve, reject) => {
    // Without a shell in between, where there is no pipe: the status is the command's own.
    const child = spawn('sh', ['-c', /[|<]/.test(command) ? command : `exec ${command}`], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const end = (signal: NodeJS.Signals) => child.pid && child.exitCode === null && process.kill(-child.pid, signal);
    const timer = setTimeout(() => end('SIGKILL'), DEADLINE);
    let stdout = '';
    let seen = false;
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (seen || !awaited?.test(stdout)) return;
      seen = true; // a second signal would end it at once
      end('SIGINT');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') reject(new Error(`${command}: nothing like ${awaited} within ${DEADLINE} ms\n${stdout}${stderr}`));
      else if (awaited && !seen)
        reject(new Error(`${command} ended with status ${status}, and nothing like ${awaited}\n${stdout}${stderr}`));
      else resolve({ stdout, stderr, status });
    });
  });
}

const noPosixBoard = existsSync(`${root}build/posix/twobyte-posix`)
  ? false
  : 'the posix board is missing: apt-get install build-essential cmake python3-pip';

const noCompiledBoard = existsSync(`${root}build/posix-aot/twobyte-posix`)
  ? false
  : 'the posix board with compiled modules is missing: apt-get install build-essential cmake wabt';

/** What is done with each command of the README, by how it begins; the port is that of a broker of the test's own. */
const runs: { begins: string; skip?: string | false; run(command: string, t: TestContext): Promise<void> }[] = [
  { begins: 'npm start', run: demonstrates },
  { begins: 'npm start -- --engine aot', skip: noCompiledBoard, run: demonstrates },
  { begins: 'npm test', async run() {} }, // this is part of it
  { begins: 'build/posix/twobyte-posix', skip: noPosixBoard, run: publishes },
  { begins: 'build/posix-aot/twobyte-posix', skip: noCompiledBoard, run: publishes },
  {
    begins: 'build/posix/twobyte-posix --config boards/posix-mqttsn.conf',
    skip: noPosixBoard,
    async run(command) {
      await using broker = await disposableBroker();
      await using gateway = await disposableGateway(broker.url);
      const { status } = await run(command.replace('mqtt-sn://127.0.0.1:1884', gateway.url), /"event":"published"/);
      assert.equal(status, 0);
    },
  },
  {
    begins: 'npx twobyte gateway',
    async run(command) {
      await using broker = await disposableBroker();
      const free = `${command.replace('mqtt://127.0.0.1:1883', broker.url)} --udp 0`;
      const { stdout } = await run(free, /\n/);
      assert.match(stdout, /listening at UDP port \d+ of .*; broker /);
    },
  },
  {
    begins: 'npx twobyte bridge --serial /dev/ttyUSB0 --broker',
    skip: skipSocat,
    async run(command, t) {
      await using broker = await disposableBroker();
      const { ends } = await wire(t);
      const board = await keepPort(ends[0], 115_200, { received: hear, away() {}, back() {} }, realClock);
      t.after(() => board.close());
      // The bridge says hello, and the board an event.
      function hear(): void {
        board.send(Buffer.from('\0\x02{"event":"reading"}', 'latin1'));
      }
      await run(command.replace('/dev/ttyUSB0', ends[1]).replace('mqtt://127.0.0.1:1883', broker.url), /^{"event":"reading"}\n/);
    },
  },
  {
    begins: 'npm run firmware',
    async run(command) {
      // test/firmware/project.test.ts knows what can be checked without an ESP-IDF.
      const { stderr, status } = await run(`env -u IDF_PATH ${command}`);
      assert.match(stderr, /^IDF_PATH is not set: /m);
      assert.equal(status, 1);
    },
  },
  {
    // Its port is none: a chip that is at this machine is left alone.
    begins: 'npx twobyte flash',
    async run(command) {
      const { status, stderr } = await run(`${command} --port /nonexistent/tty`);
      assert.match(stderr, /^twobyte flash: .*(is not there|there is no firmware in|esptool is not installed)/m);
      assert.equal(status, 1);
    },
  },
  {
    begins: 'npx twobyte bridge --serial /dev/ttyUSB0',
    skip: skipSocat || noPosixBoard,
    async run(command, t) {
      const { port } = await boardAtCable(t);
      await run(command.replace('/dev/ttyUSB0', port), /^myhome\/底楼\/客厅\/温度 {2}-?\d+\.\d {2}QoS 1\n/m);
    },
  },
  {
    begins: 'npx twobyte provision',
    skip: skipSocat || noPosixBoard,
    async run(command, t) {
      await using broker = await disposableBroker();
      const { folder, port } = await boardAtCable(t);
      const sensors = [{ driver: 'sht3x', temperature: { topic: 'attic/t' } }];
      const config = { board: 'posix', device: 'attic', broker: { url: broker.url }, sensors, interval: 1000 };
      writeFileSync(join(folder, 'twobyte.config.json'), JSON.stringify(config));
      const { status, stderr } = await run(`${command} --config ${join(folder, 'twobyte.config.json')} --port ${port}`);
      assert.equal(status, 0, stderr);
    },
  },
  // test/project/create.test.ts does all of these, in a project.
  { begins: 'npx twobyte create my-node', async run() {} },
  { begins: 'npx twobyte keygen --out keys', async run() {} },
  { begins: 'npx twobyte config > board.conf', async run() {} },
  { begins: 'npx twobyte build && npx twobyte deploy build/my-node.wasm', async run() {} },
  {
    begins: 'npx twobyte sub -L mqtt-sn',
    async run(command) {
      await using broker = await disposableBroker();
      await using gateway = await disposableGateway(broker.url);
      const publisher = await connectAsync(broker.url);
      await publisher.publishAsync('myhome/底楼/客厅/温度', '23.4', { qos: 1, retain: true });
      const { stdout } = await run(command.replace('mqtt-sn://127.0.0.1:1884', gateway.url), /\n/);
      await publisher.endAsync();
      assert.equal(stdout, 'myhome/底楼/客厅/温度 23.4\n');
    },
  },
  {
    begins: 'npx twobyte sub',
    async run(command) {
      await using broker = await disposableBroker();
      const publisher = await connectAsync(broker.url);
      await publisher.publishAsync('myhome/底楼/客厅/温度', '23.4', { qos: 1, retain: true });
      const { stdout } = await run(command.replace('-h 127.0.0.1', `-h 127.0.0.1 -p ${broker.port}`), /\n/);
      await publisher.endAsync();
      assert.equal(stdout, 'myhome/底楼/客厅/温度 23.4\n');
    },
  },
  {
    begins: 'echo 23.4 | npx twobyte pub',
    async run(command) {
      await using broker = await disposableBroker();
      const subscriber = await connectAsync(broker.url);
      const arrived = new Promise<string>((resolve) => subscriber.on('message', (topic, payload) => resolve(`${topic} ${payload}`)));
      await subscriber.subscribeAsync('#', { qos: 1 });
      const { status } = await run(command.replace('-h 127.0.0.1', `-h 127.0.0.1 -p ${broker.port}`));
      assert.equal(status, 0);
      assert.equal(await arrived, 'myhome/底楼/客厅/温度 23.4');
      await subscriber.endAsync();
    },
  },
  {
    begins: 'npx twobyte pub -L mqtt-sn://127.0.0.1/',
    async run(command) {
      await using broker = await disposableBroker();
      await using gateway = await disposableGateway(broker.url);
      const subscriber = await connectAsync(broker.url);
      const arrived = new Promise<string>((resolve) => subscriber.on('message', (topic, payload) => resolve(`${topic} ${payload}`)));
      await subscriber.subscribeAsync('#', { qos: 1 });
      const { status } = await run(command.replace('mqtt-sn://127.0.0.1', gateway.url));
      assert.equal(status, 0);
      assert.equal(await arrived, 'myhome/底楼/客厅/温度 23.4');
      await subscriber.endAsync();
    },
  },
];

/** The demonstration, until a reading of each board has been printed. */
async function demonstrates(command: string): Promise<void> {
  const { stdout } = await run(command, /厨房.* {2}MQTT-SN\n(.*\n)*.*客厅.* {2}MQTT\n/);
  for (const [topic, protocol] of [
    ['myhome/底楼/客厅/温度', 'MQTT'],
    ['myhome/底楼/厨房/温度', 'MQTT-SN'],
  ])
    assert.match(stdout, new RegExp(`^${topic} {2}-?\\d+\\.\\d °C {2}QoS 1 {2}\\d+\\.\\d ms {2}${protocol}$`, 'm'));
}

/** A board over MQTT, until it has published. */
async function publishes(command: string): Promise<void> {
  await using broker = await disposableBroker();
  const { status } = await run(command.replace('mqtt://127.0.0.1:1883', broker.url), /"event":"published"/);
  assert.equal(status, 0);
}

/** A posix board that starts as a freshly flashed chip does, with the settings of boards/cable.conf, at one end of a wire; `port` is the other. */
async function boardAtCable(t: TestContext): Promise<{ folder: string; port: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'twobyte-readme-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { ends } = await wire(t);
  const config = join(folder, 'board.conf');
  // A process has another thermometer than a chip, and names its module.
  const builtIn = readFileSync(`${root}boards/cable.conf`, 'utf8').replace('= chip', '= simulated:1');
  writeFileSync(config, `${builtIn}module = ${root}build/node-mqtt.wasm\n`);
  const args = ['--console', ends[0], '--config', config];
  const board = spawn(`${root}build/posix/twobyte-posix`, args, { cwd: folder, stdio: 'ignore' });
  t.after(() => board.kill('SIGKILL'));
  return { folder, port: ends[1] };
}

async function disposableGateway(broker: string) {
  const gateway = await startGateway(broker);
  return { url: gateway.url, [Symbol.asyncDispose]: () => gateway.close() };
}

async function disposableBroker() {
  const broker = await startBroker();
  return { url: broker.url, port: new URL(broker.url).port, [Symbol.asyncDispose]: () => broker.close() };
}

describe('a command of the README', () => {
  for (const command of commands) {
    const fitting = runs.filter(({ begins }) => command.startsWith(begins));
    const found = fitting.sort((a, b) => b.begins.length - a.begins.length)[0]; // the one that says most
    test(`does what it says: ${command}`, { skip: found?.skip ?? false }, async (t) => {
      assert.ok(found, 'no test knows this command');
      await found.run(command, t);
    });
  }
});

test('the Node example of the README runs', async () => {
  await using broker = await disposableBroker();
  const [example = ''] = blocks('js');
  const script = example.replace('mqtt://127.0.0.1:1883', broker.url);
  const { stdout, status } = await run(`node --input-type=module -e "$(cat <<'END'\n${script}\nEND\n)"`);
  assert.equal(status, 0);
  assert.equal(stdout, 'myhome/底楼/客厅/温度 23.4\n');
});

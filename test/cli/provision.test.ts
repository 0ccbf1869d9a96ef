import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { provisionCommand } from '../../host/cli/provision.js';
import { consoledBoard } from '../console/board.js';
import { skipSocat, wire } from '../links/wire.js';
import { freePort } from '../mosquitto.js';
import { posixBoard, skipUnbuilt } from '../rungs/world.js';
import { refusalOf, twobyte } from './cli.js';

/** A file of one test. */
function file(t: TestContext, name: string, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-provision-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

const settings = (t: TestContext, broker: string, topic = 'a') => file(t, 'board.conf', `broker = ${broker}\ntopic = ${topic}\n`);

/** A project's configuration for the posix board. */
const configuration = (t: TestContext, more: Record<string, unknown>) =>
  file(
    t,
    'twobyte.config.json',
    JSON.stringify({
      board: 'posix',
      device: 'desk',
      broker: { url: 'mqtt://127.0.0.1' },
      module: 'sensor-mqtt',
      sensors: [{ driver: 'board', source: 'simulated:1', temperature: { topic: 'desk/t' } }],
      ...more,
    }),
  );

const failed = ({ status, stderr }: { status: number | string; stderr: string }, says: RegExp) => {
  assert.match(stderr, says);
  assert.equal(status, 1);
  assert.doesNotMatch(stderr, / {4}at |secret/);
};

describe('twobyte provision that cannot begin ends with status 1 and names the option', () => {
  const PEM = '-----BEGIN CERTIFICATE-----\n';
  const cases: [what: string, args: (t: TestContext) => string[], says: RegExp][] = [
    [
      'no configuration',
      () => ['--port', '/dev/ttyUSB0', '--config', '/nonexistent/a'],
      /--config: \/nonexistent\/a is not there; twobyte create/,
    ],
    [
      'a configuration that is wrong, all of it',
      (t) => ['--port', '/dev/ttyUSB0', '--config', configuration(t, { interval: 1, qos: 7 })],
      /provision: .*interval: .*\n.*provision: .*qos: /,
    ],
    [
      'a file that is not there',
      () => ['--port', '/dev/ttyUSB0', '--settings', '/nonexistent/a'],
      /--settings: \/nonexistent\/a cannot be read: there is no such file; name another$/m,
    ],
    [
      'a port that is not absolute',
      (t) => ['--port', 'ttyUSB0', '--settings', settings(t, 'mqtt://a')],
      /--port: 'ttyUSB0' is not an absolute path, as in \/dev\/ttyUSB0/,
    ],
    [
      'a port that is not there',
      (t) => ['--port', '/nonexistent/tty', '--settings', settings(t, 'mqtt://a')],
      /\/nonexistent\/tty is not there; is the/,
    ],
    ['a port that is none', (t) => ['--port', '/dev/null', '--settings', settings(t, 'mqtt://a')], /\/dev\/null is not a serial port/],
    [
      'a certificate without its key',
      (t) => ['--port', '/dev/ttyUSB0', '--settings', settings(t, 'mqtt://a'), '--cert', file(t, 'c', PEM)],
      /--cert and --key belong together/,
    ],
    [
      'a key that is none',
      (t) => [
        '--port',
        '/dev/ttyUSB0',
        '--settings',
        settings(t, 'mqtt://a'),
        '--cert',
        file(t, 'c', PEM),
        '--key',
        file(t, 'k', `${PEM}secret`),
      ],
      /--key: .* holds no PRIVATE KEY in PEM/,
    ],
    ['a time that is none', (t) => ['--port', '/dev/x', '--settings', settings(t, 'mqtt://a'), '--wait', 'long'], /--wait/],
  ];
  for (const [what, args, says] of cases) test(what, async (t) => failed(await refusalOf(provisionCommand(), args(t)), says));

  test('the same by the program', async () => {
    failed(
      await twobyte(['provision', '--port', '/dev/ttyUSB0', '--config', '/nonexistent/a']),
      /--config: \/nonexistent\/a is not there; twobyte create/,
    );
  });
});

describe('twobyte provision', { skip: skipSocat || skipUnbuilt(posixBoard), timeout: 60_000 }, () => {
  /** A board whose console is free for another host. */
  async function board(t: TestContext) {
    const board = await consoledBoard(t);
    await board.console.ready();
    await board.console.close();
    return board;
  }

  test('brings settings to a board that has none, and is done when it is connected', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const { port, config } = await board(t);
    const from = settings(t, broker.url);
    const { status, stderr } = await twobyte(['provision', '--port', port, '--settings', from]);
    assert.match(
      stderr,
      /a posix board \(linux\), firmware 0\.1\.0, sensor-mqtt\.wasm\n.*has the settings, \d+ bytes\n.*the board is connected\n$/,
    );
    assert.equal(status, 0);
    assert.deepEqual(readFileSync(config), readFileSync(from));
    const again = await twobyte(['provision', '--port', `${port}@115200`, '--settings', from, '--quiet', '--wait', '0']);
    assert.deepEqual([again.status, again.stderr], [0, '']);
  });

  test('brings what the configuration of a project says, with its secrets; not to another chip', async (t) => {
    const broker = await startBroker({
      authenticate: (_client, name, password, done) => done(null, name === 'node' && String(password) === 'secret'),
    } as Parameters<typeof startBroker>[0]);
    t.after(() => broker.close());
    const { port, config } = await board(t);
    const from = configuration(t, { broker: { url: broker.url, username: 'node', password: '\x24{PASSWORD}' } });
    const { status, stderr } = await twobyte(['provision', '--port', port, '--config', from], { env: { PASSWORD: 'secret' } });
    assert.match(stderr, /the board is connected\n$/);
    assert.equal(status, 0, stderr);
    assert.match(readFileSync(config, 'utf8'), /^topic = desk\/t$/m);
    const other = configuration(t, { board: 'qemu-rv32' });
    failed(
      await twobyte(['provision', '--port', port, '--config', other]),
      /the configuration is for qemu-rv32, whose chip is rv32, and .* linux; /,
    );
  });

  test('tells what the board says of settings that it refuses, of a module that does, and of a broker that is away', async (t) => {
    const { port } = await board(t);
    const provision = (text: string, ...more: string[]) => twobyte(['provision', '--port', port, '--settings', text, ...more]);
    failed(
      await provision(settings(t, 'mqtts://a')),
      /the board refuses the settings: \/.*\/board\.conf:1: broker: this board has neither TLS/,
    );
    failed(
      await provision(file(t, 'c', 'topic\npassword secret')),
      /the board refuses the settings: \/.*\/c:1: "topic" is not of the form key = value/,
    );
    failed(
      await provision(settings(t, 'mqtt://127.0.0.1', 'a/+')),
      /the board does not start with these settings: .*does not start with these settings: topic: a topic name must not contain/,
    );
    const away = await provision(settings(t, `mqtt://127.0.0.1:${await freePort()}`), '--wait', '2');
    failed(
      away,
      /the board has its settings, and is not connected within 2 s; it says: .*no connection to 127\.0\.0\.1:\d+: nobody listens there/,
    );
    const pem = file(t, 'ca', '-----BEGIN CERTIFICATE-----\n');
    failed(await provision(settings(t, 'mqtt://a'), '--cafile', pem), /the board refuses the authorities: this board has no TLS/);
  });

  test('a board that reaches its broker by the line is done when it has started', async (t) => {
    const { port } = await board(t);
    const { status, stderr } = await twobyte(['provision', '--port', port, '--settings', settings(t, 'mqtt+line://desk')]);
    assert.match(stderr, /the board has started\n.*by this line: twobyte bridge --serial .* --broker mqtt:\/\/host leads it there\n$/);
    assert.equal(status, 0);
  });

  test('tells that no board answers, and that the port is taken', async (t) => {
    const { ends } = await wire(t);
    const args = ['provision', '--port', ends[0], '--settings', settings(t, 'mqtt://a')];
    failed(await twobyte(args), /no board answers at .*: is it on, does it run Twobyte's firmware, and at this baud rate\?/);
    const holder = spawn('flock', ['--no-fork', '-x', ends[0], 'sh', '-c', 'echo; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
    t.after(() => holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    failed(await twobyte(args), /is in use by/);
  });
});

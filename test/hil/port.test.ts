import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { boardBehindPort } from '../../host/hil/behind-port.js';
import { openPort } from '../../host/ports/open.js';
import { twobyte } from '../cli/cli.js';
import { skipSocat, wire } from '../links/wire.js';
import { skipMosquitto, startMosquitto } from '../mosquitto.js';
import { posixBoard, skipUnbuilt } from '../rungs/world.js';

const { version } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as { version: string };

/** A posix board at a pseudo-terminal, started again whenever it ends, as a chip would be. Answers the host's end. */
async function boardAtPort(t: TestContext, module = 'sensor-mqtt'): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-hil-board-'));
  const { ends } = await wire(t);
  const args = [
    '--console',
    ends[0],
    '--config',
    join(directory, 'board.conf'),
    '--module',
    join(dirname(posixBoard), `../${module}.wasm`),
  ];
  let over = false;
  let kill = () => {};
  const run = async () => {
    while (!over) {
      const child = spawn(posixBoard, args, { stdio: 'ignore' });
      kill = () => void child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
    }
  };
  const ended = run();
  t.after(async () => {
    over = true;
    kill();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  return ends[1];
}

const lines = (output: Buffer) => output.toString().trimEnd().split('\n');

describe('twobyte hil with a board behind a port', { skip: skipSocat || skipUnbuilt(posixBoard), timeout: 120_000 }, () => {
  for (const [module, protocol] of [
    ['sensor-mqtt', 'mqtt'],
    ['sensor-mqttsn', 'mqtt-sn'],
  ] as const)
    test(`tells the scenarios of ${protocol}: settings by upload and restart, events by the console, ${protocol} by the line`, async (t) => {
      const port = await boardAtPort(t, module);
      const only = ['--only', 'is lost at QoS 1'];
      const { status, stdout, stderr } = await twobyte(['hil', '--port', port, '--protocol', protocol, ...only]);
      assert.deepEqual([status, stderr], [0, ''], stdout.toString());
      const table = lines(stdout);
      assert.match(table.pop() ?? '', /^board: 2 passed, 0 failed, 0 skipped/);
      const { stdout: virtual } = await twobyte(['hil', '--rung', 'virtual', '--protocol', protocol, ...only]);
      assert.deepEqual(table, lines(virtual).slice(0, -1), 'the same table');
    });

  test('a refusal comes from the board: by its parser, or by its module', async (t) => {
    const port = await boardAtPort(t);
    const { status, stdout } = await twobyte(['hil', '--port', port, '--protocol', 'mqtt', '--only', 'refused by name', '--only', 'topic']);
    assert.equal(status, 0, stdout.toString());
    assert.match(lines(stdout).at(-1) ?? '', /^board: 5 passed, 0 failed, 2 skipped/);
  });

  test('what such a board cannot do is named', async (t) => {
    const port = await boardAtPort(t);
    const { status, stdout } = await twobyte(['hil', '--port', port, '--only', 'the will says offline']);
    assert.equal(status, 0, stdout.toString());
    const said = stdout.toString();
    assert.match(said, /\(mqtt\): a board behind a port cannot be switched off by a program, and stay off/);
    assert.match(said, /\(mqtt-sn\): the board runs the module sensor-mqtt, which does not speak mqtt-sn/);
  });

  test('with --broker the board reaches it by a network of its own, and what needs a wire is skipped', {
    skip: skipMosquitto,
  }, async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const port = await boardAtPort(t);
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const only = ['--only', 'command', '--protocol', 'mqtt'];
    const { status, stdout } = await twobyte(['hil', '--port', port, '--broker', url, ...only]);
    assert.equal(status, 0, stdout.toString());
    assert.ok(lines(stdout).includes('passed    a command changes the interval'));
    assert.match(stdout.toString(), /: the board reaches the broker of --broker by a network of its own, and nothing stands in between/);
  });

  const refused = async (port: string, words: RegExp) => {
    const { status, stdout, stderr } = await twobyte(['hil', '--port', port, '--only', 'the unit']);
    assert.deepEqual([status, stdout.toString()], [1, '']);
    assert.match(stderr, words);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  };

  test('a port that is not there, is none, or is in use: one sentence', async (t) => {
    await refused('/dev/ttyUSB99', /^twobyte hil: \/dev\/ttyUSB99 is not there; is the board plugged in\?$/m);
    await refused('/dev/null', /^twobyte hil: \/dev\/null is not a serial port/m);
    const { ends } = await wire(t);
    const port = await openPort(ends[1], 115_200);
    t.after(() => port.close());
    await refused(ends[1], /is in use by/);
  });

  const parts = { baud: 115_200, byLine: true, firmware: version };

  test('a board that is in boot mode, or does not answer: one sentence', async (t) => {
    const { ends } = await wire(t);
    const silent = boardBehindPort({ ...parts, path: ends[1], patience: 200 });
    await assert.rejects(silent, /^Error: no board answers at .*: is it on, does it run Twobyte's firmware, and at this baud rate\?$/);
    const boot = boardBehindPort({ ...parts, path: ends[1], patience: 500 });
    const far = openSync(ends[0], 'w');
    // What comes before the port is open is lost: the chip is reset again and again.
    const resets = setInterval(() => {
      writeSync(far, 'ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:0x4 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n');
    }, 50);
    t.after(() => {
      clearInterval(resets);
      closeSync(far);
    });
    await assert.rejects(boot, /is in boot mode \("waiting for download"\): let go of its BOOT button and press RESET$/);
  });

  test('a board of another firmware version or with another chip: one sentence', async (t) => {
    const path = await boardAtPort(t);
    await assert.rejects(
      boardBehindPort({ ...parts, path, firmware: '9.9.9' }),
      new RegExp(`has firmware ${version.replaceAll('.', '\\.')}, and this is 9\\.9\\.9: flash it anew`),
    );
    const board = join(mkdtempSync(join(tmpdir(), 'twobyte-hil-')), 'mine.json');
    t.after(() => rmSync(dirname(board), { recursive: true, force: true }));
    writeFileSync(board, '{ "chip": "esp32c3" }');
    const { status, stderr } = await twobyte(['hil', '--port', path, '--board', board]);
    assert.equal(status, 1);
    assert.match(stderr, /has the chip linux, and --board says esp32c3/);
  });
});

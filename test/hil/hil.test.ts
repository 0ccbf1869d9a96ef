import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { hilCommand } from '../../host/cli/hil.js';
import { refusalOf, start, twobyte } from '../cli/cli.js';
import { freePort, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { posixBoard, rungs, skipUnbuilt } from '../rungs/world.js';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'twobyte-hil-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const lines = (output: Buffer) => output.toString().trimEnd().split('\n');

describe('twobyte hil', { timeout: 120_000 }, () => {
  test('tells scenarios on a rung, prints a table and writes JUnit XML', async (t) => {
    const file = join(directory(t), 'results.xml');
    const { status, stdout, stderr } = await twobyte(['hil', '--rung', 'virtual', '--only', 'readings arrive in order', '--junit', file]);
    assert.deepEqual([status, stderr], [0, '']);
    const [header, ...rows] = lines(stdout);
    assert.equal(header, 'mqtt      mqtt-sn   scenario');
    assert.match(rows.pop() ?? '', /^virtual: 12 passed, 0 failed, 0 skipped in \d+ s$/);
    assert.deepEqual(
      rows,
      [0, 1, 2].flatMap((qos) =>
        ['', ', retained'].map((retained) => `passed    passed    readings arrive in order at QoS ${qos}${retained}`),
      ),
    );
    const xml = readFileSync(file, 'utf8');
    assert.match(
      xml,
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="twobyte hil" tests="12" failures="0" errors="0" skipped="0"/,
    );
    assert.equal(xml.match(/<testcase name="readings arrive in order at QoS/g)?.length, 12);
  });

  test('prints the same table on posix, qemu-rv32 and virtual', { skip: rungs.posix.skip || rungs['qemu-rv32'].skip }, async () => {
    const tables: string[][] = [];
    for (const rung of ['posix', 'qemu-rv32', 'virtual']) {
      const { status, stdout, stderr } = await twobyte(['hil', '--rung', rung, '--only', 'is lost at QoS', '--jobs', '6']);
      assert.deepEqual([status, stderr], [0, ''], stdout.toString());
      const table = lines(stdout);
      assert.match(table.pop() ?? '', new RegExp(`^${rung}: 12 passed`));
      tables.push(table);
    }
    assert.deepEqual(tables[1], tables[0]);
    assert.deepEqual(tables[2], tables[0]);
  });

  test('takes the rung of a board that needs no hardware, and one protocol', async (t) => {
    const board = join(directory(t), 'mine.json');
    writeFileSync(board, '{ "chip": "rv32" }');
    const { status, stdout } = await twobyte(['hil', '--board', board, '--protocol', 'mqtt-sn', '--list']);
    assert.equal(status, 0);
    const list = lines(stdout);
    assert.equal(list[0], 'mqtt-sn   scenario');
    assert.match(list.at(-1) ?? '', /^\d+ scenarios on qemu-rv32$/);
    assert.ok(list.includes('skipped   a gateway is searched and found, and when it goes another is'));
    assert.ok(
      list.includes(
        'skipped: a gateway is searched and found, and when it goes another is (mqtt-sn): a board behind a line has no network to search',
      ),
    );
  });

  test('uses a broker that is there, and names what that cannot do', { skip: skipMosquitto }, async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const { status, stdout } = await twobyte(['hil', '--rung', 'virtual', '--broker', url, '--only', 'broker', '--protocol', 'mqtt']);
    assert.equal(status, 0, stdout.toString());
    const list = lines(stdout);
    assert.ok(
      list.includes('passed    a PUBACK of the broker that is lost at QoS 1: its PUBLISH comes again once, and the reading arrives'),
    );
    assert.ok(list.includes('skipped   a broker that is not there yet is tried until it is, and the first readings arrive'));
    assert.ok(
      list.includes(
        'skipped: a broker that is not there yet is tried until it is, and the first readings arrive (mqtt): the broker of --broker is not ours to stop, and to say who may log in',
      ),
    );
    assert.match(broker.log, /New client connected/);
  });

  test('ends with status 1 when a scenario fails, and shows it', async (t) => {
    let connections = 0; // the first is that of a look whether it is there
    const broker = await startBroker({ authenticate: (_client, _name, _password, done) => done(null, ++connections === 1) });
    t.after(() => broker.close());
    const { status, stdout } = await twobyte([
      'hil',
      '--rung',
      'virtual',
      '--broker',
      broker.url,
      '--only',
      'unit follows',
      '--protocol',
      'mqtt',
    ]);
    assert.equal(status, 1);
    const text = stdout.toString();
    assert.match(text, /^FAILED {4}the unit follows the number$/m);
    assert.match(text, /^FAILED: the unit follows the number \(mqtt\)\n {2}.*refused/m);
    assert.match(text, /virtual: 0 passed, 1 failed, 0 skipped/);
  });

  test('a broker that is not there is told before the table', async () => {
    const port = await freePort();
    const { status, stdout, stderr } = await twobyte(['hil', '--rung', 'virtual', '--broker', `mqtt://me:secret@127.0.0.1:${port}`]);
    assert.deepEqual([status, stdout.toString()], [1, '']);
    assert.match(stderr, new RegExp(`^twobyte hil: --broker mqtt://127\\.0\\.0\\.1:${port}: .*; start a broker there, or name another\n$`));
    assert.doesNotMatch(stderr, /secret/);
  });

  for (const [signal, number] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    test(`${signal} ends boards, and leaves no directory behind: status ${number}`, { skip: skipUnbuilt(posixBoard) }, async (t) => {
      const TMPDIR = directory(t);
      const run = start(['hil', '--rung', 'posix', '--jobs', '2', '--only', 'at QoS'], { TMPDIR });
      await run.prints('passed');
      run.child.kill(signal);
      const { status, stderr } = await run.ended;
      assert.deepEqual([status, stderr], [number, 'twobyte hil: interrupted; ending boards and brokers\n']);
      assert.deepEqual(readdirSync(TMPDIR), []);
    });

  const somewhere = '/nowhere/at-all.json';
  for (const [what, args, words] of [
    ['no place', [], /^error: --rung, --board or --port: one of them has to say where the board is$/m],
    ['two places', ['--rung', 'posix', '--port', '/dev/ttyUSB0'], /--rung posix has no port; leave out --rung or --port/],
    ['a rung that is none', ['--rung', 'moon'], /Allowed choices are posix, posix-aot, qemu-rv32, qemu-rv32-aot, virtual/],
    ['words of no scenario', ['--rung', 'virtual', '--only', 'xyzzy'], /--only: no scenario has 'xyzzy' in its name; --list prints them/],
    ['a broker behind TLS', ['--rung', 'virtual', '--broker', 'mqtts://me:secret@host'], /--broker mqtts:\/\/…@host: .*plain MQTT/],
    ['a board’s file that is not there', ['--board', somewhere], /--board \/nowhere\/at-all\.json: .* cannot be read \(ENOENT\)/],
    [
      'a file of results in no directory',
      ['--rung', 'virtual', '--junit', '/nowhere/a.xml'],
      /^error: --junit: \/nowhere\/a\.xml cannot be written: there is no such directory; make it, or name another$/m,
    ],
    ['a directory for results', ['--rung', 'virtual', '--junit', '/tmp'], /--junit: \/tmp cannot be written: it is a directory/],
    [
      'a board of hardware on a rung',
      ['--rung', 'posix', '--board', 'esp32-devkitc'],
      /--board esp32-devkitc: a board with the chip esp32 is behind a serial port, and not on the rung posix; leave out --board/,
    ],
    ['no jobs', ['--rung', 'virtual', '--jobs', '0'], /whole number from 1 to 64/],
  ] as const)
    test(`${what}: refused in a sentence`, async () => {
      const { status, stderr } = await refusalOf(hilCommand(), args);
      assert.equal(status, 1);
      assert.match(stderr, words);
      assert.doesNotMatch(stderr, /secret|\n +at /);
    });

  for (const [what, text, words] of [
    ['is not JSON', '{', /is not JSON/],
    ['has no chip', '{}', /chip is missing/],
    ['is of hardware, without a port', '{ "chip": "esp32c3" }', /esp32c3 is behind a serial port; say which with --port/],
  ] as const)
    test(`a board's file that ${what}: refused in a sentence`, async (t) => {
      const board = join(directory(t), 'mine.json');
      writeFileSync(board, text);
      const { status, stderr } = await refusalOf(hilCommand(), ['--board', board]);
      assert.equal(status, 1);
      assert.match(stderr, words);
    });

  test('a board’s file and a rung that do not go together are refused', async (t) => {
    const board = join(directory(t), 'mine.json');
    writeFileSync(board, '{ "chip": "linux" }');
    const { status, stderr } = await twobyte(['hil', '--board', board, '--rung', 'qemu-rv32']);
    assert.equal(status, 1);
    assert.match(stderr, /this board is of the rung posix, and not of qemu-rv32/);
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Ended, program, Run, skipPeers } from './cli/cli.js';
import { freePort, startMosquitto } from './mosquitto.js';
import { compiledBoard, posixBoard, rungs, skipUnbuilt } from './rungs/world.js';

/** This file runs as build/js/test/start.test.js. */
const script = fileURLToPath(new URL('../../../scripts/start.js', import.meta.url));
const topics: Readonly<Record<string, string>> = { MQTT: 'myhome/底楼/客厅/温度', 'MQTT-SN': 'myhome/底楼/厨房/温度' };

/** Begins `npm start -- …args`, the way npm does. */
function begin(args: readonly string[], env: Record<string, string> = {}): Run {
  const run = new Run(process.execPath, [script, ...args], env);
  run.child.stdin.end();
  return run;
}

const start = (args: readonly string[], env?: Record<string, string>): Promise<Ended> => begin(args, env).ended;

const quick = ['--thermometer', 'simulated:1', '--interval', '100'];

const lines = ({ stdout }: Ended) => String(stdout).trim().split('\n');

/** What a printed line says, its topic checked. */
function reading(line: string): { protocol: string; topic: string; celsius: string } {
  const [, topic = '', celsius = '', protocol = ''] = /^(\S+) {2}(-?\d+\.\d) °C {2}QoS 1 {2}\d+\.\d ms {2}(MQTT|MQTT-SN)$/.exec(line) ?? [];
  assert.equal(topic, topics[protocol], line);
  return { protocol, topic, celsius };
}

/** How many of these are of which board. */
function shares(readings: readonly { protocol: string }[]): number[] {
  return Object.keys(topics).map((protocol) => readings.filter((each) => each.protocol === protocol).length);
}

describe('npm start', { timeout: 180_000 }, () => {
  test('--readings 6 prints three readings of each board under wasm3 and ends', { skip: skipUnbuilt(posixBoard) }, async () => {
    const ended = await start(['--readings', '6']);
    assert.equal(ended.status, 0, ended.stderr);
    assert.deepEqual(shares(lines(ended).map(reading)), [3, 3]);
    assert.match(ended.stderr, /embedded broker at mqtt:\/\/127\.0\.0\.1:\d+/);
    assert.match(ended.stderr, /embedded MQTT-SN gateway at mqtt-sn:\/\/127\.0\.0\.1:\d+/);
    for (const protocol of Object.keys(topics)) assert.match(ended.stderr, new RegExp(`${protocol}: .*\\d+ bytes of heap, wasm3`));
  });

  test('--engine aot runs the modules compiled in, and says in how many bytes', { skip: skipUnbuilt(compiledBoard) }, async () => {
    const ended = await start(['--engine', 'aot', '--readings', '4', ...quick]);
    assert.equal(ended.status, 0, ended.stderr);
    assert.deepEqual(shares(lines(ended).map(reading)), [2, 2]);
    for (const protocol of Object.keys(topics)) assert.match(ended.stderr, new RegExp(`${protocol}: .*\\d+ bytes of static memory`));
  });

  for (const [engine, bytes, rung] of [
    ['wasm3', 'heap, wasm3', 'qemu-rv32'],
    ['aot', 'static memory', 'qemu-rv32-aot'],
  ] as const)
    test(`--rung qemu-rv32 --engine ${engine} shows readings of emulated boards`, { skip: rungs[rung].skip }, async () => {
      const ended = await start(['--rung', 'qemu-rv32', '--engine', engine, '--readings', '4', '--interval', '100']);
      assert.equal(ended.status, 0, ended.stderr);
      assert.deepEqual(shares(lines(ended).map(reading)), [2, 2]);
      for (const protocol of Object.keys(topics)) assert.match(ended.stderr, new RegExp(`${protocol}: .*\\d+ bytes of ${bytes}`));
    });

  test('--engine on the virtual rung is refused by name', async () => {
    const { status, stderr } = await start(['--rung', 'virtual', '--engine', 'aot', '--readings', '1', ...quick]);
    assert.match(stderr, /--engine aot: .*--rung posix/);
    assert.equal(status, 1);
  });

  for (const [rung, skip, ...engine] of [
    ['virtual', false],
    ['posix', skipUnbuilt(posixBoard)],
    ['posix', skipUnbuilt(compiledBoard), '--engine', 'aot'],
  ] as const)
    test(`${['--rung', rung, ...engine].join(' ')} --json prints a line of JSON a reading, and nothing else`, { skip }, async () => {
      const ended = await start(['--rung', rung, ...engine, '--json', '--readings', '4', ...quick]);
      assert.equal(ended.status, 0, ended.stderr);
      const readings = lines(ended).map((line) => JSON.parse(line));
      assert.deepEqual(shares(readings), [2, 2]);
      for (const { protocol, topic, payload, qos, latency, at } of readings) {
        assert.deepEqual([topic, qos], [topics[protocol], 1]);
        assert.match(payload, /^-?\d+\.\d$/);
        assert.ok(latency >= 0);
        assert.equal(new Date(at).toISOString(), at);
      }
    });

  for (const rung of ['virtual', 'posix'])
    test(`--broker: mosquitto_sub beside it sees the same, on the ${rung} rung`, {
      skip: skipPeers || (rung === 'posix' && skipUnbuilt(posixBoard)),
    }, async (t) => {
      const broker = await startMosquitto();
      t.after(() => broker.stop());
      // Its session is there before the board, so that it misses nothing.
      const beside = ['-p', String(broker.port), '-i', 'beside', '-c', '-q', '1', '-t', 'myhome/#', '-v'];
      assert.equal((await program('mosquitto_sub', [...beside, '-E'])).status, 0);
      const ended = await start(['--rung', rung, '--readings', '6', '--broker', `mqtt://127.0.0.1:${broker.port}`, ...quick]);
      assert.equal(ended.status, 0, ended.stderr);
      const { stdout } = await program('mosquitto_sub', [...beside, '-C', '10', '-W', '10']);
      const seen = String(stdout).trim().split('\n');
      const printed = lines(ended).map(reading);
      for (const [protocol, topic] of Object.entries(topics)) {
        assert.ok(seen.includes(`${topic}/availability online`));
        const readings = seen.filter((line) => line.startsWith(`${topic} `)).slice(0, 3);
        const ours = printed.filter((each) => each.protocol === protocol);
        assert.deepEqual(
          readings,
          ours.map(({ celsius }) => `${topic} ${celsius}`),
        );
      }
    });

  for (const [what, args, expected] of [
    ['given once, the readings over MQTT-SN go below it', ['--topic', 'attic/t'], ['attic/t', 'attic/t/mqtt-sn']],
    ['given twice, it names both', ['--topic', 'attic/t', '--topic', 'cellar/t'], ['attic/t', 'cellar/t']],
  ] as const)
    test(`--topic is where the readings go: ${what}`, async () => {
      const ended = await start(['--rung', 'virtual', '--json', '--readings', '2', ...args, ...quick]);
      assert.equal(ended.status, 0, ended.stderr);
      const topicOf = new Map(lines(ended).map((line) => [JSON.parse(line).protocol, JSON.parse(line).topic]));
      assert.deepEqual([topicOf.get('MQTT'), topicOf.get('MQTT-SN')], expected);
    });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`without --readings it goes on until ${signal}, and then ends in order`, async () => {
      const run = begin(['--rung', 'virtual', ...quick]);
      for (const topic of Object.values(topics)) await run.prints(topic);
      run.child.kill(signal);
      assert.equal((await run.ended).status, 0);
    });

  test('ended after the broker went away, it does not hang', { skip: skipPeers }, async () => {
    const broker = await startMosquitto();
    const run = begin(['--rung', 'virtual', '--broker', `mqtt://127.0.0.1:${broker.port}`, ...quick]);
    for (const topic of Object.values(topics)) await run.prints(topic);
    await broker.stop();
    await run.says(/broker is away/);
    run.child.kill('SIGINT');
    assert.equal((await run.ended).status, 0);
  });

  describe('without a C compiler', () => {
    let directory: string;
    const env = { PATH: '', CC: '' };
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'twobyte-path-'));
      for (const name of ['npm', 'sh', 'tar', 'env']) {
        const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
        symlinkSync(path, join(directory, name));
      }
      symlinkSync(process.execPath, join(directory, 'node'));
      env.PATH = directory;
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    test('it says so, names the package, and runs in V8', async () => {
      const ended = await start(['--readings', '2', ...quick], env);
      assert.equal(ended.status, 0, ended.stderr);
      assert.equal(lines(ended).map(reading).length, 2);
      assert.match(ended.stderr, /needs a C compiler.*apt-get install build-essential.*V8/s);
    });

    test('--rung posix ends with status 1 and says what to install', async () => {
      const ended = await start(['--rung', 'posix', '--readings', '2', ...quick], env);
      assert.deepEqual([ended.status, String(ended.stdout)], [1, '']);
      assert.match(ended.stderr, /needs a C compiler.*apt-get install build-essential/s);
    });

    for (const [rung, packages] of [
      ['posix', /On Debian: apt-get install build-essential cmake make wabt\.\n$/],
      [
        'qemu-rv32',
        /On Debian: apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc cmake make wabt\b.*\.\n$/,
      ],
    ] as const)
      test(`--rung ${rung} --engine aot names all packages at once`, async () => {
        const { status, stderr } = await start(['--rung', rung, '--engine', 'aot', '--readings', '2', ...quick], env);
        assert.match(stderr, packages);
        assert.equal(status, 1);
      });
  });

  const refused: [what: string, args: string[], words: RegExp][] = [
    ['an unknown option', ['--colour'], /--colour/],
    ['a word of no option', ['hello'], /argument/],
    ['no readings', ['--readings', '0'], /readings.*1 or more/s],
    ['readings that are no number', ['--readings', 'some'], /readings.*some/s],
    ['an interval too short', ['--interval', '99'], /interval.*100 or more/s],
    ['a rung that is none', ['--rung', 'moon'], /moon.*posix.*virtual/s],
    ['an address without a scheme', ['--rung', 'virtual', '--broker', '127.0.0.1'], /127\.0\.0\.1.*mqtt:\/\//s],
    ['a thermometer that is none', ['--rung', 'virtual', '--thermometer', 'mercury'], /mercury.*simulated/s],
    ['a topic that is none', ['--rung', 'virtual', '--thermometer', 'simulated:1', '--topic', 'a/#'], /MQTT: .*topic/],
    [
      'a second topic that is none',
      ['--rung', 'virtual', '--thermometer', 'simulated:1', '--topic', 'a', '--topic', '+'],
      /MQTT-SN: .*topic/,
    ],
    ['one topic for both boards', ['--topic', 'a', '--topic', 'a'], /--topic: 'a' stands there twice/],
    ['three topics', ['--topic', 'a', '--topic', 'b', '--topic', 'c'], /--topic: there are two boards/],
    ['a gateway for a broker', ['--broker', 'mqtt-sn://127.0.0.1'], /--broker: .*gateway.*mqtt:\/\//],
  ];
  for (const [what, args, words] of refused)
    test(`${what}: status 1, and a message that names it`, async () => {
      const ended = await start(args);
      assert.match(ended.stderr, words);
      assert.deepEqual([ended.status, String(ended.stdout)], [1, '']);
    });

  test('a broker that cannot be reached: status 1, and a message without the password', async () => {
    const ended = await start(['--rung', 'virtual', '--broker', `mqtt://me:secret@127.0.0.1:${await freePort()}`, ...quick]);
    assert.deepEqual([ended.status, String(ended.stdout)], [1, '']);
    assert.match(ended.stderr, /127\.0\.0\.1:\d+.*nobody listens/s);
    assert.ok(!ended.stderr.includes('secret'), ended.stderr);
  });

  test('--help tells the options', async () => {
    const ended = await start(['--help']);
    assert.equal(ended.status, 0);
    for (const option of ['--readings', '--rung', '--json', '--broker', '--thermometer', '--topic', '--interval'])
      assert.ok(String(ended.stdout).includes(option), option);
  });
});

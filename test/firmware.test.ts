import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Broker, startBroker } from '../host/broker.js';
import { TIMEOUT_OPEN } from '../host/contract.js';
import { sensorModules } from '../host/rungs/rung.js';
import { connected, Heard, Wire, within } from './interop/peers.js';
import { compiledBoard, posixBoard, sanitizedBoard, sensorModule, skipUnbuilt } from './rungs/world.js';

const DEADLINE_MS = 30_000;

interface Ended {
  status: number | string | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. */
function run(path: string, args: readonly string[] = []): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(path, args, { timeout: DEADLINE_MS, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ status: error ? (error.code ?? error.signal ?? null) : 0, stdout, stderr });
    });
  });
}

const sensors = sensorModules.map((name) => join(dirname(sensorModule), `${name}.wasm`));

const builds = [
  ['plain', posixBoard],
  ['with sanitizers', sanitizedBoard],
] as const;

for (const [how, board] of builds)
  describe(`the C tests, built ${how}`, { skip: skipUnbuilt(board), timeout: 60_000 }, () => {
    for (const program of [
      'settings_test',
      'thermometer_test',
      'shell_test',
      'slots_test',
      'update_test',
      'update_psa_test',
      'watchdog_test',
      'garbled_test',
      'framing_test',
      'line_test',
      'line_faults_test',
      'line_upload_test',
      'tcp_test',
      'udp_test',
      'serial_test',
      'links_test',
      'storage_test',
      'nvram_test',
      'kept_settings_test',
      'memory_test',
      'esp_idf_test',
    ])
      test(program, async (t) => {
        const { status, stdout, stderr } = await run(join(dirname(board), program), program === 'garbled_test' ? sensors : []);
        const lines = stdout.split('\n').filter((line) => /^(not )?ok /.test(line));
        for (const line of lines)
          await t.test(line.replace(/^(not )?ok /, '').replace(/: .*/, ''), () => assert.ok(line.startsWith('ok '), line));
        if (stdout === 'missing libmbedtls-dev\n') return t.skip('needs libmbedtls-dev: apt-get install libmbedtls-dev');
        assert.ok(lines.length > 0, stderr);
        assert.deepEqual([status, stderr], [0, '']);
      });
  });

describe('the command line of the posix board', { skip: skipUnbuilt(posixBoard), timeout: 60_000 }, () => {
  let directory: string;
  const file = (name: string) => join(directory, name);
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-firmware-'));
    const module = await readFile(sensorModule);
    await writeFile(file('short.wasm'), module.subarray(0, module.length / 2));
    await writeFile(file('text.wasm'), 'this is no module');
    await writeFile(file('empty.wasm'), '');
    await writeFile(file('foreign'), 'somebody else wrote this');
    await writeFile(file('unknown.conf'), 'topic = a\ncolour = red\n');
    await writeFile(file('form.conf'), 'topic = a\nnonsense\n');
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** What a board needs, with a broker that nobody reaches: it does not get that far. */
  const complete = (module = sensorModule) => [
    ...['--module', module, '--broker', 'mqtt://127.0.0.1:1', '--thermometer', 'simulated:1', '--set', 'topic=a'],
  ];

  test('--help tells the options and ends with status 0', async () => {
    const { status, stdout, stderr } = await run(posixBoard, ['--help']);
    assert.deepEqual([status, stderr], [0, '']);
    for (const option of ['--config', '--set', '--broker', '--thermometer', '--module', '--fallback', '--modules', '--journal'])
      assert.ok(stdout.includes(option), option);
  });

  const cases: [what: string, args: () => string[], words: RegExp][] = [
    ['no settings', () => [], /broker is not set|broker.*not set/],
    ['an unknown option', () => ['--colour', 'red'], /colour/],
    ['an option without its value', () => ['--broker'], /broker/],
    ['a stray word', () => [...complete(), 'hello'], /hello/],
    ['an unknown key', () => [...complete(), '--set', 'colour=red'], /colour.*topic/s],
    ['a setting without =', () => [...complete(), '--set', 'topic'], /key=value/],
    ['a number that is none', () => [...complete(), '--set', 'interval=often'], /interval.*often/],
    ['a module that is missing', () => complete('/nowhere/module.wasm'), /\/nowhere\/module\.wasm.*npm run build/],
    ['a module that is a directory', () => complete(directory), /twobyte-firmware-.*is no file/],
    ['a truncated module', () => complete(file('short.wasm')), /short\.wasm: is cut off/],
    ['a module that is a text', () => complete(file('text.wasm')), /text\.wasm: is no WebAssembly module/],
    ['an empty module', () => complete(file('empty.wasm')), /empty\.wasm is no WebAssembly module: it is empty/],
    ['an unknown thermometer', () => [...complete(), '--thermometer', 'mercury'], /mercury.*simulated/],
    ['a config that is missing', () => ['--config', '/nowhere/board.conf'], /\/nowhere\/board\.conf/],
    ['a config that is a directory', () => ['--config', directory], /twobyte-firmware-.*directory/],
    ['an unknown key in a config', () => ['--config', file('unknown.conf')], /unknown\.conf:2: colour/],
    ['a line of no form in a config', () => ['--config', file('form.conf')], /form\.conf:2: .*nonsense/],
    ['an address of another scheme', () => [...complete(), '--broker', 'mqtts://127.0.0.1'], /mqtts:\/\//],
    ['credentials in the address', () => [...complete(), '--broker', 'mqtt://me:secret@127.0.0.1'], /username and password/],
    ['credentials for a gateway', () => [...complete(), '--broker', 'mqtt-sn://me:secret@127.0.0.1'], /neither user name nor password/],
    ['a serial line without its path', () => [...complete(), '--broker', 'mqtt-sn+serial://ttyUSB0'], /absolute path.*\/dev\/ttyUSB0/],
    ['a baud rate of no terminal', () => [...complete(), '--broker', 'mqtt-sn+serial:///dev/ttyUSB0?baud=1'], /baud rate "1".*115200/],
    ['a protocol beside the address', () => [...complete(), '--set', 'protocol=1'], /protocol: follows from the broker's address/],
    ['a module without a journal', () => [...complete(), '--journal', file('a.journal')], /sensor-mqtt\.wasm: keeps no journal.*-journal/],
    ['a journal that is a directory', () => [...complete(), '--journal', directory], /journal: .*twobyte-firmware-.*is a directory/],
    ['a journal in no directory', () => [...complete(), '--set', 'journal=/nowhere/a'], /journal: \/nowhere\/a: its directory/],
    ['a journal that is another file', () => [...complete(), '--journal', file('foreign')], /journal: .*foreign: is not a journal/],
    ['a journal of no name', () => [...complete(), '--journal', ''], /journal: is empty/],
    ['a value that the module refuses', () => [...complete(), '--set', 'topic=a/#'], /topic/],
  ];
  for (const [what, args, words] of cases)
    for (const [how, board] of builds)
      test(`${what} is refused by name, with status 1: built ${how}`, { skip: skipUnbuilt(board) }, async () => {
        const { status, stderr } = await run(board, args());
        assert.match(stderr, words);
        assert.equal(status, 1, stderr);
        assert.ok(!/secret|Sanitizer|runtime error/.test(stderr), stderr);
      });
});

describe('a board with its modules compiled in', { skip: skipUnbuilt(compiledBoard), timeout: 60_000 }, () => {
  const settings = ['--broker', 'mqtt://127.0.0.1:1', '--thermometer', 'simulated:1', '--set', 'topic=a'];

  test('refuses another module by name, and says which it has and what to do', async () => {
    const { status, stderr } = await run(compiledBoard, ['--module', 'build/toaster.wasm', ...settings]);
    assert.match(stderr, /build\/toaster\.wasm: no module of this name is compiled in/);
    assert.match(stderr, /has sensor-mqtt, .*node compiled in; a board with wasm3 takes any module/);
    assert.equal(status, 1);
  });

  test('refuses a module whose name only begins like one of its own', async () => {
    const { status, stderr } = await run(compiledBoard, ['--module', 'sensor-mqtt.wasm2', ...settings]);
    assert.match(stderr, /no module of this name/);
    assert.equal(status, 1);
  });

  test('says what the module refuses', async () => {
    const { status, stderr } = await run(compiledBoard, ['--module', 'sensor-mqtt', ...settings, '--set', 'topic=a/#']);
    assert.match(stderr, /topic/);
    assert.equal(status, 1);
  });

  test('does not read the file of its module', async (t) => {
    const child = spawn(compiledBoard, ['--module', '/nowhere/sensor-mqtt.wasm', ...settings]);
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'close');
    const events = new Heard<{ event: string; heap?: number; allocations?: number }>();
    createInterface({ input: child.stdout }).on('line', (line) => events.add(JSON.parse(line)));
    child.stderr.resume();
    await events.until((all) => all.some(({ event }) => event === 'reading'), 'a reading');
    const [started] = events.all;
    assert.ok(started?.heap && started.heap <= 16 * 1024, `${started?.heap} bytes`);
    assert.equal(started.allocations, 0);
    child.kill('SIGTERM');
    const [status] = await within(ended, 'the end of the board');
    assert.equal(status, 0);
  });
});

describe('a board whose names nobody resolves', { skip: skipUnbuilt(posixBoard), timeout: 60_000 }, () => {
  let broker: Broker;
  before(async () => {
    broker = await startBroker();
  });
  after(() => broker.close());

  const start = (t: TestContext, module: string, addresses: string) => {
    const settings = ['topic=deaf/t', 'interval=100', 'client_id=deaf', 'reconnect_min=10', 'connect_timeout=200'];
    const child = spawn(
      posixBoard,
      [
        ...['--module', join(dirname(sensorModule), `${module}.wasm`), '--broker', addresses, '--thermometer', 'simulated:1'],
        ...settings.flatMap((setting) => ['--set', setting]),
      ],
      { env: { ...process.env, LD_PRELOAD: join(dirname(posixBoard), 'libdeaf_resolver.so') } },
    );
    t.after(() => child.kill('SIGKILL'));
    const events = new Heard<string>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { event, a } = JSON.parse(line);
      events.add(`${event} ${a}`);
    });
    child.stderr.resume();
    return { child, events, ended: once(child, 'close') };
  };
  const count = (all: readonly string[], event: string) => all.filter((told) => told === event).length;

  for (const [module, scheme] of [
    ['sensor-mqtt', 'mqtt'],
    ['sensor-mqttsn', 'mqtt-sn'],
  ] as const)
    test(`a lookup without an answer ends by the deadline of the connection, is tried again, and holds nothing up: ${scheme}`, async (t) => {
      const { child, events, ended } = start(t, module, `${scheme}://broker.example`);
      await events.until((all) => count(all, `timeout ${TIMEOUT_OPEN}`) >= 3, 'three attempts');
      await events.until((all) => all.filter((told) => told.startsWith('reading')).length >= 3, 'readings meanwhile');
      child.kill('SIGTERM');
      const [status] = await within(ended, 'the end of the board');
      assert.equal(status, 0);
      assert.equal(count(events.all, 'stopped 0'), 1);
    });

  test('it does not keep the board from the next broker', async (t) => {
    const { child, events, ended } = start(t, 'sensor-mqtt', `mqtt://broker.example ${broker.url}`);
    await events.until((all) => count(all, 'connected 0') === 1, 'the second broker');
    assert.ok(count(events.all, `timeout ${TIMEOUT_OPEN}`) >= 1); // a busy machine may be late with the second as well
    child.kill('SIGTERM');
    const [status] = await within(ended, 'the end of the board');
    assert.equal(status, 0);
  });
});

describe('the board with sanitizers', { skip: skipUnbuilt(sanitizedBoard), timeout: 60_000 }, () => {
  let broker: Broker;
  before(async () => {
    broker = await startBroker();
  });
  after(() => broker.close());

  const kinds: [what: string, args: () => Promise<string[]>][] = [
    ['without a journal', async () => ['--module', sensorModule]],
    [
      'with a journal',
      async () => {
        const directory = await mkdtemp(join(tmpdir(), 'twobyte-firmware-'));
        after(() => rm(directory, { recursive: true, force: true }));
        return ['--module', sensorModule.replace('.wasm', '-journal.wasm'), '--journal', join(directory, 'board.journal')];
      },
    ],
  ];
  for (const [what, args] of kinds)
    test(`publishes, obeys, loses its broker and ends without a report, ${what}`, async (t) => {
      const wire = await Wire.to(t, Number(new URL(broker.url).port));
      const { client, messages } = await connected(t, broker.url);
      await client.subscribeAsync('sanitized/#', { qos: 2 });
      const settings = ['topic=sanitized/t', 'qos=2', 'interval=100', 'availability_topic=sanitized/a', 'command_topic=sanitized/set'];
      const child = spawn(sanitizedBoard, [
        ...(await args()),
        ...['--broker', `mqtt://127.0.0.1:${wire.port}`, '--thermometer', 'simulated:7'],
        ...[...settings, 'client_id=sanitized', 'reconnect_min=10'].flatMap((setting) => ['--set', setting]),
      ]);
      t.after(() => child.kill('SIGKILL'));
      const ended = once(child, 'close');
      const events = new Heard<string>();
      createInterface({ input: child.stdout }).on('line', (line) => events.add(JSON.parse(line).event));
      const tells = (name: string, count = 1) => events.until((all) => all.filter((event) => event === name).length >= count, name);
      let stderr = '';
      child.stderr.on('data', (text) => {
        stderr += text;
      });
      await tells('subscribed');
      for (const command of ['often', 'x'.repeat(5000), '100']) await client.publishAsync('sanitized/set', command, { qos: 2 });
      await tells('interval_changed');
      await messages.until((all) => all.filter(({ topic }) => topic === 'sanitized/t').length >= 3, 'readings');
      wire.cut();
      await tells('connected', 2);
      child.kill('SIGTERM');
      const [status] = await within(ended, 'the end of the board');
      assert.equal(status, 0, stderr);
      assert.ok(!/Sanitizer|runtime error/.test(stderr), stderr);
    });
});

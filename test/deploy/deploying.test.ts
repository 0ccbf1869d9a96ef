import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { DeployFault } from '../../host/deploy/deployment.js';
import { makeKeys } from '../../host/deploy/keys.js';
import { start, twobyte } from '../cli/cli.js';
import { posixBoard, rungs, sanitizedBoard, sensorModule } from '../rungs/world.js';
import { choosy, levitating, silent, trapping } from './modules.js';
import { Bench, nodeModule, QuickBroker, skipUnverifying } from './world.js';

const sensor = () => readFileSync(sensorModule);

for (const name of ['virtual', 'posix', 'sanitized'] as const) {
  const { start: rung, skip: unbuilt } = rungs[name];
  const skip = unbuilt || (name === 'virtual' ? false : skipUnverifying(name === 'posix' ? posixBoard : sanitizedBoard));
  describe(`a module deployed over MQTT to a board on ${name}`, { skip, timeout: 60_000 }, () => {
    let broker: QuickBroker;
    before(async () => {
      broker = await QuickBroker.open();
    });
    after(() => broker.close());
    const bench = (t: ConstructorParameters<typeof Bench>[0]) => new Bench(t, broker, `${name} ${t.name}`);

    test('runs when it has reached its broker, also after a reset, and is followed by the next', async (t) => {
      const here = bench(t);
      const board = await here.board(rung);
      const told: number[] = [];
      const words = await here.deploys(here.signed(nodeModule(), { version: 5 }), { progress: (bytes) => told.push(bytes) });
      assert.equal(words, 'node-mqtt version 5 runs, on trial for a minute');
      assert.ok(told.length > 40 && told.every((bytes, i) => i === 0 || bytes > (told[i - 1] ?? 0)), String(told));
      await board.tells('connected', 2);
      await board.kill();
      await board.start(rung, here.settings());
      await board.tells('connected', 3);
      // It is the deployed one: the same version is known to run.
      assert.match(await here.deploys(here.signed(nodeModule(), { version: 5 })), /version 5 runs/);
    });

    const refused: [what: string, file: (here: Bench) => Uint8Array, words: RegExp][] = [
      ['a bad signature', (here) => here.signed(nodeModule(), {}, makeKeys(here.file('others'))), /signature is not of the key/],
      ['another boundary version', (here) => here.signed(nodeModule(), { boundary: 2 }), /boundary version 2, this board has 1/],
      ['an unknown import', (here) => here.signed(levitating()), /imports levitate, which this board does not have/],
      ['no WebAssembly', (here) => here.signed(Buffer.from('this is no module')), /no WebAssembly/],
      ['too many bytes', (here) => here.signed(Buffer.alloc(131_000)), /has 131000 bytes, this board takes 1 to 130928/],
    ];
    for (const [what, file, words] of refused)
      test(`is refused with ${what}, and the reason is published`, async (t) => {
        const here = bench(t);
        const board = await here.board(rung);
        await assert.rejects(here.deploys(file(here)), (error: Error) => error instanceof DeployFault && words.test(error.message));
        assert.equal(board.count('connected'), 1);
      });

    test('is refused when it is older than what runs, or another of the same version', async (t) => {
      const here = bench(t);
      await here.board(rung);
      await here.deploys(here.signed(nodeModule(), { version: 5 }));
      await assert.rejects(here.deploys(here.signed(nodeModule(), { version: 4 })), /version 4 is older than 5/);
      await assert.rejects(here.deploys(here.signed(sensor(), { version: 5 })), /version 5 runs, and is another module/);
    });

    test('is refused by a board without a key', async (t) => {
      const here = bench(t);
      const board = await here.board(rung, {}, 'public_key');
      await assert.rejects(here.deploys(here.signed(nodeModule())), /given no public_key/);
      assert.equal(board.count('connected'), 1);
    });

    test('is refused by a board without a place for it', async (t) => {
      const here = bench(t);
      const { modules: _, public_key: __, ...settings } = here.settings();
      await here.started(rung, settings);
      await assert.rejects(here.deploys(here.signed(nodeModule())), /this board takes no new modules/);
    });

    const left: [what: string, module: () => Uint8Array, words: RegExp][] = [
      ['never reaches its broker', silent, /version 7 was left: did not reach its broker within 1 s/],
      ['traps', trapping, /version 7 was left: .*(trap|unreachable)/i],
      ['does not take its settings', choosy, /version 7 was left: .*does not start/],
    ];
    for (const [what, module, words] of left)
      test(`is left when it ${what}, and the one before tells why`, async (t) => {
        const here = bench(t);
        const board = await here.board(rung, { update_trial: 1000 });
        await assert.rejects(here.deploys(here.signed(module(), { version: 7 })), words);
        await board.tells('connected', 2);
        // A good one of that number may follow.
        assert.match(await here.deploys(here.signed(nodeModule(), { version: 7 })), /version 7 runs/);
      });

    test('goes on where it was when the board was reset, and when the broker was away', async (t) => {
      const here = bench(t);
      const board = await here.board(rung);
      const told: number[] = [];
      let board_ = Promise.resolve();
      const words = await here.deploys(here.signed(nodeModule(), { version: 2 }), {
        progress(bytes) {
          told.push(bytes);
          if (told.length === 15) board_ = board.kill().then(() => board.start(rung, here.settings()));
          if (told.length === 30) void broker.cut().then(() => broker.listen());
        },
      });
      await board_;
      assert.match(words, /version 2 runs/);
      assert.equal(told.filter((bytes) => bytes === 0).length, 1, `from the beginning again: ${told}`);
      assert.ok(
        told.every((bytes, i) => i === 0 || bytes > (told[i - 1] ?? 0) - 600),
        String(told),
      );
    });
  });
}

describe('twobyte deploy', { timeout: 60_000 }, () => {
  let broker: QuickBroker;
  before(async () => {
    broker = await QuickBroker.open();
  });
  after(() => broker.close());

  test('signs, deploys, is broken off and goes on, and its status tells', async (t) => {
    const here = new Bench(t, broker, t.name);
    const board = await here.board(rungs.virtual.start);
    const to = ['--key', here.keys.privateKey, '--broker', broker.url, '--topic', here.topic, '--repeat', '0.5'];
    const first = start(['deploy', 'node-mqtt', '--version', '9', ...to]);
    await first.says(/\d{4} of \d+ bytes/);
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).status, 143);
    const second = await twobyte(['deploy', 'node-mqtt', '--version', '9', ...to]);
    assert.equal(second.status, 0, second.stderr);
    assert.doesNotMatch(second.stderr, / 0 of /);
    assert.match(second.stderr, /version 9 is kept and starts\n.*node-mqtt version 9 runs/);
    await board.tells('connected', 2);
    const third = await twobyte(['deploy', 'node-mqtt', '--version', '3', ...to]);
    assert.equal(third.status, 1);
    assert.match(third.stderr, /the board refuses the module: version 3 is older than 9/);
  });

  test('gives up when no board answers, and says what to look at', async (t) => {
    const here = new Bench(t, broker, t.name);
    const to = ['--key', here.keys.privateKey, '--broker', broker.url, '--topic', 'nobody/here', '--repeat', '0.2', '--timeout', '1'];
    const { status, stderr } = await twobyte(['deploy', 'node-mqtt', ...to]);
    assert.equal(status, 1);
    assert.match(stderr, /nothing was heard of the board for \d+ s: is the board connected, with this topic as its update_topic\?/);
  });

  test('only signs with --out, and sends what is signed already as it is', async (t) => {
    const here = new Bench(t, broker, t.name);
    await here.board(rungs.virtual.start);
    const out = here.file('signed');
    const made = await twobyte(['deploy', 'node-mqtt', '--key', here.keys.privateKey, '--version', '6', '--name', 'mine', '--out', out]);
    assert.equal(made.status, 0, made.stderr);
    const { status, stderr } = await twobyte(['deploy', out, '--broker', broker.url, '--topic', here.topic]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /mine version 6 runs/);
  });

  const bad: [what: string, args: (here: Bench) => string[], words: RegExp][] = [
    ['no module of that name', () => ['nowhere'], /cannot read 'nowhere': there is no such file/],
    ['a text in place of a module', (here) => [here.file('text')], /text': the module is cut off or no WebAssembly/],
    ['a module with an unknown import', (here) => [here.file('levitating.wasm')], /imports levitate/],
    ['a signed module that is cut off', (here) => [here.file('cut')], /cut': the file is cut off/],
    ['no key', () => ['node-mqtt'], /--key: the private key that signs the module is missing/],
    ['a key that is missing', () => ['node-mqtt', '--key', '/nowhere/key.pem'], /--key: cannot read '\/nowhere\/key\.pem'/],
    ['a version of a signed module', (here) => [here.file('whole'), '--version', '2'], /--version: .*is signed already/],
    ['a version that is none', () => ['node-mqtt', '--version', '0'], /--version.*whole number from 1/],
    ['a name too long', (here) => ['node-mqtt', '--key', here.keys.privateKey, '--name', 'x'.repeat(17)], /has over 16 bytes/],
    [
      'no port with a board',
      (here) => ['node-mqtt', '--key', here.keys.privateKey],
      /name it with --port|name one with --port|name the port with --port/,
    ],
    [
      'a broker with its options of other commands',
      (here) => [here.file('whole'), '--broker', 'http://a', '--topic', 'c'],
      /error: --broker: address 'http:\/\/a'/,
    ],
    [
      'TLS options without TLS',
      (here) => [here.file('whole'), '--broker', 'mqtt://127.0.0.1', '--topic', 'c', '--cafile', '/nowhere'],
      /--cafile/,
    ],
    ['a broker without a topic', (here) => [here.file('whole'), '--broker', 'mqtt://127.0.0.1'], /--topic: .*is missing/],
    ['a topic with a wildcard', (here) => [here.file('whole'), '--broker', 'mqtt://127.0.0.1', '--topic', 'a/#'], /--topic 'a\/#'/],
  ];
  for (const [what, args, words] of bad)
    test(`refuses ${what} by name, with status 1`, async (t) => {
      const here = new Bench(t, broker, t.name);
      writeFileSync(here.file('text'), 'no module');
      writeFileSync(here.file('levitating.wasm'), levitating());
      const whole = here.signed(nodeModule());
      writeFileSync(here.file('whole'), whole);
      writeFileSync(here.file('cut'), whole.subarray(0, 400));
      const { status, stderr } = await twobyte(['deploy', ...args(here)]);
      assert.match(stderr, words);
      assert.equal(status, 1);
    });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { makeKeys, publicBytes, readPrivateKey } from '../../host/deploy/keys.js';
import { CHUNK_BYTES, encodeChunk, encodeOffer } from '../../host/deploy/messages.js';
import { HEADER_BYTES, signModule } from '../../host/deploy/module-file.js';
import { ModuleStore } from '../../host/deploy/module-store.js';
import { Receiver } from '../../host/deploy/receiver.js';
import { ModuleLife } from '../../host/rungs/module-life.js';
import { startVirtual } from '../../host/rungs/virtual.js';
import { Heard } from '../interop/peers.js';
import { obedient, silent, stubborn, trapping, trappingAtStop, trappingLater } from './modules.js';

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-life-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A place for modules, and a way to put a whole one there. */
function receiverOf(t: TestContext, trialMs = 120_000) {
  const key = readPrivateKey(makeKeys(temporary(t)).privateKey);
  const receiver = new Receiver({ store: new ModuleStore(), publicKey: publicBytes(key), trialMs });
  const deploys = (module: Uint8Array, version: number) => {
    const file = signModule(module, { version, name: 'm', boundary: 1 }, key);
    receiver.take(encodeOffer(file.subarray(0, HEADER_BYTES)));
    for (let at = 0; at < module.length; at += CHUNK_BYTES) receiver.take(encodeChunk(at, module.subarray(at, at + CHUNK_BYTES)));
    assert.ok(receiver.complete);
  };
  return { receiver, deploys };
}

function lifeOf(module: Uint8Array, receiver?: Receiver, heard: (event: string) => void = () => {}) {
  const events = new Heard<string>();
  const words: string[] = [];
  const failures: string[] = [];
  let overs = 0;
  let tell = (_: string) => {};
  const failed = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const life = new ModuleLife({
    module: new WebAssembly.Module(Buffer.from(module)),
    receiver,
    board: { links: [] },
    listener: {
      event({ event }) {
        events.add(event);
        heard(event);
      },
      says: (line) => words.push(line),
      failed({ message }) {
        failures.push(message);
        tell(message);
      },
    },
    over: () => overs++,
  });
  return { life, events, words, failures, failed, overs: () => overs };
}

const starts = (events: Heard<string>) => events.all.filter((event) => event === 'connected').length;

describe('the life of modules', { timeout: 20_000 }, () => {
  test('ends in order, once, for all who wait', async () => {
    const { life, events, failures, overs } = lifeOf(obedient());
    life.start();
    await Promise.all([life.stop(), life.stop()]);
    await life.stop();
    life.cut();
    assert.deepEqual([events.all.at(-1), overs(), failures], ['stopped', 1, []]);
  });

  test('ends also when the module traps in the step after its stop, or in its stop', async () => {
    for (const module of [trappingAtStop('step'), trappingAtStop('stop')]) {
      const { life, words, failures, overs } = lifeOf(module);
      life.start();
      await life.stop();
      assert.match(words.join(), /trapped/);
      assert.deepEqual([overs(), failures], [1, []]);
    }
  });

  test('starts no other module when the deployed one traps at its end', async (t) => {
    const { receiver, deploys } = receiverOf(t);
    deploys(trappingAtStop('step'), 2);
    const { life, events, overs } = lifeOf(obedient(), receiver);
    life.start();
    await life.stop();
    await turn();
    assert.deepEqual([starts(events), overs()], [1, 1]);
    assert.notEqual(receiver.next()?.length, trappingAtStop('step').length); // it was left
  });

  for (const end of ['cut', 'stop'] as const)
    test(`starts no other module when ${end} comes between the farewell of one and the next`, async (t) => {
      const { receiver, deploys } = receiverOf(t);
      let ended: Promise<void> | undefined;
      const { life, events, overs } = lifeOf(obedient(), receiver, (event) => {
        if (event === 'stopped') ended = Promise.resolve(life[end]());
      });
      life.start();
      deploys(obedient(), 2);
      await events.until((all) => all.includes('stopped'), 'the farewell', 5000);
      await ended;
      await turn();
      await turn();
      assert.deepEqual([starts(events), overs()], [1, 1]);
    });

  test('breaks off while a module takes its time to say farewell', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { receiver, deploys } = receiverOf(t);
    const { life, events, overs } = lifeOf(stubborn(), receiver);
    life.start();
    deploys(obedient(), 2);
    t.mock.timers.tick(100);
    assert.ok(events.all.includes('timeout')); // it was told to stop
    const ended = life.stop();
    life.cut();
    await ended;
    t.mock.timers.tick(10_000);
    assert.deepEqual([starts(events), overs()], [1, 1]);
  });

  test('goes on with the next, and with the one before when that traps or is late', async (t) => {
    for (const [module, why] of [
      [trapping(), /trapped in a step/],
      [silent(), /did not reach its broker within 1 s/],
    ] as const) {
      const { receiver, deploys } = receiverOf(t, 50);
      const { life, events, words } = lifeOf(obedient(), receiver);
      life.start();
      deploys(module, 2);
      await events.until((all) => all.filter((event) => event === 'connected').length === 2, 'the one before again', 5000);
      assert.match(words.join(), why);
      await life.stop();
    }
  });

  test('goes on with a new module also when the one before traps at its end', async (t) => {
    const { receiver, deploys } = receiverOf(t);
    const { life, events, failures } = lifeOf(trappingAtStop('step'), receiver);
    life.start();
    deploys(obedient(), 2);
    await events.until((all) => all.filter((event) => event === 'connected').length === 2, 'the new one', 5000);
    await life.stop();
    assert.deepEqual(failures, []);
  });

  test('is over, and tells it, when the module that the board came with traps', async (t) => {
    const { life, failed, overs } = lifeOf(trappingLater(), receiverOf(t).receiver);
    life.start();
    assert.match(await failed, /the module trapped in a step/);
    assert.equal(overs(), 1);
    await life.stop(); // there is nothing to wait for
  });
});

describe('settings of a board in software', () => {
  for (const trial of [0, -1, 'soon', '1.5', 2 ** 31])
    test(`update_trial = ${trial} is refused`, async (t) => {
      const directory = temporary(t);
      const module = join(directory, 'm.wasm');
      writeFileSync(module, obedient());
      const settings = { broker: 'mqtt://127.0.0.1:1', thermometer: 'simulated:1', modules: join(directory, 'modules'), module };
      await assert.rejects(
        startVirtual({ ...settings, update_trial: trial }, { event() {}, says() {}, failed() {} }),
        /setting 'update_trial': '.*' is none; update_trial is a time in ms, at least 1/,
      );
    });
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { BoardConsole, type ConsoleEvent, UploadRefused } from '../../host/console/console.js';
import { slotImage } from '../../host/deploy/slot-image.js';
import { bareMachine } from '../../host/rungs/qemu.js';
import { type FlashContents, flashImage } from '../../host/rungs/qemu-flash.js';
import { wayTo } from '../bridge/board-end.js';
import { connected, Heard } from '../interop/peers.js';
import { emulatedBoards, rungs, sensorModule } from '../rungs/world.js';
import { eventOf, settingsText } from './board.js';

/** Emulated boards of one test that share their memory: each takes the place of the one before. */
function machines(t: TestContext, broker: string) {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-emulated-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [flash, memory] = [join(directory, 'flash'), join(directory, 'memory')];
  return async (contents: Partial<FlashContents> = {}) => {
    writeFileSync(flash, flashImage({ module: slotImage(readFileSync(sensorModule), 1), seed: Buffer.from('seed'), ...contents }));
    const machine = await bareMachine(join(emulatedBoards, 'twobyte-rv32'), flash, memory);
    const events = new Heard<ConsoleEvent>();
    const says = new Heard<string>();
    const console = await BoardConsole.open({ duplex: machine.uart }, { brokers: [wayTo(broker)] });
    console.on('event', (event) => events.add(event));
    console.on('says', (line) => says.add(line));
    t.after(async () => {
      await machine.kill();
      await console.close();
    });
    return { ...machine, console, events, says };
  };
}

const THERMOMETER = { thermometer: 'simulated:1' };

describe('the console of the emulated board', { skip: rungs['qemu-rv32'].skip, timeout: 120_000 }, () => {
  test('without settings it waits; those that a host brings outlive its resets and its end, and overrule the flash', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const observer = await connected(t, broker.url);
    await observer.client.subscribeAsync('#');
    const board = machines(t, broker.url);
    const { console, events, kill } = await board();
    assert.deepEqual(await console.describe(), {
      ...{ board: 'qemu-rv32', chip: 'rv32', firmware: '0.1.0', boundary: 1, module: '', version: 0, settings: false },
    });
    await eventOf(events, 'unconfigured');
    const refused = (text: Buffer, words: RegExp) =>
      assert.rejects(console.upload('settings', text), (error) => error instanceof UploadRefused && words.test(error.message));
    await refused(Buffer.from('topic = a\nbroker = mqtt://host\n'), /^settings:2: broker: this board reaches a broker over its line only/);
    await refused(settingsText({ broker: 'mqtt+line://', topic: 'a' }), /they name no thermometer/);
    await refused(Buffer.alloc(40_000, 'x'), /keeps at most 16368/);
    await console.upload('settings', settingsText({ ...THERMOMETER, broker: 'mqtt+line://desk', topic: 'brought' }));
    await console.command('restart');
    await eventOf(events, 'connected');
    await observer.messages.until((all) => all.some(({ topic }) => topic === 'brought'), 'a reading');
    assert.equal((await console.describe()).settings, true);
    await kill();
    const flashed = settingsText({ ...THERMOMETER, broker: 'mqtt+line://desk', topic: 'flashed' });
    const again = await board({ settings: flashed });
    const { length } = observer.messages.all;
    await eventOf(again.events, 'connected');
    await observer.messages.count(length + 1);
    assert.ok(observer.messages.all.every(({ topic }) => topic === 'brought'));
    await again.console.command('stop');
    assert.equal(await again.exited, 'status 0');
  });

  test('those that the module refuses leave it waiting for others; the flash’s end it, as ever', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const board = machines(t, broker.url);
    const wrong = settingsText({ ...THERMOMETER, broker: 'mqtt+line://', topic: 'a/+' });
    const { exited } = await board({ settings: wrong });
    assert.equal(await exited, 'status 1');
    const { console, events, says } = await board({ settings: settingsText({ ...THERMOMETER, broker: 'mqtt+line://', topic: 'a' }) });
    await eventOf(events, 'connected');
    await console.upload('settings', wrong);
    await console.command('restart');
    await says.until((all) => all.some((line) => line.includes('does not start with these settings')), 'the words');
    await eventOf(events, 'unconfigured');
    await console.upload('settings', settingsText({ ...THERMOMETER, broker: 'mqtt+line://', topic: 'b' }));
    const { length } = events.all;
    await console.command('restart');
    await eventOf(events, 'connected', length);
  });
});

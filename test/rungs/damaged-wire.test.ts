import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { type Broker, startBroker } from '../../host/broker.js';
import { type EmbeddedGateway, startGateway } from '../../host/gateway/embedded.js';
import { connection } from '../../host/hil/ground.js';
import { qemuRung } from '../../host/rungs/qemu.js';
import type { BoardEvent } from '../../host/rungs/rung.js';
import { Damage } from '../bridge/damage.js';
import { connected, Heard, ownTopic } from '../interop/peers.js';
import { emulatedBoards, rungs } from './world.js';

/** The board says more than it hears: events, and lines for people. */
const EACH_TO_BOARD = 4;
const EACH_FROM_BOARD = 8;
const READINGS = 30;
const LONG_MS = 40_000;

/** A wire on which a bit of each so many frames flips, of each direction; not of the first ones, so that there is something to lose. */
function noisy() {
  const chosen = (each: number) => (frame: number) => frame >= 8 && frame % each === 0;
  const toBoard = new Damage('flipped', chosen(EACH_TO_BOARD));
  const fromBoard = new Damage('flipped', chosen(EACH_FROM_BOARD));
  const wire = (uart: Duplex) => {
    toBoard.pipe(uart).pipe(fromBoard);
    uart.once('close', () => toBoard.destroy());
    uart.on('error', () => {});
    return Duplex.from({ readable: fromBoard, writable: toBoard });
  };
  return { wire, toBoard, fromBoard };
}

describe('the emulated board on a wire that flips bits', { skip: rungs['qemu-rv32'].skip, timeout: 120_000 }, () => {
  let broker: Broker;
  let gateway: EmbeddedGateway;
  let directory: string;
  const logins: string[] = [];
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-noisy-'));
    await writeFile(join(directory, 'counting.csv'), Array.from({ length: 400 }, (_, i) => `${i},${i}\n`).join(''));
    broker = await startBroker({
      authenticate: (client, _username, _password, done) => {
        logins.push(client.id);
        done(null, true);
      },
    });
    gateway = await startGateway(broker.url, { connection });
  });
  after(async () => {
    await gateway.close();
    await broker.close();
    await rm(directory, { recursive: true, force: true });
  });

  // With a journal readings wait where four losses in a row hold the stream up for seconds.
  const protocols = [
    ['MQTT', () => broker.url, 'sensor-mqtt-journal'],
    ['MQTT-SN', () => gateway.url, 'sensor-mqttsn-journal'],
  ] as const;
  for (const [protocol, address, module] of protocols)
    test(`over ${protocol} every reading arrives in order, on the same connection, and the frames are counted`, async (t) => {
      const topic = ownTopic();
      const { client, messages } = await connected(t, broker.url);
      await client.subscribeAsync(topic, { qos: 2 });
      const { wire, toBoard, fromBoard } = noisy();
      const events = new Heard<BoardEvent>();
      const name = `noisy-${protocol}`;
      const settings = { module, client_id: name, topic, qos: 1, interval: 200, retry_interval: 150, retries: 10, keep_alive: 2 };
      const board = await qemuRung(emulatedBoards, 'wasm3', { wire })(
        { broker: address(), thermometer: `replay:${join(directory, 'counting.csv')}`, ...settings },
        { event: (event) => events.add(event), says: () => {}, failed: (error) => events.fail(error) },
      );
      t.after(() => board.kill());
      const heard = (await messages.count(READINGS, LONG_MS)).map(({ payload }) => Number.parseFloat(String(payload)));
      // At QoS 1 a datagram whose acknowledgement was lost comes twice.
      const once = protocol === 'MQTT' ? heard : heard.filter((value, i) => value !== heard[i - 1]);
      assert.deepEqual(
        once,
        once.map((_, i) => i),
      );
      const bad = board.badFrames;
      assert.ok(toBoard.harmed >= 5 && fromBoard.harmed >= 5, `${toBoard.harmed} and ${fromBoard.harmed} frames harmed`);
      assert.ok(bad >= 5, `${bad} bad frames`);
      assert.equal(logins.filter((id) => id === name).length, 1, 'one connection');
      const over = events.all.filter(({ event }) => event === 'link_closed' || event === 'reading_dropped');
      assert.deepEqual(over, []);
    });
});

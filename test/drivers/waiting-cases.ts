import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import mqttPacket from 'mqtt-packet';
import {
  CONFIG_BUFFERED_TOPIC,
  CONFIG_QOS,
  ERROR_CONFIG_MISSING,
  EVENT_FLUSHED,
  EVENT_MEASURED,
  EVENT_READING,
  EVENT_READING_BUFFERED,
  EVENT_READING_DROPPED,
  EVENT_RESTORED,
} from '../../host/contract.js';
import { Sht3x } from '../../host/devices/sht3x.js';
import type { LinkListener, OpenLink } from '../../host/links/link.js';
import { MemoryStorage } from '../../host/storage.js';
import { World } from './world.js';

/** A broker that accepts all once it is there. */
class Broker {
  readonly heard: string[] = [];
  isThere = false;
  #listener: LinkListener | undefined;
  #said: Buffer[] = [];

  readonly link: OpenLink = (listener) => {
    this.#listener = listener;
    const parser = mqttPacket.parser();
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') this.#says({ cmd: 'connack', returnCode: 0, sessionPresent: false });
      if (packet.cmd !== 'publish') return;
      this.heard.push(`${packet.topic} ${packet.payload}`);
      if (packet.qos === 1) this.#says({ cmd: 'puback', messageId: packet.messageId ?? 0 });
    });
    return {
      send: (bytes) => {
        parser.parse(Buffer.from(bytes));
        return bytes.length;
      },
      pause() {},
      resume() {},
      close: () => {
        this.#listener = undefined;
      },
    };
  };

  #says(packet: mqttPacket.Packet): void {
    this.#said.push(mqttPacket.generate(packet));
  }

  /** Comes, and hands over what it said, until nothing more is said. */
  comes(): void {
    if (!this.isThere) this.#listener?.opened();
    this.isThere = true;
    for (let said = this.#said.shift(); said; said = this.#said.shift()) this.#listener?.received(said);
  }
}

const SETTINGS = ['sht3x temperature room/t', '', 'sht3x humidity room/h'];

function away(more: Readonly<Record<number, string | number>> = {}, readings = SETTINGS, storage = new MemoryStorage()) {
  const broker = new Broker();
  const world = new World();
  const sensor = new Sht3x({ temperature: 20, humidity: 50 });
  world.i2c.attach(0x44, sensor);
  world.link = broker.link;
  world.storage = storage;
  world.start(readings, { [CONFIG_QOS]: 1, ...more });
  return { broker, world, sensor, storage };
}

const codes = (world: World) => world.events.filter(([code]) => code >= EVENT_READING).map(([code, a]) => [code, a]);

describe('readings that wait', () => {
  test('go to the topic of the reading that they are of, with their time', () => {
    const { broker, world } = away();
    world.clock.advance(20_100);
    assert.deepEqual(world.told, ['1: 20.001', '3: 50.001', '1: 20.001', '3: 50.001', '1: 20.001', '3: 50.001']);
    broker.comes();
    assert.equal(broker.heard.length, 6);
    assert.deepEqual(
      broker.heard.map((said) => said.replace(/ \d{10}$/, ' time')),
      ['room/t 20.0', 'room/h 50.0', 'room/t 20.0 time', 'room/h 50.0 time', 'room/t 20.0 time', 'room/h 50.0 time'],
    );
    // Each event of a reading follows the one that says which it is.
    const all = codes(world);
    for (const [at, [code]] of all.entries())
      if (code === EVENT_READING || code === EVENT_READING_BUFFERED) assert.equal(all[at - 1]?.[0], EVENT_MEASURED);
  });

  test('have a topic each below buffered_topic: its number is a level more', () => {
    const { broker, world } = away({ [CONFIG_BUFFERED_TOPIC]: 'late' });
    world.clock.advance(10_100);
    broker.comes();
    assert.deepEqual(
      broker.heard.map((said) => said.replace(/ \d{10}$/, ' time')),
      ['room/t 20.0', 'room/h 50.0', 'late/1 20.0 time', 'late/3 50.0 time'],
    );
    broker.comes();
    world.clock.advance(10_000);
    assert.deepEqual(broker.heard.slice(4), ['room/t 20.0', 'room/h 50.0']);
  });

  test('the only reading of a board without reading_n has no number behind buffered_topic', () => {
    const { broker, world } = away({ [CONFIG_BUFFERED_TOPIC]: 'late', 14: 'a' }, []);
    world.thermometers.push(() => 1_000);
    world.clock.advance(20_100);
    broker.comes();
    assert.deepEqual(
      broker.heard.map((said) => said.replace(/ \d{10}$/, ' time')),
      ['a 1.0', 'late 1.0 time'],
    );
  });

  test('outlive a power cut with what they are of; one whose setting is gone is dropped, with an event', () => {
    const { world, storage } = away();
    world.clock.advance(10_100);
    world.board?.halt();
    const later = away({}, ['', 'adc:3 value other'], storage);
    later.world.clock.advance(100);
    assert.deepEqual(
      later.world.events.filter(([code]) => code === EVENT_RESTORED),
      [[EVENT_RESTORED, 2, 2]],
    );
    later.broker.comes();
    assert.deepEqual(later.broker.heard, ['room/t 20.0', 'room/h 50.0']);
    assert.deepEqual(
      later.world.events.filter(([code]) => code === EVENT_READING_DROPPED),
      [1, 2].map((count) => [EVENT_READING_DROPPED, ERROR_CONFIG_MISSING, count]),
    );
  });

  test('last words wait for a measurement that began', () => {
    const { broker, world } = away();
    world.clock.advance(100);
    broker.comes();
    broker.comes();
    world.clock.advance(9_900);
    world.board?.module.flush(1_000);
    world.board?.step();
    assert.ok(!world.events.some(([code]) => code === EVENT_FLUSHED));
    world.clock.advance(17);
    broker.comes();
    world.clock.advance(1);
    assert.deepEqual(
      world.events.filter(([code]) => code === EVENT_FLUSHED),
      [[EVENT_FLUSHED, 0, 0]],
    );
  });
});

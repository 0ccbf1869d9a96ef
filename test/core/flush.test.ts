import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_AVAILABILITY_TOPIC,
  CONFIG_CLEAN_SESSION,
  CONFIG_INTERVAL,
  CONFIG_PREDEFINED,
  CONFIG_QOS,
  CONFIG_SLEEP,
  CONFIG_TOPIC,
} from '../../host/contract.js';
import { builtModule, Module } from '../../host/module.js';
import { MemoryStorage } from '../../host/storage.js';
import { ClientHistory, History, type Options } from './history.js';
import { SnClientOnClock, snSensor } from './sn-client.js';

type Pairs = readonly (readonly [number, string | number])[];

const DAY = 86_400_000;

function sensor(config: Pairs = [], options: Options = {}) {
  return new History((imports) => new Module(builtModule('sensor-mqtt-journal'), imports), {
    thermometers: [() => 23_449],
    ...options,
    config: [[CONFIG_TOPIC, 't'], [CONFIG_QOS, 1], [CONFIG_INTERVAL, DAY], [CONFIG_CLEAN_SESSION, 0], ...config],
  });
}

const client = () => new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]] }, builtModule('client-mqtt-journal'));

/** Calls flush() and steps, as a board does. */
function flushes({ board }: { board: History<Module>['board'] }, ms: number): void {
  assert.ok(board.module.flush(ms));
  board.step();
}

describe('flush()', () => {
  test('of a sensor is over when all is acknowledged, and told once', () => {
    const h = sensor().connects();
    flushes(h, 5_000);
    h.waits(4_999);
    h.happens();
    h.says('40 02 0001');
    h.happens('published 1 0', 'flushed 0 0');
    h.waits(10_000);
    h.happens();
  });

  test('waits for the link to take what was published at QoS 0', () => {
    const h = client().connects();
    h.peer.capacity = 3;
    h.publish('a', '1', 0);
    flushes(h, 5_000);
    h.waits(4_000);
    h.happens();
    h.peer.takes(100);
    h.hears("30 04 0001 'a' '1'");
    h.happens('flushed 0 0');
    h.peer.capacity = 3;
    h.publish('a', '2', 0);
    flushes(h, 5_000);
    h.waits(5_000);
    h.happens('flushed 1 0');
  });

  test('is told at the next step when nothing waits, connected or not', () => {
    const h = client();
    h.board.start();
    h.happened();
    flushes(h, 5_000);
    h.happens('flushed 0 0');
    h.connects();
    flushes(h, 0);
    h.happens('flushed 0 0');
  });

  for (const [ms, waits] of [
    [5_000, 5_000],
    [1, 1],
    [0, 0],
    [-1, 0],
    [2 ** 31 - 1, 2 ** 31 - 1],
  ] as const)
    test(`with a deadline of ${ms} ms tells after ${waits} what has no answer`, () => {
      const h = client().connects();
      h.publish('a', '1', 1);
      h.publish('a', '2', 2);
      h.waits(1_000);
      h.board.module.flush(ms);
      h.board.step();
      if (waits) {
        h.happens();
        h.waits(Math.min(waits, 20_000) - 1);
        h.happens();
        if (waits > 20_000) return;
        h.waits(1);
      }
      h.happens('flushed 2 0');
    });

  test('counts readings that wait, and without a connection waits for one', () => {
    const h = sensor([[CONFIG_INTERVAL, 1_000]]).connects();
    h.cuts();
    h.waits(3_000);
    h.happened();
    flushes(h, 500);
    h.waits(499);
    h.happens();
    h.waits(1);
    h.happens('flushed 1 3');
    flushes(h, 60_000);
    h.retries();
    h.connects();
    for (const id of ['0001', '0002', '0003', '0004']) h.says(`40 02 ${id}`);
    assert.equal(h.happened().at(-1), 'flushed 0 0');
  });

  test('waits for what a new connection owes', () => {
    const h = sensor([[CONFIG_AVAILABILITY_TOPIC, 'up']]);
    h.board.start();
    h.happened();
    flushes(h, 5_000);
    h.connects();
    h.says('40 02 0001');
    h.happens('published 1 0');
    h.says('40 02 0002');
    h.happens('published 2 0', 'flushed 0 0');
  });

  test('called again has the later deadline', () => {
    const h = client().connects();
    h.publish('a', '1', 1);
    flushes(h, 1_000);
    h.waits(900);
    flushes(h, 1_000);
    h.waits(999);
    h.happens();
    h.waits(1);
    h.happens('flushed 1 0');
  });

  test('ends with the session', () => {
    const h = client().connects();
    h.publish('a', '1', 1);
    h.module.flush(60_000);
    h.board.stop();
    h.happens('stopped 0 0', 'flushed 1 0');
  });

  test('is not known to a module without a journal', () => {
    assert.equal(new ClientHistory().module.flush(1), false);
  });

  test('passes the clock where it wraps', () => {
    const h = sensor([], { origin: 2 ** 32 - 500 }).connects();
    flushes(h, 1_000);
    h.waits(999);
    h.happens();
    h.waits(1);
    h.happens('flushed 1 0');
  });

  test('lets a board without power lose nothing: what was told as not acknowledged comes after the next start', () => {
    const storage = new MemoryStorage();
    let h = sensor([[CONFIG_INTERVAL, 1_000]], { storage }).connects();
    h.cuts();
    h.waits(2_000);
    flushes(h, 0);
    assert.equal(h.happened().at(-1), 'flushed 1 2');
    h.board.halt();
    h = sensor([], { storage });
    h.board.start();
    assert.equal(h.happened()[0], 'restored 1 2');
  });
});

describe('flush() over MQTT-SN', () => {
  const settings: Pairs = [
    [CONFIG_TOPIC, 't/a'],
    [CONFIG_PREDEFINED, '1=t/a'],
    [CONFIG_QOS, 1],
    [CONFIG_SLEEP, 1],
    [CONFIG_INTERVAL, DAY],
  ];

  for (const module of ['sensor-mqttsn-journal', 'sensor-journal'])
    test(`of ${module} keeps a sleeper awake until its reading is acknowledged`, () => {
      const h = snSensor(settings, {}, module);
      h.connects();
      flushes(h, 5_000);
      h.hears("0b 0c 21 0001 0001 '23.4'");
      h.happened();
      h.says('07 0d 0001 0001 00');
      h.happens('published 1 0', 'flushed 0 0');
      h.hears('04 18 ffff');
    });

  test('wakes a client that sleeps on what it published', () => {
    const h = new SnClientOnClock({ config: [[CONFIG_PREDEFINED, '1=t/a']] }, 'client-mqttsn-journal');
    h.connects().fallsAsleep();
    const id = h.publish('t/a', '1', 1);
    h.hears();
    flushes(h, 5_000);
    h.hears("07 04 00 01 0000 'c'");
    h.says('03 05 00');
    h.hears(`08 0c 21 0001 ${id.toString(16).padStart(4, '0')} '1'`);
    h.says(`07 0d 0001 ${id.toString(16).padStart(4, '0')} 00`);
    h.happens('connected 1 0', `published ${id} 0`, 'flushed 0 0');
    assert.deepEqual(h.faults, []);
  });

  test('lets a client sleep on that has nothing to say', () => {
    const h = new SnClientOnClock({}, 'client-mqttsn-journal').connects();
    h.fallsAsleep();
    flushes(h, 5_000);
    h.happens('flushed 0 0');
    h.hears();
  });
});

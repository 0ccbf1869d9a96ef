import assert from 'node:assert/strict';
import { FAULT_ABSENT, FAULT_NO_BUS, FAULT_SEVERAL, FAULT_STUCK, FAULT_TIMEOUT } from '../contract.js';
import type { BoardSettings } from '../rungs/rung.js';
import { assertHeap } from './heap.js';
import type { Scenario } from './scenario.js';
import type { World } from './world.js';

// Sensors at the buses of a board, which are simulated on these rungs (host/devices/simulated.ts, firmware/simulated): modules with drivers.

const FIRST = '28ff641e0f160390';
const SECOND = '28ff641e0f160413';

/** The module with drivers that a board of this world runs. */
const nodeModule = ({ ground }: World) => (ground.module ? 'node' : ground.protocol === 'mqtt' ? 'node-mqtt' : 'node-mqttsn');

/** A board whose readings are these, each at a topic of its number; `#` stands for it. */
function readings(world: World, lines: readonly string[], more: BoardSettings = {}): BoardSettings {
  const buses = { i2c: 'simulated', onewire: 'simulated', adc: 'simulated', dht22: 'simulated' };
  const named = lines.map((line, i) => [`reading_${i + 1}`, `${line} ${world.topic}/${i + 1}`]);
  return { module: nodeModule(world), qos: 1, ...buses, ...Object.fromEntries(named), ...more };
}

/** What arrives at the topic of each reading, once for each. */
async function heard(world: World, count: number): Promise<string[]> {
  const { messages } = await world.hearing(`${world.topic}/#`);
  const payloadAt = (number: number) => messages.all.find(({ topic }) => topic === `${world.topic}/${number}`)?.payload;
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  await messages.until(() => numbers.every((number) => payloadAt(number)), 'a message of each reading');
  // Behind a connection that came late stands the time at which it was measured.
  return numbers.map((number) => String(payloadAt(number)).replace(/ \d{10}$/, ''));
}

export const driverScenarios: readonly Scenario[] = [
  {
    sample: true,
    what: 'sensors at all buses are read in one round, each reading at its topic',
    async run(world) {
      const lines = [
        'sht3x:44 temperature',
        'sht3x humidity',
        'bme280:76 temperature',
        'bme280 pressure',
        `ds18b20:${FIRST}:9 temperature`,
        `ds18b20:${SECOND} temperature`,
        'ntc:0:3950:10000:10000 temperature',
        'board:1 humidity',
      ];
      const payloads = heard(world, lines.length);
      const board = await world.board(readings(world, lines));
      assert.deepEqual(await payloads, ['21.5', '45.5', '25.1', '1006.5', '10.0', '-10.1', '25.0', '51.3']);
      const measured = board.events.all.filter(({ event }) => event === 'measured').map(({ a, b }) => [a, b]);
      assert.ok(measured.some(([a, b]) => a === 3 && b === 25_080));
      assert.deepEqual(
        board.events.all.filter(({ event }) => event === 'reading_failed'),
        [],
      );
      if (world.countsHeap) assertHeap(await board.tells('started'), world, nodeModule(world));
    },
  },
  {
    what: 'a board with drivers and without reading_n reads its thermometer at `topic`',
    async run(world) {
      const { messages } = await world.hearing();
      const board = await world.board({ module: nodeModule(world), qos: 1 });
      await messages.count(2);
      assert.equal(board.events.all.filter(({ event }) => event === 'measured').length, 0);
    },
  },
  ...(
    [
      ['a stuck bus', { i2c: 'simulated:stuck' }, 'sht3x temperature', FAULT_STUCK, /held low/],
      ['a bus that is not ready in time', { onewire: 'simulated:timeout' }, 'ds18b20 temperature', FAULT_TIMEOUT, /not ready in time/],
      ['a missing sensor', {}, 'sht3x:45 temperature', FAULT_ABSENT, /nothing answers/],
      ['a missing code', {}, 'ds18b20:2800000000000140 temperature', FAULT_ABSENT, /nothing answers/],
      ['a channel that is none', {}, 'adc:7 value', FAULT_NO_BUS, /no such bus or channel/],
    ] as const
  ).map(
    ([what, more, line, fault, words]): Scenario => ({
      what: `${what} is an event with its reason, said once, and the other readings go on`,
      async run(world) {
        const payloads = heard(world, 2);
        const board = await world.board(readings(world, ['adc value', 'board:1 temperature', line], more));
        const { a, b } = await board.tells('reading_failed', 3);
        assert.deepEqual([a, b], [fault, 3]);
        assert.deepEqual(await payloads, ['1.7', '22.4']);
        if (world.ground.rung === 'virtual') return; // it has no words of its own
        const said = await board.words.until((all) => all.some((said) => words.test(said)), 'the reason');
        assert.ok(said.some((one) => /reading_3/.test(one)));
      },
    }),
  ),
  {
    what: 'several on one wire: their codes are told, and without one there is no reading',
    async run(world) {
      const board = await world.board(readings(world, ['ds18b20 temperature']));
      assert.equal((await board.tells('reading_failed', 2)).a, FAULT_SEVERAL);
      const codes = board.events.all
        .filter(({ event }) => event === 'sensor_found')
        .map(({ a, b }) => [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join(''));
      assert.deepEqual(codes.sort(), [FIRST, SECOND]);
    },
  },
  {
    what: 'with a journal, several readings that waited arrive at their own topics after a power cut',
    async run(world) {
      const lines = ['sht3x temperature', 'adc value'];
      const settings = readings(world, lines, { journal: await world.filePath('board.journal'), clean_session: 0 });
      const { there, comes } = await world.place();
      const board = await there.board(settings);
      await board.tells('reading_buffered', 4);
      await board.kill();
      await comes();
      const payloads = heard(there, 2);
      const again = await there.board(settings);
      const { a, b } = await again.tells('restored');
      assert.ok(a + b >= 4, `${a} and ${b} restored`); // none is a message where the link was known to be down before the first
      for (const payload of await payloads) assert.match(String(payload), /^(21\.5|1\.7)( \d+)?$/);
    },
  },
  {
    what: 'a reading that cannot be is refused by the name of its setting',
    async run(world) {
      assert.match(await world.refusal(readings(world, ['adc value', 'sht3x pressure'])), /reading_2/);
    },
  },
  {
    what: 'a bus at pins that the board does not have is refused',
    async run(world) {
      assert.match(await world.refusal(readings(world, ['adc value'], { onewire: '4' })), /onewire.*take simulated/);
    },
  },
];

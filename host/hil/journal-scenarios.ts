import assert from 'node:assert/strict';
import type { BoardEvent } from '../rungs/rung.js';
import { assertHeap } from './heap.js';
import { DAY, type Scenario } from './scenario.js';
import type { World } from './world.js';

// Readings that outlive what happens to brokers, power and the machine: modules with a journal.

/** What is before the unit and the time. */
function degrees(payload: Uint8Array | undefined): string | undefined {
  return String(payload).split(' ')[0];
}

/** How many readings were put aside. */
function buffered(events: readonly BoardEvent[]): number {
  return events.filter(({ event }) => event === 'reading_buffered').length;
}

/** Those that a board told of when it took them, in degrees: at once, or put aside. */
function readingsTaken(events: readonly BoardEvent[]): number[] {
  const aside = new Set<number>();
  return events
    .filter(({ event, a }) => (event === 'reading_buffered' ? aside.add(a) : event === 'reading' && !aside.has(a)))
    .map(({ a }) => a / 1000);
}

/** The module with a journal that a board of this world runs. */
function journalModule({ ground }: World): string {
  return `${ground.module ?? (ground.protocol === 'mqtt' ? 'sensor-mqtt' : 'sensor-mqttsn')}-journal`;
}

export const journalScenarios: Scenario[] = [
  ...([1, 2] as const).map(
    (qos): Scenario => ({
      what: `with a journal, readings that nobody acknowledged at QoS ${qos} arrive after a power cut, each once and in order`,
      async run(world) {
        const csv = `time,celsius\n${Array.from({ length: 200 }, (_, i) => `${i},${i}`).join('\n')}\n`;
        const thermometer = `replay:${await world.file('counting.csv', csv)}`;
        const settings = { qos, clean_session: 0, journal: await world.filePath('board.journal') };
        const { there, comes } = await world.place();
        const board = await there.board({ ...settings, thermometer });
        await board.tells('reading_buffered', 3);
        await board.kill();
        await comes();
        const { messages } = await there.hearing();
        const last = `replay:${await world.file('last.csv', '0,-40\n')}`;
        const again = await there.board({ ...settings, thermometer: last, interval: DAY });
        const { a, b } = await again.tells('restored');
        assert.ok(a === 1 && b >= 3, `${a} and ${b} restored`);
        const heard = (await messages.until((all) => all.some(({ payload }) => degrees(payload) === '-40.0'), 'the new reading')).map(
          ({ payload }) => degrees(payload),
        );
        assert.deepEqual(heard, [...Array.from({ length: a + b }, (_, i) => `${i}.0`), '-40.0']);
      },
    }),
  ),
  ...(['', '/late'] as const).map(
    (late): Scenario => ({
      sample: late === '',
      what: `with a journal, readings taken while the broker is away wait with their time, and arrive in order${late && ' at a topic of their own'}`,
      async run(world) {
        const csv = `time,celsius\n${Array.from({ length: 300 }, (_, i) => `${i},${i}`).join('\n')}\n`;
        const thermometer = `replay:${await world.file('counting.csv', csv)}`;
        const { there, comes, goes } = await world.place();
        await comes();
        const wire = await there.wire();
        const begin = Math.floor(Date.now() / 1000);
        const settings = { qos: 2, clean_session: 0, buffered_topic: world.topic + late, retry_interval: 100, retries: 2 };
        const board = await there.board({ broker: wire.address, module: journalModule(world), thermometer, ...settings });
        await board.tells('published', 3);
        await goes();
        // Of a board that began slowly, some were put aside before, and arrived.
        await board.tells('reading_buffered', buffered(board.events.all) + 20);
        wire.silence('board'); // until somebody hears
        await comes();
        const { messages } = await there.hearing([world.topic, `${world.topic}/late`]);
        wire.hear();
        await board.tells('connected', 2);
        const isLate = ({ payload }: { payload: Uint8Array }) => String(payload).includes(' ');
        const heard = await messages.until(
          (all) => all.filter(isLate).length >= 15 && !isLate(all.at(-1) as (typeof all)[0]),
          'the readings',
        );
        const first = Number(degrees(heard[0]?.payload));
        assert.deepEqual(
          heard.map(({ payload }) => Number(degrees(payload))),
          heard.map((_, i) => first + i),
        );
        const times = heard.filter(isLate).map(({ payload }) => Number(String(payload).split(' ')[1]));
        assert.deepEqual(times, times.toSorted());
        assert.ok(Number(times[0]) >= begin && Number(times.at(-1)) <= Date.now() / 1000, `${times}`);
        assert.deepEqual(new Set(heard.map((message) => message.topic === world.topic + late)), new Set(late ? [true, false] : [true]));
        for (const message of heard) if (late) assert.equal(message.topic.endsWith(late), isLate(message));
        await board.stop();
        for (const told of board.events.all) {
          if (told.event === 'started') assertHeap(told, world, journalModule(world));
          if (told.event === 'ended') assert.equal(told.allocations, 0, 'nothing is allocated meanwhile');
        }
      },
    }),
  ),
  {
    what: 'with a journal, readings taken while the broker is away outlive a reset of the machine, and arrive once and in order',
    sample: true,
    not: Object.fromEntries(
      (['virtual', 'posix', 'posix-aot', 'sanitized'] as const).map((rung) => [rung, 'a process has no machine of its own to reset']),
    ),
    async run(world) {
      const csv = `time,celsius\n${Array.from({ length: 300 }, (_, i) => `${i},${i}`).join('\n')}\n`;
      const thermometer = `replay:${await world.file('counting.csv', csv)}`;
      const { there, comes, goes } = await world.place();
      await comes();
      const wire = await there.wire();
      const journal = await world.filePath('machine.journal');
      const settings = { qos: 1, clean_session: 0, journal, module: journalModule(world), thermometer, retry_interval: 100, retries: 2 };
      const board = await there.board({ broker: wire.address, ...settings });
      await board.tells('published', 3);
      await goes();
      await board.tells('reading_buffered', buffered(board.events.all) + 5);
      wire.silence('board'); // until somebody hears
      await board.restart();
      const { a, b } = await board.tells('restored', 2);
      const before = board.events.all.slice(
        0,
        board.events.all.findLastIndex(({ event }) => event === 'restored'),
      );
      const taken = readingsTaken(before);
      assert.ok(b >= 5, `${a} and ${b} restored`);
      await comes();
      const { messages } = await there.hearing();
      wire.hear();
      const heard = await messages.count(a + b + 5);
      const expected = [...taken.slice(-(a + b)), ...heard.slice(a + b).map((_, i) => i)];
      assert.deepEqual(
        heard.map(({ payload }) => Number(degrees(payload))),
        expected,
      );
      assert.ok(board.words.all.includes('the board started anew'), board.words.all.join('\n'));
    },
  },
  {
    what: 'with a journal, a board says before deep sleep what is not acknowledged, and its next start goes on with it',
    async run(world) {
      const { there, comes } = await world.place();
      await comes();
      const topic = `${world.topic}/availability`;
      const settings = {
        qos: 1,
        clean_session: 0,
        journal: await world.filePath('sleeper.journal'),
        availability_topic: topic,
        interval: DAY,
      };
      const { messages } = await there.hearing([world.topic, topic]);
      const board = await there.board(settings);
      await board.tells('published');
      const { a, b } = await board.sleep();
      assert.deepEqual([a, b], [0, 0], 'all was acknowledged');
      const wire = await there.wire();
      wire.silence('board');
      const again = await there.board({ ...settings, broker: wire.address, retry_interval: 200 });
      await again.tells('reading');
      const left = await again.sleep();
      assert.deepEqual([left.a, left.b], [1, 0], 'nothing passed');
      await wire.close();
      const last = await there.board(settings);
      assert.deepEqual(((event) => [event.a, event.b])(await last.tells('restored')), [1, 0]);
      await messages.until((all) => all.filter((message) => message.topic === world.topic).length >= 3, 'three readings');
    },
  },
];

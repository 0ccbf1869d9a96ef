import assert from 'node:assert/strict';
import { ERROR_COMMAND, ERROR_OUTBOX_FULL, ERROR_TOO_LARGE, REASON_REFUSED, TIMEOUT_CONNACK } from '../contract.js';
import type { BoardEvent } from '../rungs/rung.js';
import { assertHeap, isCompiled, STACK_OF_RV32 } from './heap.js';
import { DAY, type Scenario } from './scenario.js';

const NO_LOGIN = 'MQTT-SN 1.2 has no user names and passwords';

const readings = ([0, 1, 2] as const).flatMap((qos) =>
  ([0, 1] as const).map(
    (retain): Scenario => ({
      sample: true,
      what: `readings arrive in order at QoS ${qos}${retain ? ', retained' : ''}`,
      async run(world) {
        const { messages } = await world.hearing();
        const board = await world.board({ qos, retain });
        await messages.count(4);
        await board.stop();
        const told = board.events.all.filter(({ event }) => event === 'reading').map(({ a }) => oneDecimal(a));
        const heard = messages.all.map(({ payload }) => world.reading(payload));
        assert.deepEqual(heard, told.slice(0, heard.length));
        for (const message of messages.all) assert.deepEqual([message.topic, message.qos, message.retain], [world.topic, qos, false]);

        const later = await world.hearing([world.topic, `${world.topic}/end`]);
        await later.client.publishAsync(`${world.topic}/end`, 'end', { qos: 2 });
        const kept = (await later.messages.until((all) => all.some(({ topic }) => topic.endsWith('/end')), 'the end')).slice(0, -1);
        // A board that stops does not wait for acknowledgements: of readings that have none yet, any may be the last that the broker has.
        const acknowledged = qos === 0 ? told.length : board.events.all.filter(({ event }) => event === 'published').length;
        const retained = kept.filter((message) => message.retain);
        assert.equal(retained.length, retain);
        for (const { payload } of retained)
          assert.ok(told.slice(Math.max(0, acknowledged - 1)).includes(world.reading(payload)), `${payload} of ${told}`);
      },
    }),
  ),
);

/** Rounded half away from zero, without a minus before 0.0. */
function oneDecimal(thousandths: number): string {
  const tenths = Math.floor((Math.abs(thousandths) + 50) / 100);
  return `${thousandths < 0 && tenths > 0 ? '-' : ''}${Math.floor(tenths / 10)}.${tenths % 10}`;
}

export const sensorScenarios: readonly Scenario[] = [
  ...readings,
  {
    what: 'a recording is replayed in order, rounded to one decimal, and starts anew',
    async run(world) {
      const rows = ['21.04', '21.05', '-0.04', '-0.05', '99.96', '-12.349', '0'];
      const csv = `time,celsius\n${rows.map((celsius, hour) => `2016-06-15T0${hour}:00:00Z,${celsius}`).join('\n')}\n`;
      const { messages } = await world.hearing();
      await world.board({ thermometer: `replay:${await world.file('recording.csv', csv)}`, qos: 1 });
      const heard = (await messages.count(9)).map(({ payload }) => String(payload)).slice(0, 9);
      assert.deepEqual(heard, ['21.0', '21.1', '0.0', '-0.1', '100.0', '-12.3', '0.0', '21.0', '21.1']);
    },
  },
  {
    what: 'a recording with a row that is none is refused, with file and line',
    async run(world) {
      const file = await world.file('broken.csv', 'time,celsius\n2016-06-15T00:00:00Z,21.0\n2016-06-15T01:00:00Z,warm\n');
      assert.match(await world.refusal({ thermometer: `replay:${file}` }), /broken\.csv:3/);
    },
  },
  {
    what: 'the unit follows the number',
    async run(world) {
      const { messages } = await world.hearing();
      await world.board({ unit: ' °C', qos: 1 });
      const [message] = await messages.count(1);
      assert.match(String(message?.payload), /^\d+\.\d °C$/);
    },
  },
  {
    what: 'availability is online, retained, and offline when the board is stopped',
    sample: true,
    async run(world) {
      const topic = `${world.topic}/availability`;
      const { messages } = await world.hearing(topic);
      const board = await world.board({ availability_topic: topic });
      const [online] = await messages.count(1);
      assert.equal(String(online?.payload), 'online');
      const later = await world.hearing(topic);
      const [kept] = await later.messages.count(1);
      assert.deepEqual([String(kept?.payload), kept?.retain], ['online', true]);
      await board.stop();
      await messages.count(2);
      const last = await world.hearing(topic);
      const [offline] = await last.messages.count(1);
      assert.deepEqual([String(offline?.payload), offline?.retain], ['offline', true]);
      assert.deepEqual(
        messages.all.map(({ payload }) => String(payload)),
        ['online', 'offline'],
        'said once, and no will after it',
      );
    },
  },
  {
    what: 'the will says offline when the board breaks off',
    async run(world) {
      const topic = `${world.topic}/availability`;
      const { messages } = await world.hearing(topic);
      const board = await world.board({ availability_topic: topic, keep_alive: 1 }); // only silence tells a gateway
      await messages.count(1);
      await board.kill(); // the posix board by kill -9
      const heard = (await messages.count(2)).map(({ payload }) => String(payload));
      assert.deepEqual(heard, ['online', 'offline']);
      const [kept] = await (await world.hearing(topic)).messages.count(1);
      assert.deepEqual([String(kept?.payload), kept?.retain], ['offline', true]);
    },
  },
  {
    what: 'a command changes the interval',
    sample: true,
    async run(world) {
      const command_topic = `${world.topic}/set`;
      const { client, messages } = await world.hearing();
      const board = await world.board({ command_topic, interval: DAY });
      await board.tells('subscribed');
      await messages.count(1);
      await client.publishAsync(command_topic, '100', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 100);
      await messages.count(4);
      await client.publishAsync(command_topic, String(DAY), { qos: 0 });
      assert.equal((await board.tells('interval_changed', 2)).a, DAY);
    },
  },
  {
    what: 'a retained command is obeyed on every connection',
    async run(world) {
      const command_topic = `${world.topic}/set`;
      const { client, messages } = await world.hearing();
      await client.publishAsync(command_topic, '100', { qos: 1, retain: true });
      await world.board({ command_topic, interval: DAY });
      await messages.count(3);
    },
  },
  {
    what: 'commands that are none are refused, each with an event, and the interval stays',
    async run(world) {
      const command_topic = `${world.topic}/set`;
      const { client } = await world.hearing();
      const board = await world.board({ command_topic, interval: DAY });
      await board.tells('subscribed');
      const commands = [
        '',
        'often',
        '99',
        String(DAY + 1),
        '1e3',
        ' 100',
        '100 ms',
        '-100',
        '1000.5',
        '１００',
        '9'.repeat(40),
        'x'.repeat(400),
      ];
      for (const command of commands) await client.publishAsync(command_topic, command, { qos: 1 });
      await board.tells('command_refused', commands.length);
      const refused = board.events.all.filter(({ event }) => event === 'command_refused').map(({ a, b }) => [a, b]);
      assert.deepEqual(
        refused,
        commands.map((command) => [ERROR_COMMAND, Buffer.byteLength(command)]),
      );
      await client.publishAsync(command_topic, '12345', { qos: 2 });
      assert.equal((await board.tells('interval_changed')).a, 12_345);
      assert.equal(board.events.all.filter(({ event }) => event === 'interval_changed').length, 1);
    },
  },
  {
    what: 'a command larger than the receive buffer is refused, with an event, and the next is obeyed',
    async run(world) {
      const command_topic = `${world.topic}/set`;
      const { client } = await world.hearing();
      const board = await world.board({ command_topic, interval: DAY });
      await board.tells('subscribed');
      await client.publishAsync(command_topic, world.largeCommand, { qos: 1 });
      await client.publishAsync(command_topic, '12345', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 12_345);
      // A packet comes in pieces, and its size is known; a datagram is cut.
      if (world.protocol === 'mqtt') assert.equal((await board.tells('command_refused')).b, 3000);
      else assert.equal((await board.tells('datagram_dropped')).a, ERROR_TOO_LARGE);
    },
  },
  ...[' blank at both ends ', '"quoted"', '# no comment', 'key = value', 'pässword'].map(
    (password): Scenario => ({
      what: `the password reaches the broker as it is: ${password}`,
      not: { 'mqtt-sn': NO_LOGIN },
      async run(world) {
        const here = await world.guarded('sensor', password);
        const board = await here.board({ username: 'sensor', password });
        await board.tells('connected');
      },
    }),
  ),
  {
    what: 'a refused login is an event, and tried again',
    not: { 'mqtt-sn': NO_LOGIN },
    async run(world) {
      const here = await world.guarded('sensor', 'pässword');
      const refused = await here.board({ username: 'sensor', password: 'wrong' });
      assert.equal((await refused.tells('refused_authorization', 2)).a, 5);
      await refused.stop();
      const welcome = await here.board({ username: 'sensor', password: 'pässword' });
      await welcome.tells('connected');
    },
  },
  {
    what: 'a broker that is not there yet is tried until it is, and the first readings arrive',
    async run(world) {
      const { there, comes } = await world.place();
      const board = await there.board({ qos: 1, retain: 1, ...world.impatient });
      const { a } = await board.tells(world.tellsLoss, 3);
      assert.equal(a, world.tellsLoss === 'timeout' ? TIMEOUT_CONNACK : REASON_REFUSED);
      await comes();
      await board.tells('connected');
      await board.tells('published', 3);
      const { messages } = await there.hearing(world.topic);
      const [message] = await messages.count(1);
      assert.match(world.reading(message?.payload ?? Buffer.of()), /^\d+\.\d$/);
      const attempts = board.events.all.filter(({ event }) => event === 'opening').map(({ a }) => a);
      assert.deepEqual(
        attempts,
        attempts.map((_, index) => index + 1),
        'attempts are counted',
      );
    },
  },
  {
    what: 'readings that find the queue full are dropped, with an event that counts them, and the oldest arrive',
    async run(world) {
      const csv = `time,celsius\n${Array.from({ length: 200 }, (_, i) => `${i},${i}`).join('\n')}\n`;
      const thermometer = `replay:${await world.file('counting.csv', csv)}`;
      const { messages } = await world.hearing();
      const wire = await world.wire();
      wire.silence('board'); // the login does not arrive yet
      const board = await world.board({ broker: wire.address, qos: 1, thermometer, retry_interval: 200 });
      const dropped = await board.tells('reading_dropped', 2);
      assert.deepEqual([dropped.a, dropped.b], [ERROR_OUTBOX_FULL, 2]);
      const queued = board.events.all.filter(({ event }) => event === 'reading').length;
      wire.hear();
      const heard = (await messages.count(queued)).map(({ payload }) => world.reading(payload)).slice(0, queued);
      assert.deepEqual(
        heard,
        Array.from({ length: queued }, (_, i) => `${i}.0`),
      );
    },
  },
  {
    what: 'after a restart of the broker the board is back: online, obeying, and with its readings',
    async run(world) {
      const { there, comes, goes } = await world.place();
      await comes();
      const settings = { availability_topic: `${world.topic}/availability`, command_topic: `${world.topic}/set` };
      const board = await there.board({ qos: 1, ...settings, ...world.impatient });
      await board.tells('subscribed');
      await goes();
      await board.tells(world.tellsLoss);
      await comes();
      await board.tells('connected', 2);
      await board.tells('subscribed', 2);
      const { client, messages } = await there.hearing([world.topic, settings.availability_topic]);
      await messages.until((all) => all.filter(({ topic }) => topic === world.topic).length >= 2, 'readings');
      const state = messages.all.filter(({ topic }) => topic === settings.availability_topic);
      assert.deepEqual(
        state.map(({ payload, retain }) => [String(payload), retain]),
        [['online', true]],
      );
      await client.publishAsync(settings.command_topic, '150', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 150);
    },
  },
  {
    what: 'a board without readings keeps its connection alive',
    async run(world) {
      const wire = await world.wire();
      const board = await world.board({ broker: wire.address, keep_alive: 1, interval: DAY });
      await wire.until('peer', 'PINGRESP', 4); // longer than the one and a half seconds that the broker waits
      await board.stop();
      assert.deepEqual(
        board.events.all.filter(({ event }) => event === 'link_closed'),
        [],
      );
    },
  },
  {
    what: 'nothing is allocated after the start: readings, commands, a lost connection, a broker that is away',
    not: { virtual: 'JavaScript has no such count' },
    sample: true,
    async run(world) {
      const { there, comes, goes } = await world.place();
      await comes();
      const command_topic = `${world.topic}/set`;
      const { client } = await there.hearing();
      const settings = { availability_topic: `${world.topic}/availability`, command_topic };
      const board = await there.board({ qos: 2, ...settings, ...world.impatient });
      await board.tells('subscribed');
      for (const command of ['no', world.largeCommand, '100']) await client.publishAsync(command_topic, command, { qos: 2 });
      await board.tells('interval_changed');
      await goes();
      await board.tells(world.tellsLoss);
      await comes();
      await board.tells('connected', 2);
      await board.tells('published', 10);
      await goes();
      await board.tells(world.tellsLoss, 4);
      const started = await board.tells('started');
      await board.stop();
      if (!world.countsHeap) return;
      const ended: BoardEvent = await board.tells('ended');
      if (isCompiled(world.ground)) assert.equal(started.allocations, 0, 'a compiled module allocates at no time');
      else assert.ok((started.allocations ?? 0) > 0, 'allocations are counted');
      assert.equal(ended.allocations, 0);
      assert.ok((started.heap ?? 0) > 0);
      assertHeap(started, world, world.ground.module ?? world.protocol);
      if (world.ground.rung.startsWith('qemu')) assert.ok((ended.stack ?? Infinity) <= STACK_OF_RV32, `${ended.stack} bytes of stack`);
    },
  },
];

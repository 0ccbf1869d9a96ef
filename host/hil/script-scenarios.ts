import assert from 'node:assert/strict';
import { TIMEOUT_CONNACK, TIMEOUT_PINGRESP, TIMEOUT_REPLY } from '../contract.js';
import type { BoardSettings } from '../rungs/rung.js';
import type { Hearing } from './hearing.js';
import type { PacketName } from './packets.js';
import type { Frame, ScriptedProxy, Side } from './proxy.js';
import { counting, taken } from './readings.js';
import { DAY, notByDatagrams, type Scenario } from './scenario.js';
import type { Here, World } from './world.js';

// What a script at the wire does to single packets: it loses them, holds them back, and cuts the connection at them.

/** One reading, of a session that goes on; a board that waits 1 s for answers over MQTT, and asks again after 0.3 s over MQTT-SN. */
const patient: BoardSettings = { interval: DAY, clean_session: 0, reply_timeout: 1000, retry_interval: 300 };

const sent = (wire: ScriptedProxy, name: PacketName): Frame[] =>
  wire.frames.filter((frame) => frame.from === 'board' && frame.name === name);

const count = (board: Here, name: string): number => board.events.all.filter(({ event }) => event === name).length;

/** Hears the readings, and can tell when all that the broker has of them has come. */
async function listen(world: World): Promise<{ readings(): Promise<string[]> } & Hearing> {
  const end = `${world.topic}/end`;
  const peer = await world.hearing([world.topic, end]);
  return {
    ...peer,
    async readings() {
      const { length } = peer.messages.all.filter(({ topic }) => topic === end);
      await peer.client.publishAsync(end, '', { qos: 2 });
      const all = await peer.messages.until((all) => all.filter(({ topic }) => topic === end).length > length, 'the end of the readings');
      return all.filter(({ topic }) => topic === world.topic).map(({ payload }) => world.reading(payload));
    },
  };
}

/** The text of the nth reading that a board took, of whole thousandths. */
function text(board: Here): string {
  const thousandths = board.events.all.find(({ event }) => event === 'reading')?.a ?? Number.NaN;
  const tenths = Math.floor((Math.abs(thousandths) + 50) / 100);
  return `${thousandths < 0 && tenths > 0 ? '-' : ''}${Math.floor(tenths / 10)}.${tenths % 10}`;
}

/** What is said again when this packet of an exchange is lost. */
const lost: readonly (readonly [qos: 1 | 2, from: Side, name: PacketName, again: PacketName])[] = [
  [1, 'board', 'PUBLISH', 'PUBLISH'],
  [1, 'peer', 'PUBACK', 'PUBLISH'],
  [2, 'board', 'PUBLISH', 'PUBLISH'],
  [2, 'peer', 'PUBREC', 'PUBLISH'],
  [2, 'board', 'PUBREL', 'PUBREL'],
  [2, 'peer', 'PUBCOMP', 'PUBREL'],
];

const losses = lost.map(
  ([qos, from, name, again]): Scenario => ({
    what: `a ${name} of the ${from === 'board' ? 'board' : 'broker'} that is lost at QoS ${qos}: its ${again} comes again once, and the reading ${qos === 2 ? 'once' : 'arrives'}`,
    async run(world) {
      const ear = await listen(world);
      const wire = await world.wire();
      wire.lose(from, name);
      const board = await world.board({ ...patient, broker: wire.address, qos });
      await board.tells('published');
      assert.deepEqual(
        sent(wire, 'PUBLISH').map(({ dup }) => dup),
        again === 'PUBLISH' ? [false, true] : [false],
        'what is said again says so',
      );
      if (qos === 2) assert.equal(sent(wire, 'PUBREL').length, again === 'PUBREL' ? 2 : 1);
      const [first, second] = sent(wire, again);
      assert.ok(first && second);
      assert.deepEqual(second.bytes.length, first.bytes.length);
      const heard = await ear.readings();
      assert.deepEqual(new Set(heard), new Set([text(board)]));
      if (qos === 2 || name === 'PUBLISH') assert.equal(heard.length, 1, 'once');
      assert.equal(count(board, 'published'), 1);
      if (world.protocol === 'mqtt') assert.equal((await board.tells('timeout')).a, TIMEOUT_REPLY);
      else assert.equal(count(board, 'timeout'), 0, 'a datagram costs no connection');
    },
  }),
);

const twice = ([1, 2] as const).map(
  (qos): Scenario => ({
    what: `the first answer to a reading at QoS ${qos} is lost three times in a row: it is acknowledged at last`,
    async run(world) {
      const ear = await listen(world);
      const wire = await world.wire();
      wire.lose('peer', qos === 1 ? 'PUBACK' : 'PUBREC', 3);
      const board = await world.board({ ...patient, reply_timeout: 500, broker: wire.address, qos });
      await board.tells('published');
      assert.deepEqual(
        sent(wire, 'PUBLISH').map(({ dup }) => dup),
        [false, true, true, true],
      );
      const heard = await ear.readings();
      assert.deepEqual(new Set(heard), new Set([text(board)]));
      if (qos === 2) assert.equal(heard.length, 1);
    },
  }),
);

const late = ([1, 2] as const).map(
  (qos): Scenario => ({
    what: `an answer at QoS ${qos} that is late, and within its time, costs nothing`,
    async run(world) {
      const ear = await listen(world);
      const wire = await world.wire();
      const name = qos === 1 ? 'PUBACK' : 'PUBCOMP';
      wire.hold('peer', name);
      const board = await world.board({ ...patient, reply_timeout: 8000, retry_interval: 8000, interval: 200, broker: wire.address, qos });
      await wire.until('peer', name);
      await board.tells('reading', 3);
      assert.equal(count(board, 'published'), 0, 'nothing is acknowledged yet');
      wire.release();
      await board.tells('published', 3);
      assert.deepEqual(
        sent(wire, 'PUBLISH').filter(({ dup }) => dup),
        [],
      );
      assert.equal(count(board, 'timeout'), 0);
      await board.stop();
      const heard = await ear.readings();
      assert.equal(heard.length, new Set(sent(wire, 'PUBLISH').map(({ at }) => at)).size, 'each once');
    },
  }),
);

const NO_CONNECTION = { 'mqtt-sn': 'datagrams have no connection to cut' };

const cuts = (
  [
    [1, 'board', 'PUBLISH'],
    [1, 'peer', 'PUBACK'],
    [2, 'board', 'PUBLISH'],
    [2, 'peer', 'PUBREC'],
    [2, 'board', 'PUBREL'],
    [2, 'peer', 'PUBCOMP'],
  ] as const
).map(
  ([qos, from, name]): Scenario => ({
    what: `the connection is cut at the ${name} of a reading at QoS ${qos}: it is made again at once, and the reading arrives${qos === 2 ? ' once' : ''}`,
    not: NO_CONNECTION,
    async run(world) {
      const ear = await listen(world);
      const wire = await world.wire();
      wire.cutAt(from, name);
      const board = await world.board({ ...patient, broker: wire.address, qos });
      await board.tells('published');
      assert.deepEqual([count(board, 'link_closed'), count(board, 'connected'), count(board, 'timeout')], [1, 2, 0]);
      const heard = await ear.readings();
      assert.deepEqual(new Set(heard), new Set([text(board)]));
      if (qos === 2) assert.equal(heard.length, 1);
    },
  }),
);

const earlyCuts = (
  [
    ['board', 'CONNECT'],
    ['peer', 'CONNACK'],
    ['board', 'SUBSCRIBE'],
    ['peer', 'SUBACK'],
  ] as const
).map(
  ([from, name]): Scenario => ({
    what: `the connection is cut at the ${name}: the next one is made, and a command is obeyed`,
    not: NO_CONNECTION,
    async run(world) {
      const command_topic = `${world.topic}/set`;
      const { client } = await world.hearing();
      const wire = await world.wire();
      wire.cutAt(from, name);
      const board = await world.board({ ...patient, broker: wire.address, command_topic });
      await board.tells('subscribed');
      await client.publishAsync(command_topic, '12345', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 12_345);
      assert.equal(count(board, 'link_closed'), 1);
    },
  }),
);

/** A packet of the beginning that is lost costs one repetition. */
const lostAtStart = (
  [
    ['board', 'CONNECT'],
    ['peer', 'CONNACK'],
    ['board', 'SUBSCRIBE'],
    ['peer', 'SUBACK'],
  ] as const
).map(
  ([from, name]): Scenario => ({
    what: `a ${name} that is lost is made good, and a command is obeyed`,
    async run(world) {
      const command_topic = `${world.topic}/set`;
      const { client } = await world.hearing();
      const wire = await world.wire();
      wire.lose(from, name);
      const board = await world.board({ ...patient, connect_timeout: 1000, broker: wire.address, command_topic });
      await board.tells('subscribed');
      await client.publishAsync(command_topic, '12345', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 12_345);
      const asked = name.startsWith('CONN') ? 'CONNECT' : 'SUBSCRIBE';
      assert.ok(sent(wire, asked).length >= 2);
    },
  }),
);

/** Journals of boards that are reset in the middle of an exchange, at the packet that is held back. */
const resets = (
  [
    [1, 'PUBACK'],
    [2, 'PUBREC'],
    [2, 'PUBCOMP'],
  ] as const
).map(
  ([qos, name]): Scenario => ({
    what: `with a journal, a board that is cut off before the ${name} of a reading at QoS ${qos} goes on with it after its start`,
    async run(world) {
      const ear = await listen(world);
      const wire = await world.wire();
      const settings = { ...patient, reply_timeout: 20_000, retry_interval: 20_000, qos, journal: await world.filePath('board.journal') };
      wire.hold('peer', name);
      const board = await world.board({ ...settings, broker: wire.address });
      await wire.until('peer', name);
      await board.kill();
      wire.cut(); // with what is held
      wire.release();
      const again = await world.board({ ...settings, broker: wire.address });
      const { a, b } = await again.tells('restored');
      assert.deepEqual([a, b], [1, 0]);
      await again.tells('published', 2); // the one of before, and its own first
      const heard = await ear.readings();
      const [first, second] = [text(board), text(again)];
      assert.deepEqual(
        heard.filter((_, i) => i === 0 || i === heard.length - 1),
        [first, second],
        'in order',
      );
      if (qos === 2) assert.equal(heard.length, 2, 'each once');
    },
  }),
);

export const scriptScenarios: readonly Scenario[] = [
  ...losses,
  ...twice,
  ...late,
  ...lostAtStart,
  ...cuts,
  ...earlyCuts,
  ...resets,
  {
    what: 'a CONNACK that is held past its time is given up, and the next attempt succeeds',
    async run(world) {
      const wire = await world.wire();
      wire.hold('peer', 'CONNACK');
      const board = await world.board({ broker: wire.address, connect_timeout: 400, retry_interval: 100, retries: 1 });
      assert.equal((await board.tells('timeout')).a, TIMEOUT_CONNACK);
      assert.equal(count(board, 'connected'), 0);
      wire.release();
      await board.tells('connected');
      await board.tells('reading', 2);
    },
  },
  {
    what: 'a PINGRESP that is held past its time ends the connection, and the next one holds',
    async run(world) {
      const wire = await world.wire();
      wire.hold('peer', 'PINGRESP');
      const board = await world.board({
        broker: wire.address,
        keep_alive: 1,
        interval: DAY,
        reply_timeout: 400,
        retry_interval: 100,
        retries: 1,
      });
      assert.equal((await board.tells('timeout')).a, TIMEOUT_PINGRESP);
      wire.release();
      await board.tells('connected', 2);
      await wire.until('peer', 'PINGRESP', wire.count('peer', 'PINGRESP') + 2);
      assert.equal(count(board, 'timeout'), 1);
    },
  },
  {
    what: 'a PINGRESP that is late, and within its time, costs nothing',
    async run(world) {
      const wire = await world.wire();
      wire.hold('peer', 'PINGRESP');
      const board = await world.board({ broker: wire.address, keep_alive: 4, interval: DAY, retry_interval: 5000 });
      await wire.until('peer', 'PINGRESP');
      wire.release();
      await wire.until('peer', 'PINGRESP', 2);
      await board.stop();
      assert.deepEqual([count(board, 'timeout'), count(board, 'link_closed'), count(board, 'connected')], [0, 0, 1]);
    },
  },
  {
    what: 'a PUBACK of the board that is lost: the command comes again, and is obeyed',
    async run(world) {
      const command_topic = `${world.topic}/set`;
      const { client } = await world.hearing();
      const wire = world.protocol === 'mqtt' ? await world.wire() : (await world.way({ limits: { retryTime: 300 } })).proxy;
      const board = await world.board({ ...patient, broker: wire.address, command_topic });
      await board.tells('subscribed');
      wire.lose('board', 'PUBACK');
      await client.publishAsync(command_topic, '12345', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 12_345);
      await wire.until('board', 'PUBACK');
      if (world.protocol === 'mqtt') wire.cut(); // only a new connection lets a broker say it again
      await wire.until('board', 'PUBACK', 2);
      await client.publishAsync(command_topic, '54321', { qos: 1 });
      await board.events.until((all) => all.some(({ event, a }) => event === 'interval_changed' && a === 54_321), 'the next command');
    },
  },
  {
    what: 'commands wait for a board whose connection was cut, and come in order',
    not: NO_CONNECTION,
    async run(world) {
      const command_topic = `${world.topic}/set`;
      const { client } = await world.hearing();
      const wire = await world.wire();
      const board = await world.board({ ...patient, connect_timeout: 500, reconnect_max: 100, broker: wire.address, command_topic });
      await board.tells('subscribed');
      wire.hold('board', 'CONNECT');
      wire.cut();
      await board.tells('link_closed');
      for (const interval of ['11111', '22222', '33333']) await client.publishAsync(command_topic, interval, { qos: 1 });
      wire.release();
      await board.tells('interval_changed', 3);
      assert.deepEqual(
        board.events.all.filter(({ event }) => event === 'interval_changed').map(({ a }) => a),
        [11_111, 22_222, 33_333],
      );
    },
  },
  {
    what: 'five cuts in a row: the board is back after each, and says online each time',
    not: NO_CONNECTION,
    async run(world) {
      const availability_topic = `${world.topic}/availability`;
      const { messages } = await world.hearing(availability_topic);
      const wire = await world.wire();
      const board = await world.board({ broker: wire.address, availability_topic, interval: DAY, qos: 1 });
      const said = (word: string) => (all: readonly { payload: Uint8Array }[]) =>
        all.filter(({ payload }) => String(payload) === word).length;
      for (let cut = 1; cut <= 5; cut++) {
        await messages.until((all) => said('online')(all) >= cut, `online ${cut}`);
        wire.cut();
        await board.tells('connected', cut + 1);
      }
      await messages.until((all) => said('online')(all) >= 6, 'the last online');
      await messages.until((all) => said('offline')(all) >= 5, 'the will of each connection that was cut');
    },
  },
  {
    what: 'a peer that falls silent after its CONNACK is found by what it does not answer',
    async run(world) {
      const wire = await world.wire();
      wire.lose('peer', 'SUBACK', 100);
      const board = await world.board({
        ...patient,
        reply_timeout: 400,
        retry_interval: 100,
        retries: 1,
        broker: wire.address,
        command_topic: `${world.topic}/set`,
      });
      assert.equal((await board.tells('timeout')).a, TIMEOUT_REPLY);
      wire.loseNothing();
      await board.tells('subscribed');
    },
  },
  {
    what: 'a board without anything to say sends PINGREQ, and no other byte',
    async run(world) {
      const wire = await world.wire();
      const board = await world.board({ broker: wire.address, keep_alive: 1, interval: DAY, qos: 0 });
      await wire.until('board', 'PUBLISH');
      const before = sent(wire, 'PINGREQ').length;
      const { length } = wire.frames;
      await wire.until('peer', 'PINGRESP', before + 4);
      await board.tells('connected');
      const since = wire.frames.slice(length).filter(({ from }) => from === 'board');
      assert.deepEqual(new Set(since.map(({ name, bytes }) => `${name} ${bytes.length}`)), new Set(['PINGREQ 2']));
    },
  },
  {
    what: 'a board that is stopped while an answer is held says DISCONNECT, and does not wait for it long',
    async run(world) {
      const wire = await world.wire();
      wire.hold('peer', 'PUBACK');
      const reply_timeout = world.protocol === 'mqtt' ? 8000 : 500; // over MQTT-SN it is how long a board that stops waits
      const board = await world.board({ ...patient, reply_timeout, retry_interval: 8000, broker: wire.address, qos: 1 });
      await wire.until('peer', 'PUBACK');
      const [disconnected] = await Promise.all([wire.until('board', 'DISCONNECT'), board.stop()]);
      assert.equal(disconnected.fate, 'passed');
      assert.equal(count(board, 'published'), 0);
    },
  },
  {
    what: 'the will is said when the connection is cut, and online again after it',
    not: NO_CONNECTION,
    async run(world) {
      const availability_topic = `${world.topic}/availability`;
      const { messages } = await world.hearing(availability_topic);
      const wire = await world.wire();
      await world.board({ broker: wire.address, availability_topic, interval: DAY });
      await messages.count(1);
      wire.cut();
      const heard = (await messages.count(3)).map(({ payload }) => String(payload));
      assert.deepEqual(heard.toSorted(), ['offline', 'online', 'online']);
    },
  },
  {
    what: 'readings at QoS 2 arrive, each once, through a wire that loses each kind of packet again and again',
    async run(world) {
      const ear = await listen(world);
      const wire = await world.wire();
      const thermometer = await counting(world);
      const hasty = { interval: 100, reply_timeout: 300, retry_interval: 100 };
      const board = await world.board({ ...patient, ...hasty, broker: wire.address, qos: 2, thermometer });
      for (let round = 0; round < 2; round++)
        for (const [qos, from, name] of lost) {
          if (qos === 1) continue;
          wire.lose(from, name);
          await wire.until(from, name, wire.count(from, name) + 3);
        }
      await board.tells('published', 10);
      wire.loseNothing();
      const before = taken(board);
      await board.tells('published', before.length + 10); // a second later, when nothing of before is on its way any more
      await board.stop();
      const heard = await ear.readings();
      assert.deepEqual(heard, [...new Set(heard)], 'none twice');
      assert.deepEqual(
        before.filter((reading) => !heard.includes(reading)),
        [],
        'none lost',
      );
    },
  },
  {
    what: 'a gateway or broker that is away at the start is tried until it is there, and the first reading at QoS 2 arrives once',
    not: notByDatagrams('the line of a board tells nothing of a gateway that is away'),
    async run(world) {
      const { there, comes } = await world.place();
      const board = await there.board({ ...patient, qos: 2, ...world.impatient });
      await board.tells(world.tellsLoss, 2);
      await comes();
      const ear = await listen(there);
      await board.tells('published');
      const heard = await ear.readings();
      assert.ok(heard.length <= 1, `${heard}`);
    },
  },
];

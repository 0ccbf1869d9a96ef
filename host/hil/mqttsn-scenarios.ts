import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { startGateway } from '../gateway/embedded.js';
import { Predefined } from '../gateway/predefined.js';
import { gatewayProcess } from './gateway-process.js';
import { freeUdpPort } from './ground.js';
import type { MqttSnName } from './packets.js';
import type { Side } from './proxy.js';
import { counting, goesOn, taken } from './readings.js';
import { notByDatagrams, type Scenario } from './scenario.js';

// What only MQTT-SN has.

/** Of the loopback network: what is sent there reaches all sockets of this machine that listen at it, and nobody else. */
const BROADCAST = '127.255.255.255';

/** Why the system does not carry a loopback broadcast; false where it does. */
const noBroadcast = await (async () => {
  const [ear, mouth] = [createSocket('udp4'), createSocket('udp4')];
  try {
    await Promise.all([once(ear.bind(0, BROADCAST), 'listening'), once(mouth.bind(0, '127.0.0.1'), 'listening')]);
    mouth.setBroadcast(true);
    const heard = once(ear, 'message', { signal: AbortSignal.timeout(1000) });
    mouth.send('?', ear.address().port, BROADCAST);
    await heard;
    return false;
  } catch {
    return `this system carries nothing to ${BROADCAST}`;
  } finally {
    ear.close();
    mouth.close();
  }
})();

/** What is lost, once each: all that both sides say at the beginning, and at QoS 2. */
const losses: Readonly<Record<1 | 2, readonly [from: Side, name: MqttSnName][]>> = {
  1: [
    ['board', 'CONNECT'],
    ['peer', 'WILLTOPICREQ'],
    ['board', 'WILLTOPIC'],
    ['peer', 'WILLMSGREQ'],
    ['board', 'WILLMSG'],
    ['peer', 'CONNACK'],
    ['board', 'REGISTER'],
    ['peer', 'REGACK'],
    ['board', 'SUBSCRIBE'],
    ['peer', 'SUBACK'],
    ['board', 'PUBLISH'],
    ['peer', 'PUBACK'],
  ],
  2: [
    ['board', 'PUBLISH'],
    ['peer', 'PUBREC'],
    ['board', 'PUBREL'],
    ['peer', 'PUBCOMP'],
  ],
};

const lost = ([1, 2] as const).map(
  (qos): Scenario => ({
    what: `lost datagrams cost time and nothing else at QoS ${qos}`,
    async run(world) {
      const { messages } = await world.hearing();
      const { address, proxy } = await world.way();
      for (const [from, name] of losses[qos]) proxy.lose(from, name);
      const topics = { availability_topic: `${world.topic}/availability`, command_topic: `${world.topic}/set` };
      const thermometer = await counting(world);
      const board = await world.board({ broker: address, qos, thermometer, retry_interval: 100, ...topics });
      await board.tells('subscribed');
      await goesOn(board);
      for (const [from, name] of losses[2]) proxy.lose(from, name);
      await goesOn(board, 6);
      await board.stop();
      await messages.count(taken(board).length);
      assert.deepEqual(
        messages.all.map(({ payload }) => world.reading(payload)),
        taken(board),
      );
    },
  }),
);

export const mqttsnScenarios: readonly Scenario[] = [
  ...lost,
  {
    what: 'a sleeper collects the command that waited for it',
    sample: true,
    async run(world) {
      const { address, proxy } = await world.way();
      const command_topic = `${world.topic}/set`;
      const { client, messages } = await world.hearing();
      proxy.lose('board', 'PINGREQ');
      const board = await world.board({ broker: address, sleep: 1, interval: 1500, command_topic, retry_interval: 500 });
      await board.tells('asleep');
      await client.publishAsync(command_topic, '2000', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 2000);
      await board.tells('asleep', 4);
      const names = proxy.frames.map(({ from, name, fate }) => `${from} ${name}${fate === 'lost' ? ' lost' : ''}`);
      const pinged = names.indexOf('board PINGREQ lost');
      assert.deepEqual(names.slice(pinged - 2, pinged + 2), ['board DISCONNECT', 'peer DISCONNECT', 'board PINGREQ lost', 'board PINGREQ']);
      const collected = names.slice(pinged + 2, names.indexOf('peer PINGRESP') + 1);
      assert.deepEqual(
        collected.filter((name) => !/REG/.test(name)),
        ['peer PUBLISH', 'board PUBACK', 'peer PINGRESP'],
      );
      await messages.count(2); // readings go on between two sleeps
    },
  },
  {
    what: 'at QoS -1 readings on a pre-defined topic arrive without a connection',
    sample: true,
    async run(world) {
      const { messages } = await world.hearing();
      const { address, proxy } = await world.way({ predefined: new Predefined([[7, world.topic]]) });
      const board = await world.board({ broker: address, qos: -1, predefined: `7=${world.topic}`, thermometer: await counting(world) });
      await messages.count(3);
      await board.stop();
      const heard = messages.all.map(({ payload }) => world.reading(payload));
      assert.deepEqual(heard, taken(board).slice(0, heard.length));
      assert.deepEqual(
        [...new Set(proxy.frames.map(({ from, connection, name }) => `${from} ${connection} ${name}`))],
        ['board 1 PUBLISH'],
      );
    },
  },
  {
    what: 'a pre-defined topic is never registered',
    async run(world) {
      const { messages } = await world.hearing();
      const { address, proxy } = await world.way({ predefined: new Predefined([[7, world.topic]]) });
      const board = await world.board({ broker: address, qos: 1, predefined: `7=${world.topic}` });
      await messages.count(2);
      await board.stop();
      assert.deepEqual([proxy.count('board', 'REGISTER'), proxy.count('board', 'PUBLISH') > 1], [0, true]);
    },
  },
  {
    what: 'a gateway that is killed and started anew has the board back, and no reading is lost',
    async run(world) {
      const availability_topic = `${world.topic}/availability`;
      const { messages } = await world.hearing([world.topic, availability_topic]);
      const gateway = await gatewayProcess(world, '--udp', '0');
      const proxy = await world.proxyTo(gateway.port);
      const broker = proxy.address;
      const board = await world.board({ broker, qos: 1, thermometer: await counting(world), retry_interval: 300, availability_topic });
      const said = (topic: string) =>
        messages.all.filter((message) => message.topic === topic).map(({ payload }) => world.reading(payload));
      await messages.until(() => said(availability_topic).length >= 1, 'the first online');
      await goesOn(board);
      await gateway.kill();
      proxy.peerRestarted();
      await gatewayProcess(world, '--udp', String(gateway.port));
      await board.tells('connected', 2);
      await goesOn(board);
      await board.stop();
      await messages.until(() => said(availability_topic).length >= 4, 'the last offline');
      assert.deepEqual(said(availability_topic), ['online', 'offline', 'online', 'offline'], 'the broker said the first offline');
      // At least once: what was on its way when the gateway died comes again.
      assert.deepEqual([...new Set(said(world.topic))], taken(board));
    },
  },
  {
    what: 'a broker that goes behind the gateway and comes again costs the board nothing',
    async run(world) {
      const { there, comes, goes, brokerAlone } = await world.place();
      await comes();
      const command_topic = `${world.topic}/set`;
      const board = await there.board({ qos: 1, command_topic, keep_alive: 1 });
      await board.tells('subscribed');
      await goesOn(board);
      await brokerAlone.goes();
      await brokerAlone.comes();
      await goesOn(board);
      const { client } = await there.hearing();
      await client.publishAsync(command_topic, '150', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 150);
      assert.deepEqual(
        board.events.all.filter(({ event }) => event === 'link_closed'),
        [],
      );
      await goes();
    },
  },
  {
    what: 'a gateway is searched and found, and when it goes another is',
    not: notByDatagrams('a board behind a line has no network to search'),
    skip: noBroadcast,
    async run(world) {
      const { messages } = await world.hearing();
      const group = { host: BROADCAST, port: await freeUdpPort() };
      const opened = (gatewayId: number) => startGateway(world.broker, { group, limits: { gatewayId } });
      const first = await opened(1);
      world.after(() => first.close());
      const broker = `mqtt-sn://${BROADCAST}:${group.port}?search`;
      const board = await world.board({ broker, qos: 1, thermometer: await counting(world), search_delay: 50, retry_interval: 200 });
      assert.equal((await board.tells('gateway_found')).a, 1);
      await goesOn(board);
      await first.close();
      const second = await opened(2);
      world.after(() => second.close());
      assert.equal((await board.tells('gateway_found', 2)).a, 2);
      await board.tells('connected', 2);
      await goesOn(board);
      await board.stop();
      assert.deepEqual([...new Set(messages.all.map(({ payload }) => world.reading(payload)))], taken(board));
    },
  },
  {
    what: 'nothing is allocated after the start: sleep, lost datagrams, a gateway that is away',
    not: { virtual: 'JavaScript has no such count' },
    async run(world) {
      const { address, proxy } = await world.way();
      const topics = { availability_topic: `${world.topic}/availability`, command_topic: `${world.topic}/set` };
      // Not within a second and a half: a CONNECT like the last is a copy of it so long.
      const board = await world.board({ broker: address, qos: 2, sleep: 1, interval: 1600, retry_interval: 50, ...topics });
      await board.tells('asleep', 2);
      proxy.lose('peer', 'PUBREC', 2);
      proxy.lose('board', 'PUBLISH', 2);
      await board.tells('asleep', 4);
      proxy.lose('board', undefined, Number.POSITIVE_INFINITY);
      await board.tells('timeout');
      proxy.loseNothing();
      await goesOn(board, 2);
      await board.stop();
      if (world.countsHeap) assert.equal((await board.tells('ended')).allocations, 0);
    },
  },
];

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { TIMEOUT_CONNACK, TIMEOUT_PINGRESP } from '../contract.js';
import type { BoardEvent } from '../rungs/rung.js';
import { DAY, notByDatagrams, type Scenario } from './scenario.js';
import type { Here, World } from './world.js';

// How connections end and begin again, whatever is the matter with brokers, gateways and names.

const happened = ({ events }: Here, name: string): BoardEvent[] => events.all.filter(({ event }) => event === name);

/** The address of a peer that takes everything and never says a word. */
async function mute(world: World): Promise<string> {
  if (world.protocol === 'mqtt') {
    const server = createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1');
    await once(server, 'listening');
    world.after(async () => void server.close());
    return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  world.after(async () => void socket.close());
  return `mqtt-sn://127.0.0.1:${socket.address().port}`;
}

const ONE_GATEWAY = notByDatagrams('the line of a board leads to one gateway');

export const connectionScenarios: Scenario[] = [
  {
    what: 'several brokers are tried in their order, round after round: one that goes is left for the next',
    not: ONE_GATEWAY,
    sample: true,
    async run(world) {
      const [first, second] = [await world.place(), await world.place()];
      await second.comes();
      const board = await world.board({ broker: `${first.address} ${second.address}`, qos: 1 });
      await board.tells('connected');
      assert.equal(happened(board, 'link_closed').length, 1);
      await second.goes();
      await first.comes();
      await board.tells('connected', 2);
      const { messages } = await first.there.hearing(world.topic);
      await messages.count(3);
      await first.goes();
      await second.comes();
      await board.tells('connected', 3);
    },
  },
  {
    what: 'a broker whose name nobody knows does not keep the board from the next',
    not: { ...ONE_GATEWAY, board: 'names are looked up at the other end of its line' },
    async run(world) {
      const scheme = world.address.replace(/:.*/, '');
      const board = await world.board({ broker: `${scheme}://nowhere.invalid ${world.address}`, connect_timeout: 2000 });
      await board.tells('connected');
      // A name that was looked up in vain before fails at once, without an opening.
      assert.equal(happened(board, 'opening').at(-1)?.a, 2);
    },
  },
  {
    what: 'a broker that says nothing is given up at the deadline of its CONNACK, and the next is tried',
    not: ONE_GATEWAY,
    async run(world) {
      const board = await world.board({
        broker: `${await mute(world)} ${world.address}`,
        connect_timeout: 300,
        retry_interval: 50,
        retries: 2,
      });
      await board.tells('connected');
      assert.deepEqual(
        happened(board, 'timeout').map(({ a }) => a),
        [TIMEOUT_CONNACK],
      );
    },
  },
  {
    what: 'a half-open connection is found by keep alive, and made again',
    async run(world) {
      const wire = await world.wire();
      const board = await world.board({ broker: wire.address, keep_alive: 1, interval: DAY, retry_interval: 100, retries: 2 });
      await board.tells('connected');
      await wire.until('peer', 'PINGRESP');
      wire.silence('board');
      assert.equal((await board.tells('timeout')).a, TIMEOUT_PINGRESP);
      wire.hear();
      await board.tells('connected', 2);
    },
  },
  {
    what: 'two boards of one id do not hurry each other on, and say that there are two',
    async run(world) {
      // A gateway tells who was taken over when it speaks next, and not more than once a second. The checker takes both for one client.
      const [losses, broker] = world.protocol === 'mqtt' ? [6, world.address] : [4, (await world.way()).gateway];
      const client_id = `twin-${world.clientId}`.slice(0, 23);
      const settings = { broker, client_id, reconnect_min: 10, reconnect_max: 60_000, retry_interval: 300, retries: 10 };
      const boards = [await world.board(settings), await world.board(settings)];
      await Promise.race(boards.map((board) => board.tells('link_closed', losses)));
      for (const board of boards)
        for (const [i, { b: delay }] of happened(board, 'link_closed').entries())
          assert.ok(delay >= (10 * 2 ** i) / 2, `loss ${i + 1} is followed by ${delay} ms`);
      if (world.ground.rung.startsWith('posix')) {
        const said = boards.flatMap(({ words }) => words.all).join('\n');
        assert.match(said, /ended the connection 3 times in a row soon after it began: does another client use the client_id "twin-/);
      }
    },
  },
];

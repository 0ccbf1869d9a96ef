import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_INTERVAL,
  CONFIG_KEEP_ALIVE,
  CONFIG_PROTOCOL,
  CONFIG_QOS,
  CONFIG_RECONNECT_MAX,
  CONFIG_REPLY_TIMEOUT,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  CONFIG_TOPIC,
} from '../../host/contract.js';
import { SoakBroker } from './broker.js';
import { ClientDevice } from './client-device.js';
import { Chance, Device, reading } from './device.js';
import { SoakGateway } from './gateway.js';
import { COMMAND_TOPIC, drift, type Mark, marked, TOPIC } from './state.js';

// Everything that goes round in a module comes to where it was at once: the clock after 2^32 ms, the packet identifiers after 65,535 messages
// and the connections after 65,536, each of the two twice. So the whole state has to be what it was.

const ROUNDS = 2 ** 17;
const ROUND_MS = 2 ** 15;
/** Rounds in which nothing is published: the others are twice 65,535. */
const SILENT_ROUNDS = 2;
/** When a sensor reads, in its round. */
const READ_MS = 1000;
/** When a connection ends, after a message was sent: before its first answer, between its answers, behind all of them, at rest. */
const ENDS_MS = [10, 30, 50, 70, 5000];
const BACK_MS = 20_000;

/** How a connection ends; by BACK_MS the way is free again. */
const endings: ((device: Device, back: number) => void)[] = [
  (device, at) => {
    device.peerRuns = false;
    device.plan(at, () => {
      device.peerRuns = true;
    });
  },
  (device, at) => {
    device.network = false;
    device.plan(at, () => {
      device.network = true;
    });
  },
  (device) => device.breaks(),
  (device) => device.peer.expels(),
];

function made(module: string, isSn: boolean): Device {
  const isClient = module.startsWith('client');
  const config: [number, string | number][] = [
    [CONFIG_PROTOCOL, isSn ? 1 : 0],
    [CONFIG_CLIENT_ID, 'board'],
    [CONFIG_CLEAN_SESSION, 0],
    [CONFIG_KEEP_ALIVE, 10],
    [CONFIG_REPLY_TIMEOUT, 5000],
    [CONFIG_RECONNECT_MAX, 4000],
    [CONFIG_RETRY_INTERVAL, 1000],
    [CONFIG_RETRIES, 2],
  ];
  if (!isClient) config.push([CONFIG_TOPIC, TOPIC], [CONFIG_QOS, 2], [CONFIG_INTERVAL, ROUND_MS]);
  const device = new (isClient ? ClientDevice : Device)({ module, config: new Map(config), storage: module.endsWith('-journal') });
  device.peer = new (isSn ? SoakGateway : SoakBroker)(device, TOPIC, COMMAND_TOPIC);
  return device;
}

/** A message, and to a client one back; the connection ends, and is back before the round is over. */
function goRound(device: Device, round: number): void {
  const begin = device.now;
  const isSilent = round < SILENT_ROUNDS;
  device.chance = new Chance(begin % 2 ** 32);
  device.reading = round;
  device.thermometerFails = isSilent;
  if (device instanceof ClientDevice && !isSilent) {
    device.awaited.add((round + 1) % 90_000);
    device.publish(TOPIC, reading(round + 1), 1 + (round & 1));
    device.peer.command('hello');
  }
  const sentAt = begin + (device instanceof ClientDevice ? 0 : READ_MS);
  device.run(sentAt + (ENDS_MS[(round >> 2) % ENDS_MS.length] ?? 0));
  endings[round % endings.length]?.(device, begin + BACK_MS);
  device.run(begin + ROUND_MS - 1);
  if (!device.isConnected) throw new Error(`not connected again after round ${round}`);
  device.run(begin + ROUND_MS);
}

for (const protocol of ['mqtt', 'mqttsn'] as const)
  describe(`131,072 reconnects over ${protocol} leave the state of the module as it was, to the byte`, { timeout: 120_000 }, () => {
    for (const module of [`sensor-${protocol}`, `sensor-${protocol}-journal`, `client-${protocol}`, `client-${protocol}-journal`])
      test(module, () => {
        const device = made(module, protocol === 'mqttsn');
        device.start();
        device.run(1000);
        if (device instanceof ClientDevice) device.subscribe(COMMAND_TOPIC, 2);
        device.run(ROUND_MS - READ_MS);
        const marks: Mark[] = [];
        for (let period = 0; period < 2; period++) {
          const { connections } = device;
          const { delivered } = device.counts;
          for (let round = 0; round < ROUNDS; round++) goRound(device, round);
          assert.equal(device.connections - connections, ROUNDS);
          assert.equal(device.counts.delivered - delivered, ROUNDS - SILENT_ROUNDS);
          marks.push(marked(device, { datagramsDropped: device.moved.datagramsDropped }));
        }
        const [before, after] = marks;
        assert.deepEqual(before && after && drift(before, after), []);
      });
  });

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryStorage } from '../../host/storage.js';
import { MqttBroker } from '../gateway/mqtt-broker.js';
import { MemoryJournal } from '../journal/memory.js';
import { down, filters, hostile, up } from './bound.js';
import { Campaign, type CampaignOptions, faultAtQos1, faultAtQos2, type Stream } from './campaign.js';
import { withSeeds } from './seeds.js';

// What holds with a journal when the gateway is killed, or loses power, before any datagram, packet or write of its own; and the client, before any of its
// own: QoS 1 at least once, QoS 2 exactly once, in order, both ways. Nothing is at risk.

const MESSAGES = 3;

/** Everything was delivered as its QoS promises. */
function holds({ arrived, received, options, findings, gateway, broker }: Campaign): void {
  assert.deepEqual(findings, []);
  for (const [direction, came] of [
    ['up', arrived],
    ['down', received],
  ] as const) {
    const stream = options[direction];
    if (stream) assert.equal((stream.qos === 2 ? faultAtQos2 : faultAtQos1)(stream, came), undefined, direction);
  }
  assert.ok(broker instanceof MqttBroker);
  assert.equal(broker.waiting('c'), 0, 'nothing waits at the broker');
  assert.ok(gateway.clients.every(({ buffered }) => buffered === 0));
}

interface Fault {
  who: 'gateway' | 'client';
  /** Also what its journal was not sure of is gone. */
  power: boolean;
  latency: number;
  /** What the gateway sent to the broker before still arrives. */
  arrives: boolean;
}

/** `who` dies before its thing number `at`; 0 counts them. */
function run(qos: Stream['qos'], at: number, { who, power, latency, arrives }: Fault, both = true): { campaign: Campaign; seen: number } {
  const journal = new MemoryJournal();
  const streams: CampaignOptions = { up: up(qos, MESSAGES), down: both ? down(qos, MESSAGES) : undefined, filters };
  const campaign = new Campaign(1, { ...streams, latency, journal, ...(who === 'client' && { storage: new MemoryStorage() }) });
  if (campaign.broker instanceof MqttBroker) campaign.broker.arrivesAfterCut = arrives;
  campaign.begins();
  let seen = 0;
  const acts = () => {
    if (++seen !== at) return true;
    if (power) journal.losesPower();
    return false;
  };
  if (who === 'gateway') campaign.gatewayActs = acts;
  else campaign.clientActs = acts;
  campaign.flows();
  campaign.until(() => campaign.isDone, 'all has arrived', 600_000);
  campaign.clock.advance(300_000);
  return { campaign, seen };
}

const faults: Fault[] = [
  { who: 'gateway', power: false, latency: 0, arrives: true },
  { who: 'gateway', power: true, latency: 0, arrives: false },
  { who: 'gateway', power: false, latency: 300, arrives: false },
  { who: 'gateway', power: true, latency: 700, arrives: true },
  { who: 'client', power: false, latency: 0, arrives: true },
  { who: 'client', power: false, latency: 700, arrives: true },
];

for (const qos of [1, 2] as const) {
  for (const fault of faults) {
    const { who, power, latency } = fault;
    const what = who === 'client' || power ? 'loses power' : 'is killed';
    test(`a ${who} that ${what} before anything it does loses nothing: QoS ${qos}, a broker that takes ${latency} ms`, (context) => {
      const { campaign, seen } = run(qos, 0, fault);
      holds(campaign);
      assert.ok(seen > 20);
      for (let at = 1; at <= seen; at++) {
        try {
          holds(run(qos, at, fault).campaign);
        } catch (error) {
          if (error instanceof Error) error.message = `at ${at} of ${seen}: ${error.message}`;
          throw error;
        }
      }
      context.diagnostic(`${seen} places, ${MESSAGES} messages each way`);
    });
  }
}

describe('in a hostile network, again and again', () => {
  for (const qos of [1, 2] as const) {
    for (const [who, every] of [
      ['the gateway', { gateway: 83, client: 0 }],
      ['the client', { gateway: 0, client: 37 }],
      ['now the one and now the other', { gateway: 149, client: 71 }],
    ] as const) {
      test(`${who} loses power: nothing is lost, at QoS 2 nothing comes twice: QoS ${qos}`, (context) => {
        let cuts = 0;
        let messages = 0;
        withSeeds(10, (seed) => {
          const count = 150;
          const journal = new MemoryJournal();
          const options = {
            weather: hostile(0.2),
            up: up(qos, count),
            down: down(qos, count),
            filters,
            latency: (seed % 3) * 400,
            unjudged: true,
          };
          const campaign = new Campaign(seed, { ...options, journal, ...(every.client && { storage: new MemoryStorage() }) }).begins();
          const random = campaign.network.random();
          /** Dies about once in `most` things it does. */
          const dies = (most: number) => most > 0 && (random() >>> 0) % most === 0;
          campaign.gatewayActs = () => {
            if (!dies(every.gateway)) return true;
            cuts++;
            if (seed % 2 === 0) journal.losesPower();
            return false;
          };
          campaign.clientActs = () => {
            if (!dies(every.client)) return true;
            cuts++;
            return false;
          };
          campaign.flows();
          campaign.until(() => campaign.isDone, 'all has arrived');
          campaign.gatewayActs = campaign.clientActs = () => true;
          campaign.clock.advance(300_000);
          holds(campaign);
          messages += 2 * count;
        });
        context.diagnostic(`${cuts} cuts, ${messages} messages`);
      });
    }
  }
});

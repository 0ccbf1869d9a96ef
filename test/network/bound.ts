import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Campaign, faultAtQos2, PREDEFINED, type Stream } from './campaign.js';
import { type Share, withSeeds } from './seeds.js';

// What is promised of QoS 2 is held to here, in two files that run side by side.

const SEEDS = 20;
const MESSAGES = 10_000;
const LOSS = 0.3;

/** Registered, pre-defined and short topics. */
export const up = (qos: Stream['qos'], count: number): Stream => ({
  topics: ['myhome/底楼/客厅/温度', 'myhome/底楼/客厅/湿度', 'ab', PREDEFINED[1]],
  qos,
  count,
});

/** Topics that the gateway has to register, one that it need not, and one of two bytes. */
export const down = (qos: Stream['qos'], count: number): Stream => ({ topics: ['cmd/灯', 'cmd/门', 'myhome/报警', 'xy'], qos, count });

export const filters = ['cmd/+', 'myhome/报警', 'xy'];

/** Loses `loss`, doubles a fifth, and lets datagrams overtake one another for longer than the sender waits. */
export const hostile = (loss: number) => ({ loss, duplication: 0.2, delay: [1, 900] }) as const;

/** A broker that answers at once, and one that takes longer than a client waits. */
export const latency = (seed: number) => (seed % 2 === 0 ? 1200 : 0);

export function holdsTheBound(share: Share): void {
  test(`QoS 2, ${MESSAGES} messages each way, ${LOSS * 100} % lost: each once and in order, with ${share.of} seeds of ${SEEDS}`, (context) => {
    const begun = performance.now();
    let datagrams = 0;
    let repeated = 0;
    let duplicates = 0;
    let connections = 0;
    const run = (seed: number) => {
      const streams = { up: up(2, MESSAGES), down: down(2, MESSAGES) };
      const campaign = new Campaign(seed, { weather: hostile(LOSS), latency: latency(seed), filters, ...streams }).runs();
      assert.deepEqual(campaign.findings, []);
      assert.equal(faultAtQos2(streams.up, campaign.arrived), undefined);
      assert.equal(faultAtQos2(streams.down, campaign.received), undefined);
      datagrams += campaign.datagrams;
      repeated += campaign.repeated;
      duplicates += campaign.count('duplicate');
      connections += campaign.count('connected');
    };
    withSeeds(SEEDS, run, share);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    context.diagnostic(
      `${seconds} s: ${datagrams} datagrams, ${repeated} a PUBLISH again, ${duplicates} known as duplicates by the client, ${connections} connections`,
    );
  });
}

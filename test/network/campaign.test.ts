import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { down, filters, hostile, latency, up } from './bound.js';
import { Campaign, type CampaignOptions, faultAtQos0, faultAtQos1, faultAtQos2, type Stream } from './campaign.js';
import { withSeeds } from './seeds.js';

const FAULTS = [faultAtQos0, faultAtQos1, faultAtQos2] as const;
const SEEDS = 5;
const MESSAGES = 300;

function campaign(seed: number, qos: Stream['qos'], loss: number, options: CampaignOptions = {}): Campaign {
  const streams = { up: up(qos, MESSAGES), down: down(qos, MESSAGES) };
  return new Campaign(seed, { weather: hostile(loss), latency: latency(seed), filters, ...streams, ...options });
}

/** Everything arrived as the QoS promises, and both sides kept to the protocol. */
function holds(run: Campaign): void {
  assert.deepEqual(run.findings, []);
  for (const [direction, arrived] of [
    ['up', run.arrived],
    ['down', run.received],
  ] as const) {
    const stream = run.options[direction];
    if (stream) assert.equal(FAULTS[stream.qos](stream, arrived), undefined, direction);
  }
}

for (const [qos, promise] of [
  [0, 'none more often than the network copies it'],
  [1, 'each at least once, in order'],
  [2, 'each once, in order'],
] as const) {
  describe(`QoS ${qos} both ways: ${promise}`, () => {
    for (const loss of [0, 0.1, 0.3, 0.5]) {
      test(`with ${loss * 100} % lost`, () => {
        withSeeds(SEEDS, (seed) => holds(campaign(seed, qos, loss).runs()));
      });
    }
  });
}

test('what is lost at QoS 0 is what the network loses', () => {
  withSeeds(SEEDS, (seed) => {
    const run = campaign(seed, 0, 0, { config: [] }).runs();
    assert.equal(run.delivered.size, MESSAGES);
    assert.equal(new Set(run.arrived.map(({ number }) => number)).size, MESSAGES);
  });
});

describe('a gateway that is silent for minutes', () => {
  for (const qos of [1, 2] as const) {
    test(`is lost and connected to again, and the session goes on: QoS ${qos}`, () => {
      withSeeds(SEEDS, (seed) => {
        const run = campaign(seed, qos, 0.1).begins().flows();
        for (let part = 1; part <= 4; part++) {
          run.until(() => run.delivered.size + run.acknowledged >= (part * MESSAGES) / 3, 'a part has arrived');
          const { path } = run.station;
          path?.silence(300_000);
          run.until(() => run.station.path !== path, 'another link is opened');
        }
        run.until(() => run.isDone, 'all has arrived');
        run.clock.advance(120_000);
        holds(run);
        assert.ok(run.count('timeout') >= 4);
      });
    });
  }
});

/** A client that sleeps for 40 s at a time, and its messages both ways. */
function sleeping(seed: number, loss: number, options: CampaignOptions): Campaign {
  const run = campaign(seed, 2, loss, options).begins();
  assert.equal(run.module.sleep(40), 0);
  run.board.step();
  run.until(() => run.count('asleep') > 0, 'sleeps');
  return run.flows();
}

describe('a client that sleeps', () => {
  for (const loss of [0, 0.1, 0.3]) {
    test(`gets each QoS 2 message once and in order when it collects, with ${loss * 100} % lost`, () => {
      withSeeds(SEEDS, (seed) => {
        const run = sleeping(seed, loss, { up: undefined });
        for (let nights = 0; !run.isDone; nights++) {
          assert.ok(nights < 1000, run.told());
          run.clock.advance(seed * 10_000); // by itself it collects after 35 s
          run.module.collect();
          run.board.step();
        }
        run.clock.advance(300_000);
        holds(run);
        assert.ok(run.count('awake') > 10, run.told());
      });
    });

    test(`and wakes for a moment publishes each once and in order, with ${loss * 100} % lost`, () => {
      withSeeds(SEEDS, (seed) => {
        const run = sleeping(seed, loss, {});
        for (let nights = 0; !run.isDone; nights++) {
          assert.ok(nights < 1000, run.told());
          run.clock.advance(37_000);
          const before = run.count('asleep');
          run.module.wake();
          run.board.step();
          run.until(() => run.isConnected, 'is connected');
          run.module.sleep(40);
          run.board.step();
          run.until(() => run.count('asleep') > before, 'sleeps again');
        }
        run.clock.advance(300_000);
        holds(run);
      });
    });
  }
});

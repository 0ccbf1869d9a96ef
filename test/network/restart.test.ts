import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { down, filters, hostile, up } from './bound.js';
import { Campaign, type CampaignOptions, faultAtQos1, faultAtQos2, type Stream } from './campaign.js';
import { withSeeds } from './seeds.js';

// What holds when the gateway is started anew, with its memory gone, and what does not:
//
// - To the broker, QoS 1 and QoS 2 arrive at least once, in order: which MsgIds it has taken the new gateway does not know, so the message that was
//   in flight may be published once more. A message of which the client has heard PUBREC is not.
// - To the client, what the old gateway had taken from the broker and not delivered is gone, also above QoS 0; all else arrives, in order. At
//   QoS 2 nothing comes twice.

const MESSAGES = 8;

/** Counts what the gateway hears and says, and has it die at number `at`. */
function run(at: number, qos: Stream['qos'], options: CampaignOptions = {}): { campaign: Campaign; seen: number; buffered: number } {
  const campaign = new Campaign(1, { up: up(qos, MESSAGES), down: down(qos, MESSAGES), filters, ...options });
  let seen = 0;
  let buffered = 0;
  campaign.watch = (by) => {
    if (by !== 'gateway' || ++seen !== at) return;
    campaign.clock.after(0, () => {
      buffered = campaign.gateway.clients[0]?.buffered ?? 0;
      campaign.restartsGateway();
    });
  };
  return { campaign: campaign.runs(), seen, buffered };
}

/** Everything that is promised across `restarts`. */
function holds({ atRisk, delivered, arrived, received, options, findings }: Campaign, restarts: number): void {
  assert.deepEqual(findings, []);
  const { up: sent, down: announced } = options;
  assert.ok(sent && announced);
  assert.equal(faultAtQos1(sent, arrived), undefined);
  assert.equal((announced.qos === 2 ? faultAtQos2 : faultAtQos1)(announced, received, atRisk), undefined);
  if (sent.qos === 2)
    assert.ok(arrived.length - sent.count <= restarts, `${arrived.length - sent.count} came again in ${restarts} restarts`);
  assert.ok(announced.count - delivered.size <= atRisk.size);
}

describe('a gateway that is started anew at any message', () => {
  for (const qos of [1, 2] as const) {
    for (const latency of [0, 700]) {
      test(`is connected to again by itself, and nothing is lost but what it had taken: QoS ${qos}, a broker that takes ${latency} ms`, () => {
        const { seen } = run(0, qos, { latency });
        for (let at = 1; at <= seen; at++) {
          const { campaign, buffered } = run(at, qos, { latency });
          try {
            holds(campaign, 1);
            assert.ok(
              MESSAGES - campaign.delivered.size <= buffered,
              `${MESSAGES - campaign.delivered.size} lost, ${buffered} were buffered`,
            );
          } catch (error) {
            if (error instanceof Error) error.message = `at message ${at} of ${seen}: ${error.message}`;
            throw error;
          }
        }
      });
    }
  }
});

describe('a gateway that is started anew again and again in a hostile network', () => {
  for (const qos of [1, 2] as const) {
    test(`loses nothing but what it had taken: QoS ${qos}`, () => {
      withSeeds(10, (seed) => {
        const count = 400;
        const options = { weather: hostile(0.3), up: up(qos, count), down: down(qos, count), filters };
        const campaign = new Campaign(seed, options).begins().flows();
        let restarts = 0;
        for (; !campaign.isDone; restarts++) {
          assert.ok(restarts < 500, campaign.told());
          const until = campaign.clock.now() + 100_000 + (restarts % 7) * 1300;
          campaign.until(() => campaign.isDone || campaign.clock.now() >= until, 'time passes');
          if (!campaign.isDone) campaign.restartsGateway();
        }
        campaign.clock.advance(300_000);
        assert.ok(restarts > 10);
        holds(campaign, restarts);
      });
    });
  }
});

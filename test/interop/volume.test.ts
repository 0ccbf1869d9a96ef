import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { QoS } from '../../host/index.js';
import { type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { connected, within } from './peers.js';

const DEADLINE_MS = 50_000;

describe('many messages in one connection', { skip: skipMosquitto, timeout: 60_000 }, () => {
  let broker: Mosquitto;
  before(async () => {
    // With its default of 20 in flight, it answers further QoS 2 messages with a PUBREC and forgets them.
    broker = await startMosquitto(['log_type none', 'log_type information', 'max_queued_messages 0', 'max_inflight_messages 0']);
  });
  after(() => broker.stop());

  const cases: [what: string, qos: QoS, count: number][] = [
    ['packet identifiers wrap past 65,535', 1, 70_000],
    ['and so do those of QoS 2', 2, 70_000],
    ['nothing is lost without acknowledgements either', 0, 70_000],
  ];
  for (const [what, qos, count] of cases)
    test(`${what}: ${count} publishes at QoS ${qos}, each acknowledged, arrive once and in order`, async (t) => {
      const topic = `volume/${qos}`;
      const url = `mqtt://127.0.0.1:${broker.port}`;
      const { client: subscriber } = await connected(t, url);
      const { client: publisher } = await connected(t, url);
      await subscriber.subscribeAsync(topic, { qos });

      let expected = 0;
      const wrong: string[] = [];
      const identifiers = new Set<number>();
      const arrived = new Promise<void>((resolve) => {
        subscriber.on('message', (_topic, payload, { qos: granted, messageId }) => {
          if (String(payload) !== String(expected) || granted !== qos) wrong.push(`${payload} at QoS ${granted} in place of ${expected}`);
          identifiers.add(messageId);
          if (++expected >= count) resolve();
        });
      });
      let connections = 0;
      publisher.on('connect', () => connections++);
      let answered = 0;
      const failures: Error[] = [];
      const acknowledged = new Promise<void>((resolve) => {
        const done = (error?: Error) => {
          if (error) failures.push(error);
          if (++answered === count) resolve();
        };
        for (let i = 0; i < count; i++) publisher.publish(topic, String(i), { qos }, done);
      });
      await within(acknowledged, `the last of ${count} acknowledgements`, DEADLINE_MS);
      await within(arrived, `the last of ${count} messages`, DEADLINE_MS);

      // What a second copy would come before.
      const end = new Promise<void>((resolve) => subscriber.on('message', (_topic, payload) => String(payload) === 'end' && resolve()));
      await publisher.publishAsync(topic, 'end', { qos });
      await within(end, 'the message after the last', DEADLINE_MS);
      assert.deepEqual(failures, []);
      assert.deepEqual(wrong, [`end at QoS ${qos} in place of ${count}`]);
      assert.equal(answered, count);
      assert.equal(connections, 0, 'the first connection lasted');
      assert.equal(publisher.connected, true);
      if (qos > 0) assert.ok(!identifiers.has(0));
      // Waits for an empty outbox: nothing is left of what was published.
      await within(publisher.endAsync(), 'the end of the publisher');
    });
});

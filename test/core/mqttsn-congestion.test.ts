import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_CONGESTION_WAIT, CONFIG_RETRIES, CONFIG_RETRY_INTERVAL } from '../../host/contract.js';
import type { Config } from './history.js';
import { snClient } from './sn-client.js';

const QUICK: Config = [
  [CONFIG_RETRY_INTERVAL, 1_000],
  [CONFIG_RETRIES, 2],
  [CONFIG_CONGESTION_WAIT, 60_000],
];

describe('congestion (SN 6.13): TWAIT later', () => {
  for (const [what, ask, first, refusal, again, id] of [
    ['REGISTER', 't/a', "09 0a 0000 fffe 't/a'", '07 0b 0000 fffe 01', "09 0a 0000 fffd 't/a'", 1],
    ['PUBLISH', 'ab', "07 0c 22 'ab' 0001", "07 0d 'ab' 0001 01", "07 0c a2 'ab' 0001", 1],
    ['SUBSCRIBE', '#', "06 12 00 0001 '#'", '08 13 00 0000 0001 01', "06 12 80 0001 '#'", 1],
    ['WILLTOPICUPD', 'will', "04 1a 00 'w'", '03 1b 01', "04 1a 00 'w'", 1],
  ] as const)
    test(`${what} is made again, and nothing meanwhile`, () => {
      const h = snClient(QUICK).connects();
      if (ask === '#') h.module.subscribeTo(ask);
      else if (ask === 'will') h.module.updateWillTopic('w');
      else h.publish(ask, '', 1);
      h.hears(first);
      h.says(refusal);
      h.happens(`congested ${id} 60000`);
      h.publish('ab', '2');
      h.waits(59_999);
      h.hears();
      h.waits(1);
      h.hears(again);
      h.happens();
      assert.deepEqual(h.faults, []);
    });

  test('a QoS 0 message that met it is lost, and the next one waits', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1');
    h.hears("08 0c 02 'ab' 0000 '1'");
    h.says("07 0d 'ab' 0000 01");
    h.happens('congested 0 60000');
    h.publish('ab', '2');
    h.waits(59_999);
    h.hears();
    h.waits(1);
    h.hears("08 0c 02 'ab' 0000 '2'");
    assert.deepEqual(h.faults, []);
  });

  test('ends with the connection', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1', 1);
    h.heard();
    h.says("07 0d 'ab' 0001 01");
    h.reconnects();
    h.hears("08 0c a2 'ab' 0001 '1'");
    assert.deepEqual(h.faults, []);
  });
});

describe('not supported (03)', () => {
  for (const qos of [1, 2])
    test(`at QoS ${qos} ends the message, and it is told`, () => {
      const h = snClient(QUICK).connects();
      h.publish('ab', '1', qos);
      h.publish('ab', '2', 1);
      h.heard();
      h.says("07 0d 'ab' 0001 03");
      h.happens('rejected 1 3');
      h.hears("08 0c 22 'ab' 0002 '2'");
      assert.deepEqual(h.faults, []);
    });

  test('at QoS 0 is told', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1');
    h.says("07 0d 'ab' 0000 03");
    h.happens('rejected 0 3');
  });
});

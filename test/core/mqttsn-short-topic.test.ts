// A topic name of two bytes is its own id (SN 6.5): messages at other topics that come after it go to theirs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_DIAGNOSTIC_TOPIC, CONFIG_INTERVAL, CONFIG_PREDEFINED, CONFIG_RETRY_INTERVAL, CONFIG_TOPIC } from '../../host/contract.js';
import { snClient, snSensor } from './sn-client.js';

/** `0b 0c 01 0001 0000 '23.4'` */
const READING = '0b0c010001000032332e34';
const OUTBOX_FULL = -1;

for (const module of ['sensor-mqttsn-journal', 'sensor-journal'])
  test(`readings of ${module}.wasm go to their topic after its diagnostic topic of two bytes`, () => {
    const h = snSensor(
      [
        [CONFIG_TOPIC, 'myhome/t'],
        [CONFIG_PREDEFINED, '1=myhome/t'],
        [CONFIG_DIAGNOSTIC_TOPIC, 'dg'],
        [CONFIG_INTERVAL, 1_000],
        [CONFIG_RETRY_INTERVAL, 1_000],
      ],
      { epoch: 1_700_000_000 },
      module,
    ).connects();
    h.heard();
    h.cuts();
    h.waits(150_000); // more readings than the module can keep
    h.retries();
    h.connects();
    const [diagnostic] = h.heard().slice(-1);
    assert.equal(diagnostic?.toString('hex', 1, 7), '0c1264670000'); // at "dg", retained
    for (let reading = 1; reading <= 3; reading++) {
      h.waits(1_000);
      assert.deepEqual(
        h.heard().map((datagram) => datagram.toString('hex')),
        [READING],
      );
    }
    assert.deepEqual(h.faults, []);
  });

describe('a topic that was found when the outbox was full', () => {
  for (const { topic, options, sent } of [
    { topic: 't/a', options: [], sent: "08 0c 00 0009 0000 '2'" },
    { topic: 'myhome/t', options: [[CONFIG_PREDEFINED, '1=myhome/t'] as const], sent: "08 0c 01 0001 0000 '2'" },
  ])
    test(`is the one of ${topic} after messages on a topic of two bytes`, () => {
      const h = snClient(options).connects();
      if (options.length === 0) h.registers(topic, '0009');
      let held = 0;
      while (h.publish('ab', 'x', 1) > 0) held++;
      assert.equal(h.publish(topic, '1'), OUTBOX_FULL);
      for (let left = held; left > 0; left--) {
        const [message] = h.heard();
        assert.equal(message?.toString('latin1', 3, 5), 'ab');
        h.says(`07 0d ${message?.toString('hex', 3, 7)} 00`);
      }
      h.hears();
      assert.equal(h.publish(topic, '2'), 0);
      h.hears(sent);
      assert.deepEqual(h.faults, []);
    });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_NODE_ID, CONFIG_REPLY_TIMEOUT, CONFIG_WILL_PAYLOAD, CONFIG_WILL_TOPIC, REASON_REFUSED } from '../../host/contract.js';
import type { Config } from './history.js';
import { snClient } from './sn-client.js';

const WILL: Config = [
  [CONFIG_WILL_TOPIC, 'w'],
  [CONFIG_WILL_PAYLOAD, 'x'],
];

describe('a node behind a forwarder (SN 5.5)', () => {
  const NODE: Config = [[CONFIG_NODE_ID, Uint8Array.of(0xbe, 0xef)]];

  test('sends all in its envelope and hears what comes in its own', () => {
    const h = snClient([...NODE, ...WILL]).connects();
    h.publish('ab', '1', 1);
    h.hears("05 fe 00 beef 08 0c 22 'ab' 0001 '1'");
    h.says("05 fe 03 beef 07 0d 'ab' 0001 00");
    h.happens('published 1 0');
    h.says("05 fe 00 beef 08 0c 42 'ab' 0007 '1'");
    h.hears('05 fe 00 beef 04 0f 0007');
    h.board.stop();
    h.hears('05 fe 00 beef 02 18');
    h.says('05 fe 00 beef 02 18');
    h.happens('message 7 1', 'stopped 0 0');
    assert.deepEqual(h.faults, []);
  });

  test('passes over what is for another node', () => {
    const h = snClient(NODE).connects();
    for (const other of ['05 fe 00 bee0', '04 fe 00 be', '06 fe 00 beef 00', '03 fe 00']) h.says(`${other} 02 18`);
    h.happens();
    assert.ok(h.isOpen);
  });

  for (const [what, datagram] of [
    ['without a message', '05 fe 00 beef'],
    ['in an envelope', '05 fe 00 beef 05 fe 00 beef 02 16'],
    ['with a wrong length of its own', '05 fe 00 beef 03 16'],
    ['longer than the datagram', '09 fe 00 beef 02 16'],
    ['shorter than its header', '02 fe 00 beef 02 16'],
  ] as const)
    test(`drops an envelope ${what}`, () => {
      const h = snClient(NODE).connects();
      h.says(datagram);
      h.hears();
      assert.match(h.happened().join(), /^datagram_dropped (length|packet_type) 1$/);
    });
});

describe('a busy link', () => {
  test('gets what was published meanwhile when it takes datagrams again, in order', () => {
    const h = snClient().connects();
    h.getsBusy();
    for (const text of ['1', '2', '3']) h.publish('ab', text, 0);
    h.publish('ab', '4', 1);
    h.hears();
    h.waits(5_000);
    h.takes();
    h.hears("08 0c 02 'ab' 0000 '1'", "08 0c 02 'ab' 0000 '2'", "08 0c 02 'ab' 0000 '3'", "08 0c 22 'ab' 0004 '4'");
    assert.deepEqual(h.faults, []);
  });

  test('that stays so is given up', () => {
    const h = snClient([[CONFIG_REPLY_TIMEOUT, 2_000]]).connects();
    h.getsBusy();
    h.publish('ab', '1', 0);
    h.hears();
    h.waits(1_999);
    h.happens();
    h.waits(1);
    h.happens('timeout send 500');
    h.peer.isBusy = false;
    h.retries();
    h.connects();
    h.hears("08 0c 02 'ab' 0000 '1'");
  });

  test('takes no acknowledgement: the message comes again and is acknowledged then', () => {
    const h = snClient().connects();
    h.getsBusy();
    h.says("08 0c 42 'ab' 0007 '1'");
    h.hears();
    h.takes();
    h.says("08 0c c2 'ab' 0007 '1'");
    h.hears('04 0f 0007');
    assert.deepEqual(h.payloads, ['1']);
    assert.deepEqual(h.faults, []);
  });

  test('that fails and closes is opened again, and nothing is lost', () => {
    const h = snClient().connects();
    h.peer.sendError = -REASON_REFUSED;
    h.publish('ab', '1', 0);
    h.hears();
    h.peer.sendError = 0;
    h.cuts(REASON_REFUSED);
    h.happens('link_closed refused 500');
    h.retries();
    h.connects();
    h.hears("08 0c 02 'ab' 0000 '1'");
  });
});

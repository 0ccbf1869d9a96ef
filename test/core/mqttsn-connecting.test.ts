import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CONGESTION_WAIT,
  CONFIG_CONNECT_TIMEOUT,
  CONFIG_KEEP_ALIVE,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_TOPIC,
  REASON_REFUSED,
} from '../../host/contract.js';
import { bytes } from '../protocol/script.js';
import type { Config } from './history.js';
import { snClient } from './sn-client.js';

const CONNECT = "07 04 04 01 0000 'c'";
const WILL: Config = [
  [CONFIG_WILL_TOPIC, 'w'],
  [CONFIG_WILL_PAYLOAD, 'x'],
];
const QUICK: Config = [
  [CONFIG_RETRY_INTERVAL, 1_000],
  [CONFIG_RETRIES, 2],
];

describe('CONNECT (SN 6.2)', () => {
  test('is sent again after 1, 2, 4, 8 and 8 intervals, then the gateway counts as lost', () => {
    const h = snClient([
      [CONFIG_RETRY_INTERVAL, 1_000],
      [CONFIG_RETRIES, 5],
    ]);
    h.opens();
    h.hears(CONNECT);
    for (const seconds of [1, 2, 4, 8, 8]) {
      h.waits(seconds * 1_000 - 1);
      h.hears();
      h.waits(1);
      h.hears(CONNECT);
    }
    h.waits(7_999);
    h.happens('opening 1 0');
    h.waits(1);
    h.happens('timeout connack 500');
    h.waits(500);
    h.happens('opening 2 0');
    assert.deepEqual(h.faults, []);
  });

  test('is sent again up to a quarter later by chance', () => {
    const h = snClient(QUICK, { random: () => 250 });
    h.opens();
    h.hears(CONNECT);
    h.waits(1_249);
    h.hears();
    h.waits(1);
    h.hears(CONNECT);
    h.waits(2_249);
    h.hears();
    h.waits(1);
    h.hears(CONNECT);
  });

  test('is sent once where no retry is wanted', () => {
    const h = snClient([...QUICK, [CONFIG_RETRIES, 0]]);
    h.opens();
    h.hears(CONNECT);
    h.waits(1_000);
    h.happens('opening 1 0', 'timeout connack 500');
  });

  for (const [code, delay] of [
    [1, 60_000],
    [2, 30_000],
    [3, 30_000],
  ] as const)
    test(`refused with return code ${code} is tried again after ${delay} ms`, () => {
      const h = snClient([[CONFIG_CONGESTION_WAIT, 60_000]]);
      h.publish('ab', '1', 1);
      h.opens();
      h.hears(CONNECT);
      h.says(`03 05 0${code}`);
      h.happens('opening 1 0', `refused ${code} ${delay}`);
      assert.equal(h.isOpen, false);
      h.waits(delay - 1);
      assert.equal(h.isOpen, false);
      h.waits(1);
      h.connects();
      h.hears("08 0c 22 'ab' 0001 '1'");
      assert.deepEqual(h.faults, []);
    });

  test('answered by DISCONNECT is tried again', () => {
    const h = snClient();
    h.opens();
    h.hears(CONNECT);
    h.says('02 18');
    h.happens('opening 1 0', 'link_closed ended 500');
    h.retries();
    h.connects();
    assert.deepEqual(h.faults, []);
  });

  test('to a port where nobody listens is tried again, at the next address', () => {
    const h = snClient([], { addresses: 2 });
    h.opens();
    h.cuts(REASON_REFUSED);
    h.happens('opening 1 0', 'link_closed refused 500');
    h.retries();
    h.connects();
    assert.deepEqual(h.opened, ['0', '1']);
    h.waits(60_000);
    h.reconnects();
    assert.deepEqual(h.opened, ['0', '1', '1'], 'the one that works is kept');
  });

  test('is not made on a link that does not open in time', () => {
    const h = snClient([[CONFIG_CONNECT_TIMEOUT, 2_000]]);
    h.board.start();
    h.waits(2_000);
    h.happens('opening 1 0', 'timeout open 500');
  });

  test('finds a busy link and is made when its time comes again', () => {
    const h = snClient(QUICK);
    h.getsBusy();
    h.opens();
    h.hears();
    h.takes();
    h.waits(1_000);
    h.hears(CONNECT);
    h.says('03 05 00');
    h.happens('opening 1 0', 'connected 0 0');
  });
});

describe('the handshake of the will (SN 6.3)', () => {
  const connect = "07 04 0c 01 0000 'c'";
  const topic = "04 07 00 'w'";
  const payload = "03 09 'x'";
  // Which message is lost, and the conversation then: > of the client, < of the gateway.
  const table: [lost: string, script: string[]][] = [
    ['nothing', [`>${connect}`, '<02 06', `>${topic}`, '<02 08', `>${payload}`, '<03 05 00']],
    ['CONNECT', [`>${connect}`, '+', `>${connect}`, '<02 06', `>${topic}`, '<02 08', `>${payload}`, '<03 05 00']],
    ['WILLTOPIC', [`>${connect}`, '<02 06', `>${topic}`, '+', `>${topic}`, '<02 08', `>${payload}`, '<03 05 00']],
    ['WILLMSG', [`>${connect}`, '<02 06', `>${topic}`, '<02 08', `>${payload}`, '+', `>${payload}`, '<03 05 00']],
    [
      'nothing, and each request comes twice',
      [`>${connect}`, '<02 06', '<02 06', `>${topic}`, `>${topic}`, '<02 08', '<02 08', `>${payload}`, `>${payload}`, '<03 05 00'],
    ],
    ['nothing, and a gateway does not ask for the payload', [`>${connect}`, '<02 06', `>${topic}`, '<03 05 00']],
    ['nothing, and a gateway refuses at once', [`>${connect}`, '<03 05 03']],
  ];
  for (const [lost, script] of table)
    test(`goes on when ${lost} is lost`, () => {
      const h = snClient([...WILL, ...QUICK]);
      h.opens();
      for (const line of script) {
        if (line === '+') h.waits(1_000);
        else if (line.startsWith('<')) h.says(line.slice(1));
        else {
          assert.deepEqual(h.peer.sent.shift(), bytes(line.slice(1)));
        }
      }
      h.happens('opening 1 0', script.at(-1) === '<03 05 03' ? 'refused 3 30000' : 'connected 0 0');
      if (h.isOpen) h.hears();
      assert.deepEqual(h.faults, []);
    });

  test('that gets no further counts as lost after the last retry', () => {
    const h = snClient([...WILL, ...QUICK]);
    h.opens().heard();
    h.says('02 06');
    h.hears(topic);
    h.waits(3_000);
    h.hears(topic, topic);
    h.waits(4_000);
    h.happens('opening 1 0', 'timeout connack 500');
  });

  for (const request of ['02 06', '02 08'])
    test(`${request} without a will is dropped, and the connection comes`, () => {
      const h = snClient();
      h.opens().heard();
      h.says(request, '03 05 00');
      h.happens('opening 1 0', 'datagram_dropped unexpected 1', 'connected 0 0');
      h.hears();
    });

  test('is over with CONNACK: later requests are dropped', () => {
    const h = snClient(WILL).connects();
    h.says('02 06', '02 08');
    h.hears();
    h.happens('datagram_dropped unexpected 1', 'datagram_dropped unexpected 2');
  });
});

describe('an update of the will (SN 6.4)', () => {
  test('of topic and payload goes out one after the other, and is what the next connection says', () => {
    const h = snClient(WILL).connects();
    assert.equal(h.module.updateWillTopic('v', 1, true), 1);
    assert.equal(h.module.updateWillPayload('y'), 2);
    h.hears("04 1a 30 'v'");
    h.says('03 1b 00');
    h.hears("03 1c 'y'");
    h.says('03 1d 00');
    h.happens('will_updated 1 0', 'will_updated 2 0');
    h.cuts();
    h.retries();
    h.opens();
    h.hears("07 04 0c 01 0000 'c'");
    h.says('02 06');
    h.hears("04 07 30 'v'");
    h.says('02 08');
    h.hears("03 09 'y'");
    h.says('03 05 00');
    assert.deepEqual(h.faults, []);
  });

  test('that deletes it makes the next connection one without a will, another makes it one with', () => {
    const h = snClient(WILL).connects();
    h.module.updateWillTopic('');
    h.hears('02 1a');
    h.says('03 1b 00');
    h.cuts();
    h.retries();
    h.opens();
    h.hears(CONNECT);
    h.says('03 05 00');
    h.module.updateWillTopic('w');
    h.hears("04 1a 00 'w'");
    h.cuts();
    h.retries();
    h.opens();
    h.hears("07 04 0c 01 0000 'c'");
    h.says('02 06');
    h.hears("04 07 00 'w'");
    h.says('02 08');
    h.hears("03 09 'x'");
    assert.deepEqual(h.faults, []);
  });

  test('that is lost is sent again, and refused told with its code', () => {
    const h = snClient([...WILL, ...QUICK]).connects();
    h.module.updateWillTopic('v');
    h.module.updateWillPayload('y');
    h.hears("04 1a 00 'v'");
    h.waits(1_000);
    h.hears("04 1a 00 'v'");
    h.says('03 1b 03');
    h.hears("03 1c 'y'");
    h.waits(1_000);
    h.hears("03 1c 'y'");
    h.says('03 1d 02');
    h.happens('will_updated 1 3', 'will_updated 2 2');
    assert.equal(h.module.held, 0);
    assert.deepEqual(h.faults, []);
  });

  test('finds the answer of the other kind no answer', () => {
    const h = snClient(WILL).connects();
    h.module.updateWillTopic('v');
    h.heard();
    h.says('03 1d 00');
    h.happens('unknown_acknowledgement 29 0');
    h.says('03 1b 00');
    h.happens('will_updated 1 0');
  });
});

describe('keep alive (SN 6.11)', () => {
  const ALIVE: Config = [[CONFIG_KEEP_ALIVE, 10], ...QUICK];

  test('pings when nothing was sent, half a second before its time', () => {
    const h = snClient(ALIVE).connects();
    h.waits(9_499);
    h.hears();
    h.waits(1);
    h.hears('02 16');
    h.says('02 17');
    h.waits(9_499);
    h.hears();
    h.waits(1);
    h.hears('02 16');
    h.happens();
    assert.deepEqual(h.faults, []);
  });

  test('pings when nothing was heard, whatever was sent', () => {
    const h = snClient(ALIVE).connects();
    for (let second = 1; second <= 9; second++) {
      h.waits(1_000);
      h.publish('ab', '', 0);
      h.hears("07 0c 02 'ab' 0000");
    }
    h.waits(500);
    h.hears('02 16');
    assert.deepEqual(h.faults, []);
  });

  test('pings when nothing was sent, whatever was heard', () => {
    const h = snClient(ALIVE).connects();
    for (let second = 1; second <= 9; second++) {
      h.waits(1_000);
      h.says("07 0c 02 'ab' 0000");
    }
    h.hears();
    h.waits(500);
    h.hears('02 16');
    assert.deepEqual(h.faults, []);
  });

  test('does not ping while there is traffic both ways', () => {
    const h = snClient(ALIVE).connects();
    for (let second = 1; second <= 100; second++) {
      h.waits(1_000);
      h.says('02 16');
      h.hears('02 17');
    }
  });

  test('without an answer is tried again, then the gateway is lost', () => {
    const h = snClient(ALIVE).connects();
    h.waits(9_500);
    h.hears('02 16');
    h.waits(3_000);
    h.hears('02 16', '02 16');
    h.waits(3_999);
    h.happens();
    h.waits(1);
    h.happens('timeout pingresp 500');
    h.retries();
    h.connects();
    assert.deepEqual(h.faults, []);
  });

  test('of 0 never pings', () => {
    const h = snClient().connects();
    h.waits(2 ** 31 - 1);
    h.hears();
  });

  test('goes on while a congested gateway is left alone', () => {
    const h = snClient(ALIVE).connects();
    h.publish('ab', '', 1);
    h.hears("07 0c 22 'ab' 0001");
    h.says("07 0d 'ab' 0001 01");
    h.module.sleep(60);
    h.waits(10_000);
    h.hears('02 16');
    assert.deepEqual(h.faults, []);
  });
});

describe('DISCONNECT of the gateway', () => {
  test('is followed by another connection, on which unanswered work goes on', () => {
    const h = snClient([[CONFIG_CLEAN_SESSION, 0]]).connects();
    h.publish('ab', '1', 1);
    h.hears("08 0c 22 'ab' 0001 '1'");
    h.says('02 18');
    h.happens('link_closed ended 500');
    h.retries();
    h.connects();
    h.hears("08 0c a2 'ab' 0001 '1'");
    assert.deepEqual(h.faults, []);
  });
});

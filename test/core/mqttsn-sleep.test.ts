import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_QOS,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  CONFIG_WILL_TOPIC,
  ERROR_STATE,
} from '../../host/contract.js';
import type { Config } from './history.js';
import { type SnClientOnClock, snClient } from './sn-client.js';

const QUICK: Config = [
  [CONFIG_RETRY_INTERVAL, 1_000],
  [CONFIG_RETRIES, 2],
];
const PING = "03 16 'c'";
/** CONNECT of a sleeper: the gateway has its session and its will. */
const WAKE = "07 04 00 01 0000 'c'";

const asleep = (config: Config = []): SnClientOnClock =>
  snClient([...QUICK, ...config])
    .connects()
    .fallsAsleep(60);

describe('sleep (SN 6.14)', () => {
  test('is announced once nothing waits in the outbox', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1', 1);
    h.module.sleep(60);
    h.hears("08 0c 22 'ab' 0001 '1'");
    h.says("07 0d 'ab' 0001 00");
    h.hears('04 18 003c');
    h.happens('published 1 0');
    h.says('02 18');
    h.happens('asleep 60 0');
    assert.deepEqual(h.faults, []);
  });

  test('that is wanted before there is a connection begins when there is one', () => {
    const h = snClient(QUICK);
    h.board.start();
    assert.equal(h.module.sleep(60), 0);
    h.connects();
    h.hears('04 18 003c');
    assert.deepEqual(h.faults, []);
  });

  test('whose confirmation is lost is announced again, then the gateway is lost', () => {
    const h = snClient(QUICK).connects();
    h.module.sleep(60);
    h.hears('04 18 003c');
    h.waits(1_000);
    h.hears('04 18 003c');
    h.waits(2_000);
    h.hears('04 18 003c');
    h.waits(4_000);
    h.happens('timeout disconnect 500');
    h.retries();
    h.connects();
    h.hears('04 18 003c');
    h.says('02 18', '02 18');
    h.happens('asleep 60 0');
    assert.deepEqual(h.faults, []);
  });

  test('sends nothing until seven eighths of the time are over, then collects by itself', () => {
    const h = asleep();
    h.waits(52_499);
    h.hears();
    h.waits(1);
    h.hears(PING);
    h.happens('awake 0 0');
    h.says('02 17');
    h.happens('asleep 60 0');
    h.waits(52_500);
    h.hears(PING);
    assert.deepEqual(h.faults, []);
  });

  test('of the longest time collects in time', () => {
    const h = snClient(QUICK).connects().fallsAsleep(65_535);
    h.waits(65_535 * 875 - 1);
    h.hears();
    h.waits(1);
    h.hears(PING);
  });

  test('is interrupted by collect(): what waits comes, with its registration, and is acknowledged', () => {
    const h = asleep();
    h.module.collect();
    h.hears(PING);
    h.says("09 0a 0009 0101 't/b'", "08 0c 20 0009 0102 '1'", "08 0c 42 'ab' 0103 '2'", '04 10 0103', "08 0c 02 'ab' 0000 '3'", '02 17');
    h.hears('07 0b 0009 0101 00', '07 0d 0009 0102 00', '04 0f 0103', '04 0e 0103');
    h.happens('awake 0 0', 'message 258 1', 'message 259 1', 'message 0 1', 'asleep 60 0');
    assert.deepEqual(h.payloads, ['1', '2', '3']);
    assert.deepEqual(h.faults, []);
  });

  test('is asked for again when PINGREQ or PINGRESP is lost, then the gateway is lost', () => {
    const h = asleep();
    h.module.collect();
    h.hears(PING);
    h.waits(1_000);
    h.hears(PING);
    h.says('02 17', '02 17');
    h.happens('awake 0 0', 'asleep 60 0', 'unknown_acknowledgement 23 0');
    h.module.collect();
    h.hears(PING);
    h.waits(7_000);
    h.hears(PING, PING);
    h.happens('awake 0 0', 'timeout pingresp 500');
    h.retries();
    h.connects();
    h.hears('04 18 003c');
    assert.deepEqual(h.faults, []);
  });

  for (const [what, prepare] of [
    ['asleep', () => {}],
    [
      'awake',
      (h: SnClientOnClock) => {
        h.module.collect();
        h.hears(PING);
      },
    ],
  ] as const)
    test(`is given another time ${what}, which is announced`, () => {
      const h = asleep();
      prepare(h);
      assert.equal(h.module.sleep(120), 0);
      if (what === 'awake') {
        h.hears();
        h.says('02 17');
      }
      h.hears('04 18 0078');
      h.happened();
      h.says('02 18');
      h.happens('asleep 120 0');
      h.waits(104_999);
      h.hears();
      h.waits(1);
      h.hears(PING);
      assert.deepEqual(h.faults, []);
    });

  test('is given another time before the first is confirmed: first the first, then the other', () => {
    const h = snClient(QUICK).connects();
    h.module.sleep(60);
    h.hears('04 18 003c');
    h.module.sleep(120);
    h.waits(1_000);
    h.hears('04 18 003c'); // the same request again
    h.says('02 18');
    h.hears('04 18 0078');
    h.says('02 18');
    h.happens('asleep 60 0', 'asleep 120 0');
    assert.deepEqual(h.faults, []);
  });

  test('of the same time is not announced again', () => {
    const h = asleep();
    h.module.sleep(60);
    h.hears();
  });

  test('keeps what is published, at every QoS, until it ends', () => {
    const h = asleep();
    for (const qos of [-1, 0, 1]) h.publish('ab', String(qos), qos);
    h.waits(10_000);
    h.hears();
    h.module.collect();
    h.hears(PING);
    h.says('02 17');
    h.hears();
    h.module.wake();
    h.hears(WAKE);
    h.says('03 05 00');
    h.hears("09 0c 62 'ab' 0000 '-1'", "08 0c 02 'ab' 0000 '0'", "08 0c 22 'ab' 0003 '1'");
    h.happens('awake 0 0', 'asleep 60 0', 'connected 1 0');
    assert.deepEqual(h.faults, []);
  });

  test('hears a copy of its confirmation, and sleeps on', () => {
    const h = asleep();
    h.says('02 18');
    h.happens();
    assert.ok(h.isOpen);
  });

  test('is refused for no time, for more than a message can say, and where nothing is connected to', () => {
    const h = snClient(QUICK).connects();
    for (const seconds of [0, -1, 65_536]) assert.equal(h.module.sleep(seconds), -ERROR_STATE);
    assert.equal(snClient().module.sleep(60), -ERROR_STATE);
    const casting = snClient([[CONFIG_QOS, -1]]);
    casting.opens();
    assert.equal(casting.module.sleep(60), -ERROR_STATE);
    h.hears();
  });
});

describe('waking', () => {
  test('is CONNECT without clean session or will, and changes nothing of the session', () => {
    const h = snClient([...QUICK, [CONFIG_WILL_TOPIC, 'w']]).connects();
    h.says("08 0c 42 'ab' 0101 '1'");
    h.hears('04 0f 0101');
    h.happened();
    h.fallsAsleep(60);
    h.module.wake();
    h.hears(WAKE);
    h.says('03 05 00');
    h.happens('connected 1 0');
    h.says("08 0c c2 'ab' 0101 '1'");
    h.hears('04 0f 0101');
    h.happens('duplicate 257 0');
    assert.deepEqual(h.payloads, ['1']);
    assert.deepEqual(h.faults, []);
  });

  test('is tried again, then the gateway is lost and the session begins anew', () => {
    const h = asleep();
    h.module.wake();
    h.hears(WAKE);
    h.waits(1_000);
    h.hears(WAKE);
    h.waits(6_000);
    h.happens('timeout connack 500');
    assert.deepEqual(h.faults, []);
    h.retries();
    h.opens();
    h.hears("07 04 04 01 0000 'c'");
  });

  test('before sleep is confirmed waits for the confirmation: the session does not end', () => {
    const h = snClient(QUICK).connects();
    h.module.sleep(60);
    h.hears('04 18 003c');
    h.module.wake();
    h.waits(1_000);
    h.hears('04 18 003c'); // a plain DISCONNECT would end it, and the will with it
    h.says('02 18');
    h.hears(WAKE);
    h.says('03 05 00');
    assert.equal(h.happened().at(-1), 'connected 1 0');
    assert.deepEqual(h.faults, []);
  });

  test('while what waits is collected comes after it', () => {
    const h = asleep();
    h.module.collect();
    h.hears(PING);
    h.module.wake();
    h.hears();
    h.says('02 17');
    h.hears(WAKE);
    assert.deepEqual(h.faults, []);
  });

  test('hears a copy of the confirmation of its sleep, and is not thrown out', () => {
    const h = asleep();
    h.module.wake();
    h.hears(WAKE);
    h.says('02 18', '03 05 00');
    h.happens('connected 1 0');
    assert.deepEqual(h.faults, []);
  });

  test('of one that does not sleep calls off a sleep that was wanted', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1', 1);
    h.module.sleep(60);
    h.module.wake();
    h.heard();
    h.says("07 0d 'ab' 0001 00");
    h.hears();
  });

  test('has names registered again, and those that the gateway uses go on', () => {
    const h = snClient([...QUICK, [CONFIG_CLEAN_SESSION, 0]])
      .connects()
      .registers('t/a', '0009')
      .fallsAsleep(60);
    h.module.wake();
    h.hears(WAKE);
    h.says('03 05 00', "08 0c 20 0009 0101 '1'");
    h.hears('07 0d 0009 0101 00');
    h.publish('t/a', '2');
    h.hears("08 0c 00 0009 0000 '2'");
    assert.deepEqual(h.faults, []);
  });
});

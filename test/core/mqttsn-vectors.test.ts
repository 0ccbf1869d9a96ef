import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_KEEP_ALIVE,
  CONFIG_PREDEFINED,
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_QOS,
  CONFIG_WILL_RETAIN,
  CONFIG_WILL_TOPIC,
  ERROR_NO_TOPIC_ID,
  ERROR_OUTBOX_FULL,
  ERROR_TOO_LARGE,
} from '../../host/contract.js';
import { bytes } from '../protocol/script.js';
import type { Config } from './history.js';
import { type SnClientOnClock, snClient } from './sn-client.js';

// Every message that the client can send and hear, written by hand from the specification.

const LONG = 'x'.repeat(300);
const PREDEFINED: Config = [[CONFIG_PREDEFINED, '5=p/5']];

/** Connected, with t/a as id 1 and nothing to do. */
const ready = (config: Config = []) => snClient(config).connects().registers('t/a', '0001');

describe('the client sends', () => {
  const connects: [what: string, config: Config, wire: string][] = [
    ['CONNECT with a clean session', [], "07 04 04 01 0000 'c'"],
    ['CONNECT that keeps the session', [[CONFIG_CLEAN_SESSION, 0]], "07 04 00 01 0000 'c'"],
    ['CONNECT with keep alive', [[CONFIG_KEEP_ALIVE, 65_535]], "07 04 04 01 ffff 'c'"],
    ['CONNECT with 23 bytes of client id', [[CONFIG_CLIENT_ID, 'abcdefghijklmnopqrstuvw']], "1d 04 04 01 0000 'abcdefghijklmnopqrstuvw'"],
    ['CONNECT with a client id in any script', [[CONFIG_CLIENT_ID, '温度']], "0c 04 04 01 0000 '温度'"],
    ['CONNECT with a will', [[CONFIG_WILL_TOPIC, 'w']], "07 04 0c 01 0000 'c'"],
    [
      'CONNECT with a will that keeps the session',
      [
        [CONFIG_WILL_TOPIC, 'w'],
        [CONFIG_CLEAN_SESSION, 0],
      ],
      "07 04 08 01 0000 'c'",
    ],
  ];
  for (const [what, config, wire] of connects) {
    test(what, () => {
      const h = snClient(config);
      h.opens();
      h.hears(wire);
      assert.deepEqual(h.faults, []);
    });
  }

  const wills: [what: string, config: Config, topic: string, payload: string][] = [
    ['a will at QoS 0', [[CONFIG_WILL_PAYLOAD, 'x']], "04 07 00 'w'", "03 09 'x'"],
    [
      'a will at QoS 2, retained',
      [
        [CONFIG_WILL_PAYLOAD, 'x'],
        [CONFIG_WILL_QOS, 2],
        [CONFIG_WILL_RETAIN, 1],
      ],
      "04 07 50 'w'",
      "03 09 'x'",
    ],
    ['a will at QoS 1 without a payload', [[CONFIG_WILL_QOS, 1]], "04 07 20 'w'", '02 09'],
    ['a will in the long form', [[CONFIG_WILL_PAYLOAD, LONG]], "04 07 00 'w'", `01 0130 09 '${LONG}'`],
    ['a will whose payload fills the short form', [[CONFIG_WILL_PAYLOAD, 'x'.repeat(253)]], "04 07 00 'w'", `ff 09 '${'x'.repeat(253)}'`],
    [
      'a will whose payload is one byte over it',
      [[CONFIG_WILL_PAYLOAD, 'x'.repeat(254)]],
      "04 07 00 'w'",
      `01 0102 09 '${'x'.repeat(254)}'`,
    ],
  ];
  for (const [what, config, topic, payload] of wills) {
    test(`${what}, asked for topic and payload`, () => {
      const h = snClient([[CONFIG_WILL_TOPIC, 'w'], ...config]);
      h.opens().heard();
      h.says('02 06');
      h.hears(topic);
      h.says('02 08');
      h.hears(payload);
      h.says('03 05 00');
      h.happens('opening 1 0', 'connected 0 0');
      assert.deepEqual(h.faults, []);
    });
  }

  const messages: [what: string, ask: (h: SnClientOnClock) => unknown, wire: string][] = [
    ['PUBLISH at QoS 0 on a registered id', (h) => h.publish('t/a', '1'), "08 0c 00 0001 0000 '1'"],
    ['PUBLISH without a payload', (h) => h.publish('t/a', ''), '07 0c 00 0001 0000'],
    ['PUBLISH retained', (h) => h.publish('t/a', '1', 0, true), "08 0c 10 0001 0000 '1'"],
    ['PUBLISH at QoS 1', (h) => h.publish('t/a', '1', 1), "08 0c 20 0001 0002 '1'"],
    ['PUBLISH at QoS 2, retained', (h) => h.publish('t/a', '1', 2, true), "08 0c 50 0001 0002 '1'"],
    ['PUBLISH on a pre-defined id', (h) => h.publish('p/5', '1'), "08 0c 01 0005 0000 '1'"],
    ['PUBLISH at QoS 1 on a pre-defined id', (h) => h.publish('p/5', '1', 1), "08 0c 21 0005 0002 '1'"],
    ['PUBLISH on a short name', (h) => h.publish('ab', '1'), "08 0c 02 'ab' 0000 '1'"],
    ['PUBLISH on a short name of one character', (h) => h.publish('é', '1', 2), "08 0c 42 c3a9 0002 '1'"],
    ['PUBLISH at QoS -1 on a pre-defined id', (h) => h.publish('p/5', '1', -1), "08 0c 61 0005 0000 '1'"],
    ['PUBLISH at QoS -1 on a short name, retained', (h) => h.publish('ab', '1', -1, true), "08 0c 72 'ab' 0000 '1'"],
    ['PUBLISH that fills the short form', (h) => h.publish('t/a', 'x'.repeat(248)), `ff 0c 00 0001 0000 '${'x'.repeat(248)}'`],
    ['PUBLISH one byte over it', (h) => h.publish('t/a', 'x'.repeat(249)), `01 0102 0c 00 0001 0000 '${'x'.repeat(249)}'`],
    ['REGISTER', (h) => h.publish('底楼/温度', '1'), "13 0a 0000 fffd '底楼/温度'"],
    ['REGISTER in the long form', (h) => h.publish(LONG, '1'), `01 0134 0a 0000 fffd '${LONG}'`],
    ['SUBSCRIBE by name', (h) => h.module.subscribeTo('t/b', 1), "08 12 20 0002 't/b'"],
    ['SUBSCRIBE by a name that has an id', (h) => h.module.subscribeTo('t/a', 2), "08 12 40 0002 't/a'"],
    ['SUBSCRIBE by a wildcard', (h) => h.module.subscribeTo('+/#', 2), "08 12 40 0002 '+/#'"],
    ['SUBSCRIBE by a wildcard of two bytes', (h) => h.module.subscribeTo('/#'), "07 12 00 0002 '/#'"],
    ['SUBSCRIBE by a wildcard of one byte', (h) => h.module.subscribeTo('#'), "06 12 00 0002 '#'"],
    ['SUBSCRIBE by a short name', (h) => h.module.subscribeTo('ab', 2), "07 12 42 0002 'ab'"],
    ['SUBSCRIBE by a pre-defined id', (h) => h.module.subscribeTo('p/5', 1), '07 12 21 0002 0005'],
    ['SUBSCRIBE in the long form', (h) => h.module.subscribeTo(LONG), `01 0133 12 00 0002 '${LONG}'`],
    ['UNSUBSCRIBE by name', (h) => h.module.unsubscribe(['t/a']), "08 14 00 0002 't/a'"],
    ['UNSUBSCRIBE by a wildcard', (h) => h.module.unsubscribe(['+']), "06 14 00 0002 '+'"],
    ['UNSUBSCRIBE by a short name', (h) => h.module.unsubscribe(['ab']), "07 14 02 0002 'ab'"],
    ['UNSUBSCRIBE by a pre-defined id', (h) => h.module.unsubscribe(['p/5']), '07 14 01 0002 0005'],
    ['WILLTOPICUPD', (h) => h.module.updateWillTopic('w', 1, true), "04 1a 30 'w'"],
    ['WILLTOPICUPD that deletes the will', (h) => h.module.updateWillTopic(''), '02 1a'],
    ['WILLTOPICUPD in the long form', (h) => h.module.updateWillTopic(LONG, 2), `01 0131 1a 40 '${LONG}'`],
    ['WILLMSGUPD', (h) => h.module.updateWillPayload('x'), "03 1c 'x'"],
    ['WILLMSGUPD without a payload', (h) => h.module.updateWillPayload(''), '02 1c'],
    ['WILLMSGUPD in the long form', (h) => h.module.updateWillPayload(LONG), `01 0130 1c '${LONG}'`],
    ['DISCONNECT', (h) => h.board.stop(), '02 18'],
    ['DISCONNECT that announces sleep', (h) => h.module.sleep(65_535), '04 18 ffff'],
  ];
  for (const [what, ask, wire] of messages) {
    test(what, () => {
      const h = ready(PREDEFINED);
      ask(h);
      h.hears(wire);
      assert.deepEqual(h.faults, []);
    });
  }

  test('seven bytes and the payload at QoS 0 on an id that it has, and no more', () => {
    const h = ready(PREDEFINED);
    for (const topic of ['t/a', 'p/5', 'ab'])
      for (const size of [0, 1, 100, 248]) {
        h.publish(topic, 'x'.repeat(size));
        assert.deepEqual(
          h.heard().map(({ length }) => length),
          [7 + size],
        );
      }
  });

  test('PINGREQ after keep alive, and with its client id as a sleeper', () => {
    const h = snClient([[CONFIG_KEEP_ALIVE, 60]]).connects();
    h.waits(60_000);
    h.hears('02 16');
    h.says('02 17');
    h.fallsAsleep(60);
    h.module.collect();
    h.hears("03 16 'c'");
    assert.deepEqual(h.faults, []);
  });

  test('a whole datagram of UDP, and refuses a byte more', () => {
    const h = ready();
    assert.equal(h.publish('t/a', 'x'.repeat(65_507 - 9)), 0);
    assert.deepEqual(
      h.heard().map(({ length }) => length),
      [65_507],
    );
    assert.equal(h.publish('t/a', 'x'.repeat(65_507 - 8)), -ERROR_TOO_LARGE);
    assert.equal(h.publish('t/a', 'x'.repeat(65_507 - 8), 2), -ERROR_TOO_LARGE);
    assert.equal(h.publish('x'.repeat(65_507 - 7), ''), -ERROR_TOO_LARGE);
    assert.equal(h.module.subscribeTo('x'.repeat(65_507 - 6)), -ERROR_TOO_LARGE);
    h.hears();
  });

  test('one filter a SUBSCRIBE: two are refused, and nothing of them is sent', () => {
    const h = ready();
    const two = ['a', 'b'].map((filter) => ({ filter, qos: 0 }));
    assert.equal(h.module.subscribe(two), -ERROR_TOO_LARGE);
    assert.equal(h.module.unsubscribe(['a', 'b']), -ERROR_TOO_LARGE);
    h.hears();
  });

  test('QoS -1 on a name that is no id anywhere is refused (SN 6.8)', () => {
    const h = ready();
    assert.equal(h.publish('t/a', '1', -1), -ERROR_NO_TOPIC_ID);
    assert.equal(h.publish('t/b', '1', -1), -ERROR_NO_TOPIC_ID);
    h.hears();
  });

  test('what finds the outbox full is refused and not forgotten silently', () => {
    const h = snClient();
    let queued = 0;
    while (h.publish('t/a', '', 1) > 0) queued++;
    assert.equal(queued, 4_096);
    assert.equal(h.publish('t/a', '', 1), -ERROR_OUTBOX_FULL);
    assert.equal(h.module.subscribeTo('a'), -ERROR_OUTBOX_FULL);
    assert.equal(h.module.updateWillTopic('a'), -ERROR_OUTBOX_FULL);
  });
});

/** The same message with a length of three bytes. */
function long(notation: string): Buffer {
  const short = bytes(notation);
  return Buffer.concat([Buffer.from([1, 0, short.length + 2]), short.subarray(1)]);
}

describe('the client hears, with a length of one byte and of three,', () => {
  // What is asked, what the gateway says, what the client says to it, what is told.
  const table: [what: string, ask: (h: SnClientOnClock) => unknown, says: string, hears: string[], events: string[]][] = [
    ['PUBLISH at QoS 0', () => {}, "08 0c 00 0001 0000 '1'", [], ['message 0 1']],
    ['PUBLISH at QoS 0 with a message id, which means nothing', () => {}, "08 0c 00 0001 0007 '1'", [], ['message 0 1']],
    ['PUBLISH at QoS 1', () => {}, "08 0c 20 0001 0007 '1'", ['07 0d 0001 0007 00'], ['message 7 1']],
    ['PUBLISH at QoS 2', () => {}, "08 0c 40 0001 0007 '1'", ['04 0f 0007'], ['message 7 1']],
    ['PUBLISH on a pre-defined id', () => {}, "08 0c 21 0005 0007 '1'", ['07 0d 0005 0007 00'], ['message 7 1']],
    ['PUBLISH on a short name', () => {}, "08 0c 22 'ab' 0007 '1'", ["07 0d 'ab' 0007 00"], ['message 7 1']],
    ['PUBREL', () => {}, '04 10 0007', ['04 0e 0007'], []],
    ['REGISTER', () => {}, "09 0a 0002 0007 't/b'", ['07 0b 0002 0007 00'], []],
    ['PINGREQ', () => {}, '02 16', ['02 17'], []],
    ['PINGRESP', () => {}, '02 17', [], ['unknown_acknowledgement 23 0']],
    ['DISCONNECT', () => {}, '02 18', [], ['link_closed ended 500']],
    ['ADVERTISE', () => {}, '05 00 01 0384', [], []],
    ['GWINFO', () => {}, '03 02 01', [], []],
    ['SEARCHGW of another client', () => {}, '03 01 00', [], []],
    ['REGACK', (h) => h.publish('t/b', ''), '07 0b 0002 fffd 00', ['07 0c 00 0002 0000'], []],
    ['PUBACK', (h) => h.publish('t/a', '', 1), '07 0d 0001 0002 00', [], ['published 2 0']],
    ['PUBREC', (h) => h.publish('t/a', '', 2), '04 0f 0002', ['04 10 0002'], []],
    ['SUBACK', (h) => h.module.subscribeTo('#', 2), '08 13 40 0000 0002 00', [], ['subscribed 2 2']],
    ['UNSUBACK', (h) => h.module.unsubscribe(['#']), '04 15 0002', [], ['unsubscribed 2 0']],
    ['WILLTOPICRESP', (h) => h.module.updateWillTopic('w'), '03 1b 00', [], ['will_updated 2 0']],
    ['WILLMSGRESP', (h) => h.module.updateWillPayload('x'), '03 1d 03', [], ['will_updated 2 3']],
  ];
  for (const [what, ask, says, hears, events] of table) {
    for (const form of [bytes, long])
      test(`${what} (${form === long ? 'three' : 'one'})`, () => {
        const h = ready(PREDEFINED);
        ask(h);
        h.heard();
        h.says(form(says));
        h.happens(...events);
        if (h.isOpen) h.hears(...hears);
        assert.deepEqual(h.faults, []);
      });
  }

  test('CONNACK, WILLTOPICREQ and WILLMSGREQ (three)', () => {
    const h = snClient([[CONFIG_WILL_TOPIC, 'w']]);
    h.opens().heard();
    h.says(long('02 06'));
    h.hears("04 07 00 'w'");
    h.says(long('02 08'));
    h.hears('02 09');
    h.says(long('03 05 00'));
    h.happens('opening 1 0', 'connected 0 0');
  });

  test('PUBLISH over 255 bytes, with all its fields', () => {
    const h = ready();
    h.says(`01 0135 0c b0 0001 0007 '${LONG}'`);
    assert.deepEqual(h.messages, [{ topic: 't/a', payload: LONG, offset: 0, total: 300, qos: 1, retain: true, dup: true, id: 7 }]);
    h.hears('07 0d 0001 0007 00');
  });
});

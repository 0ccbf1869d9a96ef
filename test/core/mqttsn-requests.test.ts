import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CONGESTION_WAIT,
  CONFIG_PREDEFINED,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
} from '../../host/contract.js';
import type { Config } from './history.js';
import { snClient } from './sn-client.js';

const QUICK: Config = [
  [CONFIG_RETRY_INTERVAL, 1_000],
  [CONFIG_RETRIES, 2],
  [CONFIG_CONGESTION_WAIT, 60_000],
];
const KEPT: Config = [...QUICK, [CONFIG_CLEAN_SESSION, 0]];
const PREDEFINED: Config = [...QUICK, [CONFIG_PREDEFINED, '5=p/5+7=p/7']];

describe('a topic name (SN 6.5)', () => {
  test('is registered before the first PUBLISH on it, once', () => {
    const h = snClient(QUICK).connects();
    for (const text of ['1', '2', '3']) h.publish('t/a', text);
    h.hears("09 0a 0000 fffe 't/a'");
    h.says('07 0b 0009 fffe 00');
    h.hears("08 0c 00 0009 0000 '1'", "08 0c 00 0009 0000 '2'", "08 0c 00 0009 0000 '3'");
    h.publish('t/a', '4', 1);
    h.hears("08 0c 20 0009 0004 '4'");
    assert.deepEqual(h.faults, []);
  });

  test('whose REGISTER is lost is registered again, with the same message id', () => {
    const h = snClient(QUICK).connects();
    h.publish('t/a', '1', 1);
    h.hears("09 0a 0000 fffe 't/a'");
    h.waits(1_000);
    h.hears("09 0a 0000 fffe 't/a'");
    h.says('07 0b 0009 fffe 00');
    h.hears("08 0c 20 0009 0001 '1'");
    h.says('07 0b 0009 fffe 00'); // the answer to the second
    h.hears();
    h.happens('unknown_acknowledgement 11 65534');
    assert.deepEqual(h.faults, []);
  });

  for (const code of [2, 3])
    test(`that is refused with ${code} is told, and what follows goes out`, () => {
      const h = snClient(QUICK).connects();
      h.publish('t/a', '1', 1);
      h.publish('ab', '2', 1);
      h.hears("09 0a 0000 fffe 't/a'");
      h.says(`07 0b 0000 fffe 0${code}`);
      h.happens(`rejected 1 ${code}`);
      h.hears("08 0c 22 'ab' 0002 '2'");
      assert.deepEqual(h.faults, []);
    });

  test('of a QoS 0 message that is refused is told without an identifier', () => {
    const h = snClient(QUICK).connects();
    assert.equal(h.publish('t/a', '1'), 0);
    h.heard();
    h.says('07 0b 0000 fffe 03');
    h.happens('rejected 0 3');
  });

  for (const id of ['0000', 'ffff'])
    test(`that gets the reserved id ${id} is not published on`, () => {
      const h = snClient(QUICK).connects();
      h.publish('t/a', '1', 1);
      h.heard();
      h.says(`07 0b ${id} fffe 00`);
      h.hears();
      h.happens('rejected 1 2');
    });

  test('that the gateway registers serves both ways', () => {
    const h = snClient(QUICK).connects();
    h.says("09 0a 0009 0101 't/b'", "08 0c 00 0009 0000 '1'");
    h.hears('07 0b 0009 0101 00');
    assert.deepEqual(
      h.messages.map(({ topic, payload }) => `${topic} ${payload}`),
      ['t/b 1'],
    );
    h.publish('t/b', '2');
    h.hears("08 0c 00 0009 0000 '2'");
    assert.deepEqual(h.faults, []);
  });

  test('that the gateway registers again has the new id, and an id registered again the new name', () => {
    const h = snClient(QUICK).connects();
    h.says("09 0a 0009 0101 't/b'", "09 0a 000a 0102 't/b'", "09 0a 0009 0103 't/c'");
    h.heard();
    h.publish('t/b', '');
    h.publish('t/c', '');
    h.hears('07 0c 00 000a 0000', '07 0c 00 0009 0000');
    h.says('07 0c 00 0009 0000', '07 0c 00 000a 0000');
    assert.deepEqual(
      h.messages.map(({ topic }) => topic),
      ['t/c', 't/b'],
    );
  });

  test('loses its id when the gateway gives it to another', () => {
    const h = snClient(QUICK).connects();
    h.says("09 0a 0009 0101 't/b'", "09 0a 0009 0102 't/c'", '07 0c 00 0009 0000');
    h.heard();
    assert.deepEqual(
      h.messages.map(({ topic }) => topic),
      ['t/c'],
    );
    h.publish('t/b', '');
    h.hears("09 0a 0000 fffe 't/b'");
    assert.deepEqual(h.faults, []);
  });

  for (const [what, name, error] of [
    ['a wildcard', "'t/#'", 'topic_wildcard'],
    ['no UTF-8', "'t/' ff", 'utf8'],
    ['NUL', "'t' 00 'b'", 'nul'],
  ] as const)
    test(`with ${what} that the gateway registers is refused (SN 6.5)`, () => {
      const h = snClient(QUICK).connects();
      h.says(`09 0a 0009 0101 ${name}`);
      h.hears('07 0b 0009 0101 03');
      h.happens(`datagram_dropped ${error} 1`);
      h.says('07 0c 00 0009 0000');
      assert.deepEqual(h.messages, []);
    });

  test('that comes on an unknown id is refused with 02, at every QoS, until it is registered (SN 6.10)', () => {
    const h = snClient(QUICK).connects();
    h.says('07 0c 00 0009 0000', '07 0c 20 0009 0001', '07 0c 40 0009 0002', '07 0c 21 0006 0003');
    h.hears('07 0d 0009 0000 02', '07 0d 0009 0001 02', '07 0d 0009 0002 02', '07 0d 0006 0003 02');
    h.happens(...[1, 2, 3, 4].map((count) => `datagram_dropped unregistered ${count}`));
    h.says("09 0a 0009 0101 't/b'", "08 0c a0 0009 0001 '1'");
    h.hears('07 0b 0009 0101 00', '07 0d 0009 0001 00');
    assert.deepEqual(h.payloads, ['1']);
    assert.deepEqual(h.faults, []);
  });

  test('beyond all that can be held makes the others be registered anew', () => {
    const h = snClient(QUICK).connects();
    for (let id = 1; id <= 1_025; id++) {
      h.says(`0a 0a ${id.toString(16).padStart(4, '0')} 0101 '${id.toString().padStart(4, '0')}'`);
      assert.equal(h.heard().at(0)?.at(-1), 0);
    }
    h.says('07 0c 00 0401 0000', '07 0c 00 0001 0000');
    h.hears('07 0d 0001 0000 02');
    assert.deepEqual(
      h.messages.map(({ topic }) => topic),
      ['1025'],
    );
    h.publish('0001', '');
    h.hears("0a 0a 0000 fffe '0001'");
  });
});

describe('PUBACK with code 02 (SN 6.5)', () => {
  test('has the topic registered again, and the message sent again', () => {
    const h = snClient(QUICK).connects().registers('t/a', '0001');
    h.publish('t/a', '1', 1);
    h.hears("08 0c 20 0001 0002 '1'");
    h.says('07 0d 0001 0002 02');
    h.hears("09 0a 0000 fffd 't/a'");
    h.says('07 0b 0009 fffd 00');
    h.hears("08 0c a0 0009 0002 '1'");
    h.says('07 0d 0009 0002 00');
    h.happens('published 2 0');
    assert.deepEqual(h.faults, []);
  });

  test('has a pre-defined topic registered by its name, from then on', () => {
    const h = snClient(PREDEFINED).connects();
    h.publish('p/5', '1', 2);
    h.hears("08 0c 41 0005 0001 '1'");
    h.says('07 0d 0005 0001 02');
    h.hears("09 0a 0000 fffe 'p/5'");
    h.says('07 0b 0009 fffe 00');
    h.hears("08 0c c0 0009 0001 '1'");
    h.says('04 0f 0001', '04 0e 0001');
    h.hears('04 10 0001');
    h.publish('p/5', '2');
    h.hears("08 0c 00 0009 0000 '2'");
    h.publish('p/7', '3');
    h.hears("08 0c 01 0007 0000 '3'");
    assert.deepEqual(h.faults, []);
  });

  test('is believed as often as a request is retried', () => {
    const h = snClient(QUICK).connects();
    h.publish('t/a', '1', 1);
    for (const register of ['e', 'd', 'c']) {
      h.hears(`09 0a 0000 fff${register} 't/a'`);
      h.says(`07 0b 0001 fff${register} 00`);
      h.hears(`08 0c ${register === 'e' ? '20' : 'a0'} 0001 0001 '1'`);
      h.happens();
      h.says('07 0d 0001 0001 02');
    }
    h.happens('rejected 1 2');
    h.hears();
    assert.equal(h.module.held, 0);
    assert.deepEqual(h.faults, []);
  });

  test('for a short name is final: its name is its id', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1', 1);
    h.heard();
    h.says("07 0d 'ab' 0001 02");
    h.happens('rejected 1 2');
    h.hears();
  });

  test('for a QoS 0 message, which is lost, has the next one registered', () => {
    const h = snClient(PREDEFINED).connects().registers('t/a', '0001');
    h.publish('t/a', '1');
    h.publish('p/5', '2');
    h.heard();
    h.says('07 0d 0001 0000 02', '07 0d 0005 0000 02');
    h.happens('rejected 0 2', 'rejected 0 2');
    h.publish('t/a', '3');
    h.hears("09 0a 0000 fffd 't/a'");
    h.says('07 0b 0009 fffd 00');
    h.hears("08 0c 00 0009 0000 '3'");
    h.publish('p/5', '4');
    h.hears("09 0a 0000 fffc 'p/5'");
    assert.deepEqual(h.faults, []);
  });
});

describe('after a reconnection', () => {
  for (const [what, config] of [
    ['a clean session', QUICK],
    ['a kept one', KEPT],
  ] as const)
    test(`of ${what} a topic is registered again before it is published on`, () => {
      const h = snClient(config).connects().registers('t/a', '0001').reconnects();
      h.publish('t/a', '1');
      h.hears("09 0a 0000 fffd 't/a'");
      assert.deepEqual(h.faults, []);
    });

  test('of a kept session an id serves on once the gateway uses it', () => {
    const h = snClient(KEPT).connects().registers('t/a', '0001').reconnects();
    h.says("08 0c 20 0001 0101 'x'");
    h.hears('07 0d 0001 0101 00');
    h.publish('t/a', '1');
    h.hears("08 0c 00 0001 0000 '1'");
    assert.deepEqual(h.faults, []);
  });

  test('of a clean session an id of before is unknown', () => {
    const h = snClient(QUICK).connects().registers('t/a', '0001').reconnects();
    h.says("08 0c 20 0001 0101 'x'");
    h.hears('07 0d 0001 0101 02');
    assert.deepEqual(h.messages, []);
  });

  test('what is pre-defined is known', () => {
    const h = snClient(PREDEFINED).connects().reconnects();
    h.publish('p/5', '1');
    h.hears("08 0c 01 0005 0000 '1'");
  });
});

describe('one request at a time (SN 6.6, 6.9)', () => {
  test('each kind waits for the answer to the one before, in the order asked', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1', 1);
    h.module.subscribeTo('#', 1);
    h.publish('ab', '2', 2);
    h.module.unsubscribe(['#']);
    h.publish('ab', '3', 0);
    h.hears("08 0c 22 'ab' 0001 '1'");
    h.says("07 0d 'ab' 0001 00");
    h.hears("06 12 20 0002 '#'");
    h.says('08 13 20 0000 0002 00');
    h.hears("08 0c 42 'ab' 0003 '2'");
    h.says('04 0f 0003');
    h.hears('04 10 0003');
    h.says('04 0e 0003');
    h.hears("06 14 00 0004 '#'");
    h.says('04 15 0004');
    h.hears("08 0c 02 'ab' 0000 '3'");
    h.happens('published 1 0', 'subscribed 2 1', 'published 3 0', 'unsubscribed 4 0');
    assert.equal(h.module.held, 0);
    assert.deepEqual(h.faults, []);
  });

  test('SUBSCRIBE to a name teaches its id, to a wildcard, a short or a pre-defined one none', () => {
    const h = snClient(PREDEFINED).connects();
    for (const [filter, says] of [
      ['t/a', '08 13 00 0009 0001 00'],
      ['t/+', '08 13 00 000a 0002 00'],
      ['ab', '08 13 00 000b 0003 00'],
      ['p/5', '08 13 00 000c 0004 00'],
    ] as const) {
      h.module.subscribeTo(filter);
      h.heard();
      h.says(says);
    }
    h.publish('t/a', '');
    h.hears('07 0c 00 0009 0000');
    h.publish('p/5', '');
    h.hears('07 0c 01 0005 0000');
    h.says('07 0c 00 000a 0000', '07 0c 00 000b 0000', '07 0c 00 000c 0000');
    assert.deepEqual(h.messages, []);
    assert.deepEqual(h.faults, []);
  });

  for (const code of [2, 3])
    test(`SUBSCRIBE refused with ${code} is told as refused`, () => {
      const h = snClient(QUICK).connects();
      h.module.subscribeTo('t/a', 1);
      h.heard();
      h.says(`08 13 00 0000 0001 0${code}`);
      h.happens('subscribed 1 128');
      assert.deepEqual(h.faults, []);
    });

  test('SUBSCRIBE by a pre-defined id that the gateway does not know is made by name', () => {
    const h = snClient(PREDEFINED).connects();
    h.module.subscribeTo('p/5', 1);
    h.hears('07 12 21 0001 0005');
    h.says('08 13 00 0005 0001 02');
    h.hears("08 12 a0 0001 'p/5'");
    h.says('08 13 20 0009 0001 00');
    h.happens('subscribed 1 1');
  });
});

describe('a request without an answer', () => {
  for (const [what, ask, first, again] of [
    ['PUBLISH at QoS 1', 'publish', "08 0c 22 'ab' 0001 '1'", "08 0c a2 'ab' 0001 '1'"],
    ['SUBSCRIBE', 'subscribe', "06 12 20 0001 '#'", "06 12 a0 0001 '#'"],
    ['UNSUBSCRIBE, which has no DUP,', 'unsubscribe', "06 14 00 0001 '#'", "06 14 00 0001 '#'"],
  ] as const)
    test(`${what} is sent again with doubled waits, then the gateway is lost, and again on the next connection`, () => {
      const h = snClient(KEPT).connects();
      if (ask === 'publish') h.publish('ab', '1', 1);
      else if (ask === 'subscribe') h.module.subscribeTo('#', 1);
      else h.module.unsubscribe(['#']);
      h.hears(first);
      h.waits(999);
      h.hears();
      h.waits(1);
      h.hears(again);
      h.waits(1_999);
      h.hears();
      h.waits(1);
      h.hears(again);
      h.waits(3_999);
      h.happens();
      h.waits(1);
      h.happens('timeout reply 500');
      h.retries();
      h.connects();
      h.hears(again);
      assert.equal(h.module.held, 1);
      assert.deepEqual(h.faults, []);
    });

  test('waits up to a quarter longer by chance', () => {
    const drawn = [0, 0]; // the time for CONNACK, and the first identifier
    const h = snClient(QUICK, { random: () => drawn.shift() ?? 250 }).connects();
    h.publish('ab', '1', 1);
    h.heard();
    h.waits(1_249);
    h.hears();
    h.waits(1);
    h.hears("08 0c a2 'ab' 0001 '1'");
  });

  test('whose answer comes late is answered once', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1', 1);
    h.heard();
    h.waits(1_000);
    h.heard();
    h.says("07 0d 'ab' 0001 00", "07 0d 'ab' 0001 00");
    h.happens('published 1 0', 'unknown_acknowledgement 13 1');
    assert.deepEqual(h.faults, []);
  });
});

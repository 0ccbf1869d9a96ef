import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_PREDEFINED,
  CONFIG_QOS,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  ERROR_QOS,
  ERROR_STATE,
} from '../../host/contract.js';
import type { Config } from './history.js';
import { snClient } from './sn-client.js';

const QUICK: Config = [
  [CONFIG_RETRY_INTERVAL, 1_000],
  [CONFIG_RETRIES, 2],
  [CONFIG_CLEAN_SESSION, 0],
];
const QUICK_CLEAN: Config = [...QUICK, [CONFIG_CLEAN_SESSION, 1]];
const PUBLISH = "08 0c 42 'ab' 0001 '1'";
const AGAIN = "08 0c c2 'ab' 0001 '1'";
const PUBREC = '04 0f 0001';
const PUBREL = '04 10 0001';
const PUBCOMP = '04 0e 0001';

describe('a QoS 2 message of the client (SN 6.6)', () => {
  // > what the client says, < what the gateway says, + a second that passes, ! a reconnection
  const table: [what: string, script: string[], events: string[]][] = [
    ['nothing is lost', [`>${PUBLISH}`, `<${PUBREC}`, `>${PUBREL}`, `<${PUBCOMP}`], []],
    ['PUBLISH or PUBREC is lost', [`>${PUBLISH}`, '+', `>${AGAIN}`, `<${PUBREC}`, `>${PUBREL}`, `<${PUBCOMP}`], []],
    ['PUBREL or PUBCOMP is lost', [`>${PUBLISH}`, `<${PUBREC}`, `>${PUBREL}`, '+', `>${PUBREL}`, `<${PUBCOMP}`], []],
    ['PUBREC comes twice', [`>${PUBLISH}`, `<${PUBREC}`, `>${PUBREL}`, `<${PUBREC}`, `>${PUBREL}`, `<${PUBCOMP}`], []],
    ['PUBCOMP comes twice', [`>${PUBLISH}`, `<${PUBREC}`, `>${PUBREL}`, `<${PUBCOMP}`, `<${PUBCOMP}`], ['unknown_acknowledgement 14 1']],
    [
      'a copy of PUBREC comes at the end',
      [`>${PUBLISH}`, `<${PUBREC}`, `>${PUBREL}`, `<${PUBCOMP}`, `<${PUBREC}`, `>${PUBREL}`],
      ['unknown_acknowledgement 15 1'],
    ],
    ['the connection breaks before PUBREC', [`>${PUBLISH}`, '!', `>${AGAIN}`, `<${PUBREC}`, `>${PUBREL}`, `<${PUBCOMP}`], []],
    ['the connection breaks after it', [`>${PUBLISH}`, `<${PUBREC}`, `>${PUBREL}`, '!', `>${PUBREL}`, `<${PUBCOMP}`], []],
  ];
  for (const [what, script, events] of table)
    test(`is published once when ${what}`, () => {
      const h = snClient(QUICK).connects();
      h.publish('ab', '1', 2);
      for (const line of script) {
        if (line === '+') h.waits(1_000);
        else if (line === '!') h.reconnects();
        else if (line.startsWith('<')) h.says(line.slice(1));
        else h.hears(line.slice(1));
      }
      h.hears();
      h.happens('published 1 0', ...events);
      assert.equal(h.module.held, 0);
      assert.deepEqual(h.faults, []);
    });

  test('is released by a PUBREC that comes while its topic is registered anew on another connection', () => {
    const h = snClient(QUICK_CLEAN).connects();
    h.publish('a/b', '1', 2);
    const [register] = h.heard();
    h.says(`07 0b 0007 ${register?.toString('hex', 4, 6)} 00`);
    h.hears("08 0c 40 0007 0001 '1'");
    h.reconnects();
    const [again] = h.heard();
    assert.equal(again?.[1], 0x0a, 'the topic is registered');
    h.says(PUBREC);
    h.hears(PUBREL);
    h.says(PUBCOMP, `07 0b 0008 ${again?.toString('hex', 4, 6)} 00`);
    h.hears();
    h.happens('published 1 0', 'unknown_acknowledgement 11 65533');
    assert.deepEqual(h.faults, []);
  });

  test('whose PUBREL gets no answer has the gateway count as lost', () => {
    const h = snClient(QUICK).connects();
    h.publish('ab', '1', 2);
    h.hears(PUBLISH);
    h.says(PUBREC);
    h.hears(PUBREL);
    h.waits(3_000);
    h.hears(PUBREL, PUBREL);
    h.waits(4_000);
    h.happens('timeout reply 500');
    assert.equal(h.module.held, 1);
  });
});

describe('a QoS 2 message of the gateway', () => {
  const table: [what: string, says: string[], hears: string[], events: string[]][] = [
    ['nothing is lost', [PUBLISH, PUBREL], [PUBREC, PUBCOMP], []],
    ['PUBREC is lost', [PUBLISH, AGAIN, PUBREL], [PUBREC, PUBREC, PUBCOMP], ['duplicate 1 0']],
    ['PUBCOMP is lost', [PUBLISH, PUBREL, PUBREL], [PUBREC, PUBCOMP, PUBCOMP], []],
    ['PUBLISH comes twice', [PUBLISH, PUBLISH, PUBREL], [PUBREC, PUBREC, PUBCOMP], ['duplicate 1 0']],
    [
      'a copy of PUBLISH comes behind its PUBREL',
      [PUBLISH, PUBREL, PUBLISH, PUBREL],
      [PUBREC, PUBCOMP, PUBREC, PUBCOMP],
      ['duplicate 1 0'],
    ],
  ];
  for (const [what, says, hears, events] of table)
    test(`is delivered once when ${what}`, () => {
      const h = snClient(QUICK).connects();
      h.says(...says);
      h.hears(...hears);
      h.happens('message 1 1', ...events);
      assert.deepEqual(h.payloads, ['1']);
      assert.deepEqual(h.faults, []);
    });

  test('is delivered once over a reconnection of a kept session', () => {
    const h = snClient(QUICK).connects();
    h.says(PUBLISH);
    h.reconnects();
    h.says(AGAIN, PUBREL);
    h.hears(PUBREC, PUBCOMP);
    assert.deepEqual(h.payloads, ['1']);
  });

  test('is another one in another clean session, whatever its identifier', () => {
    const h = snClient([...QUICK, [CONFIG_CLEAN_SESSION, 1]]).connects();
    h.says(PUBLISH);
    h.reconnects();
    h.says(PUBLISH);
    h.hears(PUBREC);
    assert.deepEqual(h.payloads, ['1', '1']);
  });

  test('is another one with the same identifier when its content or topic differs, or a minute has passed', () => {
    const h = snClient(QUICK).connects();
    const deliver = (message: string) => h.says(message, PUBREL);
    deliver(PUBLISH);
    deliver("08 0c 42 'ab' 0001 '2'");
    deliver("08 0c 42 'cd' 0001 '1'");
    h.waits(60_000);
    deliver(PUBLISH);
    assert.deepEqual(
      h.messages.map(({ topic, payload }) => topic + payload),
      ['ab1', 'ab2', 'cd1', 'ab1'],
    );
  });

  test('beyond all that can be held is refused with congestion, and comes when there is room', () => {
    const h = snClient(QUICK).connects();
    const message = (id: number) => `07 0c 42 'ab' ${id.toString(16).padStart(4, '0')}`;
    for (let id = 1; id <= 32_768; id++) h.says(message(id));
    h.heard();
    h.happened();
    h.says(message(32_769));
    h.hears("07 0d 'ab' 8001 01");
    h.happens('datagram_dropped inbox_full 1');
    h.says(PUBREL, message(32_769));
    h.hears(PUBCOMP, '04 0f 8001');
    assert.equal(h.messages.length, 32_769);
  });
});

describe('QoS -1 alone (SN 6.8)', () => {
  const CASTING: Config = [
    [CONFIG_QOS, -1],
    [CONFIG_PREDEFINED, '5=p/5'],
  ];

  test('sends on pre-defined ids and short names without a connection, and pings nobody', () => {
    const h = snClient(CASTING);
    h.opens();
    h.happens('opening 1 0', 'connected 0 0');
    assert.equal(h.publish('p/5', '1', -1), 0);
    assert.equal(h.publish('ab', '2', -1, true), 0);
    h.hears("08 0c 61 0005 0000 '1'", "08 0c 72 'ab' 0000 '2'");
    h.waits(2 ** 31 - 1);
    h.hears();
    h.board.stop();
    h.hears();
    h.happens('stopped 0 0');
    assert.deepEqual(h.faults, []);
  });

  test('asks for nothing that needs a connection', () => {
    const h = snClient(CASTING);
    h.opens();
    for (const qos of [0, 1, 2]) assert.equal(h.publish('p/5', '1', qos), -ERROR_QOS);
    assert.equal(h.module.subscribeTo('#'), -ERROR_STATE);
    assert.equal(h.module.unsubscribe(['#']), -ERROR_STATE);
    assert.equal(h.module.updateWillTopic('w'), -ERROR_STATE);
    assert.equal(h.module.updateWillPayload('x'), -ERROR_STATE);
    h.waits(100_000);
    h.hears();
    assert.deepEqual(h.faults, []);
  });

  test('answers nothing', () => {
    const h = snClient(CASTING);
    h.opens();
    h.happened();
    h.says("08 0c 22 'ab' 0001 '1'", '02 16', '02 18', "09 0a 0009 0101 't/b'");
    h.hears();
    h.happens(...[1, 2, 3, 4].map((count) => `datagram_dropped unexpected ${count}`));
  });

  test('sends what a busy or closed link did not take when it can', () => {
    const h = snClient(CASTING);
    h.opens();
    h.getsBusy();
    h.publish('ab', '1', -1);
    h.takes();
    h.hears("08 0c 62 'ab' 0000 '1'");
    h.cuts();
    h.publish('ab', '2', -1);
    h.retries();
    h.accepts();
    h.hears("08 0c 62 'ab' 0000 '2'");
    assert.deepEqual(h.faults, []);
  });
});

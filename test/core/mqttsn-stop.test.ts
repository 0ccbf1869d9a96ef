import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CONGESTION_WAIT,
  CONFIG_CONNECT_TIMEOUT,
  CONFIG_KEEP_ALIVE,
  CONFIG_QOS,
  CONFIG_REPLY_TIMEOUT,
  CONFIG_RETRY_INTERVAL,
  CONFIG_WILL_TOPIC,
  ERROR_STATE,
} from '../../host/contract.js';
import type { Config } from './history.js';
import { type SnClientOnClock, snClient } from './sn-client.js';
import type { SnOptions } from './sn-history.js';

/** The least that is waited for an answer, in ms: with it the end comes, whatever the others are. */
const BOUND = 3_000;
const SLOW: Config = [
  [CONFIG_REPLY_TIMEOUT, BOUND],
  [CONFIG_RETRY_INTERVAL, 86_400_000],
  [CONFIG_CONGESTION_WAIT, 86_400_000],
];

/** How a client comes to each state in which stop() may find it. */
const states: [
  state: string,
  config: readonly (readonly [number, string | number])[],
  options: SnOptions,
  reach: (h: SnClientOnClock) => void,
  hears: string[],
][] = [
  ['opening its link', [], {}, (h) => h.board.start(), []],
  ['waiting for CONNACK', [], {}, (h) => h.opens().heard(), ['02 18']],
  [
    'in the handshake of its will',
    [[CONFIG_WILL_TOPIC, 'w']],
    {},
    (h) => {
      h.opens().heard();
      h.says('02 06');
      h.heard();
    },
    ['02 18'],
  ],
  ['connected', [], {}, (h) => h.connects(), ['02 18']],
  [
    'connected with a request that is not answered',
    [],
    {},
    (h) => {
      h.connects().publish('ab', '1', 1);
      h.heard();
    },
    ['02 18'],
  ],
  [
    'connected to a congested gateway',
    [],
    {},
    (h) => {
      h.connects().publish('ab', '1', 1);
      h.heard();
      h.says("07 0d 'ab' 0001 01");
    },
    ['02 18'],
  ],
  [
    'waiting for PINGRESP',
    [[CONFIG_KEEP_ALIVE, 10]],
    {},
    (h) => {
      h.connects().waits(9_500);
      h.hears('02 16');
    },
    ['02 18'],
  ],
  [
    'falling asleep',
    [],
    {},
    (h) => {
      h.connects().module.sleep(60);
      h.hears('04 18 003c');
    },
    ['02 18'],
  ],
  ['asleep', [], {}, (h) => h.connects().fallsAsleep(60), ['02 18']],
  [
    'awake',
    [],
    {},
    (h) => {
      h.connects().fallsAsleep(60).module.collect();
      h.hears("03 16 'c'");
    },
    ['02 18'],
  ],
  [
    'waking',
    [],
    {},
    (h) => {
      h.connects().fallsAsleep(60).module.wake();
      h.hears("07 04 00 01 0000 'c'");
    },
    ['02 18'],
  ],
  [
    'waiting for its next attempt',
    [],
    {},
    (h) => {
      h.connects().cuts();
    },
    [],
  ],
  ['searching', [], { discovery: true, random: () => 2_000 }, (h) => h.startsSearching(), []],
  ['opening the searching link', [], { discovery: true }, (h) => h.board.start(), []],
  ['sending at QoS -1 alone', [[CONFIG_QOS, -1]], {}, (h) => h.opens(), []],
];

describe('stop()', () => {
  for (const [state, config, options, reach, hears] of states) {
    test(`ends a client that is ${state}, though nobody answers`, () => {
      const h = snClient([...SLOW, ...config], options);
      reach(h);
      h.happened();
      h.board.stop();
      h.waits(BOUND); // by the clock alone
      assert.equal(h.happened().at(-1), 'stopped 0 0');
      assert.deepEqual(
        h.peer.sent.map((data) => data.toString('hex')),
        hears.map((data) => data.replace(/ /g, '')),
      );
      assert.equal(h.isOpen, false);
      assert.equal(h.clock.next, undefined);
      assert.deepEqual(h.faults, []);
    });

    test(`ends a client that is ${state} and whose link is busy`, () => {
      const h = snClient([...SLOW, ...config], options);
      reach(h);
      h.happened();
      h.getsBusy();
      h.board.stop();
      h.waits(BOUND);
      assert.equal(h.happened().at(-1), 'stopped 0 0');
    });

    if (options.discovery || config.some(([key]) => key === CONFIG_QOS)) continue;
    test(`ends a client that is ${state} and can be followed by start()`, () => {
      const h = snClient([...SLOW, ...config], options);
      reach(h);
      h.board.stop();
      h.waits(BOUND);
      h.happened();
      h.connects();
      assert.equal(h.board.module.start(), -ERROR_STATE);
    });
  }

  test('is over with the DISCONNECT of the gateway', () => {
    const h = snClient().connects();
    h.board.stop();
    h.hears('02 18');
    h.happens();
    h.says('02 18');
    h.happens('stopped 0 0');
    assert.deepEqual(h.faults, []);
  });

  test('first delivers what is queued', () => {
    const h = snClient().connects();
    h.publish('t/a', '1', 2);
    h.publish('ab', '2');
    h.board.stop();
    h.hears("09 0a 0000 fffe 't/a'");
    h.says('07 0b 0009 fffe 00');
    h.hears("08 0c 40 0009 0001 '1'");
    h.says("08 0c 22 'ab' 0101 'x'", '04 0f 0001', '04 0e 0001');
    h.hears("07 0d 'ab' 0101 00", '04 10 0001', "08 0c 02 'ab' 0000 '2'", '02 18');
    h.says('02 18');
    h.happens('message 257 1', 'published 1 0', 'stopped 0 0');
    assert.deepEqual(h.faults, []);
  });

  test('keeps for the next start what was not answered', () => {
    const h = snClient([[CONFIG_CONNECT_TIMEOUT, BOUND]]).connects();
    h.publish('ab', '1', 1);
    h.board.stop();
    h.hears("08 0c 22 'ab' 0001 '1'");
    h.waits(BOUND);
    h.happens('stopped 0 0');
    h.connects();
    h.hears("08 0c a2 'ab' 0001 '1'");
  });

  test('sends nothing after its DISCONNECT (SN 6.12)', () => {
    const h = snClient().connects();
    h.board.stop();
    h.hears('02 18');
    h.says("08 0c 22 'ab' 0101 '1'", "08 0c 42 'ab' 0102 '2'", "09 0a 0009 0103 't/a'", '02 16', '04 0f 0007', '04 10 0102');
    h.hears();
    assert.deepEqual(h.messages, []);
    h.says('02 18');
    assert.equal(h.happened().at(-1), 'stopped 0 0');
    assert.deepEqual(h.faults, []);
  });

  test('sends its DISCONNECT again when it has no answer', () => {
    const h = snClient([[CONFIG_RETRY_INTERVAL, 1_000]]).connects();
    h.board.stop();
    h.hears('02 18');
    h.waits(1_000);
    h.hears('02 18');
    h.says('02 18');
    h.happens('stopped 0 0');
    assert.deepEqual(h.faults, []);
  });

  test('asked for again, waits for no answer, and is told once', () => {
    const h = snClient();
    h.board.stop();
    h.happens();
    h.connects();
    h.publish('ab', '1', 1);
    h.board.stop();
    h.heard();
    h.happens();
    h.board.stop();
    h.board.stop();
    h.happens('stopped 0 0');
  });
});

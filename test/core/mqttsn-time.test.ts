import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CONGESTION_WAIT,
  CONFIG_KEEP_ALIVE,
  CONFIG_QOS,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  CONFIG_WILL_TOPIC,
} from '../../host/contract.js';
import type { Config } from './history.js';
import { type SnClientOnClock, snClient } from './sn-client.js';
import type { SnOptions } from './sn-history.js';

const QUICK: Config = [
  [CONFIG_RETRY_INTERVAL, 1_000],
  [CONFIG_RETRIES, 2],
  [CONFIG_KEEP_ALIVE, 20],
  [CONFIG_CONGESTION_WAIT, 30_000],
];

/** How time passes: step by step as the module asks for it, or with many steps more. */
type Wait = (h: SnClientOnClock, ms: number) => void;
const asTold: Wait = (h, ms) => h.waits(ms);
const often: Wait = (h, ms) => {
  for (let passed = 0; passed < ms; passed += 50) {
    h.waits(Math.min(50, ms - passed));
    h.board.step();
  }
};

/** All that a client sends and tells in a life of four minutes, each with its time. Its first identifier is drawn: 137, 0089. */
function life(origin: number, wait: Wait): string[] {
  const h = snClient(QUICK, { origin, random: () => 137, discovery: true });
  const told: string[] = [];
  const at = () => h.clock.now() - origin;
  const note = h.during;
  h.during = (code, a, b) => {
    note(code, a, b);
    told.push(`${at()} event ${code} ${a} ${b}`);
  };
  h.startsSearching();
  wait(h, 12_000);
  h.gatewaySays('05 00 01 000a');
  h.accepts();
  wait(h, 3_000); // CONNECT is lost twice
  h.says('03 05 00');
  h.publish('t/a', '1', 2);
  h.board.step();
  wait(h, 1_500);
  h.says('07 0b 0009 fffe 00');
  wait(h, 1_500);
  h.says('04 0f 0089', '04 0e 0089');
  h.publish('ab', '2', 1);
  h.board.step();
  h.says("07 0d 'ab' 008a 01", '05 00 01 0064');
  wait(h, 20_000);
  h.says('02 17');
  wait(h, 11_000);
  h.says("07 0d 'ab' 008a 00");
  wait(h, 20_000);
  h.says('02 17');
  h.module.sleep(60);
  h.board.step();
  h.says('02 18');
  wait(h, 54_000);
  h.says('02 17');
  h.module.wake();
  h.board.step();
  wait(h, 1_200);
  h.says('03 05 00');
  h.publish('ab', '3', 1);
  h.board.step();
  wait(h, 30_000); // and nobody answers
  h.gatewaySays('03 02 02');
  h.accepts();
  h.says('03 05 00');
  h.board.stop();
  wait(h, 100_000);
  assert.equal(h.happened().at(-1), 'stopped 0 0');
  assert.equal(h.clock.next, undefined);
  assert.deepEqual(h.faults, []);
  return [
    ...told,
    ...h.conversation.map(({ from, bytes, at: time = 0 }) => `${time - origin} ${from} ${Buffer.from(bytes).toString('hex')}`),
  ];
}

describe('the clock', () => {
  const plain = life(0, asTold);
  for (const wrap of [2 ** 31, 2 ** 32])
    for (const before of [0, 1, 12_000, 13_000, 16_000, 60_000, 100_000, 150_000])
      test(`may wrap at ${wrap}, ${before} ms after the start`, () => assert.deepEqual(life(wrap - before, asTold), plain));

  test('is asked for steps where one is due, and no others are needed', () => assert.deepEqual(life(0, often), plain));
});

describe('a client that waits for something', () => {
  // The state, and the longest that it may be left alone in it, in ms: its timers are 10 s unless it says otherwise.
  const states: [what: string, config: Config, options: SnOptions, reach: (h: SnClientOnClock) => void, most: number][] = [
    ['the link to open', [], {}, (h) => h.board.start(), 30_000],
    ['CONNACK', [], {}, (h) => h.opens(), 10_000],
    [
      'WILLMSGREQ',
      [[CONFIG_WILL_TOPIC, 'w']],
      {},
      (h) => {
        h.opens();
        h.says('02 06');
      },
      10_000,
    ],
    ['its next attempt', [], {}, (h) => h.opens().cuts(), 500],
    ['PUBACK', [], {}, (h) => h.connects().publish('ab', '', 1), 10_000],
    ['REGACK', [], {}, (h) => h.connects().publish('t/a', '', 0), 10_000],
    ['SUBACK', [], {}, (h) => h.connects().module.subscribeTo('#'), 10_000],
    ['WILLTOPICRESP', [], {}, (h) => h.connects().module.updateWillTopic('w'), 10_000],
    [
      'the end of a congestion',
      [],
      {},
      (h) => {
        h.connects().publish('ab', '', 1);
        h.heard();
        h.says("07 0d 'ab' 0001 01");
      },
      300_000,
    ],
    ['the end of its silence', [[CONFIG_KEEP_ALIVE, 60]], {}, (h) => h.connects(), 59_500],
    [
      'a busy link',
      [],
      {},
      (h) => {
        h.connects().getsBusy();
        h.publish('ab', '', 0);
      },
      30_000,
    ],
    ['the confirmation of its sleep', [], {}, (h) => h.connects().module.sleep(60), 10_000],
    ['the end of its sleep', [], {}, (h) => h.connects().fallsAsleep(60), 52_500],
    ['what waits for it', [], {}, (h) => h.connects().fallsAsleep(60).module.collect(), 10_000],
    ['CONNACK to wake', [], {}, (h) => h.connects().fallsAsleep(60).module.wake(), 10_000],
    ['the confirmation of its end', [], {}, (h) => h.connects().module.stop(), 10_000],
    ['the searching link to open', [], { discovery: true }, (h) => h.board.start(), 30_000],
    ['a gateway', [], { discovery: true }, (h) => h.startsSearching(), 5_000],
    [
      'a gateway again',
      [],
      { discovery: true, random: () => 100 },
      (h) => {
        h.startsSearching();
        h.gatewaySays('03 02 01');
        h.connects().cuts();
        h.waits(600);
      },
      5_000,
    ],
    [
      'an ADVERTISE',
      [],
      { discovery: true },
      (h) => {
        h.startsSearching();
        h.gatewaySays('05 00 01 003c');
        h.connects();
      },
      180_000,
    ],
  ];
  for (const [what, config, options, reach, most] of states)
    test(`for ${what} says when it must be stepped, and goes on then`, () => {
      const h = snClient(config, options);
      reach(h);
      h.board.step();
      const { next } = h.clock;
      assert.ok(next !== undefined, 'it may be left alone for ever');
      assert.ok(next > 0 && next <= most, `it may be left alone for ${next} ms`);
      h.happened();
      h.peer.sent = [];
      h.searched.sent = [];
      for (let waits = 0; waits < 3; waits++) h.waits(h.clock.next ?? 0);
      assert.ok(h.peer.sent.length + h.searched.sent.length + h.happened().length > 0, 'nothing came of it');
    });

  test('for nothing may be left alone', () => {
    const h = snClient().connects();
    h.waits(60_000);
    assert.equal(h.clock.next, undefined);
    const casting = snClient([[CONFIG_QOS, -1]]);
    casting.opens();
    casting.waits(60_000);
    assert.equal(casting.clock.next, undefined);
  });
});

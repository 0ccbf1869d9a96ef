import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_CONNECT_TIMEOUT, CONFIG_KEEP_ALIVE, CONFIG_REPLY_TIMEOUT, CONFIG_TOPIC } from '../../host/contract.js';
import { type ClientHistory, clientHistory, type Options, sensorHistory } from './history.js';

const PINGREQ = 'c000';
const keeping = (seconds: number, options: Options = {}) =>
  clientHistory({ config: [[CONFIG_KEEP_ALIVE, seconds]], ...options }).connects();
const sent = (h: ClientHistory) => h.peer.sent.toString('hex');

// A clock that starts here passes the named edge of 32 bits a little later.
const origins: readonly (readonly [name: string, origin: number])[] = [
  ['0', 0],
  ['2³¹', 2 ** 31 - 5_000],
  ['2³²', 2 ** 32 - 5_000],
];

for (const [edge, origin] of origins) {
  describe(`keep alive, on a clock near ${edge}`, () => {
    test('PINGREQ goes out half a second before its end', () => {
      const h = keeping(10, { origin });
      h.waits(9_499);
      assert.equal(sent(h), '');
      h.waits(1);
      assert.equal(sent(h), PINGREQ);
      h.says('d0 00');
      h.happens();
      h.waits(9_499);
      assert.equal(sent(h), PINGREQ);
      h.waits(1);
      assert.equal(sent(h), PINGREQ + PINGREQ);
    });

    test('a PINGRESP that does not come closes the link', () => {
      const h = keeping(10, { origin });
      h.waits(9_500 + 9_499);
      h.happens();
      h.waits(1);
      h.happens('timeout pingresp 500');
      assert.ok(!h.isOpen);
    });

    test('each half of a QoS 2 exchange has a deadline of its own', () => {
      const h = clientHistory({ config: [[CONFIG_REPLY_TIMEOUT, 7_000]], origin }).connects();
      h.publish('a', '1', 2);
      h.board.step();
      h.waits(6_000);
      h.says('50 02 0001');
      h.waits(6_999);
      h.happens();
      h.waits(1);
      h.happens('timeout reply 500');
    });

    test('a request without an answer closes the link at its deadline', () => {
      const h = clientHistory({ config: [[CONFIG_REPLY_TIMEOUT, 7_000]], origin }).connects();
      h.waits(1_000);
      h.publish('a', '1', 1);
      h.board.step();
      h.waits(6_999);
      h.happens();
      h.waits(1);
      h.happens('timeout reply 500');
    });

    test('a link that does not open, a CONNACK that does not come, and the delays between follow one another', () => {
      const h = clientHistory({ config: [[CONFIG_CONNECT_TIMEOUT, 2_000]], origin });
      h.board.start();
      h.happens('opening 1 0');
      h.waits(1_999);
      h.happens();
      h.waits(1);
      h.happens('timeout open 500');
      h.waits(499);
      h.happens();
      h.waits(1);
      h.happens('opening 2 0');
      h.waits(1_000);
      h.accepts();
      h.waits(1_999);
      h.happens();
      h.waits(1);
      h.happens('timeout connack 1000');
    });
  });
}

describe('keep alive', () => {
  test('counts from the last packet sent, whatever it is', () => {
    const h = keeping(10);
    h.waits(5_000);
    h.publish('a', '1', 0);
    h.board.step();
    h.waits(5_000);
    h.says("32 06 0001 'a' 0007 '1'"); // its PUBACK is a packet sent
    h.heard();
    h.waits(9_499);
    assert.equal(sent(h), '');
    h.waits(1);
    assert.equal(sent(h), PINGREQ);
  });

  test('does not count what is received', () => {
    const h = keeping(10);
    h.waits(9_000);
    h.says("30 04 0001 'a' '1'");
    h.waits(500);
    assert.equal(sent(h), PINGREQ);
  });

  test('needs no PINGREQ while other packets go out, not even at the moment it is due', () => {
    const h = keeping(10);
    for (let i = 0; i < 20; i++) {
      h.clock.skip(9_500);
      h.publish('a', '1', 0);
      h.hears("30 04 0001 'a' '1'");
    }
  });

  test('of 0 sends no PINGREQ and needs no step', () => {
    const h = keeping(0);
    assert.equal(h.clock.next, undefined);
    h.waits(2 ** 31);
    assert.equal(sent(h), '');
    h.happens();
  });

  test('of 1 second sends PINGREQ after half of it, and waits as long for the answer', () => {
    const h = keeping(1);
    h.waits(500);
    assert.equal(sent(h), PINGREQ);
    h.waits(499);
    h.happens();
    h.waits(1);
    h.happens('timeout pingresp 500');
  });

  test('of 65,535 seconds is kept to the millisecond', () => {
    const h = keeping(65_535);
    h.waits(65_534_499);
    assert.equal(sent(h), '');
    h.waits(1);
    assert.equal(sent(h), PINGREQ);
    h.waits(29_999);
    h.happens();
    h.waits(1);
    h.happens('timeout pingresp 500'); // the reply timeout is shorter
  });

  test('begins anew with each connection, whatever the last one still waited for', () => {
    const h = keeping(10);
    h.waits(9_500);
    assert.equal(sent(h), PINGREQ);
    h.reconnects();
    h.waits(9_499);
    h.happens();
    assert.equal(sent(h), '');
    h.waits(1);
    assert.equal(sent(h), PINGREQ);
  });

  test('is one PINGREQ at a time', () => {
    const h = keeping(60);
    h.waits(59_500 + 29_999);
    assert.equal(sent(h), PINGREQ);
  });

  test('needs no PINGREQ behind bytes that a busy link has not taken, and leaves the board in peace', () => {
    const h = keeping(10);
    h.peer.capacity = 0;
    h.publish('a', Buffer.alloc(1_048_576));
    h.publish('a', Buffer.alloc(131_060)); // two bytes of the transmit buffer are left, then none
    h.board.step();
    h.waits(29_999);
    h.happens();
    h.waits(1);
    h.happens('timeout send 500');
    assert.equal(sent(h), '');
  });
});

describe('a deadline', () => {
  test('for the link to take bytes begins when it stops taking them', () => {
    const h = clientHistory({ config: [[CONFIG_REPLY_TIMEOUT, 5_000]] }).connects();
    h.peer.capacity = 3;
    h.publish('a', '12345678', 0);
    h.board.step();
    h.waits(4_000);
    h.peer.takes(1);
    h.waits(4_999);
    h.happens();
    h.waits(1);
    h.happens('timeout send 500');
  });

  test('of bytes that a busy link takes at last is forgotten', () => {
    const h = clientHistory({ config: [[CONFIG_REPLY_TIMEOUT, 5_000]] }).connects();
    h.peer.capacity = 0;
    h.publish('a', '1', 0);
    h.board.step();
    h.waits(4_999);
    h.peer.takes(100);
    h.waits(86_400_000);
    h.happens();
  });

  for (const [what, ask] of Object.entries({
    'a message at QoS 0': (h: ClientHistory) => h.publish('a', '1', 0),
    'a message at QoS 1': (h: ClientHistory) => h.publish('a', '1', 1),
    'a message at QoS 2': (h: ClientHistory) => h.publish('a', '1', 2),
    'a subscription': (h: ClientHistory) => h.module.subscribe([{ filter: 'a', qos: 0 }]),
    'an unsubscription': (h: ClientHistory) => h.module.unsubscribe(['a']),
  })) {
    test(`of ${what} begins when it is asked for, however long the connection was idle`, () => {
      const h = clientHistory().connects();
      h.waits(86_400_000);
      const id = ask(h);
      h.board.step();
      h.happens();
      assert.ok(sent(h).length > 0);
      h.waits(29_999);
      h.happens();
      h.waits(1);
      h.happens(...(id > 0 ? ['timeout reply 500'] : []));
    });
  }

  test('of the oldest request passes to the next when it is answered', () => {
    const h = clientHistory({ config: [[CONFIG_REPLY_TIMEOUT, 5_000]] }).connects();
    h.publish('a', '1', 1);
    h.board.step();
    h.waits(3_000);
    h.publish('a', '2', 1);
    h.board.step();
    h.waits(1_000);
    h.says('40 02 0001');
    h.happens('published 1 0');
    h.waits(3_999);
    h.happens();
    h.waits(1);
    h.happens('timeout reply 500');
  });

  test('is not counted while there is no connection', () => {
    const h = clientHistory({ config: [[CONFIG_REPLY_TIMEOUT, 100]] });
    h.publish('a', '1', 1);
    h.board.start();
    h.waits(20_000);
    h.connects();
    h.waits(99);
    h.happens();
    h.waits(1);
    h.happens('timeout reply 500');
  });

  test('that has passed while the machine slept is acted on, not missed', () => {
    const h = keeping(10);
    h.publish('a', '1', 1);
    h.board.step();
    h.clock.skip(3_600_000);
    h.waits(0);
    h.happens('timeout reply 500');
  });
});

describe('the answer of step()', () => {
  // Whatever the history, a board that wakes only when it was told to does what one that wakes each millisecond does.
  const scripts: Readonly<Record<string, (h: ClientHistory) => void>> = {
    idle: () => {},
    'a lost PUBACK': (h) => void h.publish('a', '1', 1),
    'a busy link': (h) => {
      h.peer.capacity = 1;
      h.publish('a', '1', 0);
    },
    'a link that breaks': (h) => h.cuts(),
    'an end with a busy link': (h) => {
      h.peer.capacity = 0;
      h.board.stop();
    },
  };
  for (const [what, act] of Object.entries(scripts)) {
    test(`never makes the client late: ${what}`, () => {
      const run = (eager: boolean) => {
        const h = keeping(3, {
          config: [
            [CONFIG_KEEP_ALIVE, 3],
            [CONFIG_REPLY_TIMEOUT, 2_000],
            [CONFIG_CONNECT_TIMEOUT, 1_500],
          ],
        });
        act(h);
        h.board.step();
        const log: string[] = [];
        let seen = 0;
        for (let ms = 0; ms < 20_000; ms++) {
          h.waits(1);
          if (eager) h.board.step();
          const bytes = sent(h);
          for (const event of h.happened()) log.push(`${ms} ${event}`);
          if (bytes.length > seen) log.push(`${ms} ${bytes.slice(seen)}`);
          seen = bytes.length;
        }
        return log;
      };
      const lazy = run(false);
      assert.deepEqual(lazy, run(true));
      if (what !== 'an end with a busy link') assert.ok(lazy.length > 3);
    });
  }

  test('is never 0 for long: a board is not kept spinning', () => {
    for (const act of Object.values(scripts)) {
      const h = keeping(3);
      act(h);
      h.board.step();
      for (let i = 0; i < 1_000 && h.clock.next !== undefined; i++) {
        const before = h.clock.now();
        h.waits(h.clock.next);
        assert.ok(h.clock.now() > before || i < 3);
      }
    }
  });

  test('of a sensor is the time to its next reading when nothing is sooner', () => {
    const h = sensorHistory({ config: [[CONFIG_TOPIC, 't']], thermometers: [() => 0] }).connects();
    h.waits(10_000); // connecting took no time: readings at 0, 10 s, …
    assert.equal(h.clock.next, 10_000);
  });
});

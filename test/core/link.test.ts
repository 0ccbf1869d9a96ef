import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_CLEAN_SESSION, ERROR_OUTBOX_FULL, ERROR_STATE, REASON_REFUSED } from '../../host/contract.js';
import { clientHistory } from './history.js';

const CONNECT = "10 0d 0004 'MQTT' 04 02 0000 0001 'c'";

describe('a link that is busy', () => {
  test('gets what it did not take when it takes again', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    h.publish('a', '1', 0);
    h.publish('a', '2', 1);
    h.hears('');
    h.peer.takes(4);
    h.hears('30 04 0001');
    h.peer.takes(1_000);
    h.hears("'a' '1' 32 06 0001 'a' 0001 '2'");
  });

  for (const portion of [1, 2, 3, 7]) {
    test(`and takes ${portion} at a time is offered the rest at once`, () => {
      const h = clientHistory();
      h.peer.portion = portion;
      h.connects();
      h.publish('a', '12345678', 1);
      h.hears("32 0d 0001 'a' 0001 '12345678'");
    });
  }

  test('has every byte in order, however often it stops', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    const expected: string[] = [];
    for (let i = 0; i < 300; i++) {
      const text = `${i}`.padStart(5, '0');
      const id = h.publish('a', text, i % 2);
      expected.push(i % 2 ? `320a0001'a'${id.toString(16).padStart(4, '0')}'${text}'` : `30080001'a''${text}'`);
    }
    for (let i = 0; i < 400; i++) h.peer.takes(i % 23);
    h.peer.takes(Number.POSITIVE_INFINITY);
    h.hears(...expected);
  });

  test('is not given one more packet than it reads: the client stops taking them in', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    const message = Buffer.concat([Buffer.from('32edff03000161', 'hex'), Buffer.from('0007', 'hex'), Buffer.alloc(65_512)]);
    assert.equal(message.length, 65_521);
    h.publish('b', Buffer.alloc(1_048_576)); // the transmit buffer of 1,179,648 bytes has 131,066 bytes left
    h.publish('b', Buffer.alloc(131_058)); // and now none
    h.board.step();
    let offered = 0;
    while (h.peer.unread === 0 && offered < 20) {
      h.says(message);
      offered++;
    }
    assert.ok(h.messages.length <= 1, `${h.messages.length} messages without room for their answer`);
    assert.ok(h.peer.isPaused);
    h.says(message);
    h.peer.takes(Number.POSITIVE_INFINITY);
    h.peer.pump();
    assert.equal(h.messages.length, offered + 1);
    assert.equal(
      h
        .heard()
        .subarray(-4 * (offered + 1))
        .toString('hex'),
      '40020007'.repeat(offered + 1),
    );
    assert.ok(!h.peer.isPaused);
  });

  test('that breaks takes with it what it did not take: the next connection begins with its own packets', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    h.publish('a', '1', 0);
    h.hears('');
    h.peer.capacity = Number.POSITIVE_INFINITY;
    h.reconnects();
    h.hears('');
  });

  test('that breaks takes with it the acknowledgement of its last message', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    h.publish('b', Buffer.alloc(1_048_576));
    h.board.step();
    h.during = () => h.publish('b', Buffer.alloc(131_057)); // leaves one byte of the transmit buffer: no room for PUBACK
    h.says("32 06 0001 'a' 0007 '1'");
    h.happens('message 7 1');
    h.during = () => {};
    h.cuts();
    h.peer.capacity = Number.POSITIVE_INFINITY;
    h.retries();
    h.connects();
    h.hears('');
  });

  test('keeps the outbox from emptying, and QoS 0 is refused when that is full too', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    const payload = Buffer.alloc(1000, 'x');
    let published = 0;
    while (h.publish('a', payload, 0) === 0) published++;
    assert.equal(h.publish('a', payload, 0), -ERROR_OUTBOX_FULL);
    assert.ok(published > 3_000);
    h.happens();
    h.peer.takes(Number.POSITIVE_INFINITY);
    assert.equal(h.heard().length, published * 1006);
    assert.equal(h.publish('a', payload, 0), 0);
  });

  test('that fails in send() is given up when its end is told', () => {
    const h = clientHistory().connects();
    h.peer.sendError = -REASON_REFUSED;
    h.publish('a', '1', 1);
    h.hears('');
    h.cuts();
    h.happens('link_closed reset 500');
    h.peer.sendError = 0;
    h.retries();
    h.connects();
    h.hears("3a 06 0001 'a' 0001 '1'");
  });
});

describe('stop()', () => {
  test('while connected says DISCONNECT and closes', () => {
    const h = clientHistory().connects();
    h.board.stop();
    assert.equal(h.peer.sent.toString('hex'), 'e000');
    h.happens('stopped 0 0');
    assert.ok(!h.isOpen);
    assert.equal(h.clock.next, undefined);
  });

  test('long after the last step says DISCONNECT all the same', () => {
    const h = clientHistory().connects();
    h.waits(86_400_000);
    h.board.stop();
    assert.equal(h.peer.sent.toString('hex'), 'e000');
    h.happens('stopped 0 0');
  });

  test('after requests sends these first', () => {
    const h = clientHistory().connects();
    h.publish('a', '1', 1);
    h.publish('a', '2', 0);
    h.board.stop();
    assert.equal(h.peer.sent.toString('hex'), '3206000161000131' + '300400016132' + 'e000');
    h.happens('stopped 0 0');
  });

  test('at a message acknowledges it', () => {
    const h = clientHistory().connects();
    h.during = () => h.module.stop();
    h.says("32 06 0001 'a' 0007 '1' 32 06 0001 'a' 0008 '2'");
    assert.equal(h.peer.sent.toString('hex'), '40020007' + 'e000');
    h.happens('message 7 1', 'stopped 0 0');
  });

  test('with a busy link waits until it takes DISCONNECT', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    h.publish('a', Buffer.alloc(1_048_576), 1);
    h.publish('a', Buffer.alloc(1_048_576), 1); // more than the transmit buffer holds
    h.waits(20_000);
    h.board.stop();
    h.happens();
    h.waits(29_999);
    h.happens();
    h.peer.takes(Number.POSITIVE_INFINITY);
    assert.equal(h.peer.sent.length, 2 * (1_048_576 + 9) + 2);
    assert.equal(h.peer.sent.subarray(-2).toString('hex'), 'e000');
    h.happens('stopped 0 0');
  });

  test('with a link that stays busy ends at its deadline', () => {
    const h = clientHistory().connects();
    h.waits(100_000);
    h.peer.capacity = 1;
    h.board.stop();
    h.waits(29_999);
    h.happens();
    h.waits(1);
    h.happens('stopped 0 0');
    assert.ok(!h.isOpen);
  });

  test('with a link that breaks meanwhile ends then', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    h.board.stop();
    h.cuts();
    h.happens('stopped 0 0');
    assert.equal(h.clock.next, undefined);
  });

  const before: Readonly<Record<string, (h: ReturnType<typeof clientHistory>) => void>> = {
    'before the link is open': (h) => assert.equal(h.board.start(), 0),
    'before CONNACK': (h) => h.opens(),
    'between two attempts': (h) => {
      h.connects();
      h.cuts();
    },
  };
  for (const [when, reach] of Object.entries(before)) {
    test(`${when} closes and says nothing more`, () => {
      const h = clientHistory();
      reach(h);
      h.heard();
      h.happened();
      h.board.stop();
      h.happens('stopped 0 0');
      h.hears('');
      assert.ok(!h.isOpen);
      h.waits(86_400_000);
      h.happens();
    });
  }

  test('before the first step opens nothing', () => {
    const h = clientHistory();
    assert.equal(h.module.start(), 0);
    h.board.stop();
    h.happens('stopped 0 0');
    assert.deepEqual(h.peer.choices, []);
  });

  test('twice, or before start(), does nothing', () => {
    const h = clientHistory();
    h.board.stop();
    h.happens();
    h.connects();
    h.board.stop();
    h.happens('stopped 0 0');
    h.board.stop();
    h.happens();
  });

  test('is followed by start() with what the outbox holds', () => {
    const h = clientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]] }).connects();
    h.publish('a', '1', 1);
    h.board.stop();
    h.publish('a', '2', 1);
    h.connects({ present: true });
    h.hears("3a 06 0001 'a' 0001 '1' 32 06 0001 'a' 0002 '2'");
  });
});

describe('start()', () => {
  test('twice is refused and changes nothing', () => {
    const h = clientHistory().connects();
    assert.equal(h.module.start(), -ERROR_STATE);
    h.happens();
    h.publish('a', '1', 0);
    h.hears("30 04 0001 'a' '1'");
  });

  test('while stopping is refused', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    h.board.stop();
    assert.equal(h.module.start(), -ERROR_STATE);
    h.peer.takes(10);
    h.hears('e0 00');
    h.happens('stopped 0 0');
  });

  test('opens the link in the first step, and sends CONNECT when it is open', () => {
    const h = clientHistory();
    h.board.start();
    h.happens('opening 1 0');
    h.hears('');
    h.accepts();
    h.hears(CONNECT);
  });

  test('tries several brokers in their order, round after round, and keeps one that works', () => {
    const h = clientHistory({ addresses: 3 });
    h.board.start();
    for (let i = 0; i < 4; i++) {
      h.cuts(REASON_REFUSED);
      h.retries();
    }
    assert.deepEqual(h.peer.choices, [0, 1, 2, 0, 1]);
    h.connects();
    h.waits(60_000);
    h.reconnects();
    assert.deepEqual(h.peer.choices, [0, 1, 2, 0, 1, 1]);
    h.waits(60_000);
    h.cuts();
    h.retries();
    h.cuts(REASON_REFUSED);
    h.retries();
    assert.deepEqual(h.peer.choices.slice(6), [1, 2], 'lost, and no longer there');
  });

  test('leaves a broker that accepts and drops for the next', () => {
    const h = clientHistory({ addresses: 2 });
    for (let i = 0; i < 3; i++) {
      h.connects();
      h.cuts();
      h.retries();
    }
    assert.deepEqual(h.peer.choices, [0, 1, 0, 1]);
  });

  test('without an address says so', () => {
    const h = clientHistory({ addresses: 0 });
    h.board.start();
    h.happens('link_closed address 500');
  });
});

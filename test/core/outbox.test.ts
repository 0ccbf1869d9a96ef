import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_MAX_INFLIGHT,
  CONFIG_REPLY_TIMEOUT,
  ERROR_OUTBOX_FULL,
  ERROR_TOO_LARGE,
} from '../../host/contract.js';
import { boardClient } from './compile.js';
import { ClientHistory, clientHistory } from './history.js';

describe('packet identifiers', () => {
  for (const [bits, first] of [
    [0, 1],
    [0x1234_5678, 0x5678],
    [-1, 0xffff],
    [0x7000_0000, 1],
  ] as const) {
    test(`begin at ${first} when the board draws ${bits}, and rise from there`, () => {
      const h = clientHistory({ random: () => bits }).connects();
      const ids = [1, 2].map(() => h.publish('a', '', 1));
      assert.deepEqual(ids, [first, (first % 0xffff) + 1]);
    });
  }

  test('pass 65,535 and skip the one in flight', () => {
    const h = clientHistory().connects();
    assert.equal(h.publish('a', 'stuck', 1), 1);
    h.heard();
    const seen = new Set<number>();
    for (let i = 0; i < 70_000; i++) {
      const id = h.publish('a', '', 1);
      assert.ok(id > 1 && id <= 65_535, `identifier ${id}`);
      assert.notEqual(id % 4096, 1, 'the place in the outbox that the stuck one holds');
      if (i < 60_000) seen.add(id);
      const packet = h.heard();
      assert.equal(packet.readUInt16BE(5), id);
      h.says(`40 02 ${id.toString(16).padStart(4, '0')}`);
      assert.equal(h.module.held, 1);
    }
    assert.equal(seen.size, 60_000); // none came back before the others were used
    h.happened();
    h.says('40 02 0001');
    h.happens('published 1 0');
  });

  test('in flight are never given out again, whichever are stuck', () => {
    const h = clientHistory().connects();
    const stuck = new Set<number>();
    for (let i = 0; i < 9_000; i++) {
      const id = h.publish('a', '', 1);
      assert.ok(!stuck.has(id), `identifier ${id} is in flight`);
      h.heard();
      if (i % 5 === 0 && stuck.size < 1_000) stuck.add(id);
      else h.says(`40 02 ${id.toString(16).padStart(4, '0')}`);
    }
    assert.equal(h.module.held, 1_000);
  });
});

describe('the outbox', () => {
  test('refuses the entry after its last, and takes one again for each answer', () => {
    const h = clientHistory().connects();
    for (let i = 0; i < 4096; i++) assert.ok(h.publish('a', '', 1) > 0);
    for (const qos of [1, 2]) assert.equal(h.publish('a', '', qos), -ERROR_OUTBOX_FULL);
    assert.equal(h.module.subscribe([{ filter: 'a', qos: 0 }]), -ERROR_OUTBOX_FULL);
    assert.equal(h.module.unsubscribe(['a']), -ERROR_OUTBOX_FULL);
    assert.equal(h.heard().length, 4096 * 7);
    assert.equal(h.publish('a', '', 0), 0); // needs no entry where it can go at once
    h.says('40 02 0800');
    assert.equal(h.publish('a', '', 1), 4096 + 0x800);
    assert.equal(h.publish('a', '', 1), -ERROR_OUTBOX_FULL);
  });

  test('refuses bytes that it has no room for, while the oldest holds its place', () => {
    const h = clientHistory().connects();
    const most = Buffer.alloc(1_048_576);
    assert.equal(h.publish('a', most, 1), 1);
    assert.equal(h.publish('a', most, 1), 2);
    h.heard();
    assert.equal(h.publish('a', most, 1), -ERROR_OUTBOX_FULL);
    h.says('40 02 0002'); // room returns in the order it was taken
    assert.equal(h.publish('a', most, 1), -ERROR_OUTBOX_FULL);
    h.says('40 02 0001');
    assert.equal(h.publish('a', most, 1), 3);
  });

  test('keeps every byte of what it holds, wherever its ring wraps', () => {
    const h = clientHistory().connects();
    h.peer.portion = 100_000;
    const size = 300_000;
    const body = (i: number) => Buffer.alloc(size + i * 7919, 0x41 + (i % 26));
    let acknowledged = 0;
    for (let i = 0; i < 60; i++) {
      while (h.publish('a', body(i), 1) < 0) {
        acknowledged++;
        h.says(`40 02 ${acknowledged.toString(16).padStart(4, '0')}`);
      }
      h.heard();
      if (i % 10 !== 9) continue;
      h.reconnects(); // all that is held comes again: compare it
      const again = h.heard();
      let at = 0;
      for (let held = acknowledged; held <= i; held++) {
        const expected = body(held);
        assert.equal(again.readUInt16BE(at + 7), held + 1);
        at += 9;
        assert.ok(again.subarray(at, at + expected.length).equals(expected), `message ${held} after ${i}`);
        at += expected.length;
      }
      assert.equal(at, again.length);
    }
  });

  test('whose ring is full to the byte, the oldest in its middle, takes nothing more', async () => {
    const h = new ClientHistory({}, await boardClient()).connects();
    h.publish('a', 'A'.repeat(999), 1);
    h.publish('a', 'B'.repeat(999), 1);
    h.heard();
    h.says('40 02 0001');
    assert.equal(h.publish('a', 'C'.repeat(999), 1), 3); // before B, of which 1,000 bytes are in front
    assert.equal(h.publish('a', 'D', 1), -ERROR_OUTBOX_FULL);
    h.heard();
    h.reconnects();
    h.hears(`3a ec 07 0001 'a' 0002 '${'B'.repeat(999)}' 3a ec 07 0001 'a' 0003 '${'C'.repeat(999)}'`);
  });

  test('refuses a payload over the limit without a change', () => {
    const h = clientHistory().connects();
    assert.equal(h.publish('a', Buffer.alloc(h.module.payloadLimit + 1), 1), -ERROR_TOO_LARGE);
    h.hears('');
    assert.equal(h.module.held, 0);
  });
});

describe('a deadline', () => {
  test('of a reply sends everything again on the next connection', () => {
    const h = clientHistory({ config: [[CONFIG_REPLY_TIMEOUT, 5000]] }).connects();
    h.publish('a', '1', 1);
    h.heard();
    h.waits(4999);
    h.happens();
    h.waits(1);
    h.happens('timeout reply 500');
    h.retries();
    h.connects();
    h.hears("3a 06 0001 'a' 0001 '1'");
  });
});

describe('the window of QoS 2', () => {
  const window = (size: number) => clientHistory({ config: [[CONFIG_MAX_INFLIGHT, size]] }).connects();

  test('lets no more messages be unfinished at once, and what comes behind waits its turn', () => {
    const h = window(2);
    for (const payload of ['1', '2', '3']) h.publish('a', payload, 2);
    h.publish('b', '4');
    h.hears("34 06 0001 'a' 0001 '1'", "34 06 0001 'a' 0002 '2'");
    h.says('50 02 0002');
    h.hears('62 02 0002');
    h.says('70 02 0002');
    h.happens('published 2 0');
    h.hears("34 06 0001 'a' 0003 '3'", "30 04 0001 'b' '4'");
  });

  test('is 20 where nothing else is configured', () => {
    const h = clientHistory().connects();
    for (let i = 0; i < 25; i++) h.publish('a', '', 2);
    assert.equal(h.heard().length, 20 * 7);
  });

  test('does not hold back QoS 1', () => {
    const h = window(1);
    for (let i = 0; i < 3; i++) h.publish('a', '', 1);
    assert.equal(h.heard().length, 3 * 7);
  });

  test('counts anew on the next connection, released messages included', () => {
    const h = clientHistory({
      config: [
        [CONFIG_CLEAN_SESSION, 0],
        [CONFIG_MAX_INFLIGHT, 1],
      ],
    }).connects();
    for (const payload of ['1', '2']) h.publish('a', payload, 2);
    h.hears("34 06 0001 'a' 0001 '1'");
    h.says('50 02 0001');
    h.hears('62 02 0001');
    h.reconnects({ present: true });
    h.hears('62 02 0001');
    h.says('70 02 0001');
    h.happens('published 1 0');
    h.hears("34 06 0001 'a' 0002 '2'");
  });

  test('does not keep DISCONNECT back', () => {
    const h = window(1);
    for (const payload of ['1', '2']) h.publish('a', payload, 2);
    h.hears("34 06 0001 'a' 0001 '1'");
    h.board.stop();
    h.hears('e0 00');
    h.happens('stopped 0 0');
  });
});

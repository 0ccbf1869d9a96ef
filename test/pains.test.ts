import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_CLEAN_SESSION, CONFIG_QOS, CONFIG_TOPIC, reasonNames } from '../host/contract.js';
import { boardClient } from './core/compile.js';
import { ClientHistory, clientHistory, sensorHistory } from './core/history.js';

// What users of other clients keep running into, as far as no other file has the test; docs/reliability.md has the table of all.

const hex = (id: number) => id.toString(16).padStart(4, '0');

describe('publish never blocks', () => {
  for (const [where, reach] of [
    ['before the first step', () => clientHistory()],
    [
      'while the link opens',
      () => {
        const h = clientHistory();
        h.board.start();
        return h;
      },
    ],
    ['while CONNACK is awaited', () => clientHistory().opens()],
    ['connected', () => clientHistory().connects()],
    [
      'on a link that takes nothing',
      () => {
        const h = clientHistory().connects();
        h.peer.capacity = 0;
        return h;
      },
    ],
    [
      'between two attempts',
      () => {
        const h = clientHistory().connects();
        h.cuts();
        return h;
      },
    ],
  ] as const)
    test(`${where}: it answers at once and opens, sends and waits for nothing itself`, () => {
      const h = reach();
      const opened = h.peer.choices.length;
      const sent = h.peer.sent.length;
      for (const qos of [0, 1, 2]) assert.ok(h.publish('a', '1', qos) >= 0);
      assert.deepEqual([h.peer.choices.length, h.peer.sent.length], [opened, sent]);
    });

  test('from within an event: the message leaves when the step is over', () => {
    const h = clientHistory();
    let published = 0;
    h.during = () => {
      if (published++ < 2) assert.ok(h.publish('a', String(published), 1) > 0);
    };
    h.connects();
    assert.equal(h.heard().length, 2 * 8);
  });
});

describe('a message queued while there is no connection', () => {
  test('is sent once when there is one, however many attempts failed before', () => {
    const h = clientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]] });
    const id = h.publish('a', '1', 1);
    h.board.start();
    for (let attempt = 0; attempt < 1800; attempt++) {
      h.cuts();
      h.retries();
    }
    h.connects();
    h.hears(`32 06 0001 'a' ${hex(id)} '1'`);
    h.waits(20_000);
    h.hears('');
    h.says(`40 02 ${hex(id)}`);
    for (let connection = 0; connection < 100; connection++) {
      h.reconnects({ present: true });
      h.hears('');
    }
  });
});

describe('a payload larger than the buffer', () => {
  test('has its topic, offset and total with each of its pieces', async () => {
    const h = new ClientHistory({}, await boardClient()).connects();
    const payload = 'x'.repeat(5000);
    const length = 2 + 3 + payload.length;
    h.says(Buffer.concat([Buffer.of(0x30, 0x80 | (length & 127), length >> 7, 0, 3), Buffer.from('a/b'), Buffer.from(payload)]));
    assert.ok(h.messages.length >= 5);
    let offset = 0;
    for (const piece of h.messages) {
      assert.deepEqual([piece.topic, piece.offset, piece.total], ['a/b', offset, 5000]);
      offset += piece.payload.length;
    }
    assert.equal(offset, 5000);
  });
});

describe('a sensor whose link fails', () => {
  for (const [reason, name] of Object.entries(reasonNames))
    test(`a hundred times with ${name} is alive when it works, and has lost no reading that it took`, () => {
      const h = sensorHistory({
        config: [
          [CONFIG_TOPIC, 't'],
          [CONFIG_QOS, 1],
        ],
        thermometers: [() => 20_000],
      });
      h.board.start();
      const taken = () => h.happened().filter((event) => event.startsWith('reading ')).length;
      let readings = taken();
      for (let attempt = 0; attempt < 100; attempt++) {
        h.cuts(Number(reason));
        h.retries();
        readings += taken();
      }
      assert.equal(readings, 16, 'the outbox is full');
      h.connects();
      assert.equal(h.heard().length, 16 * 11);
    });
});

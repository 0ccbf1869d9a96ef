import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_CONNECT_TIMEOUT, CONFIG_KEEP_ALIVE, CONFIG_PASSWORD, CONFIG_REPLY_TIMEOUT, CONFIG_USERNAME } from '../../host/contract.js';
import { bytes } from '../protocol/script.js';
import { type ClientHistory, clientHistory } from './history.js';

// A link of one byte a second. Answers are waited for from the last byte that the link took; they have to be whole within their deadline.

const SECOND = 1_000;
const times = [
  [CONFIG_CONNECT_TIMEOUT, 5 * SECOND],
  [CONFIG_REPLY_TIMEOUT, 8 * SECOND],
] as const;

/** The broker's bytes come one a second. */
function drips(h: ClientHistory, packet: string): void {
  for (const byte of bytes(packet)) {
    h.waits(SECOND);
    h.says(Buffer.of(byte));
  }
}

/** The link takes one byte each second, `count` times. */
function trickles(h: ClientHistory, count: number): void {
  for (let i = 0; i < count; i++) {
    h.waits(SECOND);
    h.peer.takes(1);
  }
}

describe('a link that delivers one byte a second', () => {
  test('brings CONNACK, SUBACK, a message, PUBACK and PINGRESP', () => {
    const h = clientHistory({ config: [...times, [CONFIG_KEEP_ALIVE, 60]] });
    h.opens();
    h.happened();
    h.heard();
    drips(h, '20 02 00 00');
    h.happens('connected 0 0');
    const filter = h.module.subscribe([{ filter: 'a', qos: 1 }]);
    h.board.step();
    drips(h, `90 03 ${hex(filter)} 01`);
    h.happens(`subscribed ${filter} 1`);
    h.heard();
    drips(h, "32 19 0001 'a' 0007 'payload of 20 bytes!'");
    h.happens('message 7 1');
    h.hears('40 02 0007');
    assert.deepEqual(h.payloads, ['payload of 20 bytes!']);
    const id = h.publish('a', '1', 1);
    h.board.step();
    drips(h, `40 02 ${hex(id)}`);
    h.happens(`published ${id} 0`);
    h.heard();
    h.waits(59_500 - 4 * SECOND);
    h.hears('c0 00');
    drips(h, 'd0 00');
    h.waits(10 * SECOND);
    h.happens();
  });

  test('does not put off the deadline of an answer that is not whole', () => {
    const h = clientHistory({ config: times }).connects();
    h.publish('a', '1', 1);
    h.board.step();
    h.waits(6 * SECOND);
    drips(h, '40 02');
    h.happens('timeout reply 500');
  });
});

describe('a link that takes one byte a second', () => {
  test('gets a CONNECT that takes longer than connectTimeout, and the CONNACK has its whole time behind it', () => {
    const h = clientHistory({ config: [...times, [CONFIG_USERNAME, 'a user name'], [CONFIG_PASSWORD, 'a password']] });
    h.peer.capacity = 0;
    h.opens();
    h.happened();
    const size = 2 + 10 + 3 + 13 + 12;
    trickles(h, size);
    assert.equal(h.peer.sent.length, size);
    h.waits(4_999);
    h.happens();
    h.says('20 02 00 00');
    h.happens('connected 0 0');
  });

  test('but a CONNACK that then does not come is missed', () => {
    const h = clientHistory({ config: times });
    h.peer.capacity = 0;
    h.opens();
    h.happened();
    trickles(h, 15);
    h.waits(4_999);
    h.happens();
    h.waits(1);
    h.happens('timeout connack 500');
  });

  test('gets messages that take longer than replyTimeout, and each answer has its whole time behind the last byte', () => {
    const h = clientHistory({ config: times }).connects();
    h.peer.capacity = 0;
    const ids = ['one', 'two'].map((text) => h.publish('a', `${text} and a few bytes more`, 1));
    h.board.step();
    trickles(h, 2 * (2 + 3 + 2 + 24));
    h.happens();
    h.waits(7_999);
    h.says(ids.map((id) => `40 02 ${hex(id)}`).join(' '));
    h.happens(...ids.map((id) => `published ${id} 0`));
  });

  test('but an answer that then does not come is missed', () => {
    const h = clientHistory({ config: times }).connects();
    h.peer.capacity = 0;
    h.publish('a', 'a message of some bytes', 1);
    h.board.step();
    trickles(h, 2 + 3 + 2 + 23);
    h.waits(7_999);
    h.happens();
    h.waits(1);
    h.happens('timeout reply 500');
  });

  test('and then none is given up', () => {
    const h = clientHistory({ config: times }).connects();
    h.peer.capacity = 0;
    h.publish('a', 'a message of some bytes', 1);
    h.board.step();
    trickles(h, 5);
    h.waits(7_999);
    h.happens();
    h.waits(1);
    assert.match(h.happened()[0] ?? '', /^timeout (reply|send) 500$/);
  });
});

function hex(id: number): string {
  return id.toString(16).padStart(4, '0');
}

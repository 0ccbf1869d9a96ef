import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_CLEAN_SESSION, EVENT_PUBLISHED, REASON_ENDED } from '../../host/contract.js';
import { clientHistory } from './history.js';

const KEPT = { config: [[CONFIG_CLEAN_SESSION, 0]] as const };
const CONNECT_KEPT = "10 0d 0004 'MQTT' 04 00 0000 0001 'c'";

describe('outbound', () => {
  test('a QoS 1 message is published when its PUBACK comes', () => {
    const h = clientHistory().connects();
    assert.equal(h.publish('a', '1', 1), 1);
    h.hears("32 06 0001 'a' 0001 '1'");
    h.happens();
    h.says('40 02 0001');
    h.happens('published 1 0');
    assert.equal(h.module.held, 0);
  });

  test('a QoS 2 message is published when its PUBCOMP comes', () => {
    const h = clientHistory().connects();
    h.publish('a', '1', 2);
    h.hears("34 06 0001 'a' 0001 '1'");
    h.says('50 02 0001');
    h.hears('62 02 0001');
    h.happens();
    h.says('70 02 0001');
    h.happens('published 1 0');
    assert.equal(h.module.held, 0);
  });

  test('a lost PUBACK brings the message again, with DUP and the same identifier', () => {
    const h = clientHistory(KEPT).connects();
    h.publish('a', '1', 1);
    h.hears("32 06 0001 'a' 0001 '1'");
    h.reconnects({ present: true });
    h.hears("3a 06 0001 'a' 0001 '1'");
    h.says('40 02 0001');
    h.happens('published 1 0');
  });

  test('a lost PUBREC brings the QoS 2 message again, with DUP', () => {
    const h = clientHistory(KEPT).connects();
    h.publish('a', '1', 2, true);
    h.hears("35 06 0001 'a' 0001 '1'");
    h.reconnects({ present: true });
    h.hears("3d 06 0001 'a' 0001 '1'");
    h.says('50 02 0001');
    h.hears('62 02 0001');
  });

  test('a lost PUBCOMP brings the PUBREL again, not the message', () => {
    const h = clientHistory(KEPT).connects();
    h.publish('a', '1', 2);
    h.hears("34 06 0001 'a' 0001 '1'");
    h.says('50 02 0001');
    h.hears('62 02 0001');
    h.happened();
    h.reconnects({ present: true });
    h.hears('62 02 0001');
    h.says('70 02 0001');
    h.happens('published 1 0');
  });

  test('all that has no answer comes again in the order it was asked for, between what is new', () => {
    const h = clientHistory(KEPT).connects();
    h.publish('a', '1', 1);
    h.publish('a', '2', 2);
    h.module.subscribe([{ filter: 'b', qos: 1 }]);
    h.publish('a', '4', 1);
    h.module.unsubscribe(['c']);
    h.publish('a', '6', 0);
    h.hears(
      "32 06 0001 'a' 0001 '1' 34 06 0001 'a' 0002 '2' 82 06 0003 0001 'b' 01",
      "32 06 0001 'a' 0004 '4' a2 05 0005 0001 'c' 30 04 0001 'a' '6'",
    );
    h.says('50 02 0002 40 02 0004');
    h.hears('62 02 0002');
    h.cuts();
    h.publish('a', '7', 1);
    h.retries();
    h.connects({ present: true });
    h.hears("3a 06 0001 'a' 0001 '1' 62 02 0002 82 06 0003 0001 'b' 01 a2 05 0005 0001 'c' 32 06 0001 'a' 0007 '7'");
  });

  test('a broker that lost the session gets what was in flight again and what was asked for while away', () => {
    const h = clientHistory(KEPT).connects();
    h.publish('a', '1', 1);
    h.hears("32 06 0001 'a' 0001 '1'");
    h.cuts();
    h.publish('a', '2', 2);
    h.retries();
    h.connects({ present: false });
    h.hears("3a 06 0001 'a' 0001 '1' 34 06 0001 'a' 0002 '2'");
  });

  test('DUP is set from the second sending on, whatever was only queued before', () => {
    const h = clientHistory(KEPT);
    h.publish('a', '1', 1); // before start
    h.opens();
    h.hears(CONNECT_KEPT);
    h.cuts();
    h.retries();
    h.connects();
    h.hears("32 06 0001 'a' 0001 '1'");
    h.reconnects();
    h.hears("3a 06 0001 'a' 0001 '1'");
    h.reconnects();
    h.hears("3a 06 0001 'a' 0001 '1'");
  });

  test('a QoS 0 message waits behind what was asked for before it', () => {
    const h = clientHistory();
    h.publish('a', '1', 1);
    h.publish('a', '2', 0);
    h.publish('a', '3', 0);
    h.connects();
    h.hears("32 06 0001 'a' 0001 '1' 30 04 0001 'a' '2' 30 04 0001 'a' '3'");
    assert.equal(h.module.held, 1);
    h.reconnects();
    h.hears("3a 06 0001 'a' 0001 '1'"); // QoS 0: at most once
  });

  test('several acknowledgements in one chunk, out of order, free what they name', () => {
    const h = clientHistory().connects();
    for (let i = 1; i <= 4; i++) h.publish('a', `${i}`, 1);
    h.heard();
    h.says('40 02 0003 40 02 0001 40 02 0004');
    h.happens('published 3 0', 'published 1 0', 'published 4 0');
    assert.equal(h.module.held, 1);
    h.reconnects();
    h.hears("3a 06 0001 'a' 0002 '2'");
  });

  test('what an application publishes when it hears of an acknowledgement goes out in the same step', () => {
    const h = clientHistory().connects();
    h.publish('a', '1', 1);
    h.heard();
    h.during = (code) => {
      if (code === EVENT_PUBLISHED && h.module.held < 2) h.publish('a', '2', 1);
    };
    h.says('40 02 0001');
    assert.equal(h.peer.sent.toString('hex'), '3206000161000232');
  });
});

describe('the answer to a request', () => {
  test('each filter of a SUBSCRIBE is told what it was granted or refused', () => {
    const h = clientHistory().connects();
    h.module.subscribe(['a', 'b/+', '#', 'd'].map((filter, i) => ({ filter, qos: Math.min(i, 2) })));
    h.hears("82 14 0001 0001 'a' 00 0003 'b/+' 01 0001 '#' 02 0001 'd' 02");
    h.says('90 06 0001 00 01 80 02');
    h.happens('subscribed 1 0', `subscribed 1 ${256 + 1}`, `subscribed 1 ${512 + 128}`, `subscribed 1 ${768 + 2}`);
    assert.equal(h.module.held, 0);
  });

  test('an UNSUBSCRIBE is told once', () => {
    const h = clientHistory().connects();
    h.module.unsubscribe(['a', 'b']);
    h.hears("a2 08 0001 0001 'a' 0001 'b'");
    h.says('b0 02 0001');
    h.happens('unsubscribed 1 0');
    assert.equal(h.module.held, 0);
  });

  for (const [name, packet, event] of [
    ['PUBACK', '40 02 0009', 'unknown_acknowledgement 4 9'],
    ['PUBREC', '50 02 0009', 'unknown_acknowledgement 5 9'],
    ['PUBCOMP', '70 02 0009', 'unknown_acknowledgement 7 9'],
    ['SUBACK', '90 03 0009 00', 'unknown_acknowledgement 9 9'],
    ['UNSUBACK', 'b0 02 0009', 'unknown_acknowledgement 11 9'],
    ['PINGRESP', 'd0 00', 'unknown_acknowledgement 13 0'],
  ] as const) {
    test(`a ${name} nobody waits for is told and ignored`, () => {
      const h = clientHistory().connects();
      h.says(packet);
      h.happens(event);
      h.hears(name === 'PUBREC' ? '62 02 0009' : ''); // so that the broker can end its half
      h.publish('a', '1', 1);
      h.hears("32 06 0001 'a' 0001 '1'");
    });
  }

  test('an acknowledgement whose identifier shares an entry with one in flight is not taken for it', () => {
    const h = clientHistory().connects();
    h.publish('a', '1', 1);
    h.heard();
    h.says('40 02 1001'); // 1 + 4096, the number of entries
    h.happens('unknown_acknowledgement 4 4097');
    h.says('40 02 0001');
    h.happens('published 1 0');
  });

  test('an acknowledgement that comes twice counts once', () => {
    const h = clientHistory().connects();
    h.publish('a', '1', 1);
    h.publish('a', '2', 1);
    h.heard();
    h.says('40 02 0001 40 02 0001');
    h.happens('published 1 0', 'unknown_acknowledgement 4 1');
    assert.equal(h.module.held, 1);
  });

  test('an acknowledgement that comes right behind CONNACK, before the request is sent again, ends it', () => {
    const h = clientHistory(KEPT).connects();
    h.publish('a', '1', 1);
    h.publish('a', '2', 1);
    h.heard();
    h.cuts();
    h.retries();
    h.accepts();
    h.hears(CONNECT_KEPT);
    h.happened();
    h.says('20 02 0100 40 02 0001');
    h.happens('connected 1 0', 'published 1 0');
    h.hears("3a 06 0001 'a' 0002 '2'");
    assert.equal(h.module.held, 1);
  });

  test('an acknowledgement of what was not sent yet is ignored', () => {
    const h = clientHistory().connects();
    h.peer.capacity = 0;
    h.publish('a', Buffer.alloc(1_000_000), 1);
    h.publish('a', Buffer.alloc(1_000_000), 1); // no room in the transmit buffer
    h.says('40 02 0002');
    h.happens('unknown_acknowledgement 4 2');
    assert.equal(h.module.held, 2);
  });

  test('a PUBREC that comes twice is answered twice', () => {
    const h = clientHistory().connects();
    h.publish('a', '1', 2);
    h.heard();
    h.says('50 02 0001 50 02 0001');
    h.hears('62 02 0001 62 02 0001');
    h.says('70 02 0001');
    h.happens('published 1 0');
  });
});

describe('inbound', () => {
  test('a QoS 0 message is delivered and not answered', () => {
    const h = clientHistory().connects();
    h.says("30 04 0001 'a' '1'");
    assert.deepEqual(h.messages, [{ topic: 'a', payload: '1', offset: 0, total: 1, qos: 0, retain: false, dup: false, id: 0 }]);
    h.hears('');
  });

  test('a QoS 1 message is delivered each time it comes', () => {
    const h = clientHistory().connects();
    h.says("33 06 0001 'a' 0007 '1' 3a 06 0001 'a' 0007 '1'");
    h.hears('40 02 0007 40 02 0007');
    assert.deepEqual(h.payloads, ['1', '1']);
    assert.deepEqual(
      h.messages.map(({ retain, dup, id }) => [retain, dup, id]),
      [
        [true, false, 7],
        [false, true, 7],
      ],
    );
  });

  test('a QoS 2 message is delivered once when PUBREC is lost', () => {
    const h = clientHistory(KEPT).connects();
    h.says("34 06 0001 'a' 0009 '1'");
    h.hears('50 02 0009');
    h.reconnects({ present: true });
    h.says("3c 06 0001 'a' 0009 '1'");
    h.hears('50 02 0009');
    h.happens('duplicate 9 0');
    h.says('62 02 0009');
    h.hears('70 02 0009');
    assert.deepEqual(h.payloads, ['1']);
  });

  test('a QoS 2 message is delivered once when PUBCOMP is lost', () => {
    const h = clientHistory(KEPT).connects();
    h.says("34 06 0001 'a' 0009 '1' 62 02 0009");
    h.hears('50 02 0009 70 02 0009');
    h.reconnects({ present: true });
    h.says('62 02 0009');
    h.hears('70 02 0009');
    assert.deepEqual(h.payloads, ['1']);
  });

  test('after PUBREL the identifier is free for another message', () => {
    const h = clientHistory().connects();
    h.says("34 06 0001 'a' 0009 '1' 62 02 0009 34 06 0001 'a' 0009 '2'");
    h.hears('50 02 0009 70 02 0009 50 02 0009');
    assert.deepEqual(h.payloads, ['1', '2']);
  });

  test('a broker without the session begins its identifiers anew', () => {
    const h = clientHistory(KEPT).connects();
    h.says("34 06 0001 'a' 0009 '1'");
    h.reconnects({ present: false });
    h.says("34 06 0001 'a' 0009 '2'");
    h.hears('50 02 0009');
    assert.deepEqual(h.payloads, ['1', '2']);
  });

  test('identifiers that share a place in the table are told apart, in whatever order they end', () => {
    // The table of the desk profile has 65,536 places, one an identifier; neighbours must stay apart when one between them goes.
    const h = clientHistory(KEPT).connects();
    const ids = [0xffff, 1, 2, 3, 0xfffe, 0x8000];
    const hex = (id: number) => id.toString(16).padStart(4, '0');
    for (const id of ids) h.says(`34 06 0001 'a' ${hex(id)} '1'`);
    for (const id of [2, 0xffff]) h.says(`62 02 ${hex(id)}`);
    h.reconnects({ present: true });
    h.messages.length = 0;
    for (const id of ids) h.says(`3c 06 0001 'a' ${hex(id)} '2'`);
    assert.deepEqual(
      h.messages.map(({ id }) => id),
      [0xffff, 2],
    );
  });

  test('a PUBREL nobody waits for is answered', () => {
    const h = clientHistory().connects();
    h.says('62 02 0009');
    h.hears('70 02 0009');
    h.happens();
  });

  test('the acknowledgement follows what the application did at the message', () => {
    const h = clientHistory().connects();
    h.during = () => h.publish('b', '2', 0);
    h.says("32 06 0001 'a' 0007 '1'");
    h.hears("30 04 0001 'b' '2' 40 02 0007");
  });

  test('what came before the link closed is delivered', () => {
    const h = clientHistory().connects();
    h.peer.listener?.received(Buffer.from('300400016131', 'hex'));
    h.cuts(REASON_ENDED);
    h.happens('message 0 1', 'link_closed ended 500');
  });
});

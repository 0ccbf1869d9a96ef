import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode } from '../../host/gateway/decode.js';
import * as encode from '../../host/gateway/encode.js';
import type { Fault, Message } from '../../host/gateway/messages.js';
import { bytes } from '../protocol/script.js';

// Written by hand from MQTT-SN 1.2, chapter 5.

const text = (words: string) => Buffer.from(words);
const will = { qos: 1, retain: true, topic: 'w/底' } as const;
const filter = { dup: false, qos: 1, msgId: 0x0102 } as const;

const vectors: [what: string, wire: string, message: Message, encoded: Buffer][] = [
  ['ADVERTISE', '05 00 07 0384', { type: 'ADVERTISE', gatewayId: 7, duration: 900 }, encode.advertise(7, 900)],
  ['SEARCHGW', '03 01 02', { type: 'SEARCHGW', radius: 2 }, encode.searchgw(2)],
  ['GWINFO of a gateway', '03 02 07', { type: 'GWINFO', gatewayId: 7, address: text('') }, encode.gwinfo(7)],
  [
    'GWINFO of a client',
    '07 02 07 7f000001',
    { type: 'GWINFO', gatewayId: 7, address: bytes('7f000001') },
    encode.gwinfo(7, bytes('7f000001')),
  ],
  [
    'CONNECT, will and clean session',
    '08 04 0c 01 003c 6964',
    { type: 'CONNECT', will: true, clean: true, protocolId: 1, duration: 60, clientId: 'id' },
    encode.connect({ will: true, clean: true, duration: 60, clientId: 'id' }),
  ],
  [
    'CONNECT without a client id',
    '06 04 00 01 0000',
    { type: 'CONNECT', will: false, clean: false, protocolId: 1, duration: 0, clientId: '' },
    encode.connect({ will: false, clean: false, duration: 0, clientId: '' }),
  ],
  ['CONNACK', '03 05 01', { type: 'CONNACK', code: 1 }, encode.connack(1)],
  ['WILLTOPICREQ', '02 06', { type: 'WILLTOPICREQ' }, encode.willtopicreq()],
  ['WILLTOPIC', '08 07 30 772f e5ba95', { type: 'WILLTOPIC', ...will }, encode.willtopic(will)],
  ['WILLTOPIC that deletes', '02 07', { type: 'WILLTOPIC', qos: 0, retain: false, topic: '' }, encode.willtopic({ ...will, topic: '' })],
  ['WILLMSGREQ', '02 08', { type: 'WILLMSGREQ' }, encode.willmsgreq()],
  ['WILLMSG', '05 09 6f6666', { type: 'WILLMSG', message: text('off') }, encode.willmsg(text('off'))],
  ['WILLMSG, empty', '02 09', { type: 'WILLMSG', message: text('') }, encode.willmsg(text(''))],
  ['REGISTER', '07 0a 0005 0102 61', { type: 'REGISTER', topicId: 5, msgId: 0x0102, topicName: 'a' }, encode.register(5, 0x0102, 'a')],
  ['REGACK', '07 0b 0005 0102 02', { type: 'REGACK', topicId: 5, msgId: 0x0102, code: 2 }, encode.regack(5, 0x0102, 2)],
  [
    'PUBLISH, QoS 0',
    '08 0c 00 0005 0000 78',
    { type: 'PUBLISH', dup: false, qos: 0, retain: false, topicType: 0, topicId: 5, msgId: 0, data: text('x') },
    encode.publish({ dup: false, qos: 0, retain: false, topicType: 0, topicId: 5, msgId: 0, data: text('x') }),
  ],
  [
    'PUBLISH, QoS 2, again, retained, two characters',
    '07 0c d2 6162 0102',
    { type: 'PUBLISH', dup: true, qos: 2, retain: true, topicType: 2, topicId: 0x6162, msgId: 0x0102, data: text('') },
    encode.publish({ dup: true, qos: 2, retain: true, topicType: 2, topicId: 0x6162, msgId: 0x0102, data: text('') }),
  ],
  [
    'PUBLISH, QoS −1, pre-defined',
    '08 0c 61 0005 0000 78',
    { type: 'PUBLISH', dup: false, qos: -1, retain: false, topicType: 1, topicId: 5, msgId: 0, data: text('x') },
    encode.publish({ dup: false, qos: -1, retain: false, topicType: 1, topicId: 5, msgId: 0, data: text('x') }),
  ],
  ['PUBACK', '07 0d 0005 0102 03', { type: 'PUBACK', topicId: 5, msgId: 0x0102, code: 3 }, encode.puback(5, 0x0102, 3)],
  ['PUBACK of QoS 0', '07 0d 0005 0000 02', { type: 'PUBACK', topicId: 5, msgId: 0, code: 2 }, encode.puback(5, 0, 2)],
  ['PUBCOMP', '04 0e 0102', { type: 'PUBCOMP', msgId: 0x0102 }, encode.pubcomp(0x0102)],
  ['PUBREC', '04 0f 0102', { type: 'PUBREC', msgId: 0x0102 }, encode.pubrec(0x0102)],
  ['PUBREL', '04 10 0102', { type: 'PUBREL', msgId: 0x0102 }, encode.pubrel(0x0102)],
  [
    'SUBSCRIBE to a name',
    '09 12 20 0102 612f2b2f',
    { type: 'SUBSCRIBE', ...filter, topicType: 0, topicId: 0, topicName: 'a/+/' },
    encode.subscribe({ ...filter, topicType: 0, topicId: 0, topicName: 'a/+/' }),
  ],
  [
    'SUBSCRIBE to a pre-defined id, again',
    '07 12 a1 0102 0005',
    { type: 'SUBSCRIBE', ...filter, dup: true, topicType: 1, topicId: 5, topicName: '' },
    encode.subscribe({ ...filter, dup: true, topicType: 1, topicId: 5, topicName: '' }),
  ],
  ['SUBACK', '08 13 40 0005 0102 00', { type: 'SUBACK', qos: 2, topicId: 5, msgId: 0x0102, code: 0 }, encode.suback(2, 5, 0x0102, 0)],
  [
    'UNSUBSCRIBE from two characters',
    '07 14 02 0102 6162',
    { type: 'UNSUBSCRIBE', dup: false, qos: 0, msgId: 0x0102, topicType: 2, topicId: 0x6162, topicName: '' },
    encode.unsubscribe({ dup: false, qos: 0, msgId: 0x0102, topicType: 2, topicId: 0x6162, topicName: '' }),
  ],
  ['UNSUBACK', '04 15 0102', { type: 'UNSUBACK', msgId: 0x0102 }, encode.unsuback(0x0102)],
  ['PINGREQ', '02 16', { type: 'PINGREQ', clientId: '' }, encode.pingreq()],
  ['PINGREQ of a sleeper', '04 16 6964', { type: 'PINGREQ', clientId: 'id' }, encode.pingreq('id')],
  ['PINGRESP', '02 17', { type: 'PINGRESP' }, encode.pingresp()],
  ['DISCONNECT', '02 18', { type: 'DISCONNECT', duration: 0 }, encode.disconnect()],
  ['DISCONNECT to sleep', '04 18 012c', { type: 'DISCONNECT', duration: 300 }, encode.disconnect(300)],
  ['WILLTOPICUPD', '08 1a 30 772f e5ba95', { type: 'WILLTOPICUPD', ...will }, encode.willtopicupd(will)],
  ['WILLTOPICRESP', '03 1b 00', { type: 'WILLTOPICRESP', code: 0 }, encode.willtopicresp(0)],
  ['WILLMSGUPD', '05 1c 6f6666', { type: 'WILLMSGUPD', message: text('off') }, encode.willmsgupd(text('off'))],
  ['WILLMSGRESP', '03 1d 03', { type: 'WILLMSGRESP', code: 3 }, encode.willmsgresp(3)],
  [
    'a PINGREQ that a forwarder carries',
    '05 fe 01 aabb 0216',
    { type: 'ENCAPSULATED', radius: 1, node: bytes('aabb'), message: bytes('0216') },
    encode.encapsulated(bytes('aabb'), encode.pingreq(), 1),
  ],
];

/** Compares messages; bytes in them as hexadecimal digits, whatever view they are. */
function same(actual: Message | Fault, expected: Message): void {
  const readable = (message: Message | Fault) =>
    Object.entries(message).map(([key, value]) => [key, value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value]);
  assert.deepEqual(Object.fromEntries(readable(actual)), Object.fromEntries(readable(expected)));
}

describe('each message is written as the specification has it, and read again', () => {
  for (const [what, wire, message, encoded] of vectors) {
    test(what, () => {
      assert.equal(encoded.toString('hex'), bytes(wire).toString('hex'));
      same(decode(encoded), message);
    });
  }
});

describe('the length', () => {
  const publish = (size: number) =>
    encode.publish({ dup: false, qos: 0, retain: false, topicType: 0, topicId: 1, msgId: 0, data: Buffer.alloc(size, 'x') });

  test('has one byte up to 255 bytes, and three above', () => {
    assert.equal(publish(248).subarray(0, 2).toString('hex'), 'ff0c');
    assert.equal(publish(249).subarray(0, 4).toString('hex'), '0101020c');
    assert.equal(publish(249).length, 258);
    for (const size of [0, 248, 249, 65_526]) assert.equal(encode.publishSize(size), publish(size).length);
    assert.throws(() => publish(65_527), /65536 bytes/);
  });

  test('of three bytes is read for a short message, too', () => {
    same(decode(bytes('01 0004 16')), { type: 'PINGREQ', clientId: '' });
    same(decode(bytes('01 0007 fe 00 aabb 02 16')), {
      type: 'ENCAPSULATED',
      radius: 0,
      node: bytes('aabb'),
      message: bytes('0216'),
    });
  });
});

describe('what is malformed has a name', () => {
  const cases: [what: string, wire: string, fault: Fault][] = [
    ['nothing', '', 'shorter than a header'],
    ['a length alone', '02', 'shorter than a header'],
    ['half of a long length', '01 00 04', 'shorter than a header'],
    ['a length of 0', '00 16', 'length does not match the datagram'],
    ['a length beyond the datagram', '03 16', 'length does not match the datagram'],
    ['two messages in a datagram', '02 16 02 17', 'length does not match the datagram'],
    ['a long length that is too large', '01 0005 16', 'length does not match the datagram'],
    ['a long length that is smaller than itself', '01 0002 16', 'length does not match the datagram'],
    ['type 03', '02 03', 'reserved message type'],
    ['type 11', '02 11', 'reserved message type'],
    ['type 19', '02 19', 'reserved message type'],
    ['type 1E', '02 1e', 'reserved message type'],
    ['type FF', '02 ff', 'reserved message type'],
    ['a CONNECT without its Duration', '04 04 00 01', 'wrong number of bytes for its type'],
    ['a client id that is not UTF-8', '07 04 00 01 0000 ff', 'text is not UTF-8'],
    ['a client id with U+0000', '07 04 00 01 0000 00', 'text is not UTF-8'],
    ['a REGISTER without a name', '06 0a 0000 0001', 'topic name is missing'],
    ['a REGISTER with MsgId 0', '07 0a 0000 0000 61', 'reserved message id 0'],
    ['a topic name that is not UTF-8', '08 0a 0000 0001 c328', 'text is not UTF-8'],
    ['a PUBLISH without MsgId', '05 0c 00 0001', 'wrong number of bytes for its type'],
    ['a PUBLISH at QoS 1 with MsgId 0', '07 0c 20 0001 0000', 'reserved message id 0'],
    ['a PUBACK that is too long', '08 0d 0001 0001 00 00', 'wrong number of bytes for its type'],
    ['a PUBREL with MsgId 0', '04 10 0000', 'reserved message id 0'],
    ['a SUBSCRIBE at QoS −1', '06 12 60 0001 61', 'reserved quality of service'],
    ['a SUBSCRIBE without a topic', '05 12 00 0001', 'topic name is missing'],
    ['a SUBSCRIBE with half an id', '06 12 01 0001 00', 'wrong number of bytes for its type'],
    ['a WILLTOPIC at QoS −1', '04 07 60 61', 'reserved quality of service'],
    ['a DISCONNECT with half a duration', '03 18 00', 'wrong number of bytes for its type'],
    ['a forwarder without a node', '03 fe 00 02 16', 'wireless node id is missing'],
    ['a forwarder within a forwarder', '04 fe 00 aa 04 fe 00 bb 02 16', 'encapsulated twice'],
    ['a forwarder whose length runs beyond', '09 fe 00 aa 02 16', 'length does not match the datagram'],
  ];
  for (const [what, wire, fault] of cases) test(what, () => assert.equal(decode(bytes(wire)), fault));

  test('every short datagram of any bytes is read or named', () => {
    for (let first = 0; first < 256; first++)
      for (let second = 0; second < 256; second++)
        for (const rest of [0, 1, 3, 5, 8]) decode(Buffer.concat([Buffer.of(first, second), Buffer.alloc(rest, 1)]));
  });
});

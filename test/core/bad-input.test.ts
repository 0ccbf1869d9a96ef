import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_COMMAND_TOPIC, CONFIG_TOPIC } from '../../host/contract.js';
import { bytes } from '../protocol/script.js';
import { boardClient } from './compile.js';
import { ClientHistory, clientHistory, sensorHistory } from './history.js';

/** What the peer sends, and the ERROR_… it is closed for. */
type Row = readonly [what: string, wire: string, error: string];

const flags: Row[] = [
  ...['21', '22', '24', '28'].map((first): Row => [`CONNACK with flags ${first}`, `${first} 02 0000`, 'flags']),
  ...['41', '42', '44', '48'].map((first): Row => [`PUBACK with flags ${first}`, `${first} 02 0001`, 'flags']),
  ...['51', '52', '54', '58'].map((first): Row => [`PUBREC with flags ${first}`, `${first} 02 0001`, 'flags']),
  ...['60', '61', '63', '66', '6a'].map((first): Row => [`PUBREL with flags ${first}`, `${first} 02 0001`, 'flags']),
  ...['71', '72', '74', '78'].map((first): Row => [`PUBCOMP with flags ${first}`, `${first} 02 0001`, 'flags']),
  ...['91', '92', '94', '98'].map((first): Row => [`SUBACK with flags ${first}`, `${first} 03 0001 00`, 'flags']),
  ...['b1', 'b2', 'b4', 'b8'].map((first): Row => [`UNSUBACK with flags ${first}`, `${first} 02 0001`, 'flags']),
  ...['d1', 'd2', 'd4', 'd8'].map((first): Row => [`PINGRESP with flags ${first}`, `${first} 00`, 'flags']),
  ['PUBLISH at QoS 3', "36 06 0001 'a' 0001 '1'", 'qos'],
  ['PUBLISH at QoS 3 with DUP and retain', "3f 06 0001 'a' 0001 '1'", 'qos'],
  ['PUBLISH at QoS 0 with DUP', "38 04 0001 'a' '1'", 'dup'],
];

const types: Row[] = [
  ['type 0', '00 00', 'packet_type'],
  ['CONNECT', "10 0d 0004 'MQTT' 04 02 0000 0001 'c'", 'packet_type'],
  ['SUBSCRIBE', "82 06 0001 0001 'a' 00", 'packet_type'],
  ['UNSUBSCRIBE', "a2 05 0001 0001 'a'", 'packet_type'],
  ['PINGREQ', 'c0 00', 'packet_type'],
  ['DISCONNECT', 'e0 00', 'packet_type'],
  ['type 15', 'f0 00', 'packet_type'],
];

const lengths: Row[] = [
  ...['20 00', '20 01', '20 03', '20 80 01'].map((wire): Row => [`CONNACK ${wire}`, wire, 'remaining_length']),
  ...['40', '50', '62', '70', 'b0'].flatMap((first) =>
    ['00', '01', '03', '82 01'].map((length): Row => [`acknowledgement ${first} ${length}`, `${first} ${length}`, 'remaining_length']),
  ),
  ...['00', '01', '02'].map((length): Row => [`SUBACK 90 ${length}`, `90 ${length}`, 'remaining_length']),
  ...['01', '80 01'].map((length): Row => [`PINGRESP d0 ${length}`, `d0 ${length}`, 'remaining_length']),
  ...['00', '01', '02'].map((length): Row => [`PUBLISH 30 ${length}`, `30 ${length}`, 'remaining_length']),
  ...['32', '34'].flatMap((first) =>
    ['03', '04'].map((length): Row => [`PUBLISH ${first} ${length}`, `${first} ${length}`, 'remaining_length']),
  ),
  ['PUBLISH whose topic is longer than it', "30 03 0002 'a'", 'remaining_length'],
  ['PUBLISH whose topic leaves no identifier', "32 05 0002 'abc'", 'remaining_length'],
  ...['20', '30', '40', '90', 'd0'].map(
    (first): Row => [`five bytes of remaining length in ${first}`, `${first} 80 80 80 80 01`, 'remaining_length'],
  ),
  ['five bytes that begin with all ones', '30 ff ff ff ff 7f', 'remaining_length'],
];

const identifiers: Row[] = [
  ...['40', '50', '62', '70', 'b0'].map((first): Row => [`identifier 0 in ${first}`, `${first} 02 0000`, 'packet_id']),
  ['identifier 0 in SUBACK', '90 03 0000 00', 'packet_id'],
  ['identifier 0 in PUBLISH at QoS 1', "32 06 0001 'a' 0000 '1'", 'packet_id'],
  ['identifier 0 in PUBLISH at QoS 2', "34 06 0001 'a' 0000 '1'", 'packet_id'],
];

const topic = (bytesOfTopic: string) => {
  const length = bytes(bytesOfTopic).length;
  return `30 ${(length + 2).toString(16).padStart(2, '0')} ${length.toString(16).padStart(4, '0')} ${bytesOfTopic}`;
};

const topics: Row[] = [
  ['a topic without a character', '30 03 0000 31', 'topic_empty'],
  ['a topic without a character at QoS 1', '32 05 0000 0001 31', 'topic_empty'],
  ...["'+'", "'#'", "'a/+'", "'a/#'", "'a+'", "'#a'", "'a/+/b'"].map((name): Row => [`the topic ${name}`, topic(name), 'topic_wildcard']),
  ...['00', "'a' 00", "00 'a'", "'a' 00 'b'"].map((name): Row => [`NUL in the topic ${name}`, topic(name), 'nul']),
  ['an overlong slash in two bytes', topic('c0 af'), 'utf8'],
  ['an overlong NUL in two bytes', topic('c0 80'), 'utf8'],
  ['the last overlong form in two bytes', topic('c1 bf'), 'utf8'],
  ['an overlong form in three bytes', topic('e0 9f bf'), 'utf8'],
  ['an overlong form in four bytes', topic('f0 8f bf bf'), 'utf8'],
  ['the first surrogate', topic('ed a0 80'), 'utf8'],
  ['the last surrogate', topic('ed bf bf'), 'utf8'],
  ['the first beyond U+10FFFF', topic('f4 90 80 80'), 'utf8'],
  ['a lead byte f5', topic('f5 80 80 80'), 'utf8'],
  ['a lead byte ff', topic('ff'), 'utf8'],
  ['a continuation alone', topic('80'), 'utf8'],
  ['a continuation after a character', topic("'a' bf"), 'utf8'],
  ['two bytes cut to one', topic('c3'), 'utf8'],
  ['three bytes cut to two', topic('e6 a5'), 'utf8'],
  ['four bytes cut to three', topic('f0 9f 8c'), 'utf8'],
  ['two bytes cut to one, with the other in the payload', '30 04 0001 c3 a9', 'utf8'],
  ['three bytes cut to two, with the third in the payload', '30 05 0002 e6a5 bc', 'utf8'],
  ['four bytes cut to two, with the others in the identifier', '32 06 0002 f09f 8c80', 'utf8'],
  ['two bytes whose second is no continuation', topic("c3 'a'"), 'utf8'],
  ['three bytes whose third is no continuation', topic("e6 a5 'a'"), 'utf8'],
  ['four bytes whose fourth is no continuation', topic("f0 9f 8c 'a'"), 'utf8'],
  ['a character cut short before the identifier', "32 08 0002 'a' c3 0001 3131", 'utf8'],
];

/** Against requests in flight: PUBLISH 1 at QoS 1, 2 at QoS 2, 3 released, SUBSCRIBE 4 of two filters, UNSUBSCRIBE 5. */
const answers: Row[] = [
  ['PUBREC for QoS 1', '50 02 0001', 'unexpected'],
  ['PUBCOMP for QoS 1', '70 02 0001', 'unexpected'],
  ['SUBACK for QoS 1', '90 04 0001 0000', 'unexpected'],
  ['UNSUBACK for QoS 1', 'b0 02 0001', 'unexpected'],
  ['PUBACK for QoS 2', '40 02 0002', 'unexpected'],
  ['PUBCOMP before PUBREC', '70 02 0002', 'unexpected'],
  ['PUBACK after PUBREC', '40 02 0003', 'unexpected'],
  ['PUBACK for SUBSCRIBE', '40 02 0004', 'unexpected'],
  ['PUBREC for SUBSCRIBE', '50 02 0004', 'unexpected'],
  ['UNSUBACK for SUBSCRIBE', 'b0 02 0004', 'unexpected'],
  ['SUBACK for UNSUBSCRIBE', '90 04 0005 0000', 'unexpected'],
  ['PUBCOMP for UNSUBSCRIBE', '70 02 0005', 'unexpected'],
  ['SUBACK with too few codes', '90 03 0004 00', 'suback'],
  ['SUBACK with too many codes', '90 05 0004 00 00 00', 'suback'],
  ...['03', '7f', '81', 'ff'].map((code): Row => [`SUBACK with code ${code}`, `90 04 0004 00 ${code}`, 'suback']),
  ['a second CONNACK', '20 02 0000', 'unexpected'],
];

function busy(): ClientHistory {
  const h = clientHistory().connects();
  for (const qos of [1, 2, 2]) h.publish('a', '', qos);
  h.module.subscribe([
    { filter: 'a', qos: 0 },
    { filter: 'b', qos: 0 },
  ]);
  h.module.unsubscribe(['a']);
  h.heard();
  h.says('50 02 0003');
  h.heard();
  h.happens();
  return h;
}

for (const [group, rows] of Object.entries({ flags, types, lengths, identifiers, topics, answers })) {
  describe(`bad ${group}`, () => {
    for (const [what, wire, error] of rows) {
      test(`${what}: ${error}, whatever the split`, () => {
        for (const split of [Number.POSITIVE_INFINITY, 1]) {
          const h = busy();
          h.says(wire, split);
          h.happens(`protocol_error ${error} 500`);
          assert.ok(!h.isOpen);
          assert.equal(h.peer.sent.length, 0);
          h.retries();
          h.connects(); // and all goes on
          assert.equal(h.module.held, 5);
        }
      });
    }
  });
}

describe('instead of a good CONNACK', () => {
  const greetings: Row[] = [
    ...Array.from({ length: 250 }, (_, i): Row => [`code ${i + 6}`, `20 02 00 ${(i + 6).toString(16).padStart(2, '0')}`, 'connack']),
    ...[1, 2, 4, 8, 16, 32, 64].map(
      (bit): Row => [`reserved flag ${bit << 1}`, `20 02 ${(bit << 1).toString(16).padStart(2, '0')} 00`, 'connack'],
    ),
    ['session present beside a refusal', '20 02 01 05', 'connack'],
    ['session present after a clean session', '20 02 01 00', 'session_present'],
    ['PUBLISH', "30 04 0001 'a' '1'", 'unexpected'],
    ['PUBACK', '40 02 0001', 'unexpected'],
    ['PUBREL', '62 02 0001', 'unexpected'],
    ['SUBACK', '90 03 0001 00', 'unexpected'],
    ['PINGRESP', 'd0 00', 'unexpected'],
    ['HTTP', "'HTTP/1.1 400 Bad Request'", 'flags'],
    ['SSH', "'SSH-2.0-OpenSSH'", 'flags'],
    ['SMTP', "'220 mail.example.org ESMTP ready at Sat, 21 Nov 2026 07:26'", 'remaining_length'],
    ['TLS', '15 03 01 00 02 02 46', 'packet_type'],
    ['zeros', '00 00 00 00', 'packet_type'],
  ];
  for (const [what, wire, error] of greetings) {
    test(`${what}: ${error}`, () => {
      const h = clientHistory().opens();
      h.happened();
      h.says(wire);
      h.happens(`protocol_error ${error} 500`);
      assert.ok(!h.isOpen);
      h.retries();
      h.connects();
    });
  }
});

describe('a topic over the buffer', () => {
  /** A PUBLISH of the largest remaining length, of which the topic takes `length` bytes. */
  const huge = (length: number) =>
    Buffer.concat([Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, length >> 8, length & 255]), Buffer.alloc(70_000, 'a')]);

  for (const length of [1017, 1018, 1019, 2000, 65_535]) {
    test(`of ${length} bytes is refused by a board, and nothing behind the buffer is read`, async () => {
      for (const h of [new ClientHistory({}, await boardClient()), sensorHistory({ config: [[CONFIG_TOPIC, 't']] })]) {
        h.connects();
        h.happened();
        h.says(huge(length));
        h.happens('protocol_error too_large 500');
      }
    });
  }

  test('of 1016 bytes leaves a board one byte at a time', async () => {
    const h = new ClientHistory({}, await boardClient()).connects();
    h.says(huge(1016).subarray(0, 1030));
    assert.deepEqual(
      h.messages.map(({ topic: name, offset, payload }) => [name.length, offset, payload]),
      Array.from({ length: 7 }, (_, offset) => [1016, offset, 'a']),
    );
  });

  test('a SUBACK over it is refused', async () => {
    const h = new ClientHistory({}, await boardClient()).connects();
    h.says('90 fe 07');
    h.happens('protocol_error too_large 500');
  });
});

test('a board that claims more bytes than there was room for is not believed', async () => {
  const h = new ClientHistory({}, await boardClient()).connects();
  h.says("30 d0 0f 0001 'a'"); // 2,003 bytes in all, of which the buffer holds 1,024
  h.module.claims(5_000);
  h.board.step();
  assert.deepEqual(
    h.messages.map(({ offset, payload, total }) => [offset, payload.length, total]),
    [[0, 1024 - 6, 2_000 - 3]],
  );
});

/** Numbers that are the same on every run (xorshift32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

describe('any bytes at all', () => {
  const valid = bytes(
    `30 05 0003 'a/b' 32 07 0002 'cd' 0007 '4' 34 06 0001 'c' 0008 '4' 62 02 0008 40 02 0001 50 02 0002 70 02 0003 90 04 0004 0080
     b0 02 0005 d0 00 3c 06 0001 'c' 0009 '5' 33 09 0005 'a/楼' 0010`,
  );
  const RUNS = 20_000;
  const pattern = 0xa5;
  const KNOWN =
    /^(opening|connected|refused_\w+|link_closed|protocol_error|message|published|subscribed|unsubscribed|unknown_acknowledgement|duplicate|reading|command_refused|interval_changed|not_queued) /;

  for (const [what, stream] of Object.entries({
    'random streams': (random: (below: number) => number) => Buffer.from(Array.from({ length: 1 + random(48) }, () => random(256))),
    'packets with random bodies': (random: (below: number) => number) => {
      const first = [0x20, 0x30, 0x32, 0x34, 0x3c, 0x40, 0x50, 0x62, 0x70, 0x90, 0xb0, 0xd0][random(12)] ?? 0;
      const length = random(4) === 0 ? random(1500) : random(12);
      const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
      return Buffer.from([
        first,
        ...size,
        0,
        random(9),
        ...Array.from({ length: Math.max(length - 2, 0) }, () => random(4) || random(256)),
      ]);
    },
    'mutations of a valid stream': (random: (below: number) => number) => {
      const mutated = Buffer.from(valid);
      for (let i = random(4); i >= 0; i--) mutated[random(mutated.length)] = random(256);
      const from = random(8) === 0 ? random(mutated.length) : 0;
      return mutated.subarray(from, random(3) === 0 ? random(mutated.length) : mutated.length);
    },
  })) {
    test(`${RUNS} ${what} end in events, never in a trap, and leave other memory alone`, async () => {
      const random = seeded(0x2b0757);
      const h = new ClientHistory({}, await boardClient()).connects();
      const beyond = h.module.bytes.subarray(h.module.memoryBytes);
      assert.ok(beyond.length > 0);
      beyond.fill(pattern);
      let closed = 0;
      for (let run = 0; run < RUNS; run++) {
        if (random(5) === 0) h.publish('a', '1', random(3));
        if (random(50) === 0) h.module.subscribe([{ filter: 'a', qos: 0 }]);
        h.says(stream(random), 1 + random(60));
        for (const event of h.happened()) assert.match(event, KNOWN);
        h.messages.length = 0;
        if (h.isOpen) continue;
        closed++;
        h.retries();
        h.connects();
      }
      assert.ok(closed > RUNS / 20, `only ${closed} streams were refused`);
      assert.ok(beyond.every((byte) => byte === pattern));
      h.reconnects();
      h.says("30 04 0001 'a' '1'");
      assert.deepEqual(h.payloads, ['1']);
    });

    test(`${what} do not trap the sensor`, () => {
      const random = seeded(0x51);
      const h = sensorHistory({
        config: [
          [CONFIG_TOPIC, 't'],
          [CONFIG_COMMAND_TOPIC, 'c'],
        ],
        thermometers: [() => 23_400],
      }).connects();
      for (let run = 0; run < RUNS / 10; run++) {
        h.says(stream(random), 1 + random(60));
        for (const event of h.happened()) assert.match(event, KNOWN);
        if (h.isOpen) continue;
        h.retries();
        h.connects();
      }
    });
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_INTERVAL,
  CONFIG_KEEP_ALIVE,
  CONFIG_NODE_ID,
  CONFIG_PREDEFINED,
  CONFIG_RETRY_INTERVAL,
  CONFIG_TOPIC,
  CONFIG_WILL_TOPIC,
} from '../../host/contract.js';
import { bytes } from '../protocol/script.js';
import type { Config } from './history.js';
import { type SnClientOnClock, snClient, snSensor } from './sn-client.js';
import { GATEWAY, type SnOptions } from './sn-history.js';

/** What is dropped by a connected client, and for which ERROR_…. */
const malformed: [what: string, datagram: string, error: string][] = [
  ['nothing', '', 'length'],
  ['one byte', '02', 'length'],
  ['a length of 0', '00 17', 'length'],
  ['a length below the datagram', '02 17 00', 'length'],
  ['a length over the datagram', '03 17', 'length'],
  ['PUBLISH with stray bytes behind it', '07 0c 00 0001 0000 0000', 'length'],
  ['REGISTER with a stray byte behind it', "07 0a 0009 0101 'a' 00", 'length'],
  ['a long length cut short', '01 00 04', 'length'],
  ['a long length below its own header', '01 0003 17', 'length'],
  ['a long length over the datagram', '01 0005 17', 'length'],
  ['two messages in one datagram', '02 17 02 17', 'length'],
  ...['03 02', '01 0004 02'].map((datagram): [string, string, string] => [`GWINFO ${datagram} without a GwId`, datagram, 'length']),
  ...['0001', '0100'].map((id): [string, string, string] => [`ADVERTISE that is too short (${id})`, `04 00 ${id}`, 'length']),
  ['CONNACK without its code', '02 05', 'length'],
  ['CONNACK that is too long', '04 05 00 00', 'length'],
  ['REGISTER without a name', '06 0a 0009 0101', 'length'],
  ['REGACK that is too short', '06 0b 0001 0001', 'length'],
  ['PUBLISH without a message id', "05 0c 02 'ab'", 'length'],
  ['PUBACK that is too long', '08 0d 0001 0001 00 00', 'length'],
  ['SUBACK that is too short', '07 13 00 0001 0001', 'length'],
  ['PINGRESP that is too long', '03 17 00', 'length'],
  ['PUBLISH at QoS -1', "07 0c 62 'ab' 0000", 'qos'],
  ['SUBACK that grants QoS -1', '08 13 60 0000 0001 00', 'qos'],
  ['PUBLISH with topic id type 3', '07 0c 03 0001 0000', 'topic_id'],
  ...['00', '01'].flatMap((flags) =>
    ['0000', 'ffff'].map((id): [string, string, string] => [`PUBLISH ${flags} on topic id ${id}`, `07 0c ${flags} ${id} 0000`, 'topic_id']),
  ),
  ...['0000', 'ffff'].map((id): [string, string, string] => [`REGISTER of topic id ${id}`, `07 0a ${id} 0101 'a'`, 'topic_id']),
  ["a short name that is a wildcard, '+/'", "07 0c 02 '+/' 0000", 'topic_wildcard'],
  ['a short name with NUL', '07 0c 02 6100 0000', 'nul'],
  ['a short name that is no UTF-8', '07 0c 02 ff61 0000', 'utf8'],
  ...['20', '40'].map((flags): [string, string, string] => [`PUBLISH ${flags} with message id 0`, `07 0c ${flags} 0001 0000`, 'packet_id']),
  ['REGISTER with message id 0', "07 0a 0009 0000 'a'", 'packet_id'],
  ['REGACK with message id 0', '07 0b 0001 0000 00', 'packet_id'],
  ['PUBACK that accepts message id 0', '07 0d 0001 0000 00', 'packet_id'],
  ...['0e', '0f', '10', '15'].map((type): [string, string, string] => [
    `acknowledgement ${type} of message id 0`,
    `04 ${type} 0000`,
    'packet_id',
  ]),
  ['SUBACK with message id 0', '08 13 00 0001 0000 00', 'packet_id'],
];

/** Connected, with t/a as id 1 and a QoS 2 message in flight. */
function busy(config: Config = []): SnClientOnClock {
  const h = snClient([[CONFIG_PREDEFINED, '5=p/5'], ...config])
    .connects()
    .registers('t/a', '0001');
  h.publish('t/a', '1', 2);
  h.hears("08 0c 40 0001 0002 '1'");
  return h;
}

/** The message in flight is answered, and a further one delivered: the client is what it was. */
function goesOn(h: SnClientOnClock): void {
  h.happened();
  h.says('04 0f 0002', '04 0e 0002', "08 0c 20 0001 0777 'x'");
  h.hears('04 10 0002', '07 0d 0001 0777 00');
  h.happens('published 2 0', 'message 1911 1');
}

describe('a client drops, counts and survives', () => {
  for (const [what, datagram, error] of malformed)
    test(what, () => {
      const h = busy();
      h.says(datagram, datagram);
      h.hears();
      h.happens(`datagram_dropped ${error} 1`, `datagram_dropped ${error} 2`);
      goesOn(h);
      assert.deepEqual(h.faults, []);
    });

  const fromGateway = [
    0x00, 0x01, 0x02, 0x05, 0x06, 0x08, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x13, 0x15, 0x16, 0x17, 0x18, 0x1b, 0x1d,
  ];
  const envelope = 0xfe;
  test('each of the message types that a gateway never sends, in every length up to 12', () => {
    const h = busy();
    let count = 0;
    for (let type = 0; type < 256; type++) {
      if (fromGateway.includes(type) || type === envelope) continue;
      for (let length = 2; length <= 12; length++) {
        h.says(Buffer.concat([Buffer.from([length, type]), Buffer.alloc(length - 2, 1)]));
        h.happens(`datagram_dropped packet_type ${++count}`);
      }
    }
    assert.equal(count, (256 - fromGateway.length - 1) * 11);
    h.hears();
    goesOn(h);
  });

  test('every message cut at every byte, with the length it had', () => {
    const whole = [
      ...['05 00 01 0384', '03 02 01', '03 05 00', "09 0a 0009 0101 't/b'", '07 0b 0001 0001 00', "09 0c 20 0001 0101 'xy'"],
      ...['07 0d 0001 0001 00', '04 0f 0001', '04 10 0001', '04 0e 0001', '08 13 00 0001 0001 00', '04 15 0001', '02 17', '02 18'],
      ...["01 000b 0c 20 0001 0101 'xy'", '01 0005 05 00'],
    ];
    const h = busy();
    let count = 0;
    for (const message of whole) {
      const data = bytes(message);
      for (let cut = 0; cut < data.length; cut++) {
        h.says(data.subarray(0, cut));
        h.happens(`datagram_dropped length ${++count}`);
      }
    }
    h.hears();
    goesOn(h);
  });

  for (const flags of ['04', '08', '0c'])
    test(`not a PUBLISH whose unused flags are ${flags}: it is delivered`, () => {
      const h = busy();
      h.says(`07 0c ${flags} 0001 0000`);
      h.happens('message 0 1');
      goesOn(h);
    });
});

describe('an answer', () => {
  // Against a QoS 2 PUBLISH 2 that waits for PUBREC.
  for (const [what, datagram, event] of [
    ['to a REGISTER that was not made', '07 0b 0001 0002 00', 'unknown_acknowledgement 11 2'],
    ['to another PUBLISH', '04 0f 0003', 'unknown_acknowledgement 15 3'],
    ['of another kind: PUBACK', '07 0d 0001 0002 00', 'unknown_acknowledgement 13 2'],
    ['of another kind: SUBACK', '08 13 00 0000 0002 00', 'unknown_acknowledgement 19 2'],
    ['of another kind: UNSUBACK', '04 15 0002', 'unknown_acknowledgement 21 2'],
    ['before its time: PUBCOMP', '04 0e 0002', 'unknown_acknowledgement 14 2'],
    ['to a CONNECT of before', '03 05 00', 'unknown_acknowledgement 5 0'],
    ['to a PINGREQ that was not made', '02 17', 'unknown_acknowledgement 23 0'],
    ['to an update that was not made', '03 1b 00', 'unknown_acknowledgement 27 0'],
  ] as const)
    test(`${what} is told and changes nothing`, () => {
      const h = busy();
      h.says(datagram);
      h.hears(...(datagram.startsWith('04 0f') ? ['04 10 0003'] : []));
      h.happens(event);
      goesOn(h);
      assert.deepEqual(h.faults, []);
    });
});

describe('a datagram over the buffer of a sensor', () => {
  const tooLarge = (head: string) => Buffer.concat([bytes(`01 0410 ${head}`), Buffer.alloc(1_040 - 3 - bytes(head).length)]);
  for (const [what, head, answers] of [
    ['PUBLISH at QoS 1 is answered: not supported', "0c 22 'ab' 0101", ["07 0d 'ab' 0101 03"]],
    ['PUBLISH at QoS 2, too', "0c 42 'ab' 0102", ["07 0d 'ab' 0102 03"]],
    ['PUBLISH at QoS 0 is not', "0c 02 'ab' 0000", []],
    ['REGISTER is not', '0a 0009 0101', []],
    ['PUBLISH that is malformed is not', '0c 20 0000 0101', []],
  ] as const)
    test(`${what}, dropped and told`, () => {
      const h = snSensor([[CONFIG_TOPIC, 'ab']]).connects();
      h.heard();
      h.happened();
      h.says(tooLarge(head));
      h.hears(...answers);
      h.happens('datagram_dropped too_large 1');
      h.says('02 16');
      h.hears('02 17');
      assert.deepEqual(h.faults, []);
    });

  test('is not the largest that fits', () => {
    const h = snSensor([[CONFIG_TOPIC, 'ab']]).connects();
    h.heard();
    h.happened();
    h.says(Buffer.concat([bytes("01 0200 0c 22 'ab' 0101"), Buffer.alloc(512 - 9)]));
    h.hears("07 0d 'ab' 0101 00");
    h.happens('message 257 1');
  });
});

/** Numbers from 0 to 2³² − 1, always the same from one seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** A datagram: any bytes, or a message type with a length of its own, or with one that may fit the type. */
function noise(random: () => number): Buffer {
  const size = random() % 24;
  const data = Buffer.from(Array.from({ length: size }, () => random() & 0xff));
  if (size < 2 || random() % 4 === 0) return data;
  data[0] = size;
  if (random() % 4 > 0) data[1] = random() % 0x1e;
  for (let at = 2; at < size; at++) if (random() % 3 > 0) data[at] = random() % 4;
  return data;
}

const ALL: Config = [
  [CONFIG_PREDEFINED, '1=p/1+2=p/2'],
  [CONFIG_WILL_TOPIC, 'w'],
  [CONFIG_KEEP_ALIVE, 60],
  [CONFIG_RETRY_INTERVAL, 1_000],
];

describe('20000 datagrams of noise', () => {
  const states: [state: string, config: Config, options: SnOptions, reach: (h: SnClientOnClock) => void][] = [
    ['waiting for CONNACK', [], {}, (h) => h.opens()],
    ['connected', [], {}, (h) => h.connects()],
    [
      'at work',
      [],
      {},
      (h) => {
        h.connects().publish('t/a', '1', 2);
        h.publish('p/1', '2', 1);
        h.module.subscribeTo('t/+', 1);
      },
    ],
    ['behind a forwarder', [[CONFIG_NODE_ID, Uint8Array.of(2)]], {}, (h) => h.connects()],
    ['falling asleep', [], {}, (h) => h.connects().module.sleep(60)],
    ['asleep', [], {}, (h) => h.connects().fallsAsleep(60)],
    ['awake', [], {}, (h) => h.connects().fallsAsleep(60).module.collect()],
    ['waking', [], {}, (h) => h.connects().fallsAsleep(60).module.wake()],
    ['leaving', [], {}, (h) => h.connects().board.stop()],
    ['searching', [], { discovery: true }, (h) => h.startsSearching()],
  ];
  for (const [state, config, options, reach] of states)
    test(`to a client that is ${state} neither trap nor end it, and each that is dropped is counted`, () => {
      const random = chance(20_261_121);
      const h = snClient([...ALL, ...config], { ...options, random });
      let dropped = 0;
      let reached = 0;
      for (let count = 0; count < 20_000; count++) {
        if (!h.isOpen && !h.searched.listener) {
          reach(h); // at first, and after a DISCONNECT among the noise
          reached++;
        }
        const datagram = noise(random);
        if (h.peer.isAccepted && h.isOpen) h.peer.says(datagram, GATEWAY);
        else if (h.searched.listener) h.searched.says(datagram, GATEWAY);
        if (h.isOpen && !h.peer.isAccepted) h.accepts();
        for (const event of h.happened()) {
          if (event.startsWith('datagram_dropped')) assert.equal(Number(event.split(' ')[2]), ++dropped);
          if (event.startsWith('link_closed') || event.startsWith('refused')) {
            h.board.stop();
            h.waits(100_000);
          }
        }
        h.peer.sent = [];
      }
      assert.ok(dropped > 5_000, `${dropped} were dropped`);
      assert.ok(reached < 2_000, `reached ${reached} times`);
      h.board.stop();
      h.waits(100_000);
      assert.equal(h.isOpen, false);
      assert.equal(h.clock.next, undefined);
      h.happened();
      if (!options.discovery) h.connects(); // whatever it went through, it works
    });

  test('to a sensor do not keep it from reading', () => {
    const random = chance(7);
    const h = snSensor(
      [
        [CONFIG_TOPIC, 'ab'],
        [CONFIG_INTERVAL, 1_000],
      ],
      { random },
    ).connects();
    let readings = 0;
    for (let count = 0; count < 20_000; count++) {
      if (!h.isOpen) h.retries();
      if (!h.peer.isAccepted) {
        h.accepts();
        h.says('03 05 00');
      }
      h.peer.says(noise(random), GATEWAY);
      h.waits(10);
      readings += h.happened().filter((event) => event.startsWith('reading ')).length;
      h.peer.sent = [];
    }
    assert.ok(readings >= 200, `${readings} readings`);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import mqtt, { type Packet } from 'mqtt-packet';
import {
  CONFIG_AVAILABILITY_TOPIC,
  CONFIG_COMMAND_TOPIC,
  CONFIG_INTERVAL,
  CONFIG_QOS,
  CONFIG_RETAIN,
  CONFIG_SENSOR,
  CONFIG_TOPIC,
  CONFIG_UNIT,
  ERROR_STATE,
  READING_FAILED,
} from '../../host/contract.js';
import { type Options, sensorHistory } from './history.js';

type Pairs = readonly (readonly [number, string | number | Uint8Array])[];

const sensor = (config: Pairs = [], options: Options = {}) =>
  sensorHistory({ thermometers: [() => 23_449], ...options, config: [[CONFIG_TOPIC, 't'], ...config] });

/** The packets in `data` as mqtt-packet reads them. */
function packets(data: Buffer): Packet[] {
  const found: Packet[] = [];
  const parser = mqtt.parser();
  parser.on('packet', (packet) => found.push(packet));
  parser.parse(data);
  return found;
}

/** `topic payload` of each PUBLISH in `data`. */
const published = (data: Buffer) =>
  packets(data).flatMap((packet) => (packet.cmd === 'publish' ? `${packet.topic} ${packet.payload}` : []));

describe('a reading', () => {
  const table: [thousandths: number, text: string][] = [
    [0, '0.0'],
    [49, '0.0'],
    [50, '0.1'],
    [-49, '0.0'],
    [-50, '-0.1'],
    [-100, '-0.1'],
    [-149, '-0.1'],
    [-150, '-0.2'],
    [949, '0.9'],
    [950, '1.0'],
    [-949, '-0.9'],
    [-950, '-1.0'],
    [9_949, '9.9'],
    [9_950, '10.0'],
    [23_449, '23.4'],
    [23_450, '23.5'],
    [99_949, '99.9'],
    [99_950, '100.0'],
    [99_999, '100.0'],
    [100_000, '100.0'],
    [1_000_000, '1000.0'],
    [1_010_100, '1010.1'],
    [-273_150, '-273.2'],
    [READING_FAILED + 1, '-1000.0'],
    [2 ** 31 - 1, '2147483.6'],
  ];
  for (const [thousandths, text] of table) {
    test(`of ${thousandths} thousandths is published as ${text}`, () => {
      const h = sensor([], { thermometers: [() => thousandths] }).connects();
      h.hears(`30 ${(3 + text.length).toString(16).padStart(2, '0')} 0001 't' '${text}'`);
    });
  }

  test('is told with its value and its packet identifier', () => {
    const h = sensor();
    h.board.start();
    h.happens('opening 1 0', 'reading 23449 0');
    const other = sensor([[CONFIG_QOS, 1]]);
    other.board.start();
    other.happens('opening 1 0', 'reading 23449 1');
  });

  for (const [what, config, wire] of [
    ['with its unit', [[CONFIG_UNIT, ' °C']], "30 0b 0001 't' '23.4 °C'"],
    ['with a unit of the longest kind', [[CONFIG_UNIT, '0123456789abcdef']], "30 17 0001 't' '23.40123456789abcdef'"],
    ['retained', [[CONFIG_RETAIN, 1]], "31 07 0001 't' '23.4'"],
    ['at QoS 1', [[CONFIG_QOS, 1]], "32 09 0001 't' 0001 '23.4'"],
    [
      'at QoS 2, retained',
      [
        [CONFIG_QOS, '2'],
        [CONFIG_RETAIN, '1'],
      ],
      "35 09 0001 't' 0001 '23.4'",
    ],
    ['at a topic of the longest kind', [[CONFIG_TOPIC, 'x'.repeat(128)]], `30 86 01 0080 '${'x'.repeat(128)}' '23.4'`],
    ['at a topic in any script', [[CONFIG_TOPIC, 'myhome/底楼/客厅/温度']], "30 21 001b 'myhome/底楼/客厅/温度' '23.4'"],
    ['of the thermometer chosen', [[CONFIG_SENSOR, 1]], "30 07 0001 't' '-7.1'"],
  ] as const satisfies readonly (readonly [string, Pairs, string])[]) {
    test(`is published ${what}`, () => {
      const h = sensor(config, { thermometers: [() => 23_449, () => -7_100] }).connects();
      h.hears(wire);
    });
  }

  test('that fails is told with the number of the board, and the next one is taken', () => {
    const values = [READING_FAILED, READING_FAILED - 7, undefined, 1_000];
    const h = sensor([[CONFIG_INTERVAL, 1_000]], { thermometers: [() => values.shift()] });
    h.connects();
    h.waits(3_000);
    h.happens('reading_failed 7 0', 'reading_failed 0 0', 'reading 1000 0');
    assert.deepEqual(published(h.heard()), ['t 1.0']);
  });

  test('of a thermometer that the board does not have fails', () => {
    const h = sensor([[CONFIG_SENSOR, 255]]);
    h.board.start();
    h.happens('opening 1 0', 'reading_failed 0 0');
  });
});

describe('the schedule', () => {
  test('begins at once, and goes on without drift', () => {
    const times: number[] = [];
    const h = sensor([[CONFIG_INTERVAL, 1_000]], {
      thermometers: [
        () => {
          times.push(h.clock.now());
          h.clock.skip(37); // a slow conversion
          return 0;
        },
      ],
    });
    h.board.start();
    h.waits(5_000);
    assert.deepEqual(times, [0, 1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  test('does not make up for readings that were slept through', () => {
    const times: number[] = [];
    const h = sensor([[CONFIG_INTERVAL, 1_000]], {
      thermometers: [
        () => {
          times.push(h.clock.now());
          return 0;
        },
      ],
    });
    h.board.start();
    h.clock.skip(10_500);
    h.waits(2_500);
    assert.deepEqual(times, [0, 10_500, 11_500, 12_500]);
  });

  for (const origin of [2 ** 31 - 2_500, 2 ** 32 - 2_500]) {
    test(`passes ${origin + 2_500} ms of the clock unmoved`, () => {
      const h = sensor([[CONFIG_INTERVAL, 1_000]], { origin }).connects();
      h.waits(6_000);
      assert.equal(published(h.heard()).length, 7);
    });
  }

  test('of 24 hours is kept', () => {
    const h = sensor([[CONFIG_INTERVAL, 86_400_000]]).connects();
    h.heard();
    h.waits(86_399_999);
    h.hears('');
    h.waits(1);
    assert.deepEqual(published(h.heard()), ['t 23.4']);
  });
});

describe('readings without a connection', () => {
  test('wait for it, in order; when the outbox is full the new ones are dropped and counted', () => {
    let value = 0;
    const h = sensor([[CONFIG_INTERVAL, 1_000]], { thermometers: [() => 1_000 * value++] });
    h.board.start();
    h.waits(17_000); // 18 readings for 16 entries
    assert.deepEqual(
      h.happened().filter((event) => event.startsWith('reading_dropped')),
      ['reading_dropped outbox_full 1', 'reading_dropped outbox_full 2'],
    );
    h.connects();
    assert.deepEqual(
      published(h.heard()),
      Array.from({ length: 16 }, (_, i) => `t ${i}.0`),
    );
  });

  test('do not keep it from saying online and hearing commands', () => {
    for (const qos of [0, 1]) {
      const h = sensor([
        [CONFIG_INTERVAL, 1_000],
        [CONFIG_QOS, qos],
        [CONFIG_AVAILABILITY_TOPIC, 'up'],
        [CONFIG_COMMAND_TOPIC, 'set'],
      ]);
      h.board.start();
      h.waits(20_000);
      h.connects();
      const sent = packets(h.heard());
      for (let answered = 0; answered < sent.length; answered++) {
        const packet = sent[answered];
        if (packet?.cmd === 'publish' && packet.qos) h.says(mqtt.generate({ cmd: 'puback', messageId: packet.messageId ?? 0 }));
        if (packet?.cmd === 'subscribe') h.says(mqtt.generate({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] }));
        sent.push(...packets(h.heard()));
      }
      const count = (matches: (packet: Packet) => boolean) => sent.filter(matches).length;
      assert.equal(
        count((packet) => packet.cmd === 'publish' && packet.topic === 't'),
        16,
      );
      assert.equal(
        count((packet) => packet.cmd === 'publish' && packet.topic === 'up'),
        1,
      );
      assert.equal(
        count((packet) => packet.cmd === 'subscribe'),
        1,
      );
      assert.ok(!h.happened().some((event) => event.startsWith('not_queued')));
    }
  });
});

describe('availability', () => {
  const config: Pairs = [[CONFIG_AVAILABILITY_TOPIC, 'up']];
  const CONNECT = "10 1a 0004 'MQTT' 04 2e 0000 0001 'c' 0002 'up' 0007 'offline'"; // will at QoS 1, retained; clean session

  test('is the will, and online at each connection', () => {
    const h = sensor(config).opens();
    h.hears(CONNECT);
    h.says('20 02 0000');
    h.hears("30 07 0001 't' '23.4' 33 0c 0002 'up' 0002 'online'");
    h.says('40 02 0002');
    h.reconnects();
    h.hears("33 0c 0002 'up' 0003 'online'");
  });

  test('is offline before DISCONNECT', () => {
    const h = sensor(config).connects();
    h.says('40 02 0002');
    h.heard();
    h.board.stop();
    assert.equal(h.peer.sent.toString('latin1'), '3\x0d\0\x02up\0\x03offline\xe0\0');
    assert.equal(h.happened().at(-1), 'stopped 0 0');
  });

  test('is offline before DISCONNECT long after the last step', () => {
    const h = sensor([...config, [CONFIG_INTERVAL, 86_400_000]]).connects();
    h.says('40 02 0002');
    h.heard();
    h.waits(80_000_000);
    h.board.stop();
    assert.equal(h.peer.sent.toString('latin1'), '3\x0d\0\x02up\0\x03offline\xe0\0');
  });

  test('without its topic is not mentioned', () => {
    const h = sensor().opens();
    h.hears("10 0d 0004 'MQTT' 04 02 0000 0001 'c'");
    h.says('20 02 0000');
    h.hears("30 07 0001 't' '23.4'");
    h.board.stop();
    assert.equal(h.peer.sent.toString('hex'), 'e000');
  });

  test('that is no longer configured is no will of the next start', () => {
    const h = sensor(config).connects();
    h.board.stop();
    h.config.delete(CONFIG_AVAILABILITY_TOPIC);
    h.opens();
    h.hears("10 0d 0004 'MQTT' 04 02 0000 0001 'c'");
  });
});

describe('stop()', () => {
  test('ends the readings, and start() begins them again', () => {
    const h = sensor([[CONFIG_INTERVAL, 1_000]]).connects();
    h.heard();
    h.board.stop();
    h.happened();
    h.waits(10_000);
    h.happens();
    h.connects();
    assert.deepEqual(published(h.heard()), ['t 23.4']);
  });

  test('cannot be undone by a start() before EVENT_STOPPED', () => {
    const h = sensor([[CONFIG_INTERVAL, 1_000]]).connects();
    h.heard();
    h.peer.capacity = 0;
    h.board.stop();
    h.config.set(CONFIG_TOPIC, 'other');
    assert.equal(h.module.start(), -ERROR_STATE);
    h.happened();
    h.waits(5_000);
    h.happens();
    h.peer.takes(100);
    h.hears('e0 00');
    h.happens('stopped 0 0');
  });
});

describe('a command', () => {
  const commanded = () => {
    const h = sensor([
      [CONFIG_COMMAND_TOPIC, 'room/+/set'],
      [CONFIG_INTERVAL, 10_000],
    ]).connects();
    return h;
  };

  for (const [filter, topic, heard] of [
    ['room/set', 'room/set', true],
    ['room/set', 'room/sets', false],
    ['room/set', 'room/se', false],
    ['room/set', 'other/set', false],
    ['room/+', 'room/set', true],
    ['room/+', 'room/', true],
    ['room/+', 'room', false],
    ['room/+', 'room/a/set', false],
    ['+/+/set', 'room/a/set', true],
    ['room/#', 'room', true],
    ['room/#', 'room/a/set', true],
    ['room/#', 'rooms', false],
    ['#', 'anything', true],
  ] as const) {
    test(`at '${topic}' is ${heard ? 'obeyed' : 'not for us'} with the filter '${filter}'`, () => {
      const h = sensor([[CONFIG_COMMAND_TOPIC, filter]]).connects();
      h.happened();
      h.says(mqtt.generate({ cmd: 'publish', topic, payload: '5000', qos: 0, dup: false, retain: false }));
      h.happens(...(heard ? ['interval_changed 5000 0'] : []), 'message 0 1');
    });
  }

  test('topic is subscribed to at each connection', () => {
    const h = commanded();
    h.hears("30 07 0001 't' '23.4' 82 0f 0002 000a 'room/+/set' 01");
    h.says('90 03 0002 01');
    h.reconnects();
    h.hears("82 0f 0003 000a 'room/+/set' 01");
  });

  for (const [text, interval] of [
    ['100', 100],
    ['2500', 2_500],
    ['0100', 100],
    ['00000100', 100],
    ['86400000', 86_400_000],
  ] as const) {
    test(`${text} sets the interval to ${interval} ms, from now on`, () => {
      const h = commanded();
      h.says('90 03 0002 01');
      h.waits(3_000);
      h.happened();
      h.says(mqtt.generate({ cmd: 'publish', topic: 'room/1/set', payload: text, qos: 1, messageId: 5, retain: false, dup: false }));
      h.happens(`interval_changed ${interval} 0`, 'message 5 1');
      h.heard();
      h.waits(interval - 1);
      h.hears('');
      h.waits(1);
      assert.deepEqual(published(h.heard()), ['t 23.4']);
      assert.equal(h.clock.next, interval);
    });
  }

  for (const text of [
    '',
    '99',
    '0',
    '86400001',
    '99999999',
    '-1000',
    '+1000',
    '1e3',
    '1000 ',
    ' 1000',
    '1000ms',
    '1.5',
    'abc',
    '000000100',
    '100000000',
    '１００',
    '4294967396',
  ]) {
    test(`'${text}' is refused, and the interval stays`, () => {
      const h = commanded();
      h.waits(3_000);
      h.happened();
      h.says(mqtt.generate({ cmd: 'publish', topic: 'room/1/set', payload: text, qos: 0, retain: true, dup: false }));
      h.happens(`command_refused command ${Buffer.byteLength(text)}`, 'message 0 1');
      assert.equal(h.clock.next, 7_000);
    });
  }

  test('in pieces is refused once, whatever its later pieces say', () => {
    const h = commanded();
    h.happened();
    const payload = `${'1'.repeat(1_009)}2500`; // the second piece alone would be a good command
    h.says(mqtt.generate({ cmd: 'publish', topic: 'room/1/set', payload, qos: 0, retain: false, dup: false }));
    const refused = h.happened().filter((event) => !event.startsWith('message'));
    assert.deepEqual(refused, ['command_refused command 1013']);
  });

  test('is none without a command topic', () => {
    const h = sensor().connects();
    h.happened();
    h.says("30 09 0003 'set' '2500'");
    h.happens('message 0 1');
    assert.equal(h.clock.next, 10_000);
  });
});

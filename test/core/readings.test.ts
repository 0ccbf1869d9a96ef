import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import mqtt, { type Packet } from 'mqtt-packet';
import {
  CONFIG_AVAILABILITY_TOPIC,
  CONFIG_BUFFER,
  CONFIG_BUFFER_POLICY,
  CONFIG_BUFFERED_TOPIC,
  CONFIG_CLEAN_SESSION,
  CONFIG_CONNECT_TIMEOUT,
  CONFIG_DIAGNOSTIC_TOPIC,
  CONFIG_INTERVAL,
  CONFIG_PREDEFINED,
  CONFIG_QOS,
  CONFIG_RETAIN,
  CONFIG_SLEEP,
  CONFIG_TOPIC,
  CONFIG_UNIT,
  EVENT_READING,
  EVENT_READING_BUFFERED,
  RECORD_MESSAGE,
  RECORD_READING,
  RECORD_RELEASE,
  STORE_FAILED,
} from '../../host/contract.js';
import { builtModule, Module } from '../../host/module.js';
import { MemoryStorage } from '../../host/storage.js';
import { History, type Options } from './history.js';
import { snSensor } from './sn-client.js';

type Pairs = readonly (readonly [number, string | number])[];

const EPOCH = 1_763_732_400;
const STOPPED_BY_CUT = new Error('the power is cut');

/** A storage that knows what was written, and may fail or cut the power. */
class Flash extends MemoryStorage {
  kinds: number[] = [];
  failure = 0;
  /** Writes until the power is cut: behind the last of them, or before it. */
  left = Number.POSITIVE_INFINITY;
  losesLast = false;

  override write(key: number, bytes: Uint8Array): number {
    if (this.failure) return -this.failure;
    this.kinds.push(key >> 16);
    const isLast = --this.left === 0;
    const answer = isLast && this.losesLast ? 0 : super.write(key, bytes);
    if (isLast) throw STOPPED_BY_CUT;
    return answer;
  }

  /** Kinds of what was written since this was last asked. */
  wrote(): number[] {
    return this.kinds.splice(0);
  }
}

/** A sensor of modules with a journal that reads 0.0, 1.0, 2.0… once a second. */
function sensor(
  config: Pairs = [],
  { module = 'sensor-mqtt-journal', from = 0, ...options }: Options & { module?: string; from?: number } = {},
) {
  let value = from;
  return new History((imports) => new Module(builtModule(module), imports), {
    thermometers: [() => 1_000 * value++],
    epoch: EPOCH,
    ...options,
    config: [[CONFIG_TOPIC, 't'], [CONFIG_INTERVAL, 1_000], [CONFIG_CLEAN_SESSION, 0], [CONFIG_CONNECT_TIMEOUT, 86_400_000], ...config],
  });
}

/** The packets in `data`. */
function packets(data: Buffer): Packet[] {
  const found: Packet[] = [];
  const parser = mqtt.parser();
  parser.on('packet', (packet) => found.push(packet));
  parser.parse(data);
  return found;
}

const published = (data: Buffer) => packets(data).flatMap((packet) => (packet.cmd === 'publish' ? [packet] : []));

/** `topic payload` of each PUBLISH that the sensor sends as long as it is answered, in order. */
function arrivals(h: History<Module>): string[] {
  const found: string[] = [];
  for (let sent = packets(h.heard()); sent.length > 0; sent = packets(h.heard()))
    for (const packet of sent) {
      if (packet.cmd === 'publish') {
        found.push(`${packet.topic} ${packet.payload}`);
        if (packet.qos) h.says(mqtt.generate({ cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId: packet.messageId ?? 0 }));
      }
      if (packet.cmd === 'pubrel') h.says(mqtt.generate({ cmd: 'pubcomp', messageId: packet.messageId ?? 0 }));
    }
  return found;
}

/** A connected sensor whose first reading arrived; then the link is gone, and does not come back. */
function down(config: Pairs = [], options: Parameters<typeof sensor>[1] = {}) {
  const h = sensor(config, options).connects();
  arrivals(h);
  h.cuts();
  h.happened();
  return h;
}

/** The link is back. */
function back(h: History<Module>): string[] {
  h.retries();
  h.connects({ present: true });
  return arrivals(h);
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** The readings of seconds `from` to `to`, with their time. */
const waited = (from: number, to: number) => numbers(from, to).map((n) => `t ${n}.0 ${EPOCH + n}`);
const told = (h: History<Module>, name: string) => h.happened().filter((event) => event.startsWith(name));

for (const module of ['sensor-mqtt-journal', 'sensor-journal'])
  describe(`while the link is down, ${module}`, () => {
    for (const qos of [0, 1, 2])
      test(`keeps readings of QoS ${qos} back, and sends them in order with their time, before newer ones`, () => {
        const h = down([[CONFIG_QOS, qos]], { module });
        h.waits(30_000);
        assert.deepEqual(
          told(h, 'reading'),
          numbers(1, 30).map((n) => `reading_buffered ${n}000 ${n}`),
        );
        assert.deepEqual(back(h), waited(1, 30));
        h.waits(1_000);
        assert.deepEqual(arrivals(h), ['t 31.0'], 'and what comes later is as ever');
      });
  });

describe('a reading that waited', () => {
  for (const [what, config, options, expected] of [
    ['has its unit before its time', [[CONFIG_UNIT, ' °C']], {}, ['t', `1.0 °C ${EPOCH + 1}`, false]],
    ['has no time when the board does not know it', [], { epoch: 0 }, ['t', '1.0', false]],
    ['is retained as others are', [[CONFIG_RETAIN, 1]], {}, ['t', `1.0 ${EPOCH + 1}`, true]],
    [
      'is at a topic of its own not retained',
      [
        [CONFIG_RETAIN, 1],
        [CONFIG_BUFFERED_TOPIC, 'late/t'],
      ],
      {},
      ['late/t', `1.0 ${EPOCH + 1}`, false],
    ],
    [
      'has room for the longest of all',
      [[CONFIG_UNIT, '0123456789abcdef']],
      { epoch: 2 ** 32 - 2, from: 2_147_482 },
      ['t', '2147483.00123456789abcdef 4294967295', false],
    ],
  ] as const satisfies readonly (readonly [string, Pairs, object, unknown])[])
    test(what, () => {
      const h = down(config, options);
      h.waits(1_000);
      h.retries();
      h.connects();
      const [reading] = published(h.heard());
      assert.deepEqual(reading && [reading.topic, String(reading.payload), reading.retain], expected);
    });

  test('leaves the outbox to availability, which is said before it', () => {
    const h = down([
      [CONFIG_QOS, 1],
      [CONFIG_AVAILABILITY_TOPIC, 'up'],
    ]);
    h.waits(30_000);
    assert.deepEqual(back(h), ['up online', ...waited(1, 30)]);
  });

  test('is behind what was under way when the link was lost', () => {
    const h = sensor([[CONFIG_QOS, 1]]).connects();
    h.waits(2_000);
    h.heard();
    h.cuts();
    h.waits(2_000);
    assert.deepEqual(back(h), ['t 0.0', 't 1.0', 't 2.0', ...waited(3, 4)]);
  });

  test('is none as long as the outbox has room: the first before a connection, and all that a slow broker has not acknowledged', () => {
    const h = sensor([[CONFIG_QOS, 1]]).connects();
    h.waits(20_000);
    assert.deepEqual(
      published(h.heard()).map(({ payload }) => String(payload)),
      numbers(0, 15).map((n) => `${n}.0`),
    );
    assert.deepEqual(
      told(h, 'reading_buffered'),
      numbers(16, 20).map((n) => `reading_buffered ${n}000 ${n - 15}`),
    );
    h.says('40 02 0001');
    assert.deepEqual(
      published(h.heard()).map(({ payload }) => String(payload)),
      [`16.0 ${EPOCH + 16}`],
    );
  });

  test('also waits for the first connection, behind one that does not know of its fate', () => {
    const h = sensor([[CONFIG_QOS, 1]]);
    h.board.start();
    h.waits(3_000);
    h.connects();
    assert.deepEqual(arrivals(h), ['t 0.0', ...waited(1, 3)]);
  });

  test('outlives stop() and start()', () => {
    const h = down();
    h.waits(3_000);
    h.board.stop();
    h.connects();
    assert.deepEqual(arrivals(h), [...waited(1, 3), `t 4.0 ${EPOCH + 3}`]);
  });
});

describe('when the buffer is full', () => {
  const table: [what: string, policy: number, left: number[][]][] = [
    [
      'the oldest is dropped',
      0,
      [
        [2, 3, 4, 5],
        [3, 4, 5, 6],
        [4, 5, 6, 7],
        [5, 6, 7, 8],
        [6, 7, 8, 9],
        [7, 8, 9, 10],
      ],
    ],
    [
      'the newest is dropped',
      1,
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    ],
    [
      'every second is dropped',
      2,
      [
        [1, 3, 4, 5],
        [1, 3, 5, 6],
        [1, 3, 5, 7],
        [1, 5, 7, 8],
        [1, 5, 8, 9],
        [1, 5, 8, 10],
      ],
    ],
  ];
  for (const [what, policy, rows] of table)
    test(`${what}, and counted`, () => {
      rows.forEach((left, more) => {
        const h = down([
          [CONFIG_QOS, 1],
          [CONFIG_BUFFER, 4],
          [CONFIG_BUFFER_POLICY, policy],
        ]);
        h.waits(5_000 + more * 1_000);
        assert.deepEqual(
          told(h, 'reading_dropped'),
          numbers(1, more + 1).map((n) => `reading_dropped outbox_full ${n}`),
        );
        assert.deepEqual(
          back(h),
          left.flatMap((n) => waited(n, n)),
        );
      });
    });

  test('thinning out halves the resolution evenly', () => {
    const h = down([[CONFIG_BUFFER_POLICY, 2]]);
    h.waits(127_000);
    assert.deepEqual(
      back(h),
      numbers(0, 63).flatMap((n) => waited(2 * n + 1, 2 * n + 1)),
    );
  });

  for (const [policy, left] of [
    [0, [3]],
    [1, [1]],
    [2, [1]],
  ] as const)
    test(`a buffer of one with policy ${policy} has ${left}`, () => {
      const h = down([
        [CONFIG_BUFFER, 1],
        [CONFIG_BUFFER_POLICY, policy],
      ]);
      h.waits(3_000);
      assert.deepEqual(
        back(h),
        left.flatMap((n) => waited(n, n)),
      );
    });

  for (const policy of [0, 1, 2])
    test(`without a buffer (policy ${policy}) the outbox has 16, and what comes later is dropped`, () => {
      const h = down([
        [CONFIG_BUFFER, 0],
        [CONFIG_BUFFER_POLICY, policy],
      ]);
      h.waits(18_000);
      assert.deepEqual(told(h, 'reading_'), ['reading_dropped outbox_full 1', 'reading_dropped outbox_full 2']);
      assert.deepEqual(
        back(h),
        numbers(1, 16).map((n) => `t ${n}.0`),
      );
    });

  for (const qos of [0, 2])
    test(`the number of dropped readings is published at QoS ${qos}, retained, behind what waited, whenever it has changed`, () => {
      const h = down([
        [CONFIG_QOS, qos],
        [CONFIG_BUFFER, 2],
        [CONFIG_DIAGNOSTIC_TOPIC, 'lost'],
      ]);
      h.waits(12_000);
      h.retries();
      h.connects({ present: true });
      const last = published(h.peer.sent).at(-1);
      assert.deepEqual(last && [last.topic, String(last.payload), last.qos, last.retain], ['lost', '10', qos, true]);
      arrivals(h);
      h.waits(2_000);
      assert.deepEqual(arrivals(h), ['t 13.0', 't 14.0']);
      h.cuts();
      h.waits(3_000);
      assert.deepEqual(back(h), [...waited(16, 17), 'lost 11']);
    });

  for (const [key, value, event] of [
    [CONFIG_BUFFER, 65, 'config_refused config_invalid buffer'],
    [CONFIG_BUFFER, -1, 'config_refused config_invalid buffer'],
    [CONFIG_BUFFER_POLICY, 3, 'config_refused config_invalid buffer_policy'],
    [CONFIG_BUFFERED_TOPIC, 'a/#', 'config_refused topic_wildcard buffered_topic'],
    [CONFIG_DIAGNOSTIC_TOPIC, '', 'config_refused topic_empty diagnostic_topic'],
    [CONFIG_DIAGNOSTIC_TOPIC, 'x'.repeat(129), 'config_refused config_too_long diagnostic_topic'],
  ] as const)
    test(`a setting is refused: ${event}`, () => {
      const h = sensor([[key, value]]);
      h.board.start();
      h.happens(event);
    });
});

describe('with a journal', () => {
  for (const [qos, ...writes] of [
    [0],
    [1, RECORD_READING, RECORD_MESSAGE, RECORD_MESSAGE],
    [2, RECORD_READING, RECORD_MESSAGE, RECORD_RELEASE, RECORD_MESSAGE],
  ])
    test(`a reading of QoS ${qos} that waits costs ${writes.length} writes`, () => {
      const storage = new Flash();
      const h = down([[CONFIG_QOS, qos ?? 0]], { storage });
      storage.wrote();
      h.waits(1_000);
      back(h);
      assert.deepEqual(storage.wrote(), writes);
    });

  test('readings outlive power cuts: those before and those behind are in order, and numbered on', () => {
    const storage = new Flash();
    const config: Pairs = [[CONFIG_QOS, 1]];
    let h = down(config, { storage });
    h.waits(3_000);
    h.board.halt();
    h = sensor(config, { storage, from: 4, origin: 4_000 });
    h.opens();
    h.happens('restored 0 3', 'opening 1 0', 'reading_buffered 4000 4');
    h.board.halt();
    h = sensor(config, { storage, from: 5, origin: 5_000 }).connects({ present: true });
    assert.deepEqual(arrivals(h), waited(1, 5));
    h.board.halt();
    h = sensor(config, { storage, from: 6, origin: 6_000 });
    h.board.start();
    h.happens('restored 0 0', 'opening 1 0', 'reading 6000 7');
  });

  test('a reading that left comes back as the message it became, under its identifier', () => {
    const storage = new Flash();
    let h = down([[CONFIG_QOS, 2]], { storage });
    h.waits(2_000);
    h.retries();
    h.connects({ present: true });
    h.hears(`34 13 0001 't' 0002 '1.0 ${EPOCH + 1}' 34 13 0001 't' 0003 '2.0 ${EPOCH + 2}'`);
    h.board.halt();
    h = sensor([[CONFIG_QOS, 2]], { storage });
    h.board.start();
    assert.equal(h.happened()[0], 'restored 2 0');
    h.connects({ present: true });
    assert.deepEqual(arrivals(h).slice(0, 2), waited(1, 2));
  });

  for (const qos of [1, 2])
    for (const losesLast of [false, true]) {
      const what = `at QoS ${qos} a power cut ${losesLast ? 'before' : 'behind'} any write loses nothing that was told${qos === 2 ? ', and nothing comes twice' : ''}`;
      const config: Pairs = [
        [CONFIG_QOS, qos],
        [CONFIG_BUFFER, 4],
        [CONFIG_BUFFER_POLICY, 1],
      ];

      test(what, () => {
        const cuts = cutsAtEachWrite(losesLast, qos === 2, () => {
          const broker = new Broker();
          return {
            delivered: broker.delivered,
            start: (options) => sensor(config, options),
            goesOn(h) {
              h.connects({ present: true });
              broker.hears(h);
            },
            hears: (h) => broker.hears(h),
          };
        });
        assert.ok(cuts >= 15, `${cuts} cuts`);
      });

      test(`over MQTT-SN, ${what}`, () => {
        const settings: Pairs = [
          [CONFIG_TOPIC, 't/a'],
          [CONFIG_PREDEFINED, '1=t/a'],
          [CONFIG_CLEAN_SESSION, 0],
          [CONFIG_INTERVAL, 1_000],
          ...config,
        ];
        const cuts = cutsAtEachWrite(losesLast, qos === 2, () => {
          const gateway = new Gateway();
          return {
            delivered: gateway.delivered,
            start: (options) => snSensor(settings, options, 'sensor-mqttsn-journal'),
            goesOn(h) {
              h.connects();
              gateway.hears(h);
            },
            hears: (h) => gateway.hears(h),
          };
        });
        assert.ok(cuts >= 15, `${cuts} cuts`);
      });
    }

  test('a storage that fails is told, and readings are sent all the same', () => {
    const storage = new Flash();
    const h = down([[CONFIG_QOS, 1]], { storage });
    storage.failure = STORE_FAILED;
    h.waits(3_000);
    assert.equal(told(h, `store_failed ${RECORD_READING << 16} ${STORE_FAILED}`).length, 1);
    assert.deepEqual(back(h), waited(1, 3));
  });

  test('a record that is spoiled costs its own reading, and is told', () => {
    const storage = new Flash();
    const config: Pairs = [[CONFIG_QOS, 1]];
    let h = down(config, { storage });
    h.waits(3_000);
    h.board.halt();
    const key = (RECORD_READING << 16) | 1;
    storage.records.get(key)?.fill(0, 8, 9);
    h = sensor(config, { storage, from: 9 });
    h.opens();
    assert.deepEqual(h.happened().slice(0, 2), [`record_lost ${key} 16`, 'restored 0 2']);
    h.connects({ present: true });
    assert.deepEqual(arrivals(h).slice(0, 2), [...waited(1, 1), ...waited(3, 3)]);
  });

  test('at QoS 2 a reading does not come again when the note that its message is acknowledged is spoiled', () => {
    const storage = new Flash();
    let h = down([[CONFIG_QOS, 2]], { storage });
    h.waits(1_000);
    assert.deepEqual(back(h), waited(1, 1));
    h.board.halt();
    const key = (RECORD_MESSAGE << 16) | 2;
    storage.records.get(key)?.fill(255, 0, 1);
    h = sensor([[CONFIG_QOS, 2]], { storage });
    h.board.start();
    assert.deepEqual(h.happened().slice(0, 2), [`record_lost ${key} 12`, 'restored 0 0']);
  });

  test('a buffer that is made smaller loses nothing', () => {
    const storage = new Flash();
    let h = down([[CONFIG_QOS, 1]], { storage });
    h.waits(8_000);
    h.board.halt();
    h = sensor(
      [
        [CONFIG_QOS, 1],
        [CONFIG_BUFFER, 4],
        [CONFIG_BUFFER_POLICY, 1],
      ],
      { storage },
    ).connects({ present: true });
    assert.deepEqual(arrivals(h).slice(0, 8), waited(1, 8));
  });
});

/** A sensor of either protocol, and the other end, which keeps the session over all connections. */
interface Ends<H> {
  /** What was published, in order. */
  delivered: readonly number[];
  start(options: { storage: Flash; thermometers: (() => number)[]; epoch: number }): H;
  /** Connects, and answers. */
  goesOn(h: H): void;
  /** Answers what the sensor says until it says no more. */
  hears(h: H): void;
}

/** Cuts the power at one write after the other of a sensor that loses its link for six readings, and judges what arrived. Answers how many cuts there were. */
function cutsAtEachWrite<H extends Pick<History<Module>, 'board' | 'cuts' | 'during' | 'retries' | 'waits'>>(
  losesLast: boolean,
  isOnce: boolean,
  ends: () => Ends<H>,
): number {
  for (let write = 1; ; write++) {
    const { delivered, start, goesOn, hears } = ends();
    const storage = new Flash();
    const tells: number[] = [];
    let value = 0;
    const starts = () => {
      const h = start({ storage, thermometers: [() => 1_000 * value++], epoch: EPOCH });
      h.during = (code, a) => {
        if (code === EVENT_READING || code === EVENT_READING_BUFFERED) tells.push(a / 1_000);
      };
      return h;
    };
    const first = starts();
    storage.left = write;
    storage.losesLast = losesLast;
    let isCut = false;
    try {
      goesOn(first);
      first.cuts();
      first.waits(6_000);
      first.retries();
      goesOn(first);
      first.waits(1_000);
      hears(first);
    } catch (error) {
      if (error !== STOPPED_BY_CUT) throw error;
      isCut = true;
    }
    first.board.halt();
    if (!isCut) return write - 1;
    storage.left = Number.POSITIVE_INFINITY;
    goesOn(starts());
    assert.deepEqual(
      delivered,
      delivered.toSorted((a, b) => a - b),
      'in order',
    );
    if (isOnce) assert.equal(new Set(delivered).size, delivered.length, 'once');
    for (const told of tells) assert.ok(delivered.includes(told), `${told} of ${tells} is lost: cut at write ${write}`);
  }
}

class Broker {
  readonly delivered: number[] = [];
  readonly #open = new Set<number>();

  hears(h: History<Module>): void {
    for (let sent = packets(h.heard()); sent.length > 0; sent = packets(h.heard()))
      for (const packet of sent) {
        const messageId = packet.messageId ?? 0;
        if (packet.cmd === 'publish') {
          if (!this.#open.has(messageId)) this.delivered.push(Number.parseFloat(String(packet.payload)));
          if (packet.qos === 2) this.#open.add(messageId);
          h.says(mqtt.generate({ cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId }));
        } else if (packet.cmd === 'pubrel') {
          this.#open.delete(messageId);
          h.says(mqtt.generate({ cmd: 'pubcomp', messageId }));
        }
      }
  }
}

/** Of a sensor whose topic has the pre-defined id 1. */
class Gateway {
  readonly delivered: number[] = [];
  readonly texts: string[] = [];
  readonly #open = new Set<string>();

  hears(h: ReturnType<typeof snSensor>): void {
    for (let sent = h.heard(); sent.length > 0; sent = h.heard())
      for (const datagram of sent) {
        if (datagram[1] === 0x0c) {
          const id = datagram.toString('hex', 5, 7);
          const text = datagram.toString('utf8', 7);
          if (!this.#open.has(id)) {
            this.texts.push(text);
            this.delivered.push(Number.parseFloat(text));
          }
          const qos = ((datagram[2] ?? 0) >> 5) & 3;
          if (qos === 2) this.#open.add(id);
          if (qos === 1) h.says(`07 0d 0001 ${id} 00`);
          if (qos === 2) h.says(`04 0f ${id}`);
        } else if (datagram[1] === 0x10) {
          const id = datagram.toString('hex', 2, 4);
          this.#open.delete(id);
          h.says(`04 0e ${id}`);
        }
      }
  }
}

for (const module of ['sensor-mqttsn-journal', 'sensor-journal'])
  describe(`over MQTT-SN, ${module}`, () => {
    const settings: Pairs = [
      [CONFIG_TOPIC, 't/a'],
      [CONFIG_PREDEFINED, '1=t/a'],
      [CONFIG_CLEAN_SESSION, 0],
    ];

    for (const qos of [0, 1, 2])
      test(`readings of QoS ${qos} wait while the gateway is away, and come in order`, () => {
        let value = 0;
        const h = snSensor(
          [...settings, [CONFIG_QOS, qos], [CONFIG_INTERVAL, 1_000]],
          { thermometers: [() => 1_000 * value++], epoch: EPOCH },
          module,
        );
        h.connects();
        const gateway = new Gateway();
        gateway.hears(h);
        h.cuts();
        h.waits(20_000);
        h.retries();
        h.connects();
        gateway.hears(h);
        assert.deepEqual(gateway.texts, ['0.0', ...numbers(1, 20).map((n) => `${n}.0 ${EPOCH + n}`)]);
        assert.deepEqual(h.faults, []);
      });

    test('a sleeper wakes for its reading, which goes out as ever and costs no write more', () => {
      const storage = new Flash();
      const h = snSensor([...settings, [CONFIG_QOS, 1], [CONFIG_SLEEP, 1], [CONFIG_INTERVAL, 60_000]], { storage, epoch: EPOCH }, module);
      h.connects();
      for (const id of ['0001', '0002']) {
        h.hears(`0b 0c 21 0001 ${id} '23.4'`);
        h.says(`07 0d 0001 ${id} 00`);
        h.hears('04 18 0064');
        h.says('02 18');
        assert.deepEqual(storage.wrote(), [RECORD_MESSAGE, RECORD_MESSAGE]);
        h.waits(60_000);
        h.hears("07 04 00 01 0000 'c'");
        h.says('03 05 00');
      }
    });

    test('a sleeper whose gateway was away sends what waited before it sleeps again', () => {
      const h = snSensor([...settings, [CONFIG_QOS, 1], [CONFIG_SLEEP, 1], [CONFIG_INTERVAL, 60_000]], { epoch: EPOCH }, module);
      h.connects();
      h.hears("0b 0c 21 0001 0001 '23.4'");
      h.cuts();
      h.waits(180_000);
      h.retries();
      h.connects();
      h.hears("0b 0c a1 0001 0001 '23.4'");
      h.says('07 0d 0001 0001 00');
      for (const [id, time] of [
        ['0002', 60],
        ['0003', 120],
        ['0004', 180],
      ] as const) {
        h.hears(`16 0c 21 0001 ${id} '23.4 ${EPOCH + time}'`);
        h.says(`07 0d 0001 ${id} 00`);
      }
      h.hears('04 18 0064');
      assert.deepEqual(h.faults, []);
    });
  });

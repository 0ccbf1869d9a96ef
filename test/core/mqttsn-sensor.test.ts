import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_AVAILABILITY_TOPIC,
  CONFIG_CLIENT_ID,
  CONFIG_COMMAND_TOPIC,
  CONFIG_CONGESTION_WAIT,
  CONFIG_DISCOVERY,
  CONFIG_INTERVAL,
  CONFIG_KEEP_ALIVE,
  CONFIG_MISSED_ADVERTISEMENTS,
  CONFIG_NODE_ID,
  CONFIG_PREDEFINED,
  CONFIG_PROTOCOL,
  CONFIG_QOS,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  CONFIG_SEARCH_DELAY,
  CONFIG_SLEEP,
  CONFIG_TOPIC,
} from '../../host/contract.js';
import { builtModule, Module } from '../../host/module.js';
import { History } from './history.js';
import { snClient, snSensor } from './sn-client.js';

type Pairs = readonly (readonly [number, string | number | Uint8Array])[];

const PREDEFINED: Pairs = [
  [CONFIG_TOPIC, 'myhome/底楼/温度'],
  [CONFIG_PREDEFINED, '1=myhome/底楼/温度+2=myhome/online'],
];
const QUICK: Pairs = [
  [CONFIG_RETRY_INTERVAL, 1_000],
  [CONFIG_RETRIES, 2],
];
const SLEEPER: Pairs = [...PREDEFINED, ...QUICK, [CONFIG_SLEEP, 1], [CONFIG_INTERVAL, 60_000]];
const READING = "0b 0c 01 0001 0000 '23.4'";
const WAKE = "07 04 00 01 0000 'c'";
/** Half as long again as its interval, and ten seconds. */
const SLEEP = '04 18 0064';

for (const module of ['sensor-mqttsn', 'sensor']) {
  describe(`the sensor of ${module}.wasm over MQTT-SN`, () => {
    const sensor = (config: Pairs, thermometers = [() => 23_449]) => snSensor(config, { thermometers }, module);

    test('publishes on a pre-defined id: seven bytes and the reading', () => {
      const h = sensor(PREDEFINED).connects();
      h.hears(READING);
      h.waits(10_000);
      h.hears(READING);
      assert.deepEqual(h.faults, []);
    });

    test('registers a topic once a connection', () => {
      const h = sensor([
        [CONFIG_TOPIC, 't/a'],
        [CONFIG_QOS, 1],
      ]).connects();
      h.hears("09 0a 0000 fffe 't/a'");
      h.says('07 0b 0009 fffe 00');
      h.hears("0b 0c 20 0009 0001 '23.4'");
      h.says('07 0d 0009 0001 00');
      h.waits(10_000);
      h.hears("0b 0c 20 0009 0002 '23.4'");
      assert.deepEqual(h.faults, []);
    });

    test('keeps readings at QoS 2 over a lost gateway', () => {
      const h = sensor([...PREDEFINED, ...QUICK, [CONFIG_QOS, 2]]).connects();
      h.hears("0b 0c 41 0001 0001 '23.4'");
      h.waits(7_000);
      assert.equal(h.happened().at(-1), 'timeout reply 500');
      h.retries();
      h.connects();
      h.hears("0b 0c c1 0001 0001 '23.4'");
      h.says('04 0f 0001');
      h.hears('04 10 0001');
      h.says('04 0e 0001');
      h.happens('published 1 0');
      assert.deepEqual(h.faults, []);
    });

    test('sends at QoS -1 and never connects', () => {
      const h = sensor([...PREDEFINED, [CONFIG_QOS, -1]]);
      h.opens();
      h.hears("0b 0c 61 0001 0000 '23.4'");
      h.waits(10_000);
      h.hears("0b 0c 61 0001 0000 '23.4'");
      h.board.stop();
      h.hears();
      assert.equal(h.happened().at(-1), 'stopped 0 0');
      assert.deepEqual(h.faults, []);
    });

    test('has offline as its will, says online, and offline at its end', () => {
      const h = sensor([...PREDEFINED, [CONFIG_AVAILABILITY_TOPIC, 'myhome/online']]);
      h.opens();
      h.hears("07 04 0c 01 0000 'c'");
      h.says('02 06');
      h.hears("10 07 30 'myhome/online'");
      h.says('02 08');
      h.hears("09 09 'offline'");
      h.says('03 05 00');
      h.hears(READING, "0d 0c 31 0002 0002 'online'");
      h.says('07 0d 0002 0002 00');
      h.board.stop();
      h.hears("0e 0c 31 0002 0003 'offline'");
      h.says('07 0d 0002 0003 00');
      h.hears('02 18');
      h.says('02 18');
      assert.equal(h.happened().at(-1), 'stopped 0 0');
      assert.deepEqual(h.faults, []);
    });

    test('hears commands by a wildcard subscription, whose topics the gateway registers', () => {
      const h = sensor([...PREDEFINED, [CONFIG_COMMAND_TOPIC, 'set/+']]).connects();
      h.hears(READING, "0a 12 20 0002 'set/+'");
      h.says('08 13 20 0000 0002 00');
      h.happened();
      h.says("0b 0a 0009 0101 'set/a'", "0b 0c 20 0009 0102 '2500'", "0b 0c 20 0009 0103 'soon'");
      h.hears('07 0b 0009 0101 00', '07 0d 0009 0102 00', '07 0d 0009 0103 00');
      h.happens('interval_changed 2500 0', 'message 258 1', 'command_refused command 4', 'message 259 1');
      h.waits(2_499);
      h.hears();
      h.waits(1);
      h.hears(READING);
      assert.deepEqual(h.faults, []);
    });

    test('has no code for an envelope: it is dropped and counted', () => {
      const h = sensor(PREDEFINED).connects();
      h.heard();
      h.happened();
      h.says('05 fe 00 beef 02 16');
      h.hears();
      h.happens('datagram_dropped length 1');
    });
  });

  describe(`the sleep of ${module}.wasm`, () => {
    const sleeper = (config: Pairs = [], thermometers = [() => 23_449]) => snSensor([...SLEEPER, ...config], { thermometers }, module);

    test('is a cycle: wake, publish, sleep', () => {
      const h = sleeper().connects();
      h.hears(READING, SLEEP);
      h.says('02 18');
      for (let cycle = 1; cycle <= 3; cycle++) {
        h.waits(59_999);
        h.hears();
        h.waits(1);
        h.hears(WAKE);
        h.says('03 05 00');
        h.hears(READING, SLEEP);
        h.says('02 18');
      }
      assert.deepEqual(h.faults, []);
    });

    test('with commands collects what waits once in a cycle', () => {
      const h = sleeper([[CONFIG_COMMAND_TOPIC, 'set/+']]).connects();
      h.hears(READING, "0a 12 20 0002 'set/+'");
      h.says('08 13 20 0000 0002 00');
      h.hears(SLEEP);
      h.says('02 18');
      h.hears();
      h.waits(60_000);
      h.hears("03 16 'c'");
      h.says("0b 0a 0009 0101 'set/a'", "0c 0c 20 0009 0102 '30000'", '02 17');
      h.hears('07 0b 0009 0101 00', '07 0d 0009 0102 00', WAKE); // and the subscription is not made again
      h.says('03 05 00');
      h.hears(READING, '04 18 0037');
      h.says('02 18');
      h.waits(30_000);
      h.hears("03 16 'c'");
      assert.deepEqual(h.faults, []);
    });

    test('that a gateway has forgotten, which was started anew, is set up again when it wakes', () => {
      const h = sleeper([[CONFIG_COMMAND_TOPIC, 'set/+']]).connects();
      h.hears(READING, "0a 12 20 0002 'set/+'");
      h.says('08 13 20 0000 0002 00');
      h.hears(SLEEP);
      h.says('02 18');
      h.waits(60_000);
      h.hears("03 16 'c'");
      h.says('02 18');
      h.retries();
      h.accepts();
      h.hears("07 04 04 01 0000 'c'");
      h.says('03 05 00');
      h.hears(READING, "0a 12 20 0004 'set/+'");
    });

    test('goes on collecting as long as messages come', () => {
      const h = sleeper([
        [CONFIG_COMMAND_TOPIC, 'set/+'],
        [CONFIG_RETRY_INTERVAL, 1_000],
      ]).connects();
      h.hears(READING, "0a 12 20 0002 'set/+'");
      h.says('08 13 20 0000 0002 00');
      h.hears(SLEEP);
      h.says('02 18');
      h.waits(60_000);
      h.hears("03 16 'c'");
      h.says("0b 0a 0009 0101 'set/a'");
      h.hears('07 0b 0009 0101 00');
      for (let message = 0; message < 40; message++) {
        h.waits(900);
        h.says(`0b 0c 20 0009 02${(message + 16).toString(16)} 'soon'`);
        h.hears(`07 0d 0009 02${(message + 16).toString(16)} 00`);
      }
      h.says('02 17');
      h.hears(WAKE);
      assert.deepEqual(h.faults, []);
    });

    test('at QoS 1 waits for the acknowledgement of the reading', () => {
      const h = sleeper([[CONFIG_QOS, 1]]).connects();
      h.hears("0b 0c 21 0001 0001 '23.4'");
      h.says('07 0d 0001 0001 00');
      h.hears(SLEEP);
      assert.deepEqual(h.faults, []);
    });

    test('whose confirmation is lost does not end the session when the next reading is due', () => {
      const h = sleeper([
        [CONFIG_INTERVAL, 1_000],
        [CONFIG_RETRY_INTERVAL, 1_000],
      ]).connects();
      h.hears(READING, '04 18 000b');
      h.waits(1_000);
      h.hears('04 18 000b');
      h.says('02 18');
      h.hears(WAKE);
      h.says('03 05 00');
      h.hears(READING, '04 18 000b');
      assert.deepEqual(h.faults, []);
    });

    test('of the longest interval collects before its time is over', () => {
      const h = sleeper([[CONFIG_INTERVAL, 86_400_000]]).connects();
      h.hears(READING, '04 18 ffff');
      h.says('02 18');
      h.waits(65_535 * 875);
      h.hears("03 16 'c'");
    });

    test('that the gateway does not let end leads to another connection, and loses no reading at QoS 1', () => {
      const values = [1_000, 2_000, 3_000];
      const h = sleeper([[CONFIG_QOS, 1]], [() => values.shift() ?? 0]).connects();
      h.hears("0a 0c 21 0001 0001 '1.0'");
      h.says('07 0d 0001 0001 00');
      h.hears(SLEEP);
      h.says('02 18');
      h.waits(60_000);
      h.hears(WAKE);
      h.waits(7_000);
      assert.equal(h.happened().at(-1), 'timeout connack 500');
      h.retries();
      h.connects();
      h.hears("0a 0c 21 0001 0002 '2.0'");
    });
  });
}

describe('the protocol', () => {
  test('of a module of both is that of the address', () => {
    const mqtt = new History((imports) => new Module(builtModule('sensor'), imports), {
      thermometers: [() => 23_449],
      config: [
        [CONFIG_TOPIC, 't/a'],
        [CONFIG_PROTOCOL, 0],
      ],
    });
    mqtt.connects();
    mqtt.hears("30 09 0003 't/a' '23.4'");
    const sn = snSensor([[CONFIG_TOPIC, 't/a']], {}, 'sensor').connects();
    sn.hears("09 0a 0000 fffe 't/a'");
  });

  test('of a module of both may change from one start to the next', () => {
    const h = snSensor([[CONFIG_TOPIC, 'ab']], {}, 'sensor').connects();
    h.heard();
    h.board.stop();
    h.hears('02 18');
    h.says('02 18');
    h.config.set(CONFIG_PROTOCOL, 0);
    h.opens();
    assert.equal(h.heard()[0]?.[0], 0x10);
  });

  for (const [module, protocol] of [
    ['sensor-mqtt', 1],
    ['sensor-mqttsn', 0],
    ['sensor-mqtt', -1],
    ['sensor', 2],
    ['sensor', -1],
  ] as const)
    test(`${protocol} is refused by ${module}.wasm`, () => {
      const h = snSensor(
        [
          [CONFIG_TOPIC, 't'],
          [CONFIG_PROTOCOL, protocol],
        ],
        {},
        module,
      );
      assert.ok(h.board.start() < 0);
      h.happens('config_refused config_invalid protocol');
    });
});

describe('a configuration', () => {
  const bad: [what: string, config: Pairs, event: string][] = [
    ['no client id', [[CONFIG_CLIENT_ID, '']], 'config_missing client_id'],
    ['a client id over 23 bytes', [[CONFIG_CLIENT_ID, 'x'.repeat(24)]], 'config_too_long client_id'],
    ['a client id over 23 bytes in 8 characters', [[CONFIG_CLIENT_ID, '温'.repeat(8)]], 'config_too_long client_id'],
    ['a client id that is no UTF-8', [[CONFIG_CLIENT_ID, Uint8Array.of(0xff)]], 'utf8 client_id'],
    ...[
      '1',
      '1=',
      '=a',
      '0=a',
      '65535=a',
      'x=a',
      '-1=a',

      '+1=a',
      '1=a++2=b',
      '1=a+2',
      '1=#',
      '1=a\0',
      '1=a 2=b+3',
      '4294967297=a',
    ].map((text): [string, Pairs, string] => [
      `pre-defined topics ${JSON.stringify(text)}`,
      [[CONFIG_PREDEFINED, text]],
      'config_invalid predefined',
    ]),
    [
      'nine pre-defined topics',
      [[CONFIG_PREDEFINED, [1, 2, 3, 4, 5, 6, 7, 8, 9].map((id) => `${id}=t/${id}`).join('+')]],
      'config_too_long predefined',
    ],
    ['pre-defined topics over 320 bytes', [[CONFIG_PREDEFINED, `1=${'x'.repeat(319)}`]], 'config_too_long predefined'],
    [
      'QoS -1 with an availability topic',
      [
        [CONFIG_QOS, -1],
        [CONFIG_AVAILABILITY_TOPIC, 'a'],
      ],
      'config_invalid qos',
    ],
    [
      'QoS -1 with a command topic',
      [
        [CONFIG_QOS, -1],
        [CONFIG_COMMAND_TOPIC, 'a'],
      ],
      'config_invalid qos',
    ],
    ['QoS -2', [[CONFIG_QOS, -2]], 'config_invalid qos'],
    [
      'sleep at QoS -1',
      [
        [CONFIG_QOS, -1],
        [CONFIG_SLEEP, 1],
      ],
      'config_invalid sleep',
    ],
    ['sleep 2', [[CONFIG_SLEEP, 2]], 'config_invalid sleep'],
    ['no time to retry', [[CONFIG_RETRY_INTERVAL, 0]], 'config_invalid retry_interval'],
    ['over a day to retry', [[CONFIG_RETRY_INTERVAL, 86_400_001]], 'config_invalid retry_interval'],
    ['256 retries', [[CONFIG_RETRIES, 256]], 'config_invalid retries'],
    ['-1 retries', [[CONFIG_RETRIES, -1]], 'config_invalid retries'],
    ['no wait in a congestion', [[CONFIG_CONGESTION_WAIT, 0]], 'config_invalid congestion_wait'],
    ['no delay of a search', [[CONFIG_SEARCH_DELAY, 0]], 'config_invalid search_delay'],
    ['no missed ADVERTISE', [[CONFIG_MISSED_ADVERTISEMENTS, 0]], 'config_invalid missed_advertisements'],
    ['256 missed ADVERTISEs', [[CONFIG_MISSED_ADVERTISEMENTS, 256]], 'config_invalid missed_advertisements'],
    ['discovery 2', [[CONFIG_DISCOVERY, 2]], 'config_invalid discovery'],
    ['keep alive 65536', [[CONFIG_KEEP_ALIVE, 65_536]], 'config_invalid keep_alive'],
  ];
  for (const [what, config, event] of bad)
    test(`with ${what} is refused by its key, and nothing is opened`, () => {
      const h = snSensor([[CONFIG_TOPIC, 't'], ...config]);
      assert.ok(h.board.start() < 0);
      h.happens(`config_refused ${event}`);
      assert.deepEqual(h.opened, []);
    });

  for (const [key, value, name] of [
    [CONFIG_SLEEP, 1, 'sleep'],
    [CONFIG_QOS, -1, 'qos'],
  ] as const)
    for (const module of ['sensor-mqtt', 'sensor'])
      test(`with ${name} ${value} is refused over MQTT by ${module}.wasm`, () => {
        const h = snSensor(
          [
            [CONFIG_TOPIC, 't'],
            [CONFIG_PROTOCOL, 0],
            [key, value],
          ],
          {},
          module,
        );
        assert.ok(h.board.start() < 0);
        h.happens(`config_refused config_invalid ${name}`);
      });

  test('with a node id over 16 bytes is refused by the client', () => {
    const h = snClient([[CONFIG_NODE_ID, new Uint8Array(17)]]);
    assert.ok(h.board.start() < 0);
    h.happens('config_refused config_too_long node_id');
  });

  test('that is put right can be started', () => {
    const h = snSensor([
      [CONFIG_TOPIC, 'ab'],
      [CONFIG_PREDEFINED, '1='],
    ]);
    assert.ok(h.board.start() < 0);
    h.config.delete(CONFIG_PREDEFINED);
    h.connects();
    h.hears("0b 0c 02 'ab' 0000 '23.4'");
  });

  for (const [what, config] of [
    ['ids at both ends', [[CONFIG_PREDEFINED, '1=t+65534=b/c']]],
    ['eight of them', [[CONFIG_PREDEFINED, [1, 2, 3, 4, 5, 6, 7, 8].map((id) => `${id}=t/${id}`).join('+')]]],
    ['none', [[CONFIG_PREDEFINED, '']]],
    ['a + behind the last', [[CONFIG_PREDEFINED, '1=a+']]],
  ] as const satisfies readonly (readonly [string, Pairs])[])
    test(`may have pre-defined topics: ${what}`, () => {
      const h = snSensor([[CONFIG_TOPIC, 'ab'], ...config]).connects();
      h.hears("0b 0c 02 'ab' 0000 '23.4'");
    });
});

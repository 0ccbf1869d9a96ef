import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_AVAILABILITY_TOPIC,
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_COMMAND_TOPIC,
  CONFIG_CONNECT_TIMEOUT,
  CONFIG_INTERVAL,
  CONFIG_KEEP_ALIVE,
  CONFIG_PASSWORD,
  CONFIG_QOS,
  CONFIG_RECONNECT_MAX,
  CONFIG_RECONNECT_MIN,
  CONFIG_REPLY_TIMEOUT,
  CONFIG_RETAIN,
  CONFIG_SENSOR,
  CONFIG_TOPIC,
  CONFIG_UNIT,
  CONFIG_USERNAME,
} from '../../host/contract.js';
import { type Config, sensorHistory } from './history.js';

const sensor = (config: Config) => sensorHistory({ thermometers: [() => 23_449], config: [[CONFIG_TOPIC, 't'], ...config] });

describe('a configuration', () => {
  const long = 'x'.repeat(129);
  const bad: [what: string, config: Config, event: string][] = [
    ['an empty topic', [[CONFIG_TOPIC, '']], 'topic_empty topic'],
    ['a topic over 128 bytes', [[CONFIG_TOPIC, long]], 'config_too_long topic'],
    ['a topic with a wildcard', [[CONFIG_TOPIC, 'a/+']], 'topic_wildcard topic'],
    ['a topic that is not UTF-8', [[CONFIG_TOPIC, Uint8Array.of(0xff)]], 'utf8 topic'],
    ['a topic with NUL', [[CONFIG_TOPIC, 'a\0']], 'nul topic'],
    ['an empty availability topic', [[CONFIG_AVAILABILITY_TOPIC, '']], 'topic_empty availability_topic'],
    ['an availability topic with a wildcard', [[CONFIG_AVAILABILITY_TOPIC, '#']], 'topic_wildcard availability_topic'],
    ['an availability topic over 128 bytes', [[CONFIG_AVAILABILITY_TOPIC, long]], 'config_too_long availability_topic'],
    ['an empty command topic', [[CONFIG_COMMAND_TOPIC, '']], 'topic_empty command_topic'],
    ['a command topic with a misplaced wildcard', [[CONFIG_COMMAND_TOPIC, 'a#']], 'filter_wildcard command_topic'],
    ['a command topic over 128 bytes', [[CONFIG_COMMAND_TOPIC, long]], 'config_too_long command_topic'],
    ['a unit over 16 bytes', [[CONFIG_UNIT, '0123456789abcdefg']], 'config_too_long unit'],
    ['a unit that is not UTF-8', [[CONFIG_UNIT, Uint8Array.of(0x20, 0xb0)]], 'utf8 unit'],
    ['QoS 3', [[CONFIG_QOS, 3]], 'config_invalid qos'],
    ['QoS -1', [[CONFIG_QOS, -1]], 'config_invalid qos'],
    ['a QoS that is no number', [[CONFIG_QOS, 'one']], 'config_invalid qos'],
    ['retain 2', [[CONFIG_RETAIN, 2]], 'config_invalid retain'],
    ['an interval of 99 ms', [[CONFIG_INTERVAL, 99]], 'config_invalid interval'],
    ['an interval over a day', [[CONFIG_INTERVAL, 86_400_001]], 'config_invalid interval'],
    ['thermometer -1', [[CONFIG_SENSOR, -1]], 'config_invalid sensor'],
    ['thermometer 256', [[CONFIG_SENSOR, 256]], 'config_invalid sensor'],
    ['keep alive 65536', [[CONFIG_KEEP_ALIVE, 65_536]], 'config_invalid keep_alive'],
    ['keep alive -1', [[CONFIG_KEEP_ALIVE, -1]], 'config_invalid keep_alive'],
    ['keep alive 2³² + 5, which 32 bits would cut to 5', [[CONFIG_KEEP_ALIVE, 2 ** 32 + 5]], 'config_invalid keep_alive'],
    ['keep alive 1.5', [[CONFIG_KEEP_ALIVE, 1.5]], 'config_invalid keep_alive'],
    ['clean session 2', [[CONFIG_CLEAN_SESSION, 2]], 'config_invalid clean_session'],
    [
      'a kept session without a name',
      [
        [CONFIG_CLEAN_SESSION, 0],
        [CONFIG_CLIENT_ID, ''],
      ],
      'config_missing client_id',
    ],
    ['a client identifier with NUL', [[CONFIG_CLIENT_ID, 'a\0b']], 'nul client_id'],
    ['a client identifier that fills the packet', [[CONFIG_CLIENT_ID, 'x'.repeat(640)]], 'config_too_long client_id'],
    ['a password without a user name', [[CONFIG_PASSWORD, 'p']], 'config_missing username'],
    ['an empty password without a user name', [[CONFIG_PASSWORD, '']], 'config_missing username'],
    ['a user name that is not UTF-8', [[CONFIG_USERNAME, Uint8Array.of(0xc3)]], 'utf8 username'],
    ['a user name that fills the packet', [[CONFIG_USERNAME, 'x'.repeat(640)]], 'config_too_long username'],
    [
      'a password that fills the packet',
      [
        [CONFIG_USERNAME, 'u'],
        [CONFIG_PASSWORD, 'x'.repeat(640)],
      ],
      'config_too_long password',
    ],
    ...(['CONNECT_TIMEOUT', 'REPLY_TIMEOUT', 'RECONNECT_MIN', 'RECONNECT_MAX'] as const).flatMap((name) => {
      const key = {
        CONNECT_TIMEOUT: CONFIG_CONNECT_TIMEOUT,
        REPLY_TIMEOUT: CONFIG_REPLY_TIMEOUT,
        RECONNECT_MIN: CONFIG_RECONNECT_MIN,
        RECONNECT_MAX: CONFIG_RECONNECT_MAX,
      }[name];
      return [0, 86_400_001].map((value): [string, Config, string] => [
        `${name} ${value}`,
        [[key, value]],
        `config_invalid ${name.toLowerCase()}`,
      ]);
    }),
  ];
  for (const [what, config, event] of bad) {
    test(`with ${what} is refused: ${event}`, () => {
      const h = sensor(config);
      assert.ok(h.board.start() < 0);
      h.happens(`config_refused ${event}`);
      assert.equal(h.isOpen, false);
      h.board.step();
      h.waits(100_000);
      h.happens();
    });
  }

  test('without a topic is refused', () => {
    const h = sensorHistory();
    assert.ok(h.board.start() < 0);
    h.happens('config_refused config_missing topic');
  });

  test('that was refused may be mended and started', () => {
    const h = sensor([[CONFIG_QOS, 3]]);
    assert.ok(h.board.start() < 0);
    h.config.set(CONFIG_QOS, 1);
    h.connects();
    h.hears("32 09 0001 't' 0001 '23.4'");
  });
});

test('a module that was not started, or was refused, takes no reading when it is stepped', () => {
  const h = sensor([]);
  h.board.step();
  h.waits(100_000);
  h.happens();
});

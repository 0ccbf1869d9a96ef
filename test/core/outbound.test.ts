import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_CONNECT_TIMEOUT,
  CONFIG_KEEP_ALIVE,
  CONFIG_PASSWORD,
  CONFIG_RECONNECT_MAX,
  CONFIG_RECONNECT_MIN,
  CONFIG_REPLY_TIMEOUT,
  CONFIG_USERNAME,
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_QOS,
  CONFIG_WILL_RETAIN,
  CONFIG_WILL_TOPIC,
  ERROR_FILTER_WILDCARD,
  ERROR_NUL,
  ERROR_QOS,
  ERROR_STATE,
  ERROR_TOO_LARGE,
  ERROR_TOPIC_EMPTY,
  ERROR_TOPIC_TOO_LONG,
  ERROR_TOPIC_WILDCARD,
  ERROR_UTF8,
  errorNames,
} from '../../host/contract.js';
import { boardClient } from './compile.js';
import { ClientHistory, type Config, clientHistory } from './history.js';

const longest = 'x'.repeat(65_535);

describe('publish()', () => {
  for (const [what, topic, error] of [
    ['an empty topic', '', ERROR_TOPIC_EMPTY],
    ['a topic of 65,536 bytes', `${longest}x`, ERROR_TOPIC_TOO_LONG],
    ['a topic over the limit in bytes, not characters', '楼'.repeat(21_846), ERROR_TOPIC_TOO_LONG],
    ['the topic +', '+', ERROR_TOPIC_WILDCARD],
    ['the topic a/#', 'a/#', ERROR_TOPIC_WILDCARD],
    ['the topic a+b', 'a+b', ERROR_TOPIC_WILDCARD],
    ['a topic with NUL', 'a\0b', ERROR_NUL],
    ['the first half of a surrogate pair', 'a\ud800', ERROR_UTF8],
    ['the second half of a surrogate pair', '\udc00a', ERROR_UTF8],
  ] as const) {
    test(`refuses ${what}: ${errorNames[error]}`, () => {
      const h = clientHistory().connects();
      assert.equal(h.publish('good', '1'), 0);
      h.heard();
      for (const qos of [0, 1, 2]) assert.equal(h.publish(topic, '1', qos), -error);
      h.hears('');
      assert.equal(h.module.held, 0);
      assert.equal(h.publish('good', '1'), 0); // and the topic before is set again
      h.hears("30 07 0004 'good' '1'");
    });
  }

  for (const qos of [3, 4, -1, 255]) {
    test(`refuses QoS ${qos}`, () => {
      const h = clientHistory().connects();
      assert.equal(h.publish('a', '1', qos), -ERROR_QOS);
      h.hears('');
    });
  }

  test('refuses a payload over the limit, as bytes, as characters, as characters of three bytes', () => {
    const h = clientHistory().connects();
    const limit = h.module.payloadLimit;
    for (const payload of [Buffer.alloc(limit + 1), 'x'.repeat(limit + 1), '楼'.repeat(Math.floor(limit / 3) + 1)]) {
      for (const qos of [0, 1]) assert.equal(h.publish('a', payload, qos), -ERROR_TOO_LARGE);
    }
    h.hears('');
    assert.equal(h.publish('a', 'x'.repeat(limit)), 0);
    assert.equal(h.heard().length, 1 + 3 + 3 + limit);
  });

  test('refuses a packet over the transmit buffer of a board, and takes one that just fits', async () => {
    const module = await boardClient();
    for (const [qos, most] of [
      [0, 1024 - 6],
      [1, 1024 - 8],
      [2, 1024 - 8],
    ] as const) {
      for (const online of [true, false]) {
        const h = new ClientHistory({}, module);
        if (online) h.connects();
        assert.equal(h.publish('a', Buffer.alloc(most + 1), qos), -ERROR_TOO_LARGE);
        assert.equal(h.module.held, 0);
        assert.ok(h.publish('a', Buffer.alloc(most), qos) >= 0);
        if (!online) h.connects();
        assert.equal(h.heard().length, 1024);
      }
    }
  });

  test('takes every character that UTF-8 and the specification allow', () => {
    const h = clientHistory().connects();
    for (const topic of [
      '\u0001',
      '\u007f',
      '\u0080',
      '\u07ff',
      '\u0800',
      '\ud7ff',
      '\ue000',
      '\ufeff',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
      '/',
      ' ',
      '$SYS',
    ]) {
      assert.equal(h.publish(topic, ''), 0);
      assert.equal(h.heard().subarray(4).toString(), topic);
    }
  });
});

describe('subscribe() and unsubscribe()', () => {
  const both = (h: ClientHistory, filter: string) => [h.module.subscribe([{ filter, qos: 0 }]), h.module.unsubscribe([filter])];

  for (const filter of ['#', '+', '/', '/#', '+/', '+/+', '/+/', 'a/#', 'a/+/b', '+/a/#', 'a//b', '$SYS/#', '楼/+', '/+/#', longest]) {
    test(`take the filter ${filter.slice(0, 10)}`, () => {
      const h = clientHistory().connects();
      assert.deepEqual(both(h, filter), [1, 2]);
    });
  }

  for (const [what, filter, error] of [
    ['an empty filter', '', ERROR_TOPIC_EMPTY],
    ['a filter of 65,536 bytes', `${longest}x`, ERROR_TOPIC_TOO_LONG],
    ...['a#', '#a', '#/', '#/a', 'a/#/b', '##', 'a/##', '+#', '#+', 'a+', '+a', 'a/+b', 'a/b+/c', '++', '/++', 'a/#b'].map(
      (text) => [text, text, ERROR_FILTER_WILDCARD] as const,
    ),
    ['a filter with NUL', 'a/\0', ERROR_NUL],
    ['half a surrogate pair', '\udfff', ERROR_UTF8],
  ] as const) {
    test(`refuse ${what}: ${errorNames[error]}`, () => {
      const h = clientHistory().connects();
      assert.deepEqual(both(h, filter), [-error, -error]);
      assert.equal(
        h.module.subscribe([
          { filter: 'good', qos: 0 },
          { filter, qos: 0 },
        ]),
        -error,
      );
      h.hears('');
      assert.equal(h.module.held, 0);
      assert.equal(h.module.unsubscribe(['good']), 1); // nothing of the refused request is left
      h.hears("a2 08 0001 0004 'good'");
    });
  }

  test('refuse a request without a filter', () => {
    const h = clientHistory().connects();
    assert.equal(h.module.subscribe([]), -ERROR_STATE);
    assert.equal(h.module.unsubscribe([]), -ERROR_STATE);
    h.hears('');
  });

  test('refuse QoS 3', () => {
    const h = clientHistory().connects();
    assert.equal(h.module.subscribe([{ filter: 'a', qos: 3 }]), -ERROR_QOS);
    assert.equal(h.module.subscribe([{ filter: 'a', qos: -1 }]), -ERROR_QOS);
    h.hears('');
  });

  test('refuse more filters than fit a request: at most 65,535, the number an entry can count', () => {
    const h = clientHistory().connects();
    const filters = Array.from({ length: 65_535 }, () => '#');
    assert.equal(h.module.unsubscribe([...filters, '#']), -ERROR_TOO_LARGE);
    assert.equal(h.module.unsubscribe(filters), 1);
    const sent = h.heard();
    assert.equal(sent.length, 1 + 3 + 2 + 65_535 * 3);
    assert.equal(sent.subarray(0, 9).toString('hex'), 'a2ffff0b' + '0001' + '000123');
  });

  test('leave no topic in the buffer they share with it', () => {
    const h = clientHistory().connects();
    h.publish('a', '1');
    assert.equal(h.module.publishAgain(), 0);
    h.hears("30 04 0001 'a' '1' 30 03 0001 'a'");
    h.module.subscribe([{ filter: 'b', qos: 0 }]);
    assert.equal(h.module.publishAgain(), -ERROR_TOPIC_EMPTY);
  });

  test('leave the topic of the publishes alone', () => {
    const h = clientHistory().connects();
    h.publish('a', '1');
    both(h, 'b');
    h.publish('a', '2');
    h.hears("30 04 0001 'a' '1' 82 06 0001 0001 'b' 00 a2 05 0002 0001 'b' 30 04 0001 'a' '2'");
  });
});

describe('start()', () => {
  const bad: [what: string, config: Config, event: string][] = [
    ['a client identifier over 65,535 bytes', [[CONFIG_CLIENT_ID, `${longest}x`]], 'config_too_long client_id'],
    ['a client identifier that is not UTF-8', [[CONFIG_CLIENT_ID, Uint8Array.of(0x61, 0xff)]], 'utf8 client_id'],
    ['a client identifier with NUL', [[CONFIG_CLIENT_ID, '\0']], 'nul client_id'],
    [
      'a kept session without a client identifier',
      [
        [CONFIG_CLIENT_ID, ''],
        [CONFIG_CLEAN_SESSION, 0],
      ],
      'config_missing client_id',
    ],
    ['a user name over 65,535 bytes', [[CONFIG_USERNAME, `${longest}x`]], 'config_too_long username'],
    ['a user name that is not UTF-8', [[CONFIG_USERNAME, Uint8Array.of(0xed, 0xa0, 0x80)]], 'utf8 username'],
    ['a user name with NUL', [[CONFIG_USERNAME, 'a\0']], 'nul username'],
    [
      'a password over 65,535 bytes',
      [
        [CONFIG_USERNAME, 'u'],
        [CONFIG_PASSWORD, `${longest}x`],
      ],
      'config_too_long password',
    ],
    ['a password without a user name', [[CONFIG_PASSWORD, 'p']], 'config_missing username'],
    ['an empty will topic', [[CONFIG_WILL_TOPIC, '']], 'topic_empty will_topic'],
    ['a will topic with a wildcard', [[CONFIG_WILL_TOPIC, 'a/#']], 'topic_wildcard will_topic'],
    ['a will topic with NUL', [[CONFIG_WILL_TOPIC, 'a\0']], 'nul will_topic'],
    ['a will topic that is not UTF-8', [[CONFIG_WILL_TOPIC, Uint8Array.of(0xc0, 0x80)]], 'utf8 will_topic'],
    ['a will topic over 65,535 bytes', [[CONFIG_WILL_TOPIC, `${longest}x`]], 'config_too_long will_topic'],
    [
      'a will over 65,535 bytes',
      [
        [CONFIG_WILL_TOPIC, 'w'],
        [CONFIG_WILL_PAYLOAD, `${longest}x`],
      ],
      'config_too_long will_payload',
    ],
    [
      'a will at QoS 3',
      [
        [CONFIG_WILL_TOPIC, 'w'],
        [CONFIG_WILL_QOS, 3],
      ],
      'config_invalid will_qos',
    ],
    [
      'a will at a QoS that is no number',
      [
        [CONFIG_WILL_TOPIC, 'w'],
        [CONFIG_WILL_QOS, 'x'],
      ],
      'config_invalid will_qos',
    ],
    [
      'a will retained 2',
      [
        [CONFIG_WILL_TOPIC, 'w'],
        [CONFIG_WILL_RETAIN, 2],
      ],
      'config_invalid will_retain',
    ],
    [
      'a will retained by a word',
      [
        [CONFIG_WILL_TOPIC, 'w'],
        [CONFIG_WILL_RETAIN, 'true'],
      ],
      'config_invalid will_retain',
    ],
    ['keep alive 65,536', [[CONFIG_KEEP_ALIVE, 65_536]], 'config_invalid keep_alive'],
    ['clean session 2', [[CONFIG_CLEAN_SESSION, 2]], 'config_invalid clean_session'],
    ...Object.entries({
      connect_timeout: CONFIG_CONNECT_TIMEOUT,
      reply_timeout: CONFIG_REPLY_TIMEOUT,
      reconnect_min: CONFIG_RECONNECT_MIN,
      reconnect_max: CONFIG_RECONNECT_MAX,
    }).flatMap(([name, key]) =>
      [0, -1, 86_400_001].map((value): [string, Config, string] => [`${name} ${value}`, [[key, value]], `config_invalid ${name}`]),
    ),
  ];
  for (const [what, config, event] of bad) {
    test(`refuses ${what}: ${event}`, () => {
      const h = clientHistory({ config });
      const answer = h.board.start();
      assert.equal(errorNames[-answer], event.split(' ')[0]);
      h.happens(`config_refused ${event}`);
      assert.ok(!h.isOpen);
      h.board.step();
      h.happens();
    });
  }

  test('fills the buffer of a board to the byte with a will, a user name or a password, and not beyond', async () => {
    const module = await boardClient();
    // 640 bytes hold 5 of fixed header, 10 of variable header, and each text with its two bytes of length.
    const will: Config = [
      [CONFIG_WILL_TOPIC, 'w'.repeat(128)],
      [CONFIG_WILL_PAYLOAD, 'x'.repeat(128)],
    ];
    for (const [config, rest, key] of [
      [will, 260, 'will_payload'],
      [[[CONFIG_USERNAME, 'u'.repeat(100)]], 102, 'username'],
      [
        [
          [CONFIG_USERNAME, 'u'],
          [CONFIG_PASSWORD, 'p'.repeat(100)],
        ],
        105,
        'password',
      ],
    ] as [Config, number, string][]) {
      const most = 640 - 5 - 10 - 2 - rest;
      const fits = new ClientHistory({ config: [...config, [CONFIG_CLIENT_ID, 'c'.repeat(most)]] }, module).opens();
      assert.equal(fits.heard().length, 640 - 2); // of the fixed header's five bytes it needs three
      const over = new ClientHistory({ config: [...config, [CONFIG_CLIENT_ID, 'c'.repeat(most + 1)]] }, module);
      assert.ok(over.board.start() < 0);
      over.happens(`config_refused config_too_long ${key}`);
    }
  });

  test('of a client without a name is clean, and takes none', () => {
    const h = clientHistory();
    h.config.delete(CONFIG_CLIENT_ID);
    h.opens();
    h.hears("10 0c 0004 'MQTT' 04 02 0000 0000");
  });

  test('reads the configuration anew each time', () => {
    const h = clientHistory({
      config: [
        [CONFIG_WILL_TOPIC, 'w'],
        [CONFIG_USERNAME, 'u'],
      ],
    }).connects();
    h.board.stop();
    for (const key of [CONFIG_WILL_TOPIC, CONFIG_USERNAME]) h.config.delete(key);
    h.opens();
    h.hears("10 0d 0004 'MQTT' 04 02 0000 0001 'c'");
  });

  test('may follow a refusal', () => {
    const h = clientHistory({ config: [[CONFIG_PASSWORD, 'p']] });
    assert.ok(h.board.start() < 0);
    h.config.set(CONFIG_USERNAME, 'u');
    h.opens();
    h.hears("10 13 0004 'MQTT' 04 c2 0000 0001 'c' 0001 'u' 0001 'p'");
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import mqtt, { type IConnectPacket, type Packet, type QoS } from 'mqtt-packet';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_KEEP_ALIVE,
  CONFIG_PASSWORD,
  CONFIG_USERNAME,
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_QOS,
  CONFIG_WILL_RETAIN,
  CONFIG_WILL_TOPIC,
} from '../../host/contract.js';
import { bytes } from '../protocol/script.js';
import { clientHistory } from './history.js';

// Each packet twice: as bytes written by hand from the specification, and equal to what mqtt-packet makes of the same fields.

/** The board's settings that ask for this CONNECT. */
function settings({ clientId, clean, keepalive, will, username, password }: IConnectPacket): [number, string | number | Uint8Array][] {
  return [
    [CONFIG_CLIENT_ID, clientId],
    [CONFIG_CLEAN_SESSION, clean ? 1 : 0],
    [CONFIG_KEEP_ALIVE, keepalive ?? 0],
    ...(will
      ? ([
          [CONFIG_WILL_TOPIC, will.topic],
          [CONFIG_WILL_PAYLOAD, will.payload],
          [CONFIG_WILL_QOS, will.qos ?? 0],
          [CONFIG_WILL_RETAIN, will.retain ? 1 : 0],
        ] as [number, string | number | Uint8Array][])
      : []),
    ...(username === undefined ? [] : ([[CONFIG_USERNAME, username]] as [number, string][])),
    ...(password === undefined ? [] : ([[CONFIG_PASSWORD, password]] as [number, Uint8Array][])),
  ];
}

function connect(fields: IConnectPacket): string {
  const h = clientHistory({ config: settings(fields) });
  h.opens();
  return h.heard().toString('hex');
}

describe('CONNECT', () => {
  const fields = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60, clientId: 'c' } as const;
  const will = { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false } as const;
  const table: [what: string, fields: IConnectPacket, wire: string][] = [
    ['the least there is', { ...fields, keepalive: 0, clientId: '' }, "10 0c 0004 'MQTT' 04 02 0000 0000"],
    ['a client identifier and keep alive', fields, "10 0d 0004 'MQTT' 04 02 003c 0001 'c'"],
    ['a session that is kept', { ...fields, clean: false, keepalive: 65_535 }, "10 0d 0004 'MQTT' 04 00 ffff 0001 'c'"],
    ['a will', { ...fields, will }, "10 13 0004 'MQTT' 04 06 003c 0001 'c' 0001 'w' 0001 'x'"],
    [
      'a will without a payload',
      { ...fields, will: { ...will, payload: Buffer.alloc(0) } },
      "10 12 0004 'MQTT' 04 06 003c 0001 'c' 0001 'w' 0000",
    ],
    ['a will at QoS 1', { ...fields, will: { ...will, qos: 1 } }, "10 13 0004 'MQTT' 04 0e 003c 0001 'c' 0001 'w' 0001 'x'"],
    [
      'a will at QoS 2, retained',
      { ...fields, will: { ...will, qos: 2, retain: true } },
      "10 13 0004 'MQTT' 04 36 003c 0001 'c' 0001 'w' 0001 'x'",
    ],
    ['a user name', { ...fields, username: 'ü' }, "10 11 0004 'MQTT' 04 82 003c 0001 'c' 0002 'ü'"],
    [
      'a user name and a password',
      { ...fields, username: 'u', password: Buffer.from('00ff', 'hex') },
      "10 14 0004 'MQTT' 04 c2 003c 0001 'c' 0001 'u' 0002 00ff",
    ],
    [
      'all there is',
      { ...fields, clean: false, will: { ...will, qos: 2, retain: true }, username: 'u', password: Buffer.from('p') },
      "10 19 0004 'MQTT' 04 f4 003c 0001 'c' 0001 'w' 0001 'x' 0001 'u' 0001 'p'",
    ],
  ];
  for (const [what, packet, wire] of table) {
    test(what, () => {
      assert.equal(connect(packet), bytes(wire).toString('hex'));
      assert.equal(mqtt.generate(packet).toString('hex'), bytes(wire).toString('hex'));
    });
  }

  const wills = [
    undefined,
    ...([0, 1, 2] as const).flatMap((qos) =>
      [false, true].map((retain) => ({ topic: 'a/楼', payload: Buffer.from([0, 255]), qos, retain })),
    ),
  ];
  const credentials = [
    {},
    { username: 'user' },
    { username: 'user', password: Buffer.from('密码') },
    { username: '', password: Buffer.alloc(0) },
  ];
  const identities = [
    { clientId: '', clean: true },
    { clientId: 'twobyte-0123456789abcd', clean: true },
    { clientId: 'twobyte-0123456789abcd', clean: false },
    { clientId: 'n'.repeat(200), clean: false },
  ];
  for (const identity of identities) {
    test(`every will, credentials and keep alive of client '${identity.clientId.slice(0, 9)}', clean session ${identity.clean}`, () => {
      for (const keepalive of [0, 1, 255, 256, 65_535]) {
        for (const credential of credentials) {
          for (const each of wills) {
            const packet: IConnectPacket = { ...fields, ...identity, ...credential, keepalive, ...(each ? { will: each } : {}) };
            assert.equal(connect(packet), mqtt.generate(packet).toString('hex'), JSON.stringify(packet));
          }
        }
      }
    });
  }

  for (const length of [115, 116, 16_371, 16_372, 65_535]) {
    test(`of a client identifier of ${length} bytes, on either side of where its remaining length grows`, () => {
      const packet: IConnectPacket = { ...fields, clientId: 'x'.repeat(length) };
      assert.equal(connect(packet), mqtt.generate(packet).toString('hex'));
    });
  }

  test('of five fields of the longest kind', () => {
    const longest = 'x'.repeat(65_535);
    const packet: IConnectPacket = {
      ...fields,
      ...{ clientId: longest, username: longest, password: Buffer.alloc(65_535, 0xfe) },
      will: { topic: longest, payload: Buffer.alloc(65_535, 0xff), qos: 2, retain: true },
    };
    assert.equal(connect(packet), mqtt.generate(packet).toString('hex'));
  });
});

describe('PUBLISH', () => {
  const table: [what: string, topic: string, payload: string, qos: QoS, retain: boolean, wire: string][] = [
    ['QoS 0', 'a', '1', 0, false, "30 04 0001 'a' '1'"],
    ['QoS 0, no payload', 'a', '', 0, false, "30 03 0001 'a'"],
    ['QoS 0, retained', 'a', '1', 0, true, "31 04 0001 'a' '1'"],
    ['QoS 1', 'a', '1', 1, false, "32 06 0001 'a' 0001 '1'"],
    ['QoS 1, retained', 'a', '1', 1, true, "33 06 0001 'a' 0001 '1'"],
    ['QoS 2', 'a', '1', 2, false, "34 06 0001 'a' 0001 '1'"],
    ['QoS 2, retained, no payload', 'a', '', 2, true, "35 05 0001 'a' 0001"],
    ['any script', 'myhome/底楼/客厅/温度', '23.4 °C', 1, true, "33 27 001b 'myhome/底楼/客厅/温度' 0001 '23.4 °C'"],
  ];
  for (const [what, topic, payload, qos, retain, wire] of table) {
    test(what, () => {
      const h = clientHistory().connects();
      h.publish(topic, payload, qos, retain);
      h.hears(wire);
      const fields = { cmd: 'publish', topic, payload, qos, retain, dup: false, messageId: 1 } as const;
      assert.equal(mqtt.generate(fields).toString('hex'), bytes(wire).toString('hex'));
      if (qos === 0) return;
      h.reconnects(); // and with DUP
      assert.equal(h.heard().toString('hex'), mqtt.generate({ ...fields, dup: true }).toString('hex'));
    });
  }

  for (const qos of [0, 1, 2] as const) {
    for (const remaining of [126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 1_000_000]) {
      test(`of ${remaining} bytes remaining length at QoS ${qos}`, () => {
        const h = clientHistory().connects();
        const payload = Buffer.alloc(remaining - (qos ? 5 : 3), 0xa7);
        h.publish('t', payload, qos, true);
        const sent = h.heard();
        assert.ok(sent.equals(mqtt.generate({ cmd: 'publish', topic: 't', payload, qos, retain: true, dup: false, messageId: 1 })));
        assert.equal(sent.length, 1 + (remaining < 128 ? 1 : remaining < 16_384 ? 2 : 3) + remaining);
      });
    }

    test(`of the longest topic and payload at QoS ${qos}`, () => {
      const h = clientHistory().connects();
      const topic = '楼'.repeat(21_845);
      const payload = Buffer.alloc(h.module.payloadLimit, 0xa7);
      assert.ok(h.publish(topic, payload, qos) >= 0);
      assert.ok(h.heard().equals(mqtt.generate({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, messageId: 1 })));
    });
  }

  test('strings and bytes of every length are the same on the wire', () => {
    const h = clientHistory().connects();
    for (const unit of ['x', 'é', '楼', '😀', 'x楼']) {
      for (const count of [1, 10, 47, 48, 49, 200]) {
        const text = unit.repeat(count);
        h.publish(text, text);
        h.publish(text, Buffer.from(text));
        const expected = mqtt.generate({ cmd: 'publish', topic: text, payload: text, qos: 0, retain: false, dup: false });
        assert.equal(h.heard().toString('hex'), Buffer.concat([expected, expected]).toString('hex'));
      }
    }
  });
});

describe('every other packet', () => {
  const table: [what: string, packet: Packet, wire: string, act: (h: ReturnType<typeof clientHistory>) => void][] = [
    ['PUBACK', { cmd: 'puback', messageId: 258 }, '40 02 0102', (h) => h.says("32 06 0001 'a' 0102 '1'")],
    ['PUBREC', { cmd: 'pubrec', messageId: 65_535 }, '50 02 ffff', (h) => h.says("34 06 0001 'a' ffff '1'")],
    ['PUBREL', { cmd: 'pubrel', messageId: 258 }, '62 02 0102', (h) => h.says('50 02 0102')],
    ['PUBCOMP', { cmd: 'pubcomp', messageId: 258 }, '70 02 0102', (h) => h.says('62 02 0102')],
    [
      'SUBSCRIBE',
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 2 }] },
      "82 06 0001 0001 '#' 02",
      (h) => h.module.subscribe([{ filter: '#', qos: 2 }]),
    ],
    [
      'SUBSCRIBE of several filters',
      {
        cmd: 'subscribe',
        messageId: 1,
        subscriptions: [
          { topic: 'a/+/c', qos: 0 },
          { topic: '楼', qos: 1 },
          { topic: '+', qos: 2 },
        ],
      },
      "82 14 0001 0005 'a/+/c' 00 0003 '楼' 01 0001 '+' 02",
      (h) =>
        h.module.subscribe([
          { filter: 'a/+/c', qos: 0 },
          { filter: '楼', qos: 1 },
          { filter: '+', qos: 2 },
        ]),
    ],
    [
      'UNSUBSCRIBE',
      { cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['#'] },
      "a2 05 0001 0001 '#'",
      (h) => h.module.unsubscribe(['#']),
    ],
    [
      'UNSUBSCRIBE of several filters',
      { cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['a/+/c', '楼', '+'] },
      "a2 11 0001 0005 'a/+/c' 0003 '楼' 0001 '+'",
      (h) => h.module.unsubscribe(['a/+/c', '楼', '+']),
    ],
    ['DISCONNECT', { cmd: 'disconnect' }, 'e0 00', (h) => h.board.stop()],
  ];
  for (const [what, packet, wire, act] of table) {
    test(what, () => {
      assert.equal(mqtt.generate(packet).toString('hex'), bytes(wire).toString('hex'));
      const h = clientHistory().connects();
      act(h);
      h.hears(wire);
    });
  }

  test('PINGREQ', () => {
    const h = clientHistory({ config: [[CONFIG_KEEP_ALIVE, 5]] }).connects();
    h.waits(5_000);
    h.hears('c0 00');
    assert.equal(mqtt.generate({ cmd: 'pingreq' }).toString('hex'), 'c000');
  });

  for (const count of [24, 25, 3_275, 3_276]) {
    test(`SUBSCRIBE and UNSUBSCRIBE of ${count} filters, on either side of where a length grows`, () => {
      const topics = Array.from({ length: count }, (_, i) => `${i}`.padStart(2, '0').slice(-2));
      const h = clientHistory().connects();
      h.module.subscribe(topics.map((filter) => ({ filter, qos: 1 })));
      h.module.unsubscribe(topics);
      assert.equal(
        h.heard().toString('hex'),
        Buffer.concat([
          mqtt.generate({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map((topic) => ({ topic, qos: 1 })) }),
          mqtt.generate({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: topics }),
        ]).toString('hex'),
      );
    });
  }
});

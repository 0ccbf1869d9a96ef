import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import mqtt, { type Packet } from 'mqtt-packet';
import { CONFIG_CLEAN_SESSION, CONFIG_COMMAND_TOPIC, CONFIG_TOPIC, ERROR_TOO_LARGE } from '../../host/contract.js';
import { bytes } from '../protocol/script.js';
import { boardClient } from './compile.js';
import { ClientHistory, clientHistory, type Heard, sensorHistory } from './history.js';

const hex = (id: number) => id.toString(16).padStart(4, '0');

/** A PUBLISH of topic `a` and identifier 9 that has `size` bytes on the wire. */
function sized(size: number, qos: 0 | 1 | 2 = 1, dup = false): { packet: Buffer; payload: string } {
  for (let length = Math.max(size - 11, 0); ; length++) {
    const payload = Array.from({ length }, (_, i) => String.fromCharCode(0x30 + (i % 75))).join('');
    const packet = mqtt.generate({ cmd: 'publish', topic: 'a', payload, qos, retain: false, dup, messageId: 9 });
    if (packet.length >= size) return { packet, payload };
  }
}

/** That pieces follow one another without a gap and each says which message it belongs to; answers the whole payload. */
function joined(pieces: readonly Heard[], topic = 'a'): string {
  let offset = 0;
  for (const piece of pieces) {
    assert.equal(piece.offset, offset);
    assert.equal(piece.topic, topic);
    assert.equal(piece.total, pieces[0]?.total);
    offset += piece.payload.length;
  }
  assert.equal(offset, pieces[0]?.total);
  return pieces.map(({ payload }) => payload).join('');
}

describe('each packet of a server', () => {
  const publish = { cmd: 'publish', topic: 'a/楼', qos: 0, retain: false, dup: false } as const;
  const table: [what: string, wire: string, packet: Packet][] = [
    ['CONNACK', '20 02 00 00', { cmd: 'connack', returnCode: 0, sessionPresent: false }],
    ['CONNACK, session present', '20 02 01 00', { cmd: 'connack', returnCode: 0, sessionPresent: true }],
    ['CONNACK, refused', '20 02 00 05', { cmd: 'connack', returnCode: 5, sessionPresent: false }],
    ['PUBLISH, QoS 0', "30 08 0005 'a/楼' 31", { ...publish, payload: '1' }],
    ['PUBLISH, retained', "31 07 0005 'a/楼'", { ...publish, payload: '', retain: true }],
    ['PUBLISH, QoS 1', "32 0a 0005 'a/楼' 0102 31", { ...publish, payload: '1', qos: 1, messageId: 258 }],
    ['PUBLISH, QoS 2 and DUP', "3c 0a 0005 'a/楼' ffff 31", { ...publish, payload: '1', qos: 2, dup: true, messageId: 65_535 }],
    ['PUBACK', '40 02 0102', { cmd: 'puback', messageId: 258 }],
    ['PUBREC', '50 02 0102', { cmd: 'pubrec', messageId: 258 }],
    ['PUBREL', '62 02 0102', { cmd: 'pubrel', messageId: 258 }],
    ['PUBCOMP', '70 02 0102', { cmd: 'pubcomp', messageId: 258 }],
    ['SUBACK', '90 06 0102 00 01 02 80', { cmd: 'suback', messageId: 258, granted: [0, 1, 2, 128] }],
    ['UNSUBACK', 'b0 02 0102', { cmd: 'unsuback', messageId: 258, granted: [] }],
    ['PINGRESP', 'd0 00', { cmd: 'pingresp' }],
  ];
  for (const [what, wire, packet] of table) {
    test(`${what} is written here as mqtt-packet writes it`, () => {
      assert.equal(mqtt.generate(packet).toString('hex'), bytes(wire).toString('hex'));
    });
  }

  for (const [wire, event] of [
    ['20 02 00 00', 'connected 0 0'],
    ['20 02 01 00', 'connected 1 0'],
    ['20 02 00 01', 'refused_version 1 30000'],
    ['20 02 00 02', 'refused_client_id 2 30000'],
    ['20 02 00 03', 'refused_unavailable 3 500'],
    ['20 02 00 04', 'refused_credentials 4 30000'],
    ['20 02 00 05', 'refused_authorization 5 30000'],
  ] as const) {
    for (const split of [1, 2, 3, 4]) {
      test(`CONNACK ${wire} in pieces of ${split} means ${event}`, () => {
        const h = clientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]] }).opens();
        h.happened();
        h.says(wire, split);
        h.happens(event);
        assert.equal(h.isOpen, event.startsWith('connected'));
      });
    }
  }
});

describe('a stream of every packet', () => {
  /** Asks for everything that can be answered, then hears all answers in chunks that end at `cuts`. */
  function play(h: ClientHistory, cuts: (length: number) => number[]): void {
    const first = h.publish('x', '', 1);
    const second = h.publish('x', '', 2);
    const third = h.publish('x', '', 2);
    const filters = h.module.subscribe([
      { filter: 'x', qos: 0 },
      { filter: 'y', qos: 2 },
    ]);
    const others = h.module.unsubscribe(['z']);
    h.heard();
    h.says(`50 02 ${hex(third)}`);
    h.heard();
    h.messages.length = 0;

    const stream = bytes(
      `30 05 0001 'a' '23' 33 05 0001 'b' 0007 34 06 0001 'c' 0008 '4' 62 02 0008 40 02 ${hex(first)} 50 02 ${hex(second)}
       70 02 ${hex(third)} 90 04 ${hex(filters)} 00 80 b0 02 ${hex(others)} d0 00`,
    );
    let at = 0;
    for (const cut of [...cuts(stream.length), stream.length]) {
      h.says(stream.subarray(at, cut));
      at = cut;
    }
    const where = `cut at ${cuts(stream.length)}`;
    assert.deepEqual(
      h.happened(),
      [
        ...['message 0 1', 'message 7 1', 'message 8 1', `published ${first} 0`, `published ${third} 0`],
        ...[`subscribed ${filters} 0`, `subscribed ${filters} ${256 + 128}`, `unsubscribed ${others} 0`, 'unknown_acknowledgement 13 0'],
      ],
      where,
    );
    assert.deepEqual(
      h.messages.map(({ topic, payload, qos, retain }) => [topic, payload, qos, retain]),
      [
        ['a', '23', 0, false],
        ['b', '', 1, true],
        ['c', '4', 2, false],
      ],
      where,
    );
    h.hears(`40 02 0007 50 02 0008 70 02 0008 62 02 ${hex(second)}`);
    h.says(`70 02 ${hex(second)}`);
    h.happens(`published ${second} 0`);
    assert.equal(h.module.held, 0);
  }

  test('is read alike whole and one byte at a time', () => {
    const h = clientHistory().connects();
    play(h, () => []);
    play(h, (length) => Array.from({ length }, (_, i) => i));
  });

  test('is read alike in any two cuts', () => {
    const h = clientHistory().connects();
    for (let first = 0; first < 60; first++) {
      for (let second = first; second < 60; second++) play(h, () => [first, second]);
    }
  });
});

describe('the edges of the remaining length', () => {
  for (const remaining of [3, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    test(`${remaining} bytes are read`, () => {
      const h = clientHistory().connects();
      const payload = 'x'.repeat(remaining - 3);
      const packet = mqtt.generate({ cmd: 'publish', topic: 'a', payload, qos: 0, retain: false, dup: false });
      h.says(packet, 50_000);
      h.says('d0 00');
      assert.equal(joined(h.messages), payload);
      assert.equal(h.happened().at(-1), 'unknown_acknowledgement 13 0');
    });
  }

  test('a remaining length in more bytes than it needs is read as well', () => {
    const h = clientHistory().connects();
    h.says("30 84 80 80 00 0001 'a' '1'");
    assert.deepEqual(h.payloads, ['1']);
  });
});

for (const [profile, capacity] of [
  ['desk', 131_072],
  ['board', 1024],
] as const) {
  describe(`a payload and the receive buffer of ${capacity} bytes (${profile})`, () => {
    let module: WebAssembly.Module | undefined;
    before(async () => {
      if (profile === 'board') module = await boardClient();
    });
    const kept = () => new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]] }, module).connects();

    for (const [what, size, pieces] of [
      ['one byte below it', capacity - 1, 1],
      ['just fitting', capacity, 1],
      ['one byte over it', capacity + 1, 2],
      ['two buffers', 2 * capacity, 3],
      ['seven buffers and a bit', 7 * capacity + 123, 8],
    ] as const) {
      for (const split of [Number.POSITIVE_INFINITY, capacity, 1000, 7]) {
        test(`${what}, in chunks of ${split}: ${pieces} ${pieces === 1 ? 'piece' : 'pieces'}`, () => {
          const h = kept();
          const { packet, payload } = sized(size);
          assert.equal(packet.length, size);
          h.says(Buffer.concat([packet, bytes("30 04 0001 'b' '1'")]), split);
          const last = h.messages.pop();
          assert.equal(last?.topic, 'b');
          assert.equal(joined(h.messages), payload);
          assert.equal(h.messages.length, pieces);
          assert.ok(h.messages.every(({ qos, id }) => qos === 1 && id === 9));
          assert.deepEqual(h.happened(), [...Array(pieces - 1).fill('message 9 0'), 'message 9 1', 'message 0 1']);
          h.hears('40 02 0009');
        });
      }
    }

    test('behind other packets comes in pieces all the same', () => {
      const h = kept();
      const { packet, payload } = sized(3 * capacity);
      h.says(Buffer.concat([bytes("30 04 0001 'b' '1' 30 04 0001 'b' '2'"), packet, packet]), capacity / 4 + 1);
      const rest = h.messages.slice(2);
      assert.deepEqual(h.payloads.slice(0, 2), ['1', '2']);
      const second = rest.findIndex(({ offset }, i) => i > 0 && offset === 0);
      assert.equal(joined(rest.slice(0, second)), payload);
      assert.equal(joined(rest.slice(second)), payload);
      h.hears('40 02 0009 40 02 0009');
    });

    test('of a QoS 2 message in pieces is delivered once', () => {
      const h = kept();
      const { packet, payload } = sized(4 * capacity, 2);
      h.says(packet);
      assert.equal(joined(h.messages), payload);
      h.hears('50 02 0009');
      h.reconnects({ present: true });
      h.messages.length = 0;
      h.says(sized(4 * capacity, 2, true).packet);
      assert.deepEqual(h.messages, []);
      h.happens('duplicate 9 0');
      h.hears('50 02 0009');
      h.says('62 02 0009');
      h.hears('70 02 0009');
      h.says(packet);
      assert.equal(joined(h.messages), payload);
    });

    for (const qos of [1, 2] as const) {
      test(`of a QoS ${qos} message cut between two pieces comes again from its start`, () => {
        const h = kept();
        const { packet, payload } = sized(4 * capacity, qos);
        h.says(packet.subarray(0, 2 * capacity));
        assert.ok(h.messages.length > 0);
        h.hears('');
        h.reconnects({ present: true });
        h.messages.length = 0;
        h.says(sized(4 * capacity, qos, true).packet);
        assert.equal(joined(h.messages), payload);
        h.hears(qos === 1 ? '40 02 0009' : '50 02 0009');
      });
    }

    test('of a topic that leaves it one byte is delivered, of one that leaves it none is refused', () => {
      // Fixed header 4 bytes, topic length 2: beside the topic one byte of payload fits, or none.
      for (const spare of [1, 0]) {
        const h = kept();
        const topic = 't'.repeat(Math.min(capacity - 6 - spare, 65_535));
        if (topic.length === 65_535) return; // a desk's buffer holds any topic
        const head = Buffer.from([0x30, 0xff, 0xff, 0x03, topic.length >> 8, topic.length & 255]);
        h.says(Buffer.concat([head, Buffer.from(topic), Buffer.alloc(65_535 - 2 - topic.length, 'p')]));
        if (spare) assert.equal(joined(h.messages, topic).length, 65_535 - 2 - topic.length);
        else h.happens('protocol_error too_large 500');
      }
    });
  });
}

describe('the sensor', () => {
  const config = [
    [CONFIG_TOPIC, 't'],
    [CONFIG_COMMAND_TOPIC, 'a'],
  ] as const;

  for (const [size, events] of [
    [1024, ['message 9 1', 'command_refused command 1016']],
    [1025, ['message 9 0', 'command_refused command 1017', 'message 9 1']],
    [4096, ['message 9 0', 'command_refused command 4088', ...Array(3).fill('message 9 0'), 'message 9 1']],
  ] as const) {
    test(`hears ${size} bytes in pieces, refuses them once and acknowledges them once`, () => {
      const h = sensorHistory({ config }).connects();
      h.heard();
      h.happened();
      h.says(sized(size).packet);
      assert.deepEqual(h.happened().sort(), [...events].sort());
      h.hears('40 02 0009');
    });
  }
});

test('a SUBSCRIBE whose SUBACK the board could not hold is not possible', async () => {
  // One return code a filter: the largest SUBACK is smaller than the receive buffer of either profile.
  for (const module of [undefined, await boardClient()]) {
    const h = new ClientHistory({}, module).connects();
    const filters: { filter: string; qos: number }[] = [];
    let result = 0;
    for (const step of [60_000, 5_000, 500, 30, 3, 1]) {
      do {
        const more = [...filters, ...Array.from({ length: step }, () => ({ filter: '#', qos: 0 }))];
        result = h.module.subscribe(more);
        if (result > 0) filters.push(...more.slice(filters.length));
        if (result > 0) {
          h.heard();
          const count = filters.length;
          h.says(Buffer.concat([mqtt.generate({ cmd: 'suback', messageId: result, granted: Array(count).fill(0) })]), 100_000);
          assert.equal(h.happened().length, count);
        }
      } while (result > 0);
      assert.equal(result, -ERROR_TOO_LARGE);
    }
    assert.equal(filters.length, module ? 64 : 65_535);
  }
});

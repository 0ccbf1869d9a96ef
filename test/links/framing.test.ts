import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc16, encodeFrame, FrameDecoder } from '../../host/links/framing.js';
import { sequence } from './noise.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const counting = (first: number, count: number) => Uint8Array.from({ length: count }, (_, i) => first + i);

/** The frame of COBS blocks in hex, for vectors whose CRC is inside. */
const framed = (text: string) => hex(`00${text}00`);

describe('CRC-16/X-25', () => {
  for (const [what, bytes, crc] of [
    ['the check value of the catalogue', Buffer.from('123456789'), 0x906e],
    ['nothing', hex(''), 0x0000],
    ['SABM of HDLC, which ends in EB DF on the wire', hex('013f'), 0xdfeb],
  ] as const) {
    test(`${what}`, () => assert.equal(crc16(bytes).toString(16), crc.toString(16)));
  }

  test('over a message and its CRC leaves the residue of the catalogue', () => {
    const message = Buffer.from('myhome/底楼/客厅/温度');
    const crc = crc16(message);
    assert.equal(crc16(Buffer.concat([message, Buffer.of(crc & 255, crc >>> 8)])) ^ 0xffff, 0xf0b8);
  });
});

describe('frames', () => {
  for (const [what, message, frame] of [
    ['the check value', Buffer.from('123456789'), '0c 313233343536373839 6e90'],
    ['a PINGREQ of MQTT-SN', hex('0216'), '05 0216 4049'],
    ['a zero within', hex('11220033'), '03 1122 04 33 5f96'],
    ['nothing but a zero', hex('00'), '01 03 78f0'],
  ] as const) {
    test(`${what}: ${frame}`, () => {
      assert.equal(encodeFrame(message).toString('hex'), framed(frame).toString('hex'));
      assert.deepEqual(new FrameDecoder().decode(framed(frame)), [Buffer.from(message)]);
    });
  }

  // The blocks of the paper, beside their frames: with the two bytes of the CRC a message of 252 bytes is just a full block.
  for (const [length, blocks] of [
    [251, [254]],
    [252, [255]],
    [253, [255, 2]],
    [506, [255, 255]],
    [507, [255, 255, 2]],
  ] as const) {
    test(`${length} bytes without a zero have blocks with the codes ${blocks}`, () => {
      const message = Buffer.alloc(length, 'x');
      assert.notEqual(crc16(message) & 255, 0);
      assert.notEqual(crc16(message) >>> 8, 0);
      const frame = encodeFrame(message);
      const codes: number[] = [];
      for (let at = 1; at < frame.length - 1; at += codes.at(-1) ?? 0) codes.push(frame[at] ?? 0);
      assert.deepEqual(codes, blocks);
      assert.deepEqual(new FrameDecoder().decode(frame), [message]);
    });
  }

  test('an empty block after a last full one is no fault: encoders of the paper write it', () => {
    const message = Buffer.alloc(252, 'x');
    const frame = encodeFrame(message);
    const other = Buffer.concat([frame.subarray(0, -1), hex('0100')]);
    assert.deepEqual(new FrameDecoder().decode(other), [message]);
  });

  test('cost a byte in 254, however many zeros there are', () => {
    for (const fill of [0, 1, 255])
      for (let length = 1; length < 1100; length++) {
        const frame = encodeFrame(Buffer.alloc(length, fill));
        assert.ok(frame.length <= length + 2 + Math.ceil((length + 2) / 254) + 2, `${length} × ${fill}: ${frame.length}`);
        assert.equal(frame.indexOf(0, 1), frame.length - 1);
      }
  });

  test('of every length and of random bytes come back, in pieces of every size', () => {
    const random = sequence(1);
    const messages = Array.from({ length: 600 }, (_, i) => Buffer.from(counting(0, i + 1).map(() => (random() % 4 ? random() : 0))));
    const wire = Buffer.concat(messages.map(encodeFrame));
    const decoder = new FrameDecoder(600);
    const found: Buffer[] = [];
    for (let at = 0; at < wire.length; ) {
      const size = random() % 300;
      found.push(...decoder.decode(wire.subarray(at, at + size)));
      at += size;
    }
    assert.deepEqual(found, messages);
    assert.equal(decoder.bad, 0);
  });
});

describe('what is no frame', () => {
  for (const [what, wire, found, bad] of [
    ['delimiters alone are nothing', '000000000000', 0, 0],
    ['a wrong CRC', '00 05 0216 404a 00', 0, 1],
    ['a CRC of the other order', '00 05 0216 4940 00', 0, 1],
    ['a block that ends before its code says', '00 09 0216 4049 00', 0, 1],
    ['a message of no bytes, which zeros would be too', '00 01 01 01 00', 0, 1],
    ['a single byte', '00 01 00', 0, 1],
    ['text, up to the next delimiter', '426f6f743a206f6b0d0a 00', 0, 1],
    ['the rest of a frame, before the first delimiter', '164049 00 05 0216 4049 00', 1, 1],
  ] as const) {
    test(what, () => {
      const decoder = new FrameDecoder();
      assert.deepEqual([decoder.decode(hex(wire)).length, decoder.bad], [found, bad]);
      assert.equal(decoder.decode(encodeFrame(hex('0217'))).length, 1, 'the next one is found');
    });
  }

  test('a message of the largest size is taken, a byte more is not', () => {
    const decoder = new FrameDecoder(1024);
    assert.equal(decoder.decode(encodeFrame(Buffer.alloc(1024, 7))).length, 1);
    assert.equal(decoder.decode(encodeFrame(Buffer.alloc(1025, 7))).length, 0);
    assert.equal(decoder.bad, 1);
  });

  test('megabytes without a delimiter are one bad frame and take no memory', () => {
    const decoder = new FrameDecoder(1024);
    const noise = Buffer.alloc(1 << 20, 0xa5);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 8; i++) assert.deepEqual(decoder.decode(noise), []);
    assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 16);
    assert.equal(decoder.decode(encodeFrame(hex('0216'))).length, 1);
    assert.equal(decoder.bad, 1);
  });
});

describe('one fault on the wire costs at most one frame', () => {
  const random = sequence(2);
  const messages = Array.from({ length: 12 }, (_, i) =>
    Buffer.from(counting(0, [2, 7, 30, 300][i % 4] ?? 2).map(() => (random() % 3 ? random() : 0))),
  );
  const wire = Buffer.concat(messages.map(encodeFrame));
  const without = (...parts: Uint8Array[]) => Buffer.concat(parts);

  /** What arrives is what was sent but for at most one message, and nothing else. */
  const check = (what: string, damaged: Buffer) => {
    const decoder = new FrameDecoder(1024);
    const found = decoder.decode(damaged).map((message) => message.toString('hex'));
    const sent = messages.map((message) => message.toString('hex'));
    const lost = sent.findIndex((message, i) => message !== found[i]);
    if (lost >= 0) sent.splice(lost, 1);
    assert.deepEqual(found, sent, what);
    assert.ok(decoder.bad <= 2, what); // a byte that becomes a delimiter makes two of one
  };

  test('a lost byte, each', () => {
    for (let i = 0; i < wire.length; i++) check(`byte ${i} lost`, without(wire.subarray(0, i), wire.subarray(i + 1)));
  });

  test('a flipped bit, each', () => {
    for (let i = 0; i < wire.length * 8; i++) {
      const damaged = Buffer.from(wire);
      damaged[i >> 3] = (damaged[i >> 3] ?? 0) ^ (1 << (i & 7));
      check(`bit ${i} flipped`, damaged);
    }
  });

  test('a byte replaced by a delimiter, by FF, or by its complement, each', () => {
    for (let i = 0; i < wire.length; i++)
      for (const byte of [0, 255, ~(wire[i] ?? 0) & 255])
        check(`byte ${i} is ${byte}`, without(wire.subarray(0, i), Buffer.of(byte), wire.subarray(i + 1)));
  });

  test('a byte that nobody sent, at each place', () => {
    for (let i = 0; i <= wire.length; i++)
      for (const byte of [0, 1, 255]) check(`${byte} before ${i}`, without(wire.subarray(0, i), Buffer.of(byte), wire.subarray(i)));
  });
});

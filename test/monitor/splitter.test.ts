import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame } from '../../host/links/framing.js';
import { clock, item } from '../../host/links/line-messages.js';
import { type Piece, Splitter } from '../../host/monitor/splitter.js';
import { sequence } from '../links/noise.js';

const text = (words: string) => Buffer.from(words);
const consoleLine = (words: string) => Buffer.concat([Buffer.of(0, 1), text(words)]);
const shown = (pieces: Piece[]) =>
  pieces.map((piece) =>
    piece.kind === 'text' ? piece.line : piece.kind === 'frame' ? `[${piece.message.toString('hex')}]` : `(${piece.bytes})`,
  );

/** All pieces of `parts`, in whatever chunks they come. */
function pieces(parts: Uint8Array[], size = Number.POSITIVE_INFINITY): string[] {
  const splitter = new Splitter();
  const bytes = Buffer.concat(parts);
  const all: Piece[] = [];
  for (let at = 0; at < bytes.length; at += Math.min(size, bytes.length))
    all.push(...splitter.push(bytes.subarray(at, at + Math.min(size, bytes.length))));
  return shown([...all, ...splitter.flush()]);
}

describe('a wire with frames and text', () => {
  const boot = 'ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:0xc\r\n';

  test('text, frames and text again, in any chunks', () => {
    const parts = [
      text(boot),
      encodeFrame(consoleLine('warm 底楼')),
      text('W (9) wifi: slow\n'),
      encodeFrame(clock(7)),
      encodeFrame(clock(8)),
      text('end\r\n'),
    ];
    const expected = [
      'ESP-ROM:esp32c3-api1-20210207',
      'rst:0x1 (POWERON),boot:0xc',
      `[${consoleLine('warm 底楼').toString('hex')}]`,
      'W (9) wifi: slow',
      `[${clock(7).toString('hex')}]`,
      `[${clock(8).toString('hex')}]`,
      'end',
    ];
    for (const size of [1, 2, 3, 7, 64, Number.POSITIVE_INFINITY]) assert.deepEqual(pieces(parts, size), expected);
  });

  test('a line is shown when it ends, not when the next frame comes', () => {
    assert.deepEqual(shown(new Splitter().push(text('waiting for download\r\n'))), ['waiting for download']);
  });

  test('colours and the cursor are left out, accents and blanks stay', () => {
    assert.deepEqual(pieces([text('\x1b[0;32mI (31) é: \tgrün\x1b[0m\r\n')]), ['I (31) é: \tgrün']);
  });

  test('a line without its end is shown after a silence; empty ones are not', () => {
    const splitter = new Splitter();
    assert.deepEqual(shown(splitter.push(text('\r\n\n> '))), []);
    assert.deepEqual(shown(splitter.flush()), ['> ']);
    assert.deepEqual(splitter.flush(), []);
  });

  test('a frame that a reset cuts costs no line of the boot loader', () => {
    const cut = encodeFrame(consoleLine('half a thought')).subarray(0, 9);
    const all = pieces([cut, text(boot), encodeFrame(clock(1))]);
    assert.deepEqual(
      all.filter((line) => line.startsWith('rst') || line.startsWith('[')),
      ['rst:0x1 (POWERON),boot:0xc', `[${clock(1).toString('hex')}]`],
    );
    assert.match(all.join('\n'), /ESP-ROM:esp32c3-api1-20210207/);
  });

  test('listening begins in the middle of a frame', () => {
    assert.deepEqual(pieces([encodeFrame(clock(1)).subarray(4), encodeFrame(clock(2))]).at(-1), `[${clock(2).toString('hex')}]`);
  });

  test('every frame of a board comes through, whatever it carries', () => {
    const next = sequence(7);
    for (let length = 1; length <= 512; length++) {
      const body = Buffer.from(Array.from({ length }, () => 0x20 + (next() % 0x5f)));
      body[length >> 1] = 0x0a;
      const message = item(0x12, 0x41424344, 0x4142, body);
      assert.deepEqual(pieces([encodeFrame(message)]), [`[${message.toString('hex')}]`]);
    }
  });

  test('noise is counted and never kept without an end', () => {
    const next = sequence(3);
    const noise = Buffer.from(Array.from({ length: 100_000 }, () => (next() & 0x7f) | 0x80));
    const splitter = new Splitter();
    const all = splitter.push(noise);
    const counted = all.reduce((sum, piece) => sum + (piece.kind === 'noise' ? piece.bytes : 0), 0);
    assert.ok(counted > 90_000, `${counted}`);
  });
});

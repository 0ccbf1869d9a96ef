import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Line } from '../../host/bridge/line.js';
import { encodeFrame } from '../../host/links/framing.js';
import { acknowledgement, DATA, item, OPEN, OPENED } from '../../host/links/line-messages.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';

const EPOCH = 7;
const BYTES = 5000;

/** Sends to a board that acknowledges at once, by a wire of `baud`. Answers the ms that took, and how often an item was repeated. */
function send(baud: number) {
  const clock = new VirtualClock();
  const free = { up: 0, down: 0 };
  const carry = (way: 'up' | 'down', message: Uint8Array, arrives: (message: Buffer) => void) => {
    free[way] = Math.max(free[way], clock.now()) + (encodeFrame(message).length * 10_000) / baud;
    clock.after(free[way] - clock.now(), () => arrives(Buffer.from(message)));
  };
  let [awaited, taken] = [0, 0];
  const board = (message: Buffer) => {
    const kind = message[1];
    if (kind !== OPENED && kind !== DATA) return;
    if (message.readUInt16BE(6) === awaited) {
      awaited++;
      if (kind === DATA) taken += message.length - 8;
    }
    carry('up', acknowledgement(EPOCH, awaited, false), (answer) => line.take(answer));
  };
  const nothing = () => {};
  const line: Line = new Line(
    clock,
    {
      ...{ datagram: nothing, console: nothing, event: nothing, lost: nothing, started: nothing, silent: nothing, drained: nothing },
      put: (message) => carry('down', message, board),
      opening() {
        line.opened();
        line.send(Buffer.alloc(BYTES, 1));
      },
      data: (bytes) => bytes.length,
      closed: (why) => assert.fail(`${why} at ${clock.now()} ms`),
    },
    10_000 / baud,
  );
  line.take(item(OPEN, EPOCH, 0, Buffer.alloc(4)));
  while (taken < BYTES) clock.advance(10);
  return { ms: clock.now(), repeated: line.repeated };
}

describe('a stream on a wire that takes its time', () => {
  for (const baud of [9600, 19_200, 115_200])
    test(`at ${baud} baud nothing is repeated, and the wire is used`, () => {
      const { ms, repeated } = send(baud);
      assert.equal(repeated, 0);
      assert.ok(ms < (1.15 * BYTES * 10_000) / baud, `${ms} ms`);
    });
});

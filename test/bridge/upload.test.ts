import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { Bridge } from '../../host/bridge/bridge.js';
import { UploadRefused } from '../../host/bridge/uploading.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { within } from '../interop/peers.js';
import { type Harm, line, skipBoardEnd } from './board-end.js';
import type { Fault } from './damage.js';

interface Said {
  number: string;
  text: string;
}

/** A bridge in virtual time, and what it says of uploads; HH is the upload's number. */
function world() {
  const clock = new VirtualClock();
  const wire: string[] = [];
  const bridge = new Bridge({ brokers: [], clock, event: () => {}, says: () => {}, tell: () => {} }, (message) =>
    wire.push(Buffer.from(message).toString('hex')),
  );
  const board = (message: string) => bridge.take(Buffer.from(message.replace(/ /g, ''), 'hex'));
  board('0000 01 00 00001234 00000000');
  return {
    clock,
    bridge,
    board,
    /** Offers and chunks since the last call; their number is told apart. */
    said(): [Said, ...Said[]] {
      const messages = wire.splice(0).filter((message) => /^000[78]/.test(message));
      return messages.map((message) => ({ number: message.slice(12, 14), text: `${message.slice(0, 12)} ${message.slice(14)}` })) as [Said];
    },
    hellos: () => wire.splice(0).filter((message) => message.startsWith('0000')).length,
  };
}

const text = Buffer.from('a = 1');
const OFFER = `000700001234 0100000005${crc32(text).toString(16).padStart(8, '0')}`;

describe('an upload to a board', () => {
  test('is offered, goes chunk by chunk, and is over when the board has kept it', async () => {
    const { bridge, board, said } = world();
    const progress: number[] = [];
    const done = bridge.upload('module', Buffer.alloc(600, 7), (sent) => progress.push(sent));
    const [{ number }] = said();
    board(`0009 00001234 ${number} 00 00000000`);
    assert.deepEqual(said(), [{ number, text: `000800001234 00000000${'07'.repeat(256)}` }]);
    board(`0009 00001234 ${number} 00 00000100`);
    assert.deepEqual(said(), [{ number, text: `000800001234 00000100${'07'.repeat(256)}` }]);
    board(`0009 00001234 ${number} 00 00000200`);
    assert.deepEqual(said(), [{ number, text: `000800001234 00000200${'07'.repeat(88)}` }]);
    board(`0009 00001234 ${number} 01 00000258`);
    await done;
    assert.deepEqual(progress, [0, 256, 512, 600]);
    assert.deepEqual(said(), []);
  });

  test('takes its time on a slow board: what is not answered is sent again, what is answered twice goes on once', async () => {
    const { bridge, board, said, clock } = world();
    const done = bridge.upload('settings', text);
    const offers = said();
    assert.deepEqual(
      offers.map(({ text }) => text),
      [OFFER],
    );
    const [{ number }] = offers;
    clock.advance(1000);
    assert.deepEqual(
      said().map(({ text }) => text),
      [OFFER, OFFER],
    );
    for (let i = 0; i < 3; i++) board(`0009 00001234 ${number} 00 00000000`);
    assert.deepEqual(said(), [{ number, text: '000800001234 0000000061203d2031' }]);
    board(`0009 00001234 ${number} 01 00000005`);
    await done;
    clock.advance(60_000);
    assert.deepEqual(said(), []);
  });

  test('that the board refuses is rejected with the board’s words', async () => {
    const { bridge, board, said } = world();
    const done = bridge.upload('key', text);
    const [{ number }] = said();
    board(`0009 00001234 ${number} 02 00000000 ${Buffer.from('this board has no TLS').toString('hex')}`);
    await assert.rejects(done, (error) => error instanceof UploadRefused && error.message === 'this board has no TLS');
  });

  test('answers for another start, another number, or of another form change nothing', async () => {
    const { bridge, board, said } = world();
    const done = bridge.upload('settings', text);
    const [{ number }] = said();
    board(`0009 00001235 ${number} 01 00000005`);
    board(`0009 00001234 ${number === '01' ? '02' : '01'} 01 00000005`);
    board(`0009 00001234 ${number} 03 00000005`);
    board(`0009 00001234 ${number} 00 0000`);
    assert.deepEqual(said(), []);
    board(`0009 00001234 ${number} 01 00000005`);
    await done;
  });

  test('begins anew, with another number, at a board that starts anew, from where that goes on', async () => {
    const { bridge, board, said } = world();
    const done = bridge.upload('module', Buffer.alloc(600, 7));
    const [{ number }] = said();
    board(`0009 00001234 ${number} 00 00000000`);
    said();
    board('0000 01 00 00009999 00000000');
    const [again] = said();
    assert.ok(again.text.startsWith('000700009999') && again.number !== number, again.text);
    board(`0009 00009999 ${again.number} 00 00000200`);
    assert.equal(said()[0]?.text, `000800009999 00000200${'07'.repeat(88)}`);
    board(`0009 00009999 ${again.number} 01 00000258`);
    await done;
  });

  test('asks a board that does not answer for its start, and is given up after a while', async () => {
    const { bridge, clock, hellos } = world();
    const nobody = assert.rejects(bridge.upload('settings', text), /does not answer; a firmware older/);
    clock.advance(10_000);
    assert.ok(hellos() >= 3);
    clock.advance(15_000);
    await nobody;
  });

  test('there is one at a time, and none on a line that is closed', async () => {
    const { bridge } = world();
    const closed = assert.rejects(bridge.upload('settings', text), /the line is closed/);
    await assert.rejects(bridge.upload('settings', text), /another upload/);
    await bridge.close();
    await closed;
    await assert.rejects(bridge.upload('settings', text), /the line is closed/);
  });
});

describe('an upload to the board’s end of a line', { skip: skipBoardEnd, timeout: 60_000 }, () => {
  const settings = Buffer.from(Array.from({ length: 160 }, (_, i) => `key_${i} = ${i * i}\n`).join(''));
  const kept = `kept ${settings.length} ${crc32(settings).toString(16).padStart(8, '0')}`;

  async function upload(t: TestContext, harm?: Harm) {
    const { board, bridge, up, down } = await line(t, [], {}, harm);
    await within(bridge.upload('settings', settings), 'the upload', 30_000);
    await board.wishes.until((all) => all.includes(kept), 'what the board has kept');
    assert.deepEqual(
      board.wishes.all.filter((line) => line.startsWith('kept')),
      [kept],
    );
    board.child.kill('SIGKILL');
    await bridge.close();
    return { up, down };
  }

  test('arrives, and once', async (t) => {
    const { down } = await upload(t);
    assert.ok(down.frames < 16, `${down.frames} frames`);
  });

  for (const fault of ['flipped', 'lost', 'doubled'] as Fault[])
    for (const direction of ['up', 'down'] as const)
      test(`every fourth frame ${fault} on its way ${direction}: it arrives, and once`, async (t) => {
        const { [direction]: wire } = await upload(t, { fault, [direction]: (frame: number) => frame % 4 === 1 });
        assert.ok(wire.harmed > 2, `${wire.harmed} frames were harmed`);
      });

  test('a refusal has the board’s words', async (t) => {
    const { bridge } = await line(t, []);
    await assert.rejects(bridge.upload('settings', Buffer.from('refuse')), /^Error: settings:1: "refuse" is not/);
    await assert.rejects(bridge.upload('module', Buffer.from('refuse')), /takes no modules/);
  });

  test('the command tell arrives', async (t) => {
    const { bridge, board } = await line(t, []);
    await bridge.command('tell');
    await board.wishes.until((all) => all.some((wish) => wish.startsWith('wish 5 ')), 'the wish');
  });
});

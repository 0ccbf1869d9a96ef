import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bridge, type Way } from '../../host/bridge/bridge.js';
import { REASON_ENDED, REASON_REFUSED, REASON_RESET } from '../../host/contract.js';
import type { LinkListener } from '../../host/links/link.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';

const hex = (text: string) => Buffer.from(text.replace(/ /g, ''), 'hex');

/** A bridge in virtual time, with a scripted board and scripted brokers. */
function world(brokers = 1) {
  const clock = new VirtualClock();
  const wire: string[] = [];
  const tells: string[] = [];
  const opened: string[] = [];
  const sent: string[] = [];
  let room = Number.POSITIVE_INFINITY;
  let paused = false;
  let listener: LinkListener | undefined;
  const ways = Array.from(
    { length: brokers },
    (_, i): Way => ({
      name: `b${i}`,
      open(ear) {
        opened.push(`b${i}`);
        listener = ear;
        return {
          send(bytes) {
            const count = Math.min(bytes.length, room);
            room -= count;
            if (count > 0) sent.push(Buffer.from(bytes.subarray(0, count)).toString('hex'));
            return count;
          },
          pause: () => {
            paused = true;
          },
          resume: () => {
            paused = false;
          },
          close: () => opened.push(`-b${i}`),
        };
      },
    }),
  );
  const bridge = new Bridge({ brokers: ways, clock, event: () => {}, says: () => {}, tell: (text) => tells.push(text) }, (message) =>
    wire.push(Buffer.from(message).toString('hex')),
  );
  return {
    clock,
    bridge,
    tells,
    opened,
    sent,
    /** What the bridge put on the wire since the last call; `said` without hello and clock. */
    all: () => wire.splice(0),
    said: () => wire.splice(0).filter((message) => !/^000[04]/.test(message)),
    board: (message: string) => bridge.take(hex(message)),
    broker: () => listener as LinkListener,
    gives: (bytes: number) => {
      room = bytes;
    },
    isPaused: () => paused,
  };
}

/** With the stream of epoch 1 open. */
function open(brokers?: number) {
  const all = world(brokers);
  all.board('0010 00000001 0000 00000000');
  all.broker().opened();
  all.board('0014 00000001 0001 00');
  assert.deepEqual(all.said(), ['0014000000010001' + '00', '0011000000010000']);
  return all;
}

describe('the host’s end of a line', () => {
  test('an open is acknowledged at once, and answered when the broker is reached', () => {
    const { board, said, broker, opened } = world();
    board('0010 c0ffee01 0000 00000000');
    assert.deepEqual(said(), ['0014c0ffee01000100']);
    board('0010 c0ffee01 0000 00000000');
    assert.deepEqual([said(), opened], [['0014c0ffee01000100'], ['b0']], 'a repetition opens nothing');
    broker().opened();
    assert.deepEqual(said(), ['0011c0ffee010000']);
  });

  test('a broker that refuses closes the stream with its reason', () => {
    const { board, said, broker, tells } = world();
    board('0010 00000001 0000 00000000');
    said();
    broker().closed(REASON_REFUSED, 'nobody there');
    assert.deepEqual(said(), ['001300000001000001']);
    assert.deepEqual(tells, ['broker b0: nobody there']);
  });

  test('an item is repeated, later each time, until it is acknowledged; a stream without any answer ends', () => {
    const { clock, broker, said, opened, tells } = open();
    broker().received(hex('d000'));
    const times: number[] = [];
    for (let ms = 0; ms < 12_000; ms += 10) {
      if (said().length > 0) times.push(ms);
      clock.advance(10);
    }
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    assert.ok(gaps.length >= 6 && gaps.every((gap, i) => i === 0 || gap >= (gaps[i - 1] as number)), `${gaps}`);
    assert.deepEqual(opened, ['b0', '-b0']);
    assert.equal(tells.at(-1), "the board's connection is over: the board does not answer");
  });

  test('a board that has no room keeps the stream, however long it takes', () => {
    const { clock, broker, board, said, opened } = open();
    broker().received(hex('d000'));
    for (let i = 0; i < 60; i++) {
      clock.advance(1000);
      board('0014 00000001 0001 01');
    }
    said();
    board('0014 00000001 0002 00');
    broker().received(hex('aabb'));
    assert.deepEqual([said(), opened], [['0012000000010002aabb'], ['b0']]);
  });

  test('reads no more of the broker than 16 KB ahead of the board, and goes on below 4', () => {
    const { broker, board, isPaused, said } = open();
    let taken = 0;
    while (!isPaused() && taken < 100_000) {
      broker().received(Buffer.alloc(1000, 7));
      taken += 1000;
    }
    assert.equal(taken, 17_000);
    let items = 0;
    for (let number = 2; isPaused(); number++) {
      items += said().length;
      board(`0014 00000001 ${number.toString(16).padStart(4, '0')} 00`);
    }
    assert.equal(items + said().length, Math.ceil((17_000 - 4096) / 512));
  });

  test('acknowledges what the broker’s socket took, all of it; says that it holds the rest', () => {
    const { board, said, gives, broker, sent } = open();
    gives(1);
    board('0012 00000001 0001 aabbcc');
    assert.deepEqual([said(), sent], [['001400000001000101'], ['aa']]);
    board('0012 00000001 0001 aabbcc');
    assert.deepEqual([said(), sent], [['001400000001000101'], ['aa']]);
    gives(100);
    broker().writable();
    assert.deepEqual([said(), sent], [['001400000001000200'], ['aa', 'bbcc']]);
    board('0012 00000001 0001 aabbcc');
    assert.deepEqual([said(), sent.length], [['001400000001000200'], 2], 'a repetition is not taken');
  });

  test('the close of the board comes behind its bytes, and closes the connection', () => {
    const { board, said, opened, sent } = open();
    board('0012 00000001 0001 e000');
    board('0013 00000001 0002 00');
    assert.deepEqual([said(), sent, opened], [['001400000001000200', '001400000001000300'], ['e000'], ['b0', '-b0']]);
    board('0013 00000001 0002 00');
    assert.deepEqual(said(), ['001400000001000300'], 'a repetition is acknowledged');
    board('0012 00000001 0003 00');
    assert.deepEqual(said(), ['001500000001'], 'and nothing comes behind it');
  });

  test('a broker that closes: its bytes first, then the close; what the board still sends is for nobody', () => {
    const { board, said, broker, tells } = open();
    broker().received(Buffer.alloc(600, 1));
    broker().closed(REASON_ENDED, 'the peer closed the connection');
    assert.equal(said()[0]?.length, 2 * (8 + 512));
    board('0012 00000001 0001 c000');
    assert.deepEqual(said(), ['001400000001000200']);
    board('0014 00000001 0002 00');
    assert.equal(said()[0]?.length, 2 * (8 + 88));
    board('0014 00000001 0003 00');
    assert.deepEqual(said(), ['001300000001000307']);
    assert.deepEqual(tells, ['broker b0: connected', 'broker b0: the peer closed the connection']);
  });

  test('what belongs to no stream is told so, and changes nothing', () => {
    const { board, said, sent } = open();
    board('0012 00000002 0001 aabb');
    board('0013 00000002 0001 00');
    board('0015 00000002');
    assert.deepEqual([said(), sent], [['001500000002', '001500000002'], []]);
    board('0012 00000001 0001 aabb');
    assert.deepEqual([said(), sent], [['001400000001000200'], ['aabb']]);
  });

  test('an open of another epoch takes the place of a stream, which ends', () => {
    const { board, said, opened } = open();
    board('0010 00000009 0000 00000000');
    assert.deepEqual([said(), opened], [['001400000009000100'], ['b0', '-b0', 'b0']]);
    board('0012 00000001 0001 aabb');
    assert.deepEqual(said(), ['001500000001']);
  });

  for (const [what, message, why] of [
    ['a hello of another start', '0000 01 00 00000099 00000000', 'the board started anew'],
    ['a hello that knows of no stream', '0000 01 00 00000042 00000000', 'the board has given it up'],
    ['no such stream', '0015 00000001', 'the board knows nothing of it'],
  ] as const)
    test(`${what} ends the stream`, () => {
      const { board, opened, tells } = open();
      board('0000 01 00 00000042 00000001');
      assert.deepEqual(opened, ['b0']);
      board(message);
      assert.deepEqual(opened, ['b0', '-b0']);
      assert.equal(tells[1], `the board's connection is over: ${why}`);
    });

  test('an open asks for the start again: a command goes to the board that is there, and not to the one before', async () => {
    const { board, bridge, all } = world();
    board('0000 01 00 00000042 00000000');
    board('0010 00000009 0000 00000000');
    assert.match(all().join(' '), /00000101[0-9a-f]{8}00000009/);
    board('0000 01 00 00000043 00000009');
    const taken = bridge.command('restart');
    assert.equal(all().at(-1), '0005000000430103');
    board('0006 00000042 01');
    board('0006 00000043 01');
    await taken;
  });

  test('a command waits for the hello of a board that has just started', async () => {
    const { board, bridge, all, clock } = world();
    const taken = bridge.command('stop');
    clock.advance(1000);
    assert.deepEqual(all(), []);
    board('0000 01 00 00000042 00000000');
    assert.ok(all().includes('0005000000420101'));
    board('0006 00000042 01');
    await taken;
  });

  test('a command that nobody answers is given up', async () => {
    const { board, bridge, clock } = world();
    const nobody = assert.rejects(bridge.command('stop'), /has not said hello/);
    clock.advance(6000);
    await nobody;
    board('0000 01 00 00000042 00000000');
    const answer = assert.rejects(bridge.command('stop'), /does not answer/);
    clock.advance(6000);
    await answer;
  });

  test('of several brokers the one that held a minute is taken again, else the next', () => {
    const { board, opened, clock, broker } = world(2);
    const opens = (epoch: number, choice: number) => {
      board(`0010 0000000${epoch} 0000 0000000${choice}`);
      return opened.at(-1);
    };
    assert.equal(opens(1, 0), 'b0');
    broker().closed(REASON_REFUSED, 'no');
    assert.equal(opens(2, 1), 'b1');
    broker().opened();
    clock.advance(61_000);
    assert.equal(opens(3, 0), 'b1');
    assert.equal(opens(4, 0), 'b0', 'it held no minute');
  });

  test('an open while the bridge says goodbye, or afterwards, reaches no broker; the first is told that it is closed', async () => {
    const { board, bridge, clock, opened, said } = open();
    const over = bridge.close();
    board('0010 00000009 0000 00000000');
    assert.ok(said().includes('001300000009000006'));
    for (let i = 0; i < 300; i++) {
      clock.advance(10);
      await undefined;
    }
    await over;
    said();
    board('0010 0000000a 0000 00000000');
    assert.deepEqual([said(), opened], [[], ['b0', '-b0']]);
  });

  test('of several brokers that are away each is told of once, however often it is tried; and each that is there again', () => {
    const { board, broker, tells } = world(2);
    const opens = (choice: number) => board(`0010 000000${(choice + 1).toString(16).padStart(2, '0')} 0000 0000000${choice}`);
    for (let choice = 0; choice < 6; choice++) {
      opens(choice);
      broker().closed(REASON_REFUSED, 'nobody there');
    }
    assert.deepEqual(tells.splice(0), ['broker b0: nobody there', 'broker b1: nobody there']);
    opens(6);
    broker().opened();
    broker().closed(REASON_ENDED, 'the peer closed the connection');
    opens(7);
    broker().opened();
    assert.deepEqual(tells, ['broker b0: connected', 'broker b0: the peer closed the connection', 'broker b1: connected']);
  });

  describe('of several brokers, at a board’s wakings from deep sleep, each 30 s after the one before,', () => {
    type Life = (board: (message: string) => void, broker: LinkListener) => void;
    const close = (board: (message: string) => void) => board('0013 00000001 0001 00');
    for (const [what, life, brokers] of [
      [
        'the one that answers is kept when the board closes',
        (board, broker) => {
          broker.opened();
          broker.received(hex('20020000'));
          close(board);
        },
        'b0 b0 b0',
      ],
      [
        'so it is when the power is cut',
        (_, broker) => {
          broker.opened();
          broker.received(hex('20020000'));
        },
        'b0 b0 b0',
      ],
      [
        'so it is when it closes upon the DISCONNECT, before the board does',
        (_, broker) => {
          broker.opened();
          broker.received(hex('20020000'));
          broker.closed(REASON_ENDED, 'the peer closed the connection');
        },
        'b0 b0 b0',
      ],
      [
        'one that never answers is left',
        (board, broker) => {
          broker.opened();
          close(board);
        },
        'b0 b1 b0',
      ],
      [
        'so is one that breaks off',
        (_, broker) => {
          broker.opened();
          broker.received(hex('20020000'));
          broker.closed(REASON_RESET, 'connection reset');
        },
        'b0 b1 b0',
      ],
    ] as [string, Life, string][])
      test(what, () => {
        const { board, broker, clock, opened } = world(2);
        for (let start = 1; start <= 3; start++) {
          board(`0000 01 00 0000004${start} 00000000`);
          board(`0010 0000000${start} 0000 00000000`);
          life((message) => board(message.replace('00000001', `0000000${start}`)), broker());
          clock.advance(30_000);
        }
        assert.equal(opened.filter((name) => !name.startsWith('-')).join(' '), brokers);
      });
  });

  test('a board that says nothing is told of, once', () => {
    const { bridge, clock, tells } = world();
    bridge.begin();
    clock.advance(60_000);
    assert.equal(tells.length, 1);
    assert.match(String(tells[0]), /no board answers/);
  });

  test('a board that answers after all is told of, once', () => {
    const { bridge, board, clock, tells } = world();
    bridge.begin();
    clock.advance(10_000);
    board('0000 01 00 00000042 00000000');
    board('0000 01 00 00000042 00000000');
    assert.deepEqual(tells.slice(1), ['the board answers']);
  });

  test('the first connection is told of, and the next after one that failed', () => {
    const { board, broker, tells } = world();
    const opens = (epoch: number) => board(`0010 0000000${epoch} 0000 00000000`);
    for (const epoch of [1, 2]) {
      opens(epoch);
      broker().opened();
    }
    assert.deepEqual(tells, ['broker b0: connected', "the board's connection is over: the board opened another"]);
    opens(3);
    broker().closed(REASON_REFUSED, 'no');
    opens(4);
    broker().opened();
    assert.deepEqual(tells.slice(-2), ['broker b0: no', 'broker b0: connected']);
  });

  test('a board is not looked for while the wire is away; when it is back and nobody answers, that is told again', () => {
    const { bridge, clock, tells, all } = world();
    bridge.begin();
    bridge.wireLost();
    all();
    clock.advance(60_000);
    assert.deepEqual([all(), tells], [[], []]);
    for (let times = 1; times <= 2; times++) {
      bridge.begin();
      clock.advance(30_000);
      assert.equal(tells.filter((text) => /no board answers/.test(text)).length, times);
      bridge.wireLost();
    }
  });

  test('any bytes are no fault of the bridge', () => {
    const { board, bridge } = open();
    for (let kind = 0; kind < 256; kind++)
      for (let length = 0; length < 20; length++) bridge.take(Buffer.concat([Buffer.of(0, kind), Buffer.alloc(length, kind & 1)]));
    board('00');
    board('');
  });
});

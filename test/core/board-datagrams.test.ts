import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Board } from '../../host/board.js';
import {
  CONFIG_DISCOVERY,
  LINK_CLOSED,
  LINK_OPENED,
  LINK_WRITABLE,
  REASON_ADDRESS,
  REASON_ENDED,
  REASON_REFUSED,
} from '../../host/contract.js';
import type { Discovery, Link, LinkListener, OpenLink, Sender } from '../../host/links/link.js';
import { Module } from '../../host/module.js';
import { compile } from './compile.js';
import { VirtualClock } from './history.js';

// A module with one slot for datagrams of SLOT_BYTES, which does what the first byte of each says, and tells all as events.
const SLOT_BYTES = 32;
const source = `
  @external("board", "link_open") declare function link_open(link: i32, choice: i32): i32;
  @external("board", "link_send") declare function link_send(link: i32, data: usize, length: i32): i32;
  @external("board", "link_close") declare function link_close(link: i32): void;
  @external("board", "remember_gateway") declare function remember_gateway(slot: i32, address: usize, length: i32): i32;
  @external("board", "config_number") declare function config_number(key: i32, otherwise: i32): i32;
  @external("board", "event") declare function event(code: i32, a: i32, b: i32): void;
  const SLOT: usize = memory.data(${SLOT_BYTES + 8});
  let held: i32 = -1;
  let from: i32 = 0;
  let reads: bool = true;
  export function abi_version(): i32 { return 1; }
  export function memory_bytes(): usize { return __heap_base; }
  export function start(): i32 { event(1, link_open(config_number(${CONFIG_DISCOVERY}, 0), 0), 0); return 0; }
  export function stop(): void { reads = true; }
  export function link_buffer(_link: i32): usize { return SLOT; }
  export function link_room(_link: i32): i32 { return held < 0 ? ${SLOT_BYTES} : 0; }
  export function link_received(link: i32, length: i32): void { held = length; from = link; }
  export function link_changed(link: i32, what: i32, reason: i32): void { event(2, link * 16 + what, reason); }
  export function step(_now: i32): i32 {
    if (held >= 0 && reads) {
      const length = held;
      const what = load<u8>(SLOT), a = load<u8>(SLOT, 1), b = load<u8>(SLOT, 2);
      event(3, from * 1000 + length, what);
      if (load<u64>(SLOT, ${SLOT_BYTES})) event(9, 0, 0);
      if (what == ${'W'.charCodeAt(0)}) reads = false;
      if (what == ${'R'.charCodeAt(0)}) event(4, remember_gateway(a, SLOT + 2, length - 2), 0);
      if (what == ${'O'.charCodeAt(0)}) event(1, link_open(a, b), 0);
      if (what == ${'C'.charCodeAt(0)}) link_close(a);
      if (what == ${'S'.charCodeAt(0)}) event(5, link_send(a, SLOT, length), 0);
      held = -1;
    }
    return i32.MAX_VALUE;
  }
`;

let tiny: WebAssembly.Module;
before(async () => {
  const { bytes } = await compile('tiny.ts', ['--initialMemory', '1', '--maximumMemory', '1'], { 'tiny.ts': source });
  tiny = new WebAssembly.Module(bytes);
});

/** A link in the hands of a test. */
class Scripted {
  readonly sent: string[] = [];
  readonly calls: string[] = [];
  listener: LinkListener | undefined;
  readonly open: OpenLink = (listener) => {
    this.listener = listener;
    this.calls.push('open');
    const link: Link = {
      datagrams: true,
      send: (bytes) => this.sent.push(Buffer.from(bytes).toString('latin1')) && bytes.length,
      pause: () => this.calls.push('pause'),
      resume: () => this.calls.push('resume'),
      close: () => this.calls.push('close'),
    };
    return link;
  };

  receives(text: string, from?: Sender): void {
    this.listener?.received(Buffer.from(text, 'latin1'), from);
  }
}

const here = (port: number): Sender => ({ host: '127.0.0.1', port });

/** A board with the tiny module, whose events are told in words. */
function run(discovering: boolean) {
  const heard: string[] = [];
  const broker = new Scripted();
  const search = new Scripted();
  const gateways = new Map<string, Scripted>();
  const discovery: Discovery = {
    search: search.open,
    gateway(address) {
      const name = address instanceof Uint8Array ? Buffer.from(address).toString('hex') : `${address.host}:${address.port}`;
      if (name === 'ff') return undefined;
      const link = new Scripted();
      gateways.set(name, link);
      return link.open;
    },
  };
  const words: Record<number, (a: number, b: number) => string> = {
    1: (a) => `open ${a}`,
    2: (a, b) => `link ${a >> 4} ${a & 15} ${b}`,
    3: (a, b) => `${Math.floor(a / 1000)}:${String.fromCharCode(b)}${a % 1000}`,
    4: (a) => `remembered ${a}`,
    5: (a) => `sent ${a}`,
  };
  const board = new Board(
    {
      links: discovering ? [] : [broker.open],
      ...(discovering && { discovery }),
      config: new Map([[CONFIG_DISCOVERY, discovering ? 1 : 0]]),
      clock: new VirtualClock(),
      event: (code, a, b) => heard.push(words[code]?.(a, b) ?? `event ${code}`),
    },
    (imports) => new Module(tiny, imports),
  );
  board.start();
  /** What was heard since it was asked last. */
  const since = () => heard.splice(0);
  assert.deepEqual(since(), ['open 0']);
  return { board, broker, search, gateways, since };
}

describe('a board on a datagram link', () => {
  test('hands in each datagram by itself', () => {
    const { broker, since } = run(false);
    for (const text of ['a', 'bc', 'def']) broker.receives(text);
    assert.deepEqual(since(), ['0:a1', '0:b2', '0:d3']);
    assert.deepEqual(broker.calls, ['open'], 'it is not paused');
  });

  test('keeps 64 that arrive while the module does not read, in order, and counts what it drops', () => {
    const { board, broker, since } = run(false);
    broker.receives('W');
    broker.receives('in the slot');
    const letter = (i: number) => String.fromCharCode(0xa0 + i); // none of which the module obeys
    for (let i = 0; i < 70; i++) broker.receives(letter(i));
    assert.deepEqual([since(), board.datagramsDropped], [['0:W1'], 6]);
    board.stop(); // it reads again
    assert.deepEqual(since(), ['0:i11', ...Array.from({ length: 64 }, (_, i) => `0:${letter(i)}1`)]);
    assert.equal(board.datagramsDropped, 6);
  });

  test('cuts one that is too long and tells its full length', () => {
    const { broker, since } = run(false);
    broker.receives('x'.repeat(SLOT_BYTES));
    broker.receives('x'.repeat(SLOT_BYTES + 1));
    broker.receives('x'.repeat(999));
    broker.receives('');
    assert.deepEqual(since(), [`0:x${SLOT_BYTES}`, `0:x${SLOT_BYTES + 1}`, '0:x999', '0:x0']);
  });

  test('forgets what waits when its link is closed, by either side', () => {
    for (const close of [
      (of: Scripted) => of.listener?.closed(REASON_REFUSED, 'ECONNREFUSED'),
      (_: Scripted, board: ReturnType<typeof run>['board']) => board.halt(),
    ]) {
      const { board, broker } = run(false);
      broker.receives('W');
      for (const text of ['a', 'b', 'c']) broker.receives(text);
      close(broker, board);
      assert.equal(board.datagramsDropped, 2, 'one was handed in before');
    }
  });

  test('tells what becomes of each link by its number', () => {
    const { board, search, gateways, since } = run(true);
    search.listener?.opened();
    search.receives('R\0', here(1));
    search.receives('O\0\0');
    const gateway = gateways.get('127.0.0.1:1');
    gateway?.listener?.opened();
    gateway?.listener?.writable();
    gateway?.listener?.closed(REASON_ENDED, 'it ended');
    assert.equal(board.linkMessage, 'it ended');
    search.listener?.closed(REASON_REFUSED, 'it is refused');
    assert.deepEqual(
      since().filter((line) => line.startsWith('link')),
      [
        `link 1 ${LINK_OPENED} 0`,
        `link 0 ${LINK_OPENED} 0`,
        `link 0 ${LINK_WRITABLE} 0`,
        `link 0 ${LINK_CLOSED} ${REASON_ENDED}`,
        `link 1 ${LINK_CLOSED} ${REASON_REFUSED}`,
      ],
    );
  });
});

describe('a board that searches gateways', () => {
  test('opens a link to the sender of the datagram that was handed in last, not of one that waits', () => {
    const { board, search, gateways, since } = run(true);
    search.receives('W', here(1));
    search.receives('R\0', here(2));
    search.receives('x', here(3));
    board.stop();
    search.receives('O\0\0', here(4));
    assert.deepEqual([...gateways.keys()], ['127.0.0.1:2']);
    assert.deepEqual(gateways.get('127.0.0.1:2')?.calls, ['open']);
    assert.deepEqual(since(), ['1:W1', '1:R2', 'remembered 0', '1:x1', '1:O3', 'open 0']);
  });

  test('opens a link to the network address that it is told', () => {
    const { search, gateways } = run(true);
    search.receives('R\x01\x7f\0\0\x02', here(1));
    search.receives('O\0\x01', here(1));
    assert.deepEqual([...gateways.keys()], ['7f000002']);
    assert.deepEqual(gateways.get('7f000002')?.calls, ['open']);
  });

  test('sends and closes each link by itself', () => {
    const { search, gateways, since } = run(true);
    search.receives('R\0', here(1));
    search.receives('O\0\0');
    const gateway = gateways.get('127.0.0.1:1');
    search.receives('S\0to the gateway');
    search.receives('S\x01to all');
    assert.deepEqual([gateway?.sent, search.sent], [['S\0to the gateway'], ['S\x01to all']]);
    gateway?.receives('C\x01');
    assert.deepEqual([gateway?.calls, search.calls], [['open'], ['open', 'close']]);
    search.receives('nobody hears this');
    gateway?.receives('y');
    assert.deepEqual(since().slice(-2), ['0:C2', '0:y1']);
  });

  test('keeps what waits of one link when the other is closed', () => {
    const { board, search, gateways, since } = run(true);
    search.receives('R\0', here(1));
    search.receives('O\0\0');
    const gateway = gateways.get('127.0.0.1:1');
    search.receives('W');
    since();
    for (const text of ['a', 'b']) {
      search.receives(text);
      gateway?.receives(text.toUpperCase());
    }
    search.listener?.closed(REASON_REFUSED, '');
    board.stop();
    assert.deepEqual(since(), [`link 1 ${LINK_CLOSED} ${REASON_REFUSED}`, '1:a1', '0:A1', '0:B1']);
    assert.equal(board.datagramsDropped, 1);
  });

  for (const [what, ...datagrams] of [
    ['a slot that is empty', 'O\0\x02'],
    ['a link that no module has', 'O\x02\0'],
  ]) {
    test(`does not open ${what}`, () => {
      const { search, since } = run(true);
      for (const text of datagrams) search.receives(text, here(1));
      assert.equal(since().at(-1), `open ${-REASON_ADDRESS}`);
    });
  }

  for (const [what, datagram] of [
    ['more than four', 'R\x04'],
    ['an address that is none', 'R\0\xff'],
  ] as const) {
    test(`does not remember ${what}`, () => {
      const { search, since } = run(true);
      search.receives(datagram, here(1));
      assert.equal(since().at(-1), `remembered ${-REASON_ADDRESS}`);
    });
  }

  test('does not remember a datagram of which nobody knows the sender', () => {
    const { search, since } = run(true);
    search.receives('x', here(1));
    search.receives('R\0');
    assert.equal(since().at(-1), `remembered ${-REASON_ADDRESS}`);
  });
});

test('a board that searches nothing has no searching link and remembers no gateways', () => {
  const { broker, since } = run(false);
  broker.receives('R\0', here(1));
  broker.receives('O\x01\0', here(1));
  assert.deepEqual(since(), ['0:R2', `remembered ${-REASON_ADDRESS}`, '0:O3', `open ${-REASON_ADDRESS}`]);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { type Bridge, bridgeOver, type Way } from '../../host/bridge/bridge.js';
import { linkTo } from '../../host/links/address.js';
import { Heard } from '../interop/peers.js';
import { posixBoard, skipUnbuilt } from '../rungs/world.js';
import { Damage, type Fault } from './damage.js';

const program = join(dirname(posixBoard), 'line_peer');

export const skipBoardEnd = skipUnbuilt(program);

/** The board's end of a line, firmware/shell/line.c, in a process of its own: whoever connects to its port is its module. */
export interface BoardEnd {
  child: ChildProcess;
  /** The host's wishes, as `wish NUMBER VALUE`. */
  wishes: Heard<string>;
  /** The reasons with which the stream closed. */
  closed: Heard<number>;
  url: string;
  port: number;
}

export interface BoardOptions {
  boot?: number;
  /** Bytes that the module takes in a ms at most; 0: as much as there is. */
  slowness?: number;
  /** What stands for the UART; the process's own pipes without it. */
  terminal?: number;
}

export async function boardEnd(t: TestContext, { boot = 4711, slowness = 0, terminal }: BoardOptions = {}): Promise<BoardEnd> {
  const wire = terminal ?? 'pipe';
  const child = spawn(program, [String(boot), String(slowness)], { stdio: [wire, wire, 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const [ports, wishes, closed] = [new Heard<number>(), new Heard<string>(), new Heard<number>()];
  createInterface({ input: child.stderr as Readable }).on('line', (line) => {
    const number = Number(line.split(' ')[1]);
    if (line.startsWith('port ')) ports.add(number);
    else if (line.startsWith('closed ')) closed.add(number);
    else wishes.add(line);
  });
  const [port = 0] = await ports.count(1);
  return { child, wishes, closed, url: `mqtt://127.0.0.1:${port}`, port };
}

export interface Harm {
  fault: Fault;
  /** Frames to the host and to the board. */
  up?: (frame: number) => boolean;
  down?: (frame: number) => boolean;
}

export interface Line {
  board: BoardEnd;
  bridge: Bridge;
  events: Heard<string>;
  says: Heard<string>;
  tells: Heard<string>;
  up: Damage;
  down: Damage;
}

const never = () => false;

export const wayTo = (url: string): Way => ({ name: url, open: linkTo(url) });

/** A board and a bridge with a wire between them that harms frames. */
export async function line(
  t: TestContext,
  brokers: readonly string[],
  options: BoardOptions = {},
  harm: Harm = { fault: 'lost' },
): Promise<Line> {
  const board = await boardEnd(t, options);
  const up = new Damage(harm.fault, harm.up ?? never);
  const down = new Damage(harm.fault, harm.down ?? never);
  (board.child.stdout as Readable).pipe(up);
  down.pipe(board.child.stdin as Writable);
  (board.child.stdin as Writable).on('error', () => {}); // a board that is killed
  const wire = Duplex.from({ readable: up.pipe(new PassThrough()), writable: down });
  const [events, says, tells] = [new Heard<string>(), new Heard<string>(), new Heard<string>()];
  const bridge = bridgeOver(wire, {
    brokers: brokers.map(wayTo),
    event: (json) => events.add(json),
    says: (text) => says.add(text),
    tell: (text) => tells.add(text),
  });
  t.after(() => bridge.close());
  return { board, bridge, events, says, tells, up, down };
}

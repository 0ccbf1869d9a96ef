import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Heard, within } from '../interop/peers.js';
import { posixBoard, skipUnbuilt } from '../rungs/world.js';

const run = promisify(execFile);

/** Connections after which a process has all the memory that it will ever have. */
const SETTLED = 500;
const RECONNECTS = 2500;
const DEADLINE_MS = 60_000;
/** The kernel counts a process's pages in lots; 2,000 reconnects that leave 32 bytes each are more. */
const RESIDENT_KIB = 62;

/** Counts connections, and tells at some of them. */
class Turns {
  readonly #told = new Heard<number>();
  #count = 0;

  next(): number {
    this.#count++;
    if (this.#count % SETTLED === 0) this.#told.add(this.#count);
    return this.#count;
  }

  reach(count: number) {
    return this.#told.until((all) => (all.at(-1) ?? 0) >= count, `connection ${count}`, DEADLINE_MS);
  }
}

/** Takes connections and ends each behind its CONNACK, in one of four ways. */
async function brokerThatDrops(t: TestContext): Promise<{ port: number; turns: Turns }> {
  const turns = new Turns();
  const connack = Buffer.of(0x20, 2, 0, 0);
  const endings: ((socket: Socket) => void)[] = [
    (socket) => socket.end(connack),
    (socket) => socket.write(connack, () => socket.resetAndDestroy()),
    (socket) => socket.end(Buffer.of(0x20, 2, 0, 3)), // server unavailable
    (socket) => socket.write(Buffer.concat([connack, Buffer.of(0xf0, 0)])), // no packet: the board ends it
  ];
  const server = createServer((socket) => {
    const turn = turns.next();
    socket.on('error', () => {});
    socket.once('data', () => endings[turn % endings.length]?.(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, turns };
}

/** Accepts each CONNECT and sends a DISCONNECT behind it. */
async function gatewayThatDrops(t: TestContext): Promise<{ port: number; turns: Turns }> {
  const turns = new Turns();
  const socket = createSocket('udp4');
  socket.on('message', (datagram, { port, address }) => {
    if (datagram[1] !== 0x04) return;
    turns.next();
    for (const answer of [Buffer.of(3, 5, 0), Buffer.of(2, 0x18)]) socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { port: socket.address().port, turns };
}

describe('a board that is dropped 2,500 times', { skip: skipUnbuilt(posixBoard), timeout: 120_000 }, () => {
  for (const [module, scheme, peer] of [
    ['sensor-mqtt', 'mqtt', brokerThatDrops],
    ['sensor-mqttsn', 'mqtt-sn', gatewayThatDrops],
    ['sensor-journal', 'mqtt', brokerThatDrops],
  ] as const)
    test(`allocates nothing and keeps its resident memory: ${module}`, async (t) => {
      const { port, turns } = await peer(t);
      const path = fileURLToPath(new URL(`../../../${module}.wasm`, import.meta.url));
      const settings = ['topic=t', 'qos=1', 'client_id=soak', 'reconnect_min=1', 'reconnect_max=1', 'interval=100'];
      const arguments_ = [
        ...['--module', path, '--broker', `${scheme}://127.0.0.1:${port}`, '--thermometer', 'simulated:1'],
        ...settings.flatMap((setting) => ['--set', setting]),
      ];
      const child = spawn(posixBoard, arguments_, { stdio: ['ignore', 'pipe', 'ignore'] });
      t.after(() => child.kill('SIGKILL'));
      const ended = once(child, 'close');
      let last = '';
      createInterface({ input: child.stdout }).on('line', (line) => {
        last = line;
      });
      const resident = () => Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
      await turns.reach(SETTLED);
      const before = resident();
      await turns.reach(RECONNECTS);
      const after = resident();
      child.kill('SIGTERM');
      await within(ended, 'the end of the board');
      t.diagnostic(`resident: ${before} KiB, then ${after} KiB; ${last}`);
      assert.equal(JSON.parse(last).allocations, 0);
      assert.ok(after - before < RESIDENT_KIB, `${after - before} KiB more`);
    });
});

/** Runs a program of this directory with the garbage collector at hand, and answers the figures it prints. */
async function figuresOf(program: string): Promise<{ before: Record<string, number>; after: Record<string, number> }> {
  const { stdout } = await run(process.execPath, ['--expose-gc', fileURLToPath(new URL(`${program}.js`, import.meta.url))], {
    timeout: DEADLINE_MS,
  });
  return JSON.parse(stdout);
}

const MEGABYTE = 2 ** 20;

describe('in Node', { timeout: 120_000 }, () => {
  for (const [what, program] of [
    ['2,000 reconnects of one client leave its heap, listeners and timers as they were', 'reconnecting-client'],
    ['10,000 clients that came and went leave the heap of the gateway and its sessions as they were', 'visited-gateway'],
  ] as const)
    test(what, async (t) => {
      const { before, after } = await figuresOf(program);
      const { heap: heapBefore = 0, ...countsBefore } = before;
      const { heap: heapAfter = 0, ...countsAfter } = after;
      t.diagnostic(`heap: ${heapBefore} bytes, then ${heapAfter}; ${JSON.stringify(countsAfter)}`);
      assert.deepEqual(countsAfter, countsBefore);
      assert.ok(heapAfter - heapBefore < MEGABYTE / 4, `${heapAfter - heapBefore} bytes more`);
    });
});

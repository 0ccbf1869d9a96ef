// What an operation costs in instructions: ours on each target and engine, and the native peers' beside it.

import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A build of firmware/bench. */
export interface Bench {
  target: 'x86-64' | 'rv32';
  engine: 'wasm3' | 'aot';
  program: string;
}

/** A native client: firmware/bench/peers. */
export interface Peer {
  name: string;
  program: string;
}

export type Protocol = 'mqtt' | 'mqttsn';
export const protocolNames = { mqtt: 'MQTT', mqttsn: 'MQTT-SN' } as const;

/** An operation of firmware/bench/operations.c. `size`: messages in flight, subscriptions or bytes, as the operation has it. */
export interface Operation {
  name: string;
  protocol: Protocol;
  module: string;
  size?: number;
}

/** What a run tells. */
export interface Counts {
  instructions: number;
  /** How often counting began. */
  spans: number;
  heap: number;
  allocations: number;
  memory: number;
  stack: number;
}

/** Two runs of so many operations: their difference is what one costs, without anything that happens once. */
const FEW = 20;
const MANY = 60;

/** This file runs as build/js/bench/operations.js. */
const modulePath = (name: string) => fileURLToPath(new URL(`../../${name}.wasm`, import.meta.url));
const memoryMap = new URL('../../../firmware/ports/qemu-rv32/memory_map.h', import.meta.url);

/** A number that memory_map.h defines. */
function address(name: string): number {
  const [, value] = new RegExp(`#define ${name} (0x[0-9a-f]+)`, 'i').exec(readFileSync(memoryMap, 'utf8')) ?? [];
  if (!value) throw new Error(`memory_map.h does not define ${name}`);
  return Number(value);
}

/** The machine that QEMU makes, with the module in its flash and the command in semihosting's command line. */
function qemu(program: string, wasm: string, command: readonly string[]): string[] {
  const flash = address('FLASH_MODULE');
  const word = (at: number, value: number) => ['-device', `loader,addr=${at},data=${value},data-len=4`];
  return [
    ...['-machine', 'virt', '-cpu', 'rv32', '-bios', 'none', '-m', '64M', '-kernel', program, '-icount', 'shift=0'],
    ...['-display', 'none', '-serial', 'none', '-monitor', 'none'],
    ...word(flash, address('FLASH_MAGIC')),
    ...word(flash + 4, statSync(wasm).size),
    ...['-device', `loader,addr=${flash + 8},file=${wasm},force-raw=on`],
    ...['-semihosting-config', ['enable=on,target=native', ...['bench', ...command].map((word) => `arg=${word}`)].join(',')],
  ];
}

/** Only what is between the bench's calls of counter_on and counter_off is collected. */
export function callgrind(command: readonly string[]): string[] {
  return ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--collect-atstart=no', ...command];
}

/** What callgrind says it collected. */
export function collected(stderr: string): number {
  const [, count] = /Collected : (\d+)/.exec(stderr) ?? [];
  if (!count) throw new Error(`callgrind counted nothing:\n${stderr}`);
  return Number(count);
}

/** Runs `count` operations; on x86-64 the instructions are counted only with `instructions`, for that takes fifty times as long. */
export async function measure(bench: Bench, operation: Operation, count: number, instructions = true): Promise<Counts> {
  const wasm = modulePath(operation.module);
  const command = (module: string) => [operation.name, operation.protocol, module, String(count), String(operation.size ?? 0)];
  if (bench.target === 'rv32') {
    const { stderr } = await ran('qemu-system-riscv32', qemu(bench.program, wasm, command(operation.module)));
    return told(stderr); // where semihosting prints
  }
  const ours = [bench.program, ...command(wasm)];
  if (!instructions) return told((await ran(bench.program, ours.slice(1))).stdout);
  const { stdout, stderr } = await ran('valgrind', callgrind(ours));
  return { ...told(stdout), instructions: collected(stderr) };
}

/** The same of a peer. */
async function measurePeer(peer: Peer, name: string, count: number, size: number): Promise<Counted> {
  const { stdout, stderr } = await ran('valgrind', callgrind([peer.program, name, String(count), String(size)]));
  return { ...JSON.parse(stdout), instructions: collected(stderr) };
}

/** A program that gave up says why, in the place of JSON. */
function told(text: string): Counts {
  if (!text.startsWith('{')) throw new Error(`the bench of operations printed no counts: ${text}`);
  return JSON.parse(text);
}

/** What went wrong stands in what a program printed. */
async function ran(command: string, args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(command, args, { timeout: 120_000 }).catch((error: { message: string; stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout ?? ''}`.trim()); // the message has what was printed to stderr
  });
}

export interface Counted {
  instructions: number;
  spans: number;
}

/** The cost of one operation, from runs of FEW and MANY, without what counting itself costs a span. */
export function difference(few: Counted, many: Counted, operations: number, span: number): number {
  return Math.round((many.instructions - few.instructions - span * (many.spans - few.spans)) / operations);
}

/** What counting costs a span: of a program, once. */
const spanCosts = new Map<string, Promise<number>>();

function spanCost(program: string, nothing: (count: number) => Promise<Counted>): Promise<number> {
  const known = spanCosts.get(program);
  if (known) return known;
  const cost = Promise.all([nothing(FEW), nothing(MANY)]).then(([few, many]) => difference(few, many, MANY - FEW, 0));
  spanCosts.set(program, cost);
  return cost;
}

async function each(program: string, count: (operation: string | undefined, n: number) => Promise<Counted>): Promise<number> {
  const span = await spanCost(program, (n) => count('nothing', n));
  const [few, many] = await Promise.all([count(undefined, FEW), count(undefined, MANY)]);
  return difference(few, many, MANY - FEW, span);
}

/** Instructions of one operation. */
export function cost(bench: Bench, operation: Operation): Promise<number> {
  const empty: Operation = { name: 'nothing', protocol: 'mqtt', module: 'sensor-mqtt' };
  return each(bench.program, (name, n) => turn(() => measure(bench, name ? empty : operation, n)));
}

/** The same of a native client. */
export function peerCost(peer: Peer, name: string, size = 0): Promise<number> {
  return each(peer.program, (other, n) => turn(() => measurePeer(peer, other ?? name, n, size)));
}

/** As many runs at a time as there are cores here at least. */
const AT_ONCE = 2;
let running = 0;
const waiting: (() => void)[] = [];

/** Runs `work` when there is a place. */
export async function turn<T>(work: () => Promise<T>): Promise<T> {
  while (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await work();
  } finally {
    running--;
    waiting.shift()?.();
  }
}

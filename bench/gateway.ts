import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Garbage, Swarm, type SwarmRun } from '../test/gateway/swarm.js';
import { counted, type Figure, seen } from './figure.js';
import { unlimitedMosquitto } from './mosquitto.js';

const CLIENTS = 500;
const SECONDS = 20;
/** Malformed datagrams a second, from one address. */
const GARBAGE = 10_000;
const DEADLINE_MS = 60_000;
/** Of /proc/PID/stat, which counts in hundredths of a second. */
const TICK_US = 10_000;

/** This file runs as build/js/bench/gateway.js. */
const twobyte = fileURLToPath(new URL('../host/cli/twobyte.js', import.meta.url));

/** 500 clients that each publish once a second at QoS 1 through one gateway process, alone and beside an address that sends garbage. */
export async function gatewayFigures(progress: (text: string) => void): Promise<Figure[]> {
  await using broker = await unlimitedMosquitto();
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const { child, port } = await gateway(url);
  try {
    progress(`gateway: ${CLIENTS} clients connect`);
    const empty = residentKilobytes(child);
    const start = performance.now();
    await using swarm = await Swarm.of(CLIENTS, port, url, DEADLINE_MS);
    const connected = performance.now() - start;
    const memory = (residentKilobytes(child) - empty) / CLIENTS;
    progress(`gateway: ${CLIENTS} clients publish once a second`);
    const quiet = await measured(child, swarm);
    const later = (residentKilobytes(child) - empty) / CLIENTS;
    progress(`gateway: the same, and ${GARBAGE} malformed datagrams a second`);
    await using _ = new Garbage(port, GARBAGE);
    const noisy = await measured(child, swarm);
    const name = `gateway, ${CLIENTS} clients × 1/s QoS 1`;
    return [
      seen(`${name}: all connected and registered, at once`, connected, 'ms'),
      seen(`${name}: memory a client, once connected`, memory, 'KiB'),
      seen(`${name}: memory a client, after ${SECONDS} s`, later, 'KiB'),
      ...outcome(name, quiet),
      ...outcome(`${name}, ${GARBAGE.toLocaleString('en')} garbage/s`, noisy),
    ];
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

function outcome(name: string, { run, cpu }: { run: SwarmRun; cpu: number }): Figure[] {
  const { published, lost, unacknowledged, resent, latencies } = run;
  const percentile = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return [
    counted(`${name}: lost of ${published.toLocaleString('en')}`, lost, 'messages', 0),
    counted(`${name}: unacknowledged`, unacknowledged, 'messages', 0),
    seen(`${name}: sent again`, resent, 'datagrams'),
    seen(`${name}: CPU of the gateway a message`, cpu / published, 'µs'),
    ...([50, 90, 99, 99.9] as const).map((n) => seen(`${name}: PUBACK after, ${n} %`, percentile(n / 100), 'ms')),
    seen(`${name}: PUBACK after, at most`, latencies.at(-1) ?? Number.NaN, 'ms'),
  ];
}

/** A run, and the microseconds of CPU it took the gateway. */
async function measured(child: ChildProcess, swarm: Swarm): Promise<{ run: SwarmRun; cpu: number }> {
  const before = cpuMicroseconds(child);
  const run = await swarm.publishes(SECONDS, DEADLINE_MS);
  return { run, cpu: cpuMicroseconds(child) - before };
}

/** `twobyte gateway` on a free port of this machine, as a process of its own. */
async function gateway(broker: string): Promise<{ child: ChildProcess; port: number }> {
  const args = [twobyte, 'gateway', '--broker', broker, '--udp', '0', '--bind', '127.0.0.1', '--quiet'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for (;;) {
    const [chunk] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    if (!Buffer.isBuffer(chunk)) throw new Error('the gateway ended before it listened');
    text += chunk;
    const [, port] = /UDP port (\d+)/.exec(text) ?? [];
    if (port) return { child, port: Number(port) };
  }
}

/** Whether this system tells what other processes use. */
export const tellsProcesses = existsSync('/proc/self/stat');

function cpuMicroseconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_US; // utime, stime
}

function residentKilobytes({ pid }: ChildProcess): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** For a test's `skip`: false, or why it is skipped and what to do about it. */
export const skipSocat = spawnSync('socat', ['-V'], { stdio: 'ignore' }).status === 0 ? false : 'socat is missing: apt-get install socat';

/** Two pseudo-terminals joined back to back, which stand for the ports at both ends of a serial line. */
export interface Wire {
  /** Paths of the two ends. */
  ends: [string, string];
  /** What joins them; stopped, nothing is carried. */
  process: ChildProcess;
}

/** A wire of one test; between new ends, or in the place of one that ended. */
export async function wire(t: { after(end: () => Promise<void>): void }, before?: [string, string]): Promise<Wire> {
  const directory = before ? dirname(before[0]) : mkdtempSync(join(tmpdir(), 'twobyte-wire-'));
  const ends: [string, string] = before ?? [join(directory, 'a'), join(directory, 'b')];
  const child = spawn('socat', ['-d', '-d', ...ends.map((path) => `pty,rawer,link=${path}`)], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => {
    const ended = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  for await (const line of createInterface({ input: child.stderr })) {
    if (!line.includes('starting data transfer loop')) continue;
    child.stderr.resume(); // it may go on speaking
    return { ends, process: child };
  }
  throw new Error('socat ended before it had made a wire');
}

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { BoardConsole, type ConsoleEvent, type ConsoleOptions } from '../../host/console/console.js';
import { Heard } from '../interop/peers.js';
import { wire } from '../links/wire.js';
import { posixBoard, sensorModule } from '../rungs/world.js';

export interface ConsoledBoard {
  console: BoardConsole;
  events: Heard<ConsoleEvent>;
  says: Heard<string>;
  remarks: Heard<string>;
  /** What the process wrote: lines of JSON, and words. */
  stdout: Heard<string>;
  stderr: Heard<string>;
  /** Its --config file. */
  config: string;
  /** The host's end of the wire. */
  port: string;
  exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** What is the posix board's own, and in no settings that a host brings. */
const own = (module: string) => ['--module', module, '--thermometer', 'simulated:1'];

/** A console at the other end of this port, for one test. */
export async function openConsole(t: TestContext, port: string, options: ConsoleOptions = {}) {
  const console = await BoardConsole.open({ path: port }, options);
  t.after(() => console.close());
  const [events, says, remarks] = [new Heard<ConsoleEvent>(), new Heard<string>(), new Heard<string>()];
  console.on('event', (event) => events.add(event));
  console.on('says', (line) => says.add(line));
  console.on('remark', (text) => remarks.add(text));
  return { console, events, says, remarks };
}

/** A posix board of one test with its console at a pseudo-terminal, and a host at the other end. */
export async function consoledBoard(
  t: TestContext,
  {
    args = [],
    module = sensorModule,
    executable = posixBoard,
    environment = {},
    settings,
    ...options
  }: ConsoleOptions & {
    args?: string[];
    module?: string;
    executable?: string;
    environment?: Record<string, string>;
    settings?: Uint8Array;
  } = {},
): Promise<ConsoledBoard> {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-console-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const config = join(directory, 'board.conf');
  if (settings) writeFileSync(config, settings, { mode: 0o600 });
  const { ends } = await wire(t);
  const child = spawn(executable, ['--console', ends[0], '--config', config, ...own(module), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', (status) => resolve(status)));
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [stdout, stderr] = [new Heard<string>(), new Heard<string>()];
  createInterface({ input: child.stdout }).on('line', (line) => stdout.add(line));
  createInterface({ input: child.stderr }).on('line', (line) => stderr.add(line));
  const host = await openConsole(t, ends[1], options);
  return { ...host, stdout, stderr, config, port: ends[1], exited, kill: (signal) => void child.kill(signal) };
}

/** Settings that a host brings: key = value lines. */
export const settingsText = (settings: Readonly<Record<string, string | number>>): Buffer =>
  Buffer.from(
    Object.entries(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );

/** Resolves with an event of this name; of those that came before, too, from number `from` on. */
export async function eventOf(events: Heard<ConsoleEvent>, name: string, from = 0): Promise<ConsoleEvent> {
  const all = await events.until((all) => all.slice(from).some(({ event }) => event === name), `the event ${name}`, 20_000);
  return all.slice(from).find(({ event }) => event === name) as ConsoleEvent;
}

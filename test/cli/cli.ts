import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, CommanderError } from 'commander';
import { skipMosquitto } from '../mosquitto.js';

const DEADLINE_MS = 20_000;
export const twobytePath = fileURLToPath(new URL('../../host/cli/twobyte.js', import.meta.url));

const inPath = (name: string) =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** For a test's `skip`, where mosquitto_pub and mosquitto_sub are the peers. */
export const skipPeers =
  skipMosquitto ||
  (inPath('mosquitto_pub') && inPath('mosquitto_sub') ? false : 'mosquitto_pub is missing: apt-get install mosquitto-clients');

export interface Ended {
  /** Exit status, or the name of the signal. */
  status: number | string;
  stdout: Buffer;
  stderr: string;
}

export interface RunOptions {
  /** For the standard input, which is then ended; without it, it ends at once. */
  input?: string | Buffer;
  env?: Record<string, string>;
}

/** A running command, killed at its deadline. */
export class Run {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  stderr = '';
  readonly #words: string;
  readonly #stdout: Buffer[] = [];
  #changed = () => {};
  #over = false;

  constructor(program: string, args: readonly string[], env: Record<string, string> = {}, readsOutput = true) {
    this.#words = `${program} ${args.join(' ')}`;
    this.child = spawn(program, args, { env: { ...process.env, ...env } });
    this.child.stdin.on('error', () => {}); // a command may end before it has read all
    if (readsOutput) this.read();
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#changed();
    });
    const timer = setTimeout(() => this.child.kill('SIGKILL'), DEADLINE_MS);
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        clearTimeout(timer);
        this.#over = true;
        this.#changed();
        if (signal === 'SIGKILL') reject(new Error(`${this.#words} did not end within ${DEADLINE_MS} ms\n${this.stderr}`));
        else resolve({ status: code ?? signal ?? '', stdout: Buffer.concat(this.#stdout), stderr: this.stderr });
      });
    });
    this.ended.catch(() => {}); // whoever waits hears of it
  }

  /** Begins to read the standard output. */
  read(): void {
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout.push(chunk);
      this.#changed();
    });
  }

  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  /** Waits until it has written something to stderr. */
  says(pattern: RegExp): Promise<void> {
    return this.#until(() => pattern.test(this.stderr), `say ${pattern}`);
  }

  /** Waits until it has written something to stdout. */
  prints(text: string): Promise<void> {
    return this.#until(() => this.stdout.includes(text), `print ${JSON.stringify(text)}`);
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.#over) throw new Error(`${this.#words} ended and did not ${what}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** Starts twobyte with its standard input open. */
export function start(args: readonly string[], env?: Record<string, string>, readsOutput?: boolean): Run {
  return new Run(process.execPath, [twobytePath, ...args], env, readsOutput);
}

/** Runs twobyte to its end. */
export function twobyte(args: readonly string[], { input, env }: RunOptions = {}): Promise<Ended> {
  const run = start(args, env);
  run.child.stdin.end(input);
  return run.ended;
}

/**
 * Runs a command that refuses in this process: to start another takes longer. Answers its status and what it said; rejects with what it threw beside.
 * One at a time, and none that waits for a signal.
 */
export async function refusalOf(command: Command, args: readonly string[]): Promise<{ status: number; stderr: string }> {
  const { exitCode } = process;
  const { write } = process.stderr;
  let stderr = '';
  process.stderr.write = (text: string | Uint8Array) => {
    stderr += text;
    return true;
  };
  try {
    await command.exitOverride().parseAsync(args, { from: 'user' });
    return { status: Number(process.exitCode ?? 0), stderr };
  } catch (error) {
    if (error instanceof CommanderError) return { status: error.exitCode, stderr };
    throw error;
  } finally {
    process.stderr.write = write;
    process.exitCode = exitCode;
  }
}

/** Runs another program to its end. */
export function program(name: string, args: readonly string[], { input, env }: RunOptions = {}): Promise<Ended> {
  const run = new Run(name, args, env);
  run.child.stdin.end(input);
  return run.ended;
}

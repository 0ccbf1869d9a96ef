import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const DEADLINE_MS = 10_000;
const ATTEMPTS = 5;

// Debian keeps the broker in /usr/sbin, which is in the path of root only.
const program = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin']
  .map((directory) => join(directory, 'mosquitto'))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

export const haveMosquitto = program !== undefined;

/** For a test's `skip`: false, or why it is skipped and what to do about it. */
export const skipMosquitto = haveMosquitto ? false : 'mosquitto is missing: apt-get install mosquitto';

export interface Mosquitto extends AsyncDisposable {
  readonly port: number;
  /** Its own directory, removed by stop(). */
  readonly directory: string;
  /** What it logged so far, for the message of a test that fails. */
  readonly log: string;
  /** Ends it with SIGTERM, or with another signal. Once more does nothing. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Lines of mosquitto.conf, or what writes files (passwords, certificates) to the broker's directory first and answers the lines. */
export type ConfigLines = readonly string[] | ((directory: string) => Promise<readonly string[]>);

/** Below the ports that systems give to outgoing connections: of those one may be taken between the look and its use. */
const FREE_PORTS = [10_000, 32_000] as const;

/** A port of 127.0.0.1 that nobody listens at. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(...FREE_PORTS), '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      continue;
    }
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Writes a password_file for these users to `path`, and answers it. */
export async function passwordFile(path: string, users: Readonly<Record<string, string>>): Promise<string> {
  await writeFile(path, '', { mode: 0o600 });
  for (const [user, password] of Object.entries(users)) await promisify(execFile)('mosquitto_passwd', ['-b', path, user, password]);
  return path;
}

/**
 * Starts a broker that listens at 127.0.0.1 and is ready when the promise resolves: anonymous clients, no persistence, everything logged.
 * `configLines` come last: they overrule these, and may add listeners (`listener PORT 127.0.0.1`, `protocol websockets`, `cafile …`).
 * Without a `port` it takes a free one.
 *
 *     await using broker = await startMosquitto(['max_inflight_messages 1']);
 */
export async function startMosquitto(configLines: ConfigLines = [], port?: number): Promise<Mosquitto> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(configLines, port ?? (await freePort()));
    } catch (error) {
      // another process may have taken the port since it was found free
      if (port !== undefined || attempt === ATTEMPTS || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function start(configLines: ConfigLines, port: number): Promise<Mosquitto> {
  if (!program) throw new Error(String(skipMosquitto));
  const directory = await mkdtemp(join(tmpdir(), 'twobyte-mosquitto-'));
  const lines = ['allow_anonymous true', 'persistence false', 'log_dest stderr', 'log_type all', `listener ${port} 127.0.0.1`];
  // As root it would become another user, who may not read certificates and passwords of a test.
  if (process.getuid?.() === 0) lines.unshift('user root');
  const file = join(directory, 'mosquitto.conf');
  const more = typeof configLines === 'function' ? await configLines(directory) : configLines;
  await writeFile(file, `${[...lines, ...more].join('\n')}\n`);

  const child = spawn(program, ['-c', file], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  const abandon = () => {
    kill();
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', abandon); // a run that breaks off leaves nothing behind
  const gone = new Promise<void>((resolve) => child.once('close', resolve).once('error', resolve));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });

  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const timer = setTimeout(kill, DEADLINE_MS);
    await gone;
    clearTimeout(timer);
    process.off('exit', abandon);
    await rm(directory, { recursive: true, force: true });
  };

  try {
    await ready(child, () => log);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    directory,
    get log() {
      return log;
    },
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

/** It says that it runs after its listeners are open. */
function ready(child: ChildProcess, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(`did not start within ${DEADLINE_MS} ms`), DEADLINE_MS);
    const look = () => {
      if (/mosquitto version \S+ running/.test(log())) finish();
    };
    const finish = (fault?: string) => {
      clearTimeout(timer);
      child.stderr?.off('data', look); // a long log is not searched again for every line
      if (fault === undefined) resolve();
      else reject(new Error(`mosquitto ${fault}\n${log()}`));
    };
    child.stderr?.on('data', look);
    child.once('error', (error) => finish(error.message));
    child.once('close', (code, signal) => finish(`ended with ${signal ?? `status ${code}`}`));
  });
}

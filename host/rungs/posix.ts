import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type BoardEvent,
  type BoardListener,
  type BoardSettings,
  moduleOf,
  modulePath,
  type Rung,
  type RunningBoard,
  settingLine,
} from './rung.js';

/** The sensor module under wasm3, or compiled, in a process of its own: `executable` is the posix board, `environment` more than it has from here. */
export function posixRung(executable: string, environment: Readonly<Record<string, string>> = {}): Rung {
  return (settings, listener) => start(executable, environment, settings, listener);
}

async function start(
  executable: string,
  environment: Readonly<Record<string, string>>,
  settings: BoardSettings,
  listener: BoardListener,
): Promise<RunningBoard> {
  const text = Object.entries({ ...settings, module: modulePath(moduleOf(settings)) })
    .map(settingLine)
    .join('');
  // In a file, where a password is not in the list of processes.
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-board-'));
  const forget = () => rmSync(directory, { recursive: true, force: true });
  const config = join(directory, 'board.conf');
  writeFileSync(config, text, { mode: 0o600 });

  const child = spawn(executable, ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void closed.then(forget);
  let ending = false;
  let lastWords = '';
  let flushed: BoardEvent | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    forget(); // it has read its settings when it speaks
    const event: BoardEvent = { a: 0, b: 0, ...JSON.parse(line) };
    if (event.event === 'flushed') flushed = event;
    listener.event(event);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastWords = line;
    listener.says(line);
  });
  child.on('close', (status, signal) => {
    if (!ending) listener.failed(new Error(`the posix board ended with ${signal ?? `status ${status}`}: ${lastWords}`));
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    ending = true;
    forget();
    throw new Error(`the posix board does not start: ${(error as Error).message}`);
  }

  const end = async (signal: 'SIGTERM' | 'SIGKILL' | 'SIGUSR1') => {
    ending = true;
    child.kill(signal);
    await closed;
  };
  return {
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async sleep() {
      await end('SIGUSR1');
      if (!flushed) throw new Error(`the posix board did not say its last words: ${lastWords}`);
      return flushed;
    },
  };
}

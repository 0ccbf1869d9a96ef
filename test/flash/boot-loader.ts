import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sequence } from '../links/noise.js';

/** esptool, and the stand-in for a chip's boot loader: firmware/esptool/requirements.txt. This file runs as build/js/test/flash/boot-loader.js. */
const installed = fileURLToPath(new URL('../../../esptool', import.meta.url));

/** For a test's `skip`. */
export const skipEsptool = existsSync(join(installed, 'complete'))
  ? false
  : 'esptool is not in build/esptool: run npm test with python3-pip installed';

/** An environment in which esptool is found. */
export const withEsptool = { PATH: `${join(installed, 'bin')}${delimiter}${process.env.PATH}`, PYTHONPATH: installed };

/** A directory of one test. */
export function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-flash-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface BootLoader {
  /** The port of the chip. */
  path: string;
  process: ChildProcess;
  /** Takes the chip from its port: what its flash holds. */
  unplug(): Promise<Buffer>;
}

/** Runs the stand-in, with a flash that may hold something before, and that is written to a file at the end. A session lasts as long as the port is open. */
const program = `
import os, signal, sys
from esp32_mock_bootloader import server
chip, before, after = sys.argv[1:]
flash = server.get_flash_image()
if before: flash.data[:] = open(before, 'rb').read()
def end(*_):
    open(after, 'wb').write(flash.data)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
server._FLASH_END_IDLE_SEC = 1e9
server.run_pty_server(None, None, chip)
`;

/** Bytes of flash that it has. */
export const FLASH_BYTES = 4 * 1024 * 1024;

/** A chip in its boot loader, behind a pseudo-terminal, with 4 MB of flash: esp32-mock-bootloader, which is not of this project. */
export async function bootLoader(t: TestContext, chip: string, held?: Buffer): Promise<BootLoader> {
  const directory = temporary(t);
  const [before, after] = [held ? join(directory, 'before') : '', join(directory, 'after')];
  if (held) writeFileSync(before, held);
  const env = { ...process.env, ...withEsptool, PYTHONUNBUFFERED: '1' };
  const child = spawn('python3', ['-c', program, chip, before, after], { stdio: ['ignore', 'pipe', 'ignore'], env });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout as Readable });
  const [path] = (await once(lines, 'line', { signal: AbortSignal.timeout(20_000) })) as [string];
  return {
    path,
    process: child,
    async unplug() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      return readFileSync(after);
    },
  };
}

/** Bytes that look random, or that compress, the same each time. */
export function content(length: number, seed: number): Buffer {
  const next = sequence(seed);
  return Buffer.from(Array.from({ length }, () => next() & 255));
}

/** An entry of a partition table. */
export function partition(name: string, type: number, subtype: number, offset: number, size: number): Buffer {
  const entry = Buffer.alloc(32);
  entry.writeUInt16LE(0x50aa);
  entry.writeUInt8(type, 2);
  entry.writeUInt8(subtype, 3);
  entry.writeUInt32LE(offset, 4);
  entry.writeUInt32LE(size, 8);
  entry.write(name, 12, 16);
  return entry;
}

export interface BuildOptions {
  chip?: string;
  /** Bytes of the application. */
  size?: number;
  /** Further files, by offset. */
  more?: Record<string, Buffer>;
}

/** What a build of ESP-IDF leaves: its directory, and the pieces by offset. */
export function build(directory: string, { chip = 'esp32c3', size = 150_000, more = {} }: BuildOptions = {}): Map<number, Buffer> {
  const table = Buffer.concat([
    partition('nvs', 1, 2, 0x9000, 0x6000),
    partition('settings', 1, 2, 0xf000, 0x1000),
    partition('factory', 0, 0, 0x10000, 0x100000),
    partition('modules', 1, 0x40, 0x110000, 0x10000),
    Buffer.alloc(32, 0xff),
  ]);
  const files: Record<string, [string, Buffer]> = {
    '0x10000': ['app.bin', Buffer.concat([content(size - size / 3, 1), Buffer.alloc(size / 3, 7)])],
    '0x0': ['bootloader.bin', content(20_000, 2)],
    '0x8000': ['partition-table.bin', table],
    ...Object.fromEntries(Object.entries(more).map(([offset, bytes]) => [offset, [`more-${offset}.bin`, bytes]])),
  };
  for (const [name, bytes] of Object.values(files)) writeFileSync(join(directory, name), bytes);
  const flashFiles = Object.fromEntries(Object.entries(files).map(([offset, [name]]) => [offset, name]));
  const args = {
    flash_settings: { flash_mode: 'dio', flash_size: '4MB', flash_freq: '80m' },
    flash_files: flashFiles,
    'partition-table': { offset: '0x8000', file: 'partition-table.bin' },
    extra_esptool_args: { after: 'hard_reset', before: 'default_reset', stub: true, chip },
  };
  writeFileSync(join(directory, 'flasher_args.json'), JSON.stringify(args));
  return new Map(Object.entries(files).map(([offset, [, bytes]]) => [Number(offset), bytes]));
}

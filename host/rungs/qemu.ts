import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { type Bridge, bridgeOver, type Way } from '../bridge/bridge.js';
import { slotImage } from '../deploy/slot-image.js';
import { lock, unlock } from '../journal/lock.js';
import { discoveryAt, isMqttSn, linkTo, redact } from '../links/address.js';
import { FLASH_ADDRESS, flashImage } from './qemu-flash.js';
import {
  type BoardEvent,
  type BoardListener,
  type BoardSettings,
  type Engine,
  moduleOf,
  modulePath,
  type RunningBoard,
  settingLine,
} from './rung.js';

/** The machine's memory: what outlives its end is in there. */
const MEMORY_BYTES = 8 * 1024 * 1024;
/** Ends a program when its parent does, however that ends; of util-linux. */
const SETPRIV = '/usr/bin/setpriv';

/** What the slots of the flash hold (slotImage) in place of the module that the settings name. */
export interface Modules {
  module?: Uint8Array;
  fallback?: Uint8Array;
}

export interface Machine extends Modules {
  /** Stands between the UART and the bridge. */
  wire?: (uart: Duplex) => Duplex;
}

/** A board whose machine runs on when the board is reset. */
export interface EmulatedBoard extends RunningBoard {
  restart(): Promise<void>;
  /** Frames of the UART that came damaged. */
  readonly badFrames: number;
}

/** The sensor module on an emulated rv32 machine, its UART bridged here to the broker: `directory` has the images (scripts/qemu.js). */
export function qemuRung(directory: string, engine: Engine = 'wasm3', machine: Machine = {}) {
  return (settings: BoardSettings, listener: BoardListener): Promise<EmulatedBoard> =>
    start(directory, engine, machine, settings, listener);
}

/** Where the board's link leads, by the addresses that stand in its settings. */
function waysTo(broker: string): { brokers: Way[]; gateway?: Way } {
  const urls = broker.trim().split(/\s+/);
  const ways = urls.map((url) => {
    if (discoveryAt(url))
      throw new TypeError(`address '${redact(url)}': gateways are searched there; the emulated board has no network to search`);
    return { name: redact(url), open: linkTo(url) };
  });
  const [first, ...more] = ways;
  if (!urls.some(isMqttSn)) return { brokers: ways };
  if (more.length > 0) throw new TypeError(`address '${redact(broker)}': over MQTT-SN the emulated board has one gateway`);
  return { brokers: [], ...(first && { gateway: first }) };
}

const RECORDING = 'replay:';

function recordingOf(thermometer: string): { recording?: Buffer } {
  if (!thermometer.startsWith(RECORDING) || thermometer === RECORDING) return {};
  const path = thermometer.slice(RECORDING.length);
  try {
    return { recording: readFileSync(path) };
  } catch (error) {
    throw new Error(`thermometer: ${path} cannot be read: ${(error as Error).message}`);
  }
}

/** The file of the machine's memory, new or that of an earlier run, for this board alone. Answers how to give it back. */
function holdMemory(path: string): () => void {
  const holder = lock(`${path}.lock`);
  if (holder !== undefined) throw new Error(`journal: ${path} is another board's (process ${holder})`);
  const release = () => unlock(`${path}.lock`);
  try {
    if (existsSync(path)) {
      if (statSync(path).size !== MEMORY_BYTES)
        throw new Error(`journal: ${path} is not an emulated board's memory of ${MEMORY_BYTES} bytes`);
    } else {
      const file = openSync(path, 'wx', 0o600);
      ftruncateSync(file, MEMORY_BYTES);
      closeSync(file);
    }
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** Ends a machine with all that it left behind; of each that runs. */
const running = new Set<() => void>();
process.on('exit', () => {
  for (const clear of running)
    try {
      clear();
    } catch {
      // the next one's turn, all the same
    }
});

/** A machine that begins with what is in `flash` and `memory`; its UART are stdin and stdout. */
function spawnMachine(image: string, flash: string, memory: string) {
  const program = 'qemu-system-riscv32';
  const arguments_ = [
    ...['-machine', 'virt,memory-backend=memory', '-m', `${MEMORY_BYTES / 1024 / 1024}M`, '-cpu', 'rv32', '-bios', 'none'],
    ...['-object', `memory-backend-file,id=memory,size=${MEMORY_BYTES},mem-path=${memory},share=on`],
    ...['-kernel', image, '-device', `loader,file=${flash},addr=0x${FLASH_ADDRESS.toString(16)},force-raw=on`],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio'],
  ];
  const [command = program, ...line] = existsSync(SETPRIV)
    ? [SETPRIV, '--pdeathsig', 'KILL', program, ...arguments_]
    : [program, ...arguments_];
  return spawn(command, line, { stdio: ['pipe', 'pipe', 'pipe'] });
}

/** How long what a machine said last may take to be read when it has ended. */
const LAST_WORDS_MS = 500;

/** Not Duplex.from: the machine's stdin breaks at its end, and that would throw away what it said last. */
function uartOf({ stdin, stdout }: ReturnType<typeof spawnMachine>): Duplex {
  const uart = new Duplex({
    allowHalfOpen: false,
    read: () => void stdout.resume(),
    write: (chunk, _, done) => void stdin.write(chunk, () => done()),
    final: (done) => void stdin.end(() => done()),
    destroy(error, done) {
      stdin.destroy();
      stdout.destroy(); // paused, it would keep the machine's end from being told
      done(error);
    },
  });
  stdin.on('error', () => {}); // nobody is there to read it
  stdout.on('data', (chunk) => uart.push(chunk) || stdout.pause());
  stdout.on('end', () => uart.push(null));
  return uart;
}

/** A machine without a bridge: whoever has its UART is the host at the other end of the line. */
export interface BareMachine {
  uart: Duplex;
  /** Resolves with how it ended. */
  exited: Promise<string>;
  kill(): Promise<void>;
}

/** Starts the board of `image` with this flash (flashImage), and the memory in this file, which outlives it. Both files stay the caller's; the flash is read at once. */
export async function bareMachine(image: string, flash: string, memory: string): Promise<BareMachine> {
  const release = holdMemory(memory);
  const child = spawnMachine(image, flash, memory);
  const clear = () => {
    child.kill('SIGKILL');
    release();
  };
  running.add(clear);
  child.stderr.resume();
  const exited = new Promise<string>((resolve) => child.once('exit', (status, signal) => resolve(signal ?? `status ${status}`)));
  void exited.then(() => {
    running.delete(clear);
    release();
  });
  const uart = uartOf(child);
  await once(child, 'spawn');
  return {
    uart,
    exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function start(
  directory: string,
  engine: Engine,
  { wire: between = (uart) => uart, ...modules }: Machine,
  settings: BoardSettings,
  listener: BoardListener,
): Promise<EmulatedBoard> {
  const name = moduleOf(settings);
  const { broker, thermometer, module: _, journal, ...rest } = settings;
  const ways = waysTo(String(broker));
  const text = Object.entries({
    ...rest,
    broker: ways.gateway ? 'mqtt-sn+serial:' : 'mqtt+serial:',
    thermometer: thermometer ?? '',
    ...(journal !== undefined && { journal: 'nvram' }),
  })
    .map(settingLine)
    .join('');
  const flash = flashImage({
    ...(engine === 'wasm3' && { module: slotImage(readFileSync(modulePath(name)), 1), ...modules }),
    settings: Buffer.from(text),
    seed: randomBytes(16),
    ...recordingOf(String(thermometer)),
  });
  const scratch = mkdtempSync(join(tmpdir(), 'twobyte-rv32-'));
  const forget = () => rmSync(scratch, { recursive: true, force: true });
  const flashFile = join(scratch, 'flash');
  const memory = journal === undefined ? join(scratch, 'memory') : String(journal);
  let release = () => {};
  try {
    writeFileSync(flashFile, flash, { mode: 0o600 }); // it may hold a password
    release = holdMemory(memory);
  } catch (error) {
    forget();
    throw error;
  }

  const child = spawnMachine(join(directory, engine === 'aot' ? `twobyte-rv32-${name}` : 'twobyte-rv32'), flashFile, memory);
  const clear = () => {
    child.kill('SIGKILL'); // without effect when it has ended
    forget();
    release();
  };
  running.add(clear);
  let behind = Number.POSITIVE_INFINITY;
  let ending = false;
  let lastWords = '';
  let flushed: BoardEvent | undefined;
  const says = (line: string) => {
    lastWords = line;
    listener.says(line);
  };
  child.stderr.setEncoding('utf8').on('data', (words: string) => {
    for (const line of words.split('\n')) if (line) says(line);
  });
  const wire = between(uartOf(child));
  // QEMU has read the flash and holds the memory open when the board speaks; a reset of the machine loads the flash again from QEMU's own copy.
  wire.once('data', forget);
  const bridge: Bridge = bridgeOver(wire, {
    ...ways,
    event(line) {
      const event: BoardEvent = { a: 0, b: 0, ...JSON.parse(line) };
      // The machine's clock was set to a whole second: it is behind by what the fastest event took.
      behind = Math.min(behind, performance.timeOrigin + performance.now() - event.at);
      event.at += behind;
      if (event.event === 'flushed') flushed = event;
      listener.event(event);
    },
    says,
    tell: (remark) => listener.says(remark), // no words of the board
  });
  // The machine's last words may still be in the stream when it has ended.
  const read = new Promise<void>((resolve) => wire.once('close', resolve));
  const exited = new Promise<string>((resolve) => child.once('exit', (status, signal) => resolve(signal ?? `status ${status}`)));
  const closed = exited.then(async (how) => {
    await Promise.race([read, setTimeout(LAST_WORDS_MS)]);
    wire.destroy();
    void bridge.close();
    running.delete(clear);
    release();
    forget();
    if (!ending) listener.failed(new Error(`the emulated board ended with ${how}: ${lastWords}`));
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    ending = true;
    throw new Error(`the emulated board does not start: ${(error as Error).message}; on Debian: apt-get install qemu-system-misc`);
  }

  let asked: Promise<void> | undefined;
  /** Either ends the machine; one that does not take the command ends by force, and that rejects. */
  const ask = (what: 'stop' | 'flush') => {
    ending = true;
    asked ??= Promise.race([bridge.command(what), closed])
      .catch((error: unknown) => {
        child.kill('SIGKILL');
        return closed.then(() => Promise.reject(error));
      })
      .then(() => closed);
    return asked;
  };
  return {
    stop: () => ask('stop'),
    async kill() {
      ending = true;
      child.kill('SIGKILL');
      await closed;
    },
    async sleep() {
      await ask('flush');
      if (!flushed) throw new Error(`the emulated board did not say its last words: ${lastWords}`);
      return flushed;
    },
    restart: () => bridge.command('restart'),
    get badFrames() {
      return bridge.badFrames;
    },
  };
}

import { Command } from 'commander';
import { BAUD_RANGE, DEFAULT_BAUD } from '../links/address.js';
import { machineOf } from '../monitor/backtrace.js';
import { listen } from '../monitor/listen.js';
import { type LineKind, Monitor } from '../monitor/monitor.js';
import { resetBy } from '../ports/open.js';
import { choosePort, PortFault } from '../ports/ports.js';
import { serialPort } from './serial-port.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith, UsageError } from './usage.js';

interface Values {
  port?: string;
  elf?: string;
  reset?: true;
  json?: true;
  frames?: true;
  time: boolean;
}

const after = `
The port is the only one with a board, unless --port names it. It only listens, unless --reset. Shown are what the chip prints, console lines and events of
the firmware, and, behind ↳, what is known of faults: why the chip restarted, what a trap means, that it waits to be flashed. With --json the events go to
stdout as the board says them, a line each, and all else to stderr. A port that goes away is looked for until it is back. Ctrl-C ends.

Exit status: 0 ended by a signal or by the reader of stdout · 1 bad usage, or the port cannot be opened at the start

Example: twobyte monitor --reset --elf build/firmware/esp32c3/twobyte.elf
`;

export function monitorCommand(): Command {
  const [least, most] = BAUD_RANGE;
  const command = discreet(new Command('monitor'))
    .description('Shows what a board at a serial port says, and what its faults mean.')
    .option('--port <path[@baud]>', `its port and bits per second, ${least} to ${most} (default: ${DEFAULT_BAUD})`)
    .option('--reset', 'reset the board first, by the lines DTR and RTS')
    .option('--elf <file>', "the firmware's ELF file: names the places in the source when it traps, by addr2line of ESP-IDF's tools")
    .option('--json', 'events as lines of JSON on stdout, all else on stderr')
    .option('--frames', 'show all frames of the line, also those of streams and datagrams')
    .option('--no-time', 'no time before each line')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((values: Values) => exitWith(command, () => run(values)));
}

async function run(values: Values): Promise<number> {
  const { path: given, baud = DEFAULT_BAUD } = values.port === undefined ? {} : serialPort(values.port, '--port');
  if (values.elf !== undefined) checkElf(values.elf);
  const tell = (text: string) => void process.stderr.write(`twobyte monitor: ${text}\n`);
  const ended = untilEnd();
  const monitor = new Monitor({
    baud,
    show: values.json ? showJson(values.time) : showLines(values.time),
    ...(values.elf !== undefined && { elf: values.elf }),
    frames: values.frames ?? false,
  });
  try {
    const path = await choosePort(given);
    const listening = await listen(path, baud, {
      bytes: (chunk) => monitor.bytes(chunk),
      away() {
        monitor.silence();
        tell(`${path} is gone; it is looked for until it returns`);
      },
      back: () => tell(`${path} is back`),
    });
    tell(`${path} at ${baud} baud; Ctrl-C ends`);
    try {
      if (values.reset) await resetBy(listening.port, path);
      await ended;
    } finally {
      await listening.close();
      await monitor.end();
    }
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof PortFault)) throw error;
    tell(error.message);
    return EXIT_FAILURE;
  }
}

function checkElf(path: string): void {
  try {
    machineOf(path);
  } catch (error) {
    throw new UsageError(`--elf: ${(error as Error).message}`);
  }
}

/** The time of day, to the millisecond. */
function time(): string {
  const now = new Date();
  const two = (number: number) => String(number).padStart(2, '0');
  return `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}.${String(now.getMilliseconds()).padStart(3, '0')} `;
}

const marks: Readonly<Record<LineKind, string>> = { text: '', console: '', event: '· ', frame: '○ ', note: '  ↳ ' };

function lineOf(withTime: boolean, kind: LineKind, text: string): string {
  return `${withTime ? time() : ''}${marks[kind]}${text}`;
}

const [YELLOW, RED, BOLD, PLAIN] = ['\x1b[33m', '\x1b[31m', '\x1b[1m', '\x1b[0m'];

/** The colour of a line on a terminal: ESP-IDF's warnings and errors, and our notes. */
function colourOf(kind: LineKind, text: string): string | undefined {
  if (kind === 'note') return BOLD;
  if (kind !== 'text') return undefined;
  if (/^E \(\d+\)|^Guru Meditation/.test(text)) return RED;
  return /^W \(\d+\)/.test(text) ? YELLOW : undefined;
}

function showLines(withTime: boolean): (kind: LineKind, text: string) => void {
  const coloured = process.stdout.isTTY && !process.env.NO_COLOR;
  return (kind, text) => {
    const line = lineOf(withTime, kind, text);
    const colour = coloured ? colourOf(kind, text) : undefined;
    process.stdout.write(colour ? `${colour}${line}${PLAIN}\n` : `${line}\n`);
  };
}

function showJson(withTime: boolean): (kind: LineKind, text: string, json?: string) => void {
  return (kind, text, json) => {
    if (json !== undefined) process.stdout.write(`${json.replace(/\s*\n\s*/g, ' ')}\n`);
    else process.stderr.write(`${lineOf(withTime, kind, text)}\n`);
  };
}

/** Resolves when a signal ends it, or the reader of stdout. */
function untilEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    process.stdout.on('error', () => resolve());
  });
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, symlinkSync, type WriteStream, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { monitorCommand } from '../../host/cli/monitor.js';
import { encodeFrame } from '../../host/links/framing.js';
import { type LineKind, Monitor } from '../../host/monitor/monitor.js';
import { bridgeOf, listPorts } from '../../host/ports/ports.js';
import { refusalOf, start, twobyte } from '../cli/cli.js';
import { skipSocat, wire } from '../links/wire.js';

const said = (kind: number, body: string | Buffer) => encodeFrame(Buffer.concat([Buffer.of(0, kind), Buffer.from(body)]));
const hello = (boot: number, version = 1) => {
  const body = Buffer.alloc(10);
  body[0] = version;
  body.writeUInt32BE(boot, 2);
  return said(0, body);
};

/** What a monitor shows of `bytes`, kinds before their lines. */
async function shown(bytes: Uint8Array, options: { elf?: string; frames?: boolean } = {}): Promise<string[]> {
  const lines: string[] = [];
  const monitor = new Monitor({ baud: 9600, show: (kind: LineKind, text: string) => void lines.push(`${kind} ${text}`), ...options });
  monitor.bytes(bytes);
  await monitor.end();
  return lines;
}

describe('a monitor', () => {
  test('tells each start once, what was lost, and versions that are not its own', async () => {
    const lost = Buffer.alloc(8);
    lost.writeUInt32BE(2, 0);
    lost.writeUInt32BE(3, 4);
    assert.deepEqual(await shown(Buffer.concat([hello(1), hello(1), said(3, lost), hello(2, 9)])), [
      'frame the firmware has started',
      'frame the board has dropped 2 console lines and 3 events since its start: the line was busy',
      'frame the firmware has started; it speaks another version of the line than this program',
    ]);
  });

  test('shows streams and datagrams only when asked to', async () => {
    const open = said(0x10, Buffer.from('c0ffee01000000000000', 'hex'));
    const data = said(0x12, Buffer.from('c0ffee010001d000', 'hex'));
    const acknowledgement = said(0x14, Buffer.from('c0ffee01000101', 'hex'));
    const close = said(0x13, Buffer.from('c0ffee01000200', 'hex'));
    const bytes = Buffer.concat([
      hello(1),
      hello(1),
      open,
      data,
      acknowledgement,
      close,
      encodeFrame(Buffer.from('0216', 'hex')),
      said(0x7f, 'x'),
    ]);
    assert.deepEqual(await shown(bytes), ['frame the firmware has started']);
    assert.deepEqual((await shown(bytes, { frames: true })).slice(1), [
      'frame hello, stream 0',
      'frame opens stream c0ffee01, attempt 1',
      'frame data 1 of c0ffee01, 2 bytes: d000',
      'frame awaits 1 of c0ffee01, held',
      'frame closes stream c0ffee01',
      'frame MQTT-SN, 2 bytes: 0216',
      'frame message 007f78',
    ]);
  });

  test('says how to decode a trap without the ELF file', async () => {
    assert.deepEqual((await shown(Buffer.from('Backtrace: 0x400d1234:0x3ffb0010 0x400d5678:0x3ffb0030\n'))).slice(1), [
      'note where in the source: give --elf FILE.elf of the build, or run xtensa-esp-elf-addr2line -pfiaC -e FILE.elf 0x400d1234 0x400d5678',
    ]);
  });

  test('asks once whether the rate is right', async () => {
    const noise = Buffer.alloc(5000, 0x81);
    const lines = await shown(noise);
    assert.equal(lines.length, 1);
    assert.match(
      String(lines[0]),
      /^note most of what comes is neither text nor frames: is 9600 the board's rate\? Boot messages come at 115200/,
    );
  });

  test('moves no cursor', async () => {
    assert.deepEqual(await shown(said(1, 'a\x1b[2Jb')), ['console a\\u001b[2Jb']);
  });
});

const compiler = 'riscv64-unknown-elf-gcc';
const skipCompiler =
  spawnSync(compiler, ['--version']).status === 0 ? false : `${compiler} is missing: apt-get install gcc-riscv64-unknown-elf`;

test('a trap is decoded with the ELF file', { skip: skipCompiler, timeout: 60_000 }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-monitor-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [source, elf] = [join(directory, 'kettle.c'), join(directory, 'kettle.elf')];
  writeFileSync(source, 'void boil(void) {\n  *(volatile int *)0 = 1;\n}\n');
  const args = ['-g', '-march=rv32imc', '-mabi=ilp32', '-nostdlib', '-Wl,-Ttext=0x42000000', '-Wl,-e,boil', '-o', elf, source];
  assert.equal(spawnSync(compiler, args, { stdio: 'inherit' }).status, 0);
  const registers = Buffer.from('MEPC    : 0x42000004  RA      : 0x42000000  SP      : 0x3fc90f90\r\n');
  const lines = await shown(registers, { elf });
  assert.match(lines.join('\n'), /note 0x42000004: boil at .*kettle\.c:[12]$/m);
  const other = await shown(Buffer.from('Backtrace: 0x400d1234:0x3ffb0010\n'), { elf });
  assert.match(String(other[1]), /the board's chip is not that of --elf/);
});

describe('twobyte monitor', { skip: skipSocat, timeout: 60_000 }, () => {
  /** A monitor at one end of a wire and the board's words at the other. */
  async function listening(t: TestContext, ...args: string[]) {
    const joined = await wire(t);
    const monitor = start(['monitor', '--port', joined.ends[1], ...args]);
    t.after(() => monitor.child.kill('SIGKILL'));
    await monitor.says(/115200 baud; Ctrl-C ends/);
    return { ...joined, monitor, board: await boardAt(t, joined.ends[0]) };
  }

  async function boardAt(t: TestContext, path: string): Promise<WriteStream> {
    const board = createWriteStream(path, { flags: 'r+' });
    board.on('error', () => {}); // its port goes away
    t.after(() => board.destroy());
    await once(board, 'open');
    return board;
  }

  const end = async (monitor: Awaited<ReturnType<typeof listening>>['monitor'], signal: NodeJS.Signals = 'SIGINT') => {
    monitor.child.kill(signal);
    return (await monitor.ended).status;
  };

  test('shows text, console lines and events with the time, explains faults, and ends with Ctrl-C', async (t) => {
    const { monitor, board } = await listening(t);
    board.write('rst:0xf (BROWN_OUT_RST),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n');
    board.write(said(1, 'twobyte: connecting to mqtt://h'));
    board.write(said(2, '{"at":1.5,"event":"reading","a":23500,"b":7}'));
    board.write('I (312) wifi: up\r\n');
    await monitor.prints('I (312) wifi: up');
    assert.equal(await end(monitor), 0);
    assert.match(
      monitor.stdout,
      /^\d\d:\d\d:\d\d\.\d{3} rst:0xf.*\n\S+ {3}↳ restart: the supply voltage fell too low.*\n\S+ twobyte: connecting to mqtt:\/\/h\n\S+ · reading 23\.5 message 7\n\S+ I \(312\) wifi: up\n$/,
    );
  });

  test('with --json has the events on stdout as they came, all else on stderr', async (t) => {
    const { monitor, board } = await listening(t, '--json', '--no-time');
    const event = '{"at":1.5,"event":"reading","a":23500,"b":7}';
    board.write('waiting for download\r\n');
    board.write(said(2, event));
    await monitor.prints(event);
    assert.equal(await end(monitor, 'SIGTERM'), 0);
    assert.equal(monitor.stdout, `${event}\n`);
    assert.match(monitor.stderr, /^waiting for download\n {2}↳ it waits to be flashed/m);
  });

  test('writes nothing to the board', async (t) => {
    const { monitor, ends, process: socat } = await listening(t);
    const echo = start(['monitor', '--port', ends[0]]);
    t.after(() => echo.child.kill('SIGKILL'));
    await echo.says(/Ctrl-C ends|in use/);
    socat.kill('SIGTERM');
    await monitor.says(/is gone/);
    assert.equal(echo.stdout, '');
    await end(monitor);
  });

  test('shows a line without its end when the board is silent', async (t) => {
    const { monitor, board } = await listening(t, '--no-time');
    board.write('esp> ');
    await monitor.prints('esp> \n');
    await end(monitor);
  });

  test('looks for a port that went away until it is back, and tells both once', async (t) => {
    const first = await wire(t);
    const path = join(dirname(first.ends[1]), 'port'); // which appears only when the wire behind it is ready
    symlinkSync(first.ends[1], path);
    const monitor = start(['monitor', '--port', path, '--no-time']);
    t.after(() => monitor.child.kill('SIGKILL'));
    await monitor.says(/Ctrl-C ends/);
    first.process.kill('SIGTERM');
    await monitor.says(/is gone; it is looked for until it returns/);
    const second = await wire(t);
    rmSync(path);
    symlinkSync(second.ends[1], path);
    await monitor.says(/is back/);
    const board = await boardAt(t, second.ends[0]);
    board.write('here again\n');
    await monitor.prints('here again\n');
    assert.equal(await end(monitor), 0);
    assert.deepEqual([monitor.stderr.match(/is gone/g)?.length, monitor.stderr.match(/is back/g)?.length], [1, 1]);
  });

  test('ends when the reader of its lines has left', async (t) => {
    const { monitor, board } = await listening(t);
    board.write('one\n');
    await monitor.prints('one\n');
    monitor.child.stdout.destroy();
    board.write('two\n');
    assert.equal((await monitor.ended).status, 0);
  });

  test('--reset where there are no lines for it', async (t) => {
    const { ends } = await wire(t);
    const { status, stderr } = await twobyte(['monitor', '--port', ends[0], '--reset']);
    assert.match(stderr, /^twobyte monitor: \S+ has no lines DTR and RTS by which to reset the board; press its RESET$/m);
    assert.equal(status, 1);
  });
});

describe('twobyte monitor refuses', () => {
  test('a port that is not there, and what is no port', async () => {
    for (const [port, says] of [
      ['/nonexistent/tty@9600', /^twobyte monitor: \/nonexistent\/tty is not there; is the board plugged in\?$/m],
      ['/dev/null', /\/dev\/null is not a serial port/],
    ] as const) {
      const { status, stdout, stderr } = await twobyte(['monitor', '--port', port]);
      assert.match(stderr, says);
      assert.deepEqual([status, String(stdout)], [1, '']);
      assert.doesNotMatch(stderr, / {4}at /, 'no stack');
    }
  });

  const cases: [what: string, args: string[], says: RegExp][] = [
    [
      'a rate that is none',
      ['--port', '/dev/ttyUSB0@fast'],
      /--port '\/dev\/ttyUSB0@fast': baud 'fast' is not a whole number within 50 to/,
    ],
    ['a rate of nothing', ['--port', '/dev/ttyUSB0@0'], /baud '0' is not a whole number/],
    ['an ELF file that is not there', ['--elf', '/nonexistent/elf'], /--elf: '\/nonexistent\/elf' cannot be read: ENOENT/],
    ['what is no ELF file', ['--elf', process.argv[1] ?? ''], /--elf: .* is no ELF file/],
    ['an ELF file of another machine', ['--elf', process.execPath], /--elf: .* is for another kind of chip/],
    ['stray words', ['more'], /too many arguments/],
  ];
  for (const [what, args, says] of cases)
    test(what, async () => {
      const { status, stderr } = await refusalOf(monitorCommand(), args);
      assert.match(stderr, says);
      assert.equal(status, 1);
      assert.doesNotMatch(stderr, / {4}at /, 'no stack');
    });

  test('when no port has a board', async (t) => {
    const ports = await listPorts().catch(() => []);
    if (ports.some((port) => bridgeOf(port) !== undefined)) return t.skip('a board is plugged in');
    const { status, stderr } = await twobyte(['monitor']);
    assert.match(
      stderr,
      /^twobyte monitor: (no serial port has a board: plug one in|the serial ports cannot be listed: udevadm is missing)/,
    );
    assert.equal(status, 1);
  });

  test('and tells what it does in --help', async () => {
    const { status, stdout } = await twobyte(['monitor', '--help']);
    assert.equal(status, 0);
    for (const part of [/only listens, unless --reset/, /50 to\s+4000000/, /Exit status/]) assert.match(String(stdout), part);
  });
});

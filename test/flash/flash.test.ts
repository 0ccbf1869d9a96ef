import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { flashCommand } from '../../host/cli/flash.js';
import { makeKeys, readPrivateKey } from '../../host/deploy/keys.js';
import { signModule } from '../../host/deploy/module-file.js';
import { slotImage } from '../../host/deploy/slot-image.js';
import { openPort } from '../../host/ports/open.js';
import { refusalOf, start, twobyte, twobytePath } from '../cli/cli.js';
import { skipSocat, wire } from '../links/wire.js';
import { run } from '../project/project.js';
import { bootLoader, build, content, FLASH_BYTES, partition, skipEsptool, temporary, withEsptool } from './boot-loader.js';

const env = withEsptool;
const wasm = (length: number) => Buffer.concat([Buffer.from('0061736d01000000', 'hex'), content(length - 8, 3)]);
const erased = (length: number) => Buffer.alloc(length, 0xff);

describe('twobyte flash', { skip: skipEsptool, timeout: 120_000, concurrency: 3 }, () => {
  test('writes a build to the chip, byte for byte, shows how far it is and leaves the settings alone', async (t) => {
    const directory = temporary(t);
    const parts = build(directory);
    const chip = await bootLoader(t, 'esp32c3');
    const { status, stdout, stderr } = await twobyte(['flash', '--port', chip.path, '--chip', 'ESP32-C3', '--image', directory], { env });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(
      String(stdout),
      /^\S+: 3 files, 167 KB for ESP32-C3, by esptool 5\.\S+\n {2}0 % connecting\n {2}0 % writing bootloader\.bin\n +\d+ % verifying bootloader\.bin\n +\d+ % writing partition-table\.bin\n[\s\S]*100 % verifying app\.bin\n100 % resetting\n\S+: written and compared in [\d.]+ s; the board starts\./,
    );
    const flash = await chip.unplug();
    for (const [offset, bytes] of parts) assert.ok(flash.subarray(offset, offset + bytes.length).equals(bytes), `what is at ${offset}`);
    assert.ok(flash.subarray(0x9000, 0x10000).equals(erased(0x7000)), 'nothing went to the settings');
  });

  test('writes a module and settings to their partitions, and asks the board of --board for its chip', async (t) => {
    const directory = temporary(t);
    build(directory, { size: 3000 });
    const [module, settings, board] = ['module.t2bm', 'settings.txt', 'my-board.json'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    const key = readPrivateKey(makeKeys(join(directory, 'keys')).privateKey);
    writeFileSync(module, signModule(wasm(5000), { version: 1, name: 'node', boundary: 1 }, key));
    writeFileSync(settings, Buffer.concat([Buffer.of(0xfe, 0xff, 0xff, 0xff), content(4092, 6)]));
    writeFileSync(board, '{ "chip": "esp32c3" }');
    const chip = await bootLoader(t, 'esp32c3');
    const args = ['--port', chip.path, '--board', board, '--image', directory, '--module', module, '--settings', settings];
    const { status, stdout, stderr } = await twobyte(['flash', ...args], { env });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(String(stdout), /5 files, \d+ KB for ESP32-C3 \(my-board\)/);
    const slot = slotImage(wasm(5000), 1);
    const flash = await chip.unplug();
    assert.ok(flash.subarray(0x110000, 0x110000 + slot.length).equals(slot));
    assert.ok(flash.subarray(0x118000, 0x120000).equals(erased(0x8000)), 'the other slot is empty');
    assert.ok(flash.subarray(0xf004, 0x10000).equals(content(4092, 6)));
  });

  test('erases what was there with --erase', async (t) => {
    const directory = temporary(t);
    build(directory, { chip: 'esp32s3', size: 3000, more: { '0x9000': content(4096, 4) } });
    const chip = await bootLoader(t, 'esp32s3', Buffer.alloc(FLASH_BYTES, 0x55));
    const refused = await twobyte(['flash', '--port', chip.path, '--image', directory], { env });
    assert.deepEqual([refused.status, String(refused.stdout)], [1, '']);
    assert.match(refused.stderr, /would overwrite the partition 'nvs', which keeps the board's settings; give --erase if they may go/);
    const { status, stdout, stderr } = await twobyte(['flash', '--port', chip.path, '--image', directory, '--erase'], { env });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(String(stdout), /erasing\n/);
    const flash = await chip.unplug();
    assert.ok(flash.subarray(0x9000, 0xa000).equals(content(4096, 4)));
    assert.ok(flash.subarray(0xa000, 0x10000).equals(erased(0x6000)));
  });

  test('writes nothing to another chip', async (t) => {
    const directory = temporary(t);
    build(directory);
    const chip = await bootLoader(t, 'esp32s3');
    const { status, stderr } = await twobyte(['flash', '--port', chip.path, '--chip', 'esp32c3', '--image', directory], { env });
    assert.equal(
      stderr,
      `twobyte flash: the chip at ${chip.path} is an ESP32-S3, and --chip says ESP32-C3: nothing was written; name the right board with --board, or take the other port\n`,
    );
    assert.equal(status, 1);
    assert.ok((await chip.unplug()).equals(erased(FLASH_BYTES)));
  });

  test('a chip that does not answer: which buttons help', { skip: skipSocat }, async (t) => {
    const directory = temporary(t);
    build(directory);
    const { ends } = await wire(t);
    const { status, stderr } = await twobyte(['flash', '--port', ends[0], '--image', directory], { env });
    assert.match(
      stderr,
      /^twobyte flash: no chip answers at \S+; hold BOOT, press and release RESET, let go of BOOT, and try again; else try another cable/,
    );
    assert.deepEqual([status, stderr.split('\n').length], [1, 2]);
  });

  test('a board that goes away in the middle: that it has half a firmware', async (t) => {
    const directory = temporary(t);
    build(directory, { size: 900_000 });
    const chip = await bootLoader(t, 'esp32c3');
    const flashing = start(['flash', '--port', chip.path, '--image', directory], env);
    await flashing.prints('writing app.bin');
    chip.process.kill('SIGKILL');
    const { status, stderr } = await flashing.ended;
    assert.match(
      stderr,
      /^twobyte flash: writing at \S+ broke off \(.+\), and the board has half a firmware: check the cable, then run this again/,
    );
    assert.deepEqual([status, stderr.split('\n').length], [1, 2]);
  });

  test('Ctrl-C in the middle: that it has half a firmware, and esptool ends, too', async (t) => {
    const directory = temporary(t);
    build(directory, { size: 900_000 });
    const chip = await bootLoader(t, 'esp32c3');
    const flashing = start(['flash', '--port', chip.path, '--image', directory], env);
    await flashing.prints('writing app.bin');
    flashing.child.kill('SIGINT');
    const { status, stderr } = await flashing.ended;
    assert.deepEqual([status, stderr], [1, 'twobyte flash: interrupted: the board has half a firmware; run this again\n']);
  });

  test('a port in use: by which program', { skip: skipSocat }, async (t) => {
    const directory = temporary(t);
    build(directory);
    const { ends } = await wire(t);
    const other = await openPort(ends[0], 115_200);
    t.after(() => other.close());
    const { status, stderr } = await twobyte(['flash', '--port', ends[0], '--image', directory], { env });
    assert.match(stderr, /^twobyte flash: \S+ is in use by \S+ \(process \d+\); end that first\n$/);
    assert.equal(status, 1);
  });
});

describe('twobyte flash refuses before it touches a port', { timeout: 60_000 }, () => {
  const refusal = async (args: string[], says: RegExp) => {
    const { status, stderr } = await refusalOf(flashCommand(), args);
    assert.match(stderr, says);
    assert.equal(status, 1);
    assert.doesNotMatch(stderr, / {4}at /, 'no stack');
  };
  /** The same by the program, with another esptool. */
  const refusalWith = async (args: string[], says: RegExp, environment: Record<string, string> = env) => {
    const { status, stdout, stderr } = await twobyte(['flash', ...args], { env: environment });
    assert.match(stderr, says);
    assert.deepEqual([status, String(stdout)], [1, '']);
    assert.doesNotMatch(stderr, / {4}at /, 'no stack');
  };

  test('an esptool that is not there, or too old', async (t) => {
    const directory = temporary(t);
    build(directory);
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    const args = ['--port', '/nonexistent/tty', '--image', directory];
    await refusalWith(args, /: esptool is not installed: pip install 'esptool>=5' \(/, { PATH: bin });
    writeFileSync(join(bin, 'esptool'), '#!/bin/sh\necho esptool.py v4.8.1\necho 4.8.1\n', { mode: 0o755 });
    await refusalWith(args, /: esptool 4\.8\.1 is too old, version 5 is needed: pip install/, { PATH: bin });
    writeFileSync(join(bin, 'esptool'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    await refusalWith(args, /: esptool is not installed/, { PATH: bin });
  });

  test('a port that is not there', { skip: skipEsptool }, async (t) => {
    const directory = temporary(t);
    build(directory);
    await refusalWith(
      ['--port', '/nonexistent/tty', '--image', directory],
      /^twobyte flash: \/nonexistent\/tty is not there; is the board plugged in\?\n$/,
    );
  });

  test('a firmware that is not there, cut, or for another chip', async (t) => {
    const directory = temporary(t);
    const args = ['--port', '/nonexistent/tty', '--image', directory, '--chip', 'esp32c3'];
    await refusal(
      args,
      /there is no firmware in .*; build it: npm run firmware -- --target esp32c3 in a checkout of Twobyte, or name its directory with --image/,
    );
    build(directory);
    await refusal(
      [...args.slice(0, -1), 'esp32s3'],
      /the firmware in .* is for ESP32-C3, and --chip says ESP32-S3; build it for that chip \(npm run/,
    );
    rmSync(join(directory, 'app.bin'));
    await refusal(args, /app\.bin is missing; build it: npm run firmware/);
    writeFileSync(join(directory, 'flasher_args.json'), '{}');
    await refusal(args, /flasher_args\.json names no files or no chip; build it/);
    writeFileSync(
      join(directory, 'flasher_args.json'),
      '{ "flash_files": { "bootloader": "app.bin" }, "extra_esptool_args": { "chip": "esp32c3" } }',
    );
    await refusal(args, /app\.bin has no offset in the flash/);
    writeFileSync(join(directory, 'flasher_args.json'), '{');
    await refusal(args, /flasher_args\.json is not JSON; build it/);
  });

  test('a module or settings without a place', async (t) => {
    const directory = temporary(t);
    build(directory);
    const args = ['--port', '/nonexistent/tty', '--image', directory];
    const file = join(directory, 'file');
    writeFileSync(file, Buffer.concat([Buffer.of(0xfe, 0xff, 0xff, 0xff), content(8188, 5)]));
    await refusal([...args, '--settings', file], /--settings '.*file' has 8192 bytes; its partition has room for 4096/);
    const key = readPrivateKey(makeKeys(join(directory, 'keys')).privateKey);
    const signed = signModule(wasm(500), { version: 1, name: 'node', boundary: 1 }, key);
    const cut = join(directory, 'cut');
    writeFileSync(cut, signed.subarray(0, 400));
    await refusal([...args, '--module', cut], /--module '.*cut': the file is cut off or too long/);
    writeFileSync(cut, signed.fill(7, 200, 201));
    await refusal([...args, '--module', cut], /--module '.*cut': the file is damaged/);
    await refusal([...args, '--module', file], /--module '.*file' is no WebAssembly module; twobyte build makes one/);
    await refusal([...args, '--module', join(directory, 'none')], /--module '.*none' cannot be read: ENOENT/);
    writeFileSync(file, wasm(0x8000));
    await refusal([...args, '--module', file], /has 32768 bytes; a slot has room for 32752/);
    writeFileSync(file, 'topic = t\n');
    await refusal([...args, '--settings', file], /is no image of an NVS, .*; twobyte provision takes settings as text/);
    writeFileSync(join(directory, 'partition-table.bin'), partition('factory', 0, 0, 0x10000, 0x100000));
    await refusal([...args, '--module', file], /--module: the firmware's partition table has no partition 'modules'; leave --module out/);
  });

  test('a board that is none', async (t) => {
    const directory = temporary(t);
    const board = join(directory, 'board.json');
    const args = ['--port', '/nonexistent/tty', '--board'];
    await refusal(['--port', '/nonexistent/tty', '--chip', 'esp32', '--board', 'x'], /--chip: the board of --board says which chip it has/);
    await refusal([...args, 'toaster'], /--board 'toaster': .*toaster\.json cannot be read; name one of boards\//);
    writeFileSync(board, '{');
    await refusal([...args, board], /--board .*: it is not JSON/);
    writeFileSync(board, '{ "chip": "linux" }');
    await refusal([...args, board], /it has no chip that is flashed, its "chip" is "linux"/);
    writeFileSync(board, '{}');
    await refusal([...args, board], /its "chip" is missing/);
    await refusal(['--port', '/nonexistent/tty'], /--board: which board is it\?/);
    await refusal(['--chip', 'esp32x'], /--chip 'esp32x' is not known; write one of esp32, esp32c3, esp32s3$/m);
    writeFileSync(join(directory, 'twobyte.config.json'), '{ "board": "posix" }');
    const configured = await run(process.execPath, [twobytePath, 'flash'], directory);
    assert.match(
      configured.stderr,
      /^error: twobyte\.config\.json: board "posix": it has no chip that is flashed, its "chip" is "linux"; name a board/,
    );
    await refusal(['--baud', '1'], /'--baud <n>' argument '1' is invalid/);
  });
});

test('twobyte flash --help tells what it needs and what stays', async () => {
  const { status, stdout } = await twobyte(['flash', '--help']);
  assert.equal(status, 0);
  for (const part of [/pip install 'esptool>=5'/, /Settings on the board stay/, /Exit status/, /9600 to 3000000/])
    assert.match(String(stdout), part);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { holderOf } from '../../host/ports/holder.js';
import { faultBefore, openingFault, openPort, resetBy } from '../../host/ports/open.js';
import { bridgeOf, choosePort, describePort, type ListedPort, listPorts, PortFault, type SerialPort } from '../../host/ports/ports.js';
import { skipSocat, wire } from '../links/wire.js';

const cp2102: SerialPort = { path: '/dev/ttyUSB0', vendor: '10c4', product: 'ea60', serialNumber: '0001', maker: 'Silicon Labs' };
const c3: SerialPort = { path: '/dev/ttyACM0', vendor: '303a', product: '1001', serialNumber: '7C:DF:A1:00:00:01', maker: 'Espressif' };
const phone: SerialPort = { path: '/dev/ttyACM1', vendor: '18d1', product: '4ee7', maker: 'Google' };
const onboard: SerialPort = { path: '/dev/ttyS0' };

const faultOf = async (chosen: Promise<string>) => {
  const error = await chosen.then(
    (path) => assert.fail(`chose ${path}`),
    (reason) => reason,
  );
  assert.ok(error instanceof PortFault, String(error));
  return error.message;
};

describe('the list of ports', () => {
  test('has what the system knows, by path, ids in lower case', async () => {
    const listed: ListedPort[] = [
      { path: '/dev/ttyUSB10', vendorId: '10C4', productId: 'EA60', manufacturer: 'Silicon Labs', serialNumber: '0001' },
      { path: '/dev/ttyUSB9', vendorId: undefined, productId: undefined, manufacturer: undefined, serialNumber: undefined },
    ];
    assert.deepEqual(await listPorts(async () => listed), [
      { path: '/dev/ttyUSB9' },
      { path: '/dev/ttyUSB10', vendor: '10c4', product: 'ea60', serialNumber: '0001', maker: 'Silicon Labs' },
    ]);
  });

  test('says what is missing to list them, and that a port may be named', async () => {
    const spawning = Object.assign(new Error('spawn udevadm ENOENT'), { code: 'ENOENT' });
    await assert.rejects(
      listPorts(() => Promise.reject(spawning)),
      /udevadm is missing \(Debian: apt-get install udev\); or name .* --port/,
    );
    await assert.rejects(
      listPorts(() => Promise.reject(new Error('no luck'))),
      /cannot be listed: no luck; name the port with --port/,
    );
  });

  test('knows the bridges of boards', () => {
    const ids: [string, string, string | undefined][] = [
      ['303a', '1001', 'USB of an Espressif chip'],
      ['303a', '80aa', 'USB of an Espressif chip'],
      ['10c4', 'ea60', 'CP210x'],
      ['1a86', '7523', 'CH340'],
      ['1a86', '55d4', 'CH9102'],
      ['0403', '6001', 'FT232R'],
      ['0403', 'ffff', undefined],
      ['18d1', '4ee7', undefined],
    ];
    for (const [vendor, product, bridge] of ids) assert.equal(bridgeOf({ path: 'x', vendor, product }), bridge);
    assert.equal(bridgeOf(onboard), undefined);
  });

  test('says of each what it is', () => {
    assert.equal(describePort(cp2102), '/dev/ttyUSB0 (CP210x by Silicon Labs, 10c4:ea60, serial number 0001)');
    assert.equal(describePort(phone), '/dev/ttyACM1 (no bridge that boards have by Google, 18d1:4ee7)');
    assert.equal(describePort(onboard), '/dev/ttyS0 (not on USB)');
    assert.equal(describePort({ path: 'COM3', vendor: '303a' }), 'COM3 (USB of an Espressif chip, 303a:????)');
  });
});

describe('the choice of a port', () => {
  test('is the one that is given, whatever there is', async () => {
    assert.equal(await choosePort('/dev/ttyS7', [cp2102]), '/dev/ttyS7');
  });

  test('is the only one with a board', async () => {
    assert.equal(await choosePort(undefined, [onboard, phone, c3]), '/dev/ttyACM0');
  });

  test('is left to people when two may have one: each is told', async () => {
    assert.equal(
      await faultOf(choosePort(undefined, [onboard, cp2102, c3])),
      '2 ports may have the board; name one with --port:\n  /dev/ttyUSB0 (CP210x by Silicon Labs, 10c4:ea60, serial number 0001)\n' +
        '  /dev/ttyACM0 (USB of an Espressif chip by Espressif, 303a:1001, serial number 7C:DF:A1:00:00:01)',
    );
  });

  test('without a board says how to come by one, by system, and what else is on USB', async () => {
    const linux = await faultOf(choosePort(undefined, [onboard], 'linux', false));
    assert.match(
      linux,
      /^no serial port has a board: plug one in by a cable that carries data, or name it with --port; Linux needs no driver but/,
    );
    assert.doesNotMatch(linux, /ttyS0/);
    assert.match(await faultOf(choosePort(undefined, [], 'linux', true)), /usbipd attach --wsl/);
    assert.match(await faultOf(choosePort(undefined, [], 'darwin', false)), /macOS has the drivers/);
    assert.match(await faultOf(choosePort(undefined, [], 'win32', false)), /Device Manager/);
    assert.match(await faultOf(choosePort(undefined, [], 'freebsd', false)), /name it with --port$/);
    assert.match(await faultOf(choosePort(undefined, [phone], 'linux', false)), /on USB, too:\n {2}\/dev\/ttyACM1 \(no bridge/);
  });
});

describe('a port that cannot be opened is told in a sentence', () => {
  const temporary = (t: TestContext) => {
    const directory = mkdtempSync(join(tmpdir(), 'twobyte-ports-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    return directory;
  };

  test('one that is not there', () => {
    assert.equal(faultBefore('/nonexistent/tty'), '/nonexistent/tty is not there; is the board plugged in?');
  });

  test('what is no port', (t) => {
    const path = join(temporary(t), 'file');
    writeFileSync(path, '');
    assert.match(String(faultBefore(path)), /file is not a serial port; name one with --port/);
    assert.match(openingFault('/dev/null', 'Error: Inappropriate ioctl for device'), /^\/dev\/null is not a serial port/);
  });

  test('what has an ioctl for nothing', async () => {
    await assert.rejects(
      openPort('/dev/null', 115_200),
      new PortFault('/dev/null is not a serial port; name one with --port, as in /dev/ttyUSB0', 'none'),
    );
  });

  test('one without permission: the group that owns it is named', (t) => {
    const path = join(temporary(t), 'tty');
    writeFileSync(path, '');
    chmodSync(path, 0);
    const said = openingFault(path, "EACCES: permission denied, access 'tty'");
    const own = /^no permission for .*tty; it belongs to (group \S+: run `sudo usermod -aG \S+ \$USER`, log out|root alone: a udev rule)/;
    if (process.platform === 'linux') assert.match(said, own);
    assert.match(openingFault('/dev/nonexistent', 'Permission denied'), /^no permission for \/dev\/nonexistent; /);
  });

  test('one of which only the words are known', () => {
    assert.equal(openingFault('/dev/x', 'the moon is full'), '/dev/x cannot be opened: the moon is full');
    assert.match(openingFault('/dev/x', 'Device or resource busy'), /^\/dev\/x is in use by another program; end that first$/);
  });

  test('one in use: the program is named', { skip: skipSocat }, async (t) => {
    const { ends, process: socat } = await wire(t);
    const first = await openPort(ends[0], 115_200);
    t.after(() => first.close());
    assert.match(String(holderOf(ends[0], 0)), new RegExp(`^\\S+ \\(process (${process.pid}|${socat.pid})\\)$`));
    await assert.rejects(
      openPort(ends[0], 115_200),
      new RegExp(`${ends[0]} is in use by (socat \\(process ${socat.pid}\\)|another program); end that first`),
    );
    assert.equal(holderOf('/nonexistent/tty'), undefined);
  });

  test('one in use: it is the program with the lock, and not the one that has the other end', { skip: skipSocat }, async (t) => {
    const { ends } = await wire(t);
    const open = new URL('../../host/ports/open.js', import.meta.url);
    const script = `await (await import(${JSON.stringify(String(open))})).openPort(${JSON.stringify(ends[0])}, 115200); console.log('open'); setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => other.kill('SIGKILL'));
    await once(other.stdout, 'data');
    await assert.rejects(openPort(ends[0], 115_200), new RegExp(`is in use by \\S+ \\(process ${other.pid}\\); end that first`));
  });

  test('one without the lines to reset a board', { skip: skipSocat }, async (t) => {
    const { ends } = await wire(t);
    const port = await openPort(ends[0], 115_200);
    t.after(() => port.close());
    await assert.rejects(resetBy(port, ends[0]), /has no lines DTR and RTS by which to reset the board; press its RESET/);
  });
});

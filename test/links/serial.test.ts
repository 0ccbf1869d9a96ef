import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { REASON_ADDRESS, REASON_REFUSED, REASON_RESET, REASON_UNREACHABLE } from '../../host/contract.js';
import { encodeFrame, FrameDecoder } from '../../host/links/framing.js';
import { openSerial } from '../../host/links/serial.js';
import { begin, bytes, dial, type Ear, settle } from './peers.js';
import { skipSocat, wire } from './wire.js';

/** The link of an address at one end, and what a gateway opens at the other. */
async function line(t: TestContext) {
  const { ends, process } = await wire(t);
  const board = dial(t, `mqtt-sn+serial://${ends[0]}`);
  const gateway = begin(t, () => (listener) => openSerial(ends[1], 115_200, listener));
  await Promise.all([board.ear.hears('opened'), gateway.ear.hears('opened')]);
  return { board, gateway, ends, process };
}

const messagesOf = (ear: Ear) => ear.heard.filter((what) => what === 'received').length;

describe('a serial line', { skip: skipSocat }, () => {
  test('carries messages both ways, whole', async (t) => {
    const { board, gateway } = await line(t);
    assert.equal(board.link.datagrams, true);
    const data = bytes('from the board');
    assert.equal(board.link.send(data), 14);
    data.fill(0); // it was copied
    await gateway.ear.until(() => gateway.ear.text === 'from the board');
    const long = Buffer.from(Array.from({ length: 5000 }, (_, i) => i & 255));
    assert.equal(gateway.link.send(long), 5000);
    assert.equal(gateway.link.send(bytes('!')), 1);
    await board.ear.until(() => board.ear.text.length === 5001);
    assert.equal(board.ear.text, `${long.toString('latin1')}!`);
    assert.deepEqual([messagesOf(board.ear), messagesOf(gateway.ear)], [2, 1]);
    assert.equal(board.ear.from, undefined);
  });

  test('takes nothing before it is open', async (t) => {
    const { ends } = await wire(t);
    const { link, ear } = dial(t, `mqtt-sn+serial://${ends[0]}`);
    assert.equal(link.send(bytes('early')), 0);
    await ear.hears('opened');
    assert.equal(link.send(bytes('now')), 3);
  });

  test("passes over a chip's boot messages and over noise", async (t) => {
    const { ends } = await wire(t);
    const gateway = begin(t, () => (listener) => openSerial(ends[1], 115_200, listener));
    await gateway.ear.hears('opened');
    const chip = await open(ends[0], 'r+');
    t.after(() => chip.close());
    const parts = [
      Buffer.from('rst:0x1 (POWERON),boot:0xc\r\n'),
      encodeFrame(bytes('one')),
      Buffer.of(7, 0, 200, 0),
      encodeFrame(bytes('two')),
    ];
    for (const part of parts) await chip.write(part);
    await gateway.ear.until(() => gateway.ear.text === 'onetwo');
    assert.equal(messagesOf(gateway.ear), 2);
  });

  test('is busy when sixteen frames wait for a wire that carries nothing, and says when it is not', async (t) => {
    const { board, gateway, process } = await line(t);
    process.kill('SIGSTOP');
    let sent = 0;
    while (sent < 500) {
      if (board.link.send(new Uint8Array(1000).fill(sent & 255)) === 0) {
        await settle();
        if (board.ear.heard.includes('writable')) board.ear.heard.length = 0;
        else break;
      } else sent++;
    }
    assert.ok(sent >= 16 && sent < 500, `${sent} taken`);
    process.kill('SIGCONT');
    await board.ear.hears('writable');
    assert.equal(board.link.send(new Uint8Array(1000)), 1000);
    await gateway.ear.until(() => gateway.ear.text.length === (sent + 1) * 1000);
  });

  test('keeps 64 messages while it is paused and drops what is beyond', async (t) => {
    const { board, gateway } = await line(t);
    let came = 0; // a link that is paused tells nothing of what came: its decoder does
    const { decode } = FrameDecoder.prototype;
    const all = new Promise<void>((resolve) => {
      t.mock.method(FrameDecoder.prototype, 'decode', function (this: FrameDecoder, chunk: Uint8Array) {
        const messages = decode.call(this, chunk);
        came += messages.length;
        if (came === 70) resolve();
        return messages;
      });
    });
    gateway.link.pause();
    for (let i = 0; i < 70; i++) {
      while (board.link.send(bytes('x')) === 0) await board.ear.hears('writable');
      board.ear.heard.length = 0;
    }
    await all;
    await settle();
    assert.equal(gateway.ear.text, '');
    gateway.link.resume();
    await gateway.ear.until(() => gateway.ear.text.length >= 64);
    board.link.send(bytes('!'));
    await gateway.ear.until(() => gateway.ear.text.endsWith('!'));
    assert.equal(gateway.ear.text, `${'x'.repeat(64)}!`);
  });

  test('sends what it took when it is closed, hears nothing more, and the port is free again', async (t) => {
    const { board, gateway, ends } = await line(t);
    for (let i = 0; i < 16; i++) board.link.send(new Uint8Array(100).fill(65 + i));
    board.link.close();
    board.link.close(); // once more does nothing
    gateway.link.send(bytes('a farewell nobody hears'));
    await gateway.ear.until(() => gateway.ear.text.length === 1600);
    assert.deepEqual(board.ear.heard, ['opened']);
    const again = dial(t, `mqtt-sn+serial://${ends[0]}`);
    await again.ear.until(() => again.ear.heard.length > 0);
    assert.deepEqual([again.ear.heard[0], again.ear.message], ['opened', '']);
  });

  test('closed while it opens, it says nothing', async (t) => {
    const { ends } = await wire(t);
    const { link, ear } = dial(t, `mqtt-sn+serial://${ends[0]}`);
    link.close();
    const second = dial(t, `mqtt-sn+serial://${ends[1]}`);
    await second.ear.hears('opened');
    await settle();
    assert.deepEqual(ear.heard, []);
  });

  test('says that the port is gone', async (t) => {
    const { board, process } = await line(t);
    process.kill('SIGKILL');
    await board.ear.hears('closed');
    assert.equal(board.ear.reason, REASON_RESET);
    assert.match(board.ear.message, /\/a is gone: /);
    assert.equal(board.link.send(bytes('late')), 0);
    await settle();
    assert.deepEqual(board.ear.heard, ['opened', 'closed']);
  });

  test('says that another program has the port', async (t) => {
    const { ends } = await line(t);
    const { ear } = dial(t, `mqtt-sn+serial://${ends[0]}`);
    await ear.hears('closed');
    assert.equal(ear.reason, REASON_REFUSED);
    assert.match(ear.message, /is in use by .*; end that first/);
  });
});

describe('a path that is no serial port', () => {
  const directory = mkdtempSync(join(tmpdir(), 'twobyte-ports-'));
  const file = (name: string) => {
    writeFileSync(join(directory, name), '');
    return join(directory, name);
  };
  test.after(() => rmSync(directory, { recursive: true }));

  for (const [what, path, reason, words] of [
    ['is not there', join(directory, 'none'), REASON_UNREACHABLE, /none is not there; is the board plugged in\?/],
    ['is below a file', join(file('file'), 'port'), REASON_UNREACHABLE, /is not there/],
    ['is a file', file('file'), REASON_ADDRESS, /file is not a serial port/],
    ['is a directory', directory, REASON_ADDRESS, /is not a serial port/],
    ['is another device', '/dev/null', REASON_ADDRESS, /\/dev\/null is not a serial port/],
  ] as const) {
    test(`it ${what}`, async (t) => {
      const { link, ear } = dial(t, `mqtt-sn+serial://${path}`);
      await ear.hears('closed');
      assert.equal(ear.reason, reason, ear.message);
      assert.match(ear.message, words);
      assert.equal(link.send(bytes('late')), 0);
      assert.deepEqual(ear.heard, ['closed']);
    });
  }

  const noUser = process.getuid?.() !== 0 ? false : 'root may open every port';
  test('it may not be opened', { skip: skipSocat || noUser }, async (t) => {
    const { ends } = await wire(t);
    chmodSync(ends[0], 0);
    const { ear } = dial(t, `mqtt-sn+serial://${ends[0]}`);
    await ear.hears('closed');
    assert.equal(ear.reason, REASON_REFUSED);
    assert.match(ear.message, /no permission for .*; it belongs to /);
  });
});

test('whoever opens no serial port does not load the package for it', async () => {
  const address = new URL('../../host/links/address.js', import.meta.url);
  const script = `const { linkTo } = await import(${JSON.stringify(String(address))}); linkTo('mqtt-sn+serial:///dev/a');
    const { Module } = await import('node:module'); console.log(Object.keys(Module._cache).filter((name) => name.includes('serialport')).length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  assert.equal(stdout.trim(), '0');
});

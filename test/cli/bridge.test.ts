import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { REASON_RESET } from '../../host/contract.js';
import { boardEnd, skipBoardEnd } from '../bridge/board-end.js';
import { connected } from '../interop/peers.js';
import { skipSocat, wire } from '../links/wire.js';
import { freePort, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { type Run, start, twobyte } from './cli.js';

describe('a bridge that cannot be started ends with status 1 and names the option', () => {
  const S = ['--serial', '/dev/ttyUSB0'];
  const B = ['--broker', 'mqtt://127.0.0.1'];
  const cases: [what: string, args: string[], says: RegExp][] = [
    ['no port', B, /required option '--serial <path\[@baud\]>'/],
    ['TLS without a broker', [...S, '--insecure'], /--insecure: there is no TLS on the way to the broker in this process; name one/],
    ['a port that is not absolute', ['--serial', 'ttyUSB0', ...B], /--serial: 'ttyUSB0' is not an absolute path, as in \/dev\/ttyUSB0/],
    [
      'a baud rate of nothing',
      ['--serial', '/dev/ttyUSB0?baud=0', ...B],
      /--serial '\/dev\/ttyUSB0\?baud=0': baud '0' is not a whole number within 50 to/,
    ],
    [
      'a rate that is too slow for a stream',
      ['--serial', '/dev/ttyUSB0?baud=4800', '--broker', 'mqtt-sn://a', ...B],
      /--serial '\/dev\/ttyUSB0\?baud=4800': 4800 baud is too slow for a stream of MQTT, which needs 9600; .*MQTT-SN/,
    ],
    [
      'a port that is not there, at a rate that datagrams may have',
      ['--serial', '/nonexistent/tty?baud=4800', '--broker', 'mqtt-sn://127.0.0.1'],
      /--serial: \/nonexistent\/tty is not there/,
    ],
    [
      'a baud rate of nothing behind an @',
      ['--serial', '/dev/ttyUSB0@0', ...B],
      /--serial '\/dev\/ttyUSB0@0': baud '0' is not a whole number within 50 to .*; write it as in \/dev\/ttyUSB0@115200/,
    ],
    ['a setting that is none', ['--serial', '/dev/ttyUSB0?speed=9600', ...B], /--serial .*'speed' is not known behind the \?; 'baud' is/],
    ['one with a rate', ['--serial', '/nonexistent/tty@9600', ...B], /--serial: \/nonexistent\/tty is not there/],
    [
      'a port that is not there',
      ['--serial', '/nonexistent/tty', ...B],
      /--serial: \/nonexistent\/tty is not there; is the board plugged in\?/,
    ],
    ['a port that is none', ['--serial', '/dev/null', ...B], /--serial: \/dev\/null is not a serial port/],
    [
      'a broker at another serial port',
      [...S, '--broker', 'mqtt-sn+serial:///dev/ttyS1'],
      /--broker: a bridge leads to a network, not to another serial/,
    ],
    ['two gateways', [...S, '--broker', 'mqtt-sn://a', '--broker', 'mqtt-sn://b'], /--broker: 'mqtt-sn:\/\/b' is a second gateway/],
    ['a search', [...S, '--broker', 'mqtt-sn://a?search'], /--broker: .*gateways are searched there/],
    ['an address of no scheme', [...S, '--broker', 'localhost'], /--broker: .*it has no scheme/],
    ['a user name', [...S, '--broker', 'mqtt://u:secret@h'], /--broker: the board says its user name and password itself/],
    ['a password alone', [...S, '--broker', 'ws://:secret@h/p'], /--broker: the board says its user name and password itself/],
    [
      'a port that is not there, with a broker whose path has an @',
      ['--serial', '/nonexistent/tty', '--broker', 'ws://h/p@x'],
      /--serial: \/nonexistent\/tty is not there/,
    ],
    ['a topic', [...S, '--broker', 'mqtt://h/topic'], /--broker: 'topic' is a topic, and a bridge has none/],
    ['an authority without TLS', [...S, ...B, '--cafile', '/x'], /--cafile: .*without TLS/],
    [
      'an authority for a gateway',
      [...S, '--broker', 'mqtt-sn://h', '--cafile', '/x'],
      /--cafile: there is no TLS on the way to a gateway/,
    ],
    ['stray words', [...S, ...B, 'more'], /too many arguments/],
  ];
  for (const [what, args, says] of cases)
    test(what, async () => {
      const { status, stdout, stderr } = await twobyte(['bridge', ...args], { env: { TWOBYTE_USERNAME: '', TWOBYTE_PASSWORD: '' } });
      assert.match(stderr, says);
      assert.deepEqual([status, String(stdout)], [1, '']);
      assert.doesNotMatch(stderr, / {4}at |secret/);
    });
});

describe('twobyte bridge', { skip: skipBoardEnd || skipSocat || skipMosquitto, timeout: 60_000 }, () => {
  /** A board at one end of a serial line and a bridge at the other. */
  async function line(t: TestContext, ...args: string[]) {
    const { ends, process } = await wire(t);
    const bridge = start(['bridge', '--serial', `${ends[1]}@57600`, ...args]);
    t.after(() => bridge.child.kill('SIGKILL'));
    await bridge.says(/leads to/);
    return { bridge, process, board: await boardAt(t, ends[0]), ends };
  }

  async function boardAt(t: TestContext, path: string, boot = 1) {
    const terminal = openSync(path, 'r+');
    const board = await boardEnd(t, { terminal, boot });
    closeSync(terminal); // the board has it
    return board;
  }

  const end = async (bridge: Run, signal: NodeJS.Signals = 'SIGINT') => {
    bridge.child.kill(signal);
    const { status } = await bridge.ended;
    assert.equal(status, 0);
  };

  test('leads a board to mosquitto, prints its events and says what it says; SIGINT ends it in order', async (t) => {
    await using broker = await startMosquitto();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const { bridge, board } = await line(t, '--broker', url);
    const observer = await connected(t, url);
    await observer.client.subscribeAsync('myhome/#', { qos: 1 });
    const device = await connected(t, board.url);
    device.client.on('error', () => {});
    await device.client.publishAsync('myhome/底楼/客厅/温度', '23.4', { qos: 1 });
    const [message] = await observer.messages.count(1);
    assert.deepEqual([message?.topic, String(message?.payload)], ['myhome/底楼/客厅/温度', '23.4']);
    board.child.kill('SIGUSR1');
    await bridge.prints('{"event":"reading","a":23500}\n');
    await bridge.says(/^the kettle boils$/m);
    await end(bridge);
    assert.deepEqual(await board.closed.count(1), [REASON_RESET]);
    assert.equal(bridge.stdout, '{"event":"reading","a":23500}\n');
  });

  test('without --broker has one of its own, and prints what the board publishes in place of its events', async (t) => {
    const { bridge, board } = await line(t);
    const device = await connected(t, board.url);
    device.client.on('error', () => {});
    await device.client.publishAsync('myhome/底楼/客厅/温度', '23.4', { qos: 1 });
    await device.client.publishAsync('attic/\u202e', 'on\nline', { qos: 0, retain: true });
    await bridge.prints('  retained\n');
    await device.client.publishAsync('last', '', { qos: 1 });
    board.child.kill('SIGUSR1'); // an event, which is not printed, whether its line is free or not
    await end(bridge);
    assert.equal(bridge.stdout, 'myhome/底楼/客厅/温度  23.4  QoS 1\nattic/\\u202e  on\\u000aline  QoS 0  retained\nlast    QoS 1\n');
  });

  test('says once that the broker is away, and that it is there again', async (t) => {
    const port = await freePort();
    const { bridge, board } = await line(t, '--broker', `mqtt://127.0.0.1:${port}`);
    for (let i = 0; i < 3; i++) await once(dial(board.port, '127.0.0.1'), 'close');
    await using _broker = await startMosquitto([], port);
    await connected(t, board.url);
    await bridge.says(/connected$/m);
    await end(bridge, 'SIGTERM');
    const lines = bridge.stderr.split('\n').filter((text) => text.includes('broker mqtt'));
    assert.equal(lines.length, 2, bridge.stderr);
    assert.match(String(lines[0]), /^twobyte bridge: broker mqtt:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/);
  });

  test('a board that is reset in the middle is told of, its connection ends, and it opens another', async (t) => {
    await using broker = await startMosquitto();
    const { bridge, board, ends } = await line(t, '--broker', `mqtt://127.0.0.1:${broker.port}`);
    const device = await connected(t, board.url);
    device.client.on('error', () => {});
    board.child.kill('SIGKILL');
    const again = await boardAt(t, ends[0], 2);
    await bridge.says(/the board started anew/);
    const other = await connected(t, again.url);
    await other.client.publishAsync('a', 'b', { qos: 1 });
    await end(bridge);
  });

  test('a port that goes away is looked for until it is back; both are said once', async (t) => {
    await using broker = await startMosquitto();
    const first = await wire(t);
    const path = first.ends[1];
    const bridge = start(['bridge', '--serial', path, '--broker', `mqtt://127.0.0.1:${broker.port}`]);
    t.after(() => bridge.child.kill('SIGKILL'));
    await bridge.says(/leads to/);
    first.process.kill('SIGTERM');
    await bridge.says(/is gone.*; it is looked for every 2 s/);
    const second = await wire(t, first.ends);
    await bridge.says(/is back/);
    const board = await boardAt(t, second.ends[0]);
    const device = await connected(t, board.url);
    await device.client.publishAsync('a', 'b', { qos: 1 });
    await end(bridge);
    assert.equal(bridge.stderr.match(/is gone/g)?.length, 1);
  });

  test('ends when the reader of its events has left', async (t) => {
    const { bridge, board } = await line(t, '--broker', 'mqtt://127.0.0.1:1');
    board.child.kill('SIGUSR1');
    await bridge.prints('{"event"');
    bridge.child.stdout.destroy();
    board.child.kill('SIGUSR1');
    assert.equal((await bridge.ended).status, 0);
  });

  test('--help tells the units', async () => {
    const { status, stdout } = await twobyte(['bridge', '--help']);
    assert.equal(status, 0);
    for (const part of [/bits per second,\s+50 to\s+4000000,\s+for\s+MQTT\s+from\s+9600/, /every 2 s/, /Exit status/])
      assert.match(String(stdout), part);
  });
});

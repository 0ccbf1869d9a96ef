import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { UploadRefused } from '../../host/console/console.js';
import { startGateway } from '../../host/gateway/embedded.js';
import { wayTo } from '../bridge/board-end.js';
import { connected } from '../interop/peers.js';
import { skipSocat } from '../links/wire.js';
import { posixBoard, sanitizedBoard, skipUnbuilt } from '../rungs/world.js';
import { consoledBoard, eventOf, openConsole, settingsText } from './board.js';

const sn = posixBoard.replace(/posix\/twobyte-posix$/, 'sensor-mqttsn.wasm');

describe('the console of the posix board', { skip: skipSocat || skipUnbuilt(posixBoard), timeout: 60_000 }, () => {
  test('without settings it says what it is, and waits; with those that a host brings it goes on after a restart', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const { console, events, says, stdout, config } = await consoledBoard(t);
    assert.deepEqual(await console.describe(), {
      ...{ board: 'posix', chip: 'linux', firmware: '0.1.0', boundary: 1, module: 'sensor-mqtt.wasm', version: 0, settings: false },
    });
    await eventOf(events, 'unconfigured');
    const progress: number[] = [];
    const text = settingsText({ broker: broker.url, topic: 'a/b', interval: 1000, username: 'u', password: 'secret' });
    await console.upload('settings', text, (sent) => progress.push(sent));
    assert.deepEqual([progress[0], progress.at(-1)], [0, text.length]);
    assert.deepEqual(readFileSync(config), text);
    assert.equal(statSync(config).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dirname(config)), ['board.conf']);
    const observer = await connected(t, broker.url);
    await observer.client.subscribeAsync('a/b');
    await console.command('restart');
    await eventOf(events, 'connected');
    await eventOf(events, 'started');
    await observer.messages.count(1);
    await stdout.until((all) => all.some((line) => line.includes('"connected"')), 'connected on stdout');
    await says.until((all) => all.some((line) => line.includes('connected to 127.0.0.1')), 'the words');
    assert.equal((await console.describe()).settings, true);
  });

  test('settings that would not start are refused with the sentence of a start, and what was there stays', async (t) => {
    const { console, config } = await consoledBoard(t);
    const refused = (settings: Record<string, string | number>, words: RegExp) =>
      assert.rejects(
        console.upload('settings', settingsText(settings)),
        (error) => error instanceof UploadRefused && words.test(error.message),
      );
    await refused({ broker: 'mqtt://a', topik: 'a' }, /^settings:2: topik: no such key/);
    await refused({ topic: 'a' }, /^broker: is not set/);
    await refused({ broker: 'mqtts://a', topic: 'a' }, /has neither TLS/);
    await refused({ broker: 'mqtt://a', console: '/dev/ttyS99' }, /^console: these settings would take the board's console away/);
    await assert.rejects(console.upload('settings', Buffer.alloc(20_000, 'x')), /has 20000 bytes, and this board keeps at most 16384/);
    await assert.rejects(console.upload('key', Buffer.from('-----BEGIN')), /has no TLS/);
    assert.equal(existsSync(config), false);
    await console.upload('settings', settingsText({ broker: 'mqtt://127.0.0.1:1', topic: 'a' }));
    await refused({ broker: 'nonsense' }, /is no address/);
    assert.match(readFileSync(config, 'utf8'), /127\.0\.0\.1:1/);
  });

  test('settings that the module refuses leave it waiting for others', async (t) => {
    const { console, events, says } = await consoledBoard(t);
    await console.ready();
    await console.upload('settings', settingsText({ broker: 'mqtt://127.0.0.1:1', topic: 'a/+' }));
    await console.command('restart');
    await says.until((all) => all.some((line) => line.includes('does not start with these settings')), 'the refusal');
    await eventOf(
      events,
      'unconfigured',
      events.all.findIndex(({ event }) => event === 'config_refused'),
    );
    const broker = await startBroker();
    t.after(() => broker.close());
    await console.upload('settings', settingsText({ broker: broker.url, topic: 'a' }));
    await console.command('restart');
    await eventOf(events, 'connected');
  });

  test('a file that is wrong leaves it waiting, too', async (t) => {
    const { console, events, says, config, kill, exited } = await consoledBoard(t);
    await console.ready();
    writeFileSync(config, 'nonsense\n');
    await console.command('restart');
    await says.until((all) => all.some((line) => line.includes('"nonsense" is not of the form key = value')), 'the words');
    await eventOf(events, 'unconfigured');
    kill('SIGTERM');
    assert.equal(await exited, 0);
  });

  test('its link goes by the line to a broker of the host, which hears it from the first byte to its farewell', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const args = ['--broker', 'mqtt+line://desk', '--set', 'topic=a/b', '--set', 'interval=200'];
    const { console, events, exited, stdout } = await consoledBoard(t, { brokers: [wayTo(broker.url)], args });
    const observer = await connected(t, broker.url);
    await observer.client.subscribeAsync('a/b');
    await observer.messages.count(3);
    assert.equal((await console.describe()).settings, true);
    await console.command('stop');
    await eventOf(events, 'ended');
    assert.equal(await exited, 0);
    assert.ok(stdout.all.some((line) => line.includes('"stopped"')));
  });

  test('datagrams go by the line to a gateway of the host', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const gateway = await startGateway(broker.url);
    t.after(() => gateway.close());
    const args = [
      '--broker',
      'mqtt-sn+line://bridge',
      '--set',
      'topic=a/b',
      '--set',
      'client_id=line',
      '--set',
      'retry_interval=1000',
      '--set',
      'interval=200',
    ];
    const { console } = await consoledBoard(t, { gateway: wayTo(gateway.url), args, module: sn });
    const observer = await connected(t, broker.url);
    await observer.client.subscribeAsync('a/b');
    await observer.messages.count(3);
    await console.command('stop');
  });

  test('a host that leaves and one that comes are no matter to it; each is answered', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const args = ['--broker', broker.url, '--set', 'topic=a/b', '--set', 'interval=200'];
    const { console, port, stdout } = await consoledBoard(t, { args });
    await console.describe();
    await console.close();
    const { length } = stdout.all;
    await stdout.until(
      (all) => all.slice(length).filter((line) => line.includes('"delivered"') || line.includes('"reading"')).length > 3,
      'readings',
    );
    const again = await openConsole(t, port);
    assert.equal((await again.console.describe()).board, 'posix');
    await eventOf(again.events, 'reading');
  });

  test('where there is no board, that is told', async (t) => {
    const { console, port, kill, exited } = await consoledBoard(t);
    kill('SIGKILL');
    await exited;
    await console.close();
    const { console: lonely } = await openConsole(t, port);
    await assert.rejects(lonely.ready(500), /^Error: no board answers at .*: is it on/);
  });
});

describe('the same with sanitizers', { skip: skipSocat || skipUnbuilt(sanitizedBoard), timeout: 60_000 }, () => {
  test('settings, a restart, the link by the line, a stop', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.close());
    const { console, events, exited, stderr } = await consoledBoard(t, { executable: sanitizedBoard, brokers: [wayTo(broker.url)] });
    await console.ready();
    await console.upload('settings', settingsText({ broker: 'mqtt+line://', topic: 'a' }));
    await console.command('restart');
    await eventOf(events, 'connected');
    await console.command('stop');
    assert.equal(await exited, 0);
    assert.ok(!stderr.all.some((line) => /ERROR|runtime error/.test(line)), stderr.all.join('\n'));
  });
});

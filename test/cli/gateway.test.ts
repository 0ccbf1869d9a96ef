import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Broker, startBroker } from '../../host/broker.js';
import { connectAsync } from '../../host/client.js';
import * as sn from '../../host/gateway/encode.js';
import { SocketDevice } from '../gateway/socket.js';
import { published } from '../gateway/world.js';
import { type Run, start, twobyte } from './cli.js';

const B = ['--broker', 'mqtt://127.0.0.1:1'];

describe('a gateway that cannot be ends with status 1 and names the option', () => {
  const cases: [what: string, args: string[], says: RegExp][] = [
    ['no broker', [], /required option '--broker <url>'/],
    ['a broker without a scheme', ['--broker', 'localhost'], /--broker: .*no scheme/],
    ['a topic behind the broker', ['--broker', 'mqtt://h/a'], /--broker: 'a' is a topic/],
    ['port 65536', [...B, '--udp', '65536'], /'--udp <port>' argument '65536' is invalid/],
    ['an address this machine does not have', [...B, '--udp', '0', '--bind', '192.0.2.1'], /--udp: .*192\.0\.2\.1.*--bind/],
    ['a relative serial path', [...B, '--serial', 'ttyUSB0'], /--serial: 'ttyUSB0' is not an absolute path/],
    [
      'a rate that no line has',
      [...B, '--serial', '/dev/ttyUSB0@9'],
      /--serial '\/dev\/ttyUSB0@9': baud '9' is not a whole number within 50 to 4000000/,
    ],
    ['the same behind a ?', [...B, '--serial', '/dev/ttyUSB0?baud=9'], /--serial '\/dev\/ttyUSB0\?baud=9': baud '9' is not a whole number/],
    ['a serial line that is not there', [...B, '--serial', '/dev/nonexistent'], /--serial: \/dev\/nonexistent is not there/],
    ['one with a rate', [...B, '--serial', '/dev/nonexistent@9600'], /--serial: \/dev\/nonexistent is not there/],
    ['one with a rate behind a ?', [...B, '--serial', '/dev/nonexistent?baud=9600'], /--serial: \/dev\/nonexistent is not there/],
    ['one whose name has signs of an address', [...B, '--serial', '/dev/none#%@1:2@9600'], /--serial: \/dev\/none#%@1:2 is not there/],
    ['a file of topics that is not there', [...B, '--predefined', '/nonexistent'], /--predefined: cannot read '\/nonexistent'/],
    ['--connect-deadline 0', [...B, '--connect-deadline', '0'], /'--connect-deadline <s>' argument '0' is invalid.*above 0/],
    ['--retry-time 0', [...B, '--retry-time', '0'], /'--retry-time <s>' argument '0' is invalid.*above 0/],
    ['--advertise with a fraction', [...B, '--advertise', '1.5'], /'--advertise <seconds>' argument '1.5' is invalid/],
    ['a group that is a name', [...B, '--group', 'everybody'], /--group: 'everybody' is not an address/],
    ['gateway id 0', [...B, '--gateway-id', '0'], /'--gateway-id <id>' argument '0' is invalid/],
    ['TLS options without TLS', [...B, '--cafile', '/x'], /--cafile: .*without TLS/],
    ['a password without a user', [...B, '-P', 'x'], /-P: .*-u/],
    [
      'a journal where none can be',
      [...B, '--journal', '/dev/null/journal'],
      /--journal: journal \/dev\/null\/journal\/gateway\.journal: cannot be locked/,
    ],
    ['a journal without a name', [...B, '--journal', ''], /--journal: the directory has an empty name/],
    ['stray words', [...B, 'more'], /too many arguments/],
  ];
  for (const [what, args, says] of cases) {
    test(what, async () => {
      const { status, stdout, stderr } = await twobyte(['gateway', ...args], { env: { TWOBYTE_USERNAME: '', TWOBYTE_PASSWORD: '' } });
      assert.match(stderr, says);
      assert.equal(status, 1);
      assert.equal(String(stdout), '');
      assert.doesNotMatch(stderr, / {4}at /, 'no stack');
    });
  }

  test('a port in use', async (t) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    const { port } = socket.address() as AddressInfo;
    const { status, stderr } = await twobyte(['gateway', ...B, '--udp', String(port), '--bind', '127.0.0.1']);
    assert.match(stderr, new RegExp(`--udp: cannot listen at port ${port}.*another program has it`));
    assert.equal(status, 1);
  });
});

describe('twobyte gateway', () => {
  let broker: Broker;
  let directory = '';
  before(async () => {
    broker = await startBroker();
    directory = await mkdtemp(join(tmpdir(), 'twobyte-gateway-'));
  });
  after(async () => {
    await broker.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** A gateway on a free port, which it tells. */
  async function running(...args: string[]): Promise<{ run: Run; port: number }> {
    const run = start(['gateway', '--broker', broker.url, '--udp', '0', '--bind', '127.0.0.1', ...args]);
    await run.prints('listening at UDP port');
    return { run, port: Number(/UDP port (\d+)/.exec(run.stdout)?.[1]) };
  }

  test('takes a free port and says which, serves, and ends in order on SIGTERM', async () => {
    const file = join(directory, 'topics');
    await writeFile(file, '# ours\n1 myhome/底楼/客厅/温度\n');
    const { run, port } = await running('--predefined', file, '-d');
    const observer = await connectAsync(broker.url);
    await observer.subscribeAsync('myhome/#');
    const arrival = once(observer, 'message');
    await using device = await SocketDevice.to(port);
    await device.connects('a');
    device.send(published(1, '23.4', { topicType: 1 }));
    const [topic, payload] = await arrival;
    assert.deepEqual([topic, String(payload)], ['myhome/底楼/客厅/温度', '23.4']);
    run.child.kill('SIGUSR2');
    await run.says(/statistics\n {2}active: 1/);
    run.child.kill('SIGTERM');
    await device.hears('DISCONNECT');
    const { status, stderr } = await run.ended;
    assert.equal(status, 0);
    assert.match(stderr, /client 'a' is connected from 127\.0\.0\.1/);
    await observer.endAsync();
  });

  test('killed, it leaves the wills to the broker; started again, its clients come back', async () => {
    const { run, port } = await running();
    const observer = await connectAsync(broker.url);
    await observer.subscribeAsync('w');
    const arrival = once(observer, 'message');
    await using device = await SocketDevice.to(port);
    await device.connectsWithWill('a', 'w', 'gone');
    run.ended.catch(() => {}); // it was killed
    run.child.kill('SIGKILL');
    const [, payload] = await arrival;
    assert.equal(String(payload), 'gone');
    await observer.endAsync();

    const again = start(['gateway', '--broker', broker.url, '--udp', String(port), '--bind', '127.0.0.1']);
    await again.prints(`UDP port ${port}`);
    await device.ask(sn.pingreq(), 'DISCONNECT');
    await device.connects('a');
    again.child.kill('SIGINT');
    assert.equal((await again.ended).status, 0);
  });

  test('without QoS −1 drops it', async () => {
    const { run, port } = await running('--no-qos-minus-1');
    await using device = await SocketDevice.to(port);
    device.send(published(0x6162, 'x', { qos: -1, topicType: 2 }));
    await device.ask(sn.searchgw(0), 'GWINFO');
    run.child.kill('SIGUSR2');
    await run.says(/QoS −1 dropped: switched off: 1/);
    run.child.kill('SIGTERM');
    assert.equal((await run.ended).status, 0);
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import { gatewayBefore, type Script, ScriptedGateway } from '../client/gateways.js';
import { freePort, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { start, twobyte } from './cli.js';

const TOPIC = 'myhome/底楼/客厅/温度';

let directory = '';
let predefined = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'twobyte-cli-'));
  predefined = join(directory, 'topics');
  await writeFile(predefined, `# of the house\n1 ${TOPIC}\n`);
});
after(() => rm(directory, { recursive: true, force: true }));

describe('a command line that MQTT-SN has no use for ends with status 1, before connecting, and names the option', () => {
  const L = ['-L', 'mqtt-sn://h/ab'];
  const cases: [what: string, args: string[], says: RegExp][] = [
    ['a user name', ['sub', ...L, '-u', 'me'], /-u: MQTT-SN 1\.2 has no user names/],
    ['a password', ['sub', ...L, '-P', 'secret'], /-P: MQTT-SN 1\.2 has no user names/],
    ['a user name in the URL', ['sub', '-L', 'mqtt-sn://me@h/ab'], /-L: MQTT-SN 1\.2 has no user names/],
    ['an authority', ['sub', ...L, '--cafile', 'x'], /--cafile: MQTT-SN has no TLS/],
    ['--insecure', ['pub', ...L, '-m', 'x', '--insecure'], /--insecure: MQTT-SN has no TLS/],
    ['a client id of 24 characters', ['sub', ...L, '-i', 'x'.repeat(24)], /-i: over MQTT-SN it has 1 to 23 characters/],
    ['a setting it does not know', ['sub', '-L', 'mqtt-sn://h:1884?fast', '-t', 'a'], /-L: .*'fast' is not known/],
    ['a baud rate that is none', ['sub', '-L', 'mqtt-sn+serial:///dev/x?baud=fast', '-t', 'a'], /-L: .*baud 'fast'/],
    ['a serial line, whose path is no topic', ['sub', '-L', 'mqtt-sn+serial:///dev/x'], /-t: .* is missing/],
    ['QoS -1 over MQTT', ['pub', '-t', 'ab', '-m', 'x', '-q', '-1'], /-q: QoS -1 is of MQTT-SN/],
    ['QoS -1 for a subscription', ['sub', ...L, '-q', '-1'], /'-q, --qos <qos>' argument '-1' is invalid/],
    [
      'QoS -1 to a topic without an id',
      ['pub', '-L', 'mqtt-sn://h/a/b', '-m', 'x', '-q', '-1'],
      /-t 'a\/b': QoS -1 needs a topic of two bytes/,
    ],
    ['--predefined over MQTT', ['sub', '-t', 'a', '--predefined', 'x'], /--predefined: MQTT has no topic ids/],
    ['a file of topics that is not there', ['sub', ...L, '--predefined', '/nonexistent'], /--predefined: cannot read '\/nonexistent'/],
    ['a gateway before a gateway', ['gateway', '--broker', 'mqtt-sn://h'], /--broker: a gateway leads to an MQTT broker/],
  ];
  for (const [what, args, says] of cases)
    test(what, async () => {
      const { status, stdout, stderr } = await twobyte(args, { env: { TWOBYTE_USERNAME: '', TWOBYTE_PASSWORD: '' } });
      assert.match(stderr, says);
      assert.equal(status, 1);
      assert.equal(String(stdout), '');
    });
});

describe('through a gateway and mosquitto', { skip: skipMosquitto }, () => {
  test('sub prints what pub publishes, at every QoS and over both protocols', async (t) => {
    const mosquitto = await startMosquitto();
    const url = await gatewayBefore(t, `mqtt://127.0.0.1:${mosquitto.port}`, { predefined: { 1: TOPIC } });
    t.after(() => mosquitto.stop());
    const sub = start(['sub', '-d', '-L', `${url}/myhome/#`, '-t', 'ab', '-v', '-q', '2', '-C', '6']);
    await sub.says(/subscribed to 'ab'/);
    const pubs: [payload: string, args: string[]][] = [
      ['zero', ['-L', `${url}/${TOPIC}`]],
      ['one', ['-L', `${url}/${TOPIC}`, '-q', '1']],
      ['two', ['-L', url, '-t', TOPIC, '-q', '2']],
      ['minus one', ['-L', `${url}/ab`, '-q', '-1']],
      ['minus one, by its id', ['-L', `${url}/${TOPIC}`, '-q', '-1', '--predefined', predefined]],
      ['over MQTT', ['-h', '127.0.0.1', '-p', String(mosquitto.port), '-t', TOPIC]],
    ];
    for (const [payload, args] of pubs) {
      const env = { TWOBYTE_USERNAME: 'only for', TWOBYTE_PASSWORD: 'MQTT' };
      const ended = await twobyte(['pub', ...args, '-m', payload], args[0] === '-L' ? { env } : {});
      assert.deepEqual(ended, { status: 0, stdout: Buffer.alloc(0), stderr: '' });
      await sub.prints(`${payload}\n`);
    }
    const { status, stdout } = await sub.ended;
    assert.equal(String(stdout), pubs.map(([payload, args]) => `${args[1]?.endsWith('/ab') ? 'ab' : TOPIC} ${payload}\n`).join(''));
    assert.equal(status, 0);
  });

  test('pub -l publishes each line', async (t) => {
    const mosquitto = await startMosquitto();
    const url = await gatewayBefore(t, `mqtt://127.0.0.1:${mosquitto.port}`);
    t.after(() => mosquitto.stop());
    const sub = start(['sub', '-d', '-L', `${url}/lines`, '-q', '1', '-C', '100']);
    await sub.says(/subscribed to 'lines'/);
    const lines = Array.from({ length: 100 }, (_, i) => `${i}\n`).join('');
    assert.equal((await twobyte(['pub', '-L', `${url}/lines`, '-l', '-q', '1'], { input: lines })).status, 0);
    assert.equal(String((await sub.ended).stdout), lines);
  });
});

describe('the return code of a gateway is the exit status', () => {
  const refusing =
    (code: number): Script =>
    (message) => {
      if (message.type === 'PUBLISH') return sn.puback(message.topicId, message.msgId, code);
      return message.type === 'SUBSCRIBE' ? sn.suback(0, 0, message.msgId, code) : undefined;
    };
  const commands: [name: string, words: string[]][] = [
    ['pub', ['-m', 'x', '-q', '1']],
    ['pub', ['-l', '-q', '1']],
    ['sub', []],
  ];
  for (const [code, says] of [
    [1, /refused by the gateway: it is congested; its broker is away/],
    [2, /refused by the gateway: invalid topic id/],
    [3, /refused by the gateway: not supported; give another client id with -i/],
  ] as const)
    for (const [command, words] of commands)
      test(`${code} of a CONNACK, of ${[command, ...words].join(' ')}`, async (t) => {
        const gateway = await ScriptedGateway.at(t, ({ type }) => (type === 'CONNECT' ? sn.connack(code) : undefined));
        const { status, stderr } = await twobyte([command, '-L', `${gateway.url}/ab`, ...words], { input: 'x\n' });
        assert.match(stderr, says);
        assert.equal(status, code);
      });

  for (const code of [2, 3])
    for (const [command, words] of commands.slice(0, 2))
      test(`${code} of a PUBACK, of ${[command, ...words].join(' ')}`, async (t) => {
        const gateway = await ScriptedGateway.at(t, refusing(code));
        const { status, stderr } = await twobyte([command, '-L', `${gateway.url}/ab`, ...words], { input: 'x\n' });
        assert.match(stderr, /^twobyte pub: the gateway refuses publish: [a-z ]+\n$/);
        assert.equal(status, code);
      });

  test('but 1 of any of a SUBACK, when every subscription is refused', async (t) => {
    const gateway = await ScriptedGateway.at(t, refusing(3));
    const { status, stderr } = await twobyte(['sub', '-L', `${gateway.url}/ab`]);
    assert.match(stderr, /-t 'ab': the broker refused the subscription/);
    assert.equal(status, 1);
  });
});

describe('what cannot be reached over MQTT-SN ends with status 1 and says so', () => {
  test('a port where nobody listens', async () => {
    const { status, stderr } = await twobyte(['pub', '-L', `mqtt-sn://127.0.0.1:${await freePort()}/ab`, '-m', 'x']);
    assert.match(stderr, /^twobyte pub: mqtt-sn:\/\/127\.0\.0\.1:\d+: connection refused.*is the gateway running\?[^\n]*\n$/);
    assert.equal(status, 1);
  });

  test('a serial line that is not there', async () => {
    const { status, stderr } = await twobyte(['pub', '-L', 'mqtt-sn+serial:///dev/nonexistent', '-t', 'ab', '-m', 'x']);
    assert.match(stderr, /\/dev\/nonexistent is not there.*check the address in -L/);
    assert.equal(status, 1);
  });

  test('a gateway that does not answer is waited for, and asked again', async (t) => {
    const gateway = await ScriptedGateway.at(t, () => []);
    const run = start(['sub', '-L', `${gateway.url}/ab`, '-W', '4']);
    await gateway.hears('CONNECT', 2);
    assert.equal((await run.ended).status, 27);
  });
});

test('a signal ends sub with DISCONNECT', async (t) => {
  const gateway = await ScriptedGateway.at(t);
  const run = start(['sub', '-d', '-L', `${gateway.url}/ab`]);
  await run.says(/subscribed to 'ab'/);
  run.child.kill('SIGTERM');
  assert.equal((await run.ended).status, 0);
  await gateway.hears('DISCONNECT');
});

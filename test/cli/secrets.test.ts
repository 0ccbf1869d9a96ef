import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBroker } from '../../host/broker.js';
import * as sn from '../../host/gateway/encode.js';
import { SocketDevice } from '../gateway/socket.js';
import { listening } from '../links/peers.js';
import { freePort } from '../mosquitto.js';
import { posixBoard, sensorModule, skipUnbuilt } from '../rungs/world.js';
import { Run, start, twobyte } from './cli.js';

/** Nowhere else, and nothing that a URL or a shell would change; the base64 of what a header would carry is looked for, too. */
const SECRET = `sesame-${randomBytes(6).toString('hex')}`;
const FORMS = [SECRET, Buffer.from(`u:${SECRET}`).toString('base64'), Buffer.from(SECRET).toString('hex')];
const skipProc = process.platform === 'linux' ? false : 'only Linux has /proc';

function keepsIt(text: string, where: string): void {
  for (const form of FORMS) assert.ok(!text.includes(form), `${where} shows the password:\n${text}`);
}

/** Brokers of every fate; each answers its port. */
const fates: Record<string, (t: TestContext) => Promise<number>> = {
  'nobody listens': () => freePort(),
  'the login is refused': (t) => answering(t, Buffer.from([0x20, 2, 0, 5])),
  'the answer is garbage': (t) => answering(t, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])),
  'it speaks HTTP': (t) =>
    listening(
      t,
      createHttpServer((_request, response) => response.writeHead(404).end()),
    ),
  'it hangs up': (t) =>
    listening(
      t,
      createServer((socket) => socket.end()),
    ),
};

function answering(t: TestContext, bytes: Buffer): Promise<number> {
  const server: Server = createServer((socket) => socket.once('data', () => socket.write(bytes)));
  return listening(t, server);
}

type Place = [what: string, words: (address: string) => string[], env?: Record<string, string>];
const none = { TWOBYTE_USERNAME: '', TWOBYTE_PASSWORD: '' };
const environment = { TWOBYTE_USERNAME: 'u', TWOBYTE_PASSWORD: SECRET };

const commands: [command: string, option: string, more: string[]][] = [
  ['pub', '-L', ['-t', 'a', '-m', 'x', '-d']],
  ['sub', '-L', ['-t', 'a', '-d', '-W', '5']],
  ['gateway', '--broker', ['--udp', '0', '--bind', '127.0.0.1', '-d']],
];

for (const [command, option, more] of commands) {
  const places: Place[] = [
    ['the URL', (address) => [option, `mqtt://u:${SECRET}@${address}`]],
    ['-P', (address) => [option, `mqtt://${address}`, '-u', 'u', '-P', SECRET]],
    ['the environment', (address) => [option, `mqtt://${address}`], environment],
    ['the URL of a WebSocket, twice', (address) => [option, `ws://u:${SECRET}@${address}/mqtt?token=${SECRET}`]],
  ];
  describe(`twobyte ${command} -d never tells its password`, () => {
    for (const [where, words, env] of places)
      for (const [fate, broker] of Object.entries(fates))
        test(`given in ${where}, when ${fate}`, async (t) => {
          const run = start([command, ...words(`127.0.0.1:${await broker(t)}`), ...more], { ...none, ...env });
          if (command === 'gateway') await connectsOnce(run);
          run.child.stdin.end();
          const { stdout, stderr } = await run.ended;
          assert.notEqual(stderr, '');
          keepsIt(`${stdout}\n${stderr}`, command);
        });

    for (const [what, words] of [
      ['no scheme', [option, `u:${SECRET}@h`]],
      ['a scheme with one slash', [option, `mqtt:/u:${SECRET}@h`]],
      ['another scheme', [option, `http://u:${SECRET}@h`]],
      ['an @ that is missing', [option, `mqtt://u:${SECRET}`]],
      ['a malformed escape', [option, `mqtt://u:%zz${SECRET}@h`]],
      ['a malformed host', [option, `mqtt://u:${SECRET}@[::1`]],
      ['a slash in the password', [option, `mqtt://u:x/${SECRET}@h`]],
      ['a hash in the password', [option, `mqtt://u:x#${SECRET}@h`]],
      ['a question mark in the password', [option, `mqtt://u:x?${SECRET}@h`]],
      ['port 0', [option, `mqtt://u:${SECRET}@h:0`]],
      ['MQTT-SN, which has none', [option, `mqtt-sn://u:${SECRET}@h`]],
      ['a serial line, which has none', [option, `mqtt-sn+serial://u:${SECRET}@h`]],
      ['no user name', [option, 'mqtt://h', '-P', SECRET]],
      ['a user name that MQTT forbids', [option, `mqtt://u%00:${SECRET}@127.0.0.1:1`]],
      ['an option that is not known', [option, 'mqtt://h', `--password=${SECRET}`]],
      ['an option that is not known, and the word behind it', [option, 'mqtt://h', '--password', SECRET]],
      ['a short option that is not known', [option, 'mqtt://h', `-X${SECRET}`]],
      ['a certificate that is none', [option, 'mqtts://h', '-u', 'u', '-P', SECRET, '--cafile', '/dev/null']],
    ] as const)
      test(`in a command line with ${what}`, async (t) => {
        const run = start([command, ...words, ...more], none);
        t.after(() => run.child.kill('SIGKILL'));
        run.child.stdin.end();
        if (command === 'gateway') await Promise.race([run.ended, connectsOnce(run).catch(() => {})]);
        const { stdout, stderr } = await run.ended;
        assert.notEqual(stderr, '');
        keepsIt(`${stdout}\n${stderr}`, command);
      });
  });
}

test('-h with a whole URL does not tell its password', async () => {
  for (const host of [`u:${SECRET}@h`, `mqtt://u:${SECRET}@h`]) {
    const { stderr } = await twobyte(['pub', '-h', host, '-t', 'a', '-m', 'x']);
    assert.match(stderr, /-L/);
    keepsIt(stderr, 'pub');
  }
});

/** Lets a client connect through a gateway and hear what comes of it; then the gateway tells its statistics and ends. */
async function connectsOnce(run: Run): Promise<void> {
  await run.prints('listening at UDP port');
  await using device = await SocketDevice.to(Number(/UDP port (\d+)/.exec(run.stdout)?.[1]));
  device.send(sn.connect({ will: false, clean: true, duration: 60, clientId: 'c' }));
  await run.says(/the broker is away|cannot connect/);
  run.child.kill('SIGUSR2');
  await run.says(/statistics/);
  run.child.kill('SIGTERM');
}

/** The command lines of a process and all below it, as `ps` shows them to every user. */
function commandLines(pid: number): string {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [readFileSync(`/proc/${pid}/cmdline`, 'utf8'), ...children.map((child) => commandLines(Number(child)))].join('\n');
}

describe('a password that is given by the environment is not in the list of processes', { skip: skipProc, timeout: 60_000 }, () => {
  let broker: Awaited<ReturnType<typeof startBroker>>;
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-secrets-'));
    broker = await startBroker({
      authenticate: (_client, username, password, done) => done(null, username === 'u' && String(password) === SECRET),
    });
  });
  after(async () => {
    await broker.close();
    await rm(directory, { recursive: true, force: true });
  });

  test('of sub and gateway', async () => {
    const sub = start(['sub', '-L', broker.url, '-t', 'a', '-d'], environment);
    await sub.says(/subscribed/);
    const gateway = start(['gateway', '--broker', broker.url, '--udp', '0', '--bind', '127.0.0.1', '-d'], environment);
    await gateway.prints('listening at UDP port');
    await using device = await SocketDevice.to(Number(/UDP port (\d+)/.exec(gateway.stdout)?.[1]));
    await device.connects('c'); // the password of the environment is the one that the broker wants
    for (const { child, ended } of [sub, gateway]) {
      keepsIt(commandLines(child.pid as number), '/proc/PID/cmdline');
      child.kill('SIGTERM');
      const { stdout, stderr } = await ended;
      keepsIt(`${stdout}${stderr}`, 'the output');
    }
  });

  const startScript = fileURLToPath(new URL('../../../../scripts/start.js', import.meta.url));
  for (const rung of ['virtual', 'posix'])
    test(`of npm start with its boards on the ${rung} rung, which leave no file behind`, {
      skip: rung === 'posix' && skipUnbuilt(posixBoard),
    }, async () => {
      const words = ['--rung', rung, '--broker', broker.url, '--thermometer', 'simulated:1', '--interval', '100', '--json'];
      const run = new Run(process.execPath, [startScript, ...words], { ...environment, TMPDIR: directory });
      run.child.stdin.end();
      await run.prints('"MQTT-SN"');
      await run.prints('"MQTT"');
      keepsIt(commandLines(run.child.pid as number), '/proc/PID/cmdline');
      assert.deepEqual(readdirSync(directory), [], 'a settings file is gone as soon as it was read');
      run.child.kill('SIGTERM');
      const { status, stdout, stderr } = await run.ended;
      assert.equal(status, 0, stderr);
      keepsIt(`${stdout}${stderr}`, 'the output');
    });

  test('of npm start when the login is refused', async () => {
    const run = new Run(process.execPath, [startScript, '--rung', 'virtual', '--broker', broker.url.replace('//', `//x:${SECRET}@`)]);
    run.child.stdin.end();
    const { status, stdout, stderr } = await run.ended;
    assert.notEqual(status, 0);
    keepsIt(`${stdout}${stderr}`, 'the output');
  });
});

describe('the posix board never tells its password', { skip: skipUnbuilt(posixBoard) }, () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-secrets-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const usual = (broker: string) => ['--module', sensorModule, '--thermometer', 'simulated:1', '--set', 'topic=a', '--broker', broker];

  const bad: [what: string, words: string[], file?: string][] = [
    ['TLS, which it does not have', usual(`mqtts://u:${SECRET}@h`)],
    ['no scheme', usual(`u:${SECRET}@h`)],
    ['credentials in the address', usual(`mqtt://u:${SECRET}@h`)],
    ['an @ that is missing', usual(`mqtt://u:${SECRET}`)],
    ['digits before the password', usual(`mqtt://u:12${SECRET}`)],
    ['a host that is not closed', usual(`mqtt-sn+serial://u:${SECRET}@[::1`)],
    ['credentials for a serial line', usual(`mqtt-sn+serial://u:${SECRET}@h`)],
    ['an option that is not known', [...usual('mqtt://h'), `--password=${SECRET}`]],
    ['a setting without =', [...usual('mqtt://h'), '--set', `password ${SECRET}`]],
    ['a setting with a colon', [...usual('mqtt://h'), '--set', `password:${SECRET}`]],
    ['a password without a user name', [...usual('mqtt://127.0.0.1:1'), '--set', `password=${SECRET}`]],
    ['a password over its limit', [...usual('mqtt://127.0.0.1:1'), '--set', 'username=u', '--set', `password=${SECRET.repeat(60)}`]],
    ['a line without =', [], `password ${SECRET}\n`],
    ['a line with a colon, and = at its end', [], `password: ${SECRET}=\n`],
    ['a quotation mark that is not closed', [], `password = "${SECRET}\n`],
    ['a password given twice', [], `password = ${SECRET}\npassword = ${SECRET}\n`],
    ['a NUL in the password', [], `password = ${SECRET}\0\n`],
    ['an address in the file', [], `broker = wss://u:${SECRET}@h/\n`],
  ];
  for (const [what, words, file] of bad)
    test(`in settings with ${what}`, async () => {
      const path = join(directory, 'board.conf');
      if (file !== undefined) await writeFile(path, file, { mode: 0o600 });
      const run = new Run(posixBoard, file === undefined ? words : ['--config', path, ...words]);
      run.child.stdin.end();
      const { status, stdout, stderr } = await run.ended;
      assert.equal(status, 1);
      assert.match(stderr, /^twobyte-posix: /);
      keepsIt(`${stdout}${stderr}`, 'the board');
    });

  for (const [fate, broker] of Object.entries(fates))
    test(`given in a file, when ${fate}; nor is it in the list of processes`, async (t) => {
      const path = join(directory, 'board.conf');
      await writeFile(path, `username = u\npassword = ${SECRET}\n`, { mode: 0o600 });
      const run = new Run(posixBoard, ['--config', path, ...usual(`mqtt://127.0.0.1:${await broker(t)}`)]);
      run.child.stdin.end();
      await run.says(/./);
      if (!skipProc) keepsIt(commandLines(run.child.pid as number), '/proc/PID/cmdline');
      run.child.kill('SIGTERM');
      const { stdout, stderr } = await run.ended;
      keepsIt(`${stdout}${stderr}`, 'the board');
    });

  test('and says when others can read the file that has one', async () => {
    for (const [mode, text, says] of [
      [0o600, `username = u\npassword = ${SECRET}\n`, false],
      [0o644, `username = u\npassword = ${SECRET}\n`, true],
      [0o640, `username = u\npassword = ${SECRET}\n`, true],
      [0o644, 'username = u\n', false],
    ] as const) {
      const path = join(directory, `${mode}.conf`);
      await writeFile(path, text, { mode });
      await chmod(path, mode);
      const run = new Run(posixBoard, ['--config', path, ...usual('mqtt://127.0.0.1:1'), '--thermometer', 'mercury']);
      run.child.stdin.end();
      const { stderr } = await run.ended;
      assert.equal(/password: other users of this machine can read/.test(stderr), says, stderr);
      keepsIt(stderr, 'the board');
    }
  });

  test('mqtts:// and wss:// are refused by what is missing', async () => {
    for (const scheme of ['mqtts', 'wss']) {
      const run = new Run(posixBoard, usual(`${scheme}://127.0.0.1`));
      run.child.stdin.end();
      const { status, stderr } = await run.ended;
      assert.match(stderr, new RegExp(`neither TLS nor WebSocket.*not ${scheme}://`));
      assert.equal(status, 1);
    }
  });
});

test('--help of each command that takes a password tells how to keep it out of ps', async () => {
  for (const command of ['pub', 'sub', 'gateway']) {
    const { stdout } = await twobyte([command, '--help']);
    assert.match(String(stdout), /in `ps`.*TWOBYTE_USERNAME and TWOBYTE_PASSWORD instead of/s, command);
  }
});
